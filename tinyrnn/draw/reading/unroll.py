"""The unrolled graph of a model: the tape's records with steps, layers, carries, parts, and readable ids."""

from __future__ import annotations

import contextlib
import gc
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from tinyrnn.autograd.tape import Node
from tinyrnn.draw.reading.carries import beginning
from tinyrnn.draw.reading.leads import find_beginnings
from tinyrnn.draw.reading.loops import find_runs
from tinyrnn.draw.reading.records import Firsts, Record
from tinyrnn.draw.reading.rolled import Group, place
from tinyrnn.draw.reading.rows import set_rows
from tinyrnn.draw.reading.sequences import bridge_sequences, find_losses, mark_weights, prune
from tinyrnn.draw.reading.tape import mark_reached, records_of, roots_of
from tinyrnn.draw.reading.unit import Unit
from tinyrnn.draw.reading.units import find_units
from tinyrnn.recurrence.opening import open_scans

__all__ = ["Unrolled", "read", "uncollected", "unroll"]


@dataclass
class Unrolled:
    """A recorded computation, ready to be drawn or to be stepped through."""

    records: list[Record]  # each after its sources
    roots: list[Record]  # what it was asked to draw
    groups: list[Group]  # recurrences that share columns, in the order of data flow; none without a loop
    units: dict[str, Unit]  # what stands in the rows
    firsts: Firsts  # the operands by which a loop takes its initial state, and the state that it becomes
    kept: bool  # whether values were kept (the computation ran inside `tinyrnn.unrolled`)
    entries: dict[Node, list[Node]]  # what takes a step out of a stack, with what was stacked at it

    @property
    def steps(self) -> list[int]:
        """The time steps of the first group, rising; counted from 0."""
        return self.groups[0].columns if self.groups else []

    @property
    def layers(self) -> list[Unit]:
        """The units that hand a state on."""
        return [unit for unit in self.units.values() if unit.carries]

    @property
    def differentiated(self) -> bool:
        """Whether a backward pass has left its gradients."""
        return any(root.node.grad is not None for root in self.roots)


def unroll(outputs: Any, where: str = "unrolled") -> Unrolled:
    """Read the tape behind a Tensor, or tuples, lists and dicts of them; errors name ``where``.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> w, h = tr.tensor(0.5, requires_grad=True), tr.tensor(1.0)
    >>> with tr.unrolled():
    ...     for t in range(3):
    ...         with tr.scope("rnn", step=t):
    ...             h = tr.tanh(w * h)
    >>> [record.id for record in unroll(h).records if record.op == "tanh"]
    ['t1.rnn.tanh', 't2.rnn.tanh', 't3.rnn.tanh']
    """
    given = roots_of(outputs, where)
    nodes = open_scans(list(given))
    with uncollected():
        found = read(nodes)
    values = dict(zip(nodes, given.values()))
    for record in found.roots:
        record.given = values[record.node]
    return found


def read(nodes: list[Node]) -> Unrolled:
    """Read the tape behind records, as it is: compiled scans are not opened."""
    records = records_of(nodes)
    wanted = set(nodes)
    roots = [record for record in records if record.node in wanted]
    mark_reached(records, roots)
    entries = bridge_sequences(records)
    records = prune(records, set(roots))
    mark_weights(records, set(roots))
    terms = [term for root in roots for term in find_losses(root)]
    runs = find_runs(records)
    groups, firsts = place(records, runs)
    for term in terms:
        if term.step is not None and term.role == "op" and term not in roots:
            term.role = "loss"
    units = find_units(records, set(roots), runs)
    find_beginnings(records, units, firsts, roots, [group.name for group in groups])
    set_rows(records, units, firsts)
    _name(records, bool(groups))
    kept = any(record.node.value is not None for record in records if record.op)
    return Unrolled(records, roots, groups, units, firsts, kept, entries)


@contextlib.contextmanager
def uncollected() -> Generator[None]:
    """Keep the garbage collector from going over a long graph again and again while its drawing is made."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def _name(records: list[Record], looped: bool) -> None:
    taken: Counter[str] = Counter()
    for record in records:
        if record.role == "weight":
            own = record.name.rsplit(".", 1)[-1] or (record.op or "leaf")
        elif record.role == "state":
            own = f"{record.carry}{beginning(record)}"
        elif record.role in ("input", "constant"):
            own = record.name or ("x" if record.role == "input" else "const")
        else:
            own = record.op or record.name
        step = "" if record.step is None else f"t{record.step + 1}"
        unit = record.group if record.role == "input" else "" if record.role == "weight" else record.unit
        base = "_".join(".".join(filter(None, (step, unit if looped else "", own))).split())
        count = taken[base]
        taken[base] += 1
        record.id = f"{base}_{count}" if count else base
