"""Functions of one number, as straight lines of arithmetic: a compiler can work on many numbers at once.

They choose by selection and never branch, and add nothing in another order than is written. As Python they
run on NumPy's scalars. In float32, `exp32`, `tanh32` and `sigmoid32` are at most 4 units in the last place
from the correctly rounded value, for every number there is: subnormal results, infinities and NaN included.

The exponential goes the usual way (Cody and Waite, 1980): with n the integer nearest to x / ln 2 and
r = x - n ln 2, exp(x) = 2ⁿ exp(r), and a short polynomial is exp(r) to the last digit, as r is at most
ln 2 / 2. ln 2 is taken in two parts, of which the first has so few digits that its product with n is exact.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import float32, float64, int32, int64

Array = np.ndarray[Any, Any]
Number = Any  # a scalar of NumPy's

_ROUNDING32 = float32(1.5 * 2**23)  # added and taken away again, it leaves the nearest integer
_PER_LN2_32 = float32(1.4426950408889634)
_LN2_HIGH32, _LN2_LOW32 = float32(0.693359375), float32(-2.12194440054690582767e-4)
_ROUNDING64 = float64(1.5 * 2**52)
_PER_LN2_64 = float64(1.4426950408889634)
_LN2_HIGH64, _LN2_LOW64 = float64(0.6931471803691238), float64(1.9082149292705877e-10)


def power_of_two32(n: Number) -> Number:
    """Return 2ⁿ as a float32, for -126 <= n <= 127: n moved to where the exponent stands."""
    return int32((n + int32(127)) << int32(23)).view(np.float32)


def power_of_two64(n: Number) -> Number:
    """Return 2ⁿ as a float64, for -1022 <= n <= 1023."""
    return int64((n + int64(1023)) << int64(52)).view(np.float64)


def expm1_series32(r: Number) -> Number:
    """Return exp(r) - 1 for a small r, by Taylor's series (Horner's way)."""
    p = float32(1 / 5040) * r + float32(1 / 720)
    p = p * r + float32(1 / 120)
    p = p * r + float32(1 / 24)
    p = p * r + float32(1 / 6)
    p = p * r + float32(0.5)
    return p * (r * r) + r


def expm1_series64(r: Number) -> Number:
    """Return exp(r) - 1 for a small r, by Taylor's series (Horner's way)."""
    p = float64(1 / 6227020800) * r + float64(1 / 479001600)
    p = p * r + float64(1 / 39916800)
    p = p * r + float64(1 / 3628800)
    p = p * r + float64(1 / 362880)
    p = p * r + float64(1 / 40320)
    p = p * r + float64(1 / 5040)
    p = p * r + float64(1 / 720)
    p = p * r + float64(1 / 120)
    p = p * r + float64(1 / 24)
    p = p * r + float64(1 / 6)
    p = p * r + float64(0.5)
    return p * (r * r) + r


def exp32(x: Number) -> Number:
    """Return exp(x). Beyond -104 and 89 it is 0 and infinity."""
    y = x if x > float32(-104) else float32(-104)  # NaN too: it comes back at the end
    y = y if y < float32(89) else float32(89)
    n = (y * _PER_LN2_32 + _ROUNDING32) - _ROUNDING32
    r = (y - n * _LN2_HIGH32) - n * _LN2_LOW32
    power = int32(n)
    half = int32(power >> int32(1))  # in two steps: 2¹²⁸ is no float32, nor is 2⁻¹⁵⁰
    e = (expm1_series32(r) + float32(1)) * power_of_two32(half) * power_of_two32(int32(power - half))
    return e if x == x else x


def exp64(x: Number) -> Number:
    """Return exp(x). Beyond -746 and 710 it is 0 and infinity."""
    y = x if x > float64(-746) else float64(-746)
    y = y if y < float64(710) else float64(710)
    n = (y * _PER_LN2_64 + _ROUNDING64) - _ROUNDING64
    r = (y - n * _LN2_HIGH64) - n * _LN2_LOW64
    power = int64(n)
    half = power >> int64(1)
    e = (expm1_series64(r) + float64(1)) * power_of_two64(half) * power_of_two64(power - half)
    return e if x == x else x


def tanh32(x: Number) -> Number:
    """Return tanh(x) = (exp(2x) - 1) / (exp(2x) + 1), with exp(2x) - 1 worked out as such: small x stay."""
    size = -x if x < float32(0) else x
    y = size + size if size < float32(10) else float32(20)  # from there on it is 1 to the last digit
    n = (y * _PER_LN2_32 + _ROUNDING32) - _ROUNDING32
    r = (y - n * _LN2_HIGH32) - n * _LN2_LOW32
    power = power_of_two32(int32(n))
    e = expm1_series32(r) * power + (power - float32(1))
    # At x = -0.0 the sum above has lost the sign, and below 2^-12 the result is x.
    t = size if size < float32(0.000244140625) else e / (e + float32(2))
    t = -t if x < float32(0) else t
    return t if x == x else x


def tanh64(x: Number) -> Number:
    """Return tanh(x), as `tanh32` does."""
    size = -x if x < float64(0) else x
    y = size + size if size < float64(20) else float64(40)
    n = (y * _PER_LN2_64 + _ROUNDING64) - _ROUNDING64
    r = (y - n * _LN2_HIGH64) - n * _LN2_LOW64
    power = power_of_two64(int64(n))
    e = expm1_series64(r) * power + (power - float64(1))
    t = size if size < float64(1e-9) else e / (e + float64(2))
    t = -t if x < float64(0) else t
    return t if x == x else x


def sigmoid32(x: Number) -> Number:
    """Return 1 / (1 + exp(-x)), with the exponential of a negative number on either side: no overflow."""
    e = exp32(x if x < float32(0) else -x)
    return (e if x < float32(0) else float32(1)) / (e + float32(1))


def sigmoid64(x: Number) -> Number:
    """Return the logistic function as the recorded form computes it, by tanh."""
    return tanh64(x * float64(0.5)) * float64(0.5) + float64(0.5)


def multiply_add(total: Number, a: Number, b: Number) -> Number:
    """Return ``total + a * b``; compiled, rounded once where the processor can."""
    return total + a * b


def vector(of: Array, start: int, length: int) -> Array:
    """Return the part of an array that begins at ``start``."""
    return of[start : start + length]


def matrix(of: Array, start: int, rows: int, columns: int) -> Array:
    """Return the part of an array that begins at ``start`` as a matrix."""
    return vector(of, start, rows * columns).reshape(rows, columns)


def tiles(
    out: Array, start: int, a: Array, a_start: int, b: Array, b_start: int,
    rows: int, depth: int, columns: int, so: int, si: int, sk: int, sb: int,
) -> None:  # fmt: skip
    """Multiply: ``out[i*so + j] = sum over k of a[i*si + k*sk] * b[k*sb + j]``, each from its start on."""
    item = out.itemsize

    def part(of: Array, start: int, shape: tuple[int, int], strides: tuple[int, int]) -> Array:
        return np.lib.stride_tricks.as_strided(of[start:], shape, (strides[0] * item, strides[1] * item))

    a, b = part(a, a_start, (rows, depth), (si, sk)), part(b, b_start, (depth, columns), (sb, 1))
    part(out, start, (rows, columns), (so, 1))[...] = a @ b


# In these, a product and the sum that it goes into may be rounded as one: their error is known either way.
CONTRACTED = (
    power_of_two32, power_of_two64, expm1_series32, expm1_series64, exp32, exp64, tanh32, tanh64, sigmoid32,
    sigmoid64, multiply_add,
)  # fmt: skip

# What the code of a loop may name.
NAMES: dict[str, Any] = {
    "np": np, "vector": vector, "matrix": matrix, "tiles": tiles, "dot32": np.dot, "dot64": np.dot,
    "inf": np.inf, "nan": np.nan, "bool": bool, "abs": abs,
    "float32": float32, "float64": float64, "int64": int64,
    **{function.__name__: function for function in CONTRACTED},
}  # fmt: skip
