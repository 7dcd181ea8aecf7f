"""Running a scan whose loop is code: the same blocks and stages, with one call in the place of many."""

from __future__ import annotations

import math

from tinyrnn.autograd import primitives as p
from tinyrnn.recurrence.compiler.lower import simplified
from tinyrnn.recurrence.compiler.partition import Partition, Stage, partition
from tinyrnn.recurrence.compiler.scan_program import ScanProgram
from tinyrnn.recurrence.running.block import Block
from tinyrnn.recurrence.running.buffers import Buffers
from tinyrnn.recurrence.running.calls import Call
from tinyrnn.recurrence.running.native.forms import Loop
from tinyrnn.recurrence.running.native.places import bound
from tinyrnn.recurrence.running.native.schedule import fused
from tinyrnn.recurrence.running.native.source import Source, refusal, write
from tinyrnn.recurrence.running.runner import Runner


class NativeRunner(Runner):
    """A scan's program, of which the loop is code.

    Attributes
    ----------
    refusal : str
        Why the loop cannot be written as code; empty where it can.
    loops : dict of bool to callable
        The function of the loop, by whether it runs in reverse; whoever makes the runner puts it there.
    """

    _most_steps = 1 << 14  # they cost nothing but their memory

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

    def multiplications(self) -> int:
        """Return how many multiplications the matrix products of a step are."""
        products = (
            self.lines[i] for i in self.parted.lines(Stage.LOOP) if self.lines[i].primitive is p.matmul
        )
        return sum(math.prod(line.shape) * self.lines[line.args[0]].shape[-1] for line in products)

    def _new_block(self, size: int, reverse: bool) -> Block:
        return NativeBlock(self.parted, size, self.source(reverse), self.loops[reverse], reverse=reverse)


class NativeBlock(Block):
    """A block of steps, of which the loop is one call."""

    def __init__(self, parted: Partition, size: int, source: Source, loop: Loop, *, reverse: bool) -> None:
        self._source = source
        self._loop = loop
        super().__init__(parted, size, reverse=reverse)

    def _buffers(self, parted: Partition) -> Buffers:
        return Buffers(parted, self.size, reverse=self.reverse, inner=self._source.inner)

    def _bind(self) -> None:
        self.calls_per_step = 0
        self.calls = []
        self._arrays = bound(self.buffers, self._source.keys)

    def loop(self, count: int) -> list[Call]:
        """Return the one call that the first ``count`` steps are."""
        return [(self._loop, (count, *self._arrays))]
