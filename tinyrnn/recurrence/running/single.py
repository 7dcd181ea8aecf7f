"""A compiled step, bound once to its parameters and run one step at a time: what is left are NumPy calls."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyrnn.recurrence.running.block import Block
from tinyrnn.recurrence.running.runner import Run, Runner
from tinyrnn.recurrence.running.views import Array


class SingleSteps:
    """Runs a scan's program step by step, with a carry that stays where it is.

    Attributes
    ----------
    carry : list of ndarray
        The carry after the last step. It may be written to.
    xs, ys : list of ndarray
        Where a step finds its inputs, to be written by the caller; and where it leaves its outputs.
    """

    def __init__(self, runner: Runner, consts: Sequence[Array], carry: Sequence[Array]) -> None:
        scan, lines = runner.scan, runner.lines
        block = Block(runner.parted, 1, reverse=False)
        xs, ys = (
            [np.zeros((1, *lines[i].shape), lines[i].dtype) for i in places] for places in (scan.xs, scan.ys)
        )
        run = Run(runner, block, runner.run_once(consts), dict(zip(scan.xs, xs, strict=True)), ys)
        self._calls = run.calls_of_one_step()
        self._before = block.buffers.carry(1, end=False)
        self.carry = block.buffers.carry(1, end=True)
        self.xs, self.ys = [x[0, ...] for x in xs], [y[0, ...] for y in ys]
        for place, value in zip(self.carry, carry, strict=True):
            np.copyto(place, value)

    def step(self) -> None:
        """Take a step, from what stands in ``carry`` and ``xs``."""
        for before, after in zip(self._before, self.carry):
            np.copyto(before, after)
        for function, args in self._calls:
            function(*args)

    def undo(self) -> None:
        """Go back to the carry before the last step, such as one that failed."""
        for before, after in zip(self._before, self.carry):
            np.copyto(after, before)
