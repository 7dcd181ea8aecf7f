"""Masks: which places of padded sequences are real."""

from __future__ import annotations

from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt

from tinyrnn.autograd.arguments import checked, count
from tinyrnn.autograd.functions import where
from tinyrnn.autograd.operands import plain_array
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.nn.inputs import as_integers, expect_range, expect_shape

T = TypeVar("T", bound=Any)
Mask = np.ndarray[Any, np.dtype[np.bool_]]


@checked(T=count(0).or_none())
def mask(lengths: npt.ArrayLike | Tensor, T: int | None = None) -> Mask:
    """Return which places of padded rows are real, time first.

    Parameters
    ----------
    lengths : array_like of int, shape (B,)
        The true length of each row, 0 to T.
    T : int, optional
        The number of steps; the largest length by default.

    Returns
    -------
    ndarray of bool, shape (T, B)

    Raises
    ------
    TypeError, ValueError, IndexError
        Where the lengths are no integers, no single axis of them, or not 0 to T.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.mask([3, 1]).astype(int)
    array([[1, 1],
           [1, 0],
           [1, 0]])
    """
    array = as_integers("mask", "lengths", lengths, "the true length of each row")
    if array.ndim != 1:
        raise ValueError(f"mask: lengths has shape {array.shape}; expected (B,)")
    steps = int(array.max(initial=0)) if T is None else T
    expect_range("mask", "lengths", array, 0, steps, ", the number of steps")
    return np.arange(steps)[:, None] < array


def as_mask(name: str, shape: tuple[int, ...], lengths: Any, mask_: Any) -> Mask | None:
    """Return the mask over the first axes of losses of this shape; None where none is asked for.

    Parameters
    ----------
    name : str
        The loss, for errors.
    shape : tuple of int
        Of the losses: (T, B, ...) where there are lengths.
    lengths : array_like of int, shape (B,), optional
    mask_ : array_like of bool, optional
        Its shape is the first axes of ``shape``.

    Raises
    ------
    TypeError, ValueError
        Where both are given, or one does not fit.
    """
    if lengths is not None:
        if mask_ is not None:
            raise TypeError(f"{name}: got lengths and mask; expected one of them")
        array = as_integers(name, "lengths", lengths, "the true length of each row")
        expect_shape(name, "lengths", array.shape, shape[1:2], "batch,")
        expect_range(name, "lengths", array, 0, shape[0], ", the number of steps")
        return mask(array, shape[0])
    if mask_ is None:
        return None
    array = mask_.data if isinstance(mask_, Tensor) else plain_array(f"{name}: mask", mask_)
    if array.dtype != np.bool_:
        raise TypeError(
            f"{name}: mask has dtype {array.dtype}; expected booleans, True where a place is real"
        )
    if array.ndim > len(shape) or array.shape != shape[: array.ndim]:
        raise ValueError(f"{name}: mask has shape {array.shape}; expected the first axes of {shape}")
    return array


def spread(real: Mask, shape: tuple[int, ...]) -> Mask:
    """Give a mask the axes, and by broadcasting the size, of what it is for."""
    return np.broadcast_to(real.reshape(real.shape + (1,) * (len(shape) - real.ndim)), shape)


def cleaned(value: T, real: Mask | None) -> T:
    """Put zeros in the padding, so that nothing in it, not even a NaN, gets further."""
    return value if real is None else cast(T, where(spread(real, value.shape), value, 0.0))
