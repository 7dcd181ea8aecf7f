"""Comparisons, logic and rounding: they carry no gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyrnn.autograd.primitive import Primitive


def bools(*_: Any, **__: Any) -> Any:
    """Return the dtype of what is true or false."""
    return np.dtype(bool)


greater = Primitive("greater", np.greater, operands="a b", dtype=bools)
greater_equal = Primitive("greater_equal", np.greater_equal, operands="a b", dtype=bools)
less = Primitive("less", np.less, operands="a b", dtype=bools)
less_equal = Primitive("less_equal", np.less_equal, operands="a b", dtype=bools)
equal = Primitive("equal", np.equal, operands="a b", dtype=bools)
not_equal = Primitive("not_equal", np.not_equal, operands="a b", dtype=bools)
isnan = Primitive("isnan", np.isnan, operands="x", dtype=bools)
isinf = Primitive("isinf", np.isinf, operands="x", dtype=bools)
isfinite = Primitive("isfinite", np.isfinite, operands="x", dtype=bools)
signbit = Primitive("signbit", np.signbit, operands="x", dtype=bools)

logical_and = Primitive("logical_and", np.logical_and, operands="a b", dtype=bools)
logical_or = Primitive("logical_or", np.logical_or, operands="a b", dtype=bools)
logical_xor = Primitive("logical_xor", np.logical_xor, operands="a b", dtype=bools)
logical_not = Primitive("logical_not", np.logical_not, operands="a", dtype=bools)
bitwise_and = Primitive("bitwise_and", np.bitwise_and, operands="a b", dtype=np.result_type)
bitwise_or = Primitive("bitwise_or", np.bitwise_or, operands="a b", dtype=np.result_type)
bitwise_xor = Primitive("bitwise_xor", np.bitwise_xor, operands="a b", dtype=np.result_type)
invert = Primitive("invert", np.invert, operands="a")

sign = Primitive("sign", np.sign, operands="x")
floor = Primitive("floor", np.floor, operands="x")
ceil = Primitive("ceil", np.ceil, operands="x")
rint = Primitive("rint", np.rint, operands="x")
trunc = Primitive("trunc", np.trunc, operands="x")
round = Primitive("round", lambda x, decimals: np.round(x, decimals), operands="x", elementwise=True)
floor_divide = Primitive("floor_divide", np.floor_divide, operands="a b")
