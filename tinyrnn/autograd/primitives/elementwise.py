"""Arithmetic, functions of one element, and choices between elements.

Where a slope can be infinite the rule is `gated`: a branch which `where` did not take then sends back zero,
and not 0 * inf = NaN.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinyrnn.autograd import forwards
from tinyrnn.autograd.primitive import Primitive
from tinyrnn.autograd.primitives.comparisons import (
    equal,
    floor_divide,
    isnan,
    logical_and,
    logical_or,
    sign,
    trunc,
)

# --- arithmetic ---------------------------------------------------------------------------------------------
add = Primitive("add", np.add, a=lambda g: g, b=lambda g: g)
subtract = Primitive("subtract", np.subtract, a=lambda g: g, b=lambda g: -g)
multiply = Primitive("multiply", np.multiply, a=lambda g, b: g * b, b=lambda g, a: g * a)
negative = Primitive("negative", np.negative, x=lambda g: -g)


def _one_over(b: Any) -> Any:
    """Return ``1 / b``; of a number 0 too, where Python would raise."""
    return math.copysign(math.inf, b) if isinstance(b, (int, float)) and b == 0 else 1 / b


divide = Primitive(
    "divide", np.divide, a=lambda g, b: gated(g, _one_over(b)), b=lambda g, ans, b: -gated(g, ans / b)
)
reciprocal = Primitive("reciprocal", np.reciprocal, x=lambda g, ans: -gated(g, ans * ans))
remainder = Primitive("remainder", np.remainder, a=lambda g: g, b=lambda g, a, b: -g * floor_divide(a, b))
fmod = Primitive("fmod", np.fmod, a=lambda g: g, b=lambda g, a, b: -g * trunc(a / b))
power = Primitive(
    "power",
    np.power,
    a=lambda g, a, b: gated(g, gated(b, a ** (b - 1))),  # x ** 0 is flat, at x = 0 too
    b=lambda g, ans, a: gated(g, ans * log(where(equal(a, 0), 1.0, a))),
)
gated = Primitive(
    "gated",
    forwards.gated,
    elementwise=True,
    upstream=lambda g, slope: gated(g, slope),
    slope=lambda g, upstream: gated(upstream, g),
)

# --- exponentials, logarithms and roots ---------------------------------------------------------------------
exp = Primitive("exp", np.exp, x=lambda g, ans: gated(g, ans))
exp2 = Primitive("exp2", np.exp2, x=lambda g, ans: gated(g, ans * math.log(2)))
expm1 = Primitive("expm1", np.expm1, x=lambda g, ans: gated(g, ans + 1))
log = Primitive("log", np.log, x=lambda g, x: gated(g, 1 / x))
log2 = Primitive("log2", np.log2, x=lambda g, x: gated(g, 1 / (x * math.log(2))))
log10 = Primitive("log10", np.log10, x=lambda g, x: gated(g, 1 / (x * math.log(10))))
log1p = Primitive("log1p", np.log1p, x=lambda g, x: gated(g, 1 / (x + 1)))
sqrt = Primitive("sqrt", np.sqrt, x=lambda g, ans: gated(g, 0.5 / ans))
cbrt = Primitive("cbrt", np.cbrt, x=lambda g, ans: gated(g, 1 / (3 * ans * ans)))
logaddexp = Primitive(
    "logaddexp", np.logaddexp, a=lambda g, a, b: g * sigmoid(a - b), b=lambda g, a, b: g * sigmoid(b - a)
)
logaddexp2 = Primitive(
    "logaddexp2",
    np.logaddexp2,
    a=lambda g, a, b: g * sigmoid((a - b) * math.log(2)),
    b=lambda g, a, b: g * sigmoid((b - a) * math.log(2)),
)

# --- circular and hyperbolic functions ----------------------------------------------------------------------
sin = Primitive("sin", np.sin, x=lambda g, x: g * cos(x))
cos = Primitive("cos", np.cos, x=lambda g, x: -g * sin(x))
tan = Primitive("tan", np.tan, x=lambda g, ans: gated(g, ans * ans + 1))
arcsin = Primitive("arcsin", np.arcsin, x=lambda g, x: gated(g, 1 / sqrt((1 - x) * (1 + x))))
arccos = Primitive("arccos", np.arccos, x=lambda g, x: -gated(g, 1 / sqrt((1 - x) * (1 + x))))
arctan = Primitive("arctan", np.arctan, x=lambda g, x: g / (x * x + 1))
arctan2 = Primitive(
    "arctan2",
    np.arctan2,
    y=lambda g, y, x: gated(g, x / (x * x + y * y)),
    x=lambda g, y, x: -gated(g, y / (x * x + y * y)),
)
hypot = Primitive(
    "hypot",
    np.hypot,
    a=lambda g, ans, a: g * a / where(equal(ans, 0), math.inf, ans),  # 0 at the origin, as the norm's
    b=lambda g, ans, b: g * b / where(equal(ans, 0), math.inf, ans),
)
sinh = Primitive("sinh", np.sinh, x=lambda g, x: gated(g, cosh(x)))
cosh = Primitive("cosh", np.cosh, x=lambda g, x: gated(g, sinh(x)))
tanh = Primitive("tanh", np.tanh, x=lambda g, ans: g * (1 - ans * ans))
arcsinh = Primitive("arcsinh", np.arcsinh, x=lambda g, x: g / sqrt(x * x + 1))
arccosh = Primitive("arccosh", np.arccosh, x=lambda g, x: gated(g, 1 / (sqrt(x - 1) * sqrt(x + 1))))
arctanh = Primitive("arctanh", np.arctanh, x=lambda g, x: gated(g, 1 / ((1 - x) * (1 + x))))


def _sinc_slope(x: Any) -> Any:
    """Return ``(cos πx - sinc x) / x``, near 0 as a series, since there the difference has no digits left."""
    z = x * math.pi
    near = absolute(z) < 0.5
    small, large = where(near, z * z, 0.0), where(near, 1.0, z)
    series: Any = 1.0
    for n in range(7, 0, -1):
        series = 1 - series * small * (1 / (2 * n * (2 * n + 3)))
    return where(near, series * x * (-(math.pi**2) / 3), (cos(large) - sin(large) / large) * math.pi / large)


sinc = Primitive("sinc", np.sinc, elementwise=True, x=lambda g, x: g * _sinc_slope(x))

# --- functions that networks use ----------------------------------------------------------------------------
absolute = Primitive("abs", np.absolute, x=lambda g, x: g * sign(x))
sigmoid = Primitive(
    "sigmoid",
    forwards.sigmoid,
    elementwise=True,
    x=lambda g, ans: g * (ans * (1 - ans)),
    lower=lambda x: tanh(x * 0.5) * 0.5 + 0.5,
)
relu = Primitive(
    "relu", lambda x: np.maximum(x, 0), elementwise=True, x=lambda g, ans: where(ans > 0, g, 0.0)
)
softplus = Primitive("softplus", forwards.softplus, elementwise=True, x=lambda g, x: g * sigmoid(x))
erf = Primitive(
    "erf", forwards.erf, elementwise=True, x=lambda g, x: g * (exp(-x * x) * (2 / math.sqrt(math.pi)))
)

# --- choices: a tie is shared equally -----------------------------------------------------------------------
maximum = Primitive(
    "maximum",
    np.maximum,
    a=lambda g, a, b: where(a > b, g, where(equal(a, b), g * 0.5, 0.0)),
    b=lambda g, a, b: where(b > a, g, where(equal(a, b), g * 0.5, 0.0)),
)
minimum = Primitive(
    "minimum",
    np.minimum,
    a=lambda g, a, b: where(a < b, g, where(equal(a, b), g * 0.5, 0.0)),
    b=lambda g, a, b: where(b < a, g, where(equal(a, b), g * 0.5, 0.0)),
)
fmax = Primitive(  # a number is chosen over NaN
    "fmax",
    np.fmax,
    a=lambda g, a, b: where(logical_or(a > b, isnan(b)), g, where(equal(a, b), g * 0.5, 0.0)),
    b=lambda g, a, b: where(logical_or(b > a, isnan(a)), g, where(equal(a, b), g * 0.5, 0.0)),
)
fmin = Primitive(
    "fmin",
    np.fmin,
    a=lambda g, a, b: where(logical_or(a < b, isnan(b)), g, where(equal(a, b), g * 0.5, 0.0)),
    b=lambda g, a, b: where(logical_or(b < a, isnan(a)), g, where(equal(a, b), g * 0.5, 0.0)),
)
clip = Primitive(
    "clip",
    np.clip,
    elementwise=True,
    x=lambda g, x, low, high: where(logical_and(x >= low, x <= high), g, 0.0),
    low=lambda g, x, low: where(x < low, g, 0.0),
    high=lambda g, x, high: where(x > high, g, 0.0),
)
where = Primitive(
    "where",
    np.where,
    operands="condition a b",
    elementwise=True,
    a=lambda g, condition: where(condition, g, 0.0),
    b=lambda g, condition: where(condition, 0.0, g),
)
