"""Partition: which lines run once, which over many steps in one call, and which must run step by step."""

from __future__ import annotations

import dataclasses
import enum
import functools
from collections.abc import Callable, Container
from typing import Any

from tinyrnn.autograd import primitives as p
from tinyrnn.recurrence.compiler.blockwise import in_blocks
from tinyrnn.recurrence.compiler.program import CARRY, FIXED, Line, Program
from tinyrnn.recurrence.compiler.scan_program import ScanProgram


class Stage(enum.StrEnum):
    """When a line runs."""

    ONCE = "once"  # depends on parameters only
    BEFORE = "before"  # does not depend on the carry: over a block of steps in one call
    LOOP = "loop"  # the next carry needs it
    AFTER = "after"  # needs the carry, but the carry does not need it: over a block of steps in one call


@dataclasses.dataclass(frozen=True, eq=False)
class TimeSum:
    """A sum over time, as a tree: linear operations at the top, worked out once; sums over blocks below.

    ``kind`` is "product" (of ``line`` and ``other``: the sum of ``lineᵀ @ other``, one matrix product over
    all steps and rows), "stack" (the sum of ``line @ other``, stacks of matrices), "rows" (sum of ``line``
    over time and batch), "total" (sum of ``line`` over time), "times" (``line`` is the same at every step),
    or "apply" (``primitive`` on the sums below).
    """

    kind: str
    line: int = -1
    other: int = -1
    primitive: Any = None
    params: dict[str, Any] = dataclasses.field(default_factory=dict)
    below: tuple[TimeSum | int, ...] = ()

    def leaves(self) -> list[TimeSum]:
        """Return the parts that are summed block by block."""
        if self.kind == "apply":
            return [leaf for part in self.below if isinstance(part, TimeSum) for leaf in part.leaves()]
        return [self]

    def columns(self) -> list[int]:
        """Return the lines whose steps and rows are one axis where they are summed."""
        return [leaf.line if leaf.kind == "rows" else leaf.other for leaf in self._multiplied()]

    def rows(self) -> list[int]:
        """Return the other lines that are summed."""
        leaves = [leaf for leaf in self.leaves() if leaf.kind in ("product", "stack", "total")]
        return [leaf.line for leaf in leaves] + [leaf.other for leaf in leaves if leaf.kind == "stack"]

    def _multiplied(self) -> list[TimeSum]:
        return [leaf for leaf in self.leaves() if leaf.kind in ("product", "rows")]

    def lines(self) -> list[int]:
        """Return the lines of the step, and the fixed ones, that it needs."""
        if self.kind == "apply":
            return [i for part in self.below for i in (part.lines() if isinstance(part, TimeSum) else [part])]
        return [i for i in (self.line, self.other) if i >= 0]


_LINEAR = (p.transpose, p.reshape, p.negative)


def _narrows(line: Line, program: Program) -> bool:
    """Whether a cast is to a float of no more digits: then the sum is better off before it."""
    dtype = program.lines[line.args[0]].dtype
    return dtype.kind == "f" and line.dtype.kind == "f" and dtype.itemsize >= line.dtype.itemsize


def time_sum(program: Program, i: int, loop: Container[int] = ()) -> TimeSum:
    """Push a sum over time down through linear operations, to where one call can do it for many steps.

    A concatenation that is in the ``loop`` anyway is taken as it stands there; of another one the parts are
    summed, so that it need not be made.
    """
    line = program.lines[i]

    def below(*args: int) -> tuple[TimeSum, ...]:
        return tuple(time_sum(program, a, loop) for a in args)

    def by_features(whole: int, axis: int, sum_of: Callable[[int], TimeSum]) -> TimeSum:
        line = program.lines[whole]
        joined = line.primitive is p.concatenate and line.params["axis"] == 1 and whole not in loop
        if not joined or any(program.lines[a].level == FIXED for a in line.args):
            return sum_of(whole)
        params = {"axis": axis, "offsets": line.params["offsets"]}
        return TimeSum("apply", primitive=p.concatenate, params=params, below=tuple(map(sum_of, line.args)))

    if line.level == FIXED:
        return TimeSum("times", i)
    if line.primitive in _LINEAR or (line.primitive is p.astype and _narrows(line, program)):
        return TimeSum("apply", primitive=line.primitive, params=line.params, below=below(*line.args))
    if line.primitive is p.add and all(program.lines[a].shape == line.shape for a in line.args):
        return TimeSum("apply", primitive=p.add, below=below(*line.args))
    if line.primitive is p.concatenate:
        return TimeSum("apply", primitive=p.concatenate, params=line.params, below=below(*line.args))
    if line.primitive is p.matmul:
        a, b = (program.lines[k] for k in line.args)
        if (
            a.primitive is p.transpose
            and len(a.shape) == len(b.shape) == 2
            and FIXED not in (a.level, b.level)
        ):
            return by_features(line.args[1], 1, lambda g: TimeSum("product", a.args[0], g))
        stacked = len(a.shape) > 2 and a.shape[:-2] == b.shape[:-2]
        if stacked and FIXED not in (a.level, b.level):
            return TimeSum("stack", line.args[0], line.args[1])
    if (
        line.primitive is p.sum
        and len(program.lines[line.args[0]].shape) == 2
        and line.params.get("axis") in (0, (0,))
        and not line.params.get("keepdims")
    ):
        return by_features(line.args[0], 0, lambda g: TimeSum("rows", g))
    return TimeSum("total", i)


@dataclasses.dataclass(frozen=True, eq=False)
class Partition:
    """The lines of a scan by stage, each in order, and its sums over time."""

    scan: ScanProgram
    stage: dict[int, Stage]
    sums: list[TimeSum]

    @functools.cached_property
    def leaves(self) -> list[TimeSum]:
        """What each block of steps adds something to, of all sums."""
        return [leaf for s in self.sums for leaf in s.leaves() if leaf.kind != "times"]

    @functools.cached_property
    def columns(self) -> frozenset[int]:
        """The lines that the sums take in columns."""
        return frozenset(i for s in self.sums for i in s.columns())

    def lines(self, stage: Stage) -> list[int]:
        """Return the operations of a stage."""
        return [
            i
            for i, s in self.stage.items()
            if s is stage and self.scan.program.lines[i].primitive is not None
        ]


def partition(scan: ScanProgram) -> Partition:
    """Decide for each line when it runs."""
    program = scan.program
    lines = program.lines
    loop = set(program.needed(scan.carry_out))
    sums = [time_sum(program, i, loop) for i in scan.sums]
    roots = [*scan.carry_out, *scan.ys, *(i for s in sums for i in s.lines())]
    order = program.needed([*roots, *scan.carry])
    late = set()  # what cannot run before the loop
    stepwise = set(scan.carry_out)  # what must run in it
    for i in order:
        line = lines[i]
        if line.level == FIXED:
            continue
        if line.primitive is not None and in_blocks(line, lines) is None:
            stepwise.add(i)
            late.add(i)
        if line.level >= CARRY or not late.isdisjoint(line.args):
            late.add(i)
    loop = {i for i in program.needed(stepwise) if i in late}
    stage = {
        i: Stage.ONCE
        if lines[i].level == FIXED
        else Stage.BEFORE
        if i not in late
        else Stage.LOOP
        if i in loop
        else Stage.AFTER
        for i in order
    }
    return Partition(scan, stage, sums)
