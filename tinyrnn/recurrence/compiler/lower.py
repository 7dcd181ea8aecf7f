"""Lowering: the last rewrites before a program runs, which trade legible lines for fewer NumPy calls."""

from __future__ import annotations

from typing import Any

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.primitive import Primitive
from tinyrnn.recurrence.compiler.concatenations import join, one_slice
from tinyrnn.recurrence.compiler.halving import halve_in_weights, scaled
from tinyrnn.recurrence.compiler.program import Program, Symbol
from tinyrnn.recurrence.compiler.rewrites import LOOP, REWRITES
from tinyrnn.recurrence.compiler.scan_program import ScanProgram, emit_lines, rewrite
from tinyrnn.recurrence.compiler.zeros import zeros


def lower(scan: ScanProgram) -> ScanProgram:
    """Prepare a scan's program for running."""
    return rewrite(halve_in_weights(_merge_gates(scan)), (_simpler, *REWRITES))


def simplified(scan: ScanProgram) -> ScanProgram:
    """Prepare a scan's program for being written as code, where a sigmoid is one function and no calls."""
    return rewrite(scan, (_without_marks, *REWRITES))


def _without_marks(
    program: Program, primitive: Primitive, args: tuple[int, ...], params: dict[str, Any]
) -> int | None:
    return None if primitive is p.sigmoid else _simpler(program, primitive, args, params)


def _simpler(
    program: Program, primitive: Primitive, args: tuple[int, ...], params: dict[str, Any]
) -> int | None:
    """Write an operation in simpler ones, where its primitive says how; and ``-u + k`` as ``k - u``."""
    if primitive.lower is not None:
        return primitive.lower(*program.symbols(args), **params).index
    if primitive is p.add and program.lines[args[0]].primitive is p.negative:
        return program.emit(p.subtract, (args[1], *program.lines[args[0]].args), {})
    return None


def _merge_gates(scan: ScanProgram) -> ScanProgram:
    """Compute the sigmoids and tanhs of all the slices of one buffer by a single tanh.

    ``sigmoid(z) = tanh(z / 2) / 2 + 1 / 2``, so with s = 1/2 for a sigmoid and 1 for a tanh every gate is
    ``tanh(z * s) * s + (1 - s)``. The first scale goes into the weights, before the loop.
    """
    source = scan.program
    users: dict[int, list[int]] = {}
    needed = source.needed(scan.outputs)
    for i in needed:
        for a in source.lines[i].args:
            users.setdefault(a, []).append(i)
    merged = {}
    for i in needed:
        gates = _gates(source, i, users)
        if gates and i not in scan.outputs and not any(cut in scan.outputs for _, _, cut, _ in gates):
            merged[i] = gates
    if not merged:
        return scan

    target = Program(REWRITES)
    at = scan.begin(target)
    for z, gates in sorted(merged.items()):
        emit_lines(source, target, source.lines[z].args, at)
        primitive, dtype = source.lines[z].primitive, source.lines[z].dtype
        assert primitive is not None
        at[z] = target.emit(primitive, tuple(at[a] for a in source.lines[z].args), {})

        def vector(numbers: list[float], gates: Any = gates, dtype: Any = dtype) -> Symbol:
            parts = [
                target.emit(p.add, (zeros(target, (high - low,), dtype), target.literal(n)), {})
                for n, (low, high, _, _) in zip(numbers, gates, strict=True)
            ]
            return Symbol(target, join(target, 0, parts))

        halves = [0.5 if source.lines[gate].primitive is p.sigmoid else 1.0 for *_, gate in gates]
        scale = vector(halves)
        activated = p.tanh(Symbol(target, scaled(target, at[z], scale.index))) * scale + vector(
            [1 - s for s in halves]
        )
        for low, high, _, gate in gates:
            at[gate] = activated[..., low:high].index
            if gate in source.names:
                target.names[at[gate]] = source.names[gate]
    return scan.finish(target, at)


def _gates(program: Program, i: int, users: dict[int, list[int]]) -> list[tuple[int, int, int, int]] | None:
    """Return (low, high, slice, gate) for each slice of a line, where all it is used for is to gate them."""
    line = program.lines[i]
    if line.level not in LOOP or line.primitive not in (p.add, p.matmul) or len(users.get(i, ())) < 2:
        return None
    found = []
    for cut in users[i]:
        index = (
            one_slice(program.lines[cut].params["index"], line.shape)
            if program.lines[cut].primitive is p.getitem
            else None
        )
        gates = users.get(cut, [])
        if index is None or index[0] != len(line.shape) - 1 or len(gates) != 1:
            return None
        if program.lines[gates[0]].primitive not in (p.sigmoid, p.tanh):
            return None
        found.append((*index[1:], cut, gates[0]))
    found.sort()
    bounds = [0, *(high for _, high, _, _ in found)]
    if [low for low, *_ in found] != bounds[:-1] or bounds[-1] != line.shape[-1]:
        return None
    kinds = {program.lines[gate].primitive for *_, gate in found}
    return found if len(kinds) == 2 else None
