"""The calls before and after the loop: each does a line for a whole block of steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinyrnn.autograd import primitives as p
from tinyrnn.recurrence.compiler.blockwise import in_blocks
from tinyrnn.recurrence.compiler.partition import Stage
from tinyrnn.recurrence.running.buffers import Buffers
from tinyrnn.recurrence.running.calls import into, joining, left_over, product_over, right_over, ufunc
from tinyrnn.recurrence.running.views import Slice, is_view, look, spread


class StageCalls:
    """The calls of the two block stages, bound once for each number of steps."""

    def __init__(self, buffers: Buffers) -> None:
        self.buffers = buffers
        self.lines = buffers.lines
        self.stage = buffers.parted.stage
        self._bound: dict[tuple[Stage, int], list[tuple[Callable[..., Any], list[Any], bool]]] = {}
        self._values: dict[tuple[int, int], Any] = {}

    def value(self, i: int, count: int) -> Any:
        """Return a value at the first ``count`` steps.

        It has time first, but is without time if it runs once; one that stands in an array of the caller is a
        `Slice`, to be cut at each block.
        """
        key = (i, count)
        if key not in self._values:
            self._values[key] = self._value(i, count)
        return self._values[key]

    def _value(self, i: int, count: int) -> Any:
        line = self.lines[i]
        if line.literal is not None:
            return line.literal
        if self.stage[i] is Stage.ONCE:
            return self.buffers.fixed_as(i, line.shape)
        if self.buffers.written_out(i) or (line.primitive is None and i not in self.buffers.places):
            return Slice(i)
        if is_view(line, self.lines) and i not in self.buffers.places:
            below = self.value(line.args[0], count)
            params = in_blocks(line, self.lines) or {}
            if isinstance(below, Slice):
                return below.then(lambda x: look(line, params, x, len(x)))
            return look(line, params, below, count)
        return self.buffers.over(i, 0, count)

    def calls(self, stage: Stage, count: int) -> list[tuple[Callable[..., Any], list[Any], bool]]:
        """Return the calls of a stage, each with its arguments and whether a `Slice` is among them."""
        if (stage, count) not in self._bound:
            if len(self._bound) > 64:
                self._bound.clear()
                self._values.clear()
            lines = [i for i in self.buffers.parted.lines(stage) if not is_view(self.lines[i], self.lines)]
            calls = [self._call(i, count) for i in lines]
            self._bound[stage, count] = [(f, args, any(type(a) is Slice for a in args)) for f, args in calls]
        return self._bound[stage, count]

    def _call(self, i: int, count: int) -> tuple[Callable[..., Any], list[Any]]:
        """Return the call of a line."""
        line = self.lines[i]
        timed = [self.stage[a] is not Stage.ONCE for a in line.args]
        args = [self.value(a, count) for a in line.args]
        out = self.value(i, count)
        # Time stands before the axes along which a smaller operand is broadcast.
        aligned = [spread(a, len(line.shape)) if t else a for a, t in zip(args, timed, strict=True)]
        assert line.primitive is not None
        if line.primitive is p.matmul:
            flat = len(self.lines[line.args[0]].shape) == len(self.lines[line.args[1]].shape) == 2
            if flat and timed == [True, False]:
                return product_over, [*args, out]
            if not all(timed) and all(len(self.lines[a].shape) > 2 for a in line.args):
                return left_over if timed[0] else right_over, [*aligned, out]
            return np.matmul, [*aligned, out]
        if line.elementwise:
            # What runs once is spread over the rows beforehand: then the inner loop is a long one.
            args = [
                x if t or self.lines[a].literal is not None else self.buffers.fixed_as(a, line.shape)
                for a, x, t in zip(line.args, aligned, timed, strict=True)
            ]
            return ufunc(line), [*args, out]
        if line.primitive is p.broadcast_to:
            return np.copyto, [out, *aligned]
        if line.primitive is p.concatenate:
            return joining(line.params["axis"] + 1, line.params["offsets"]), [out, *args]
        if line.primitive is p.stack:
            args = [
                x if t else np.broadcast_to(x, (count, *np.shape(x)))
                for x, t in zip(args, timed, strict=True)
            ]
        elif line.primitive.elementwise:
            args = aligned
        params = in_blocks(line, self.lines)
        if params is not None and line.primitive in (p.reshape, p.scatter):
            params = {**params, "shape": (count, *params["shape"])}
        return into(line, params), [out, *args]
