"""Exponentials, logarithms and roots of each element."""

from __future__ import annotations

from typing import Any

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.functions.elementwise import each
from tinyrnn.autograd.operands import operand
from tinyrnn.autograd.signatures import of_one, of_two

__all__ = [
    "cbrt",
    "exp2",
    "expm1",
    "log10",
    "log1p",
    "log2",
    "logaddexp",
    "logaddexp2",
    "square",
]


@of_one
def exp2(x: Any) -> Any:
    """``2**x`` of each element.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.exp2(tr.tensor([0.0, 3.0]))
    tensor([1., 8.])
    """
    return each(p.exp2, x)


@of_one
def expm1(x: Any) -> Any:
    """``exp(x) - 1`` of each element, exact also near 0.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.expm1(tr.tensor([0.0, 1.0]))
    tensor([0. , 1.7182...])
    """
    return each(p.expm1, x)


@of_one
def log2(x: Any) -> Any:
    """Logarithm to base 2 of each element.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.log2(tr.tensor([1.0, 8.0]))
    tensor([0., 3.])
    """
    return each(p.log2, x)


@of_one
def log10(x: Any) -> Any:
    """Logarithm to base 10 of each element.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.log10(tr.tensor([1.0, 2.0]))
    tensor([0.    , 0.3010...])
    """
    return each(p.log10, x)


@of_one
def log1p(x: Any) -> Any:
    """``log(1 + x)`` of each element, exact also near 0.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.log1p(tr.tensor([0.0, 1.0]))
    tensor([0. , 0.6931...])
    """
    return each(p.log1p, x)


@of_two
def logaddexp(a: Any, b: Any) -> Any:
    """``log(exp(a) + exp(b))`` without overflow.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.logaddexp(tr.tensor([0.0, 1000.0]), 0.0)
    tensor([6.9314...e-01, 1.0000...e+03])
    """
    return p.logaddexp(operand(a), operand(b))


@of_two
def logaddexp2(a: Any, b: Any) -> Any:
    """``log2(2**a + 2**b)`` without overflow.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.logaddexp2(tr.tensor([0.0, 1000.0]), 0.0)
    tensor([   1., 1000.])
    """
    return p.logaddexp2(operand(a), operand(b))


@of_one
def cbrt(x: Any) -> Any:
    """Cube root of each element.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.cbrt(tr.tensor([1.0, 8.0]))
    tensor([1., 2.])
    """
    return each(p.cbrt, x)


@of_one
def square(x: Any) -> Any:
    """Square of each element.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.square(tr.tensor([1.0, -3.0]))
    tensor([1., 9.])
    """
    x = operand(x)
    return x * x
