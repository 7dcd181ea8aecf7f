"""The public functions: NumPy's names and meanings, on Tensors, arrays and numbers.

Given plain arrays they compute plain arrays; given a Tensor they record. Elementwise functions broadcast.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.primitive import Value
from tinyrnn.autograd.shapes import ARRAY, Axis, IndexItem, normalize_axis, resolved_shape


def _value(x: Any) -> Any:
    return x if isinstance(x, (Value, np.ndarray)) else np.asarray(x)


# --- elementwise ---------------------------------------------------------------------------------------------------
def exp(x: Any) -> Any:
    """Exponential of each element.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.exp(tr.tensor([0.0, 1.0]))
    tensor([1.       , 2.7182817])
    """
    return p.exp(_value(x))


def log(x: Any) -> Any:
    """Natural logarithm of each element.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.log(tr.tensor([1.0, 2.0]))
    tensor([0.       , 0.6931472])
    """
    return p.log(_value(x))


def sqrt(x: Any) -> Any:
    """Square root of each element.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.sqrt(tr.tensor([1.0, 4.0]))
    tensor([1., 2.])
    """
    return p.sqrt(_value(x))


def abs(x: Any) -> Any:
    """Absolute value of each element; the gradient at 0 is 0.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.abs(tr.tensor([-1.0, 2.0]))
    tensor([1., 2.])
    """
    return p.absolute(_value(x))


def tanh(x: Any) -> Any:
    """Hyperbolic tangent of each element.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.tanh(tr.tensor([0.0, 0.5]))
    tensor([0.        , 0.46211717])
    """
    return p.tanh(_value(x))


def sigmoid(x: Any) -> Any:
    """Logistic function ``1 / (1 + exp(-x))`` of each element, computed as ``tanh(x / 2) / 2 + 1 / 2``.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.sigmoid(tr.tensor([0.0, 1000.0]))
    tensor([0.5, 1. ])
    """
    return p.sigmoid(_value(x))


def relu(x: Any) -> Any:
    """Rectify each element: ``max(x, 0)``; the gradient at 0 is 0.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.relu(tr.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return p.relu(_value(x))


def softplus(x: Any) -> Any:
    """``log(1 + exp(x))`` of each element, without overflow.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.softplus(tr.tensor([0.0, 1000.0]))
    tensor([6.931472e-01, 1.000000e+03])
    """
    return p.softplus(_value(x))


def maximum(a: Any, b: Any) -> Any:
    """Elementwise larger of two; where they are equal, each gets half of the gradient.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.maximum(tr.tensor([1.0, 5.0]), 3.0)
    tensor([3., 5.])
    """
    return p.maximum(_value(a), _value(b))


def minimum(a: Any, b: Any) -> Any:
    """Elementwise smaller of two; where they are equal, each gets half of the gradient.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.minimum(tr.tensor([1.0, 5.0]), 3.0)
    tensor([1., 3.])
    """
    return p.minimum(_value(a), _value(b))


def clip(x: Any, min: Any = None, max: Any = None) -> Any:
    """Limit each element to ``[min, max]``; either bound may be left out.

    The gradient passes where the element is inside, the bounds included.

    Raises
    ------
    ValueError
        Where both bounds are None.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.clip(tr.tensor([-2.0, 0.5, 2.0]), -1, 1)
    tensor([-1. ,  0.5,  1. ])
    """
    if min is None and max is None:
        raise ValueError("clip: min and max are both None; expected at least one bound")
    return p.clip(_value(x), -np.inf if min is None else min, np.inf if max is None else max)


def where(condition: Any, a: Any, b: Any) -> Any:
    """Take ``a`` where the condition holds and ``b`` elsewhere.

    The branch not taken gets a gradient of zero, and stays free of NaN even where its own slope is infinite.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.where(np.array([True, False]), tr.tensor([1.0, 2.0]), 0.0)
    tensor([1., 0.])
    """
    return p.where(_value(condition), a, b)


# --- reductions ----------------------------------------------------------------------------------------------------
def sum(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Sum of the elements over the axes (all of them by default).

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.sum(tr.ones((2, 3)), axis=1)
    tensor([3., 3.])
    """
    return p.sum(_value(x), axis=axis, keepdims=keepdims)


def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Mean of the elements over the axes (all of them by default).

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.mean(tr.tensor([1.0, 2.0, 6.0]))
    tensor(3.)
    """
    return p.mean(_value(x), axis=axis, keepdims=keepdims)


def max(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Largest element along the axes; where several are, they share the gradient equally.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.max(tr.tensor([[1.0, 2.0], [4.0, 3.0]]), axis=1)
    tensor([2., 4.])
    """
    return p.max(_value(x), axis=axis, keepdims=keepdims)


def min(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Smallest element along the axes; where several are, they share the gradient equally.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.min(tr.tensor([[1.0, 2.0], [4.0, 3.0]]), axis=1)
    tensor([1., 3.])
    """
    return -p.max(-_value(x), axis=axis, keepdims=keepdims)


def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """``log(sum(exp(x)))`` over the axes, without overflow.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.logsumexp(tr.tensor([1000.0, 1000.0]))
    tensor(1000.6931)
    """
    return p.logsumexp(_value(x), axis=axis, keepdims=keepdims)


def softmax(x: Any, axis: int = -1) -> Any:
    """``exp(x) / sum(exp(x))`` along an axis, without overflow.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.softmax(tr.tensor([0.0, 0.0, 1000.0]))
    tensor([0., 0., 1.])
    """
    return p.softmax(_value(x), axis=axis)


def log_softmax(x: Any, axis: int = -1) -> Any:
    """``x - logsumexp(x)`` along an axis.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.log_softmax(tr.tensor([0.0, 0.0]))
    tensor([-0.6931472, -0.6931472])
    """
    return p.log_softmax(_value(x), axis=axis)


# --- products ------------------------------------------------------------------------------------------------------
def matmul(a: Any, b: Any) -> Any:
    """Matrix product, as `numpy.matmul`: 1-D to batched.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.matmul(tr.ones((2, 3)), tr.ones(3))
    tensor([3., 3.])
    """
    return p.matmul(_value(a), _value(b))


# --- shape and place -----------------------------------------------------------------------------------------------
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
    x = _value(x)
    new = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
    return p.reshape(x, shape=resolved_shape(x.shape, tuple(int(n) for n in new)))


def transpose(x: Any, axes: Sequence[int] | None = None) -> Any:
    """Permute the axes; by default reverse them.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.transpose(tr.ones((2, 3, 4)), (1, 0, 2)).shape
    (3, 2, 4)
    """
    x = _value(x)
    order = tuple(range(x.ndim))[::-1] if axes is None else normalize_axis(tuple(axes), x.ndim)
    if sorted(order) != list(range(x.ndim)):
        raise ValueError(f"transpose: axes are {axes}; expected each of the {x.ndim} axes once")
    return p.transpose(x, axes=order)


def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Exchange two axes.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.swapaxes(tr.ones((2, 3, 4)), 0, -1).shape
    (4, 3, 2)
    """
    x = _value(x)
    i, j = normalize_axis((axis1, axis2), x.ndim)
    order = list(range(x.ndim))
    order[i], order[j] = j, i
    return p.transpose(x, axes=tuple(order))


def squeeze(x: Any, axis: Axis = None) -> Any:
    """Drop axes of length 1: those named, or all.

    Raises
    ------
    ValueError
        Where an axis named is longer than 1.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.squeeze(tr.ones((1, 3, 1)), -1).shape
    (1, 3)
    """
    x = _value(x)
    axes = tuple(i for i, n in enumerate(x.shape) if n == 1) if axis is None else normalize_axis(axis, x.ndim)
    if any(x.shape[i] != 1 for i in axes):
        raise ValueError(f"squeeze: axis {axis} of shape {x.shape} is longer than 1")
    return p.reshape(x, shape=tuple(n for i, n in enumerate(x.shape) if i not in axes))


def expand_dims(x: Any, axis: int) -> Any:
    """Insert an axis of length 1.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.expand_dims(tr.ones(3), 0).shape
    (1, 3)
    """
    x = _value(x)
    (i,) = normalize_axis(axis, x.ndim + 1)
    return p.reshape(x, shape=(*x.shape[:i], 1, *x.shape[i:]))


def broadcast_to(x: Any, shape: Sequence[int]) -> Any:
    """Broadcast to a shape.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.broadcast_to(tr.ones(3), (2, 3)).shape
    (2, 3)
    """
    x = _value(x)
    new = tuple(int(n) for n in shape)
    if np.broadcast_shapes(x.shape, new) != new:
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
    xs = [_value(x) for x in arrays]
    if not xs:
        raise ValueError("concatenate: got no arrays; expected at least one")
    (axis,) = normalize_axis(axis, xs[0].ndim)
    shapes = [x.shape for x in xs]
    if any(len(s) != len(shapes[0]) or s[:axis] + s[axis + 1 :] != shapes[0][:axis] + shapes[0][axis + 1 :] for s in shapes):
        raise ValueError(f"concatenate: shapes {shapes} differ in another axis than {axis}")
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
    xs = [_value(x) for x in arrays]
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
        Where the axis cannot be cut into that many equal parts.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> [part.shape for part in tr.split(tr.ones((2, 6)), 3, axis=1)]
    [(2, 2), (2, 2), (2, 2)]
    """
    x = _value(x)
    (axis,) = normalize_axis(axis, x.ndim)
    length = x.shape[axis]
    if isinstance(sections, (int, np.integer)):
        if sections < 1 or length % sections:
            raise ValueError(f"split: axis {axis} has length {length}, which {sections} equal parts do not divide")
        width = length // int(sections)
        bounds = [(i * width, (i + 1) * width) for i in range(int(sections))]
    else:
        cuts = [int(cut) for cut in sections]
        bounds = list(zip([0, *cuts], [*cuts, length], strict=True))
    return [x[(slice(None),) * axis + (slice(low, high),)] for low, high in bounds]


# --- indexing ------------------------------------------------------------------------------------------------------
def split_index(index: Any) -> tuple[tuple[IndexItem, ...], list[Any]]:
    """Part an index in what is static and the index arrays, which are operands.

    A boolean mask becomes the integer arrays of its true places.
    """
    static: list[IndexItem] = []
    arrays: list[Any] = []
    for item in index if isinstance(index, tuple) else (index,):
        if item is None or item is Ellipsis or isinstance(item, slice):
            static.append(item)
        elif isinstance(item, (int, np.integer)) and not isinstance(item, bool):
            static.append(int(item))
        else:
            array = _value(item)
            if array.dtype.kind == "b":
                parts = list(np.nonzero(array.data if isinstance(array, Value) else array))
            elif array.dtype.kind in "iu":
                parts = [array]
            elif array.size == 0:
                parts = [array.astype(np.intp)]
            else:
                raise IndexError(f"an index has dtype {array.dtype}; expected integers or booleans")
            static += [ARRAY] * len(parts)
            arrays += parts
    return tuple(static), arrays


def take(x: Any, indices: Any, axis: int = 0) -> Any:
    """Pick entries along an axis; with ``axis=0`` and a matrix, the look-up of an embedding.

    Parameters
    ----------
    x : array_like or Tensor, shape (..., N, ...)
        Where to pick from.
    indices : array_like of int, any shape
        Which entries. An entry picked twice gets both gradients.
    axis : int
        The axis of length N.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.take(tr.tensor([10.0, 20.0, 30.0]), [2, 0])
    tensor([30., 10.])
    """
    x = _value(x)
    (axis,) = normalize_axis(axis, x.ndim)
    static, arrays = split_index((slice(None),) * axis + (_value(indices),))
    return p.getitem(x, *arrays, index=static)


def astype(x: Any, dtype: npt.DTypeLike) -> Any:
    """Return the value in another dtype; the gradient comes back in the old one.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.astype(tr.ones(2), "float64").dtype
    dtype('float64')
    """
    return _value(x).astype(np.dtype(dtype))
