"""The gates of a cell, found in its operations.

A gate is a value that the cell has given a name (``i.name = "i"``) and that is not the state it hands on.
Where a cell names none, each nonlinearity that is applied to a product with a weight is one. To a gate belong
the operations that lead to it alone; those that lead to several are drawn as one box, the ``linear`` part;
and what makes a new state out of the gates belongs to that state.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from tinyrnn.draw.reading.records import Record

__all__ = ["gates_of"]

NONLINEAR = {"tanh", "sigmoid", "relu", "softplus", "softmax"}


def gates_of(cell: list[Record]) -> dict[Record, str]:
    """Return the name of the group of each record of one cell at one step, each after its sources."""
    heads = _heads(cell)
    inside = set(cell)
    groups: dict[Record, str] = {}
    for record in reversed(cell):
        if record in heads:
            groups[record] = heads[record]
        elif record.carry:
            groups[record] = record.carry
        else:
            found = dict.fromkeys(groups[user] for user in record.users if user in inside)
            if not found:  # an output beside the state
                found = dict.fromkeys(source.carry for source in record.sources if source.carry)
            groups[record] = next(iter(found)) if len(found) == 1 else "linear"
    return groups


def _heads(cell: list[Record]) -> dict[Record, str]:
    named = [r for r in cell if r.name and r.name != "y" and not r.carry]
    if named:
        return _unique((record, record.name) for record in named)
    weighed: set[Record] = set()
    found: list[Record] = []
    for record in cell:
        if any(s.role == "weight" or s in weighed for s in record.sources):
            if record.op in NONLINEAR and not record.carry:
                found.append(record)
            elif not record.carry:
                weighed.add(record)
    return _unique((record, record.op) for record in found)


def _unique(pairs: Iterable[tuple[Record, str]]) -> dict[Record, str]:
    counts: Counter[str] = Counter()
    result: dict[Record, str] = {}
    for record, name in pairs:
        count = counts[name]
        counts[name] += 1
        result[record] = f"{name}_{count}" if count else name
    return result
