"""Concatenations: the gradients of slices become one value, whose parts are written straight into it."""

from __future__ import annotations

import itertools
from typing import Any

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.primitive import Primitive
from tinyrnn.recurrence.compiler.program import Program
from tinyrnn.recurrence.compiler.ranges import factors_meet
from tinyrnn.recurrence.compiler.zeros import is_zero, zeros

Args = tuple[int, ...]
Params = dict[str, Any]


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
    scaled = []
    for part, low, high in zip(parts, offsets, offsets[1:], strict=False):
        factor = k
        if lines[k].shape == shape:
            factor = program.emit(p.getitem, (k,), {"index": (slice(None),) * axis + (slice(low, high),)})
        if not is_zero(program, part):
            line = lines[part]
            if line.primitive is not p.multiply or not factors_meet(program, part, line.args[1], factor):
                return None
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
