"""A step, written down: run on symbols, its result checked, and checked to do the same each time."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tinyrnn.autograd.creation import as_tensor
from tinyrnn.autograd.primitive import Shape
from tinyrnn.autograd.state import TraceError, thread, tracing
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.recurrence.compiler.program import CARRY, INPUT, Program, Symbol
from tinyrnn.recurrence.compiler.rewrites import REWRITES
from tinyrnn.recurrence.compiler.scan_program import ScanProgram
from tinyrnn.recurrence.compiler.trace import Trace
from tinyrnn.recurrence.loop import Step, check_carry, hold, silence, take_step
from tinyrnn.recurrence.repeatable import Surroundings
from tinyrnn.recurrence.snapshot import Snapshot
from tinyrnn.recurrence.tree import Tree, flatten


class Untraceable(Exception):
    """Why a step cannot be compiled."""


class Structure(NamedTuple):
    """A nested structure of Tensors, taken apart."""

    leaves: list[Tensor]
    tree: Tree


class Traced(NamedTuple):
    """What a step does with symbols.

    Attributes
    ----------
    trace : Trace
    carry, new : Tree
        The form of the carry that the step was given, and of the one that it returned.
    xs : Tree
        The form of the inputs.
    masked : bool
        Whether the mask over rows is one more of them.
    carry_out, ys : list of int
        Lines of the trace.
    y_tree : Tree
    """

    trace: Trace
    carry: Structure
    new: Tree
    xs: Tree
    masked: bool
    carry_out: list[int]
    ys: list[int]
    y_tree: Tree

    @property
    def key(self) -> Any:
        """What the compiled form depends on, and whether it may be compiled: it can be compared."""
        forms = (self.carry.tree, self.new, self.trace.inputs)
        return self.trace.key(), *forms, tuple(self.carry_out), tuple(self.ys)

    def check(self) -> None:
        """Refuse a carry that cannot be handed to the next step.

        It asks for shapes and dtypes, which takes time; all that it depends on is in the key.
        """
        leaves = [Symbol(self.trace, i) for i in self.carry_out]
        check_carry((self.carry.leaves, self.carry.tree), (leaves, self.new))

    def program(self) -> ScanProgram:
        """Write the program of the scan."""
        program = Program(REWRITES)
        carry = self.carry.tree.paths("carry")
        xs = self.xs.paths("x") + ["running"] * self.masked
        at = self.trace.write(program, [CARRY] * len(carry) + [INPUT] * len(xs), carry + xs)

        def place(indices: Any) -> list[int]:
            return [at[i] for i in indices]

        return ScanProgram(
            program,
            consts=place(self.trace.closed),
            carry=place(range(len(carry))),
            xs=place(range(len(carry), len(carry) + len(xs))),
            carry_out=place(self.carry_out),
            ys=place(self.ys),
            sums=[],
        )


def trace_step(step: Step, carry: Structure, xs: Structure, masked: Shape | None) -> Traced:
    """Write a step down, and make sure that it does the same each time that it is called.

    Parameters
    ----------
    step, carry, xs
        As in `scan`; all leaves Tensors.
    masked : tuple of int, optional
        The shape of the mask over rows, where there is one.

    Raises
    ------
    Untraceable
        Where the step cannot be written down, draws random numbers, or does something else the second time.
    """
    around = Surroundings(step)
    if around.refusal:
        raise Untraceable(around.refusal)
    before = Snapshot(around.generators, () if around.settled else around.holders)
    found = ""
    try:
        traced = again = _run_on_symbols(step, carry, xs, masked)
        if not around.settled and not before.changed():
            again = _run_on_symbols(step, carry, xs, masked)
    finally:  # the loop that runs instead begins with what the step found
        found = before.put_back()
    if found:
        raise Untraceable(found)
    if again is not traced and not _same(traced, again):
        raise Untraceable("it does something else each time it is called (random numbers, a counter)")
    return traced


def _run_on_symbols(step: Step, carry: Structure, xs: Structure, masked: Shape | None) -> Traced:
    inputs = [(leaf.data.shape, leaf.data.dtype) for leaf in carry.leaves]
    inputs += [(leaf.data.shape[1:], leaf.data.dtype) for leaf in xs.leaves]
    if masked is not None:
        inputs.append((masked, np.dtype(bool)))
    trace = Trace(inputs)
    symbols = [Symbol(trace, i) for i in range(len(inputs))]
    count = len(carry.leaves)
    old = carry.tree.unflatten(symbols[:count])
    x = xs.tree.unflatten(symbols[count:])
    with tracing():
        try:
            new, y = take_step(step, old, x)
        except Exception as error:
            # Whatever it is: where the recorded loop meets it too, that is where it will be raised.
            raise Untraceable(
                str(error) if isinstance(error, TraceError) else f"{type(error).__name__}: {error}"
            ) from None
        if thread.modes.refusals:
            raise Untraceable(thread.modes.refusals[0])
        leaves, tree = flatten(new, like=carry.tree)
        leaves = [_symbol(trace, leaf) for leaf in leaves]
        y_leaves, y_tree = flatten(y)
        y_leaves = [_symbol(trace, leaf) for leaf in y_leaves]
        if masked is not None:
            check_carry((carry.leaves, carry.tree), (leaves, tree))
            leaves = hold(symbols[-1], leaves, symbols[:count])
            y_leaves = silence(symbols[-1], y_leaves, y_tree.paths("y"))
    carry_out, ys = ([leaf.index for leaf in part] for part in (leaves, y_leaves))
    return Traced(trace, carry, tree, xs.tree, masked is not None, carry_out, ys, y_tree)


def _same(first: Traced, second: Traced) -> bool:
    pairs = zip(first.trace.closed.values(), second.trace.closed.values())
    return first.key == second.key and all(a is b or _equal(a, b) for a, b in pairs)


def _equal(a: Any, b: Any) -> bool:
    a, b = (x.data if isinstance(x, Tensor) else x for x in (a, b))
    return np.array_equal(a, b, equal_nan=True)


def _symbol(trace: Trace, value: Any) -> Symbol:
    if isinstance(value, Symbol):
        if value.owner is not trace:
            raise Untraceable("it returns a Tensor that was kept from another step")
        return value
    return Symbol(trace, trace.close_over(as_tensor(value)))
