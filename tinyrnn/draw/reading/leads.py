"""What leads to what: to a circle, to nothing but the loss, to a weight."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from tinyrnn.draw.reading.records import Record

__all__ = ["closure", "lossy_of", "weighing_of"]


def closure(leads: dict[Hashable, set[Hashable]]) -> dict[Hashable, set[Hashable]]:
    """Return all that each leads to, over others too."""
    reached: dict[Hashable, set[Hashable]] = {}
    for start in leads:
        seen: set[Hashable] = set()
        stack = [start]
        while stack:
            fresh = leads[stack.pop()] - seen
            seen |= fresh
            stack += fresh
        reached[start] = seen
    return reached


def lossy_of(records: Iterable[Record], cells: set[Hashable], roots: Iterable[Record] = ()) -> set[Record]:
    """Return what, outside of modules, leads to nothing but the loss, and uses no weight."""
    found: set[Record] = set(roots)
    for record in reversed(list(records)):
        if record.role in ("loss", "total"):
            found.add(record)
        elif record.users and all(user in found or user.role in ("loss", "total") for user in record.users):
            weighs = any(s.role == "weight" for s in record.sources)
            if not (weighs or record.unit or record.key in cells):
                found.add(record)
    return found


def weighing_of(members: list[Record], inside: set[Record]) -> set[Record]:
    """Return the records that use a weight, or lead to one that does, in their step."""
    found: set[Record] = set()
    for record in reversed(members):
        after = (u for u in record.users if u in inside and u.step == record.step)
        if any(s.role == "weight" for s in record.sources) or any(u in found for u in after):
            found.add(record)
    return found
