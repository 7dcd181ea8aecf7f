"""Where the code finds a value: a flat array, and how far apart its elements lie. Read off NumPy's views."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from tinyrnn.autograd.primitive import Shape
from tinyrnn.recurrence.running.buffers import Buffers
from tinyrnn.recurrence.running.views import Array

Key = tuple[int, Any]  # a line, and the form of it that a buffer has; None where it has but one
ROWS, TURNED, OUT = "rows", "turned", "out"


@dataclasses.dataclass(frozen=True)
class Place:
    """A value in a flat array: at step t, element ``i, j`` is at ``t*lead + offset + i*strides[0] + ...``."""

    key: Key
    lead: int
    offset: int
    shape: Shape
    strides: tuple[int, ...]

    def spread(self, shape: Shape) -> Place:
        """Return the place as an operand of this shape: along what is broadcast, the stride is 0."""
        missing = len(shape) - len(self.shape)
        strides = (*(0,) * missing, *(0 if n == 1 else s for n, s in zip(self.shape, self.strides)))
        return dataclasses.replace(self, shape=shape, strides=strides)

    @property
    def transposed(self) -> Place:
        """The place of the transpose of a matrix."""
        return dataclasses.replace(self, shape=self.shape[::-1], strides=self.strides[::-1])

    @property
    def in_rows(self) -> bool:
        """Whether the elements lie without gaps, the last axis first."""
        expected = 1
        for n, s in zip(reversed(self.shape), reversed(self.strides)):
            if n != 1 and s != expected:
                return False
            expected *= n
        return True


class Places:
    """The places of the values of a loop, found in buffers for two steps."""

    def __init__(self, buffers: Buffers) -> None:
        self.buffers = buffers
        self._raw: dict[int, Key] = {}

    def of(self, i: int, shape: Shape | None = None) -> Place:
        """Return where a line's value is; what runs once is spread to a shape."""
        first, second = (self.buffers.at(i, step, like=shape) for step in (0, 1))
        return self._place(first, second.ctypes.data - first.ctypes.data)

    def rows(self, i: int) -> Place:
        """Return where an input lies in rows."""
        return self._over_time(self.buffers.rows[i])

    def out(self, i: int) -> Place:
        """Return where callers find an output."""
        return self._over_time(self.buffers.outs[i])

    def _over_time(self, places: Array) -> Place:
        first, second = (places[step, ...] for step in (0, 1))
        return self._place(first, second.ctypes.data - first.ctypes.data)

    def next_carry(self, i: int) -> Place:
        """Return where the next step finds a part of the carry."""
        places = self.buffers.places[i]
        reverse = self.buffers.reverse
        first, second = (places[step if reverse else step + 1, ...] for step in (0, 1))
        return self._place(first, second.ctypes.data - first.ctypes.data)

    def _place(self, view: Array, lead: int) -> Place:
        raw, size = whole(view), view.itemsize
        offset = (view.ctypes.data - raw.ctypes.data) // size
        return Place(self._key(raw), lead // size, offset, view.shape, tuple(s // size for s in view.strides))

    def _key(self, raw: Array) -> Key:
        if id(raw) not in self._raw:
            self._raw = {id(whole(a)): (i, None) for i, a in self.buffers.places.items()}
            self._raw |= {id(whole(a)): key for key, a in self.buffers.fixed.items()}
            self._raw |= {id(whole(a)): (i, ROWS) for i, a in self.buffers.rows.items()}
            self._raw |= {id(whole(a)): (i, TURNED) for i, a in self.buffers.turned.items()}
            self._raw |= {id(whole(a)): (i, OUT) for i, a in self.buffers.outs.items()}
        return self._raw[id(raw)]


def whole(view: Array) -> Array:
    """Return the array that owns a view's memory."""
    while isinstance(view.base, np.ndarray):
        view = view.base
    return view
