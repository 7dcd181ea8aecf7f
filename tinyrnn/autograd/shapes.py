"""Shape rules: what shape an operation gives, known from the shapes of its operands alone."""

from __future__ import annotations

import math
import operator
from types import EllipsisType
from typing import Any

import numpy as np

from tinyrnn.autograd.arguments import WHOLE, WHOLES, misused
from tinyrnn.autograd.primitive import Shape, broadcast_shape

Axis = int | tuple[int, ...] | None


class _Array:
    """Stands in a static index for an index array, which is an operand."""

    def __repr__(self) -> str:
        return "array"


ARRAY = _Array()
IndexItem = int | slice | EllipsisType | None | _Array


def normalize_axis(axis: Axis, ndim: int) -> tuple[int, ...]:
    """Return an axis argument as a tuple of axes that count from the front."""
    if type(axis) is int and -ndim <= axis < ndim:
        return (axis % ndim,)
    if axis is None:
        return tuple(range(ndim))
    axes = whole_numbers(axis, "an axis, or a tuple of axes, that are ints")
    for a in axes:
        if not -ndim <= a < ndim:
            raise misused(a if isinstance(axis, tuple) else axis, _in_bounds(ndim), np.exceptions.AxisError)
    return tuple(a % ndim for a in axes)


_INTS = {int}


def _in_bounds(ndim: int) -> str:
    return f"{-ndim} to {ndim - 1}, as there are {ndim} axes" if ndim else "none, as there are no axes"


def whole_numbers(given: Any, expected: str) -> tuple[int, ...]:
    """Return what is given as one whole number, or as several, as a tuple of ints."""
    if type(given) is tuple and _INTS.issuperset(map(type, given)):
        return given
    if not WHOLES.of_type(given):
        raise misused(given, expected)
    several: Any = (given,) if WHOLE.of_type(given) else given
    return tuple(map(operator.index, several))


def reduced_shape(shape: Shape, axis: Axis = None, keepdims: bool = False, **_: Any) -> Shape:
    """Return the shape that a reduction over ``axis`` gives; of no axes, NumPy takes 0 and -1 away too."""
    if not shape and axis in (0, -1):
        return ()
    axes = normalize_axis(axis, len(shape))
    if keepdims:
        return tuple(1 if i in axes else n for i, n in enumerate(shape))
    return tuple(n for i, n in enumerate(shape) if i not in axes)


def same_shape(shape: Shape, *_: Any, **__: Any) -> Shape:
    """Return the shape of the first operand."""
    return shape


def given_shape(*_: Any, shape: Shape, **__: Any) -> Shape:
    """Return the shape that is a parameter of the operation."""
    return shape


def matmul_shape(a: Shape, b: Shape) -> Shape:
    """Return the shape of ``a @ b``, from 1-D to batched."""
    if not a or not b or a[-1] != b[-2:][0]:
        raise ValueError(f"matmul: the operands have shapes {a} and {b}; expected (..., n, k) @ (..., k, m)")
    batch = broadcast_shape(a[:-2], b[:-2])
    return batch + a[-2:-1] + (b[-1:] if len(b) > 1 else ())


def transposed_shape(shape: Shape, axes: tuple[int, ...]) -> Shape:
    """Return the shape after a permutation of the axes."""
    return tuple(shape[i] for i in axes)


def concatenated_shape(*shapes: Shape, axis: int, **_: Any) -> Shape:
    """Return the shape of a concatenation; ``axis`` counts from the front."""
    first = shapes[0]
    return (*first[:axis], sum(s[axis] for s in shapes), *first[axis + 1 :])


def stacked_shape(*shapes: Shape, axis: int) -> Shape:
    """Return the shape of a stack along a new axis."""
    return (*shapes[0][:axis], len(shapes), *shapes[0][axis:])


def resolved_shape(old: Shape, new: Shape) -> Shape:
    """Return the shape asked of a reshape, with a single -1 worked out."""
    if min(new, default=0) < -1:
        raise ValueError(f"reshape: shape is {new}; expected lengths of 0 or more, and -1 once at most")
    size, known = math.prod(old), math.prod(n for n in new if n != -1)
    if new.count(-1) == 1 and known and size % known == 0:
        return tuple(size // known if n == -1 else n for n in new)
    if -1 in new or size != known:
        raise ValueError(
            f"reshape: an array of shape {old} has {size} elements and cannot take the shape {new}"
        )
    return new


def indexed_shape(shape: Shape, *arrays: Shape, index: tuple[IndexItem, ...]) -> Shape:
    """Return the shape of ``x[index]``, found by indexing an array that takes no memory."""
    dummy = np.broadcast_to(np.empty((), bool), shape)
    zeros = iter([np.zeros(a, np.intp) for a in arrays])
    full: Any = tuple(next(zeros) if item is ARRAY else item for item in index)
    return dummy[full].shape
