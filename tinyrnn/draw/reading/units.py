"""Units: which records stand together for a box at the level of cells.

A cell is what leads to a carry inside of its step. A call of a module that leads to no carry is a unit of
its own, and so is a scope that the user has named. Of what stands in no module, what leads to nothing but the
loss belongs to the loss, and what only moves data belongs to what uses it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable

from tinyrnn.autograd.state import Scope
from tinyrnn.draw.reading.calls import containers_of, shared_path
from tinyrnn.draw.reading.carries import name_carries
from tinyrnn.draw.reading.inputs import find_inputs
from tinyrnn.draw.reading.leads import closure, lossy_of, weighing_of
from tinyrnn.draw.reading.loops import identity, names
from tinyrnn.draw.reading.records import MOVES, Record, Run, is_cell
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
        self.computed = [r for r in records if r.role in ("op", "loss", "total")]
        self.containers = containers_of(self.computed)
        self.shared = shared_path(self.computed, self.containers)
        for chain in dict.fromkeys(run.chain for run in runs):
            members = [r for r in self.computed if r.key and r.run is not None and r.run.chain == chain]
            if members:
                self._loop(members)
        for record in self.computed:
            call = self._call(record)
            if not record.unit and call is not None:
                scopes = record.scopes[: call + 1]
                kind = _class(scopes[-1])
                name = self._short(names(scopes)) or kind
                record.unit = self.units.named((id(scopes[-1].owner), name), name, kind, "module")
        self._losses()
        self._loose()
        find_inputs(records, self.computed, self.units)
        self._spread()

    def _short(self, path: str) -> str:
        """Return a path without what everything is in."""
        return path.removeprefix(self.shared) if path != self.shared.rstrip(".") else path.split(".")[-1]

    def _call(self, record: Record) -> int | None:
        """Return which of its scopes is the outermost call of a module that is not a loop around it."""
        calls = (
            i for i, s in enumerate(record.scopes) if s.owner is not None and id(s) not in self.containers
        )
        return next(calls, None)

    def _loop(self, members: list[Record]) -> None:
        """Part what one loop does into its cells, the modules before and after them, and the rest."""
        run = members[0].run
        assert run is not None
        inside = set(members)
        atom, scope = self._atoms(members)
        base = self._short(run.path)
        circles = _circles(members, atom)
        if not circles:  # a loop in which nothing is handed on
            kind = _class(run) or (_class(*scope.values()) if len(scope) == 1 else "")
            role = "cell" if run.owner is not None else "module"
            unit = self.units.named(run.chain, base or kind or "cell", kind, role)
            lossy = lossy_of(members, set())
            for record in members:
                if record not in lossy:
                    record.unit = unit
            return
        name_of: dict[Hashable, str] = {}
        for circle in circles:
            name_of |= self._cells(circle, scope, run, base, alone=len(circles) == 1)
        # Operations of the loop's own that lead to a cell, or only look after its outputs, belong to it.
        own = {r for r in members if atom[r] not in scope}
        # What leads to a module, but is in no circle, such as a projection of its input, does not.
        around = set[Hashable]().union(*circles)
        modules = {
            name for a, name in name_of.items() if a in scope and scope[a].owner is not None and not run.whole
        }
        keys: dict[Hashable, str] = {}
        for record in reversed(members):
            a = atom[record]
            if a in name_of:
                keys.setdefault(a, name_of[a])
            elif record in own:
                for user in record.users:
                    near = user in inside and user.step == record.step and atom[user] in keys
                    near = near and (a in around or keys[atom[user]] not in modules)
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
                kind = _class(scope[a])
                name = ".".join(filter(None, (base, scope[a].name or kind)))
                record.unit = self.units.named((run.chain, a), name, kind, "module")
            elif record not in lossy and record not in weighing:
                record.unit = next((s.unit for s in record.sources if s.unit and s in inside), "")

    def _cells(
        self, circle: list[Hashable], scope: dict[Hashable, Scope], run: Run, base: str, *, alone: bool
    ) -> dict[Hashable, str]:
        """Make the cell that a circle is; return for each of its parts the unit."""
        parts = [a for a in circle if a in scope]
        modules = {a: _class(scope[a]) for a in parts if scope[a].owner is not None}
        if not run.whole and any(is_cell(scope[a].owner) for a in modules):  # a cell, and what is around it
            return {
                a: self.units.named(
                    (run.chain, a), self._short(scope[a].name) or kind, kind, "cell", run.reverse
                )
                for a, kind in modules.items()
            }
        part = scope[parts[0]] if len(parts) == 1 else None
        kind = (_class(part) if part is not None and len(circle) == 1 else "") or _class(run)
        own = base or (part.name if part is not None else "")
        if part is not None and not alone:
            own = ".".join(filter(None, (base, part.name or kind)))
        unit = self.units.named((run.chain, *circle), own or kind or "cell", kind, "cell", run.reverse)
        return dict.fromkeys(circle, unit)

    def _atoms(self, members: list[Record]) -> tuple[dict[Record, Hashable], dict[Hashable, Scope]]:
        """Return what of a step each record belongs to, a part with a scope or itself; and these scopes."""
        atom: dict[Record, Hashable] = {}
        scope: dict[Hashable, Scope] = {}
        for record in members:
            assert record.depth is not None
            part = record.scopes[record.depth + 1 : record.depth + 2]
            atom[record] = identity(part) or record.key
            if part:
                scope[atom[record]] = part[0]
        return atom, scope

    def _losses(self) -> None:
        """Find what leads to nothing but the loss."""
        number = {r for r in self.roots if r.is_number}
        lossy = lossy_of(self.computed, set(), number)
        leads_to = self._first_roots()
        for record in reversed(self.computed):
            if record not in lossy or record.unit:
                continue
            uses = {u.unit for u in record.users if (u.group, u.step) == (record.group, record.step)}
            uses |= {u.unit for u in record.users if u.role == "total"} if record.step is None else set()
            whole = record.role == "total" or record in self.roots
            if not whole and record.name:
                record.unit = self.units.named(("loss", record.name), record.name, "", "loss")
            elif not whole and len(uses) == 1 and self.found[min(uses)].role in ("loss", "total"):
                record.unit = min(uses)
            elif whole or record.step is None:
                record.unit = self.units.named(("total", leads_to.get(record, 0)), "loss", "", "total")
            else:
                own = f"{record.group}.L".lstrip(".")
                record.unit = self.units.named(("loss", record.group), own, "", "loss")

    def _first_roots(self) -> dict[Record, int]:
        """Return to which of the outputs each record leads; to the first of several."""
        found: dict[Record, int] = {}
        for i, root in enumerate(r for r in self.records if r in self.roots):
            stack = [root]
            while stack:
                record = stack.pop()
                if record not in found:
                    found[record] = i
                    stack += record.sources
        return found

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
                joins = self.found[unit].role == "ops"
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


def _class(of: Scope | Run) -> str:
    """Return the class of the module whose call, or whose loop, it is; empty where there is none."""
    return "" if of.owner is None else type(of.owner).__name__


def _circles(members: list[Record], atom: dict[Record, Hashable]) -> list[list[Hashable]]:
    """Return the parts of a step that lead to each other over its border: those that hand on a state."""
    leads: dict[Hashable, set[Hashable]] = {a: set() for a in atom.values()}
    crossing: set[tuple[Hashable, Hashable]] = set()
    for record in members:
        for source in record.sources:
            if source in atom:
                leads[atom[source]].add(atom[record])
                if source.step != record.step:
                    crossing.add((atom[source], atom[record]))
    reached = closure(leads)
    circles: list[list[Hashable]] = []
    for a in leads:
        circle = [c for c in leads if c == a or (c in reached[a] and a in reached[c])]
        if circle not in circles and any(x in circle and y in circle for x, y in crossing):
            circles.append(circle)
    return circles
