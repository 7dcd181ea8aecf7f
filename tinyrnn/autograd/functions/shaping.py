"""Another shape, or another order of the axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.arguments import AXES, WHOLE, WHOLES, checked
from tinyrnn.autograd.described import described
from tinyrnn.autograd.operands import operand, several
from tinyrnn.autograd.shapes import Axis, normalize_axis, resolved_shape, whole_numbers
from tinyrnn.autograd.signatures import of_one

__all__ = [
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "broadcast_to",
    "copy",
    "expand_dims",
    "flatten",
    "matrix_transpose",
    "moveaxis",
    "permute_dims",
    "ravel",
    "reshape",
    "rollaxis",
    "squeeze",
    "swapaxes",
    "transpose",
]


@of_one
def reshape(x: Any, shape: int | Sequence[int]) -> Any:
    """Return the elements in another shape; one length may be -1.

    Raises
    ------
    ValueError
        Where the number of elements does not fit.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.reshape(tr.ones((2, 3)), (3, -1)).shape
    (3, 2)
    """
    x = operand(x)
    new = whole_numbers(shape, "an int, or a tuple of ints")
    return p.reshape(x, shape=resolved_shape(x.shape, new))


@of_one
@checked(axes=WHOLES.or_none())
def transpose(x: Any, axes: Sequence[int] | None = None) -> Any:
    """Permute the axes, as `numpy.transpose`; by default reverse them. PyTorch's, of two axes, is `swapaxes`.

    Raises
    ------
    ValueError
        Where the axes are not a permutation of all axes.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.transpose(tr.ones((2, 3, 4)), (1, 0, 2)).shape
    (3, 2, 4)
    """
    x = operand(x)
    order = tuple(range(x.ndim))[::-1] if axes is None else normalize_axis(tuple(several(axes)), x.ndim)
    if sorted(order) != list(range(x.ndim)):
        raise ValueError(
            f"transpose: axes are {tuple(axes or ())}; expected each of the {x.ndim} axes once "
            "(swapaxes exchanges two)"
        )
    return p.transpose(x, axes=order)


@of_one
@checked(axis1=WHOLE, axis2=WHOLE)
def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Exchange two axes.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.swapaxes(tr.ones((2, 3, 4)), 0, -1).shape
    (4, 3, 2)
    """
    x = operand(x)
    i, j = (normalize_axis(axis, x.ndim)[0] for axis in (axis1, axis2))
    order = list(range(x.ndim))
    order[i], order[j] = j, i
    return p.transpose(x, axes=tuple(order))


@of_one
def flatten(x: Any) -> Any:
    """Return the elements in one axis.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.flatten(tr.ones((2, 3))).shape
    (6,)
    """
    x = operand(x)
    return p.reshape(x, shape=(math.prod(x.shape),))


@of_one
@checked(axis=AXES)
def squeeze(x: Any, axis: Axis = None) -> Any:
    """Drop axes of length 1: those named, or all.

    Raises
    ------
    ValueError
        Where an axis named is not of length 1.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.squeeze(tr.ones((1, 3, 1)), -1).shape
    (1, 3)
    """
    x = operand(x)
    axes = tuple(i for i, n in enumerate(x.shape) if n == 1) if axis is None else normalize_axis(axis, x.ndim)
    if any(x.shape[i] != 1 for i in axes):
        raise ValueError(f"squeeze: axis {axis} of shape {x.shape} is not of length 1")
    return p.reshape(x, shape=tuple(n for i, n in enumerate(x.shape) if i not in axes))


@of_one
def expand_dims(x: Any, axis: int | tuple[int, ...]) -> Any:
    """Insert axes of length 1, which stand at ``axis`` in the result.

    Raises
    ------
    ValueError
        Where an axis is named twice.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.expand_dims(tr.ones(3), 0).shape, tr.expand_dims(tr.ones(3), (0, 2)).shape
    ((1, 3), (1, 3, 1))
    """
    x = operand(x)
    many = len(whole_numbers(axis, "an int, or a tuple of ints"))
    axes = normalize_axis(axis, x.ndim + many)
    if len(set(axes)) != many:
        raise ValueError(f"expand_dims: axis is {axis}; expected each axis once")
    lengths = iter(x.shape)
    return p.reshape(x, shape=tuple(1 if i in axes else next(lengths) for i in range(x.ndim + many)))


@of_one
def broadcast_to(x: Any, shape: int | Sequence[int]) -> Any:
    """Broadcast to a shape.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.broadcast_to(tr.ones(3), (2, 3)).shape
    (2, 3)
    """
    x = operand(x)
    new = whole_numbers(shape, "an int, or a tuple of ints")
    lead = len(new) - x.ndim
    if lead < 0 or any(n not in (1, m) for n, m in zip(x.shape, new[lead:], strict=True)):
        raise ValueError(f"broadcast_to: shape {x.shape} does not broadcast to {new}")
    return p.broadcast_to(x, shape=new)


ravel = flatten
permute_dims = transpose


@of_one
def matrix_transpose(x: Any) -> Any:
    """Exchange the last two axes.

    Raises
    ------
    ValueError
        Where there are fewer than two axes.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.matrix_transpose(tr.ones((5, 2, 3))).shape
    (5, 3, 2)
    """
    x = operand(x)
    if x.ndim < 2:
        raise ValueError(f"matrix_transpose: the operand has shape {x.shape}; expected at least two axes")
    return swapaxes(x, -1, -2)


@of_one
@checked(source=WHOLES, destination=WHOLES)
def moveaxis(x: Any, source: int | Sequence[int], destination: int | Sequence[int]) -> Any:
    """Move axes to other places; the rest keep their order.

    Raises
    ------
    ValueError
        Where there are not as many destinations as sources, or one is named twice.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.moveaxis(tr.ones((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    x = operand(x)
    old, new = (
        normalize_axis(a if isinstance(a, (int, np.integer)) else tuple(a), x.ndim)
        for a in (source, destination)
    )
    if len(old) != len(new) or len(set(old)) != len(old) or len(set(new)) != len(new):
        raise ValueError(
            f"moveaxis: source is {source} and destination {destination}; expected as many axes, each once"
        )
    order = [i for i in range(x.ndim) if i not in old]
    for place, axis in sorted(zip(new, old, strict=True)):
        order.insert(place, axis)
    return p.transpose(x, axes=tuple(order))


@of_one
@checked(axis=WHOLE, start=WHOLE)
def rollaxis(x: Any, axis: int, start: int = 0) -> Any:
    """Move an axis back until it stands before the axis ``start``; `moveaxis` is easier to read.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.rollaxis(tr.ones((2, 3, 4)), 2).shape, tr.rollaxis(tr.ones((2, 3, 4)), 0, 2).shape
    ((4, 2, 3), (3, 2, 4))
    """
    x = operand(x)
    (axis,) = normalize_axis(axis, x.ndim)
    (start,) = normalize_axis(start, x.ndim + 1) if start != x.ndim else (x.ndim,)
    return moveaxis(x, axis, start - (axis < start))


def _each(xs: tuple[Any, ...], f: Any) -> Any:
    """Apply to one, or to each of several, as NumPy's ``atleast_`` functions do."""
    results = tuple(f(operand(x)) for x in xs)
    return results[0] if len(results) == 1 else results


@described
def atleast_1d(*arys: Any) -> Any:
    """Give what has no axis one of length 1; of several operands, a tuple.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.atleast_1d(tr.tensor(2.0))
    tensor([2.])
    """
    return _each(arys, lambda x: x if x.ndim else p.reshape(x, shape=(1,)))


@described
def atleast_2d(*arys: Any) -> Any:
    """Give what has fewer than two axes leading ones of length 1; of several operands, a tuple.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.atleast_2d(tr.ones(3)).shape
    (1, 3)
    """
    return _each(arys, lambda x: x if x.ndim > 1 else p.reshape(x, shape=(1, *(x.shape or (1,)))))


@described
def atleast_3d(*arys: Any) -> Any:
    """Give three axes: a number becomes (1, 1, 1), (N,) becomes (1, N, 1), and (M, N) becomes (M, N, 1).

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.atleast_3d(tr.ones(3)).shape
    (1, 3, 1)
    """

    def three(x: Any) -> Any:
        if x.ndim > 2:
            return x
        return p.reshape(x, shape=(*x.shape, 1) if x.ndim == 2 else (1, *(x.shape or (1,)), 1))

    return _each(arys, three)


@of_one
def copy(x: Any) -> Any:
    """Return the same elements in an array of their own; a gradient goes through.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.copy(tr.ones(2))
    tensor([1., 1.])
    """
    return p.copy(operand(x))
