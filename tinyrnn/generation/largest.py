"""The k largest of a row, where k is small and the row is long."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def largest(x: Array, k: int) -> Array:
    """Return the places of the ``k`` largest of each row, in no order; x (B, N), the result (B, k).

    A row is folded into ``depth`` layers. The k largest stand in at most k of the columns, and these are the
    columns with the largest maxima: to find a maximum is ten times as fast as to select, so that only they
    are searched. The depth is that at which both selections, of columns and inside of them, are as long.
    """
    rows, n = x.shape
    depth = math.isqrt(n // k)
    if depth < 4 or x.size < 1024:
        return _selected(x, k)
    width = n // depth
    folded = x[:, : depth * width].reshape((rows, depth, width))
    row, layer = np.arange(rows)[:, None], np.arange(depth)[:, None]
    columns = _selected(folded.max(1), k)
    places = (columns[:, None, :] + layer * width).reshape((rows, -1))
    if depth * width < n:  # what did not fill a layer
        rest = np.broadcast_to(np.arange(depth * width, n), (rows, n - depth * width))
        places = np.concatenate([places, rest], axis=1)
    return places[row, _selected(x[row, places], k)]


def _selected(x: Array, k: int) -> Array:
    return x.argpartition(-k, -1)[:, -k:]
