"""Making Tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyrnn.autograd.rng import generator
from tinyrnn.autograd.state import get_default_dtype
from tinyrnn.autograd.tensor import Tensor


def tensor(data: npt.ArrayLike | Tensor, dtype: npt.DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
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

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.tensor([1, 2]).dtype, tr.tensor([1.0, 2.0]).dtype, tr.tensor(np.zeros(2)).dtype
    (dtype('int64'), dtype('float32'), dtype('float64'))
    """
    result = Tensor(np.array(as_tensor(data, dtype).data))
    result.requires_grad = requires_grad
    return result


def as_tensor(data: npt.ArrayLike | Tensor, dtype: npt.DTypeLike | None = None) -> Tensor:
    """Make a constant Tensor that shares its memory with an array, where it can; a Tensor is returned as it is.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> a = np.zeros(2)
    >>> tr.as_tensor(a).data is a
    True
    """
    if isinstance(data, Tensor):
        return data if dtype is None else data.astype(dtype)
    if dtype is None and not hasattr(data, "dtype"):
        data = [item.data if isinstance(item, Tensor) else item for item in data] if isinstance(data, list) else data
        array = np.asarray(data)
        if array.dtype.kind == "f":
            array = array.astype(get_default_dtype())
    else:
        array = np.asarray(data, dtype=dtype)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"tensor: the data have dtype {array.dtype}; expected real numbers")
    return Tensor(array)


def _float_dtype(dtype: npt.DTypeLike | None) -> np.dtype[Any]:
    return get_default_dtype() if dtype is None else np.dtype(dtype)


def zeros(shape: int | Sequence[int], dtype: npt.DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Make a Tensor of zeros, of the default dtype unless given.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.zeros(2)
    tensor([0., 0.])
    """
    result = Tensor(np.zeros(shape, _float_dtype(dtype)))
    result.requires_grad = requires_grad
    return result


def ones(shape: int | Sequence[int], dtype: npt.DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Make a Tensor of ones, of the default dtype unless given.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.ones(2)
    tensor([1., 1.])
    """
    result = Tensor(np.ones(shape, _float_dtype(dtype)))
    result.requires_grad = requires_grad
    return result


def randn(
    *shape: int,
    dtype: npt.DTypeLike | None = None,
    requires_grad: bool = False,
    rng: np.random.Generator | int | None = None,
) -> Tensor:
    """Make a Tensor of standard normal numbers, from the library's generator or from ``rng``.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.randn(2, 3, rng=0).shape
    (2, 3)
    """
    result = Tensor(np.asarray(generator(rng).standard_normal(shape)).astype(_float_dtype(dtype)))
    result.requires_grad = requires_grad
    return result
