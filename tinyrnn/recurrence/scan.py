"""`scan`: run a step over time. Its arguments are checked here, and its form is chosen here."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal, TypeVar

import numpy as np
import numpy.typing as npt

from tinyrnn.autograd.arguments import FLAG, FUNCTION, WHOLE, check, misused
from tinyrnn.autograd.creation import as_tensor
from tinyrnn.autograd.functions import where
from tinyrnn.autograd.state import no_grad, thread
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.recurrence.explain import explain
from tinyrnn.recurrence.fallback import warn_of_step
from tinyrnn.recurrence.lookup import cache_clear, cache_info, compiled_scan
from tinyrnn.recurrence.loop import Step, as_tensors, rows, single_step, unrolled_scan
from tinyrnn.recurrence.plan import Plan
from tinyrnn.recurrence.traced import Structure, Untraceable
from tinyrnn.recurrence.tree import Tree, flatten

C = TypeVar("C")
Y = TypeVar("Y")


def scan(
    step: Callable[[Any, Any], tuple[C, Y]],
    carry: Any,
    xs: Any,
    *,
    lengths: npt.ArrayLike | None = None,
    reverse: bool = False,
    segment: int | Literal["auto"] | None = None,
    length: int | None = None,
) -> tuple[C, Y]:
    """Carry a state over time: ``scan :: ((c, x) -> (c, y)), c, [x] -> (c, [y])``.

    Its meaning is this loop::

        def scan(step, carry, xs):
            ys = []
            for x in xs:
                carry, y = step(carry, x)
                ys.append(y)
            return carry, tr.stack(ys)

    Parameters
    ----------
    step : callable
        ``step(carry, x) -> (carry, y)``, in ordinary tensor code. The carry that it returns has the
        structure, shapes and dtypes of the one that it is given. It may close over parameters and other
        Tensors; they get their gradients.
    carry : structure of Tensor
        The first state: a Tensor, or tuples, named tuples, lists and dicts of them. It comes back in the
        form in which it was given; a plain tuple serves where the step makes a named one.
    xs : structure of Tensor, each of shape (T, ...), or None
        The inputs, time first. Plain arrays of floats, here or in the carry, are cast to the dtype of the
        carry's Tensors (or where it has none, of those here).
    lengths : array_like of int, shape (B,), optional
        The true length of each row, 1 to T. Carry and inputs then have the batch as their first axis (after
        time). A row that has ended holds its carry, gives zero outputs and gets no gradient; what stands in
        its padding has no influence, not even as NaN. (A step that mixes rows sees each row's last real
        input there.)
    reverse : bool
        Run from the last step to the first; each row then begins at its own last real step. Outputs stay at
        their inputs' places.
    segment : int or "auto", optional
        Keep the carry only every so many steps and compute what lies between once more in the backward
        pass: the same gradient in O(T / segment + segment) memory. ``"auto"`` is the square root of T.
    length : int, optional
        T, where ``xs`` is None.

    Returns
    -------
    carry : structure of Tensor
        The state after the last step.
    ys : structure of Tensor, each of shape (T, ...)
        The outputs.

    Raises
    ------
    ValueError
        Where the parts of ``xs`` differ in length, a length is not in 1 to T (the message names the row), or
        the step changes the form of the carry (the message names the part).

    Examples
    --------
    >>> import tinyrnn as tr
    >>> def add(total, x):
    ...     total = total + x
    ...     return total, total
    >>> tr.scan(add, tr.zeros(()), tr.tensor([1.0, 2.0, 3.0]))
    (tensor(6.), tensor([1., 3., 6.]))
    """
    probe = thread.modes.probe
    if probe is not None:
        return probe(step, carry, xs, lengths=lengths, reverse=reverse, segment=segment, length=length)
    if not callable(step) or type(reverse) is not bool:
        check("scan", "step", step, FUNCTION)
        reverse = bool(check("scan", "reverse", reverse, FLAG))
    if type(length) is not int:
        check("scan", "length", length, WHOLE.or_none())
    carry_leaves, carry_tree = flatten(carry)
    x_leaves, x_tree = flatten(xs)
    carry_leaves, x_leaves = as_tensors(carry_leaves, x_leaves)
    steps = _steps(x_leaves, x_tree, length)
    size = _segment(segment, steps)
    modes = thread.modes
    if steps == 1 and lengths is None and not (modes.recording or modes.looking or modes.tracing):
        return single_step(step, (carry_leaves, carry_tree), (x_leaves, x_tree))
    if lengths is not None:
        lengths = _lengths(
            lengths, steps, carry_leaves, carry_tree.paths("carry"), x_leaves, x_tree.paths("xs")
        )
    if lengths is not None:
        # Padding is replaced by the row's last real input, at which the step is as well behaved as anywhere.
        running = np.arange(steps)[:, None] < lengths
        x_leaves = [
            where(rows(running, x), x, x.data[lengths - 1, np.arange(len(lengths))]) for x in x_leaves
        ]
    # A scan in the step of another one is written out there.
    inner = any(not isinstance(leaf, Tensor) for leaf in (*carry_leaves, *x_leaves))
    refused = ""
    times = range(steps)[::-1] if reverse else range(steps)
    carry, xs = carry_tree.unflatten(carry_leaves), x_tree.unflatten(x_leaves)
    if not thread.modes.unrolled and not inner:
        state, inputs = Structure(carry_leaves, carry_tree), Structure(x_leaves, x_tree)
        try:
            result = compiled_scan(step, state, inputs, steps, lengths, reverse=reverse, segment=size)
            if thread.modes.finite:
                with no_grad():  # once more step by step, where what is not finite is met by name
                    unrolled_scan(step, carry, xs, times, lengths)
            return result
        except Untraceable as refusal:
            refused = str(refusal)
    result = unrolled_scan(step, carry, xs, times, lengths)
    if refused and not thread.modes.tracing:
        warn_of_step(step, refused)  # only now: an error of the step itself comes without it
    return result


def plan(step: Step, carry: Any, xs: Any, **options: Any) -> Plan:
    """Run a `scan` and return its `Plan`; the arguments are those of `scan`.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> w = tr.zeros((3, 3), requires_grad=True)
    >>> step = lambda h, x: (tr.tanh(x + h @ w),) * 2
    >>> tr.scan.plan(step, tr.zeros((1, 3)), tr.zeros((5, 1, 3))).scans[0].forward.calls_per_step
    3
    """
    return explain(scan, step, carry, xs, **options)


scan.plan = plan  # pyright: ignore[reportFunctionMemberAccess]
scan.cache_info = cache_info  # pyright: ignore[reportFunctionMemberAccess]
scan.cache_clear = cache_clear  # pyright: ignore[reportFunctionMemberAccess]


def _steps(leaves: list[Any], tree: Tree, length: int | None) -> int:
    """Return T, which all inputs must share."""
    if length is None and len(leaves) == 1 and (steps := leaves[0].shape[:1]) > (0,):
        return steps[0]
    paths = tree.paths("xs")
    for leaf, path in zip(leaves, paths, strict=True):
        if not leaf.shape:
            raise ValueError(f"scan: {path} has no axes; expected time as its first axis")
    counts = {path: leaf.shape[0] for leaf, path in zip(leaves, paths, strict=True)}
    if length is not None:
        counts["length"] = length
    if len(set(counts.values())) != 1:
        raise ValueError(
            f"scan: the number of steps must be one number; got {counts or 'neither xs nor length'}"
        )
    steps = next(iter(counts.values()))
    if steps < 1:
        raise ValueError(f"scan: {next(iter(counts))} has {steps} steps; expected at least 1")
    return steps


def _segment(segment: int | str | None, steps: int) -> int | None:
    """Return how many steps a segment has; None for no segments."""
    if segment is None:
        return None
    if isinstance(segment, str) and segment == "auto":
        return math.isqrt(steps - 1) + 1
    if not isinstance(segment, (int, np.integer)) or isinstance(segment, bool) or segment < 1:
        raise misused(segment, "a number of steps >= 1, 'auto' or None", ValueError)
    return int(segment) if segment < steps else None


def _lengths(
    lengths: npt.ArrayLike,
    steps: int,
    carry: list[Any],
    carry_paths: list[str],
    xs: list[Any],
    x_paths: list[str],
) -> np.ndarray[Any, Any] | None:
    """Check the lengths; None where no row ends early."""
    array = np.asarray(as_tensor(lengths).data)
    if array.dtype.kind not in "iu" or array.ndim != 1:
        raise ValueError(
            f"scan: lengths has dtype {array.dtype} and shape {array.shape}; expected integers, "
            "shape (batch,)"
        )
    for leaf, path in zip(carry, carry_paths, strict=True):
        if leaf.shape[:1] != array.shape:
            raise ValueError(
                f"scan: lengths has shape {array.shape}, but {path} has shape {leaf.shape}; expected "
                "(batch, ...)"
            )
    for leaf, path in zip(xs, x_paths, strict=True):
        if leaf.shape[1:2] != array.shape:
            raise ValueError(
                f"scan: lengths has shape {array.shape}, but {path} has shape {leaf.shape}; expected "
                "(T, batch, ...)"
            )
    for row, n in enumerate(array.tolist()):
        if not 1 <= n <= steps:
            raise ValueError(f"scan: lengths[{row}] is {n}; expected 1 to T = {steps}")
    return None if (array == steps).all() else array
