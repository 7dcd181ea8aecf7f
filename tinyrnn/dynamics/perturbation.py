"""A small change of the state: how it really grows, and what the Jacobians say that it does."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tinyrnn.autograd.arguments import checked
from tinyrnn.autograd.creation import as_tensor
from tinyrnn.autograd.mapped import Array
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.dynamics.given import ARRAYS, Run, run_of
from tinyrnn.dynamics.jacobians import jacobian_chunks
from tinyrnn.dynamics.records import sizes_of
from tinyrnn.dynamics.steps import trajectory
from tinyrnn.recurrence.tree import flatten


class Perturbation(NamedTuple):
    """A change of the first state, over time; h_0 is the first carry.

    Attributes
    ----------
    actual : ndarray, shape (T + 1, B, S)
        ``Δh_t``, the difference of two runs.
    predicted : ndarray, shape (T + 1, B, S)
        ``J_t ... J_1 Δh_0``. It may overflow to inf where gradients explode; its logarithm does not.
    log10_actual, log10_predicted : ndarray, shape (T + 1, B)
        Decimal logarithms of their Euclidean norms.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> import numpy as np
    >>> cell = tr.nn.RNNCell(3, 4, rng=0)
    >>> change = tr.dynamics.perturb(cell, np.ones((20, 2, 3)), np.zeros((2, 4)), 1e-6)
    >>> change.actual.shape, bool(change.log10_actual[20, 0] < change.log10_actual[0, 0])
    ((21, 2, 4), True)
    """

    actual: Array
    predicted: Array
    log10_actual: Array
    log10_predicted: Array


@checked(delta=ARRAYS)
def perturb(cell: Any, xs: Any, carry: Any, delta: Any) -> Perturbation:
    """Change the first state by delta, and follow the change: as it is, and as the Jacobians predict it.

    The two agree as long as the change is small: ``Δh_t = J_t ... J_1 Δh_0 + O(‖Δh‖²)``. A prediction that
    explodes says that the change leaves the linear range soon, not that it becomes large: a tanh holds it.
    The actual change is a difference of two runs in their own dtype: below the rounding of the states, about
    1e-7 of their size in float32 and 1e-16 in float64, it is 0 and its logarithm -inf. Run in float64, or
    change the state by more.

    Parameters
    ----------
    cell, xs, carry
        As in `step_jacobians`; None as the carry is the cell's ``initial_state``.
    delta : structure like the carry, or float
        What is added to the first state; a number is added to all of its floating elements.

    Returns
    -------
    Perturbation

    Raises
    ------
    ValueError
        Where delta has another form than the carry.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> step = lambda h, x: (tr.tanh(2.0 * h), h)
    >>> change = tr.dynamics.perturb(step, np.zeros((60, 1, 1)), np.zeros((1, 1)), 1e-9)
    >>> change.log10_actual[[10, 60], 0].round(2), change.log10_predicted[[10, 60], 0].round(2)
    (array([-5.99, -0.02]), array([-5.99,  9.06]))
    """
    run = run_of("perturb", cell, xs, carry)
    changes = _changes(run, delta)
    moved = [Tensor(leaf.data + change) for leaf, change in zip(run.carry, changes)]
    floating = [leaf.dtype.kind == "f" for leaf in run.carry]
    pairs = list(zip(trajectory(run._replace(carry=moved)), trajectory(run), floating, strict=True))
    predicted: Array | None = None
    vector = np.empty(0)
    log_size: Array = np.empty(0)
    vectors: list[Array] = []
    logs: list[Array] = []

    def normalise(v: Array, log: Any) -> tuple[Array, Array]:
        size = sizes_of(v)
        with np.errstate(divide="ignore", over="ignore", under="ignore"):
            log = log + np.log10(size)
            v = v / np.where(size > 0, size, 1.0)[:, None]
            logs.append(log)
            vectors.append(v * (10.0**log)[:, None])
        return v, log

    for chunk in jacobian_chunks(run):
        if predicted is None:
            rows = chunk.shape[1]
            first = [np.broadcast_to(c, leaf.shape) for c, leaf, f in zip(changes, run.carry, floating) if f]
            predicted = np.concatenate([f.reshape(rows, -1) for f in first], axis=-1).astype(np.float64)
            vector, log_size = normalise(predicted, np.zeros(rows))
        for jacobian in chunk:
            vector, log_size = normalise((jacobian @ vector[..., None])[..., 0], log_size)
    rows = vector.shape[0]
    actual = np.concatenate([(a - b).reshape(len(a), rows, -1) for a, b, f in pairs if f], axis=-1)
    with np.errstate(divide="ignore"):
        log10_actual = np.log10(sizes_of(actual.reshape((-1, actual.shape[-1]))).reshape(actual.shape[:2]))
    return Perturbation(actual, np.stack(vectors), log10_actual, np.stack(logs))


def _changes(run: Run, delta: Any) -> list[Any]:
    """Return what is added to each leaf of the carry."""
    if not all(np.isfinite(getattr(leaf, "data", leaf)).all() for leaf in flatten(delta)[0]):
        raise ValueError("perturb: delta is not finite; expected finite numbers")
    if isinstance(delta, (int, float)):
        return [leaf.dtype.type(delta) if leaf.dtype.kind == "f" else 0 for leaf in run.carry]
    leaves, tree = flatten(delta)
    shapes = [np.shape(leaf) for leaf in leaves]
    expected = [leaf.shape for leaf in run.carry]
    if shapes != expected or (tree != run.carry_tree and type(delta) is not tuple):
        raise ValueError(
            f"perturb: delta is {tree.paths('delta')} of shapes {shapes}; expected a number, or the form of "
            f"the carry, {run.carry_tree.paths('carry')} of shapes {expected}"
        )
    return [as_tensor(change).data.astype(leaf.dtype) for change, leaf in zip(leaves, run.carry, strict=True)]
