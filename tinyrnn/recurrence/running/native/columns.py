"""Columns for sums over time, written by the loop itself while a step's values are in the cache.

Copied after the loop by NumPy, row by short row, they took a fifth of the time of a small LSTM's step.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from tinyrnn.recurrence.compiler.partition import Partition, Stage
from tinyrnn.recurrence.running.buffers import Buffers
from tinyrnn.recurrence.running.native.nests import INDENT, Access
from tinyrnn.recurrence.running.sums import Columns
from tinyrnn.recurrence.running.views import Array, is_view

COLUMNS = "columns"  # the form of such an array, beside those of what runs once


def made_in_loop(parted: Partition) -> frozenset[int]:
    """Return the lines that the loop makes, and sums take in columns."""
    lines = parted.scan.program.lines
    made = {i for i in parted.lines(Stage.LOOP) if not is_view(lines[i], lines)}
    return frozenset(i for i in parted.columns if i in made and len(lines[i].shape) == 2)


def written(buffers: Buffers) -> list[int]:
    """Return the lines whose columns the loop writes; what is part of another one of them is cut from it."""

    def cut(i: int) -> bool:
        whole, axis, *_ = buffers.parts.get(i, (-1, 0))
        return axis == 1 and whole in buffers.columns

    return sorted(i for i in buffers.columns if not cut(i))


def columns(array: str, x: Access) -> list[str]:
    """Write the copy of a step's (B, N) values to where steps and rows are one axis, (N, steps * B)."""
    (rows, length), (along_rows, along) = x.place.shape, x.place.strides
    return [
        f"for i in range({length}):",
        f"{INDENT}for j in range({rows}):",
        f"{INDENT * 2}{array}[i*steps*{rows} + t*{rows} + j] = {x.index([('i', along), ('j', along_rows)])}",
    ]


class WrittenColumns(Columns):
    """Columns of which the loop writes some."""

    def __init__(self, buffers: Buffers) -> None:
        super().__init__(buffers.size)
        self.lines = buffers.lines
        self.written = frozenset(written(buffers))

    def array(self, i: int) -> Array:
        """Return the array into which the loop writes those of a line."""
        line = self.lines[i]
        return self.place(i, math.prod(line.shape), line.dtype)

    def of(self, i: int, count: int, value: Callable[[int], Array]) -> Array:
        """Return columns as the loop has written them, or copied."""
        if i not in self.written:
            return super().of(i, count, value)
        rows, length = self.lines[i].shape
        return self.array(i)[: count * rows * length].reshape(length, count * rows)
