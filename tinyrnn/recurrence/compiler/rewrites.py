"""Rewrites: equal but cheaper lines. Each looks at a line that is about to be written.

"Known" is what has a lower level than the value it meets: it can be worked out before the loop. The two rules
that matter most put known factors and known terms together, so that they leave the loop:
``(u * k1) * k2 -> u * (k1 * k2)`` and ``(u + k1) + k2 -> u + (k1 + k2)``.
"""

from __future__ import annotations

import itertools
import operator
from typing import Any

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.primitive import Primitive
from tinyrnn.recurrence.compiler.program import CARRY, CARRY_GRAD, Program, result_dtype

LOOP = (CARRY, CARRY_GRAD)
Args = tuple[int, ...]
Params = dict[str, Any]


def _same(program: Program, i: int, shape: Any, dtype: Any) -> int | None:
    line = program.lines[i]
    return i if line.shape == shape and line.dtype == dtype else None


def zeros(program: Program, shape: Any, dtype: Any) -> int:
    """Write zeros of a shape."""
    zero = program.emit(p.astype, (program.literal(0.0),), {"dtype": dtype})
    return program.emit(p.broadcast_to, (zero,), {"shape": shape}) if shape else zero


def is_zero(program: Program, i: int) -> bool:
    """Whether a line is zero everywhere, whatever the input."""
    line = program.lines[i]
    if line.primitive in (p.broadcast_to, p.astype, p.reshape, p.negative):
        return is_zero(program, line.args[0])
    return line.literal is not None and line.literal == 0


def _result(program: Program, primitive: Primitive, args: Args, params: Params) -> tuple[Any, Any]:
    operands = [program.lines[i] for i in args]
    return primitive.shape(*(o.shape for o in operands), **params), result_dtype(primitive, operands, params)


_ON_NUMBERS: dict[Primitive, Any] = {
    p.add: operator.add, p.subtract: operator.sub, p.multiply: operator.mul, p.negative: operator.neg,
}  # fmt: skip


def trivial(program: Program, primitive: Primitive, args: Args, params: Params) -> int | None:
    """Leave out what changes nothing: ``x + 0``, ``x * 1``, ``0 * x``, a reshape to the same shape."""
    if primitive in _ON_NUMBERS and all(program.lines[i].literal is not None for i in args):
        return program.literal(_ON_NUMBERS[primitive](*(program.lines[i].literal for i in args)))
    if primitive in (p.add, p.multiply):
        shape, dtype = _result(program, primitive, args, params)
        for a, b in (args, args[::-1]):
            # A zero that somebody wrote is left alone: 0.0 * x is NaN where x is.
            if primitive is p.multiply and program.lines[a].literal is None and is_zero(program, a):
                return zeros(program, shape, dtype)
            neutral = is_zero(program, a) if primitive is p.add else program.lines[a].literal == 1
            if neutral and _same(program, b, shape, dtype) is not None:
                return b
    elif primitive in (p.reshape, p.broadcast_to, p.astype):
        shape, dtype = _result(program, primitive, args, params)
        return _same(program, args[0], shape, dtype)
    elif primitive is p.transpose:
        inner = program.lines[args[0]]
        axes = params["axes"]
        if axes == tuple(range(len(axes))):
            return args[0]
        if inner.primitive is p.transpose:
            composed = tuple(inner.params["axes"][i] for i in axes)
            return program.emit(p.transpose, inner.args, {"axes": composed})
    elif primitive is p.power and program.lines[args[1]].literal == 2:
        return program.emit(p.multiply, (args[0], args[0]), {})
    return None


def order(program: Program, primitive: Primitive, args: Args, params: Params) -> int | None:
    """Write the operand that comes later first, so that the other rules find it there."""
    if primitive in (p.add, p.multiply) and program.lines[args[0]].level < program.lines[args[1]].level:
        return program.emit(primitive, (args[1], args[0]), params)
    return None


def known_together(program: Program, primitive: Primitive, args: Args, params: Params) -> int | None:
    """``(u * k1) * k2 -> u * (k1 * k2)``, the same for sums, and ``-u * k -> u * -k``."""
    if primitive not in (p.add, p.multiply):
        return None
    lines = program.lines
    left, right = lines[args[0]], lines[args[1]]
    if left.level not in LOOP:
        return None

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
        if parts:
            return program.emit(primitive, (parts[0], program.emit(primitive, (parts[1], args[1]), {})), {})
        if primitive is p.multiply and left.primitive is p.negative:
            return program.emit(p.multiply, (left.args[0], program.emit(p.negative, (args[1],), {})), {})
        return None
    if primitive is p.add:
        a, b = split(args[0]), split(args[1])
        if a and b:
            late = program.emit(p.add, (a[0], b[0]), {})
            return program.emit(p.add, (late, program.emit(p.add, (a[1], b[1]), {})), {})
    return None


def known_factor(program: Program, primitive: Primitive, args: Args, params: Params) -> int | None:
    """``u*k1 + u*k2 -> u*(k1 + k2)``, also where a factor is 1, and ``-(u*k) -> u*(-k)``."""
    lines = program.lines

    def factors(i: int) -> tuple[int, int | None]:
        line = lines[i]
        if line.primitive is p.multiply and lines[line.args[1]].level < lines[line.args[0]].level:
            return line.args[0], line.args[1]
        if line.primitive is p.negative:
            return line.args[0], program.literal(-1.0)
        return i, None

    if primitive is p.negative:
        u, k = factors(args[0])
        if k is not None and lines[u].level in LOOP:
            return program.emit(p.multiply, (u, program.emit(p.negative, (k,), {})), {})
    if primitive is p.subtract and lines[args[1]].level in LOOP:
        u, k = factors(args[1])
        if k is not None:
            return program.emit(p.add, (args[0], program.emit(p.negative, (args[1],), {})), {})
    if primitive is p.add and args[0] != args[1] and lines[args[0]].level in LOOP:
        (u, k1), (v, k2) = factors(args[0]), factors(args[1])
        if u == v and (k1 is not None or k2 is not None):
            one = program.literal(1.0)
            k = program.emit(p.add, (one if k1 is None else k1, one if k2 is None else k2), {})
            if lines[k].shape in ((), lines[u].shape):
                return program.emit(p.multiply, (u, k), {})
    return None


def mixture(program: Program, primitive: Primitive, args: Args, params: Params) -> int | None:
    """``(1 - z)*a + z*b -> a + z*(b - a)``: one operation fewer."""
    lines = program.lines
    if primitive is not p.add or any(lines[i].primitive is not p.multiply for i in args):
        return None
    for one, other in (args, args[::-1]):
        for rest, a in (lines[one].args, lines[one].args[::-1]):
            complement = lines[rest]
            if complement.primitive is not p.subtract or lines[complement.args[0]].literal != 1:
                continue
            z = complement.args[1]
            b = next((i for i in lines[other].args if i != z), z)
            if z in lines[other].args and lines[z].level in LOOP and lines[a].shape == lines[b].shape:
                difference = program.emit(p.subtract, (b, a), {})
                return program.emit(p.add, (a, program.emit(p.multiply, (z, difference), {})), {})
    return None


def parts_of(program: Program, i: int) -> tuple[int, tuple[int, ...], Args] | None:
    """Return the axis, offsets and parts of a concatenation."""
    line = program.lines[i]
    if line.primitive is not p.concatenate:
        return None
    return line.params["axis"], line.params["offsets"], line.args


def join(program: Program, axis: int, parts: list[int]) -> int:
    """Write a concatenation."""
    if len(parts) == 1:
        return parts[0]
    offsets = (0, *itertools.accumulate(program.lines[i].shape[axis] for i in parts))
    return program.emit(p.concatenate, tuple(parts), {"axis": axis, "offsets": offsets})


def one_slice(index: Any, shape: Any) -> tuple[int, int, int] | None:
    """Return the axis and bounds of an index that cuts one axis only; otherwise None."""
    if Ellipsis in index:
        at = index.index(Ellipsis)
        index = (*index[:at], *(slice(None),) * (len(shape) - len(index) + 1), *index[at + 1 :])
    if len(index) > len(shape) or not all(
        isinstance(item, slice) and item.step in (None, 1) for item in index
    ):
        return None
    cuts = [(axis, *item.indices(shape[axis])[:2]) for axis, item in enumerate(index)]
    cuts = [cut for cut in cuts if cut[1:] != (0, shape[cut[0]])]
    return cuts[0] if len(cuts) == 1 and cuts[0][1] < cuts[0][2] else None


def pieces(program: Program, primitive: Primitive, args: Args, params: Params) -> int | None:
    """Make of the gradients of slices the parts of one concatenation, written straight into its buffer."""
    if primitive is p.scatter:
        return _placed(program, args, params)
    if primitive is p.getitem:
        return _taken(program, args, params)
    if primitive is p.add:
        return _merged(program, *args)
    if primitive is p.multiply:
        return _parts_scaled(program, *args)
    return None


def _placed(program: Program, args: Args, params: Params) -> int | None:
    """Write the gradient of a slice as a concatenation with zeros."""
    shape = params["shape"]
    cut = one_slice(params["index"], shape) if len(args) == 1 else None
    if cut is None:
        return None
    axis, low, high = cut
    dtype = program.lines[args[0]].dtype

    def gap(width: int) -> list[int]:
        return [zeros(program, (*shape[:axis], width, *shape[axis + 1 :]), dtype)] if width else []

    return join(program, axis, [*gap(low), args[0], *gap(shape[axis] - high)])


def _taken(program: Program, args: Args, params: Params) -> int | None:
    """Take whole parts of a concatenation from where they come from."""
    found = parts_of(program, args[0])
    cut = one_slice(params["index"], program.lines[args[0]].shape) if found and len(args) == 1 else None
    if found is None or cut is None:
        return None
    (axis, offsets, parts), (cut_axis, low, high) = found, cut
    if axis != cut_axis or low not in offsets or high not in offsets:
        return None
    return join(program, axis, list(parts[offsets.index(low) : offsets.index(high)]))


def _parts_scaled(program: Program, whole: int, k: int) -> int | None:
    """Multiply the parts of a concatenation by something known, where that meets a factor in each of them."""
    lines = program.lines
    found = parts_of(program, whole)
    shape = lines[whole].shape
    if found is None or lines[k].level >= lines[whole].level or lines[k].shape not in ((), shape):
        return None
    axis, offsets, parts = found
    if not all(is_zero(program, i) or lines[i].primitive is p.multiply for i in parts):
        return None
    scaled = []
    for part, low, high in zip(parts, offsets, offsets[1:], strict=False):
        factor = k
        if lines[k].shape == shape:
            factor = program.emit(p.getitem, (k,), {"index": (slice(None),) * axis + (slice(low, high),)})
        scaled.append(program.emit(p.multiply, (part, factor), {}))
    return join(program, axis, scaled)


def _merged(program: Program, a: int, b: int) -> int | None:
    """Add two concatenations of which, wherever they overlap, one is zero."""
    first, second = parts_of(program, a), parts_of(program, b)
    if not first or not second or first[0] != second[0] or program.lines[a].shape != program.lines[b].shape:
        return None
    axis, result, at = first[0], [], 0
    spans = [list(zip(o, o[1:], parts, strict=False)) for _, o, parts in (first, second)]
    while at < first[1][-1]:
        here = [next(s for s in span if s[0] <= at < s[1]) for span in spans]
        solid = [s for s in here if not is_zero(program, s[2])]
        if len(solid) > 1:
            return None
        if solid:
            low, high, part = solid[0]
            if low != at:
                return None
        else:
            high = min(here[0][1], here[1][1])
            shape = program.lines[a].shape
            part = zeros(program, (*shape[:axis], high - at, *shape[axis + 1 :]), program.lines[a].dtype)
        other = spans[1] if solid and solid[0] in spans[0] else spans[0]
        if solid and any(
            s[0] < high and s[1] > at and not is_zero(program, s[2]) for s in other if s is not solid[0]
        ):
            return None
        result.append(part)
        at = high
    return join(program, axis, result)


REWRITES = (trivial, order, mixture, known_together, known_factor, pieces)
