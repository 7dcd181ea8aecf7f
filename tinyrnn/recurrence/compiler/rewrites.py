"""Rewrites: equal but cheaper lines. Each looks at a line that is about to be written.

"Known" is what has a lower level than the value it meets: it can be worked out before the loop. The two rules
that matter most put known factors and known terms together, so that they leave the loop:
``(u * k1) * k2 -> u * (k1 * k2)`` and ``(u + k1) + k2 -> u + (k1 + k2)``.

Floats are not real numbers, so each rule that regroups says what must be proven first (`ranges.py`): that no
intermediate overflows which did not before, and that no error is larger than a few ulp of the largest term.
Integers are never regrouped.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.primitive import Primitive
from tinyrnn.recurrence.compiler.concatenations import pieces
from tinyrnn.recurrence.compiler.program import CARRY, CARRY_GRAD, Program, result_dtype
from tinyrnn.recurrence.compiler.ranges import factors_meet, is_absorbed, terms_meet
from tinyrnn.recurrence.compiler.zeros import is_zero, zeros

LOOP = (CARRY, CARRY_GRAD)
Args = tuple[int, ...]
Params = dict[str, Any]


def _same(program: Program, i: int, shape: Any, dtype: Any) -> int | None:
    line = program.lines[i]
    return i if line.shape == shape and line.dtype == dtype and line.literal is None else None


def _result(program: Program, primitive: Primitive, args: Args, params: Params) -> tuple[Any, Any]:
    operands = [program.lines[i] for i in args]
    return primitive.shape(*(o.shape for o in operands), **params), result_dtype(primitive, operands, params)


_ON_NUMBERS: dict[Primitive, Any] = {
    p.add: operator.add, p.subtract: operator.sub, p.multiply: operator.mul, p.negative: operator.neg,
}  # fmt: skip


def uniform(program: Program, primitive: Primitive, args: Args, params: Params) -> int | None:
    """Cast operands that carry a gradient to the dtype of the result, as the recorded form does.

    The other rules move operands about, and may then take it that all are computed with in one dtype.
    """
    if primitive.dtype is not None:
        return None
    lines = [program.lines[i] for i in args]
    arithmetic = primitive in (p.add, p.subtract, p.multiply)
    carrying = [
        n
        for n, line in enumerate(lines)
        if line.literal is None and (arithmetic or line.dtype.kind != "b") and primitive.rule(n) is not None
    ]
    dtypes = {lines[n].dtype for n in carrying}
    if len(dtypes) < 2 and not (arithmetic and len(args) > len(carrying)):
        return None
    dtype = result_dtype(primitive, lines, params)
    if dtype.kind != "f" or dtypes <= {dtype}:
        return None
    cast = list(args)
    for n in carrying:
        cast[n] = program.emit(p.astype, (args[n],), {"dtype": dtype})
    return program.emit(primitive, tuple(cast), params)


def trivial(program: Program, primitive: Primitive, args: Args, params: Params) -> int | None:
    """Leave out what changes nothing: ``x + zeros``, ``x * 1``, ``zeros * x``, stacks of one, idle reshapes.

    Zeros here are those of the gradients of slices. A number that somebody wrote is left alone: 0.0 * x is
    NaN where x is, and -0.0 + 0.0 is 0.0.
    """
    lines = program.lines
    if primitive in _ON_NUMBERS and all(lines[i].literal is not None for i in args):
        return program.literal(_ON_NUMBERS[primitive](*(lines[i].literal for i in args)))
    if primitive in (p.add, p.multiply):
        shape, dtype = _result(program, primitive, args, params)
        for a, b in (args, args[::-1]):
            nothing = lines[a].literal is None and is_zero(program, a)
            if primitive is p.multiply and nothing:
                return zeros(program, shape, dtype)
            neutral = nothing if primitive is p.add else lines[a].literal == 1
            if neutral and _same(program, b, shape, dtype) is not None:
                return b
    elif primitive in (p.reshape, p.broadcast_to, p.astype):
        shape, dtype = _result(program, primitive, args, params)
        return _same(program, args[0], shape, dtype)
    elif primitive is p.stack and len(args) == 1:
        return program.emit(p.reshape, args, {"shape": _result(program, primitive, args, params)[0]})
    elif primitive is p.transpose:
        inner = lines[args[0]]
        axes = params["axes"]
        if axes == tuple(range(len(axes))):
            return args[0]
        if inner.primitive is p.transpose:
            composed = tuple(inner.params["axes"][i] for i in axes)
            return program.emit(p.transpose, inner.args, {"axes": composed})
    elif (
        primitive is p.where and lines[args[0]].dtype.kind != "b"
    ):  # NumPy's calls with out= ask for booleans
        condition = program.emit(p.astype, args[:1], {"dtype": np.dtype(bool)})
        return program.emit(p.where, (condition, *args[1:]), params)
    elif primitive is p.power and lines[args[1]].literal == 2 and lines[args[0]].dtype.kind == "f":
        return program.emit(p.multiply, (args[0], args[0]), {})
    return None


def order(program: Program, primitive: Primitive, args: Args, params: Params) -> int | None:
    """Write the operand that comes later first, so that the other rules find it there."""
    if primitive in (p.add, p.multiply) and program.lines[args[0]].level < program.lines[args[1]].level:
        return program.emit(primitive, (args[1], args[0]), params)
    return None


def _in_loop(program: Program, i: int) -> bool:
    """Whether a line is a float that depends on the carry, or on its gradient."""
    line = program.lines[i]
    return line.level in LOOP and line.dtype.kind == "f"


def known_together(program: Program, primitive: Primitive, args: Args, params: Params) -> int | None:
    """``(u * k1) * k2 -> u * (k1 * k2)``, the same for sums, and ``-u * k -> u * -k``."""
    if primitive not in (p.add, p.multiply) or not _in_loop(program, args[0]):
        return None
    lines = program.lines
    left, right = lines[args[0]], lines[args[1]]

    def may_meet(k1: int, k2: int) -> bool:
        if primitive is p.add:
            return terms_meet(program, k1, k2)
        return factors_meet(program, args[0], k1, k2)

    def split(i: int) -> tuple[int, int] | None:
        """Part a loop value in the rest and what is known of it."""
        line = lines[i]
        if (
            line.primitive is primitive
            and lines[line.args[1]].level < lines[line.args[0]].level == left.level
        ):
            return line.args[0], line.args[1]
        return None

    if right.level < left.level:
        parts = split(args[0])
        if parts and may_meet(parts[1], args[1]):
            return program.emit(primitive, (parts[0], program.emit(primitive, (parts[1], args[1]), {})), {})
        if primitive is p.multiply and left.primitive is p.negative:
            return program.emit(p.multiply, (left.args[0], program.emit(p.negative, (args[1],), {})), {})
        return None
    if primitive is p.add:
        a, b = split(args[0]), split(args[1])
        if a and b and is_absorbed(program, a[1]) and is_absorbed(program, b[1]):
            late = program.emit(p.add, (a[0], b[0]), {})
            return program.emit(p.add, (late, program.emit(p.add, (a[1], b[1]), {})), {})
    return None


def known_factor(program: Program, primitive: Primitive, args: Args, params: Params) -> int | None:
    """``u*k1 + u*k2 -> u*(k1 + k2)`` in gradients, also where a factor is 1; ``-(u*k) -> u*(-k)``."""
    lines = program.lines

    def factors(i: int) -> tuple[int, int | None]:
        line = lines[i]
        if line.primitive is p.multiply and lines[line.args[1]].level < lines[line.args[0]].level:
            return line.args[0], line.args[1]
        if line.primitive is p.negative:
            return line.args[0], program.literal(-1.0)
        return i, None

    if primitive is p.negative and _in_loop(program, args[0]):
        u, k = factors(args[0])
        if k is not None:
            return program.emit(p.multiply, (u, program.emit(p.negative, (k,), {})), {})
    if primitive is p.subtract and _in_loop(program, args[1]):
        u, k = factors(args[1])
        if k is not None:
            return program.emit(p.add, (args[0], program.emit(p.negative, (args[1],), {})), {})
    if primitive is p.add and args[0] != args[1] and _in_loop(program, args[0]):
        (u, k1), (v, k2) = factors(args[0]), factors(args[1])
        if u == v and lines[u].level == CARRY_GRAD and (k1 is not None or k2 is not None):
            one = program.literal(1.0)
            k1, k2 = one if k1 is None else k1, one if k2 is None else k2
            if terms_meet(program, k1, k2):
                k = program.emit(p.add, (k1, k2), {})
                if lines[k].shape in ((), lines[u].shape):
                    return program.emit(p.multiply, (u, k), {})
    return None


REWRITES = (uniform, trivial, order, known_together, known_factor, pieces)
