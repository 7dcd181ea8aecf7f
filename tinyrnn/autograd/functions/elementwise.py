"""Functions of each element; where operands differ in shape they broadcast."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.arguments import DTYPE, misused
from tinyrnn.autograd.operands import operand, refusal
from tinyrnn.autograd.primitive import NONE, Primitive, Value
from tinyrnn.autograd.signatures import of_cases, of_one, of_two
from tinyrnn.autograd.state import get_default_dtype

__all__ = [
    "abs",
    "absolute",
    "astype",
    "clip",
    "exp",
    "log",
    "maximum",
    "minimum",
    "positive",
    "relu",
    "sigmoid",
    "softplus",
    "sqrt",
    "tanh",
    "where",
]


def each(primitive: Primitive, x: Any) -> Any:
    """Apply an operation of one operand."""
    if isinstance(x, Value):
        return x._apply(primitive, (x,), NONE)
    array = operand(x)
    try:
        return primitive(array)
    except TypeError as error:  # of booleans, NumPy has no negative and no sign
        raise refusal(primitive, [array], NONE, error) from error


@of_one
def exp(x: Any) -> Any:
    """Exponential of each element.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.exp(tr.tensor([0.0, 1.0]))
    tensor([1. , 2.71828...])
    """
    return each(p.exp, x)


@of_one
def log(x: Any) -> Any:
    """Natural logarithm of each element.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.log(tr.tensor([1.0, 2.0]))
    tensor([0. , 0.69314...])
    """
    return each(p.log, x)


@of_one
def sqrt(x: Any) -> Any:
    """Square root of each element.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.sqrt(tr.tensor([1.0, 4.0]))
    tensor([1., 2.])
    """
    return each(p.sqrt, x)


@of_one
def abs(x: Any) -> Any:
    """Absolute value of each element; the gradient at 0 is 0.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.abs(tr.tensor([-1.0, 2.0]))
    tensor([1., 2.])
    """
    return each(p.absolute, x)


absolute = abs


@of_one
def positive(x: Any) -> Any:
    """Return what is given.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.positive(tr.ones(1))
    tensor([1.])
    """
    return operand(x)


@of_one
def tanh(x: Any) -> Any:
    """Hyperbolic tangent of each element.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.tanh(tr.tensor([0.0, 0.5]))
    tensor([0. , 0.46211...])
    """
    return each(p.tanh, x)


@of_one
def sigmoid(x: Any) -> Any:
    """Logistic function ``1 / (1 + exp(-x))`` of each element, computed as ``tanh(x / 2) / 2 + 1 / 2``.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.sigmoid(tr.tensor([0.0, 1000.0]))
    tensor([0.5, 1. ])
    """
    return each(p.sigmoid, x)


@of_one
def relu(x: Any) -> Any:
    """Rectify each element: ``max(x, 0)``; the gradient at 0 is 0.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.relu(tr.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return each(p.relu, x)


@of_one
def softplus(x: Any) -> Any:
    """``log(1 + exp(x))`` of each element, without overflow.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.softplus(tr.tensor([0.0, 1000.0]))
    tensor([6.9314...e-01, 1.0000...e+03])
    """
    return each(p.softplus, x)


@of_two
def maximum(a: Any, b: Any) -> Any:
    """Elementwise larger of two; where they are equal, each gets half of the gradient.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.maximum(tr.tensor([1.0, 5.0]), 3.0)
    tensor([3., 5.])
    """
    return p.maximum(operand(a), operand(b))


@of_two
def minimum(a: Any, b: Any) -> Any:
    """Elementwise smaller of two; where they are equal, each gets half of the gradient.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.minimum(tr.tensor([1.0, 5.0]), 3.0)
    tensor([1., 3.])
    """
    return p.minimum(operand(a), operand(b))


@of_one
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
    x = operand(x)
    lowest, highest = (-np.inf, np.inf) if x.dtype.kind == "f" else _limits(x.dtype)
    return p.clip(x, lowest if min is None else operand(min), highest if max is None else operand(max))


def _limits(dtype: np.dtype[Any]) -> tuple[int, int]:
    return (0, 1) if dtype.kind == "b" else (int(np.iinfo(dtype).min), int(np.iinfo(dtype).max))


@of_cases
def where(condition: Any, a: Any, b: Any) -> Any:
    """Take ``a`` where the condition holds and ``b`` elsewhere.

    The branch not taken gets a gradient of zero, and stays free of NaN even where its own slope is infinite.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.where(np.array([True, False]), tr.tensor([1.0, 2.0]), 0.0)
    tensor([1., 0.])
    """
    if isinstance(a, (int, float)) and isinstance(b, (int, float)) and isinstance(condition, Value):
        a = np.asarray(a, get_default_dtype() if isinstance(a, float) or isinstance(b, float) else None)
    a, b = (x if isinstance(x, (Value, int, float)) else operand(x) for x in (a, b))
    return p.where(operand(condition), a, b)


@of_one
def astype(x: Any, dtype: npt.DTypeLike) -> Any:
    """Return the value in another dtype; the gradient comes back in the old one. Integers carry none.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.astype(tr.ones(2), "float64").dtype
    dtype('float64')
    """
    x = operand(x)
    if dtype is None or not DTYPE.of_type(dtype):
        raise misused(dtype, "a dtype of real numbers, such as 'float32'")
    new = np.dtype(dtype)
    if x.dtype == new:
        return x
    return (p.astype if new.kind == "f" else p.rounded)(x, dtype=new)
