"""Functions of one number, as straight lines of arithmetic: a compiler can work on many numbers at once.

They choose by selection and never branch, and add nothing in another order than is written. As Python they
run on NumPy's scalars. In float32, `exp32`, `tanh32` and `sigmoid32` are at most 4 units in the last place
from the correctly rounded value, for every number there is: subnormal results, infinities and NaN included.

The exponential goes the usual way (Cody and Waite, 1980): with n the integer nearest to x / ln 2 and
r = x - n ln 2, exp(x) = 2ⁿ exp(r), and a short polynomial is exp(r) to the last digit, as r is at most
ln 2 / 2 in size. ln 2 is taken in two parts, of which the first has so few digits that its product with n
is exact. Nothing asks whether x is a NaN: a NaN goes through all of it.
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
_SIGN32 = int32(-(2**31))
_ROUNDING64 = float64(1.5 * 2**52)
_PER_LN2_64 = float64(1.4426950408889634)
_LN2_HIGH64, _LN2_LOW64 = float64(0.6931471803691238), float64(1.9082149292705877e-10)
_SIGN64 = int64(-(2**63))


def two_to32(z: Number, more: Number) -> Number:
    """Return 2**(n + more) as a float32, for -126 <= n + more <= 127; z is n + `_ROUNDING32`.

    The last bits of z are n. Moved to where the exponent stands, they push out all others.
    """
    return int32((float32(z).view(np.int32) + (int32(127) + more)) << int32(23)).view(np.float32)


def two_to64(z: Number, more: Number) -> Number:
    """Return 2**(n + more) as a float64, for -1022 <= n + more <= 1023; z is n + `_ROUNDING64`."""
    return int64((float64(z).view(np.int64) + (int64(1023) + more)) << int64(52)).view(np.float64)


def expm1_over32(r: Number) -> Number:
    """Return (exp(r) - 1) / r for |r| <= ln 2 / 2, with the best polynomial of its degree (1.3e-8)."""
    p = float32(0.0013946450748285842) * r + float32(0.008366583953301449)
    p = p * r + float32(0.04166628201667824)
    p = p * r + float32(0.1666654299203799)
    p = p * r + float32(0.5)
    return p * r + float32(1)


def expm1_over64(r: Number) -> Number:
    """Return (exp(r) - 1) / r for |r| <= ln 2 / 2, by Taylor's series (Horner's way)."""
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
    return p * r + float64(1)


def exp32(x: Number) -> Number:
    """Return exp(x). Beyond -104 and 89 it is 0 and infinity."""
    y = float32(-104) if x < float32(-104) else x
    y = float32(89) if y > float32(89) else y
    z = y * _PER_LN2_32 + _ROUNDING32
    n = z - _ROUNDING32
    r = (y - n * _LN2_HIGH32) - n * _LN2_LOW32
    # In two steps: 2¹²⁸ is no float32, nor is 2⁻¹⁵⁰.
    half = n * float32(0.5) + _ROUNDING32
    e = expm1_over32(r) * r + float32(1)
    return e * two_to32(half, int32(0)) * two_to32(z - (half - _ROUNDING32), int32(0))


def exp64(x: Number) -> Number:
    """Return exp(x). Beyond -746 and 710 it is 0 and infinity."""
    y = float64(-746) if x < float64(-746) else x
    y = float64(710) if y > float64(710) else y
    z = y * _PER_LN2_64 + _ROUNDING64
    n = z - _ROUNDING64
    r = (y - n * _LN2_HIGH64) - n * _LN2_LOW64
    half = n * float64(0.5) + _ROUNDING64
    e = expm1_over64(r) * r + float64(1)
    return e * two_to64(half, int64(0)) * two_to64(z - (half - _ROUNDING64), int64(0))


def tanh32(x: Number) -> Number:
    """Return tanh(x) = (exp(2x) - 1) / (exp(2x) + 1), with exp(2x) - 1 worked out as such: small x stay."""
    size = abs(x)
    y = float32(10) if size > float32(10) else size  # from there on it is 1 to the last digit
    z = y * (_PER_LN2_32 + _PER_LN2_32) + _ROUNDING32
    n = z - _ROUNDING32
    r = (y + y - n * _LN2_HIGH32) - n * _LN2_LOW32
    power = two_to32(z, int32(0))
    e = expm1_over32(r) * r * power + (power - float32(1))
    t = e / (e + float32(2))
    return int32(float32(t).view(np.int32) | (float32(x).view(np.int32) & _SIGN32)).view(np.float32)


def tanh64(x: Number) -> Number:
    """Return tanh(x), as `tanh32` does."""
    size = abs(x)
    y = float64(20) if size > float64(20) else size
    z = y * (_PER_LN2_64 + _PER_LN2_64) + _ROUNDING64
    n = z - _ROUNDING64
    r = (y + y - n * _LN2_HIGH64) - n * _LN2_LOW64
    power = two_to64(z, int64(0))
    e = expm1_over64(r) * r * power + (power - float64(1))
    t = e / (e + float64(2))
    return int64(float64(t).view(np.int64) | (float64(x).view(np.int64) & _SIGN64)).view(np.float64)


def sigmoid32(x: Number) -> Number:
    """Return 1 / (1 + exp(-x)), with the exponential of a negative number on either side: no overflow."""
    y = -abs(x)
    y = float32(-104) if y < float32(-104) else y
    z = y * _PER_LN2_32 + _ROUNDING32
    n = z - _ROUNDING32
    r = (y - n * _LN2_HIGH32) - n * _LN2_LOW32
    # 2⁻¹⁵⁰ is no float32; 2⁻¹²⁶ is.
    e = (expm1_over32(r) * r + float32(1)) * two_to32(z, int32(24)) * float32(2**-24)
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
    two_to32, two_to64, expm1_over32, expm1_over64, exp32, exp64, tanh32, tanh64, sigmoid32,
    sigmoid64, multiply_add,
)  # fmt: skip

# What the code of a loop may name.
NAMES: dict[str, Any] = {
    "np": np, "vector": vector, "matrix": matrix, "tiles": tiles, "dot32": np.dot, "dot64": np.dot,
    "inf": np.inf, "nan": np.nan, "bool": bool, "abs": abs,
    "float32": float32, "float64": float64, "int64": int64,
    **{function.__name__: function for function in CONTRACTED},
}  # fmt: skip
