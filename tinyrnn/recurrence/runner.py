"""Running a compiled scan: once, then block by block what comes before the loop, the loop, and what comes after."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.primitive import broadcast_shape
from tinyrnn.recurrence.block import Array, Block, allocate, block_size, elementwise, into, is_view, look, spread
from tinyrnn.recurrence.differentiate import ScanProgram
from tinyrnn.recurrence.lower import lower
from tinyrnn.recurrence.partition import Stage, TimeSum, in_blocks, partition


class Runner:
    """A scan's program, ready to run on arrays.

    Blocks are kept from call to call, since fresh memory costs more than the arithmetic in it. A run takes one for itself,
    so that threads do not meet in it, and nothing that leaves a run refers to it.

    Attributes
    ----------
    parted : Partition
        The program as it runs: lowered, and parted into stages.
    """

    def __init__(self, scan: ScanProgram) -> None:
        self.scan = lower(scan)
        self.parted = partition(self.scan)
        self.lines = self.scan.program.lines
        self._once = self.parted.lines(Stage.ONCE)
        self._idle: dict[tuple[int, bool], list[Block]] = {}

    def feature_major(self, x: int) -> bool:
        """Whether the program wants the input ``x`` (a position) feature-major: not where only products over time read it."""
        line = self.scan.xs[x]
        return any(line in self.lines[i].args for i in self.parted.stage if self.parted.stage[i] is not Stage.ONCE)

    def block(self, steps: int, reverse: bool) -> Block:
        """Take a block that suits a number of steps; give it back with `release`."""
        size = min(block_size(self.parted, 1 << 30), 1 << (steps - 1).bit_length())
        idle = self._idle.setdefault((size, reverse), [])
        return idle.pop() if idle else Block(self.parted, size, reverse=reverse)

    def release(self, block: Block) -> None:
        """Put a block back for the next call."""
        self._idle[block.size, block.reverse].append(block)

    def run(
        self,
        consts: Sequence[Array],
        carry: Sequence[Array],
        xs: Sequence[Array],
        steps: int,
        *,
        reverse: bool,
        feature_major: Sequence[bool] = (),
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
        feature_major : sequence of bool
            For each of the ys, whether to store it with the axes of a step reversed in memory.

        Returns
        -------
        carry, ys, sums : list of ndarray
            Fresh arrays.
        """
        once = self._run_once(consts)
        ys = self._outputs(carry, steps, reverse, feature_major or [False] * len(self.scan.ys))
        block = self.block(steps, reverse)
        try:
            run = _Run(self, block, once, dict(zip(self.scan.xs, xs, strict=True)), ys)
            return run.all_blocks(carry, steps), ys, run.sums(steps)
        finally:
            self.release(block)

    def _run_once(self, consts: Sequence[Array]) -> dict[int, Any]:
        """Work out all that depends on parameters only."""
        values: dict[int, Any] = dict(zip(self.scan.consts, consts, strict=True))
        for i in self._once:
            line = self.lines[i]
            args = [self.lines[a].literal if a not in values else values[a] for a in line.args]
            if not any(isinstance(a, np.ndarray) for a in args):
                args = [np.asarray(a) for a in args]
            values[i] = line.primitive.forward(*args, **line.params)  # pyright: ignore[reportOptionalMemberAccess]
        return values

    def _outputs(self, carry: Sequence[Array], steps: int, reverse: bool, major: Sequence[bool]) -> list[Array]:
        """Allocate the stacked outputs.

        Where an output is the new carry and another one the old carry, they are the same values one step apart, and share
        an array of T + 1 places.
        """
        scan, lines = self.scan, self.lines
        ys: list[Array | None] = [None] * len(scan.ys)
        for old, i in enumerate(scan.ys):
            if i in scan.carry and not major[old]:
                j = scan.carry.index(i)
                new = next((n for n, y in enumerate(scan.ys) if y == scan.carry_out[j] and not major[n] and ys[n] is None), None)
                if new is not None and ys[old] is None:
                    both = np.empty((steps + 1, *lines[i].shape), lines[i].dtype)
                    both[-1 if reverse else 0] = carry[j]
                    ys[old], ys[new] = (both[1:], both[:-1]) if reverse else (both[:-1], both[1:])
        return [
            allocate(steps, lines[i].shape, lines[i].dtype, m) if y is None else y
            for i, y, m in zip(scan.ys, ys, major, strict=True)
        ]


class _Run:
    """One run of a scan: its arrays, and where in time it is."""

    def __init__(self, runner: Runner, block: Block, once: dict[int, Any], xs: dict[int, Array], ys: list[Array]) -> None:
        self.block = block
        self.once = once
        self.xs = xs
        self.ys = ys
        self.lines = runner.lines
        self.scan = runner.scan
        self.parted = runner.parted
        self.totals: dict[int, Array] = {}
        # An output that is worked out after the loop is written straight into its array.
        self.direct = {
            i: y for i, y in zip(self.scan.ys, ys, strict=True)
            if self.parted.stage[i] is Stage.AFTER and self.lines[i].primitive and not is_view(self.lines[i], self.lines)
        }  # fmt: skip
        self.low = self.high = 0

    def all_blocks(self, carry: Sequence[Array], steps: int) -> list[Array]:
        """Run the blocks in order; return the last carry."""
        block, size = self.block, self.block.size
        block.fill_fixed(self.once)
        before, after = self.parted.lines(Stage.BEFORE), self.parted.lines(Stage.AFTER)
        inputs = [i for i in self.scan.xs if i in block.places]
        leaves = [leaf for s in self.parted.sums for leaf in s.leaves()]
        starts = range(0, steps, size)
        current = list(carry)
        for low in reversed(starts) if block.reverse else starts:
            self.low, self.high = low, min(low + size, steps)
            count = self.high - low
            for place, value in zip(block.carry(count, end=False), current, strict=True):
                np.copyto(place, value)
            for i in inputs:
                np.copyto(block.over(i, 0, count), self.xs[i][low : self.high])
            for i in before:
                self._over_block(i, count)
            calls = block.calls
            if count < size:
                n = count * block.calls_per_step
                calls = calls[len(calls) - n :] if block.reverse else calls[:n]
            for function, args in calls:
                function(*args)
            for i in after:
                self._over_block(i, count)
            for i, y in zip(self.scan.ys, self.ys, strict=True):
                self._store(i, y, count)
            for leaf in leaves:
                self._add_up(leaf, count)
            current = block.carry(count, end=True)
        return [value.copy() for value in current]

    # --- over a block of steps -------------------------------------------------------------------------------------
    def value(self, i: int, count: int) -> Any:
        """Return a value over the block: time first, or without time where it is the same at every step."""
        line = self.lines[i]
        if line.literal is not None:
            return line.literal
        if self.parted.stage[i] is Stage.ONCE:
            return self.once[i]
        if i in self.direct:
            return self.direct[i][self.low : self.high]
        if i in self.xs and i not in self.block.places:
            return self.xs[i][self.low : self.high]
        if line.primitive is not None and is_view(line, self.lines) and i not in self.block.places:
            return look(line, in_blocks(line, self.lines), self.value(line.args[0], count), count)
        return self.block.over(i, 0, count)

    def _over_block(self, i: int, count: int) -> None:
        line = self.lines[i]
        if is_view(line, self.lines):
            return
        args = [self.value(a, count) for a in line.args]
        timed = [self.parted.stage[a] is not Stage.ONCE for a in line.args]
        out = self.value(i, count)
        if line.primitive is p.matmul:
            _product_over_block(args[0], args[1], timed, out)
            return
        if line.primitive.shape is broadcast_shape or line.primitive is p.broadcast_to:  # pyright: ignore
            args = [spread(a, len(line.shape)) if t else a for a, t in zip(args, timed, strict=True)]
        if elementwise(line):
            line.primitive.forward(*args, out)  # pyright: ignore[reportOptionalMemberAccess]
        elif line.primitive is p.concatenate:
            offsets, axis = line.params["offsets"], line.params["axis"] + 1
            for part, low, high in zip(args, offsets, offsets[1:], strict=False):
                out[(slice(None),) * axis + (slice(low, high),)] = part
        elif line.primitive is p.broadcast_to:
            out[...] = args[0]
        else:
            if line.primitive is p.stack:
                args = [a if t else np.broadcast_to(a, (count, *np.shape(a))) for a, t in zip(args, timed, strict=True)]
            params = in_blocks(line, self.lines)
            if line.primitive in (p.reshape, p.scatter):
                params["shape"] = (count, *params["shape"])
            into(line, params)(out, *args)

    def _store(self, i: int, y: Array, count: int) -> None:
        """Copy an output of the block to its place, unless it was written there."""
        if self.direct.get(i) is y:
            return
        if i in self.scan.carry and any(np.may_share_memory(y, other) for other in self.ys if other is not y):
            return  # the new carry, one step on, is stored in the same array
        np.copyto(y[self.low : self.high], self.value(i, count))

    # --- sums over time --------------------------------------------------------------------------------------------
    def _add_up(self, leaf: TimeSum, count: int) -> None:
        """Add what a block contributes to a sum."""
        if leaf.kind == "times":
            return
        if leaf.kind == "product":
            part = self._product_over_time(leaf, count)
        elif leaf.kind == "rows":
            columns = self._columns(leaf.line, count)
            part = np.dot(columns, np.ones(columns.shape[1], columns.dtype))
        else:
            part = self.value(leaf.line, count).sum(0)
        if id(leaf) in self.totals:
            self.totals[id(leaf)] += part
        else:
            self.totals[id(leaf)] = part

    def _product_over_time(self, leaf: TimeSum, count: int) -> Array:
        """Return the sum over the block's steps of ``aᵀ @ g``, as one product over all steps and rows."""
        a = self.value(leaf.line, count)
        rows = np.ascontiguousarray(a).reshape(-1, a.shape[-1])
        return np.dot(self._columns(leaf.other, count), rows).T

    def _columns(self, i: int, count: int) -> Array:
        """Return a (steps, B, N) value as (N, steps * B), contiguous."""
        value = self.value(i, count)
        return np.ascontiguousarray(value.transpose(2, 0, 1)).reshape(value.shape[2], -1)

    def sums(self, steps: int) -> list[Array]:
        """Work out the sums over time from their parts."""
        return [np.asarray(self._total(s, steps), self.lines[i].dtype) for i, s in zip(self.scan.sums, self.parted.sums, strict=True)]

    def _total(self, part: TimeSum | int, steps: int) -> Any:
        if isinstance(part, int):
            return self.lines[part].literal if self.lines[part].literal is not None else self.once[part]
        if part.kind == "apply":
            return part.primitive.forward(*(self._total(below, steps) for below in part.below), **part.params)
        if part.kind == "times":
            return self._total(part.line, steps) * steps
        return self.totals[id(part)]


def _product_over_block(a: Array, b: Array, timed: list[bool], out: Array) -> None:
    """Multiply matrices at every step of a block."""
    if timed == [True, False] and b.ndim == 2 and a.ndim == 3:
        if out.flags.c_contiguous:
            rows = np.ascontiguousarray(a).reshape(-1, a.shape[-1])
            np.dot(rows, b, out.reshape(len(rows), b.shape[1]))
        else:
            np.matmul(b.T, a.transpose(0, 2, 1), out.transpose(0, 2, 1))
    else:
        np.matmul(a, b, out)


@functools.cache
def _ones(count: int, dtype: Any) -> Array:
    return np.ones(count, dtype)
