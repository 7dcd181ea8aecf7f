"""Loops written by hand: where in the order of the tape each of their steps begins.

The uses of a weight that lead to each other, along a carry, tick once a step. What a program does between two
ticks is the end of one step and the beginning of the next. Both are found again at the two ends of the
loop: before the first tick stands what a step begins with, after the last one what it ends with. A step
that is found gets a scope, as `tinyrnn.scope` opens one, so nothing behind this knows who has said it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from itertools import pairwise
from typing import Any

from tinyrnn.autograd.state import Scope
from tinyrnn.draw.reading.records import Record
from tinyrnn.draw.reading.sequences import leaves_of

__all__ = ["scope_loops"]

Ticks = list[int]  # places in the order of the tape, one for each step


def scope_loops(records: list[Record]) -> None:
    """Put the records of each step of a loop that is written by hand into a scope with its number."""
    computed = [record for record in records if record.role in ("op", "loss")]
    place = {record: i for i, record in enumerate(computed)}
    for clock in _clocks(computed, place):
        _scope(records, computed, _steps(computed, clock))


def _clocks(computed: list[Record], place: dict[Record, int]) -> list[Ticks]:
    """Return for each loop the ticks of a weight that tells its steps."""
    found = [ticks for uses in _uses(computed) for ticks in _ticks(computed, uses, place)]
    counted = [i for i, record in enumerate(computed) if record.depth is not None]
    found = [t for t in found if not any(t[0] < i < t[-1] for i in counted)]
    loops: list[list[Ticks]] = []
    for ticks in sorted(found):
        if loops and ticks[0] < max(other[-1] for other in loops[-1]):
            loops[-1].append(ticks)
        else:
            loops.append([ticks])
    return [_outermost(together) for together in loops]


def _uses(computed: list[Record]) -> Iterable[list[Record]]:
    """Group the records that use the same weight in the same way."""
    uses: dict[Hashable, list[Record]] = {}
    for record in computed:
        for source, slot in record.edges():
            for leaf in leaves_of(source) if source.role == "weight" else ():
                uses.setdefault((leaf, record.op, slot), []).append(record)
    return [list(dict.fromkeys(users)) for users in uses.values() if len(users) > 1]


def _ticks(computed: list[Record], uses: list[Record], place: dict[Record, int]) -> list[Ticks]:
    """Return the places of uses that lead to each other; several lists, where they begin anew."""
    users, level = set(uses), dict[Record, int]()
    for record in computed[place[uses[0]] : place[uses[-1]] + 1]:
        before = max((level.get(source, 0) for source in record.sources), default=0)
        if before or record in users:
            level[record] = before + (record in users)
    found: list[Ticks] = []
    last = 0
    for use in uses:
        if level[use] < last or not found:
            found.append([])
        if level[use] != last:
            found[-1].append(place[use])
        last = level[use]
    return [ticks for ticks in found if len(ticks) > 1]


def _outermost(loops: list[Ticks]) -> Ticks:
    """Return the ticks of the loop around the others; of those that go with it, the ones with most ticks."""

    def within(inner: Ticks, outer: Ticks) -> bool:
        return any(a <= inner[0] and inner[-1] < b for a, b in pairwise(outer))

    around = [a for a in loops if not any(within(a, b) for b in loops)]
    outer = min(around, key=len)
    even = [a for a in around if all(sum(i <= t < j for t in a) == 1 for i, j in pairwise(outer))]
    return max(even, key=len)


def _steps(computed: list[Record], clock: Ticks) -> list[Sequence[Record]]:
    """Part the order of the tape at the borders of steps."""
    first, last = clock[0], clock[-1]
    body = computed[clock[-2] : last]
    alike = _Alike(computed[clock[-2] + 1 : last + 1])
    begins, _ = alike(body[::-1], computed[:first][::-1])
    ends, _ = alike(body, computed[last:])
    border = max(min(len(body) - begins, ends), 1)
    start, end = body[border:], body[:border]
    after = (-1, *clock)
    borders = [b - alike(start[::-1], computed[a + 1 : b][::-1])[1] for a, b in pairwise(after)]
    borders.append(last + alike(end, computed[last:])[1])
    rest = alike(start, computed[borders[-1] :])[1]  # of one more step, of which nobody uses the state
    if rest:
        borders.append(borders[-1] + rest)
    return [computed[a:b] for a, b in pairwise(borders)]


class _Alike:
    """How much of a step, and of what is given, is the same from the beginning on.

    What uses no weight may be missing: of constants it is not recorded, and what nobody uses is not drawn.
    So nothing further from the tick is made of it, or is what it is made of.
    """

    def __init__(self, body: list[Record]) -> None:
        # The initial state may be a parameter too.
        self.weights = {leaf for record in body for leaf in _weights(record)}

    def __call__(self, pattern: list[Record], given: list[Record]) -> tuple[int, int]:
        at = matched = 0
        missing: set[Record] = set()
        for i, record in enumerate(pattern):
            if at < len(given) and self.kind(record) == self.kind(given[at]):
                if not missing.isdisjoint((*record.sources, *record.users)):
                    break
                at, matched = at + 1, i + 1
            elif self.weights.intersection(_weights(record)):
                break
            else:
                missing.add(record)
        return matched, at

    def kind(self, record: Record) -> Hashable:
        """Return what an operation has in common with the same one of another step."""
        owners = tuple(id(scope.owner) for scope in record.scopes if scope.owner is not None)
        return record.op, owners, tuple(leaf for leaf in _weights(record) if leaf in self.weights)


def _weights(record: Record) -> list[Record]:
    """Return the parameters that an operation uses."""
    return [leaf for source in record.sources if source.role == "weight" for leaf in leaves_of(source)]


def _scope(records: list[Record], computed: list[Record], steps: list[Sequence[Record]]) -> None:
    """Put the records of each step, and the constants that they use, into a scope of their own."""
    inside = [record.scopes for step in steps for record in step]
    outside = 0
    while all(len(scopes) > outside and scopes[outside] is inside[0][outside] for scopes in inside):
        outside += 1
    around = inside[0][:outside]
    scope_of: dict[Record, Scope] = {}
    for t, step in enumerate(steps):
        scope = Scope(around[-1] if around else None, "", t)
        for record in step:
            scope_of[record] = scope
            record.scopes = (*around, scope, *record.scopes[outside:])
    for record in list(records):
        if record.role == "constant":
            _part(records, record, scope_of)


def _part(records: list[Record], constant: Record, scope_of: dict[Record, Scope]) -> None:
    """Make of a constant that several steps use one for each, as it is with scopes."""
    users: dict[Any, list[Record]] = {}
    for user in constant.users:
        users.setdefault(scope_of.get(user), []).append(user)
    for n, (scope, mine) in enumerate(users.items()):
        own = constant
        if n:
            own = Record(constant.node, constant.scopes)
            own.role, own.reached = "constant", constant.reached
            records.insert(records.index(mine[0]), own)
            for user in mine:
                user.sources = [own if source is constant else source for source in user.sources]
        own.users = mine
        if scope is not None:
            own.scopes = mine[0].scopes
