"""What leads to what: to a circle, to nothing but the loss, to a weight, to nothing but an initial state."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping
from typing import TypeVar

from tinyrnn.draw.reading.records import Firsts, Record
from tinyrnn.draw.reading.unit import Unit

__all__ = ["closure", "find_beginnings", "lossy_of", "ordered", "weighing_of"]

T = TypeVar("T")


def ordered(before: Mapping[T, Collection[T]], late: Collection[T] = ()) -> list[T]:
    """Return an order in which each comes after those before it; in a circle, as they were made.

    What is ``late`` waits until nothing else is ready.
    """
    order: dict[T, None] = {}
    left = list(before)
    while left:
        ready = [item for item in left if all(b in order for b in before[item])] or left[:1]
        first = min(ready, key=lambda item: item in late)
        left.remove(first)
        order[first] = None
    return list(order)


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


def find_beginnings(
    records: list[Record], units: dict[str, Unit], firsts: Firsts, roots: Iterable[Record], groups: list[str]
) -> None:
    """Mark the units that lead to nothing but initial states, and to which no step leads."""
    outputs, stepped = set(roots), set[Record]()
    for record in records:
        if record.step is not None or any(source in stepped for source in record.sources):
            stepped.add(record)
    leads: dict[Record, set[str]] = {}  # to the initial states of which groups
    for record in reversed(records):
        if record in stepped or record in outputs or record.role not in ("op", "input"):
            continue
        uses = [
            {user.group} if (user, slot) in firsts else leads.get(user)
            for user in record.users
            for source, slot in user.edges()
            if source is record
        ]
        if uses and all(uses):
            leads[record] = set[str]().union(*filter(None, uses))
    members: dict[str, list[Record]] = {}
    for record in records:
        if record.unit and record.role not in ("weight", "constant", "state"):
            members.setdefault(record.unit, []).append(record)
    for name, mine in members.items():
        if all(record in leads for record in mine):
            unit, found = units[name], set[str]().union(*(leads[record] for record in mine))
            unit.begins, unit.groups = True, {min(found, key=groups.index)}
