"""The plain loop: what `scan` means, how it is recorded, and what every fast path is tested against."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinyrnn.autograd.creation import as_tensor
from tinyrnn.autograd.functions import stack, where
from tinyrnn.autograd.primitive import Value
from tinyrnn.autograd.state import scope
from tinyrnn.autograd.tensor import Tensor, followed
from tinyrnn.recurrence.tree import Tree, flatten, state_names

Step = Callable[[Any, Any], tuple[Any, Any]]


def unrolled_scan(
    step: Step, carry: Any, xs: Any, times: range, lengths: np.ndarray[Any, Any] | None = None
) -> tuple[Any, Any]:
    """Run ``step`` once for each time, and stack what it gives.

    Parameters
    ----------
    step, carry, xs
        As in `scan`; all leaves Tensors, those of ``xs`` clean of padding.
    times : range
        The steps in the order in which they run.
    lengths : ndarray of int, shape (B,), optional
        The true length of each row.
    """
    leaves, tree = flatten(xs)
    state, carry_tree = flatten(carry)
    carry = carry_tree.unflatten(map(followed, state))
    outputs: dict[int, list[Tensor]] = {}
    shortest = len(times) if lengths is None else int(lengths.min())
    form: Tree | None = None
    for t in times:
        x = tree.unflatten(leaf[t] for leaf in leaves)
        with scope(step=t):
            new, y = take_step(step, carry, x)
            new, new_tree = flatten(new, like=carry_tree)
            new = [as_tensor(leaf) for leaf in new]
            check_carry((state, carry_tree), (new, new_tree))
            y, y_tree = flatten(y, like=form)
            y = [as_tensor(leaf) for leaf in y]
            _check_outputs(form, y_tree, t)
            form = y_tree
            if lengths is not None and t >= shortest:
                running = t < lengths
                new = hold(running, new, state)
                y = silence(running, y, form.paths("y"))
            name_values(carry_tree, new, y)
        state, carry = new, carry_tree.unflatten(new)
        outputs[t] = y
    assert form is not None
    return carry, form.unflatten(
        stack(parts) for parts in zip(*(outputs[t] for t in range(len(times))), strict=True)
    )


def single_step(step: Step, carry: tuple[list[Any], Tree], xs: tuple[list[Any], Tree]) -> tuple[Any, Any]:
    """Run the loop where it has one step and nothing is recorded: a model that follows a stream.

    Carry and inputs come as `flatten` gives them.
    """
    x = xs[1].unflatten([Tensor(leaf.data[0]) for leaf in xs[0]])
    new, y = take_step(step, carry[1].unflatten(carry[0]), x)
    leaves, tree = flatten(new, like=carry[1])
    leaves = list(map(as_tensor, leaves))
    check_carry(carry, (leaves, tree))
    new = tree.unflatten(leaves)
    leaves, tree = flatten(y)
    # Outputs are copied, as `stack` does: they share no memory with the carry.
    return new, tree.unflatten([Tensor(as_tensor(leaf).data[None].copy()) for leaf in leaves])


def as_tensors(carry: list[Any], xs: list[Any]) -> tuple[list[Any], list[Any]]:
    """Return all leaves as Tensors: plain floats in the dtype of the Tensors, as layers take them.

    The carry's Tensors say which, and those of the inputs where it has none; where there is none at all, or
    they differ, each keeps its own.
    """
    made = [as_tensor(leaf) for leaf in carry], [as_tensor(leaf) for leaf in xs]
    if all(isinstance(leaf, Value) for leaf in (*carry, *xs)):
        return made
    for part in (carry, xs):
        dtypes = {leaf.dtype for leaf in part if isinstance(leaf, Value) and leaf.dtype.kind == "f"}
        if dtypes:
            break
    else:
        return made
    if len(dtypes) > 1:
        return made
    (dtype,) = dtypes
    carry, xs = (
        [
            new if isinstance(old, Value) or new.dtype.kind != "f" else new.astype(dtype)
            for old, new in zip(given, leaves, strict=True)
        ]
        for given, leaves in zip((carry, xs), made, strict=True)
    )
    return carry, xs


def take_step(step: Step, carry: Any, x: Any) -> tuple[Any, Any]:
    """Call the step, and check that it gives a pair."""
    result: Any = step(carry, x)
    if not isinstance(result, tuple) or len(result) != 2:
        got = f"tuple of {len(result)}" if isinstance(result, tuple) else type(result).__name__
        raise TypeError(f"scan: step returned a {got}; expected the pair (carry, y)")
    return result


def rows(mask: Any, leaf: Any) -> Any:
    """Give a mask over rows as many axes as the leaf that it is for."""
    return mask.reshape(mask.shape + (1,) * (len(leaf.shape) - mask.ndim))


def hold(running: Any, new: list[Any], old: list[Any]) -> list[Any]:
    """Take the leaves of the new carry in rows that run, and those of the old one in rows that have ended."""
    return [where(rows(running, n), n, o) for n, o in zip(new, old, strict=True)]


def silence(running: Any, y: list[Any], paths: list[str]) -> list[Any]:
    """Give zero as output in rows that have ended."""
    for leaf, path in zip(y, paths, strict=True):
        if leaf.shape[:1] != running.shape:
            raise ValueError(
                f"scan: with lengths, step returned {path} with shape {leaf.shape}; expected the batch as "
                f"its first axis, ({running.shape[0]}, ...)"
            )
    return [where(rows(running, leaf), leaf, leaf.dtype.type(0).item()) for leaf in y]


def check_carry(old: tuple[list[Any], Tree], new: tuple[list[Any], Tree]) -> None:
    """Raise where the carry that a step gave cannot be handed to the next step; both as `flatten` gives them.

    Raises
    ------
    ValueError
        Names the part that differs, what was expected and what came.
    """
    (old_leaves, old_tree), (new_leaves, new_tree) = old, new
    if old_tree is not new_tree and old_tree != new_tree:
        raise ValueError(
            f"scan: step must return a carry of the form that it was given (by a cell's initial_state), "
            f"{old_tree.paths('carry')}; it returned {new_tree.paths('carry')}"
        )
    for i, (before, after) in enumerate(zip(old_leaves, new_leaves, strict=True)):
        if after.dtype != before.dtype or after.shape != before.shape:
            path = old_tree.paths("carry")[i]
            raise ValueError(
                f"scan: step returned {path} with shape {after.shape} and dtype {after.dtype}; expected "
                f"those of the carry it was given, {before.shape} and {before.dtype}"
            )


def _check_outputs(before: Tree | None, now: Tree, t: int) -> None:
    if before is not None and before != now:
        raise ValueError(
            f"scan: step returned y with the parts {now.paths('y')} at step {t}; expected those of the steps "
            f"before it, {before.paths('y')}"
        )


def name_values(tree: Tree, carry: list[Tensor], y: list[Tensor]) -> None:
    """Name the carry's parts after its fields, and the output ``y``, for drawings."""
    for leaf, name in zip(carry, state_names(tree.names()), strict=True):
        leaf.name = leaf.name or name
    for leaf in y:
        leaf.name = leaf.name or "y"
