"""Where the values of a block of steps live, and the views by which calls reach them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.primitive import Shape
from tinyrnn.recurrence.compiler.blockwise import in_blocks
from tinyrnn.recurrence.compiler.partition import Partition, Stage
from tinyrnn.recurrence.compiler.program import Line
from tinyrnn.recurrence.running.copying import copy
from tinyrnn.recurrence.running.views import Array, is_view, look


def allocate(
    lead: int, shape: Shape, dtype: Any, feature_major: bool, empty: Callable[..., Array] = np.empty
) -> Array:
    """Allocate ``lead`` values of a shape; feature-major, each lies in memory with its axes in reverse."""
    if not feature_major:
        return empty((lead, *shape), dtype)
    raw = empty((lead, *shape[::-1]), dtype)
    return raw.transpose(0, *range(raw.ndim - 1, 0, -1))


class Buffers:
    """Places for the values of up to ``size`` steps.

    A value of the loop lives in one of: a place for each step (inputs, and what a later stage needs), one
    place that every step uses again, a part of a concatenation's buffer, or (the carry) ``size + 1`` places,
    of which a step reads one and writes the next. Feature-major, the gates of an LSTM are contiguous slices,
    and ``(N, H) @ (H, B)`` is the faster product.

    Attributes
    ----------
    places : dict of int to ndarray
        The buffer of a line, time first.
    becomes : dict of int to int
        From a line of the loop to the carry input that its value is at the next step: it is written there.
    parts : dict of int to (concatenation, axis, low, high)
        Lines that are written straight into a concatenation's buffer.
    fixed : dict
        What runs once, in each form in which calls want it.
    rows : dict of int to ndarray
        Where the loop is code and values are feature-major: the inputs that lie in rows, as callers have
        them. The loop itself turns what a step wants of them.
    turned : dict of int to ndarray
        Where it turns them to.
    outs : dict of int to ndarray
        Where the loop is code: outputs that it copies to where callers find them, in their order.

    Parameters
    ----------
    inner : frozenset of int, optional
        Where the loop is code: its lines that need no memory. No line is written over another one then, and
        what has one row lies in rows.
    columns : frozenset of int, optional
        Where the loop is code: lines that sums over time take in columns, which the loop can write itself.
        It does so where values are feature-major; rows can be multiplied as they are.
    """

    def __init__(
        self,
        parted: Partition,
        size: int,
        *,
        reverse: bool,
        inner: frozenset[int] | None = None,
        columns: frozenset[int] = frozenset(),
    ) -> None:
        self.parted = parted
        self.size = size
        self.reverse = reverse
        self.lines = parted.scan.program.lines
        self.loop = parted.lines(Stage.LOOP)
        self.inner = inner
        shapes = [self.lines[i].shape for i in self.loop]
        self.feature_major = all(len(shape) <= 2 for shape in shapes) and (
            inner is None or any(len(shape) == 2 and shape[0] >= 8 and shape[1] > 1 for shape in shapes)
        )
        self.columns = columns if self.feature_major else frozenset[int]()
        self.places: dict[int, Array] = {}
        self.becomes: dict[int, int] = {}
        self.parts: dict[int, tuple[int, int, int, int]] = {}
        self.fixed: dict[tuple[int, Any], Array] = {}
        self.rows: dict[int, Array] = {}
        self.turned: dict[int, Array] = {}
        self.outs: dict[int, Array] = {}
        self._lasting = self._wanted_at_all_steps()
        computed = {i for i in self.loop if not self._is_view(i)}
        self._place_carry(computed)
        self._place_parts(computed)
        self._place_loop(computed)
        for stage in (Stage.BEFORE, Stage.AFTER):
            self._place_over_block(stage)
        for i in self._lasting:  # inputs that the loop reads
            if self.lines[i].primitive is None and i not in self.places:
                if inner is not None and self._is_turned(i):
                    self.rows[i] = allocate(self.size, self.lines[i].shape, self.lines[i].dtype, False)
                    self.turned[i] = self._new(1, i)
                else:
                    self.places[i] = self._new(self.size, i)

        if inner is not None and self.feature_major:
            self._place_outputs()

    def _is_view(self, i: int) -> bool:
        return is_view(self.lines[i], self.lines)

    def _new(self, lead: int, i: int) -> Array:
        return allocate(lead, self.lines[i].shape, self.lines[i].dtype, self.feature_major)

    # --- which value lives where ---------------------------------------------------------------------------
    def _wanted_at_all_steps(self) -> set[int]:
        """Return the values that the loop shares with another stage: they last a whole block."""
        stage, lines, scan = self.parted.stage, self.lines, self.parted.scan
        wanted = {*scan.ys, *(i for s in self.parted.sums for i in s.lines() if i not in self.columns)}
        wanted |= {i for s in self.parted.sums for i in s.rows()}
        wanted |= {a for i in self.parted.lines(Stage.AFTER) for a in lines[i].args}
        wanted |= {a for i in self.loop for a in lines[i].args if stage[a] is Stage.BEFORE}
        wanted |= {i for i in scan.carry_out if stage[i] is Stage.BEFORE}
        self._see_through(wanted)
        # An input that only block stages read is read where it is.
        loop = {a for i in self.loop for a in lines[i].args} | set(scan.carry_out)
        self._see_through(loop)
        return {
            i for i in wanted if stage[i] is not Stage.ONCE and (lines[i].primitive is not None or i in loop)
        }

    def _is_turned(self, i: int) -> bool:
        """Whether an input comes in rows, and the loop wants it otherwise."""
        saved = (self.parted.scan.xs[k] for k in self.parted.scan.saved)
        shape = self.lines[i].shape
        return self.feature_major and len(shape) == 2 and 1 not in shape and i not in saved

    def _see_through(self, found: set[int]) -> None:
        """Add what the views among some lines look at."""
        for i in sorted(found, reverse=True):
            while self._is_view(i):
                (i,) = self.lines[i].args
                found.add(i)

    def _place_carry(self, computed: set[int]) -> None:
        """Give the carry its places, and let the new carry be written into them where it can."""
        scan, lines = self.parted.scan, self.lines
        for before, after in zip(scan.carry, scan.carry_out, strict=True):
            self.places[before] = self._new(self.size + 1, before)
            joined = lines[after].primitive is p.concatenate
            if after in computed and after not in self.becomes and not joined:
                self.becomes[after] = before

    def _place_parts(self, computed: set[int]) -> None:
        """Let the parts of a concatenation be written straight into its buffer."""
        for i in self.loop:
            line = self.lines[i]
            if line.primitive is p.concatenate:
                offsets = line.params["offsets"]
                for part, low, high in zip(line.args, offsets, offsets[1:], strict=False):
                    if part in computed and part not in self.parts and part not in self.becomes:
                        self.parts[part] = (i, line.params["axis"], low, high)
        for part, (whole, *_) in self.parts.items():
            if part in self._lasting:
                self._lasting.add(whole)

    def _place_loop(self, computed: set[int]) -> None:
        """Give the other lines of the loop buffers; one line may write over an operand that it reads last."""
        last = self._last_reads()
        for i in self.loop:
            line = self.lines[i]
            if i not in computed or i in self.becomes or i in self.parts:
                continue
            if i in self._lasting:
                self.places[i] = self._new(self.size, i)
                continue
            if self.inner is not None:
                if i not in self.inner:
                    self.places[i] = self._new(1, i)
                continue
            dying = (
                a for a in line.args if a in computed and a not in self._lasting and last[self.root(a)] == i
            )
            same = [a for a in dying if a in self.places and self._fits_over(line, a)]
            self.places[i] = self.places[same[0]] if same else self._new(1, i)

    def _fits_over(self, line: Line, a: int) -> bool:
        """Whether a line can be written over its operand."""
        operand = self.lines[a]
        return line.elementwise and (operand.shape, operand.dtype) == (line.shape, line.dtype)

    def _place_over_block(self, stage: Stage) -> None:
        """Give the lines of a block stage buffers; one that nobody needs any more serves again."""
        lines, order, scan = self.lines, self.parted.lines(stage), self.parted.scan
        kept = {*scan.ys, *scan.carry_out, *(i for s in self.parted.sums for i in s.lines())}
        kept |= {a for i, s in self.parted.stage.items() if s is not stage for a in lines[i].args}
        kept = {self.root(i) for i in kept}
        last = {self.root(a): i for i in order for a in lines[i].args}
        free: dict[Any, list[Array]] = {}
        for i in order:
            line = lines[i]
            if i in self.places or self._is_view(i) or self.written_out(i):
                continue
            kind = (line.shape, line.dtype)
            dying = {a for a in map(self.root, line.args) if last[a] == i and a not in kept}
            # The place of a carry is never free: it is handed on from there.
            dying = [a for a in dying if lines[a].primitive and self.parted.stage[a] is stage]
            dying = [a for a in dying if a in self.places]
            same = [a for a in dying if a in line.args and self._fits_over(line, a)]
            if same:
                self.places[i] = self.places[same[0]]
                dying.remove(same[0])
            else:
                self.places[i] = free[kind].pop() if free.get(kind) else self._new(self.size, i)
            for a in dying:
                free.setdefault((lines[a].shape, lines[a].dtype), []).append(self.places[a])

    def _place_outputs(self) -> None:
        """Let the loop write what callers want in rows, and what is saved where it is part of something."""
        scan, lines = self.parted.scan, self.lines
        for n, i in enumerate(scan.ys):
            saved = n >= len(scan.ys) - scan.saving
            shape = lines[i].shape
            if (
                scan.ys.count(i) == 1
                and len(shape) == 2
                and 1 not in shape
                and self.parted.stage[self.root(i)] is Stage.LOOP
                and not (saved and i in self.places)
            ):
                self.outs[i] = allocate(self.size, shape, lines[i].dtype, saved)

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
            elif self._is_view(i):
                (i,) = self.lines[i].args
            else:
                break
        return i

    def written_out(self, i: int) -> bool:
        """Whether a line is worked out after the loop, straight into the array of an output."""
        after = i in self.parted.scan.ys and self.parted.stage[i] is Stage.AFTER
        return after and self.lines[i].primitive is not None and not self._is_view(i)

    @property
    def nbytes(self) -> int:
        """The memory of all places."""
        return sum({id(a): a.nbytes for a in self.places.values()}.values())

    def kept(self) -> list[Line]:
        """Return the lines that have a place for each step of the block."""
        own = {*self._lasting, *self.parted.scan.carry, *self.parted.lines(Stage.BEFORE)}
        return [self.lines[i] for i in own if i in self.places]

    # --- views of the buffers ------------------------------------------------------------------------------
    def over(self, i: int, low: int, high: int) -> Array:
        """Return the values of a line at the steps ``low`` to ``high``, time first."""
        line = self.lines[i]
        if i in self.becomes or i in self.parted.scan.carry:
            places = self.places[self.becomes.get(i, i)]
            shift = (i in self.becomes) != self.reverse
            return places[low + shift : high + shift]
        if i in self.places or i in self.turned:
            places = self.places[i] if i in self.places else self.turned[i]
            return places[low:high] if len(places) > 1 or self.size == 1 else places
        if i in self.parts:
            whole, axis, start, stop = self.parts[i]
            return self.over(whole, low, high)[(slice(None),) * (axis + 1) + (slice(start, stop),)]
        if self._is_view(i):
            params = in_blocks(line, self.lines) or {}
            return look(line, params, self.over(line.args[0], low, high), high - low)
        raise KeyError(f"line {i} has no buffer")

    def given(self, i: int, count: int) -> Array | None:
        """Return where the loop finds an input at the first ``count`` steps; None where it reads none."""
        if i in self.rows:
            return self.rows[i][:count]
        return self.over(i, 0, count) if i in self.places else None

    def at(self, i: int, step: int, *, like: Shape | None = None) -> Any:
        """Return the value of a line at a step; one that runs once is spread to the shape ``like``."""
        line = self.lines[i]
        if line.literal is not None:
            return line.literal
        if self.parted.stage[i] is Stage.ONCE:
            return self.fixed_as(i, like if like is not None and line.shape else line.shape)
        return self.over(i, step, step + 1)[0, ...]  # a view, also of a single number

    def fixed_as(self, i: int, form: Any) -> Array:
        """Return the place of what runs once, in a form: spread to a shape, or "transposed"."""
        if (i, form) not in self.fixed:
            line = self.lines[i]
            shape = (line.shape[1], line.shape[0]) if form == "transposed" else form
            major = self.feature_major and form != "transposed"
            self.fixed[i, form] = allocate(1, shape, line.dtype, major)[0, ...]
        return self.fixed[i, form]

    def fill_fixed(self, values: dict[int, Any]) -> None:
        """Copy what ran once to where the calls expect it."""
        for (i, form), target in self.fixed.items():
            copy(target, np.transpose(values[i]) if form == "transposed" else values[i])

    def carry(self, count: int, *, end: bool) -> list[Array]:
        """Return the places of the carry before (or after) a run of ``count`` steps."""
        return [self.places[i][count if end != self.reverse else 0, ...] for i in self.parted.scan.carry]
