"""Expressions: what an elementwise line is for one element, as Python that Numba compiles as well.

In Python, NumPy's scalars keep their dtype beside plain numbers; in Numba they do not. So each number stands
in the code with its dtype, and operands are cast to that of the line where they are of another one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinyrnn.autograd import primitives as p
from tinyrnn.recurrence.compiler.program import Line

DTYPES = {np.dtype(kind): kind for kind in ("float32", "float64", "int64", "bool")}

# {0}, {1}, {2}: the operands, names each; {D}: the dtype.
_ARITHMETIC: dict[Any, str] = {
    p.add: "{0} + {1}",
    p.subtract: "{0} - {1}",
    p.multiply: "{0} * {1}",
    p.negative: "-{0}",
    p.maximum: "{0} if ({0} >= {1}) | ({0} != {0}) else {1}",
    p.minimum: "{0} if ({0} <= {1}) | ({0} != {0}) else {1}",
    p.clip: "{2} if ({0} > {2}) | ({1} > {2}) else {1} if {0} < {1} else {0}",
    p.relu: "{0} if ({0} > {D}(0)) | ({0} != {0}) else {D}(0)",
    p.absolute: "abs({0})",
    p.sign: "{0} if {0} != {0} else {D}({0} > {D}(0)) - {D}({0} < {D}(0))",
    p.copy: "{0}",
}
_FLOATING: dict[Any, str] = {
    p.divide: "{0} / {1}",
    p.reciprocal: "{D}(1) / {0}",
    p.gated: "{0} * {1} if {0} != {D}(0) else {D}(0)",
    p.exp: "exp{bits}({0})",
    p.tanh: "tanh{bits}({0})",
    p.sigmoid: "sigmoid{bits}({0})",
    p.softplus: "({0} if {0} > {D}(0) else {D}(0)) + np.log1p(np.exp(-abs({0})))",
    p.power: "{0} ** {1}",
    **{
        primitive: f"np.{primitive.forward.__name__}({{0}})"
        for primitive in (
            p.sqrt, p.log, p.log2, p.log10, p.log1p, p.expm1, p.exp2, p.sin, p.cos, p.tan, p.arcsin, p.arccos,
            p.arctan, p.sinh, p.cosh, p.arcsinh, p.arccosh, p.arctanh, p.floor, p.ceil, p.trunc, p.rint,
        )
    },
    **{
        primitive: f"np.{primitive.forward.__name__}({{0}}, {{1}})"
        for primitive in (p.arctan2, p.hypot, p.logaddexp, p.logaddexp2)
    },
}  # fmt: skip
_COMPARISONS: dict[Any, str] = {
    p.greater: "{0} > {1}",
    p.greater_equal: "{0} >= {1}",
    p.less: "{0} < {1}",
    p.less_equal: "{0} <= {1}",
    p.equal: "{0} == {1}",
    p.not_equal: "{0} != {1}",
    p.isnan: "{0} != {0}",
}
_LOGIC: dict[Any, str] = {
    p.logical_and: "{0} & {1}",
    p.logical_or: "{0} | {1}",
    p.logical_xor: "{0} != {1}",
    p.logical_not: "not {0}",
}


def expression(line: Line, lines: list[Line]) -> Callable[[list[str]], str] | None:
    """Return a function from the names of the operands to a line's code; None where it is not known."""
    if line.primitive is None or line.dtype not in DTYPES:
        return None
    operands = [lines[a] for a in line.args]
    if any(o.literal is None and o.dtype not in DTYPES for o in operands):
        return None
    if line.primitive is p.where:
        return _chosen(line, operands)
    if line.primitive in (p.astype, p.rounded):
        whole = line.dtype.kind in "ib" and operands[0].dtype.kind == "f"  # of NaN, no integer
        return None if whole else lambda names: _cast(names[0], operands[0], line.dtype)
    if line.primitive in _COMPARISONS:
        return _written(_COMPARISONS[line.primitive], operands, _common(operands))
    if line.primitive in _LOGIC:
        return _written(_LOGIC[line.primitive], operands, np.dtype(bool))
    if line.primitive in _ARITHMETIC and line.dtype.kind != "b":
        return _written(_ARITHMETIC[line.primitive], operands, line.dtype)
    if line.primitive in _FLOATING and line.dtype.kind == "f":
        return _written(_FLOATING[line.primitive], operands, line.dtype)
    return None


def _written(form: str, operands: list[Line], dtype: np.dtype[Any]) -> Callable[[list[str]], str]:
    return lambda names: form.format(
        *(_cast(name, line, dtype) for name, line in zip(names, operands, strict=True)),
        D=DTYPES[dtype],
        bits=8 * dtype.itemsize,
    )


def _chosen(line: Line, operands: list[Line]) -> Callable[[list[str]], str] | None:
    def code(names: list[str]) -> str:
        condition, a, b = (
            _cast(name, operand, dtype)
            for name, operand, dtype in zip(names, operands, (np.dtype(bool), line.dtype, line.dtype))
        )
        return f"{a} if {condition} else {b}"

    return code


def _common(operands: list[Line]) -> np.dtype[Any]:
    """Return the dtype in which operands are compared."""
    found = np.result_type(*(o.dtype if o.literal is None else o.literal for o in operands))
    return found if found in DTYPES else np.dtype("float64")


def _cast(name: str, operand: Line, dtype: np.dtype[Any]) -> str:
    """Write an operand in a dtype; a number with it."""
    if operand.literal is not None:
        return f"{DTYPES[dtype]}({operand.literal!r})"
    return name if operand.dtype == dtype else f"{DTYPES[dtype]}({name})"
