"""Calls of modules: which are only around others, and the path that all have in common."""

from __future__ import annotations

from tinyrnn.draw.reading.records import MOVES, Record

__all__ = ["containers_of", "depth_of", "shared_path"]


def depth_of(record: Record) -> int | None:
    """Return which of its scopes says the step; None where none does."""
    return next((i for i, scope in enumerate(record.scopes) if scope.step is not None), None)


def containers_of(records: list[Record]) -> set[int]:
    """Return the calls in which more happens than one thing: a loop, or several steps."""
    found: set[int] = set()
    seen: dict[int, tuple[str, int | None]] = {}
    for record in records:
        depth = depth_of(record)
        if depth is not None:
            found.update(map(id, record.scopes[:depth]))
        for scope in record.scopes if record.op not in MOVES else ():
            if seen.setdefault(id(scope), (record.group, record.step)) != (record.group, record.step):
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
        names_ = [scope.name for scope in record.scopes]
        inside = next((i for i, s in enumerate(record.scopes) if id(s) not in containers), len(names_))
        if record.scopes:
            paths.add(tuple(filter(None, names_[: inside + 1])))
    paths.discard(())
    if not paths:
        return ""
    shared: list[str] = []
    for parts in zip(*(path[:-1] for path in paths)):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    return ".".join(shared) + "." if shared else ""
