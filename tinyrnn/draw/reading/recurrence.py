"""Layers and carries: what is handed from one time step to the next, found from the edges that cross a step.

A record at step t that is used at step t+1 (at t-1 where the sequence is read backwards) of the same layer is
a carry. The records of different scopes inside a step that hand a state to each other make one layer. An
operation that takes a carry at other steps takes the initial state at the first one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tinyrnn.draw.reading.model import Record

__all__ = ["Layer", "find_layers"]


@dataclass
class Layer:
    """One layer, in one direction.

    Attributes
    ----------
    name : str
        Such as ``l0`` or ``l0_reverse``.
    reverse : bool
        Whether it reads the sequence from its end.
    carries : dict
        From the key of a carry's record to the name of the carry, such as ``h``.
    """

    name: str
    reverse: bool = False
    carries: dict[tuple[object, ...], str] = field(default_factory=dict[tuple[object, ...], str])


def find_layers(records: list[Record]) -> list[Layer]:
    """Set ``layer``, ``key`` and ``carry`` of the records and find the initial states.

    Returns
    -------
    list of Layer
        Those with a carry, in the order in which they were first computed.
    """
    groups = _connected(records)
    names = _shortened([groups[outer, inner] for outer, inner in groups])
    counts: Counter[tuple[object, ...]] = Counter()
    for record in records:
        if record.step is None or record.role in ("weight", "constant"):
            continue
        record.layer = names[groups[record.outer, _first(record.inner)]]
        kind = (record.step, record.layer, record.op)
        record.key = (record.layer, record.op, counts[kind])
        counts[kind] += 1
    for record in records:
        if record.role == "constant" and record.users and record.step is not None:
            record.layer = record.users[0].layer

    directions: dict[str, int] = {}
    carried: dict[str, dict[tuple[object, ...], list[Record]]] = {}
    taken: dict[tuple[object, ...], tuple[Record, int]] = {}  # which operand of which operation is the carry
    for record in records:
        if not record.key or record.step is None or record.role == "total":
            continue
        for user in record.users:
            if (
                user.step is not None
                and user.layer == record.layer
                and abs(user.step - record.step) == 1
                and user.key
            ):
                directions[record.layer] = directions.get(record.layer, 0) + user.step - record.step
                carried.setdefault(record.layer, {}).setdefault(record.key, []).append(record)
                for source, slot in user.edges():
                    if source is record:
                        taken[(*user.key, slot)] = (record, slot)
    order = {name: i for i, name in enumerate(dict.fromkeys(r.layer for r in records if r.key))}
    layers = [Layer(name, directions[name] < 0) for name in sorted(carried, key=order.__getitem__)]
    for layer in layers:
        layer.carries = _named(carried[layer.name])
    _mark_carries(records, layers)
    _initial_states(records, taken, {layer.name: layer for layer in layers})
    return layers


def _first(inner: str) -> str:
    return inner.split(".", 1)[0]


def _connected(records: list[Record]) -> dict[tuple[str, str], str]:
    """Join the scopes of one loop that lead to each other and back; each gets the path of all."""
    leads: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for record in records:
        if record.step is None:
            continue
        mine = (record.outer, _first(record.inner))
        found = leads.setdefault(mine, set())
        if record.role not in ("op", "input"):
            continue
        for user in record.users:
            if user.step is not None and user.outer == record.outer:
                found.add((user.outer, _first(user.inner)))
    reached: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for start in leads:
        seen = reached[start] = set[tuple[str, str]]()
        stack = [start]
        while stack:
            fresh = leads.get(stack.pop(), set()) - seen
            seen |= fresh
            stack += fresh
    paths: dict[tuple[str, str], str] = {}
    for key in leads:
        circle = {other for other in reached[key] if key in reached[other]} | {key}
        outer, inner = min(circle) if len(circle) == 1 or not key[0] else (key[0], "")
        paths[key] = ".".join(filter(None, (outer, inner)))
    return paths


def _shortened(paths: list[str]) -> dict[str, str]:
    """Drop the names that all paths begin with, as far as they stay different."""
    split = {path: path.split(".") if path else [] for path in dict.fromkeys(paths)}
    parts = list(split.values())
    shared = 0
    while len(parts) > 1 and all(len(p) > shared + 1 and p[shared] == parts[0][shared] for p in parts):
        shared += 1
    if len(parts) == 1:
        shared = max(len(parts[0]) - 1, 0)
    return {path: ".".join(names[shared:]) for path, names in split.items()}


def _named(carried: dict[tuple[object, ...], list[Record]]) -> dict[tuple[object, ...], str]:
    """Name the carries of a layer: as the model names them, else h, or h1, h2, ..."""
    given = {key: next((r.name for r in records if r.name), "") for key, records in carried.items()}
    plain = [key for key, name in given.items() if not name]
    default = {key: "h" if len(plain) == 1 else f"h{i + 1}" for i, key in enumerate(plain)}
    return {key: name or default[key] for key, name in given.items()}


def _mark_carries(records: list[Record], layers: list[Layer]) -> None:
    """Name what crosses to the next step; in a step that none follows, what crosses at other steps."""
    for layer in layers:
        own = [record for record in records if record.key in layer.carries]
        crossing = {(r.step, layer.carries[r.key]) for r in own if _crosses(r)}
        last: dict[tuple[int | None, str], Record] = {}
        for record in own:
            name = layer.carries[record.key]
            if _crosses(record):
                record.carry = name
            elif (record.step, name) not in crossing:
                last[record.step, name] = record
        for (_, name), record in last.items():
            record.carry = name


def _crosses(record: Record) -> bool:
    return any(u.key and u.layer == record.layer and u.step not in (None, record.step) for u in record.users)


def _initial_states(
    records: list[Record], taken: dict[tuple[object, ...], tuple[Record, int]], layers: dict[str, Layer]
) -> None:
    first: dict[str, int] = {}
    for record in records:
        layer = layers.get(record.layer)
        if layer is not None and record.key and record.step is not None:
            pick = max if layer.reverse else min
            first[record.layer] = pick(first.get(record.layer, record.step), record.step)
    for record in records:
        if not record.key or record.step != first.get(record.layer):
            continue
        for source, slot in record.edges():
            origin = taken.get((*record.key, slot))
            if origin is not None and source.step in (None, record.step) and source.key == ():
                source.role = "state"
                source.carry = origin[0].carry
                source.layer = record.layer
                source.step = None
