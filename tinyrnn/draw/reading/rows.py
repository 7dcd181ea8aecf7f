"""Rows: what feeds a unit is below it, what reads it above."""

from __future__ import annotations

from collections.abc import Callable

from tinyrnn.draw.reading.leads import ordered
from tinyrnn.draw.reading.records import Firsts, Record
from tinyrnn.draw.reading.unit import Unit

__all__ = ["set_rows"]


def set_rows(records: list[Record], units: dict[str, Unit], firsts: Firsts) -> None:
    """Give each unit its row: the longest path along the flow of data, with what crosses steps left out.

    Units of one group that hand on a state, or that stand over several steps, have a row to themselves. What
    leads to an initial state alone stands in the row of the cell that begins with it.
    """
    below: dict[str, dict[str, None]] = {name: {} for name, unit in units.items() if not unit.begins}
    wide = {name: unit.role == "cell" and bool(unit.carries) for name, unit in units.items()}
    over: set[str] = set()
    for record in records:
        if record.unit and record.step is None and record.role in ("op", "total", "loss", "input"):
            wide[record.unit] = True
            over.add(record.unit)
        if record.unit not in below or record.role in ("weight", "constant", "state", "input"):
            continue
        for source, slot in record.edges():
            if source.unit not in below or source.role in ("weight", "constant", "state"):
                continue
            if source.unit == record.unit:
                continue
            crossing = source.step is not None and record.step is not None and source.step != record.step
            handed = source.step is not None and (record, slot) in firsts
            if (source.group == record.group and crossing) or handed:
                continue
            below[record.unit].setdefault(source.unit)
    order = {name: i for i, name in enumerate(ordered(below, over))}
    for name, sources in below.items():  # where units lead to each other within a step, the older comes first
        below[name] = {source: None for source in sources if order[source] < order[name]}
    taken: dict[int, list[str]] = {}
    floor: dict[str, int] = {}  # what stands over all steps does not come between the boxes of one

    def free(name: str, row: int) -> bool:
        beside = (other for other in taken.get(row, []) if units[name].groups & units[other].groups)
        return not any(wide[name] or wide[other] for other in beside)

    for name in order:
        row = max((units[b].row + 1 for b in below[name]), default=0)
        if name in over and below[name]:
            row = max([row, *(floor.get(group, 0) for group in units[name].groups)])
        while not free(name, row):
            row += 1
        units[name].row = row
        taken.setdefault(row, []).append(name)
        for group in units[name].groups if name not in over else ():
            floor[group] = max(floor.get(group, 0), row + 1)
    _lift(below, units, taken, free)
    beginning: dict[str, int] = {}
    for record in reversed(records):
        if record.unit and units[record.unit].begins:
            rows = [beginning.get(user.unit, units[user.unit].row) for user in record.users]
            beginning[record.unit] = min([*rows, beginning.get(record.unit, rows[0])])
    for name, row in beginning.items():
        units[name].row = row
    used = {row: i for i, row in enumerate(sorted({unit.row for unit in units.values()}))}
    for unit in units.values():
        unit.row = used[unit.row]


def _lift(
    below: dict[str, dict[str, None]],
    units: dict[str, Unit],
    taken: dict[int, list[str]],
    free: Callable[[str, int], bool],
) -> None:
    """Bring what waits for nothing, such as an input, next to its lowest user."""
    for name in reversed([name for name in units if name in below]):
        if below[name]:
            continue
        users = [units[user].row for user, sources in below.items() if name in sources]
        for row in range(min(users, default=0) - 1, units[name].row, -1):
            if free(name, row):
                taken[units[name].row].remove(name)
                taken.setdefault(row, []).append(name)
                units[name].row = row
                break
