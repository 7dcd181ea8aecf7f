"""The calls of the loop: what one time step runs, bound to views of the buffers."""

from __future__ import annotations

import numpy as np

from tinyrnn.autograd import primitives as p
from tinyrnn.recurrence.compiler.partition import Stage
from tinyrnn.recurrence.compiler.program import Line
from tinyrnn.recurrence.running.buffers import Buffers
from tinyrnn.recurrence.running.calls import Call, into, ufunc
from tinyrnn.recurrence.running.views import Array, is_view


def step_calls(buffers: Buffers, step: int) -> list[Call]:
    """Return all calls of a step, in the order in which they run."""
    calls = [call for i in buffers.loop for call in line_calls(buffers, i, step)]
    return calls + _handovers(buffers, step)


def line_calls(buffers: Buffers, i: int, step: int) -> list[Call]:
    """Return the NumPy calls of a line at a step."""
    line, at = buffers.lines[i], buffers.at
    if is_view(line, buffers.lines):
        return []
    out = at(i, step)
    if line.primitive is p.matmul:
        return [_product(buffers, line, step, out)]
    if line.primitive is p.concatenate:
        offsets, axis = line.params["offsets"], line.params["axis"]
        return [
            (np.copyto, (out[(slice(None),) * axis + (slice(low, high),)], at(part, step)))
            for part, low, high in zip(line.args, offsets, offsets[1:], strict=False)
            # Most are written there straight away; one that stands there twice is copied once.
            if buffers.parts.get(part) != (i, axis, low, high)
        ]
    if line.primitive is p.where:
        condition, a, b = (at(arg, step) for arg in line.args)
        return [(np.copyto, (out, b)), (np.copyto, (out, a, "same_kind", condition))]
    if line.elementwise:
        args = [at(arg, step, like=line.shape) for arg in line.args]
        if line.dtype.kind == "f":  # a number that is an array already costs nothing to convert
            args = [np.asarray(a, line.dtype) if isinstance(a, (int, float)) else a for a in args]
        return [(ufunc(line), (*args, out))]
    return [(into(line), (out, *(at(arg, step) for arg in line.args)))]


def _product(buffers: Buffers, line: Line, step: int, out: Array) -> Call:
    """Return a matrix product: by weights as the one call that is fastest for the layout at hand."""
    a, b = line.args
    left, right = buffers.lines[a], buffers.lines[b]
    flat = len(left.shape) == len(right.shape) == 2 and left.dtype == line.dtype == right.dtype
    if flat and buffers.parted.stage[b] is Stage.ONCE:
        x = buffers.at(a, step)
        if buffers.feature_major and out.T.flags.c_contiguous:
            return (np.dot, (buffers.fixed_as(b, "transposed"), x.T, out.T))
        if not buffers.feature_major and out.flags.c_contiguous:
            return (np.dot, (x, buffers.fixed_as(b, right.shape), out))
    return (np.matmul, (buffers.at(a, step), buffers.at(b, step), out))


def _handovers(buffers: Buffers, step: int) -> list[Call]:
    """Return the copies of values that become the next carry, but could not be written in its place."""
    scan = buffers.parted.scan
    after = step if buffers.reverse else step + 1
    return [
        (np.copyto, (buffers.places[before][after, ...], buffers.at(i, step, like=buffers.lines[i].shape)))
        for before, i in zip(scan.carry, scan.carry_out, strict=True)
        if buffers.becomes.get(i) != before
    ]
