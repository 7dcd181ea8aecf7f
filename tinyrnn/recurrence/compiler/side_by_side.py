"""Side by side: the same operation on neighbouring slices of the same values becomes one, on both slices.

A textbook cell computes its gates one by one, ``r = sigmoid(u[:, :H] + v[:, :H])`` and
``z = sigmoid(u[:, H:2H] + v[:, H:2H])``. At small sizes each NumPy call costs the same whatever its width, so
this writes ``rz = sigmoid(u[:, :2H] + v[:, :2H])``, of which r and z are slices.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tinyrnn.autograd import primitives as p
from tinyrnn.recurrence.compiler.concatenations import one_slice
from tinyrnn.recurrence.compiler.program import CARRY, Program
from tinyrnn.recurrence.compiler.rewrites import REWRITES
from tinyrnn.recurrence.compiler.scan_program import ScanProgram, emit_lines


class _Slices(NamedTuple):
    """An operation on slices ``low:high`` of the last axis of the values ``wholes``."""

    line: int
    wholes: tuple[int, ...]
    low: int
    high: int


def side_by_side(scan: ScanProgram) -> ScanProgram:
    """Join the operations of a step that stand side by side, and those that then do, until none is left."""
    while chains := _chains(scan):
        source, target = scan.program, Program(REWRITES)
        at = scan.begin(target)
        for chain in sorted(chains, key=lambda chain: min(part.line for part in chain)):
            first, last = chain[0], chain[-1]
            emit_lines(source, target, first.wholes, at)
            primitive = source.lines[first.line].primitive
            assert primitive is not None
            args = tuple(_cut(target, at[whole], first.low, last.high) for whole in first.wholes)
            joined = target.emit(primitive, args, {}, source.lines[first.line].scope)
            for part in chain:
                at[part.line] = _cut(target, joined, part.low - first.low, part.high - first.low)
                if part.line in source.names:
                    target.names.setdefault(at[part.line], source.names[part.line])
        scan = scan.finish(target, at)
    return scan


def _chains(scan: ScanProgram) -> list[list[_Slices]]:
    """Return the operations of the loop that can be joined, each chain from left to right.

    Chains of one pass do not build on each other: a value that a chain is cut from is in no chain itself.
    """
    program = scan.program
    groups: dict[Any, list[_Slices]] = {}
    for i in program.needed(scan.outputs):
        found = _slices(program, i)
        if found is not None:
            groups.setdefault((program.lines[i].primitive, found.wholes), []).append(found)
    chains: list[list[_Slices]] = []
    for group in groups.values():
        group.sort(key=lambda part: part.low)
        for n, part in enumerate(group):
            if n and part.low == chains[-1][-1].high:
                chains[-1].append(part)
            else:
                chains.append([part])
    return [chain for chain in chains if len(chain) > 1]


def _slices(program: Program, i: int) -> _Slices | None:
    """Read a line as an elementwise operation on the same slice of several values, if that is what it is."""
    line = program.lines[i]
    if not (line.elementwise or line.primitive is p.sigmoid) or line.level != CARRY:
        return None
    cuts: set[Any] = set()
    wholes: list[int] = []
    for a in line.args:
        arg = program.lines[a]
        if arg.primitive is not p.getitem or len(arg.args) != 1:
            return None
        shape = program.lines[arg.args[0]].shape
        cut = one_slice(arg.params["index"], shape)
        if cut is None or cut[0] != len(shape) - 1:
            return None
        cuts.add(cut[1:])
        wholes.append(arg.args[0])
    if len(cuts) != 1:
        return None
    low, high = cuts.pop()
    return _Slices(i, tuple(wholes), low, high)


def _cut(program: Program, whole: int, low: int, high: int) -> int:
    """Write ``whole[..., low:high]``."""
    shape = program.lines[whole].shape
    if (low, high) == (0, shape[-1]):
        return whole
    index = (*(slice(None),) * (len(shape) - 1), slice(low, high))
    return program.emit(p.getitem, (whole,), {"index": index})
