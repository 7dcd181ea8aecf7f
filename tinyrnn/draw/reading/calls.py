"""Calls of modules: which are only around others, and the path that all have in common."""

from __future__ import annotations

from itertools import takewhile

from tinyrnn.draw.reading.records import MOVES, Record

__all__ = ["containers_of", "shared_path"]


def containers_of(records: list[Record]) -> set[int]:
    """Return the calls in which more happens than one thing: a loop, or several steps."""
    found: set[int] = set()
    seen: dict[int, tuple[str, int | None]] = {}
    for record in records:
        depth = record.depth
        if depth is not None:
            found.update(map(id, record.scopes[:depth]))
        here = record.group, record.step
        for scope in record.scopes if record.op not in MOVES else ():
            if seen.setdefault(id(scope), here) != here:
                found.add(id(scope))
    if all(record.step is None for record in records):  # without time, the one module that all others are in
        calls = [[s for s in record.scopes if s.owner is not None] for record in records]
        calls = [path for path in calls if path]
        while len({id(path[0]) for path in calls}) == 1 and any(path[1:] for path in calls):
            found.add(id(calls[0][0]))
            calls = [path[1:] for path in calls if path[1:]]
    return found


def shared_path(records: list[Record], containers: set[int]) -> str:
    """Return the path, with a dot behind it, of the loops that everything is in: one model, say."""
    paths: set[tuple[str, ...]] = set()
    for record in records:
        within = len(list(takewhile(lambda s: id(s) in containers, record.scopes)))
        path = tuple(scope.name for scope in record.scopes[: within + 1] if scope.name)
        paths.add(path or ("",) * (record.step is not None))  # a step outside of all names
    paths.discard(())
    levels = zip(*(path[:-1] for path in paths))
    return "".join(f"{names[0]}." for names in takewhile(lambda names: len(set(names)) == 1, levels))
