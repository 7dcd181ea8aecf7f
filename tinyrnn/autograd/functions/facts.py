"""What carries no gradient: rounding, signs, and what is true of elements. Each gives a constant."""

from __future__ import annotations

from typing import Any

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.arguments import AXES, FLAG, WHOLE, checked
from tinyrnn.autograd.functions.elementwise import each
from tinyrnn.autograd.operands import operand
from tinyrnn.autograd.shapes import Axis
from tinyrnn.autograd.signatures import of_one

__all__ = [
    "all",
    "any",
    "ceil",
    "floor",
    "isfinite",
    "isinf",
    "isnan",
    "rint",
    "round",
    "sign",
    "signbit",
    "trunc",
]


@of_one
def sign(x: Any) -> Any:
    """Sign of each element: -1, 0 or 1.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.sign(tr.tensor([-2.0, 0.0]))
    tensor([-1.,  0.])
    """
    return each(p.sign, x)


@of_one
def signbit(x: Any) -> Any:
    """Whether each element has a minus sign; -0.0 has one.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.signbit(tr.tensor([-2.0, 0.0]))
    tensor([ True, False])
    """
    return each(p.signbit, x)


@of_one
def floor(x: Any) -> Any:
    """Largest whole number up to each element.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.floor(tr.tensor([-1.5, 1.5]))
    tensor([-2.,  1.])
    """
    return each(p.floor, x)


@of_one
def ceil(x: Any) -> Any:
    """Smallest whole number from each element on.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.ceil(tr.tensor([-1.5, 1.5]))
    tensor([-1.,  2.])
    """
    return each(p.ceil, x)


@of_one
def trunc(x: Any) -> Any:
    """Each element without what stands behind the point.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.trunc(tr.tensor([-1.5, 1.5]))
    tensor([-1.,  1.])
    """
    return each(p.trunc, x)


@of_one
def rint(x: Any) -> Any:
    """Nearest whole number of each element; of two, the even one.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.rint(tr.tensor([0.5, 1.5]))
    tensor([0., 2.])
    """
    return each(p.rint, x)


@of_one
@checked(decimals=WHOLE)
def round(x: Any, decimals: int = 0) -> Any:
    """Round each element to some places behind the point.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.round(tr.tensor([1.26]), 1)
    tensor([1.3])
    """
    return p.round(operand(x), decimals=decimals)


@of_one
def isnan(x: Any) -> Any:
    """Whether each element is NaN.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.isnan(tr.tensor([1.0, float("nan")]))
    tensor([False,  True])
    """
    return each(p.isnan, x)


@of_one
def isinf(x: Any) -> Any:
    """Whether each element is infinite.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.isinf(tr.tensor([1.0, float("inf")]))
    tensor([False,  True])
    """
    return each(p.isinf, x)


@of_one
def isfinite(x: Any) -> Any:
    """Whether each element is neither infinite nor NaN.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.isfinite(tr.tensor([1.0, float("inf")]))
    tensor([ True, False])
    """
    return each(p.isfinite, x)


@of_one
@checked(axis=AXES, keepdims=FLAG)
def all(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Whether all elements along the axes are true.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.all(tr.tensor([[True, False], [True, True]]), axis=1)
    tensor([False,  True])
    """
    return p.all(operand(x), axis=axis, keepdims=keepdims)


@of_one
@checked(axis=AXES, keepdims=FLAG)
def any(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Whether any element along the axes is true.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.any(tr.tensor([[True, False], [False, False]]), axis=1)
    tensor([ True, False])
    """
    return p.any(operand(x), axis=axis, keepdims=keepdims)
