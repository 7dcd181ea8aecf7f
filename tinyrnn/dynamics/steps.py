"""The steps of a recurrence, each recorded from its own state: all at once where that can be.

Once a run has given the states, no step waits for another: the step is run a single time on a grid of all of
them (`mapped`). What it gives is compared with the run. A step whose course depends on values, that draws
random numbers or counts its calls does not pass, and is recorded step by step, which is right for any.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from tinyrnn.autograd.arguments import ARRAY, Kind, check
from tinyrnn.autograd.creation import as_tensor
from tinyrnn.autograd.mapped import Array, Mapped
from tinyrnn.autograd.state import enable_grad, no_grad, scope, tracing, unrolled
from tinyrnn.autograd.tape import Leaf, Node
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.recurrence.loop import Step, check_carry, take_step
from tinyrnn.recurrence.scan import scan
from tinyrnn.recurrence.tree import Tree, flatten

CELL = Kind(
    "an object with step(carry, x), a layer of one such cell, or that step",
    lambda value: not isinstance(value, type) and (hasattr(value, "step") or callable(value)),
)
ARRAYS = Kind(
    "an array, or a structure of arrays",
    lambda value: all(ARRAY.of_type(leaf) for leaf in flatten(value)[0]),
)


class Run(NamedTuple):
    """A step with what it is to run on; leaves as `flatten` gives them."""

    step: Step
    carry: list[Tensor]
    carry_tree: Tree
    xs: list[Tensor]
    x_tree: Tree

    @property
    def steps(self) -> int:
        """T, the number of steps."""
        return self.xs[0].shape[0]


class Recorded(NamedTuple):
    """Some steps, on the tape, each from its own state.

    Attributes
    ----------
    first, stop : int
        Which steps.
    before : list of Tensor or Mapped
        The states that they begin from; the floating ones are leaves of the tape.
    after : list of Tensor or Mapped
        The states that they lead to.
    outputs : list of Tensor or Mapped
        What they return beside.
    """

    first: int
    stop: int
    before: list[Any]
    after: list[Any]
    outputs: list[Any]

    @property
    def leaves(self) -> list[Node]:
        """The records of the floating parts of the old states."""
        return [leaf.node for leaf in self.before if leaf.node is not None]

    @property
    def floating(self) -> list[Any]:
        """The floating parts of the new states."""
        return [leaf for leaf in self.after if leaf.dtype.kind == "f"]


def run_of(where: str, cell: Any, xs: Any, carry: Any) -> Run:
    """Check what a function of this room was given.

    Parameters
    ----------
    where : str
        The function that errors name.
    cell : cell or callable
        Anything with ``step(carry, x) -> (carry, y)``, a layer of one such cell, or the step itself.
    xs : structure of Tensor or array_like, each of shape (T, ...)
    carry : structure of Tensor or array_like, or None
        The first state; None for the cell's ``initial_state``.

    Raises
    ------
    TypeError, ValueError
        Where the cell is no cell or has no first state, or where there are no steps.
    """
    cell = one_cell(where, cell)
    check(where, "xs", xs, ARRAYS)
    check(where, "carry", carry, ARRAYS.or_none())
    step = cell.step if hasattr(cell, "step") else cell
    x_leaves, x_tree = flatten(xs)
    x_leaves = [cast_input(cell, leaf) for leaf in x_leaves]
    counts = {leaf.shape[:1] for leaf in x_leaves}
    if len(counts) != 1 or counts & {(), (0,)}:
        shapes = [leaf.shape for leaf in x_leaves]
        raise ValueError(f"{where}: xs has the shapes {shapes}; expected (T, ...), T of at least 1")
    if carry is None:
        if not hasattr(cell, "initial_state"):
            raise TypeError(f"{where}: the step has no initial_state(batch); hand in the first carry")
        with no_grad():
            carry = cell.initial_state(*_batch(x_leaves[0]))
    check_form(where, cell, carry)
    leaves, tree = flatten(carry)
    leaves = [as_tensor(leaf).detach() for leaf in leaves]
    if not any(leaf.dtype.kind == "f" for leaf in leaves):
        raise TypeError(f"{where}: the carry has no part of a floating dtype, so it has no derivative")
    if not all(leaf.size for leaf in leaves):
        raise ValueError(
            f"{where}: the carry has the shapes {[leaf.shape for leaf in leaves]}; expected at least one row "
            "and one unit"
        )
    return Run(step, leaves, tree, [leaf.detach() for leaf in x_leaves], x_tree)


def one_cell(where: str, cell: Any) -> Any:
    """Return the cell of a layer, or the cell or step itself."""
    cells = [] if hasattr(cell, "step") or isinstance(cell, type) else getattr(cell, "cells", [])
    if len(cells) > 1:
        raise ValueError(
            f"{where}: {type(cell).__name__} is a stack of {len(cells)} cells; expected one, such as "
            "layer.l0, with the inputs that it reads"
        )
    return cells[0] if cells else check(where, "cell", cell, CELL)


def check_form(where: str, cell: Any, carry: Any) -> None:
    """Refuse a first carry of other parts or shapes than the cell's own, of as many rows or of none."""
    given, tree = flatten(carry)
    shapes = [np.shape(leaf) for leaf in given]
    if not hasattr(cell, "initial_state") or not shapes:
        return
    own: list[Any] = []
    for batch in (shapes[0][:1], ()):
        with no_grad(), contextlib.suppress(Exception):  # a cell of one's own may take no batch, or only one
            own.append(flatten(cell.initial_state(*batch)))
    if own and all(shapes != [leaf.shape for leaf in leaves] for leaves, _ in own):
        leaves, own_tree = own[0]
        raise ValueError(
            f"{where}: carry is {', '.join(tree.paths('carry'))}, of shapes {shapes}; expected "
            f"{', '.join(own_tree.paths('carry'))}, of shapes {[leaf.shape for leaf in leaves]} (a layer's "
            "state has its layers in front: hand in state[0])"
        )


def _batch(x: Tensor) -> tuple[int, ...]:
    """Return (B,), or () where the inputs are single rows: floats of shape (T, features), or numbers (T,)."""
    return x.shape[1:2] if x.ndim > 2 or x.dtype.kind != "f" else ()


def cast_input(cell: Any, leaf: Any) -> Tensor:
    """Return an input as a Tensor; plain arrays of floats get the dtype of the parameters, as in a layer."""
    if not isinstance(leaf, Tensor) and hasattr(cell, "parameters"):
        leaf = np.asarray(leaf)
        dtype = next((p.dtype for p in cell.parameters()), leaf.dtype)
        leaf = leaf.astype(dtype) if leaf.dtype.kind == "f" else leaf
    return as_tensor(leaf)


def trajectory(run: Run) -> list[Array]:
    """Return all states, (T + 1, ...) for each leaf of the carry: before each step, and after the last."""

    def step(carry: Any, x: Any) -> Any:
        return run.step(carry, x)[0], carry

    step.__qualname__ = getattr(run.step, "__qualname__", type(run.step).__name__)
    with no_grad():
        xs = run.x_tree.unflatten(run.xs)
        last, before = scan(step, run.carry_tree.unflatten(run.carry), xs)
    pairs = zip(flatten(before)[0], flatten(last)[0], strict=True)
    return [np.concatenate([b.data, x.data[None]]) for b, x in pairs]


def recorded_steps(run: Run, states: list[Array], seeds: int, *, given: bool = False) -> Iterator[Recorded]:
    """Record the steps, as many at once as a grid with so many seeds leaves room for.

    Parameters
    ----------
    run : Run
    states : list of ndarray
        What `trajectory` gave.
    seeds : int
        How many gradients are going to be sent back through each step.
    given : bool
        Whether each step begins from its state as given. Otherwise what the steps lead to is held against the
        states, and where they do not agree the steps are run anew, each from where the one before has led to.
    """
    chunk = max(1, _ROOM // max(1, seeds * sum(leaf.size for leaf in run.carry)))
    first = 0
    while first < run.steps:
        stop = min(first + chunk, run.steps)
        found = _all_at_once(run, states, first, stop)
        if found is None or not (given or _is_what_ran(found, states)):
            break
        yield found
        first = stop
    carry = [Tensor(s[first]) for s in states]
    for t in range(first, run.steps):
        found = record_step(run.step, carry, run.carry_tree, [x[t] for x in run.xs], run.x_tree, t)
        yield Recorded(t, t + 1, found[0], found[1], flatten(found[2])[0])
        carry = [Tensor(s[t + 1] if given else leaf.data) for s, leaf in zip(states, found[1])]


_ROOM = 1 << 20  # how many elements of the carry a grid may have


def _all_at_once(run: Run, states: list[Array], first: int, stop: int) -> Recorded | None:
    """Run the step on the grid of some of the states; None where it cannot run so."""
    before = [Mapped(s[first:stop, None]) for s in states]
    for leaf in before:
        leaf.node = _leaf(leaf)
    xs = [Mapped(x.data[first:stop, None]) for x in run.xs]
    with enable_grad(), unrolled():
        try:
            with tracing(), np.errstate(all="ignore"):
                new, y = take_step(run.step, run.carry_tree.unflatten(before), run.x_tree.unflatten(xs))
                (after, tree), (outputs, _) = flatten(new), flatten(y)
                after = list(map(as_tensor, after))
                _name_states(after, tree)
        except Exception:  # whatever it is, the recorded step meets it too, if it is the step's own
            return None
    if tree != run.carry_tree:
        return None
    return Recorded(first, stop, before, after, list(map(as_tensor, outputs)))


def _is_what_ran(found: Recorded, states: list[Array]) -> bool:
    for leaf, state in zip(found.after, states, strict=True):
        made = leaf.array[:, 0] if isinstance(leaf, Mapped) else leaf.data[None]
        if not _agree(made, state[found.first + 1 : found.stop + 1]):
            return False
    return True


def _name_states(leaves: list[Any], tree: Tree) -> None:
    """Name the parts of a new state after their fields, as the recorded loop does."""
    for leaf, name in zip(leaves, tree.names(), strict=True):
        leaf.name = leaf.name or name or "h"


def _leaf(value: Any) -> Node | None:
    return Leaf(value) if value.dtype.kind == "f" else None


def _agree(made: Array, ran: Array) -> bool:
    """Whether two ways to compute the same values differ by rounding only."""
    if made.dtype != ran.dtype or made.shape[1:] != ran.shape[1:]:
        return False
    if ran.dtype.kind != "f":
        return bool((made == ran).all())
    finite = np.isfinite(ran)
    size = float(np.abs(ran[finite]).max(initial=0.0))
    tolerance = float(np.sqrt(np.finfo(ran.dtype).eps))
    return np.allclose(made, ran, rtol=tolerance, atol=tolerance * size, equal_nan=True)


def record_step(
    step: Step, carry: list[Tensor], tree: Tree, x: list[Tensor], x_tree: Tree, t: int
) -> tuple[list[Tensor], list[Tensor], Any]:
    """Record one step from a state: the state as leaves of the tape, the new state, the output."""
    before = [Tensor(leaf.data) for leaf in carry]
    for leaf in before:
        leaf.node = _leaf(leaf)
    with enable_grad(), unrolled(), scope(step=t):
        new, y = take_step(step, tree.unflatten(before), x_tree.unflatten(x))
    leaves, new_tree = flatten(new, like=tree)
    leaves = [as_tensor(leaf) for leaf in leaves]
    _name_states(leaves, new_tree)
    check_carry((before, tree), (leaves, new_tree))
    return before, leaves, y
