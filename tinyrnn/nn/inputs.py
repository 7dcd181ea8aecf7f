"""What comes into a module: brought to its dtype, checked, or refused by name."""

from __future__ import annotations

from typing import Any, TypeGuard, cast

import numpy as np

from tinyrnn.autograd.operands import plain_array
from tinyrnn.autograd.primitive import Value
from tinyrnn.autograd.state import get_default_dtype
from tinyrnn.autograd.tensor import Tensor


def as_input(where: str, name: str, value: Any, dtype: np.dtype[Any]) -> Tensor:
    """Return an input as a Tensor (or symbol) of the module's dtype.

    Plain arrays and lists are cast. A Tensor is not: which of the two dtypes was meant is for the caller to
    say.

    Raises
    ------
    TypeError
        Where a Tensor has another dtype, or the value is no array of numbers.
    """
    if isinstance(value, Value):
        if value.dtype is not dtype and value.dtype != dtype:  # `is` is cheap
            other = f", or make the module with dtype={value.dtype.name!r}" if value.dtype.kind == "f" else ""
            raise TypeError(
                f"{where}: {name} is a Tensor of dtype {value.dtype}; expected {dtype}, that of the "
                f"parameters: use {name}.astype({dtype.name!r}){other}"
            )
        return cast(Tensor, value)
    if isinstance(value, tuple):
        raise TypeError(
            f"{where}: {name} is a tuple of {len(value)}; expected one Tensor or array. Did it "
            "come from a recurrent layer, which returns (outputs, state)?"
        )
    array = plain_array(f"{where}: {name}", value)
    if array.dtype.kind not in "fiub":
        raise TypeError(
            f"{where}: {name} is {type(value).__name__} of dtype {array.dtype}; expected real numbers"
        )
    return Tensor(array.astype(dtype, copy=False))


def expect_shape(where: str, name: str, got: tuple[int, ...], expected: tuple[int, ...], words: str) -> None:
    """Raise where a shape is not the one expected; ``words`` name its axes.

    Raises
    ------
    ValueError
    """
    if got != expected:
        raise ValueError(f"{where}: {name} has shape {got}; expected ({words}) = {expected}")


def expect_features(where: str, name: str, value: Any, size: int, words: str) -> None:
    """Raise where the last axis is not ``size`` long.

    Raises
    ------
    ValueError
    """
    shape = value.shape
    if not shape or shape[-1] != size:
        raise ValueError(f"{where}: {name} has shape {shape}; expected {words} = {size} as its last axis")


def is_symbol(value: Any) -> TypeGuard[Tensor]:
    """Whether a value is one of a step that is being traced: its numbers are not known yet."""
    return isinstance(value, Value) and not isinstance(value, Tensor)


def as_integers(where: str, name: str, value: Any, words: str) -> np.ndarray[Any, Any]:
    """Return an array of integers; ``words`` say what they are.

    Raises
    ------
    TypeError
        Where the values are no integers, or are not known because a step is being traced.
    """
    if is_symbol(value):
        raise TypeError(
            f"{where}: the values of {name} are checked, so it cannot stand in a step that is compiled"
        )
    array = value.data if isinstance(value, Tensor) else plain_array(f"{where}: {name}", value)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{where}: {name} has dtype {array.dtype}; expected integers, {words}")
    return array


def expect_range(
    where: str, name: str, array: np.ndarray[Any, Any], low: Any, high: Any, words: str = ""
) -> None:
    """Raise where an element is outside ``low`` to ``high``; the message names the first.

    Raises
    ------
    IndexError
        For integers.
    ValueError
        For other numbers.
    """
    if array.size and not (array.min() >= low and array.max() <= high):  # also where there is a NaN
        place = tuple(int(i) for i in np.argwhere(~((array >= low) & (array <= high)))[0])
        at = f"[{', '.join(map(str, place))}]" if place else ""
        kind = IndexError if array.dtype.kind in "iu" else ValueError
        raise kind(f"{where}: {name}{at} is {array[place]}; expected {low} to {high}{words}")


def as_floating(where: str, name: str, value: Any) -> Tensor:
    """Return a floating Tensor (or symbol). Arrays of floats keep their dtype, other numbers get the default.

    Raises
    ------
    TypeError
        Where a Tensor of integers comes, or no numbers.
    """
    if isinstance(value, Value) and value.dtype.kind != "f":
        raise TypeError(f"{where}: {name} has dtype {value.dtype}; expected a floating dtype")
    own = getattr(value, "dtype", None)
    return as_input(where, name, value, own if own is not None and own.kind == "f" else get_default_dtype())


def as_array(value: Any) -> np.ndarray[Any, Any]:
    """Return the values as an array."""
    return value.data if isinstance(value, Tensor) else np.asarray(value)


def as_lengths(where: str, lengths: Any, steps: int, batch: int) -> np.ndarray[Any, Any] | None:
    """Return the lengths of padded rows, one for each row of the batch and each 1 to T; None where not given.

    Raises
    ------
    ValueError, TypeError
        The message names the row.
    """
    if lengths is None:
        return None
    array = as_integers(where, "lengths", lengths, "the true length of each row")
    expect_shape(where, "lengths", array.shape, (batch,), "batch,")
    for row in np.flatnonzero((array < 1) | (array > steps))[:1]:
        raise ValueError(f"{where}: lengths[{row}] is {array[row]}; expected 1 to T = {steps}")
    return array


def kind_of(value: Any) -> str:
    """Return a value's kind for an error: ``tuple of 3``, ``Tensor of shape (2, 4)``, ``str``."""
    if isinstance(value, (tuple, list)):
        return f"{type(value).__name__} of {len(value)}"
    return type(value).__name__ + (f" of shape {value.shape}" if hasattr(value, "shape") else "")
