"""Units: which records stand together for a box at the level of cells.

A cell is what leads to a carry inside of its step. A call of a module that leads to no carry is a unit of
its own, and so is a scope that the user has named. Of what stands in no module, what leads to nothing but the
loss belongs to the loss, and what only moves data belongs to what uses it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from typing import Any

from tinyrnn.draw.reading.calls import containers_of, depth_of, shared_path
from tinyrnn.draw.reading.carries import name_carries
from tinyrnn.draw.reading.inputs import find_inputs
from tinyrnn.draw.reading.leads import closure, lossy_of, weighing_of
from tinyrnn.draw.reading.loops import names
from tinyrnn.draw.reading.records import MOVES, Record, Run
from tinyrnn.draw.reading.unit import Unit, Units

__all__ = ["find_units"]


def find_units(records: list[Record], roots: set[Record], runs: list[Run]) -> dict[str, Unit]:
    """Set ``unit``, ``carry`` and ``key`` of the records; return the units by name, from below."""
    units = _Units(records, roots, runs)
    name_carries(records, units.found)
    return units.found


class _Units:
    def __init__(self, records: list[Record], roots: set[Record], runs: list[Run]) -> None:
        self.records = records
        self.roots = roots
        self.units = Units()
        self.found = self.units.found
        self.bare: set[str] = set()  # cells in which no module stands
        self.computed = [r for r in records if r.role in ("op", "loss", "total")]
        self.containers = containers_of(self.computed)
        self.shared = shared_path(self.computed, self.containers)
        chains: dict[int, list[Record]] = {run.chain: [] for run in runs}
        for record in self.computed:
            if record.run is not None and record.key:
                chains[record.run.chain].append(record)
        for members in chains.values():
            self._loop(members)
        for record in self.computed:
            call = self._call(record)
            if not record.unit and call is not None:
                scopes = record.scopes[: call + 1]
                owner = scopes[-1].owner
                name = self._path(scopes) or type(owner).__name__
                record.unit = self.units.named((id(owner), name), name, type(owner).__name__, "module")
        self._losses()
        self._loose()
        find_inputs(records, self.computed, self.units)
        self._spread()

    def _path(self, scopes: Iterable[Any]) -> str:
        """Return the names of scopes, without those that everything is in."""
        return self._short(names(scopes))

    def _short(self, path: str) -> str:
        return path.removeprefix(self.shared) if path != self.shared.rstrip(".") else path.split(".")[-1]

    def _call(self, record: Record) -> int | None:
        """Return which of its scopes is the outermost call of a module that is not a loop around it."""
        return next(
            (
                i
                for i, scope in enumerate(record.scopes)
                if scope.owner is not None and id(scope) not in self.containers
            ),
            None,
        )

    def _loop(self, members: list[Record]) -> None:
        """Part what one loop does into its cells, the modules before and after them, and the rest."""
        if not members:
            return
        run = members[0].run
        assert run is not None
        inside = set(members)
        atom: dict[Record, Hashable] = {}
        scope: dict[Hashable, tuple[Any, ...]] = {}
        for record in members:
            depth = depth_of(record) if run.counted else None
            inner = record.scopes[depth + 1 :] if depth is not None else ()
            if not run.counted and (call := self._call(record)) is not None:
                inner = record.scopes[call:]
            if inner:
                atom[record] = (inner[0].name, id(inner[0].owner) if inner[0].owner is not None else None)
                scope[atom[record]] = inner[:1]
            else:
                atom[record] = record.key
        leads: dict[Hashable, set[Hashable]] = {a: set() for a in atom.values()}
        crossing: set[tuple[Hashable, Hashable]] = set()
        for record in members:
            for source in record.sources:
                if source in inside:
                    leads[atom[source]].add(atom[record])
                    if source.step != record.step:
                        crossing.add((atom[source], atom[record]))
        reached = closure(leads)
        circles: list[set[Hashable]] = []
        for a, b in crossing:
            if a in reached[b] or a == b:
                circle = {c for c in leads if c == a or (c in reached[a] and a in reached[c])}
                if circle not in circles:
                    circles.append(circle)
        order = {a: i for i, a in enumerate(leads)}
        circles.sort(key=lambda circle: min(order[a] for a in circle))
        base = (
            run.path.removeprefix(self.shared)
            if run.path != self.shared.rstrip(".")
            else run.path.split(".")[-1]
        )
        name_of: dict[Hashable, str] = {}
        for circle in circles:
            parts = [a for a in circle if a in scope]
            owners = {scope[a][0].owner for a in parts if scope[a][0].owner is not None}
            if not run.counted and len(parts) > 1:  # each module of a loop written by hand is its own box
                for a in parts:
                    owner = scope[a][0].owner
                    name = self._path(scope[a]) or type(owner).__name__
                    name_of[a] = self.units.named((run.chain, a), name, type(owner).__name__, "cell")
                continue
            owner = next(iter(owners)) if len(owners) == 1 and len(circle) == 1 else run.owner
            own = base or (names(scope[parts[0]]) if len(parts) == 1 else "") or ""
            if len(circles) > 1 and len(parts) == 1:
                own = ".".join(filter(None, (base, names(scope[parts[0]]) or type(owner).__name__)))
            kind = type(owner).__name__ if owner is not None else ""
            key = (run.chain, min(order[a] for a in circle))
            unit = self.units.named(key, own or kind or "cell", kind, "cell", run.reverse)
            if not run.counted and not parts:
                self.bare.add(unit)
            name_of |= dict.fromkeys(circle, unit)
        if not circles and run.counted:  # a loop in which nothing is handed on
            owner = run.owner
            if owner is None:
                owners = {scope[a][0].owner for a in scope if scope[a][0].owner is not None}
                owner = next(iter(owners)) if len(owners) == 1 and len(scope) == 1 else None
            kind = type(owner).__name__ if owner is not None else ""
            unit = self.units.named(
                run.chain, base or kind or "cell", kind, "cell" if run.owner is not None else "module"
            )
            lossy = lossy_of(members, set())
            for record in members:
                if record not in lossy:
                    record.unit = unit
            return
        # Operations of the loop's own that lead to a cell, or only look after its outputs, belong to it.
        own = {r for r in members if atom[r] not in scope}
        keys: dict[Hashable, str] = {}
        for record in reversed(members):
            a = atom[record]
            if a in name_of:
                keys.setdefault(a, name_of[a])
            elif record in own:
                for user in record.users:
                    near = user in inside and user.step == record.step and atom[user] in keys
                    if near and (atom[user] in name_of or user in own):
                        keys.setdefault(a, keys[atom[user]])
                        break
        lossy = lossy_of(members, set(keys))
        weighing = weighing_of(members, inside)
        for record in members:
            a = atom[record]
            if a in keys:
                record.unit = keys[a]
            elif a in scope:
                owner = scope[a][0].owner
                kind = type(owner).__name__ if owner is not None else ""
                name = ".".join(filter(None, (base, names(scope[a]) or kind)))
                record.unit = self.units.named((run.chain, a), name, kind, "module")
            elif record not in lossy and record not in weighing and circles and run.counted:
                before = [s.unit for s in record.sources if s.unit and s in inside]
                record.unit = before[0] if before else ""

    def _losses(self) -> None:
        """Find what leads to nothing but the loss."""
        number = {r for r in self.roots if r.node.shape in ((), (1,))}
        lossy = lossy_of(self.computed, set(), number)
        for record in reversed(self.computed):
            if record not in lossy or record.unit:
                continue
            uses = {u.unit for u in record.users if (u.group, u.step) == (record.group, record.step)}
            uses |= {u.unit for u in record.users if u.role == "total"} if record.step is None else set()
            if record.role == "total" or record in self.roots:
                record.unit = self.units.named(("total", self._root_of(record)), "loss", "", "total")
            elif record.name:
                record.unit = self.units.named(("loss", record.name), record.name, "", "loss")
            elif len(uses) == 1 and self.found[min(uses)].role in ("loss", "total"):
                record.unit = min(uses)
            elif record.step is None:
                record.unit = self.units.named(("total", self._root_of(record)), "loss", "", "total")
            else:
                record.unit = self.units.named(
                    ("loss", record.group), f"{record.group}.L".lstrip("."), "", "loss"
                )

    def _root_of(self, record: Record) -> int:
        """Return which of several outputs a record leads to; the first where there are several."""
        if len(self.roots) == 1:
            return 0
        if not hasattr(self, "_roots"):
            self._roots: dict[Record, int] = {}
            order = [r for r in self.records if r in self.roots]
            for i, root in enumerate(order):
                stack = [root]
                while stack:
                    r = stack.pop()
                    if r not in self._roots:
                        self._roots[r] = i
                        stack += r.sources
        return self._roots.get(record, 0)

    def _loose(self) -> None:
        """Give the rest to what uses it, or to a unit of its own."""
        counts: Counter[Hashable] = Counter()
        for record in reversed(self.computed):
            if record.unit:
                continue
            uses = [u for u in record.users if u.unit]
            alike = {u.unit for u in uses}
            same = {(u.group, u.step) for u in uses} == {(record.group, record.step)}
            if len(alike) == 1 and not record.name and record not in self.roots:
                (unit,) = alike
                joins = self.found[unit].role == "ops" or unit in self.bare
                if same and (record.op in MOVES or joins):
                    record.unit = unit
                    continue
            where = (record.group, record.step, record.op, record.name, tuple(sorted(alike)))
            key = ("ops", where[0], record.step is None, *where[2:], counts[where])
            counts[where] += 1
            moves = record.op in MOVES and record.step is None and record not in self.roots
            record.unit = self.units.named(key, record.name or record.op, "", "moves" if moves else "ops")

    def _spread(self) -> None:
        """Say over which groups each unit stands: of its own steps, else of what leads to it, or uses it."""
        for record in self.records:
            if record.unit and record.step is not None:
                self.found[record.unit].groups.add(record.group)
        for records, near in ((self.records, "sources"), (self.records[::-1], "users")):
            reached: dict[Record, set[str]] = {}
            for record in records:
                groups = reached[record] = set[str]()
                if record.step is not None:
                    groups.add(record.group)
                    continue
                for other in getattr(record, near):
                    groups |= reached.get(other, set())
            for unit in [unit for unit in self.found.values() if not unit.groups]:
                for record in records:
                    if record.unit == unit.name and record.role not in ("constant", "state"):
                        unit.groups |= reached[record]
