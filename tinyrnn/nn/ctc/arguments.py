"""What comes into the CTC loss: its several forms brought to one, checked, or refused by name."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tinyrnn.autograd.functions import where
from tinyrnn.nn.inputs import as_floating, as_integers, expect_range, expect_shape


class Batch(NamedTuple):
    """Frames and labels in rows.

    Attributes
    ----------
    log_probs : Tensor, shape (T, B, C)
        Clean: 0 behind the end of each row.
    labels : ndarray of int, shape (B, L)
        L is that of the longest row, at least 1; filled up with the blank.
    input_lengths, target_lengths : ndarray of int, shape (B,)
    blank : int
    batched : bool
        False where a single row came without a batch axis.
    """

    log_probs: Any
    labels: np.ndarray[Any, Any]
    input_lengths: np.ndarray[Any, Any]
    target_lengths: np.ndarray[Any, Any]
    blank: int
    batched: bool


def read_batch(
    where: str, log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any, blank: int
) -> Batch:
    """Bring the arguments of the loss to one form.

    Raises
    ------
    ValueError, TypeError, IndexError
        Where they do not fit; the message names the row.
    """
    log_probs, batched = read_frames(where, log_probs, blank)
    targets = as_integers(where, "targets", targets, "the labels")
    steps, size, classes = log_probs.shape
    input_lengths = read_lengths(where, "input_lengths", input_lengths, size, steps)
    flat = batched and targets.ndim == 1
    if not batched:
        _expect_axes(where, "targets", targets.shape, 1, "(L,), as log_probs has no batch axis")
        targets = targets[None]
    elif not flat:
        _expect_axes(where, "targets", targets.shape, 2, "(B, L), or (sum of target_lengths,)")
        expect_shape(where, "targets", targets.shape, (size, targets.shape[1]), "B, L")
    most = targets.shape[-1]
    target_lengths = read_lengths(where, "target_lengths", target_lengths, size, most)
    if flat and target_lengths.sum() != most:
        raise ValueError(
            f"{where}: targets has {most} labels, one row after the other; expected the sum of "
            f"target_lengths, {target_lengths.sum()}"
        )
    labels = np.full((size, max(int(target_lengths.max()), 1)), blank)
    real = np.arange(labels.shape[1]) < target_lengths[:, None]
    labels[real] = targets if flat else targets[:, : labels.shape[1]][real[:, :most]]
    expect_range(where, "targets", labels, 0, classes - 1)
    for row, place in np.argwhere(real & (labels == blank))[:1]:
        raise ValueError(
            f"{where}: targets[{row}, {place}] is {blank}, the blank, which stands between labels and is none"
        )
    return Batch(_clean(log_probs, input_lengths), labels, input_lengths, target_lengths, blank, batched)


def read_frames(where: str, log_probs: Any, blank: int) -> tuple[Any, bool]:
    """Return log probabilities as (T, B, C), and whether they had a batch axis."""
    log_probs = as_floating(where, "log_probs", log_probs)
    shape = log_probs.shape
    if len(shape) not in (2, 3) or 0 in shape:
        raise ValueError(
            f"{where}: log_probs has shape {shape}; expected (T, B, C) or (T, C), none of them 0"
        )
    if log_probs.dtype.itemsize < 4:
        raise TypeError(f"{where}: log_probs has dtype {log_probs.dtype}; expected float32 or float64")
    if not 0 <= blank < shape[-1]:
        raise ValueError(f"{where}: blank is {blank}; expected a class, 0 to C - 1 = {shape[-1] - 1}")
    batched = len(shape) == 3
    return (log_probs if batched else log_probs.reshape((shape[0], 1, shape[1]))), batched


def _expect_axes(where: str, name: str, shape: tuple[int, ...], axes: int, words: str) -> None:
    """Raise where there are not so many axes."""
    if len(shape) != axes:
        raise ValueError(f"{where}: {name} has shape {shape}; expected {words}")


def read_lengths(where: str, name: str, lengths: Any, size: int, most: int) -> np.ndarray[Any, Any]:
    """Return lengths, one for each of ``size`` rows and each 0 to ``most``."""
    array = np.atleast_1d(as_integers(where, name, lengths, "a number for each row"))
    expect_shape(where, name, array.shape, (size,), "B,")
    for row in np.flatnonzero((array < 0) | (array > most))[:1]:
        raise ValueError(f"{where}: {name}[{row}] is {array[row]}; expected 0 to {most}")
    return array.astype(np.intp)


def _clean(log_probs: Any, lengths: np.ndarray[Any, Any]) -> Any:
    """Set the frames behind the end of each row to zero, so that nothing in them gets further."""
    running = np.arange(log_probs.shape[0])[:, None] < lengths
    return log_probs if running.all() else where(running[..., None], log_probs, 0.0)
