"""A block of steps: the buffers that the loop works in, and the flat list of NumPy calls that it is.

The calls are bound once to views of the buffers; running the loop is ``for function, args in calls: function(*args)``. A
long scan slides the same buffers along, block by block, so nothing is bound per time step of the whole.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.primitive import Shape, broadcast_shape
from tinyrnn.recurrence.partition import Partition, Stage, in_blocks
from tinyrnn.recurrence.program import Line

Array = np.ndarray[Any, Any]
Call = tuple[Callable[..., Any], tuple[Any, ...]]


def allocate(lead: int, shape: Shape, dtype: Any, feature_major: bool) -> Array:
    """Allocate ``lead`` values of a shape; feature-major, each lies in memory with its axes in reverse."""
    if not feature_major:
        return np.empty((lead, *shape), dtype)
    raw = np.empty((lead, *shape[::-1]), dtype)
    return raw.transpose(0, *range(raw.ndim - 1, 0, -1))


def is_view(line: Line, lines: list[Line]) -> bool:
    """Whether a line only looks at its operand in another way, which takes no call."""
    if line.primitive is p.reshape:
        old = lines[line.args[0]].shape
        return [n for n in old if n != 1] == [n for n in line.shape if n != 1]
    return line.primitive in (p.getitem, p.transpose, p.broadcast_to) and len(line.args) == 1


def elementwise(line: Line) -> bool:
    """Whether a line is one ufunc call, which may write over its operand."""
    return (
        line.primitive is not None
        and isinstance(line.primitive.forward, np.ufunc)
        and line.primitive is not p.matmul
    )


class Block:
    """Buffers for up to ``size`` steps, and the calls of the loop.

    A value of the loop lives in one of: a place for each step (inputs, and what a later stage needs), one place that every
    step uses again, a part of a concatenation's buffer, or (the carry) ``size + 1`` places, of which a step reads one and
    writes the next. Feature-major, the gates of an LSTM are contiguous slices, and ``(N, H) @ (H, B)`` is the faster
    product.

    Attributes
    ----------
    calls : list of (function, args)
        All calls of all steps, in the order in which they run.
    calls_per_step : int
    """

    def __init__(self, parted: Partition, size: int, *, reverse: bool) -> None:
        self.parted = parted
        self.size = size
        self.reverse = reverse
        self.lines = parted.scan.program.lines
        self.loop = parted.lines(Stage.LOOP)
        self.feature_major = all(len(self.lines[i].shape) <= 2 for i in self.loop)
        self.places: dict[int, Array] = {}
        self.fixed: dict[
            tuple[int, Any], Array
        ] = {}  # what runs once, in the form in which the loop wants it
        self.becomes: dict[int, int] = {}  # a line of the loop -> the carry input that its value is next
        self.parts: dict[int, tuple[int, int, int, int]] = {}  # line -> (concatenation, axis, low, high)
        self._over: dict[tuple[Stage, int], list[tuple[Callable[..., Any], list[Any], bool]]] = {}
        self._columns: dict[int, Array] = {}
        self.lasting = self._lasting()
        self._place()
        steps = range(size)[::-1] if reverse else range(size)
        by_step = [
            [call for i in self.loop for call in self._calls(i, s)] + self._handovers(s) for s in steps
        ]
        self.calls_per_step = len(by_step[0])
        self.calls: list[Call] = list(itertools.chain.from_iterable(by_step))

    # --- where values live -----------------------------------------------------------------------------------------
    def _new(self, lead: int, i: int) -> Array:
        return allocate(lead, self.lines[i].shape, self.lines[i].dtype, self.feature_major)

    def _place(self) -> None:
        scan, lines, loop = self.parted.scan, self.lines, set(self.loop)
        computed = {i for i in loop if not is_view(lines[i], lines)}
        for before, after in zip(scan.carry, scan.carry_out, strict=True):
            self.places[before] = self._new(self.size + 1, before)
            if (
                after in computed
                and after not in self.becomes
                and lines[after].primitive is not p.concatenate
            ):
                self.becomes[after] = before
        for i in self.loop:
            line = lines[i]
            if line.primitive is p.concatenate:
                offsets = line.params["offsets"]
                for part, low, high in zip(line.args, offsets, offsets[1:], strict=False):
                    if part in computed and part not in self.parts and part not in self.becomes:
                        self.parts[part] = (i, line.params["axis"], low, high)
        for part, (whole, *_) in self.parts.items():
            if part in self.lasting:
                self.lasting.add(whole)
        last = self._last_reads()
        for i in self.loop:
            line = lines[i]
            if i not in computed or i in self.becomes or i in self.parts:
                continue
            if i in self.lasting:
                self.places[i] = self._new(self.size, i)
                continue
            dying = [
                a for a in line.args if a in computed and a not in self.lasting and last[self.root(a)] == i
            ]
            same = [
                a for a in dying
                if a in self.places and elementwise(line) and (lines[a].shape, lines[a].dtype) == (line.shape, line.dtype)
            ]  # fmt: skip
            self.places[i] = self.places[same[0]] if same else self._new(1, i)
        for stage in (Stage.BEFORE, Stage.AFTER):
            self._place_over_block(stage)
        for i in self.lasting:  # inputs that the loop reads
            if lines[i].primitive is None and i not in self.places:
                self.places[i] = self._new(self.size, i)

    def _place_over_block(self, stage: Stage) -> None:
        """Give the lines of a block stage buffers; one that nobody needs any more serves again."""
        lines, order = self.lines, self.parted.lines(stage)
        kept = {
            *self.parted.scan.ys,
            *self.parted.scan.carry_out,
            *(i for s in self.parted.sums for i in s.lines()),
        }
        kept |= {a for i, s in self.parted.stage.items() if s is not stage for a in lines[i].args}
        kept = {self.root(i) for i in kept}
        last = {self.root(a): i for i in order for a in lines[i].args}
        free: dict[Any, list[Array]] = {}
        for i in order:
            line = lines[i]
            if i in self.places or is_view(line, lines) or self.written_out(i):
                continue
            kind = (line.shape, line.dtype)
            dying = {a for a in map(self.root, line.args) if last[a] == i and a not in kept}
            # The place of a carry is never free: it is handed on from there.
            dying = [
                a for a in dying if lines[a].primitive and self.parted.stage[a] is stage and a in self.places
            ]
            same = [
                a
                for a in dying
                if elementwise(line) and (lines[a].shape, lines[a].dtype) == kind and a in line.args
            ]
            if same:
                self.places[i] = self.places[same[0]]
                dying.remove(same[0])
            else:
                self.places[i] = free[kind].pop() if free.get(kind) else self._new(self.size, i)
            for a in dying:
                free.setdefault((lines[a].shape, lines[a].dtype), []).append(self.places[a])

    def written_out(self, i: int) -> bool:
        """Whether a line is worked out after the loop, straight into the array of an output."""
        return (
            i in self.parted.scan.ys
            and self.parted.stage[i] is Stage.AFTER
            and self.lines[i].primitive is not None
            and not is_view(self.lines[i], self.lines)
        )

    def _lasting(self) -> set[int]:
        """Return the values that are wanted at all steps of a block, because the loop and another stage share them."""
        stage, lines, scan = self.parted.stage, self.lines, self.parted.scan
        wanted = {*scan.ys, *(i for s in self.parted.sums for i in s.lines())}
        wanted |= {a for i in self.parted.lines(Stage.AFTER) for a in lines[i].args}
        wanted |= {a for i in self.loop for a in lines[i].args if stage[a] is Stage.BEFORE}
        wanted |= {i for i in scan.carry_out if stage[i] is Stage.BEFORE}
        for i in sorted(wanted, reverse=True):
            while lines[i].primitive is not None and is_view(lines[i], lines):
                (i,) = lines[i].args
                wanted.add(i)
        # An input that only block stages read is read where it is.
        loop = {a for i in self.loop for a in lines[i].args} | set(scan.carry_out)
        for i in sorted(loop, reverse=True):
            while lines[i].primitive is not None and is_view(lines[i], lines):
                (i,) = lines[i].args
                loop.add(i)
        return {
            i for i in wanted if stage[i] is not Stage.ONCE and (lines[i].primitive is not None or i in loop)
        }

    def kept(self) -> list[Line]:
        """Return the lines that have a place for each step of the block."""
        own = {*self.lasting, *self.parted.scan.carry, *self.parted.lines(Stage.BEFORE)}
        return [self.lines[i] for i in own if i in self.places]

    def _last_reads(self) -> dict[int, int]:
        """Return, for each buffer, the last line of the loop that reads it."""
        last: dict[int, int] = {}
        for i in self.loop:
            for a in (*self.lines[i].args, i):
                last[self.root(a)] = i
        for i in self.parted.scan.carry_out:
            last[self.root(i)] = len(self.lines)
        return last

    def root(self, i: int) -> int:
        """Return the line in whose buffer a value lives."""
        while i not in self.becomes:
            if i in self.parts:
                i = self.parts[i][0]
            elif self.lines[i].primitive is not None and is_view(self.lines[i], self.lines):
                (i,) = self.lines[i].args
            else:
                break
        return i

    # --- views of the buffers --------------------------------------------------------------------------------------
    def over(self, i: int, low: int, high: int) -> Array:
        """Return the values of a line at the steps ``low`` to ``high``, time first."""
        line = self.lines[i]
        if i in self.becomes or i in self.parted.scan.carry:
            places = self.places[self.becomes.get(i, i)]
            shift = (i in self.becomes) != self.reverse
            return places[low + shift : high + shift]
        if i in self.places:
            places = self.places[i]
            return places[low:high] if len(places) > 1 or self.size == 1 else places
        if i in self.parts:
            whole, axis, start, stop = self.parts[i]
            return self.over(whole, low, high)[(slice(None),) * (axis + 1) + (slice(start, stop),)]
        if is_view(line, self.lines):
            return look(line, in_blocks(line, self.lines), self.over(line.args[0], low, high), high - low)
        raise KeyError(f"line {i} has no buffer")

    def at(self, i: int, step: int, *, like: Shape | None = None) -> Any:
        """Return the value of a line at a step; one that runs once is spread to the shape ``like``."""
        line = self.lines[i]
        if line.literal is not None:
            return line.literal
        if self.parted.stage[i] is Stage.ONCE:
            shape = like if like is not None and line.shape else line.shape
            return self._fixed(i, shape)
        return self.over(i, step, step + 1)[0, ...]  # a view, also of a single number

    def _fixed(self, i: int, form: Any) -> Array:
        if (i, form) not in self.fixed:
            line = self.lines[i]
            shape = (line.shape[1], line.shape[0]) if form == "transposed" else form
            major = self.feature_major and form != "transposed"
            self.fixed[i, form] = allocate(1, shape, line.dtype, major)[0, ...]
        return self.fixed[i, form]

    def fill_fixed(self, values: dict[int, Any], counts: set[int]) -> None:
        """Copy what ran once to where the calls expect it, those over ``counts`` steps too."""
        for count in counts:
            self.calls_over(Stage.BEFORE, count)
            self.calls_over(Stage.AFTER, count)
        for i in self.parted.scan.ys:
            self.value(i, 1)
        for (i, form), target in self.fixed.items():
            np.copyto(target, np.transpose(values[i]) if form == "transposed" else values[i])

    def calls_of(self, i: int) -> int:
        """Return how many NumPy calls a line of the loop takes at each step."""
        return len(self._calls(i, 0))

    # --- calls -----------------------------------------------------------------------------------------------------
    def _calls(self, i: int, step: int) -> list[Call]:
        """Return the NumPy calls of a line at a step."""
        line, lines = self.lines[i], self.lines
        if is_view(line, lines):
            return []
        out = self.at(i, step)
        if line.primitive is p.matmul:
            return [self._product(line, step, out)]
        if line.primitive is p.concatenate:
            offsets, axis = line.params["offsets"], line.params["axis"]
            return [
                (np.copyto, (out[(slice(None),) * axis + (slice(low, high),)], self.at(part, step)))
                for part, low, high in zip(line.args, offsets, offsets[1:], strict=False)
                if self.parts.get(part) != (i, axis, low, high)  # a part may stand there twice
            ]
        if line.primitive is p.where:
            condition, a, b = (self.at(arg, step) for arg in line.args)
            return [(np.copyto, (out, b)), (np.copyto, (out, a, "same_kind", condition))]
        if elementwise(line):
            args = [self.at(arg, step, like=line.shape) for arg in line.args]
            args = [
                np.asarray(a, line.dtype) if isinstance(a, (int, float)) and line.dtype.kind == "f" else a
                for a in args
            ]
            return [(_INTO.get(line.primitive.forward, line.primitive.forward), (*args, out))]
        return [(into(line), (out, *(self.at(arg, step) for arg in line.args)))]

    def _product(self, line: Line, step: int, out: Array) -> Call:
        a, b = line.args
        flat = len(self.lines[a].shape) == len(self.lines[b].shape) == 2
        if (
            flat
            and self.parted.stage[b] is Stage.ONCE
            and self.lines[a].dtype == line.dtype == self.lines[b].dtype
        ):
            left = self.at(a, step)
            if self.feature_major and out.T.flags.c_contiguous:
                return (np.dot, (self._fixed(b, "transposed"), left.T, out.T))
            if not self.feature_major and out.flags.c_contiguous:
                return (np.dot, (left, self._fixed(b, self.lines[b].shape), out))
        return (np.matmul, (self.at(a, step), self.at(b, step), out))

    def _handovers(self, step: int) -> list[Call]:
        """Return the copies of values that become the next carry, but could not be written in its place."""
        calls: list[Call] = []
        after = step if self.reverse else step + 1
        for before, i in zip(self.parted.scan.carry, self.parted.scan.carry_out, strict=True):
            if self.becomes.get(i) != before:
                value = self.at(i, step, like=self.lines[i].shape)
                calls.append((np.copyto, (self.places[before][after, ...], value)))
        return calls

    def carry(self, count: int, *, end: bool) -> list[Array]:
        """Return the places of the carry before (or after) a run of ``count`` steps."""
        return [self.places[i][count if end != self.reverse else 0, ...] for i in self.parted.scan.carry]

    # --- over a block of steps -------------------------------------------------------------------------------------
    def value(self, i: int, count: int) -> Any:
        """Return a value at the first ``count`` steps: time first, without time if it runs once, or a `Slice` to come."""
        line = self.lines[i]
        if line.literal is not None:
            return line.literal
        if self.parted.stage[i] is Stage.ONCE:
            return self._fixed(i, line.shape)
        if self.written_out(i) or (line.primitive is None and i not in self.places):
            return Slice(i)
        if is_view(line, self.lines) and i not in self.places:
            below = self.value(line.args[0], count)
            params = in_blocks(line, self.lines)
            if isinstance(below, Slice):
                return below.then(lambda x: look(line, params, x, len(x)))
            return look(line, params, below, count)
        return self.over(i, 0, count)

    def calls_over(self, stage: Stage, count: int) -> list[tuple[Callable[..., Any], list[Any], bool]]:
        """Return the calls of a block stage, each with its arguments and whether a `Slice` is among them."""
        if (stage, count) not in self._over:
            if len(self._over) > 64:
                self._over.clear()
            calls = [
                self._call_over(i, count)
                for i in self.parted.lines(stage)
                if not is_view(self.lines[i], self.lines)
            ]
            self._over[stage, count] = [
                (f, args, any(isinstance(a, Slice) for a in args)) for f, args in calls
            ]
        return self._over[stage, count]

    def _call_over(self, i: int, count: int) -> tuple[Callable[..., Any], list[Any]]:
        line = self.lines[i]
        timed = [self.parted.stage[a] is not Stage.ONCE for a in line.args]
        args = [self.value(a, count) for a in line.args]
        out = self.value(i, count)
        if line.primitive is p.matmul:
            flat = (
                timed == [True, False]
                and len(self.lines[line.args[0]].shape) == len(self.lines[line.args[1]].shape) == 2
            )
            if flat:
                return product_over, [*args, out]
            # Where a matrix at each step meets a stack of them, time stands before the axes of the stack.
            return np.matmul, [*(spread(a, len(line.shape)) if t else a for a, t in zip(args, timed)), out]
        if line.primitive.shape is broadcast_shape or line.primitive is p.broadcast_to:  # pyright: ignore
            args = [spread(a, len(line.shape)) if t else a for a, t in zip(args, timed, strict=True)]
        if elementwise(line):
            # What runs once is spread over the rows beforehand: then the inner loop is a long one.
            args = [
                value if t or self.lines[a].literal is not None else self._fixed(a, line.shape)
                for a, value, t in zip(line.args, args, timed, strict=True)
            ]
            forward = line.primitive.forward  # pyright: ignore[reportOptionalMemberAccess]
            return _INTO.get(forward, forward), [*args, out]
        if line.primitive is p.broadcast_to:
            return np.copyto, [out, *args]
        if line.primitive is p.concatenate:
            return joining(line.params["axis"] + 1, line.params["offsets"]), [out, *args]
        if line.primitive is p.stack:
            args = [
                a if t else np.broadcast_to(a, (count, *np.shape(a)))
                for a, t in zip(args, timed, strict=True)
            ]
        params = in_blocks(line, self.lines)
        if line.primitive in (p.reshape, p.scatter):
            params["shape"] = (count, *params["shape"])
        return into(line, params), [out, *args]

    def columns(self, i: int, value: Array) -> Array:
        """Return a (steps, B, N) value as (N, steps * B), contiguous, in a buffer that is used again."""
        n = value.shape[2]
        if value.size > self._columns.get(i, _EMPTY).size:
            self._columns[i] = np.empty(self.size * value[0].size, value.dtype)
        flat = self._columns[i][: value.size].reshape(n, value.shape[0], value.shape[1])
        np.copyto(flat, value.transpose(2, 0, 1))
        return flat.reshape(n, -1)


class Slice:
    """Stands in a call for the part of a long array that belongs to the block at hand."""

    __slots__ = ("line", "view")

    def __init__(self, line: int, view: Callable[[Array], Array] = lambda x: x) -> None:
        self.line = line
        self.view = view

    def then(self, view: Callable[[Array], Array]) -> Slice:
        """Return the same part, seen through another view as well."""
        return Slice(self.line, lambda x: view(self.view(x)))


_EMPTY = np.empty(0)
# These two take ``out`` only by its name.
_INTO: dict[Any, Callable[..., Any]] = {
    np.maximum: lambda a, b, out: np.maximum(a, b, out=out),
    np.minimum: lambda a, b, out: np.minimum(a, b, out=out),
}


def product_over(a: Array, b: Array, out: Array) -> None:
    """Multiply the (B, K) matrices of a block by one (K, N) matrix."""
    if out.flags.c_contiguous:
        rows = np.ascontiguousarray(a).reshape(-1, a.shape[-1])
        np.dot(rows, b, out.reshape(len(rows), b.shape[1]))
    else:
        np.matmul(b.T, a.transpose(0, 2, 1), out.transpose(0, 2, 1))


def joining(axis: int, offsets: tuple[int, ...]) -> Callable[..., None]:
    """Return a function that writes parts side by side into its first argument."""

    def join(out: Array, *parts: Array) -> None:
        for part, low, high in zip(parts, offsets, offsets[1:], strict=False):
            out[(slice(None),) * axis + (slice(low, high),)] = part

    return join


def look(line: Line, params: dict[str, Any], x: Array, steps: int) -> Array:
    """Apply a view operation to a block of values."""
    if line.primitive is p.getitem:
        return x[params["index"]]
    if line.primitive is p.transpose:
        return x.transpose(params["axes"])
    if line.primitive is p.reshape:
        return x.reshape((steps, *line.shape))
    return np.broadcast_to(spread(x, len(line.shape)), (steps, *line.shape))


def spread(x: Any, ndim: int) -> Any:
    """Insert axes of length 1 after time, until a block's values have ``ndim`` axes each."""
    if isinstance(x, Slice):
        return x.then(lambda a: spread(a, ndim))
    missing = ndim - (x.ndim - 1)
    return x[(slice(None), *(None,) * missing)] if missing > 0 else x


def into(line: Line, params: dict[str, Any] | None = None) -> Callable[..., None]:
    """Return a function that computes an operation into its first argument."""
    forward = line.primitive.forward  # pyright: ignore[reportOptionalMemberAccess]
    chosen = line.params if params is None else params

    def compute(out: Array, *args: Any) -> None:
        out[...] = forward(*args, **chosen)

    return compute


def block_size(parted: Partition) -> int:
    """Choose how many steps share buffers: so many that what the loop keeps of them stays in the cache."""
    probe = Block(parted, 1, reverse=False)
    size = sum(math.prod(line.shape) * line.dtype.itemsize for line in probe.kept())
    return max(8, min(128, (3 << 19) // max(size, 1)))
