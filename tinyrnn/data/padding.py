"""Sequences of different lengths, side by side in one array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyrnn.autograd.arguments import REAL, SEQUENCE, checked

Array = np.ndarray[Any, Any]


@checked(sequences=SEQUENCE, value=REAL)
def pad_sequence(sequences: Sequence[Any], value: float = 0) -> tuple[Array, Array]:
    """Put sequences side by side, time first, and fill up the shorter ones.

    Parameters
    ----------
    sequences : sequence of array_like, each of shape (T_i, ...)
        All of the same shape after the first axis.
    value : number
        What stands in the padding.

    Returns
    -------
    padded : ndarray, shape (T, B, ...)
        T is the largest of the lengths. The dtype is the one that holds all of the sequences.
    lengths : ndarray of int, shape (B,)

    Raises
    ------
    ValueError
        Where there is no sequence, one has no time axis, or the shapes differ; the message names which.

    Examples
    --------
    >>> padded, lengths = pad_sequence([[1, 2, 3], [4]])
    >>> padded
    array([[1, 4],
           [2, 0],
           [3, 0]])
    >>> lengths
    array([3, 1])
    """
    arrays = [np.asarray(sequence) for sequence in sequences]
    if not arrays:
        raise ValueError("pad_sequence: got no sequences; expected at least one")
    for i, array in enumerate(arrays):
        if array.ndim == 0 or array.dtype == object:
            raise ValueError(
                f"pad_sequence: sequence {i} is no array of shape (T, ...); got {sequences[i]!r}"
            )
        if array.shape[1:] != arrays[0].shape[1:]:
            raise ValueError(
                f"pad_sequence: sequence {i} has shape {array.shape}; expected (T, *{arrays[0].shape[1:]}), "
                "as the first one"
            )
    lengths = np.array([len(array) for array in arrays])
    filled = [array for array in arrays if len(array)] or arrays  # an empty list is float64 by no one's wish
    dtype = np.result_type(*filled)
    padded = np.full((int(lengths.max()), len(arrays), *arrays[0].shape[1:]), value, dtype)
    for i, array in enumerate(arrays):
        padded[: len(array), i] = array
    return padded, lengths
