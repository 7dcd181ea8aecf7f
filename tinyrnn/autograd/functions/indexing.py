"""Indexing: an index is parted in what is static and the index arrays, which are operands."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.arguments import WHOLE, checked, shown
from tinyrnn.autograd.operands import operand
from tinyrnn.autograd.primitive import Shape, Value
from tinyrnn.autograd.shapes import ARRAY, IndexItem, normalize_axis
from tinyrnn.autograd.signatures import of_two

__all__ = ["take"]


def split_index(index: Any, shape: Shape) -> tuple[tuple[IndexItem, ...], list[Any]]:
    """Part an index into an array of this shape in what is static and the index arrays, which are operands.

    A boolean mask becomes the integer arrays of its true places.

    Raises
    ------
    IndexError
        Where a part of the index is not an integer, a slice, None, ``...`` or an array of integers or
        booleans, or where a mask has another shape than the axes that it stands for.
    """
    items = [_item(item) for item in (index if isinstance(index, tuple) else (index,))]
    static: list[IndexItem] = []
    arrays: list[Any] = []
    axis = 0
    for i, item in enumerate(items):
        if isinstance(item, (Value, np.ndarray)):
            parts = [item]
            if item.dtype.kind == "b":
                masked = shape[axis : axis + item.ndim]
                if item.shape != masked:
                    raise IndexError(
                        f"getitem: the mask has shape {item.shape}; expected {masked}, that of axes {axis} "
                        f"to {axis + item.ndim - 1} of the Tensor, which has shape {shape}"
                    )
                parts = list(np.nonzero(item.data if isinstance(item, Value) else item))  # pyright: ignore
            static += [ARRAY] * len(parts)
            arrays += parts
        else:
            static.append(item)
        axis = len(shape) - sum(map(_width, items[i + 1 :])) if item is Ellipsis else axis + _width(item)
    return tuple(static), arrays


def without_truths(x: Any, items: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
    """Write single booleans in an index as NumPy takes them.

    Each is an axis of length 1 put in where it stands, of which True picks the element, and False none.
    """
    result: list[Any] = []
    axis = 0
    for i, item in enumerate(items):
        if _is_truth(item):
            x = p.reshape(x, shape=(*x.shape[:axis], 1, *x.shape[axis:]))
            item = np.zeros(int(bool(item)), np.intp)
        rest = sum(_width(later) for later in items[i + 1 :] if not _is_truth(later))
        axis = x.ndim - rest if item is Ellipsis else axis + _width(item)
        result.append(item)
    return x, tuple(result)


def _is_truth(item: Any) -> bool:
    return isinstance(item, (bool, np.bool_)) or (
        isinstance(item, (Value, np.ndarray)) and not item.shape and item.dtype.kind == "b"
    )


def _item(item: Any) -> Any:
    """Return a part of an index as an int, slice, None, ``...``, or an array of integers or booleans."""
    if item is None or item is Ellipsis or isinstance(item, slice):
        return item
    if isinstance(item, (int, np.integer)) and not isinstance(item, bool):
        return int(item)
    array: Any = item if isinstance(item, Value) else np.asarray(item)
    if array.dtype.kind == "b" and array.ndim:
        return array
    if array.dtype.kind in "iu":
        return array
    if array.size == 0 and not isinstance(item, (Value, np.ndarray)):
        return array.astype(np.intp)  # an empty list
    what = f"{item!r}" if array.ndim == 0 else f"an array of dtype {array.dtype}"
    raise IndexError(
        f"getitem: a part of the index is {what}; expected integers, slices, arrays of integers or booleans"
    )


def _width(item: Any) -> int:
    """Return how many axes a part of an index stands for."""
    if item is None or item is Ellipsis:
        return 0
    return item.ndim if isinstance(item, (Value, np.ndarray)) and item.dtype.kind == "b" else 1


@of_two
@checked(axis=WHOLE.or_none())
def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """Pick entries along an axis, or of all elements; with ``axis=0`` and a matrix, an embedding's look-up.

    Parameters
    ----------
    x : array_like or Tensor, shape (..., N, ...)
        Where to pick from.
    indices : array_like of int, any shape
        Which entries. An entry picked twice gets both gradients.
    axis : int, optional
        The axis of length N; without one, ``x`` is flattened first, as in NumPy and PyTorch.

    Raises
    ------
    IndexError
        Where the indices are not integers, or are outside -N to N - 1.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.take(tr.tensor([10.0, 20.0, 30.0]), [2, 0])
    tensor([30., 10.])
    """
    x = operand(x)
    if axis is None:
        x, axis = p.reshape(x, shape=(math.prod(x.shape),)), 0
    (axis,) = normalize_axis(axis, x.ndim)
    chosen = operand(indices)
    if chosen.dtype.kind == "f" and not (isinstance(indices, (list, tuple)) and chosen.size == 0):
        raise IndexError(f"take: indices is {shown(indices)}; expected integers")
    chosen = chosen.astype(np.intp) if chosen.dtype.kind == "f" else chosen
    if chosen.dtype.kind == "b":
        raise IndexError("take: the indices are booleans; expected integers (a mask goes in x[mask])")
    return p.getitem(x, chosen, index=(slice(None),) * axis + (ARRAY,))
