"""Activations, under PyTorch's names and with its arguments. At a kink the slope is PyTorch's."""

from __future__ import annotations

import math
from typing import Any, Literal

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.arguments import ARRAY, REAL, checked, one_of
from tinyrnn.autograd.functions.elementwise import each, where
from tinyrnn.autograd.operands import operand
from tinyrnn.autograd.signatures import of_one

__all__ = [
    "elu",
    "erf",
    "gelu",
    "hardsigmoid",
    "hardtanh",
    "leaky_relu",
    "logsigmoid",
    "mish",
    "selu",
    "silu",
    "softsign",
]

# Of Klambauer et al., "Self-normalizing neural networks" (2017): mean 0 and variance 1 stay so.
_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805


@of_one
@checked(alpha=ARRAY)
def elu(x: Any, alpha: float = 1.0) -> Any:
    """``x`` where it is positive, ``alpha * (exp(x) - 1)`` elsewhere (Clevert et al., 2016).

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.elu(tr.tensor([-1.0, 2.0]))
    tensor([-0.63212...,  2. ])
    """
    x = operand(x)
    positive = p.greater(x, 0)
    return where(positive, x, p.expm1(where(positive, 0.0, x)) * alpha)


@of_one
def selu(x: Any) -> Any:
    """`elu`, scaled so that mean 0 and variance 1 stay so (Klambauer et al., 2017).

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.selu(tr.tensor([-1.0, 2.0]))
    tensor([-1.1113...,  2.1014...])
    """
    return elu(x, _SELU_ALPHA) * _SELU_SCALE


@of_one
@checked(negative_slope=ARRAY)
def leaky_relu(x: Any, negative_slope: float = 0.01) -> Any:
    """``x`` where it is positive, ``negative_slope * x`` elsewhere.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.leaky_relu(tr.tensor([-1.0, 2.0]))
    tensor([-0.01,  2.  ])
    """
    x = operand(x)
    return where(p.greater(x, 0), x, x * negative_slope)


@of_one
def erf(x: Any) -> Any:
    """Error function of each element.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.erf(tr.tensor([0.0, 1.0]))
    tensor([0. , 0.84270...])
    """
    return each(p.erf, x)


@of_one
@checked(approximate=one_of("none", "tanh"))
def gelu(x: Any, approximate: Literal["none", "tanh"] = "none") -> Any:
    """``x * Φ(x)`` with the normal distribution's Φ (Hendrycks and Gimpel, 2016), or approximated by a tanh.

    Raises
    ------
    ValueError
        Where ``approximate`` is neither "none" nor "tanh".

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.gelu(tr.tensor([-1.0, 2.0]))
    tensor([-0.15865...,  1.9544...])
    """
    x = operand(x)
    if approximate == "none":
        return x * (p.erf(x * math.sqrt(0.5)) * 0.5 + 0.5)
    return x * (p.tanh((x + x * x * x * 0.044715) * math.sqrt(2 / math.pi)) * 0.5 + 0.5)


@of_one
def silu(x: Any) -> Any:
    """``x * sigmoid(x)``, also called swish.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.silu(tr.tensor([-1.0, 2.0]))
    tensor([-0.26894...,  1.7615...])
    """
    x = operand(x)
    return x * p.sigmoid(x)


@of_one
def mish(x: Any) -> Any:
    """``x * tanh(softplus(x))`` (Misra, 2020).

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.mish(tr.tensor([-1.0, 2.0]))
    tensor([-0.30340...,  1.9439...])
    """
    x = operand(x)
    return x * p.tanh(p.softplus(x))


@of_one
@checked(min_val=REAL, max_val=REAL)
def hardtanh(x: Any, min_val: float = -1.0, max_val: float = 1.0) -> Any:
    """``x`` limited to ``[min_val, max_val]``; at the bounds the gradient is 0, where that of `clip` passes.

    Raises
    ------
    ValueError
        Where the bounds are not in order.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.hardtanh(tr.tensor([-2.0, 0.5]))
    tensor([-1. ,  0.5])
    """
    if not min_val < max_val:
        raise ValueError(f"hardtanh: min_val is {min_val} and max_val {max_val}; expected min_val < max_val")
    x = operand(x)
    return where(p.less_equal(x, min_val), min_val, where(p.greater_equal(x, max_val), max_val, x))


@of_one
def hardsigmoid(x: Any) -> Any:
    """``x / 6 + 1 / 2``, limited to ``[0, 1]``.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.hardsigmoid(tr.tensor([-4.0, 0.0, 1.5]))
    tensor([0. , 0.5 , 0.75])
    """
    return hardtanh(x, -3.0, 3.0) / 6 + 0.5


@of_one
def softsign(x: Any) -> Any:
    """``x / (1 + abs(x))``.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.softsign(tr.tensor([-1.0, 3.0]))
    tensor([-0.5 ,  0.75])
    """
    x = operand(x)
    return x / (p.absolute(x) + 1)


@of_one
def logsigmoid(x: Any) -> Any:
    """``log(sigmoid(x))``, without overflow.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.logsigmoid(tr.tensor([0.0, -1000.0]))
    tensor([-6.9314...e-01, -1.0000...e+03])
    """
    return -p.softplus(-operand(x))
