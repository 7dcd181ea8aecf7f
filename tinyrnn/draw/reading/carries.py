"""Names of the states that cross from step to step."""

from __future__ import annotations

from typing import Any

from tinyrnn.draw.reading.alike import numbers
from tinyrnn.draw.reading.records import Record
from tinyrnn.draw.reading.unit import Unit

__all__ = ["beginning", "name_carries"]


def beginning(state: Record) -> int:
    """Return the index of an initial state: h₀, or h₅ where the first step that is there is x₆."""
    user = state.users[0]
    return 0 if user.step is None or user.run is None or user.run.reverse else user.step


def name_carries(records: list[Record], units: dict[str, Unit]) -> None:
    """Give keys by unit, and name what crosses to another step: as the model does, else h, or h1, h2, ..."""
    carried: dict[str, dict[tuple[object, ...], list[Record]]] = {}
    places: dict[Record, Any] = {
        record: ((record.group, record.unit), record.step, record.op)
        for record in records
        if record.role in ("op", "loss") and record.step is not None
    }
    for record, number in numbers(places).items():
        record.key = (record.unit, record.op, number)
    for record in records:
        if record.role == "op" and record.step is not None and _crosses(record):
            carried.setdefault(record.unit, {}).setdefault(record.key, []).append(record)
    for name, found in carried.items():
        given = {key: next((r.name for r in rs if r.name), "") for key, rs in found.items()}
        plain = [key for key, own in given.items() if not own]
        default = {key: "h" if len(plain) == 1 else f"h{i + 1}" for i, key in enumerate(plain)}
        units[name].carries = {
            key: own or default[key]
            for key, own in sorted(given.items(), key=lambda item: (item[1][:1] == "c", item[1]))
        }
    last: dict[tuple[object, ...], Record] = {}
    crossing: set[tuple[object, ...]] = set()
    for record in records:
        if not record.unit or record.step is None or record.key not in units[record.unit].carries:
            continue
        own = units[record.unit].carries[record.key]
        where = (record.group, record.step, record.unit, own)
        if _crosses(record):
            record.carry = own
            crossing.add(where)
        else:
            last[where] = record
    for where, record in last.items():
        if where not in crossing:
            record.carry = str(where[-1])
    for record in records:  # what a run begins from is named as what it becomes
        if record.role == "state":
            user, handed = record.users[0], record.key[0] if record.key else None
            record.unit, record.group, record.step = user.unit, user.group, None
            own = units[handed.unit].carries.get(handed.key, "") if handed is not None else ""
            record.carry = own or next(iter(units[record.unit].carries.values()), "h")


def _crosses(record: Record) -> bool:
    """Whether a later step of its own loop uses it."""
    return any(
        u.step is not None and u.group == record.group and u.step != record.step and u.role != "total"
        for u in record.users
    )
