"""Sums over time: what the blocks of a run contribute, and what is made of it at the end."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from tinyrnn.recurrence.compiler.partition import Partition, TimeSum
from tinyrnn.recurrence.running.calls import in_one_product
from tinyrnn.recurrence.running.views import Array


class Columns:
    """Values of a block with steps and rows as one axis, the last: a sum over time is then one product.

    Attributes
    ----------
    nbytes : int
        The memory of the buffers.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.nbytes = 0
        self._places: dict[int, Array] = {}

    def of(self, i: int, count: int, value: Callable[[int], Array]) -> Array:
        """Return a (steps, B, N) value as (N, steps * B); where that takes a copy, in a buffer used again."""
        x = value(i)
        n = x.shape[2]
        if x.flags.c_contiguous:
            return x.reshape(-1, n).T
        flat = self.place(i, x[0].size, x.dtype)[: x.size].reshape(n, count, x.shape[1])
        np.copyto(flat, x.transpose(2, 0, 1))
        return flat.reshape(n, -1)

    def place(self, i: int, size: int, dtype: Any) -> Array:
        """Return the buffer of a line, of which a step has ``size`` numbers."""
        if i not in self._places:
            self._places[i] = np.empty(self.size * size, dtype)
            self.nbytes += self._places[i].nbytes
        return self._places[i]


class Sums:
    """The sums over time of one run.

    Parameters
    ----------
    parted : Partition
    columns : Columns
    parts : dict
        Lines that are parts of others, as `Buffers` has them.
    once : dict
        What runs once, by line.
    """

    def __init__(
        self,
        parted: Partition,
        columns: Columns,
        parts: dict[int, tuple[int, int, int, int]],
        once: dict[int, Any],
    ) -> None:
        self.parted = parted
        self.columns = columns
        self.parts = parts
        self.once = once
        self.totals: dict[int, Array] = {}

    def add(self, count: int, value: Callable[[int], Array]) -> None:
        """Add what a block of ``count`` steps contributes; ``value(i)`` are the values of a line there."""
        made: dict[int, Array] = {}
        for leaf in self.parted.leaves:
            if leaf.kind == "total":
                part = value(leaf.line).sum(0)
            elif leaf.kind == "stack":
                columns, rows = np.moveaxis(value(leaf.line), 0, -2), np.moveaxis(value(leaf.other), 0, -3)
                part = in_one_product(columns, -2) @ in_one_product(rows, -3)
            elif leaf.kind == "product":
                a = value(leaf.line)
                columns = self._in_columns(leaf.other, count, value, made)
                part = np.dot(columns, np.ascontiguousarray(a).reshape(-1, a.shape[-1]))
            else:
                columns = self._in_columns(leaf.line, count, value, made)
                part = np.dot(columns, _ones(columns.shape[1], columns.dtype))
            if id(leaf) in self.totals:
                self.totals[id(leaf)] += part
            else:
                self.totals[id(leaf)] = part

    def _in_columns(self, i: int, count: int, value: Callable[[int], Array], made: dict[int, Array]) -> Array:
        """Return a value of the block as columns; a part of another one that is wanted so is cut from it."""
        if i not in made:
            whole, axis, low, high = self.parts.get(i, (-1, 0, 0, 0))
            if axis == 1 and whole in self.parted.columns:
                made[i] = self._in_columns(whole, count, value, made)[low:high]
            else:
                made[i] = self.columns.of(i, count, value)
        return made[i]

    def results(self, steps: int) -> list[Array]:
        """Work out the sums from their parts, over all ``steps``."""
        scan = self.parted.scan
        return [
            np.asarray(self._total(s, steps), scan.program.lines[i].dtype)
            for i, s in zip(scan.sums, self.parted.sums, strict=True)
        ]

    def _total(self, part: TimeSum | int, steps: int) -> Any:
        if isinstance(part, int):
            return self.once[part]
        if part.kind == "apply":
            return part.primitive.forward(*(self._total(below, steps) for below in part.below), **part.params)
        if part.kind == "times":
            return self._total(part.line, steps) * steps
        return self.totals[id(part)].T if part.kind == "product" else self.totals[id(part)]


@functools.lru_cache(maxsize=32)
def _ones(count: int, dtype: Any) -> Array:
    return np.ones(count, dtype)
