"""Inputs: which constants a model reads, and which are numbers of its operations, or an initial state."""

from __future__ import annotations

from collections.abc import Hashable

from tinyrnn.draw.reading.records import Record
from tinyrnn.draw.reading.tape import memory
from tinyrnn.draw.reading.unit import Units

__all__ = ["find_inputs"]


def find_inputs(records: list[Record], computed: list[Record], units: Units) -> None:
    """Give every constant its unit: one of its own, where it is an input, or that of what uses it."""
    _Inputs(records, computed, units).find()


class _Inputs:
    def __init__(self, records: list[Record], computed: list[Record], units: Units) -> None:
        self.records = records
        self.computed = computed
        self.units = units
        self.found = units.found
        self.there: dict[Hashable, list[tuple[Hashable, str]]] = {}  # of a step: their memory, and for whom
        self.begin: dict[int, int | None] = {}
        for record in computed:
            if record.run is not None and record.key:
                self.begin.setdefault(record.run.chain, record.step)

    def find(self) -> None:
        """Tell inputs from other constants: a cell or module computes with them, or what leads to one."""
        leading: set[Record] = set()
        for record in reversed(self.computed):
            role = self.found[record.unit].role
            if role in ("cell", "module") or any(u in leading for u in record.users):
                leading.add(record)
        numbers: dict[Hashable, list[float]] = {}
        scalars: list[tuple[Record, Hashable]] = []
        usual: dict[tuple[str, str], set[tuple[int, ...]]] = {}
        first: list[Record] = []
        for record in self.records:
            if record.role == "input":
                self._place_input(record)
            if record.role != "constant" or not record.users:
                continue
            user = record.users[0]
            begins = self._is_first(user)
            if not record.shape:
                slot = (user.key or (user.unit, user.op), _slot(record))
                value = record.value
                if not begins:
                    numbers.setdefault(slot, []).append(float("nan") if value is None else float(value))
                scalars.append((record, slot))
            elif user in leading and record.dtype.kind != "b" and not _picks(user, record):
                if begins:
                    first.append(record)
                else:
                    usual.setdefault((user.unit, user.group), set()).add(record.shape)
                    self._place_input(record)
            else:
                record.unit = user.unit
        for record, slot in scalars:
            if len(set(numbers.get(slot, ()))) > 1 and record.users[0] in leading and record.step is not None:
                self._place_input(record)
            else:
                record.unit = record.users[0].unit
        for record in first:
            self._place_first(record, first, usual.get((record.users[0].unit, record.group)))

    def _is_first(self, record: Record) -> bool:
        """Whether a record belongs to the step with which its chain of runs begins."""
        run = record.run
        return run is not None and record.step is not None and self.begin.get(run.chain) == record.step

    def _place_first(self, record: Record, first: list[Record], usual: set[tuple[int, ...]] | None) -> None:
        """Tell x₁ from a constant initial state, and from what was computed of both and not recorded."""
        user = record.users[0]
        if usual is not None:
            beside = [r for r in first if r.users[0].unit == user.unit and r is not record]
            if self._computed_later(record) and not all(map(self._computed_later, beside)):
                self._begin_with(record)
                return
            known = any(r.shape in usual for r in beside)
            if record.shape in usual or (
                not known and record is min([record, *beside], key=lambda r: r.node.order)
            ):
                self._place_input(record)
            else:
                record.unit = user.unit
            return
        zeros = record.value is not None and not record.value.any()
        if self.found[user.unit].role == "cell" and zeros:  # a loop of one step
            self._begin_with(record)
        else:
            self._place_input(record)

    def _computed_later(self, record: Record) -> bool:
        """Whether later steps compute this operand: then it is the initial state, or made of that."""
        user = record.users[0]
        slot = _slot(record)
        return any(
            at == slot and source.role in ("op", "loss")
            for other in self.computed
            if other.key == user.key and not self._is_first(other)
            for source, at in other.edges()
        )

    def _begin_with(self, record: Record) -> None:
        user = record.users[0]
        record.role, record.unit, record.group, record.step = "state", user.unit, user.group, None

    def _place_input(self, record: Record) -> None:
        user = record.users[0]
        record.role = "input"
        name = record.name or "x"
        if record.step is None:
            record.group = user.group
        whole = user.unit if record.step is None else None  # at each step it is another part of the same
        key, n = ("input", name, record.group, whole), 0
        if record.step is not None:  # another array that another cell reads at this step is another input
            there = self.there.setdefault((key, record.step), [])
            at = None if record.value is None else memory(record.value)
            n = next((n for n, (m, unit) in enumerate(there) if m == at or unit == user.unit), len(there))
            there += [(at, user.unit)] * (n == len(there))
        record.unit = self.units.named((*key, n), name, "", "input")
        self.found[record.unit].nth = n


def _slot(constant: Record) -> int:
    """Return as which operand it is first used."""
    user = constant.users[0]
    return user.slots[user.sources.index(constant)]


def _picks(user: Record, record: Record) -> bool:
    """Whether a constant says which entries of a computed value are taken: it belongs to the look-up."""
    taken = user.sources[0]
    looks_up = user.op in ("getitem", "take", "take_along_axis")
    return looks_up and taken is not record and taken.role in ("op", "loss")
