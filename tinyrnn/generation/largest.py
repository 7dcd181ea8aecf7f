"""The k largest of a row, where k is small and the row is long."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

_BLOCK = 64


def largest(x: Array, k: int) -> Array:
    """Return the places of the ``k`` largest of each row, in no order; x (B, N), the result (B, k).

    Of N numbers the k largest stand in at most k blocks, and these are the blocks with the largest maxima. To
    find a maximum is ten times as fast as to select, so that in long rows only those blocks are searched.
    """
    rows, n = x.shape
    blocks = -(-n // _BLOCK)
    if blocks < 4 * k:
        return x.argpartition(-k, -1)[:, -k:]
    if n % _BLOCK:
        padded = np.full((rows, blocks * _BLOCK), -np.inf, x.dtype)
        padded[:, :n] = x
        x = padded
    x = x.reshape((rows, blocks, _BLOCK))
    which = x.max(-1).argpartition(-k, -1)[:, -k:]
    row = np.arange(rows)[:, None]
    inside = x[row, which].reshape((rows, -1)).argpartition(-k, -1)[:, -k:]
    return which[row, inside // _BLOCK] * _BLOCK + inside % _BLOCK
