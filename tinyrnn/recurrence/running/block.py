"""A block of steps: the buffers that a run works in, and the flat list of NumPy calls that the loop is.

The calls are bound once to views of the buffers; running the loop is ``for function, args in calls:
function(*args)``. A long scan slides the same buffers along, block by block, so nothing is bound per step
of the whole.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

from tinyrnn.recurrence.compiler.partition import Partition, Stage
from tinyrnn.recurrence.running.buffers import Buffers
from tinyrnn.recurrence.running.calls import Call
from tinyrnn.recurrence.running.stage_calls import StageCalls
from tinyrnn.recurrence.running.step_calls import line_calls, step_calls
from tinyrnn.recurrence.running.sums import Columns
from tinyrnn.recurrence.running.views import Array

_CALL = 420  # bytes of a bound call: two tuples and its views, as tracemalloc counts them


class Block:
    """What a run needs for up to ``size`` steps; the next block and the next run use it again.

    Attributes
    ----------
    buffers : Buffers
    stages : StageCalls
        The calls before and after the loop.
    calls : list of (function, args)
        All calls of all steps of the loop, in the order in which they run.
    calls_per_step : int
    columns : Columns
        Buffers for the sums over time.
    """

    def __init__(self, parted: Partition, size: int, *, reverse: bool) -> None:
        self.size = size
        self.reverse = reverse
        self.buffers = self._buffers(parted)
        self.stages = StageCalls(self.buffers)
        self.columns = self._columns()
        self._nbytes = self.buffers.nbytes
        self._bound: set[int] = set()
        self._bind()

    def _buffers(self, parted: Partition) -> Buffers:
        return Buffers(parted, self.size, reverse=self.reverse)

    def _columns(self) -> Columns:
        return Columns(self.size)

    def _bind(self) -> None:
        """Bind the calls of all steps."""
        steps = range(self.size)[::-1] if self.reverse else range(self.size)
        by_step = [step_calls(self.buffers, s) for s in steps]
        self.calls_per_step = len(by_step[0])
        self.calls: list[Call] = list(itertools.chain.from_iterable(by_step))
        self._nbytes += len(self.calls) * _CALL

    @property
    def nbytes(self) -> int:
        """About how much memory it holds, bound calls and all."""
        return self._nbytes + self.columns.nbytes

    def direct(self, arrays: dict[int, Array]) -> dict[int, Array]:
        """Return those arrays over all steps in which the loop can work itself: none of them is copied."""
        return {}

    def loop(self, count: int, arrays: dict[int, Array] | None = None) -> list[Call]:
        """Return the calls of the first ``count`` steps; ``arrays`` are the direct ones, at these steps."""
        if count == self.size:
            return self.calls
        n = count * self.calls_per_step
        return self.calls[len(self.calls) - n :] if self.reverse else self.calls[:n]

    def fill_fixed(self, values: dict[int, Any], counts: set[int]) -> None:
        """Copy what ran once to where the calls expect it, those over ``counts`` steps too."""
        if not counts <= self._bound:  # binding says in which forms they are wanted
            for count in counts:
                self.stages.calls(Stage.BEFORE, count)
                self.stages.calls(Stage.AFTER, count)
            for i in self.buffers.parted.scan.ys:
                self.stages.value(i, 1)
            self._bound |= counts
        self.buffers.fill_fixed(values)

    def calls_of(self, i: int) -> int:
        """Return how many NumPy calls a line of the loop takes at each step."""
        return len(line_calls(self.buffers, i, 0))


def block_size(parted: Partition, most: int, room: int) -> int:
    """Choose how many steps share buffers: so many that what the loop keeps of them takes ``room`` bytes.

    Where the gradient of a parameter does not stay in the cache, it takes more steps for the product that
    each block adds to it to outweigh the adding.
    """
    lines = parted.scan.program.lines
    kept = Buffers(parted, 1, reverse=False).kept()
    size = sum(math.prod(line.shape) * line.dtype.itemsize for line in kept)
    least = 8
    for leaf in (leaf for s in parted.sums for leaf in s.leaves() if leaf.kind == "product"):
        a, g = lines[leaf.line], lines[leaf.other]
        if a.shape[-1] * g.shape[-1] * g.dtype.itemsize >= 1 << 19:
            least = max(least, min(32, 2048 // max(a.shape[0], 1)))
    return max(least, min(most, room // max(size, 1)))
