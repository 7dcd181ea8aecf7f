"""What comes into a module: brought to its dtype, and its shape checked, with errors that say what was expected."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyrnn.autograd.primitive import Value
from tinyrnn.autograd.tensor import Tensor


def as_input(where: str, name: str, value: Any, dtype: np.dtype[Any]) -> Any:
    """Return an input as a Tensor (or symbol) of the module's dtype.

    Plain arrays and lists are cast. A Tensor is not: which of the two dtypes was meant is for the caller to say.

    Raises
    ------
    TypeError
        Where a Tensor has another dtype, or the value is no array of numbers.
    """
    if isinstance(value, Value):
        if value.dtype != dtype:
            raise TypeError(
                f"{where}: {name} is a Tensor of dtype {value.dtype}; expected {dtype}, that of the parameters: use "
                f"{name}.astype({dtype.name!r}), or make the module with dtype={value.dtype.name!r}"
            )
        return value
    if isinstance(value, tuple):
        raise TypeError(
            f"{where}: {name} is a tuple of {len(value)}; expected one Tensor or array. Did it come from a recurrent layer, "
            "which returns (outputs, state)?"
        )
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{where}: {name} is {type(value).__name__} of dtype {array.dtype}; expected real numbers")
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
