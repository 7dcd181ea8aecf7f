"""Making Tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyrnn.autograd.arguments import DTYPE, FLAG, FLOATING, RNG, WHOLE, checked, misused
from tinyrnn.autograd.operands import operand
from tinyrnn.autograd.primitive import Value
from tinyrnn.autograd.rng import generator
from tinyrnn.autograd.state import get_default_dtype
from tinyrnn.autograd.tensor import Tensor


@checked(dtype=DTYPE, requires_grad=FLAG)
def tensor(
    data: npt.ArrayLike | Sequence[Any], dtype: npt.DTypeLike | None = None, requires_grad: bool = False
) -> Tensor:
    """Make a Tensor from a copy of the data.

    Parameters
    ----------
    data : array_like or Tensor
        Numbers, nested lists or an array.
    dtype : dtype_like, optional
        By default an array keeps its own, and Python floats get the default dtype (`set_default_dtype`).
    requires_grad : bool
        Whether operations on it are recorded and ``backward()`` leaves it a ``.grad``.

    Raises
    ------
    TypeError
        Where the data are not real numbers, or a gradient is asked for integers.

    Warns
    -----
    LostGradientWarning
        Where the data are a recorded Tensor, whose gradient the copy would end.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.tensor([1, 2]).dtype, tr.tensor([1.0, 2.0]).dtype, tr.tensor(np.zeros(2)).dtype
    (dtype('int64'), dtype('float32'), dtype('float64'))
    """
    if isinstance(data, Tensor):
        data.leave()
    return _made(np.array(as_tensor(data, dtype).data), requires_grad)


def as_tensor(data: npt.ArrayLike | Sequence[Any], dtype: npt.DTypeLike | None = None) -> Tensor:
    """Make a constant Tensor that shares its memory with an array, where it can; return a Tensor as it is.

    Parameters
    ----------
    data : array_like or Tensor
    dtype : dtype_like, optional
        By default that of an array, and of Python's floats that of `get_default_dtype`.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> a = np.zeros(2)
    >>> tr.as_tensor(a).data is a
    True
    """
    if isinstance(data, Value):  # a Tensor, or in a traced step what stands for one
        return data if dtype is None else data.astype(dtype)  # pyright: ignore
    if dtype is None and not hasattr(data, "dtype"):
        if isinstance(data, (list, tuple)) and any(isinstance(item, Tensor) for item in data):
            raise TypeError(
                "tensor: the data are a sequence that holds Tensors; join them by tr.stack or tr.concatenate"
            )
        array = np.asarray(operand(data))
        if array.dtype.kind == "f":
            array = array.astype(get_default_dtype())
    else:
        array = np.asarray(operand(data), dtype=as_dtype(dtype))
    return Tensor(array)


def as_dtype(dtype: Any) -> np.dtype[Any] | None:
    """Return a dtype of real numbers; None where none is given.

    Raises
    ------
    TypeError
        Where it is no such dtype; the message names the argument.
    """
    if not DTYPE.of_type(dtype):
        raise misused(dtype, DTYPE.expected)
    return None if dtype is None else np.dtype(dtype)


def _shape(where: str, shape: tuple[Any, ...]) -> tuple[int, ...]:
    """Read a shape that is given as numbers, or as one sequence of them."""
    lengths = shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
    if not all(WHOLE.of_type(n) and n >= 0 for n in lengths):
        raise TypeError(
            f"{where}: the shape is {shape}; expected whole numbers, as {where}(2, 3) or {where}((2, 3))"
        )
    return tuple(int(n) for n in lengths)


def _made(array: np.ndarray[Any, Any], requires_grad: bool) -> Tensor:
    result = Tensor(array)
    result.requires_grad = requires_grad
    return result


@checked(dtype=DTYPE, requires_grad=FLAG)
def zeros(
    *shape: int | Sequence[int], dtype: npt.DTypeLike | None = None, requires_grad: bool = False
) -> Tensor:
    """Make a Tensor of zeros, of the default dtype unless given.

    Parameters
    ----------
    shape : int, or sequence of int
        ``zeros(2, 3)`` or ``zeros((2, 3))``.
    dtype : dtype_like, optional
        The default is that of `get_default_dtype`.
    requires_grad : bool
        Whether gradients with respect to it are wanted.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.zeros(2)
    tensor([0., 0.])
    >>> tr.zeros(2, 3).shape, tr.zeros((2, 3)).shape
    ((2, 3), (2, 3))
    """
    return _made(
        np.zeros(_shape("zeros", shape), get_default_dtype() if dtype is None else dtype), requires_grad
    )


@checked(dtype=DTYPE, requires_grad=FLAG)
def ones(
    *shape: int | Sequence[int], dtype: npt.DTypeLike | None = None, requires_grad: bool = False
) -> Tensor:
    """Make a Tensor of ones, of the default dtype unless given.

    Parameters
    ----------
    shape : int, or sequence of int
        ``ones(2, 3)`` or ``ones((2, 3))``.
    dtype : dtype_like, optional
        The default is that of `get_default_dtype`.
    requires_grad : bool
        Whether gradients with respect to it are wanted.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.ones(2)
    tensor([1., 1.])
    """
    return _made(
        np.ones(_shape("ones", shape), get_default_dtype() if dtype is None else dtype), requires_grad
    )


@checked(dtype=DTYPE, requires_grad=FLAG)
def zeros_like(
    x: npt.ArrayLike | Tensor, dtype: npt.DTypeLike | None = None, requires_grad: bool = False
) -> Tensor:
    """Make a Tensor of zeros of the shape, and unless given of the dtype, of another.

    Parameters
    ----------
    x : array_like or Tensor
    dtype : dtype_like, optional
        That of ``x`` by default.
    requires_grad : bool
        Whether gradients with respect to it are wanted.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.zeros_like(tr.ones(2))
    tensor([0., 0.])
    """
    like = as_tensor(x)
    return _made(np.zeros(like.shape, like.dtype if dtype is None else dtype), requires_grad)


@checked(dtype=DTYPE, requires_grad=FLAG)
def ones_like(
    x: npt.ArrayLike | Tensor, dtype: npt.DTypeLike | None = None, requires_grad: bool = False
) -> Tensor:
    """Make a Tensor of ones of the shape, and unless given of the dtype, of another.

    Parameters
    ----------
    x : array_like or Tensor
    dtype : dtype_like, optional
        That of ``x`` by default.
    requires_grad : bool
        Whether gradients with respect to it are wanted.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.ones_like(tr.zeros(2))
    tensor([1., 1.])
    """
    like = as_tensor(x)
    return _made(np.ones(like.shape, like.dtype if dtype is None else dtype), requires_grad)


@checked(dtype=FLOATING, requires_grad=FLAG, rng=RNG)
def randn(
    *shape: int | Sequence[int],
    dtype: npt.DTypeLike | None = None,
    requires_grad: bool = False,
    rng: np.random.Generator | int | None = None,
) -> Tensor:
    """Make a Tensor of standard normal numbers, from the library's generator or from ``rng``.

    Parameters
    ----------
    shape : int, or sequence of int
        ``randn(2, 3)`` or ``randn((2, 3))``.
    dtype : dtype_like, optional
        The default is that of `get_default_dtype`.
    requires_grad : bool
        Whether gradients with respect to it are wanted.
    rng : Generator or int, optional
        Where the numbers come from; the library's generator by default.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.randn(2, 3, rng=0).shape
    (2, 3)
    """
    numbers = generator(rng).standard_normal(_shape("randn", shape))
    return _made(np.asarray(numbers, get_default_dtype() if dtype is None else dtype), requires_grad)
