"""The steps of a recurrence, each recorded from its own state: all at once where that can be.

Once a run has given the states, no step waits for another: the step is run a single time on a grid of all of
them (`mapped`). What it gives is compared with the run. A step whose course depends on values, that draws
random numbers or counts its calls does not pass, and is recorded step by step, which is right for any.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from tinyrnn.autograd.creation import as_tensor
from tinyrnn.autograd.mapped import Array, Mapped
from tinyrnn.autograd.state import enable_grad, no_grad, scope, tracing, unrolled
from tinyrnn.autograd.tape import Leaf, Node
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.dynamics.given import Run, in_the_step
from tinyrnn.recurrence.loop import Step, check_carry, take_step
from tinyrnn.recurrence.scan import scan
from tinyrnn.recurrence.tree import Tree, flatten, state_names


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


def trajectory(run: Run) -> list[Array]:
    """Return all states, (T + 1, ...) for each leaf of the carry: before each step, and after the last."""

    def step(carry: Any, x: Any) -> Any:
        return run.step(carry, x)[0], carry

    step.__qualname__ = getattr(run.step, "__qualname__", type(run.step).__name__)
    with no_grad(), in_the_step(run.where, run.carry, [x.data[0] for x in run.xs]):
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
    for leaf, name in zip(leaves, state_names(tree.names()), strict=True):
        leaf.name = leaf.name or name


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
