"""Copying between arrays whose axes lie in different order in memory."""

from __future__ import annotations

import math

import numpy as np

from tinyrnn.recurrence.running.views import Array

_SETS, _WAYS, _LINE = 64, 8, 64  # a first-level cache of 32 KB: its sets, lines in a set, bytes in a line


def copy(out: Array, x: Array) -> None:
    """Copy ``x`` into ``out``, as `numpy.copyto`, and transposed up to five times as fast.

    NumPy goes along the memory of ``out``. Where the neighbours there are far apart in ``x``, by a power of
    two, they share a few sets of the cache, and are gone before their own neighbours are wanted. So no more
    of them are visited at a time than these sets hold.
    """
    if out.shape != x.shape or out.strides == x.strides:
        np.copyto(out, x)
        return
    fast = min(range(out.ndim), key=lambda axis: out.strides[axis] if out.shape[axis] > 1 else math.inf)
    length, size = out.shape[fast], _SETS * _LINE
    # Numbers that are one and the same in memory (stride 0) are in nobody's way.
    tile = _WAYS * (size // math.gcd(x.strides[fast], size)) if x.strides[fast] else length
    lead = (slice(None),) * fast
    for low in range(0, length, tile):
        part = (*lead, slice(low, low + tile))
        np.copyto(out[part], x[part])
