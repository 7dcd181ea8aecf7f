"""The rolled graph: time folded away, which runs go step by step together, and where a state is handed on.

A value that a step takes from another step of its run is a carry. What the first step takes in the same place
is the initial state; where that comes out of an earlier run of the same loop, the run goes on in time. Two
runs go together where each step of one has its step of the other: it reads that step's value, or both read
the same one. They share columns, as the layers of a stack do. Others stand side by side, in data-flow order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tinyrnn.draw.reading.alike import numbers
from tinyrnn.draw.reading.leads import ordered
from tinyrnn.draw.reading.loops import identity
from tinyrnn.draw.reading.records import Firsts, Record, Run
from tinyrnn.draw.reading.tape import memory

__all__ = ["Group", "place"]

Spot = dict[int, int]  # by chain: the step


@dataclass
class Group:
    """Recurrences that share columns."""

    name: str  # empty for the first one
    columns: list[int] = field(default_factory=list[int])  # the steps, rising


def place(records: list[Record], runs: list[Run]) -> tuple[list[Group], Firsts]:
    """Set ``group`` and ``step`` of all records that belong to one step; mark initial states.

    Returns
    -------
    groups : list of Group
        In the order of data flow.
    firsts : dict
        The operands (Record, int) by which a run takes its initial state, and the state that it becomes.
    """
    taken = _carries(records)
    chain_of = _continued(records, runs, taken)
    firsts = _initial_states(records, taken, chain_of)
    spots = _flow(records, chain_of, firsts)
    groups, column = _together(records, runs, chain_of, spots, firsts)
    for record in records:
        found = {column(chain, step) for chain, step in (spots.get(record) or {}).items()}
        record.step = None
        if len(found) == 1 and record.role not in ("total", "state"):
            ((record.group, record.step),) = found
    used = {(r.group, r.step) for r in records if r.step is not None and r.role != "weight"}
    for group in groups:
        group.columns = sorted(step for name, step in used if name == group.name and step is not None)
    return [group for group in groups if group.columns], firsts


def _carries(records: list[Record]) -> dict[tuple[Any, ...], Record]:
    """Give keys to what loops make; return by (key, operand) a record that is handed on there."""
    places: dict[Record, Any] = {}
    for record in records:
        if record.depth is not None and record.run is not None and record.role not in ("weight", "constant"):
            inside = identity(record.scopes[record.depth + 1 :])
            places[record] = id(record.run), record.step, (inside, record.op)
    for record, number in numbers(places).items():
        assert record.run is not None
        record.key = (record.run.key, *places[record][2], number)
    return {
        (record.key, slot): source
        for record in records
        if record.key
        for source, slot in record.edges()
        if source.key and source.run is record.run and source.step != record.step
    }


def _continued(
    records: list[Record], runs: list[Run], taken: dict[tuple[Any, ...], Record]
) -> dict[int, int]:
    """Find the runs that go on from another one; return by ``id(run)`` the chain of runs that it is in."""
    chain_of = {id(run): i for i, run in enumerate(runs)}
    known = {key[0] for key, _ in taken}
    for record in records:
        run = record.run
        if run is None or not record.key or record.step != run.steps[0]:
            continue
        for source, slot in record.edges():
            before = source.run
            if before is None or before is run or before.key != run.key or not source.key:
                continue
            handed = (record.key, slot) in taken or run.key not in known
            if handed and chain_of[id(run)] != chain_of[id(before)]:
                last = before.offset + max(before.steps)
                rises = min(run.steps) + before.offset > last
                run.offset = before.offset if rises else last + 1 - min(run.steps)
                chain_of[id(run)] = chain_of[id(before)]
    for run in runs:
        run.chain = chain_of[id(run)]
    return chain_of


def _initial_states(
    records: list[Record], taken: dict[tuple[Any, ...], Record], chain_of: dict[int, int]
) -> Firsts:
    """Mark what a run begins from; return the edges (record, operand) by which it comes in from elsewhere.

    One array from which several states begin, such as the zeros of ``h, c = zero, zero``, is an initial state
    for each.
    """
    found: Firsts = {}
    again: dict[tuple[Record, tuple[Any, ...]], Record] = {}
    for record in list(records):
        if record.run is None or not record.key or record.step != record.run.steps[0]:
            continue
        for source, slot in record.edges():
            handed = taken.get((record.key, slot))
            if handed is None or (source.run is record.run and source.key):
                continue
            if source.run is not None and source.key and chain_of[id(source.run)] == chain_of[id(record.run)]:
                continue  # the run goes on
            if source.role == "state" and source.key[0].key != handed.key:
                other = again.get((source, handed.key))
                if other is None:
                    other = again[source, handed.key] = Record(source.node, source.scopes)
                    other.sources, other.slots, other.role = source.sources, source.slots, "state"
                    records.insert(records.index(source), other)
                source.users.remove(record)
                other.users.append(record)
                record.sources[record.slots.index(slot)] = source = other
            if source.role in ("weight", "constant", "input", "state"):
                source.role, source.run, source.step = "state", None, None
                source.key = (handed,)
            found[record, slot] = handed
    return found


def _merged(spots: list[Spot]) -> Spot | None:
    """Return the one step of each chain; None where a chain has two."""
    result: Spot = {}
    for spot in spots:
        for chain, step in spot.items():
            if result.setdefault(chain, step) != step:
                return None
    return result


def _flow(records: list[Record], chain_of: dict[int, int], firsts: Firsts) -> dict[Record, Spot | None]:
    """Find the steps of what no loop makes: that from which alone it is made, or which alone uses it.

    Returns
    -------
    dict
        For each record its step in each chain; None for what belongs to several steps, empty for what belongs
        to none.
    """
    spots: dict[Record, Spot | None] = {}
    for record in records:
        run = record.run
        if record.role == "total":
            spots[record] = None
        elif record.role in ("weight", "constant", "state"):
            spots[record] = {}
        elif run is not None and record.step is not None:
            spots[record] = {chain_of[id(run)]: run.offset + record.step}
        else:
            parts = [spots[s] for s in record.sources]
            known = [spot for spot in parts if spot is not None]
            spots[record] = _merged(known) if len(known) == len(parts) else None
            if record.op == "stack" and len(record.sources) > 1 and spots[record]:
                spots[record] = None  # one loss of several, say: a stack is of all steps
    for record in reversed(records):
        if spots[record] != {} or record.role in ("state", "total") or not record.users:
            continue
        if record.role == "weight" and not _is_entry(record):
            continue
        uses = [
            spots[user]
            for user in record.users
            if any(s is record and (user, slot) not in firsts for s, slot in user.edges())
        ]
        known = [spot for spot in uses if spot]
        spots[record] = _merged(known) if known and len(known) == len(uses) else {}
        if record.role == "weight" and spots[record]:
            record.role = "input"  # an entry of a sequence that wants a gradient
    return spots


def _is_entry(record: Record) -> bool:
    """Whether a record is ``x[t]``."""
    index = record.node.params.get("index", ())
    return record.op == "getitem" and bool(index) and isinstance(index[0], int)


def _together(
    records: list[Record],
    runs: list[Run],
    chain_of: dict[int, int],
    spots: dict[Record, Spot | None],
    firsts: Firsts,
) -> tuple[list[Group], Any]:
    """Put chains into groups; return these, and a function from a step of a chain to its column."""
    chains = list(dict.fromkeys(chain_of[id(run)] for run in runs))
    steps = {c: {run.offset + s for run in runs if chain_of[id(run)] == c for s in run.steps} for c in chains}
    pairs: dict[tuple[int, int], set[tuple[int, int]]] = {}
    apart: set[tuple[int, int]] = set()
    shared: dict[object, list[Spot]] = {}

    def tie(one: Spot, two: Spot) -> None:
        for a, i in one.items():
            for b, j in two.items():
                if a != b:
                    pairs.setdefault((a, b), set()).add((i, j))

    for record in records:
        spot = spots[record]
        if spot:
            tie(spot, spot)
        for source, slot in record.edges():
            before = spots[source]
            if record.run is not None and record.key and before:
                if (record, slot) in firsts:
                    apart |= {(a, b) for a in before for b in spot or {} if a != b}
                else:
                    tie(before, spot or {})
            if source.role == "constant" and source.value is not None and spot and source.shape:
                shared.setdefault(memory(source.value), []).append(spot)
            elif source.run is None and source.role == "op" and before == {} and spot:
                shared.setdefault(source, []).append(spot)
    for uses in shared.values():
        one = _merged(uses)
        if one is not None:
            tie(one, one)
    leads = _reached_chains(records, chain_of)

    # Each chain joins the first group in which a chain goes step by step with it.
    offset: dict[int, int] = {}
    members: list[list[int]] = []
    for chain in chains:
        home = None
        for group in members:
            for other in group:
                found = pairs.get((chain, other), set()) | {
                    (i, j) for j, i in pairs.get((other, chain), set())
                }
                gaps = {j - i for i, j in found}
                alike = len(steps[chain]) in (1, len(steps[other]))  # one step alone stands where it says
                even = len(found) > 1 or (gaps == {0} and alike)
                if len(gaps) == 1 and even and not {(chain, other), (other, chain)} & apart:
                    home, offset[chain] = group, offset[other] + gaps.pop()
                    break
            if home is not None:
                break
        if home is None:
            home, offset[chain] = [], 0
            members.append(home)
        home.append(chain)

    index = {chain: i for i, group in enumerate(members) for chain in group}
    before = {i: {index[b] for c in group for b in leads[c]} - {i} for i, group in enumerate(members)}
    order = ordered(before)
    paths = {chain_of[id(run)]: run.path for run in reversed(runs)}
    names: dict[int, str] = {}
    for n, i in enumerate(order):
        own = paths[members[i][0]] or "loop"
        names[i] = "" if n == 0 else own if own not in names.values() else f"{own}_{n + 1}"
    low = {
        i: min(min(steps[c]) + offset[c] for c in group) - min(min(steps[c]) for c in group)
        for i, group in enumerate(members)
    }

    def column(chain: int, step: int) -> tuple[str, int]:
        group = index[chain]
        return names[group], step + offset[chain] - low[group]

    return [Group(names[i]) for i in order], column


def _reached_chains(records: list[Record], chain_of: dict[int, int]) -> dict[int, set[int]]:
    """Return for each chain those that lead to it."""
    behind: dict[Record, frozenset[int]] = {}
    found: dict[int, set[int]] = {c: set() for c in chain_of.values()}
    for record in records:
        reached = frozenset[int]().union(*(behind[s] for s in record.sources))
        if record.run is not None and record.key:
            mine = chain_of[id(record.run)]
            found[mine] |= reached - {mine}
            reached |= {mine}
        behind[record] = reached
    return found
