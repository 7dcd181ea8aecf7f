"""Steps: which records belong to which step of which loop.

A scope with a step says so itself (`tinyrnn.scope`; `scan` opens one for each step). In a loop written by
hand without scopes, the calls of a module that lead to each other one after the other are steps. In a loop
with neither module nor scope, the uses of a weight that lead to each other are.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

from tinyrnn.autograd.state import Scope
from tinyrnn.draw.reading.records import Record, Run
from tinyrnn.draw.reading.sequences import leaves_of

__all__ = ["find_runs", "names"]


def find_runs(records: list[Record]) -> list[Run]:
    """Set ``run`` and ``step`` of each record that a loop makes; return the runs, oldest first."""
    runs = _counted(records)
    return runs + _uncounted(records)


def names(scopes: Iterable[Scope]) -> str:
    """Join the names of scopes, those that have one."""
    return ".".join(scope.name for scope in scopes if scope.name)


def identity(scopes: Iterable[Scope]) -> tuple[Any, ...]:
    """Return what the same scopes have in common at each call: names, and which modules they are."""
    return tuple((scope.name, id(scope.owner) if scope.owner is not None else None) for scope in scopes)


def _counted(records: list[Record]) -> list[Run]:
    """Find the loops whose steps have a scope. One that begins again is another run."""
    runs: list[Run] = []
    current: dict[Hashable, Run] = {}
    of: dict[int, tuple[Run, int]] = {}
    for record in records:
        if record.role in ("total", "weight"):
            continue
        depth = record.depth
        if depth is None:
            continue
        scope = record.scopes[depth]
        if id(scope) not in of:
            outside, t = record.scopes[:depth], int(scope.step or 0)
            where = (tuple(map(id, outside)), scope.name)
            run = current.get(where)
            if run is None or not _goes_on(run.steps, t):
                around = (*outside, Scope(None, scope.name)) if scope.name else outside
                owner = next((s.owner for s in reversed(outside)), None) if not scope.name else None
                run = current[where] = Run(names(around), owner, identity(around))
                runs.append(run)
            if t not in run.steps[-1:]:
                run.steps.append(t)
            of[id(scope)] = run, t
        record.run, record.step = of[id(scope)]
    return runs


def _goes_on(steps: list[int], t: int) -> bool:
    """Whether a step follows in the direction of a run, or is the one that it is at."""
    if t == steps[-1] or len(steps) < 2:
        return True
    return (t > steps[-1]) == (steps[-1] > steps[-2])


def _uncounted(records: list[Record]) -> list[Run]:
    """Find loops by calls of modules, and by uses of weights, that lead to each other."""
    free = {record for record in records if record.run is None}
    chains = _chains_of_calls(records, free)
    inside = {r for chain in chains for members in chain.calls for r in members}
    chains += _chains_of_weights(records, free - inside)
    runs: list[Run] = []
    for together in _mutual(records, chains):
        clock = min(together, key=lambda chain: (not chain.modules, max(chain.level), chain.first))
        steps = sorted(set(clock.level))
        run = Run(clock.path, clock.owner, clock.key, [s - 1 for s in steps], counted=False)
        runs.append(run)
        for record, step in _steps_of(records, clock, together).items():
            if record in free:
                free.discard(record)
                record.run, record.step = run, step
    return runs


class _Chain:
    """Calls of one module, or uses of one weight, of which some lead to others.

    ``level`` says for each call how many lead to it, itself included; ``depth`` for each record how many do;
    ``leads_on``, whether some call leads to another.
    """

    def __init__(
        self, records: list[Record], calls: list[list[Record]], path: str, owner: Any, key: tuple[Any, ...]
    ) -> None:
        self.calls, self.path, self.owner, self.key = calls, path, owner, key
        self.modules = owner is not None
        self.of = {record: i for i, members in enumerate(calls) for record in members}
        self.level = [0] * len(calls)
        self.depth: dict[Record, int] = {}
        for record in records:
            i = self.of.get(record)
            if i is None:
                found = max((self.depth.get(s, 0) for s in record.sources), default=0)
            else:
                if not self.level[i]:
                    outside = [s for r in calls[i] for s in r.sources if self.of.get(s) != i]
                    self.level[i] = 1 + max((self.depth.get(s, 0) for s in outside), default=0)
                found = self.level[i]
            if found:
                self.depth[record] = found
        self.first = records.index(calls[0][0])
        self.leads_on = max(self.level) > 1


def _chains_of_calls(records: list[Record], free: set[Record]) -> list[_Chain]:
    """Return the modules that are called again and again, the innermost loop first."""
    calls: dict[Hashable, dict[int, list[Record]]] = {}
    scopes: dict[Hashable, tuple[Scope, ...]] = {}
    containers = set[int]()  # calls with a loop inside
    for record in records:
        if record not in free:
            containers.update(map(id, record.scopes))
            continue
        for i, scope in enumerate(record.scopes):
            if scope.owner is not None and record.role != "weight":
                where = (id(scope.owner), i, *map(id, record.scopes[:i]))
                calls.setdefault(where, {}).setdefault(id(scope), []).append(record)
                scopes[where] = record.scopes[: i + 1]
    found: list[_Chain] = []
    for where in sorted(calls, key=lambda where: -len(scopes[where])):
        mine = {call: members for call, members in calls[where].items() if call not in containers}
        if len(mine) < 2:
            continue
        path = scopes[where]
        name = names(path) or type(path[-1].owner).__name__
        chain = _Chain(records, list(mine.values()), name, path[-1].owner, identity(path))
        if chain.leads_on:
            found.append(chain)
            containers |= {id(scope) for scope in path[:-1]}
    return found


def _chains_of_weights(records: list[Record], free: set[Record]) -> list[_Chain]:
    """Return the weights whose uses lead to each other."""
    uses: dict[tuple[object, ...], list[Record]] = {}
    for record in records:
        if record.role == "op" and record in free:
            for weight, slot in record.edges():
                for leaf in leaves_of(weight) if weight.role == "weight" else ():
                    uses.setdefault((leaf, record.op, slot), []).append(record)
    chains = (
        _Chain(records, [[r] for r in dict.fromkeys(users)], "", None, tuple(map(id, how)))
        for how, users in uses.items()
        if len(users) > 1
    )
    return [chain for chain in chains if chain.leads_on]


def _mutual(records: list[Record], chains: list[_Chain]) -> list[list[_Chain]]:
    """Put chains together that lead to each other and back: they are one recurrence."""
    leads = [[any(a.depth.get(r) for r in b.of) for b in chains] for a in chains]
    found: list[list[int]] = []
    for i in range(len(chains)):
        home = next((t for t in found if leads[i][t[0]] and leads[t[0]][i]), [])
        if not home:
            found.append(home)
        home.append(i)
    return [[chains[i] for i in together] for together in found]


def _steps_of(records: list[Record], clock: _Chain, together: list[_Chain]) -> dict[Record, int]:
    """Return the step of each record between a first and a last tick of the clock, the ticks included."""
    ahead: set[Record] = set()  # from which the clock ticks once more
    for record in reversed(records):
        if any(user in clock.of or user in ahead for user in record.users):
            ahead.add(record)
    members = set(clock.of).union(*(chain.of for chain in together))
    steps = {r: clock.depth[r] - 1 for r in records if r in clock.depth and (r in ahead or r in members)}
    _retime(records, steps, clock)
    _finish(records, steps, clock)
    return steps


def _retime(records: list[Record], steps: dict[Record, int], clock: _Chain) -> None:
    """Move to the next step what only that uses, and what is made of values that cross to it anyway."""
    moved: set[Record] = set()
    for record in reversed(records):
        step = steps.get(record)
        if step is None or record in clock.of or not record.users:
            continue
        if all(steps.get(user) == step + 1 or user in moved for user in record.users):
            moved.add(record)
    shrinking = True
    while shrinking:  # what would itself have to cross, moved or not, is a state: it stays
        stay = {
            record
            for record in moved
            if any(user in moved and steps[user] != steps[record] for user in record.users)
            or not all(
                s in moved or any(steps.get(u, 0) > steps[s] for u in s.users if u not in moved)
                for s in record.sources
                if s.role == "op" and steps.get(s) == steps[record]
            )
        }
        stay |= {r for r in moved if any(steps.get(u) == steps[r] and u not in moved for u in r.users)}
        moved -= stay
        shrinking = bool(stay)
    for record in moved:
        steps[record] += 1


def _finish(records: list[Record], steps: dict[Record, int], clock: _Chain) -> None:
    """Add what the last step does like those before it, and the first like those after it.

    No further step uses the one, and nothing of the loop leads to the other.
    """
    last = max(clock.level) - 1
    parts = _Alike(records, steps, lambda r, t: tuple((t.of(s), slot) for s, slot in r.edges()))
    free = [r for r in records if r.run is None and r.role == "op" and r not in steps]
    for record in free:
        if clock.depth.get(record) == last + 1 and parts.fits(record, last):
            steps[record] = last
    uses = _Alike(
        records[::-1],
        steps,
        lambda r, t: tuple(sorted({(t.of(u), slot) for u in r.users for s, slot in u.edges() if s is r})),
    )
    for record in reversed(free):
        if record not in clock.depth and record.users and uses.fits(record, 0):
            steps[record] = 0


class _Alike:
    """Numbers for records, the same for the same operation of another step."""

    def __init__(self, records: list[Record], steps: dict[Record, int], near: Any) -> None:
        self.numbers: dict[Record, int] = {}
        self.known: dict[object, int] = {}
        self.seen: set[int] = set()
        self.steps, self.near, self.step = steps, near, 0
        for record in records:
            if record in steps:
                self.step = steps[record]
                self.seen.add(self.number(record))

    def of(self, record: Record) -> int:
        """Return the number of a neighbour; one that is not in the same step is like any other."""
        if self.steps.get(record) == self.step:
            return self.numbers.get(record, 0)
        return -1 if record.role == "weight" else 0

    def number(self, record: Record) -> int:
        """Return the number of a record, made from those of its neighbours."""
        found = self.known.setdefault((record.op, self.near(record, self)), len(self.known) + 1)
        self.numbers[record] = found
        return found

    def fits(self, record: Record, step: int) -> bool:
        """Whether another step has a record like this one, among others of its step."""
        self.step = step
        near = [*record.sources, *record.users]
        return self.number(record) in self.seen and any(self.steps.get(n) == step for n in near)
