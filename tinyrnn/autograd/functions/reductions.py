"""Functions that take axes away, and the functions that normalise along one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.arguments import AXES, FLAG, NUMBER, WHOLE, checked
from tinyrnn.autograd.functions.differences import widened
from tinyrnn.autograd.functions.elementwise import astype
from tinyrnn.autograd.functions.joining import concatenate
from tinyrnn.autograd.operands import operand
from tinyrnn.autograd.shapes import Axis, normalize_axis, reduced_shape
from tinyrnn.autograd.signatures import of_one

__all__ = [
    "argmax",
    "argmin",
    "log_softmax",
    "logsumexp",
    "max",
    "mean",
    "min",
    "prod",
    "softmax",
    "std",
    "sum",
    "var",
]


@of_one
@checked(axis=AXES, keepdims=FLAG)
def sum(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Sum of the elements over the axes (all of them by default).

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.sum(tr.ones((2, 3)), axis=1)
    tensor([3., 3.])
    """
    return p.sum(operand(x), axis=axis, keepdims=keepdims)


@of_one
@checked(axis=AXES, keepdims=FLAG)
def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Mean of the elements over the axes (all of them by default).

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.mean(tr.tensor([1.0, 2.0, 6.0]))
    tensor(3.)
    """
    return p.mean(operand(x), axis=axis, keepdims=keepdims)


@of_one
@checked(axis=AXES, keepdims=FLAG)
def prod(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Product of the elements over the axes (all of them by default).

    It is made of products of pairs, then of pairs of these, and so on: so its gradient divides by nothing,
    and is right where elements are 0.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.prod(tr.tensor([2.0, 3.0, 4.0]))
    tensor(24.)
    """
    x = widened(operand(x))
    axes = normalize_axis(axis, x.ndim)
    shape = reduced_shape(x.shape, axis, keepdims)
    rest = tuple(i for i in range(x.ndim) if i not in axes)
    count = math.prod(x.shape[i] for i in axes)
    x = p.reshape(p.transpose(x, axes=axes + rest), shape=(count, *(x.shape[i] for i in rest)))
    if not count:
        return sum(x, (0,), keepdims=False).reshape(shape) + 1
    while (n := x.shape[0]) > 1:
        pairs = x[: n // 2] * x[n // 2 : n // 2 * 2]
        x = concatenate([pairs, x[n - 1 :]], 0) if n % 2 else pairs
    return p.reshape(x, shape=shape)


@of_one
@checked(axis=AXES, ddof=NUMBER, keepdims=FLAG, correction=NUMBER.or_none())
def var(
    x: Any, axis: Axis = None, ddof: float = 0, keepdims: bool = False, *, correction: float | None = None
) -> Any:
    """Variance of the elements over the axes: the mean squared distance from their mean.

    The sum is divided by the number of elements less ``ddof`` (or ``correction``, its other name). It is 0
    unless given, as in NumPy; in PyTorch it is 1.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.var(tr.tensor([1.0, 2.0, 6.0]), ddof=1)
    tensor(7.)
    """
    centred, count = _centred(x, axis, ddof if correction is None else correction)
    return sum(centred * centred, axis, keepdims) / count


@of_one
@checked(axis=AXES, ddof=NUMBER, keepdims=FLAG, correction=NUMBER.or_none())
def std(
    x: Any, axis: Axis = None, ddof: float = 0, keepdims: bool = False, *, correction: float | None = None
) -> Any:
    """Standard deviation of the elements over the axes, the root of `var`; where it is 0, so is its gradient.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.std(tr.tensor([1.0, 3.0]))
    tensor(1.)
    """
    centred, count = _centred(x, axis, ddof if correction is None else correction)
    return length(centred, axis, keepdims) / math.sqrt(count)


def _floats(x: Any) -> Any:
    """Return an operand, integers as floats."""
    x = operand(x)
    return x if x.dtype.kind == "f" else astype(x, np.float64)


def _centred(x: Any, axis: Axis, ddof: float) -> tuple[Any, float]:
    """Return the distances from the mean, and by what to divide their sum."""
    x = _floats(x)
    count = math.prod(x.shape[i] for i in normalize_axis(axis, x.ndim)) - ddof
    return x - mean(x, axis, keepdims=True), count if count > 0 else math.nan


def length(x: Any, axis: Axis = None, keepdims: bool = False, order: float = 2) -> Any:
    """Return the norm of the elements over the axes; see `tinyrnn.linalg.norm`."""
    axes = normalize_axis(axis, x.ndim)
    rest = tuple(i for i in range(x.ndim) if i not in axes)
    shape = (*(x.shape[i] for i in rest), math.prod(x.shape[i] for i in axes))
    ans = p.norm(p.reshape(p.transpose(x, axes=rest + axes), shape=shape), order=order)
    return p.reshape(ans, shape=reduced_shape(x.shape, axis, keepdims))


@of_one
@checked(axis=AXES, keepdims=FLAG)
def max(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Largest element along the axes; where several are, they share the gradient equally.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.max(tr.tensor([[1.0, 2.0], [4.0, 3.0]]), axis=1)
    tensor([2., 4.])
    """
    return p.max(operand(x), axis=axis, keepdims=keepdims)


@of_one
@checked(axis=AXES, keepdims=FLAG)
def min(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Smallest element along the axes; where several are, they share the gradient equally.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.min(tr.tensor([[1.0, 2.0], [4.0, 3.0]]), axis=1)
    tensor([1., 3.])
    """
    return p.min(operand(x), axis=axis, keepdims=keepdims)


@of_one
@checked(axis=WHOLE.or_none())
def argmax(x: Any, axis: int | None = None) -> Any:
    """Index of the largest element along an axis, or in the flattened array; it carries no gradient.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.argmax(tr.tensor([[1.0, 2.0], [4.0, 3.0]]), axis=1)
    tensor([1, 0])
    """
    return p.argmax(operand(x), axis=axis)


@of_one
@checked(axis=WHOLE.or_none())
def argmin(x: Any, axis: int | None = None) -> Any:
    """Index of the smallest element along an axis, or in the flattened array; it carries no gradient.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.argmin(tr.tensor([[1.0, 2.0], [4.0, 3.0]]), axis=1)
    tensor([0, 1])
    """
    return p.argmin(operand(x), axis=axis)


@of_one
@checked(axis=AXES, keepdims=FLAG)
def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """``log(sum(exp(x)))`` over the axes, without overflow.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.logsumexp(tr.tensor([1000.0, 1000.0]))
    tensor(1000.693...)
    """
    return p.logsumexp(_floats(x), axis=axis, keepdims=keepdims)


@of_one
@checked(axis=AXES)
def softmax(x: Any, axis: int = -1) -> Any:
    """``exp(x) / sum(exp(x))`` along an axis, without overflow.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.softmax(tr.tensor([0.0, 0.0, 1000.0]))
    tensor([0., 0., 1.])
    """
    return p.softmax(_floats(x), axis=axis)


@of_one
@checked(axis=AXES)
def log_softmax(x: Any, axis: int = -1) -> Any:
    """``x - logsumexp(x)`` along an axis.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.log_softmax(tr.tensor([0.0, 0.0]))
    tensor([-0.69314..., -0.69314...])
    """
    return p.log_softmax(_floats(x), axis=axis)
