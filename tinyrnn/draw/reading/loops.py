"""Steps: which records belong to which step of which loop.

A scope with a step says so (`tinyrnn.scope`; `scan` opens one for each step, `scope_loops` finds those of a
loop written by hand). A loop that begins again is another run of it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

from tinyrnn.autograd.state import Scope
from tinyrnn.draw.reading.hand import scope_loops
from tinyrnn.draw.reading.records import Record, Run

__all__ = ["find_runs", "names"]


def find_runs(records: list[Record]) -> list[Run]:
    """Set ``run`` and ``step`` of each record that a loop makes; return the runs, oldest first."""
    scope_loops(records)
    runs: list[Run] = []
    current: dict[Hashable, Run] = {}
    of: dict[int, tuple[Run, int]] = {}
    for record in records:
        depth = record.depth
        if depth is None or record.role in ("total", "weight"):
            continue
        scope = record.scopes[depth]
        if id(scope) not in of:
            outside, t = record.scopes[:depth], int(scope.step or 0)
            where = (tuple(map(id, outside)), scope.name)
            run = current.get(where)
            if run is None or not _goes_on(run.steps, t):
                around = (*outside, Scope(None, scope.name)) if scope.name else outside
                owner = next((s.owner for s in reversed(outside)), None) if not scope.name else None
                run = current[where] = Run(names(around), owner, identity(around), named=bool(scope.name))
                runs.append(run)
            if t not in run.steps[-1:]:
                run.steps.append(t)
            of[id(scope)] = run, t
        record.run, record.step = of[id(scope)]
    return runs


def names(scopes: Iterable[Scope]) -> str:
    """Join the names of scopes, those that have one."""
    return ".".join(scope.name for scope in scopes if scope.name)


def identity(scopes: Iterable[Scope]) -> tuple[Any, ...]:
    """Return what the same scopes have in common at each call: names, and which modules they are."""
    return tuple((scope.name, id(scope.owner) if scope.owner is not None else None) for scope in scopes)


def _goes_on(steps: list[int], t: int) -> bool:
    """Whether a step follows in the direction of a run, or is the one that it is at."""
    if t == steps[-1] or len(steps) < 2:
        return True
    return (t > steps[-1]) == (steps[-1] > steps[-2])
