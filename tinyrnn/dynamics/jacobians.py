"""The Jacobian of each step of a recurrence, ∂h_t/∂h_{t-1}, by the engine's own VJPs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from tinyrnn.autograd.arguments import checked
from tinyrnn.autograd.jacobians import jacobian, rows_mix
from tinyrnn.autograd.mapped import Array
from tinyrnn.dynamics.given import ARRAYS, Run, run_of
from tinyrnn.dynamics.steps import Recorded, recorded_steps, trajectory
from tinyrnn.recurrence.tree import flatten


def step_jacobians(cell: Any, xs: Any, carry: Any = None) -> Array:
    """Return the Jacobian of each step, ``J[t-1] = ∂h_t/∂h_{t-1}``, of the flattened carry h.

    Row s of a Jacobian is the VJP of the seed e_s. The states are computed by one `scan`; the step then runs
    once on all of them, and all seeds go back through that record in one pass. A step that cannot run so
    (its course depends on values, it draws random numbers) is recorded step by step.

    Parameters
    ----------
    cell : cell or callable
        Anything with ``step(carry, x) -> (carry, y)``: a cell, a layer of one cell, or the step itself.
    xs : structure of Tensor or array_like, each of shape (T, B, ...)
        The inputs, time first; of a layer with ``batch_first`` (B, T, ...), as it reads them. A cell's own
        dtype is kept.
    carry : structure of Tensor, each of shape (B, ...), optional
        The state h_0 before the first step; the cell's ``initial_state`` by default.

    Returns
    -------
    ndarray, shape (T, B, S, S)
        S is the number of floating elements that a row has in all parts of the carry, in the order of
        `carry_parts`. B is 1, and S counts all elements, where the carry has no batch axis (its parts and the
        inputs have no common first axis of at least two axes), or where the rows are not independent: where
        the step mixes them, as batch normalisation does, there is only one Jacobian, of all rows. Whether
        it does is read off the derivatives themselves. The steps stand in the order in which they are taken:
        a layer with ``reverse`` begins at the last input.

    Notes
    -----
    Pascanu, Mikolov and Bengio (2013), "On the difficulty of training recurrent neural networks", equation 5:
    for ``h_t = tanh(W h_{t-1} + U x_t)`` it is ``diag(1 - h_t²) W``.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> def step(h, x):
    ...     h = 0.5 * h + x
    ...     return h, h
    >>> tr.dynamics.step_jacobians(step, np.zeros((3, 1, 2)), np.zeros((1, 2)))[0, 0]
    array([[0.5, 0. ],
           [0. , 0.5]])

    The parts of an LSTM's carry, by name: ``∂c_t/∂c_{t-1}`` is its forget gate.

    >>> lstm = tr.nn.LSTMCell(3, 4)
    >>> J = tr.dynamics.step_jacobians(lstm, np.zeros((5, 2, 3)))
    >>> part = tr.dynamics.carry_parts(lstm.initial_state(2))
    >>> J.shape, J[..., part["c"], part["c"]].shape
    ((5, 2, 8, 8), (5, 2, 4, 4))
    """
    return np.concatenate(list(jacobian_chunks(run_of("step_jacobians", cell, xs, carry))))


@checked(carry=ARRAYS)
def carry_parts(carry: Any) -> dict[str, slice]:
    """Return where each part of a carry stands in the flattened one, by name.

    Parameters
    ----------
    carry : structure of Tensor, each of shape (B, ...)
        Such as ``cell.initial_state(B)``. A single array is called ``h``.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.dynamics.carry_parts({"h": np.zeros((2, 3)), "memory": np.zeros((2, 4, 5))})
    {'h': slice(0, 3, None), 'memory': slice(3, 23, None)}
    """
    leaves, tree = flatten(carry)
    short, paths = tree.names(), tree.paths()
    names = short if len(set(short)) == len(short) else [path.lstrip(".") for path in paths]
    parts: dict[str, slice] = {}
    start = 0
    for leaf, name in zip(leaves, names, strict=True):
        if leaf.dtype.kind == "f":
            size = math.prod(leaf.shape[1:] if len(leaf.shape) > 1 else leaf.shape)
            parts[name or "h"] = slice(start, start + size)
            start += size
    return parts


def jacobian_chunks(run: Run) -> Iterator[Array]:
    """Yield the Jacobians of some steps at a time, each of shape (steps, B, S, S)."""
    states = trajectory(run)
    rows = independent_rows(run, states)
    total = sum(leaf.size for leaf in run.carry if leaf.dtype.kind == "f")
    for recorded in recorded_steps(run, states, total // rows):
        yield _jacobians(recorded, rows)


def finite_chunks(where: str, run: Run) -> Iterator[Array]:
    """Yield the same in float64, where all of it is finite."""
    t = 1
    for chunk in jacobian_chunks(run):
        bad = np.flatnonzero(~np.isfinite(chunk).all(axis=(1, 2, 3)))
        if len(bad):
            raise ValueError(f"{where}: the Jacobian of step {t + bad[0]} of {run.steps} is not finite")
        t += len(chunk)
        yield chunk.astype(np.float64, copy=False)


def independent_rows(run: Run, states: list[Array]) -> int:
    """Return B where there is a batch of rows that do not depend on each other, and 1 otherwise.

    A batch axis is the first one of all parts of the carry, with others behind it, and of the inputs.
    """
    leaves = [leaf for leaf in run.carry if leaf.dtype.kind == "f"]
    counts = {leaf.shape[0] if leaf.ndim > 1 else 1 for leaf in leaves}
    counts |= {x.shape[1] if x.ndim > 1 else 1 for x in run.xs}
    rows = counts.pop() if len(counts) == 1 else 1
    return rows if rows == 1 or _independent(run, states, rows) else 1


def _independent(run: Run, states: list[Array], rows: int) -> bool:
    """Whether no row's state depends on another row's, at any step."""
    return not any(
        rows_mix([leaf.node for leaf in recorded.floating], recorded.leaves, rows)
        for recorded in recorded_steps(run, states, 2 * (rows - 1).bit_length())
    )


def _jacobians(recorded: Recorded, rows: int) -> Array:
    """Return the Jacobians of recorded steps, (steps, B, S, S)."""
    outputs = [leaf.node for leaf in recorded.floating]
    return jacobian(outputs, recorded.leaves, recorded.floating, rows, recorded.stop - recorded.first)
