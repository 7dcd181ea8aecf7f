"""Halving: ``sigmoid(z) = tanh(z / 2) / 2 + 1 / 2``, with the first half taken into the weights that made z.

To halve a float is exact, so ``(h @ W + b) / 2`` may be had as ``h @ (W / 2) + b / 2``, with the halves made
before the loop. Where z is a slice of a wider value, only the columns of that slice are halved.
"""

from __future__ import annotations

import itertools
from collections import Counter

from tinyrnn.autograd import primitives as p
from tinyrnn.recurrence.compiler.concatenations import join, one_slice
from tinyrnn.recurrence.compiler.program import CARRY, FIXED, Program, Symbol
from tinyrnn.recurrence.compiler.rewrites import LOOP, REWRITES
from tinyrnn.recurrence.compiler.scan_program import ScanProgram, emit_lines
from tinyrnn.recurrence.compiler.zeros import zeros

Span = tuple[int, int]


def halve_in_weights(scan: ScanProgram) -> ScanProgram:
    """Write the sigmoids of the loop as tanh, where the halving of their argument can leave the loop."""
    found = _Halves(scan)
    if not found.sigmoids:
        return scan
    source, target = scan.program, Program(REWRITES)
    at = scan.begin(target)

    def halved(i: int) -> int:
        """Write half of a value."""
        line = source.lines[i]
        if found.whole_of(i) in found.spans:
            emit_lines(source, target, [i], at)  # a slice of what is halved there
            return at[i]
        if line.primitive is p.add and line.level in LOOP:
            return target.emit(p.add, tuple(halved(a) for a in line.args), {})
        emit_lines(source, target, [i], at)
        return scaled(target, at[i], target.literal(0.5))

    for i in sorted([*found.spans, *found.sigmoids]):
        line = source.lines[i]
        if i in found.spans:
            emit_lines(source, target, line.args, at)
            assert line.primitive is not None
            plain = target.emit(line.primitive, tuple(at[a] for a in line.args), line.params, line.scope)
            at[i] = scaled(target, plain, _vector(target, found.spans[i], line.shape[-1], line.dtype))
        else:
            at[i] = (p.tanh(Symbol(target, halved(line.args[0]))) * 0.5 + 0.5).index
            if i in source.names:
                target.names.setdefault(at[i], source.names[i])
    return scan.finish(target, at)


class _Halves:
    """Which sigmoids of a program can be halved in the weights.

    Attributes
    ----------
    sigmoids : list of int
    spans : dict
        The values of which only some columns are halved: (low, high) of these.
    """

    def __init__(self, scan: ScanProgram) -> None:
        self.program = scan.program
        self.needed = scan.program.needed(scan.outputs)
        self.uses = Counter(a for i in self.needed for a in self.program.lines[i].args)
        self.uses.update(scan.outputs)
        self.sigmoids: list[int] = []
        self.spans: dict[int, list[Span]] = {}
        wholes: dict[int, bool] = {}
        for i in self.needed:
            line = self.program.lines[i]
            if line.primitive is p.sigmoid and line.level == CARRY and line.dtype.itemsize >= 4:
                slices: list[int] = []
                if self._can_halve(line.args[0], slices):
                    for whole in {self.whole_of(s) for s in slices}:
                        if whole not in wholes:
                            wholes[whole] = self._only_sliced(whole, scan) and self._parts_can(whole)
                    if all(wholes[self.whole_of(s)] for s in slices):
                        self.sigmoids.append(i)
                        for s in slices:
                            self.spans.setdefault(self.whole_of(s), []).append(self._span(s))

    def whole_of(self, i: int) -> int:
        """Return the value that a slice is cut from; -1 where the line is no slice of the last axis."""
        return self.program.lines[i].args[0] if self._span(i) != (0, 0) else -1

    def _span(self, i: int) -> Span:
        line = self.program.lines[i]
        if line.primitive is not p.getitem or len(line.args) != 1:
            return 0, 0
        shape = self.program.lines[line.args[0]].shape
        cut = one_slice(line.params["index"], shape)
        return cut[1:] if cut is not None and cut[0] == len(shape) - 1 else (0, 0)

    def _can_halve(self, i: int, slices: list[int]) -> bool:
        """Whether a value can be halved at no cost in the loop; collects the slices that it is made of."""
        line = self.program.lines[i]
        if line.level == FIXED:
            return True
        if self.uses[i] > 1 or line.dtype.kind != "f":
            return False
        if self.whole_of(i) >= 0:
            slices.append(i)
            return True
        return self._parts_can(i, slices)

    def _parts_can(self, i: int, slices: list[int] | None = None) -> bool:
        line = self.program.lines[i]
        if line.primitive is p.matmul and self.program.lines[line.args[1]].level == FIXED:
            return True
        if line.primitive is p.add:
            if slices is not None:
                return all(self._can_halve(a, slices) for a in line.args)
            inner: list[int] = []
            return all(self._can_halve(a, inner) for a in line.args) and not inner
        return False

    def _only_sliced(self, whole: int, scan: ScanProgram) -> bool:
        """Whether all that a value is used for is to cut slices from it that do not overlap."""
        users = [i for i in self.needed if whole in self.program.lines[i].args]
        spans = sorted(self._span(i) for i in users)
        apart = all(a[1] <= b[0] for a, b in itertools.pairwise(spans))
        return apart and (0, 0) not in spans and whole not in scan.outputs


def _vector(program: Program, spans: list[Span], width: int, dtype: object) -> int:
    """Write the numbers by which columns are scaled: 1/2 in the spans, and 1 elsewhere."""
    bounds = sorted({0, width, *(end for span in spans for end in span)})
    parts = []
    for low, high in itertools.pairwise(bounds):
        number = 0.5 if any(a <= low < b for a, b in spans) else 1.0
        parts.append(program.emit(p.add, (zeros(program, (high - low,), dtype), program.literal(number)), {}))
    return join(program, 0, parts)


def scaled(program: Program, i: int, scale: int) -> int:
    """Write ``i * scale``, with the scale taken into weights and known terms."""
    line = program.lines[i]
    if line.primitive is p.add:
        return program.emit(p.add, tuple(scaled(program, a, scale) for a in line.args), {})
    if line.primitive is p.matmul and program.lines[line.args[1]].level == FIXED:
        weights = program.emit(p.multiply, (line.args[1], scale), {})
        return program.emit(p.matmul, (line.args[0], weights), {})
    return program.emit(p.multiply, (i, scale), {})
