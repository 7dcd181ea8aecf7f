"""Arrays that leave a run, in memory that serves again when nobody holds them any more.

Fresh memory of this size comes from the system page by page, each a fault of some microseconds at its first
touch, and a training step asks for the same sizes again and again. NumPy keeps the owner of an array alive
as long as any view of it, so the owner is where the memory comes back from.
"""

from __future__ import annotations

import collections
import math
from typing import Any

import numpy as np

from tinyrnn.autograd.primitive import Shape
from tinyrnn.recurrence.running.views import Array

LIMIT = 256 << 20  # bytes that may lie idle
LEAST, MOST = 1 << 16, 1 << 25  # smaller ones the allocator keeps by itself; larger ones come as large pages

# By size. No lock: each step on a deque is one of the interpreter's, and an owner may go at any time.
_shelves: dict[int, collections.deque[Array]] = collections.defaultdict(collections.deque)


class _Memory(np.ndarray[Any, Any]):
    """Bytes. NumPy would skip an owner whose own base is a plain array."""


class _Owner(np.ndarray[Any, Any]):
    """A view of some memory, of which arrays are views; it goes with the last of them."""

    def __del__(self) -> None:
        if type(self.base) is _Memory:  # not so for views of the owner itself
            _give_back(self.base)


def empty(shape: Shape, dtype: np.dtype[Any]) -> Array:
    """Return a new array, as `numpy.empty`."""
    size = math.prod(shape) * dtype.itemsize
    if not LEAST <= size <= MOST:
        return np.empty(shape, dtype)
    size = _rounded(size)
    try:
        memory = _shelves[size].pop()
    except IndexError:
        memory = _Memory(size, np.uint8)
    return np.ndarray(shape, dtype, buffer=memory.view(_Owner))


def _give_back(memory: Array) -> None:
    size = memory.nbytes
    if idle_bytes() + size > LIMIT:  # what was asked for last is what will be asked for
        for other in list(_shelves):
            if other != size:
                _shelves.pop(other, None)
        if idle_bytes() + size > LIMIT:
            return
    _shelves[size].append(memory)


def _rounded(size: int) -> int:
    """Round up by at most an eighth, so that sequences of almost one length share memory."""
    unit = 1 << (size.bit_length() - 4)
    return -(-size // unit) * unit


def idle_bytes() -> int:
    """Return how much memory lies idle."""
    return sum(size * len(shelf) for size, shelf in list(_shelves.items()))


def clear() -> None:
    """Let go of all memory that lies idle."""
    _shelves.clear()
