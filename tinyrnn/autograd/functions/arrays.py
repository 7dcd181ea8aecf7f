"""Matrix product; shape and place: what moves elements and does not change them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.operands import operand
from tinyrnn.autograd.shapes import Axis, normalize_axis, resolved_shape


def matmul(a: Any, b: Any) -> Any:
    """Matrix product, as `numpy.matmul`: 1-D to batched.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.matmul(tr.ones((2, 3)), tr.ones(3))
    tensor([3., 3.])
    """
    return p.matmul(operand(a), operand(b))


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
    new = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
    return p.reshape(x, shape=resolved_shape(x.shape, tuple(int(n) for n in new)))


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
    order = tuple(range(x.ndim))[::-1] if axes is None else normalize_axis(tuple(axes), x.ndim)
    if sorted(order) != list(range(x.ndim)):
        raise ValueError(
            f"transpose: axes are {tuple(axes or ())}; expected each of the {x.ndim} axes once "
            "(swapaxes exchanges two)"
        )
    return p.transpose(x, axes=order)


def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Exchange two axes.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.swapaxes(tr.ones((2, 3, 4)), 0, -1).shape
    (4, 3, 2)
    """
    x = operand(x)
    i, j = normalize_axis((axis1, axis2), x.ndim)
    order = list(range(x.ndim))
    order[i], order[j] = j, i
    return p.transpose(x, axes=tuple(order))


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


def expand_dims(x: Any, axis: int) -> Any:
    """Insert an axis of length 1.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.expand_dims(tr.ones(3), 0).shape
    (1, 3)
    """
    x = operand(x)
    (i,) = normalize_axis(axis, x.ndim + 1)
    return p.reshape(x, shape=(*x.shape[:i], 1, *x.shape[i:]))


def broadcast_to(x: Any, shape: int | Sequence[int]) -> Any:
    """Broadcast to a shape.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.broadcast_to(tr.ones(3), (2, 3)).shape
    (2, 3)
    """
    x = operand(x)
    new = tuple(int(n) for n in ((shape,) if isinstance(shape, int) else shape))
    lead = len(new) - x.ndim
    if lead < 0 or any(n not in (1, m) for n, m in zip(x.shape, new[lead:], strict=True)):
        raise ValueError(f"broadcast_to: shape {x.shape} does not broadcast to {new}")
    return p.broadcast_to(x, shape=new)


def concatenate(arrays: Sequence[Any], axis: int = 0) -> Any:
    """Join arrays along an axis that they have.

    Raises
    ------
    ValueError
        Where there are none, or where their shapes differ in another axis.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.concatenate([tr.ones(2), tr.zeros(1)])
    tensor([1., 1., 0.])
    """
    xs = [operand(x) for x in arrays]
    if not xs:
        raise ValueError("concatenate: got no arrays; expected at least one")
    (axis,) = normalize_axis(axis, xs[0].ndim)
    shapes = [x.shape for x in xs]
    if any(
        len(s) != len(shapes[0]) or s[:axis] + s[axis + 1 :] != shapes[0][:axis] + shapes[0][axis + 1 :]
        for s in shapes
    ):
        raise ValueError(
            f"concatenate: the shapes are {shapes}; expected shapes that differ only in axis {axis}"
        )
    offsets = (0, *itertools.accumulate(s[axis] for s in shapes))
    return p.concatenate(*xs, axis=axis, offsets=offsets)


def stack(arrays: Sequence[Any], axis: int = 0) -> Any:
    """Join arrays of one shape along a new axis.

    Raises
    ------
    ValueError
        Where there are none, or where their shapes differ.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.stack([tr.ones(2), tr.zeros(2)])
    tensor([[1., 1.],
            [0., 0.]])
    """
    xs = [operand(x) for x in arrays]
    if not xs:
        raise ValueError("stack: got no arrays; expected at least one")
    shapes = [x.shape for x in xs]
    if len(set(shapes)) > 1:
        raise ValueError(f"stack: the arrays have shapes {shapes}; expected one shape")
    (axis,) = normalize_axis(axis, xs[0].ndim + 1)
    return p.stack(*xs, axis=axis)


def split(x: Any, sections: int | Sequence[int], axis: int = 0) -> list[Any]:
    """Cut along an axis into equal parts, or at the given places, as `numpy.split`.

    Raises
    ------
    ValueError
        Where the axis cannot be cut into that many equal parts, or not at those places.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> [part.shape for part in tr.split(tr.ones((2, 6)), 3, axis=1)]
    [(2, 2), (2, 2), (2, 2)]
    """
    x = operand(x)
    (axis,) = normalize_axis(axis, x.ndim)
    length = x.shape[axis]
    if isinstance(sections, (int, np.integer)):
        if sections < 1 or length % sections:
            raise ValueError(
                f"split: axis {axis} has length {length}; it cannot be cut into {sections} equal parts"
            )
        width = length // int(sections)
        bounds = [(i * width, (i + 1) * width) for i in range(int(sections))]
    else:
        cuts = [int(cut) + (length if cut < 0 else 0) for cut in sections]
        if any(low > high for low, high in itertools.pairwise([0, *cuts, length])):
            raise ValueError(
                f"split: the places are {list(sections)}; expected rising numbers from 0 to {length}"
            )
        bounds = list(itertools.pairwise([0, *cuts, length]))
    lead = (slice(None),) * axis
    return [x[(*lead, slice(low, high))] for low, high in bounds]
