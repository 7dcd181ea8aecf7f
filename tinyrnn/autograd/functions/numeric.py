"""More functions of each element: remainders, what to do with NaN, and parts of complex numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.arguments import FLAG, REAL, SEVERAL, checked
from tinyrnn.autograd.described import described
from tinyrnn.autograd.functions.elementwise import each, where
from tinyrnn.autograd.operands import alike, operand
from tinyrnn.autograd.signatures import of_one, of_two

__all__ = [
    "conj",
    "floor_divide",
    "fmax",
    "fmin",
    "fmod",
    "imag",
    "mod",
    "nan_to_num",
    "real",
    "reciprocal",
    "remainder",
    "select",
]


@of_one
def reciprocal(x: Any) -> Any:
    """``1 / x`` of each element.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.reciprocal(tr.tensor([1.0, 4.0]))
    tensor([1. , 0.25])
    """
    return each(p.reciprocal, x)


@of_two
def remainder(a: Any, b: Any) -> Any:
    """Remainder of ``a / b`` with the sign of ``b``, as Python's ``%``; ``mod`` is the same.

    The gradient of ``a`` is 1 and that of ``b`` is ``-(a // b)``, at the jumps too.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.remainder(tr.tensor([5.0, -5.0]), 3.0)
    tensor([2., 1.])
    """
    return p.remainder(operand(a), operand(b))


@of_two
def fmod(a: Any, b: Any) -> Any:
    """Remainder of ``a / b`` with the sign of ``a``, as C's ``fmod``.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.fmod(tr.tensor([5.0, -5.0]), 3.0)
    tensor([ 2., -2.])
    """
    return p.fmod(operand(a), operand(b))


@of_two
def floor_divide(a: Any, b: Any) -> Any:
    """Floor of ``a / b``, as Python's ``//``; a constant, since its gradient is zero wherever there is one.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.floor_divide(tr.tensor([5.0, -5.0]), 3.0)
    tensor([ 1., -2.])
    """
    return p.floor_divide(*alike(a, b))


@of_two
def fmax(a: Any, b: Any) -> Any:
    """Elementwise larger of two; a number is larger than NaN. Equal ones share the gradient.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.fmax(tr.tensor([1.0, float("nan")]), 3.0)
    tensor([3., 3.])
    """
    return p.fmax(operand(a), operand(b))


@of_two
def fmin(a: Any, b: Any) -> Any:
    """Elementwise smaller of two; a number is smaller than NaN. Equal ones share the gradient.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.fmin(tr.tensor([1.0, float("nan")]), 3.0)
    tensor([1., 3.])
    """
    return p.fmin(operand(a), operand(b))


@of_one
@checked(copy=FLAG.or_none(), nan=REAL, posinf=REAL.or_none(), neginf=REAL.or_none())
def nan_to_num(
    x: Any, copy: bool = True, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Any:
    """Replace NaN by a number (0), and what is infinite by the largest and smallest there are, or as given.

    What was replaced has no gradient. The result is a new array, whatever ``copy`` says.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nan_to_num(tr.tensor([float("nan"), float("inf"), 1.0]), posinf=9.0)
    tensor([0., 9., 1.])
    """
    x = operand(x)
    if x.dtype.kind != "f":
        return x
    limits = np.finfo(x.dtype)
    high = float(limits.max) if posinf is None else posinf
    low = float(limits.min) if neginf is None else neginf
    x = where(p.isnan(x), nan, x)
    return where(p.equal(x, np.inf), high, where(p.equal(x, -np.inf), low, x))


@of_one
def real(x: Any) -> Any:
    """Real part, of real numbers themselves.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.real(tr.ones(2))
    tensor([1., 1.])
    """
    return operand(x)


@of_one
def conj(x: Any) -> Any:
    """Complex conjugate, of real numbers themselves.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.conj(tr.ones(2))
    tensor([1., 1.])
    """
    return operand(x)


@described
def imag(x: Any) -> Any:
    """Imaginary part, of real numbers 0, and so a constant.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.imag(tr.ones(2))
    array([0., 0.], dtype=float32)
    """
    x = operand(x)
    return np.zeros(x.shape, x.dtype)


@described
@checked(condlist=SEVERAL, choicelist=SEVERAL)
def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0.0) -> Any:
    """Take from the first choice whose condition holds, and the default where none does.

    Raises
    ------
    ValueError
        Where there are not as many conditions as choices, or none.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> x = tr.tensor([-2.0, 0.5, 3.0])
    >>> tr.select([x < 0, x > 1], [-x, x * x], 9.0)
    tensor([2., 9., 9.])
    """
    if len(condlist) != len(choicelist) or not len(condlist):
        raise ValueError(
            f"select: got {len(condlist)} conditions and {len(choicelist)} choices; expected as many"
        )
    result = operand(default)
    for condition, choice in reversed(list(zip(condlist, choicelist, strict=True))):
        result = where(condition, choice, result)
    return result


mod = remainder
