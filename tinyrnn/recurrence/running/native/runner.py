"""Running a scan whose loop is code: the same blocks and stages, with one call in the place of many."""

from __future__ import annotations

from typing import Any

from tinyrnn.recurrence.compiler.lower import simplified
from tinyrnn.recurrence.compiler.partition import Partition, Stage, partition
from tinyrnn.recurrence.compiler.scan_program import ScanProgram
from tinyrnn.recurrence.running.block import Block
from tinyrnn.recurrence.running.buffers import Buffers
from tinyrnn.recurrence.running.calls import Call
from tinyrnn.recurrence.running.native.columns import COLUMNS, WrittenColumns
from tinyrnn.recurrence.running.native.forms import Loop
from tinyrnn.recurrence.running.native.places import OUT, ROWS, TURNED, whole
from tinyrnn.recurrence.running.native.schedule import fused
from tinyrnn.recurrence.running.native.source import Source, refusal, write
from tinyrnn.recurrence.running.runner import Runner
from tinyrnn.recurrence.running.views import Array, is_view


class NativeRunner(Runner):
    """A scan's program, of which the loop is code.

    Attributes
    ----------
    refusal : str
        Why the loop cannot be written as code; empty where it can.
    loops : dict of bool to Loop
        The function of the loop, by whether it runs in reverse; whoever makes the runner puts it there.
    """

    _most_steps = 1 << 14  # they cost nothing but their memory
    _room = 3 << 21  # there are no calls between which it would have to stay in a small cache

    def __init__(self, scan: ScanProgram) -> None:
        super().__init__(scan)
        self.refusal = refusal(self.parted)
        self.loops: dict[bool, Loop] = {}
        self._sources: dict[bool, Source] = {}

    def _prepared(self, scan: ScanProgram) -> Partition:
        return fused(partition(simplified(scan)))

    def source(self, reverse: bool) -> Source:
        """Return the source of the loop."""
        if reverse not in self._sources:
            self._sources[reverse] = write(self.parted, reverse=reverse)
        return self._sources[reverse]

    def _new_block(self, size: int, reverse: bool) -> Block:
        return NativeBlock(self.parted, size, self.source(reverse), self.loops[reverse], reverse=reverse)


class NativeBlock(Block):
    """A block of steps, of which the loop is one call."""

    def __init__(self, parted: Partition, size: int, source: Source, loop: Loop, *, reverse: bool) -> None:
        self._source = source
        self._loop = loop
        super().__init__(parted, size, reverse=reverse)

    def _buffers(self, parted: Partition) -> Buffers:
        source = self._source
        return Buffers(parted, self.size, reverse=self.reverse, inner=source.inner, columns=source.columns)

    def _columns(self) -> WrittenColumns:
        return WrittenColumns(self.buffers)

    def _bind(self) -> None:
        self.calls_per_step = 0
        self.calls = []
        self._arguments = [
            self._loop.argument(whole(self._array(*key)).reshape(-1)) for key in self._source.keys
        ]
        shared = self._shared()
        self._replaceable = {
            i: n
            for n, (i, form) in enumerate(self._source.keys)
            if form in (ROWS, OUT) or (form is None and i not in shared and i not in self.buffers.outs)
        }
        self._stands_in_for = {**self.buffers.places, **self.buffers.rows, **self.buffers.outs}
        self._memory_order = {
            i: sorted(range(place.ndim), key=lambda axis, place=place: -place.strides[axis])
            for i, place in self._stands_in_for.items()
        }

    def _array(self, i: int, form: Any) -> Array:
        if form == COLUMNS:
            assert isinstance(self.columns, WrittenColumns)
            return self.columns.array(i)
        buffers = self.buffers
        kept: dict[Any, dict[int, Array]] = {
            None: buffers.places, ROWS: buffers.rows, TURNED: buffers.turned, OUT: buffers.outs,
        }  # fmt: skip
        return kept[form][i] if form in kept else buffers.fixed_as(i, form)

    def _shared(self) -> set[int]:
        """Return the lines that other stages than the loop read or write in the buffers."""
        parted, lines = self.buffers.parted, self.buffers.lines
        others = [
            i for i, s in parted.stage.items() if s is not Stage.LOOP and lines[i].primitive is not None
        ]
        found = {a for i in others for a in (i, *lines[i].args)}
        found |= {*parted.scan.carry, *parted.scan.carry_out}
        found |= {i for s in parted.sums for i in s.lines()}
        found |= {i for i in parted.scan.ys if lines[i].primitive is None or is_view(lines[i], lines)}
        for i in sorted(found, reverse=True):
            found.add(self.buffers.root(i))
        return found

    def direct(self, arrays: dict[int, Array]) -> dict[int, Array]:
        """Return the arrays that lie in memory as the buffers that they stand in for."""
        return {
            i: a
            for i, a in arrays.items()
            if i in self._replaceable
            and a.strides == self._stands_in_for[i].strides
            and a.flags.writeable
            and a.flags.aligned
        }

    def loop(self, count: int, arrays: dict[int, Array] | None = None) -> list[Call]:
        """Return the one call that the first ``count`` steps are."""
        given = self._arguments.copy()
        for i, a in (arrays or {}).items():
            flat = a.transpose(self._memory_order[i]).reshape(-1)
            given[self._replaceable[i]] = self._loop.argument(flat)
        return [(self._loop, (count, *given))]
