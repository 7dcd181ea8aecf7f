"""Running a compiled scan: what runs once, then block by block what is before, in and after the loop."""

from __future__ import annotations

import functools
from collections.abc import Container, Sequence
from typing import Any

import numpy as np

from tinyrnn.recurrence.compiler.lower import lower
from tinyrnn.recurrence.compiler.partition import Partition, Stage, partition
from tinyrnn.recurrence.compiler.scan_program import ScanProgram
from tinyrnn.recurrence.running import recycled
from tinyrnn.recurrence.running.block import Block, block_size
from tinyrnn.recurrence.running.buffers import allocate
from tinyrnn.recurrence.running.calls import Call, one_step
from tinyrnn.recurrence.running.copying import copy
from tinyrnn.recurrence.running.idle import idle
from tinyrnn.recurrence.running.sums import Sums
from tinyrnn.recurrence.running.views import Array, Slice


class Runner:
    """A scan's program, ready to run on arrays.

    Blocks are kept from call to call. A run takes
    one for itself, so that threads do not meet in it, and nothing that leaves a run refers to it.

    Attributes
    ----------
    parted : Partition
        The program as it runs: lowered, and parted into stages.
    """

    _most_steps = 128  # in a block: each has calls of its own
    _room = 3 << 19  # bytes: what a call leaves stays in the cache for the next one

    def __init__(self, scan: ScanProgram) -> None:
        self.parted = self._prepared(scan)
        self.scan = self.parted.scan
        self.lines = self.scan.program.lines
        self._numbers = {i: line.literal for i, line in enumerate(self.lines) if line.literal is not None}
        once = self.parted.lines(Stage.ONCE)
        for i in once:  # arrays of numbers that the program itself names are worked out here
            if all(a in self._numbers for a in self.lines[i].args):
                self._numbers[i] = self._compute(i, self._numbers)
        self._once = [i for i in once if i not in self._numbers]
        self.written_once = {i for i in self.scan.ys if self.scan.ys.count(i) == 1}
        self._twins_of: dict[tuple[bool, ...], dict[int, int]] = {}

    def _prepared(self, scan: ScanProgram) -> Partition:
        """Return the program as it runs."""
        return partition(lower(scan))

    def _new_block(self, size: int, reverse: bool) -> Block:
        return Block(self.parted, size, reverse=reverse)

    @functools.cached_property
    def _size(self) -> int:
        return block_size(self.parted, self._most_steps, self._room)

    def feature_major(self, x: int) -> bool:
        """Whether the program wants the input ``x`` (a position) feature-major.

        Not where only products over time read it.
        """
        line = self.scan.xs[x]
        return any(
            line in self.lines[i].args for i in self.parted.stage if self.parted.stage[i] is not Stage.ONCE
        )

    def block(self, steps: int, reverse: bool) -> Block:
        """Take a block that suits a number of steps; give it back with `release`."""
        size = min(self._size, 1 << (steps - 1).bit_length())
        return idle.take((self, size, reverse)) or self._new_block(size, reverse)

    def release(self, block: Block) -> None:
        """Put a block back for the next call."""
        idle.give_back((self, block.size, block.reverse), block)

    def run(
        self,
        consts: Sequence[Array],
        carry: Sequence[Array],
        xs: Sequence[Array],
        steps: int,
        *,
        reverse: bool,
        saved: Sequence[bool] = (),
    ) -> tuple[list[Array], list[Array], list[Array]]:
        """Run all steps.

        Parameters
        ----------
        consts, carry, xs : sequence of ndarray
            As the scan's program lists them; ``xs`` have time as their first axis.
        steps : int
            T.
        reverse : bool
            Run from the last step to the first.
        saved : sequence of bool
            For each of the last ys, which are saved values and not outputs of the user's: whether to store
            it with the axes of a step reversed in memory.

        Returns
        -------
        carry, ys, sums : list of ndarray
            Fresh arrays.
        """
        once = self.run_once(consts)
        ys, twins = self._outputs(carry, steps, reverse, saved)
        block = self.block(steps, reverse)
        try:
            run = Run(self, block, once, dict(zip(self.scan.xs, xs, strict=True)), ys, twins)
            return run.all_blocks(carry, steps), ys, run.sums.results(steps)
        finally:
            self.release(block)

    def run_once(self, consts: Sequence[Array]) -> dict[int, Any]:
        """Work out all that depends on parameters only."""
        values = {**self._numbers, **dict(zip(self.scan.consts, consts, strict=True))}
        for i in self._once:
            values[i] = self._compute(i, values)
        return values

    def _compute(self, i: int, values: dict[int, Any]) -> Any:
        line = self.lines[i]
        args = [values[a] for a in line.args]
        if not any(isinstance(a, np.ndarray) for a in args):
            args = [np.asarray(a) for a in args]
        return line.primitive.forward(*args, **line.params)  # pyright: ignore[reportOptionalMemberAccess]

    def _outputs(
        self, carry: Sequence[Array], steps: int, reverse: bool, saved: Sequence[bool]
    ) -> tuple[list[Array], dict[int, int]]:
        """Allocate the stacked outputs; also return the twins among them, which need not be written."""
        scan, lines = self.scan, self.lines
        key = tuple(saved)
        if key not in self._twins_of:
            self._twins_of[key] = self._twins(key)
        twins = self._twins_of[key]
        major = [False] * (len(scan.ys) - len(saved)) + [*saved]
        doubled = twins.values()
        ys: list[Any] = [
            None
            if n in twins
            else allocate(steps + (n in doubled), lines[i].shape, lines[i].dtype, major[n], recycled.empty)
            for n, i in enumerate(scan.ys)
        ]
        for old, new in twins.items():
            both = ys[new]
            both[-1 if reverse else 0] = carry[scan.carry.index(scan.ys[old])]
            ys[old], ys[new] = (both[1:], both[:-1]) if reverse else (both[:-1], both[1:])
        return ys, twins

    def _twins(self, saved: tuple[bool, ...]) -> dict[int, int]:
        """Return which outputs share an array of T + 1 places: from an old carry to the new one.

        Where an output is the new carry and the old carry is saved, they are the same values one step apart:
        what is written as the new carry is the old one of the next step. Outputs of the user's share nothing.
        """
        scan = self.scan
        first_saved = len(scan.ys) - len(saved)
        major = [False] * first_saved + [*saved]
        twins: dict[int, int] = {}
        for old in range(first_saved, len(scan.ys)):
            # What is shared already, as the new carry of another, is written as that.
            if scan.ys[old] in scan.carry and not major[old] and old not in twins.values():
                after = scan.carry_out[scan.carry.index(scan.ys[old])]
                taken = {old, *twins, *twins.values()}
                same = (n for n, i in enumerate(scan.ys) if i == after and not major[n] and n not in taken)
                new = next(same, None)
                if new is not None:
                    twins[old] = new
        return twins


class Run:
    """One run of a scan: its arrays, and where in time it is."""

    def __init__(
        self,
        runner: Runner,
        block: Block,
        once: dict[int, Any],
        xs: dict[int, Array],
        ys: list[Array],
        twins: Container[int] = (),
    ) -> None:
        self.block = block
        self.once = once
        self.xs = xs
        self.sums = Sums(runner.parted, block.columns, block.buffers.parts, once)
        outputs = [(i, y) for n, (i, y) in enumerate(zip(runner.scan.ys, ys, strict=True)) if n not in twins]
        direct = {i: y for i, y in outputs if block.buffers.written_out(i)}
        self.long = {**xs, **direct}  # arrays over all steps, by line
        self.direct = block.direct({**xs, **{i: y for i, y in outputs if i in runner.written_once}})
        self.copied = [(i, y) for i, y in outputs if direct.get(i) is not y and i not in self.direct]
        self.low = self.high = 0

    def all_blocks(self, carry: Sequence[Array], steps: int) -> list[Array]:
        """Run the blocks in order; return the last carry."""
        block, buffers, size = self.block, self.block.buffers, self.block.size
        block.fill_fixed(self.once, {min(size, steps), steps % size} - {0})
        inputs = {i: x for i, x in self.xs.items() if i not in self.direct}
        starts = range(0, steps, size)
        current = list(carry)
        for low in reversed(starts) if block.reverse else starts:
            self.low, self.high = low, min(low + size, steps)
            count = self.high - low
            for place, value in zip(buffers.carry(count, end=False), current, strict=True):
                np.copyto(place, value)
            for i, x in inputs.items():
                place = buffers.given(i, count)
                if place is not None:
                    copy(place, x[low : self.high])
            self._over_block(Stage.BEFORE, count)
            here = {i: a[self.low : self.high] for i, a in self.direct.items()}
            for function, args in block.loop(count, here):
                function(*args)
            self._over_block(Stage.AFTER, count)
            for i, y in self.copied:
                copy(y[low : self.high], self._value(i))
            self.sums.add(count, self._value)
            current = buffers.carry(count, end=True)
        return [value.copy() for value in current]

    def calls_of_one_step(self) -> list[Call]:
        """Return all that a run of a single step is, but for its carry, bound to arrays that stay."""
        block, buffers = self.block, self.block.buffers
        block.fill_fixed(self.once, {1})
        self.low, self.high = 0, 1
        inputs: list[Call] = [
            (np.copyto, (buffers.over(i, 0, 1), x)) for i, x in self.xs.items() if i in buffers.places
        ]
        before, after = (
            [
                one_step(function, [self._cut(a) if type(a) is Slice else a for a in args])
                for function, args, _ in block.stages.calls(stage, 1)
            ]
            for stage in (Stage.BEFORE, Stage.AFTER)
        )
        outputs: list[Call] = [(np.copyto, (y, self._value(i))) for i, y in self.copied]
        return [*inputs, *before, *block.loop(1), *after, *outputs]

    def _over_block(self, stage: Stage, count: int) -> None:
        for function, args, late in self.block.stages.calls(stage, count):
            if late:
                args = [self._cut(a) if type(a) is Slice else a for a in args]
            function(*args)

    def _cut(self, part: Slice) -> Array:
        return part.view(self.long[part.line][self.low : self.high])

    def _value(self, i: int) -> Any:
        """Return a value at the steps of the block at hand."""
        value = self.block.stages.value(i, self.high - self.low)
        return self._cut(value) if isinstance(value, Slice) else value
