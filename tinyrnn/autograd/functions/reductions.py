"""Functions that take axes away, and the functions that normalise along one."""

from __future__ import annotations

from typing import Any

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.operands import operand
from tinyrnn.autograd.shapes import Axis


def sum(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Sum of the elements over the axes (all of them by default).

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.sum(tr.ones((2, 3)), axis=1)
    tensor([3., 3.])
    """
    return p.sum(operand(x), axis=axis, keepdims=keepdims)


def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Mean of the elements over the axes (all of them by default).

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.mean(tr.tensor([1.0, 2.0, 6.0]))
    tensor(3.)
    """
    return p.mean(operand(x), axis=axis, keepdims=keepdims)


def max(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Largest element along the axes; where several are, they share the gradient equally.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.max(tr.tensor([[1.0, 2.0], [4.0, 3.0]]), axis=1)
    tensor([2., 4.])
    """
    return p.max(operand(x), axis=axis, keepdims=keepdims)


def min(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Smallest element along the axes; where several are, they share the gradient equally.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.min(tr.tensor([[1.0, 2.0], [4.0, 3.0]]), axis=1)
    tensor([1., 3.])
    """
    return p.min(operand(x), axis=axis, keepdims=keepdims)


def argmax(x: Any, axis: int | None = None) -> Any:
    """Index of the largest element along an axis, or in the flattened array; it carries no gradient.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.argmax(tr.tensor([[1.0, 2.0], [4.0, 3.0]]), axis=1)
    tensor([1, 0])
    """
    return p.argmax(operand(x), axis=axis)


def argmin(x: Any, axis: int | None = None) -> Any:
    """Index of the smallest element along an axis, or in the flattened array; it carries no gradient.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.argmin(tr.tensor([[1.0, 2.0], [4.0, 3.0]]), axis=1)
    tensor([0, 1])
    """
    return p.argmin(operand(x), axis=axis)


def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """``log(sum(exp(x)))`` over the axes, without overflow.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.logsumexp(tr.tensor([1000.0, 1000.0]))
    tensor(1000.693...)
    """
    return p.logsumexp(operand(x), axis=axis, keepdims=keepdims)


def softmax(x: Any, axis: int = -1) -> Any:
    """``exp(x) / sum(exp(x))`` along an axis, without overflow.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.softmax(tr.tensor([0.0, 0.0, 1000.0]))
    tensor([0., 0., 1.])
    """
    return p.softmax(operand(x), axis=axis)


def log_softmax(x: Any, axis: int = -1) -> Any:
    """``x - logsumexp(x)`` along an axis.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.log_softmax(tr.tensor([0.0, 0.0]))
    tensor([-0.69314..., -0.69314...])
    """
    return p.log_softmax(operand(x), axis=axis)
