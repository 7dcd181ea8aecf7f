"""Circular and hyperbolic functions of each element."""

from __future__ import annotations

import math
from typing import Any

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.functions.elementwise import each
from tinyrnn.autograd.operands import operand
from tinyrnn.autograd.signatures import of_one, of_two

__all__ = [
    "acos",
    "acosh",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cos",
    "cosh",
    "deg2rad",
    "degrees",
    "hypot",
    "rad2deg",
    "radians",
    "sin",
    "sinc",
    "sinh",
    "tan",
]


@of_one
def sin(x: Any) -> Any:
    """Sine of each element, in radians.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.sin(tr.tensor([0.0, 0.5]))
    tensor([0. , 0.4794...])
    """
    return each(p.sin, x)


@of_one
def cos(x: Any) -> Any:
    """Cosine of each element, in radians.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.cos(tr.tensor([0.0, 0.5]))
    tensor([1. , 0.8775...])
    """
    return each(p.cos, x)


@of_one
def tan(x: Any) -> Any:
    """Tangent of each element, in radians.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.tan(tr.tensor([0.0, 0.5]))
    tensor([0. , 0.5463...])
    """
    return each(p.tan, x)


@of_one
def arcsin(x: Any) -> Any:
    """Inverse sine of each element, from -π/2 to π/2.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.arcsin(tr.tensor([0.0, 0.5]))
    tensor([0. , 0.5235...])
    """
    return each(p.arcsin, x)


@of_one
def arccos(x: Any) -> Any:
    """Inverse cosine of each element, from 0 to π.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.arccos(tr.tensor([1.0, 0.5]))
    tensor([0. , 1.0471...])
    """
    return each(p.arccos, x)


@of_one
def arctan(x: Any) -> Any:
    """Inverse tangent of each element, from -π/2 to π/2.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.arctan(tr.tensor([0.0, 0.5]))
    tensor([0. , 0.4636...])
    """
    return each(p.arctan, x)


@of_two
def arctan2(y: Any, x: Any) -> Any:
    """Angle of the point ``(x, y)``, from -π to π; at the origin its gradient is NaN.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.arctan2(tr.tensor([0.0, 1.0]), -1.0)
    tensor([3.1415..., 2.3561...])
    """
    return p.arctan2(operand(y), operand(x))


@of_two
def hypot(a: Any, b: Any) -> Any:
    """``sqrt(a**2 + b**2)`` without overflow; at the origin the gradient is 0.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.hypot(tr.tensor([3.0, 0.0]), 4.0)
    tensor([5., 4.])
    """
    return p.hypot(operand(a), operand(b))


@of_one
def sinh(x: Any) -> Any:
    """Hyperbolic sine of each element.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.sinh(tr.tensor([0.0, 0.5]))
    tensor([0. , 0.5210...])
    """
    return each(p.sinh, x)


@of_one
def cosh(x: Any) -> Any:
    """Hyperbolic cosine of each element.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.cosh(tr.tensor([0.0, 0.5]))
    tensor([1. , 1.1276...])
    """
    return each(p.cosh, x)


@of_one
def arcsinh(x: Any) -> Any:
    """Inverse hyperbolic sine of each element.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.arcsinh(tr.tensor([0.0, 0.5]))
    tensor([0. , 0.4812...])
    """
    return each(p.arcsinh, x)


@of_one
def arccosh(x: Any) -> Any:
    """Inverse hyperbolic cosine of each element, for 1 and more.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.arccosh(tr.tensor([1.0, 2.0]))
    tensor([0. , 1.3169...])
    """
    return each(p.arccosh, x)


@of_one
def arctanh(x: Any) -> Any:
    """Inverse hyperbolic tangent of each element, between -1 and 1.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.arctanh(tr.tensor([0.0, 0.5]))
    tensor([0. , 0.5493...])
    """
    return each(p.arctanh, x)


@of_one
def sinc(x: Any) -> Any:
    """``sin(πx) / (πx)`` of each element, and 1 at 0, where its gradient is 0.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.sinc(tr.tensor([0.0, 0.5]))
    tensor([1. , 0.6366...])
    """
    return each(p.sinc, x)


@of_one
def deg2rad(x: Any) -> Any:
    """Degrees as radians.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.deg2rad(tr.tensor([0.0, 180.0]))
    tensor([0. , 3.1415...])
    """
    return operand(x) * (math.pi / 180)


@of_one
def rad2deg(x: Any) -> Any:
    """Radians as degrees.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.rad2deg(tr.tensor([0.0, 0.5]))
    tensor([ 0. , 28.64789])
    """
    return operand(x) * (180 / math.pi)


radians, degrees = deg2rad, rad2deg
asin, acos, atan, atan2 = arcsin, arccos, arctan, arctan2
asinh, acosh, atanh = arcsinh, arccosh, arctanh
