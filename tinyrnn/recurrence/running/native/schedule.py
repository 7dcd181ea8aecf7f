"""The order of the loop's lines: elementwise lines of one shape, one after another, are one nest of loops.

A nest works element by element. So a line may join it if all its operands stand in memory by then, or are
made in the same nest for the same element.
"""

from __future__ import annotations

import dataclasses

from tinyrnn.autograd import primitives as p
from tinyrnn.recurrence.compiler.partition import Partition, Stage
from tinyrnn.recurrence.running.native.expressions import expression
from tinyrnn.recurrence.running.native.reductions import reduces
from tinyrnn.recurrence.running.views import is_view


@dataclasses.dataclass
class Nest:
    """Elementwise lines of one shape."""

    lines: list[int]


Item = Nest | int  # an int is a line of another kind, such as a matrix product


def known(parted: Partition, i: int) -> bool:
    """Whether a line can be written as code."""
    lines = parted.scan.program.lines
    line = lines[i]
    return (
        is_view(line, lines)
        or expression(line, lines) is not None
        or line.primitive in (p.matmul, p.concatenate, p.stack)
        or reduces(line, lines)
    )


def fused(parted: Partition) -> Partition:
    """Move into the loop what works element by element, or reduces, before and after it.

    There it costs no memory. Of what stands before the loop, that which only the loop reads, products of
    matrices too; of what stands after it, that which needs nothing else from there.
    """
    lines, stage = parted.scan.program.lines, dict(parted.stage)

    def moves(i: int) -> bool:
        line = lines[i]
        return is_view(line, lines) or expression(line, lines) is not None or reduces(line, lines)

    def moves_in(i: int) -> bool:
        # A product with several rows is one call of BLAS for each step in any case.
        a, b = (lines[k] for k in lines[i].args) if lines[i].primitive is p.matmul else (lines[i], lines[i])
        return moves(i) or (a is not b and len(a.shape) == len(b.shape) == 2 and a.shape[0] > 1)

    for i in parted.lines(Stage.AFTER):
        if moves(i) and all(stage[a] is not Stage.AFTER for a in lines[i].args):
            stage[i] = Stage.LOOP
    users: dict[int, list[int]] = {}
    for i in stage:
        for a in lines[i].args:
            users.setdefault(a, []).append(i)
    for i in reversed(parted.lines(Stage.BEFORE)):
        if moves_in(i) and all(stage[u] is Stage.LOOP for u in users.get(i, ())):
            stage[i] = Stage.LOOP
    return Partition(parted.scan, stage, parted.sums)


def schedule(parted: Partition) -> list[Item]:
    """Return the loop's lines in an order that makes few nests; views are in none, for they cost nothing."""
    lines = parted.scan.program.lines
    loop = parted.lines(Stage.LOOP)
    left = [i for i in loop if not is_view(lines[i], lines)]
    waiting = set(left)
    items: list[Item] = []

    def root(i: int) -> int:
        while is_view(lines[i], lines):
            (i,) = lines[i].args
        return i

    def ready(i: int, nest: list[int]) -> bool:
        return all(a in nest or root(a) not in waiting for a in lines[i].args)

    while left:
        others = [i for i in left if expression(lines[i], lines) is None and ready(i, [])]
        if others:  # first, so that all that they give can be in one nest
            items.extend(others)
            waiting.difference_update(others)
        else:
            nest: list[int] = []
            for i in left:
                fits = not nest or lines[i].shape == lines[nest[0]].shape
                if fits and expression(lines[i], lines) is not None and ready(i, nest):
                    nest.append(i)
            items.append(Nest(nest))
            waiting.difference_update(nest)
        left = [i for i in left if i in waiting]
    return items


def inner(parted: Partition, items: list[Item]) -> frozenset[int]:
    """Return the lines that are read in the nest that makes them and nowhere else: they need no memory."""
    lines = parted.scan.program.lines
    read = {a for i, stage in parted.stage.items() if stage is not Stage.LOOP for a in lines[i].args}
    read |= {*parted.scan.carry_out, *parted.scan.ys, *(i for s in parted.sums for i in s.lines())}
    for item in items:
        members = item.lines if isinstance(item, Nest) else []
        for i in members or [item]:
            assert isinstance(i, int)
            read |= {a for a in lines[i].args if a not in members}
    read |= {a for i in parted.lines(Stage.LOOP) if is_view(lines[i], lines) for a in lines[i].args}
    return frozenset(i for item in items if isinstance(item, Nest) for i in item.lines if i not in read)
