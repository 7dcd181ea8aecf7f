"""From records to the boxes of a picture: op, gate, cell, layer, rolled, from the finest to the coarsest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from tinyrnn.draw.reading.fold import Column
from tinyrnn.draw.reading.gates import gates_of
from tinyrnn.draw.reading.records import Record
from tinyrnn.draw.reading.sequences import leaves_of
from tinyrnn.draw.reading.units import Unit
from tinyrnn.draw.reading.unroll import Unrolled
from tinyrnn.draw.reading.view import Arrow, Badge, Box, View
from tinyrnn.draw.style import Gradient
from tinyrnn.draw.text import pretty

__all__ = ["LEVELS", "SYMBOLS", "kind_of", "view_of"]

LEVELS = ("op", "gate", "cell", "layer", "rolled")

SYMBOLS = {
    "add": "+", "subtract": "−", "multiply": "×", "divide": "÷", "matmul": "matmul", "sigmoid": "σ",
    "getitem": "slice", "concatenate": "concat", "negative": "−",
}  # fmt: skip
NONLINEAR = {"tanh", "sigmoid", "relu", "softplus", "softmax", "log_softmax", "exp", "log"}
MOVES = {"getitem", "reshape", "transpose", "swapaxes", "squeeze", "expand_dims", "broadcast_to", "astype"}
WHOLE = "all"  # the one column of a group in a picture without steps


def view_of(
    unrolled: Unrolled,
    level: str,
    columns: list[Column],
    expand: frozenset[int],
    weights: str,
    *,
    bare: bool = False,
) -> View:
    """Make the boxes and arrows of a level.

    Parameters
    ----------
    unrolled : Unrolled
    level : str
        One of `LEVELS`. Steps in `expand` are drawn at level ``op``.
    columns : list of Column
        Which steps are shown and which folded.
    expand : frozenset of int
        Counted from 0.
    weights : {"alias", "tray"}
    bare : bool
        Leave out what only moves numbers about, such as the slices of a product for several gates.
    """
    group = _Grouping(unrolled, level, columns, expand)
    of: dict[Record, str] = {}
    for record in unrolled.records:
        moves = (
            bare
            and level == "op"
            and record.op in MOVES
            and not record.carry
            and record not in unrolled.roots
        )
        box = None if moves and record.role == "op" else group(record)
        if box is None:
            continue
        box.members.append(record)
        if box.kind == "fold":
            box.bands.add(unrolled.units[record.unit].row)
        if record.carry and record.carry not in box.carries:
            box.carries.append(record.carry)
        of[record] = box.id
    arrows = _arrows(unrolled, of, level)
    if weights == "alias":
        _add_badges(unrolled, of, group.boxes)
    bands = sorted({box.band for box in group.boxes.values() if box.kind != "fold"})
    return View(level, group.boxes, arrows, columns, bands)


class _Grouping:
    """Which box a record goes to; makes the box when it is met first."""

    def __init__(self, unrolled: Unrolled, level: str, columns: list[Column], expand: frozenset[int]) -> None:
        self.units = unrolled.units
        self.roots = [record for record in unrolled.records if record in set(unrolled.roots)]
        self.level = level
        self.expand = expand
        self.boxes: dict[str, Box] = {}
        self.columns = {(c.group, step): c for c in columns for step in range(c.first, c.last + 1)}
        self.timeless = level in ("layer", "rolled")
        self.sizes = Counter(
            r.unit for r in unrolled.records if r.step is None and r.role in ("op", "loss", "total")
        )
        self.gates: dict[Record, str] = {}
        if level == "gate":
            cells: dict[tuple[str, int], list[Record]] = {}
            for r in unrolled.records:
                if r.role != "op" or r.step is None or self.units[r.unit].role != "cell":
                    continue
                if not self.columns[r.group, r.step].folded:
                    cells.setdefault((r.unit, r.step), []).append(r)
            for cell in cells.values():
                self.gates |= gates_of(cell)

    def __call__(self, record: Record) -> Box | None:
        if record.role == "weight" or not record.unit:
            return None
        unit = self.units[record.unit]
        if record.role == "state":
            if self.level == "rolled":
                return None  # the textbook's loop has no beginning
            own = f"{unit.name}.{record.carry}0"
            return self.box(own, "state", record.carry, "0", unit, "", (record.group,))
        if record.role == "constant" and not (self.level == "op" and record.shape):  # numbers stand in labels
            return None
        if self.timeless:
            return None if unit.role == "moves" else self.whole(record, unit)
        column = self.columns.get((record.group, record.step)) if record.step is not None else None
        if column is not None and column.folded:
            return self.box(column.id, "fold", "", "", unit, column.id, (column.group,))
        fine = self.level == "op" or (column is not None and record.step in self.expand)
        if fine and (column is not None or self.level == "op"):
            return self.operation(record, unit, column)
        return None if unit.role == "moves" else self.part(record, unit, column)

    def box(
        self, id: str, kind: str, title: str, index: str, unit: Unit, column: str, groups: tuple[str, ...]
    ) -> Box:
        box = self.boxes.get(id)
        if box is None:
            key = tuple(id.split(".", 1)[1:]) if column and not self.timeless else (id,)
            box = Box(id, kind, title, index, unit.row, column, key, groups, unit.name, unit.reverse)
            self.boxes[id] = box
        return box

    def place(self, unit: Unit, column: Column | None) -> tuple[str, str, tuple[str, ...]]:
        """Return how ids in a column begin, the column's id, and the groups."""
        if column is not None:
            return f"t{column.first + 1}.", column.id, (column.group,)
        groups = tuple(sorted(unit.groups, key=self.order)) or ("",)
        if self.timeless and len(groups) == 1:
            return "", ".".join(filter(None, (WHOLE, groups[0]))), groups
        return "", "", groups

    def order(self, group: str) -> int:
        """Return which group it is, in the order of data flow."""
        return next((i for i, (name, _) in enumerate(self.columns) if name == group), 0)

    def whole(self, record: Record, unit: Unit) -> Box | None:
        """One box for all steps."""
        index = "t" if self.level == "rolled" and record.step is not None else ""
        kind, title, own = self.face(record, unit)
        before, column, groups = self.place(unit, None)
        return self.box(before + own, kind, title, index, unit, column, groups)

    def part(self, record: Record, unit: Unit, column: Column | None) -> Box | None:
        """A gate, cell, module, or loss; of one step, or over all of them."""
        before, where, groups = self.place(unit, column)
        if record in self.gates:
            name = self.gates[record]
            kind = "cell" if name in unit.carries.values() else "product" if name == "linear" else "gate"
            index = str(column.first + 1) if column is not None and kind == "cell" else ""
            title = SYMBOLS.get(name, name)
            return self.box(f"{before}{unit.name}.{name}", kind, title, index, unit, where, groups)
        kind, title, own = self.face(record, unit)
        indexed = kind in ("input", "loss") or (kind == "cell" and bool(unit.carries))
        index = str(column.first + 1) if column is not None and indexed and title != "L" else ""
        if column is not None and kind == "loss" and not any(r.unit == unit.name for r in self.roots):
            index = str(column.first + 1)
        return self.box(before + own, kind, title, index, unit, where, groups)

    def face(self, record: Record, unit: Unit) -> tuple[str, str, str]:
        """Return the kind, the title and the end of the id of a unit's box."""
        if unit.role == "input":
            own = record.name or "x"
            return (
                "input",
                own,
                ".".join(filter(None, (record.group, own if record.step is not None else unit.name))),
            )
        if unit.role == "cell":
            short = unit.kind.removesuffix("Cell") or unit.kind or unit.name
            carries = list(dict.fromkeys(unit.carries.values()))
            names = carries[0] if len(carries) == 1 else f"({', '.join(carries)})" if carries else ""
            bare = not unit.kind and unit.name == "cell"
            return "cell", names if bare and names else f"{short} {names}".strip(), f"{unit.name}.cell"
        if unit.role in ("loss", "total"):
            return "loss", self.loss_title(unit), unit.name
        if unit.role == "module":
            if any(r.unit == unit.name and r.shape == () for r in self.roots):  # a loss that is a module
                return "loss", self.loss_title(unit), unit.name
            numbered = unit.kind if unit.name.rpartition(".")[2].isdigit() else unit.name  # a part of a list
            return "module", numbered, unit.name
        last = next((r for r in reversed(self.roots) if r.unit == unit.name), None)
        title = unit.name if last is None or not last.name else last.name
        return "output" if last is not None else "op", SYMBOLS.get(title, title), unit.name

    def loss_title(self, unit: Unit) -> str:
        """Return L, or what the user calls it; numbered where several are drawn."""
        mine = [record for record in self.roots if record.unit == unit.name]
        if mine:
            number = f" ({self.roots.index(mine[0]) + 1})" if len(self.roots) > 1 else ""
            return mine[-1].name or f"L{number}"
        return "L" if unit.name == "L" or unit.name.endswith(".L") else unit.name

    def operation(self, record: Record, unit: Unit, column: Column | None) -> Box | None:
        """A single operation."""
        _, where, groups = self.place(unit, column)
        if column is None:
            where = ".".join(("over", *groups)) if self.many(unit) else ""
        if record.role == "input":
            index = str(column.first + 1) if column is not None else ""
            return self.box(record.id, "input", record.name or "x", index, unit, where, groups)
        if record.role == "constant":
            kind, title = "constant", record.name or ("mask" if record.dtype.kind == "b" else "const")
        else:
            loss = record in self.roots and record.node.shape == ()
            kind = "loss" if record.role in ("loss", "total") or loss else kind_of(record.op)
            title = SYMBOLS.get(record.op, record.op)
            if loss:
                title = f"{self.loss_title(unit)} = {title}"
        return self.box(record.id, kind, title, "", unit, where, groups)

    def many(self, unit: Unit) -> bool:
        """Whether a unit over all steps is more than one operation."""
        return self.sizes[unit.name] > 1


def kind_of(op: str) -> str:
    """Return the kind of box that an operation is alone."""
    return "product" if op == "matmul" else "gate" if op in NONLINEAR else "op"


def _arrows(unrolled: Unrolled, of: dict[Record, str], level: str) -> list[Arrow]:
    found: dict[tuple[str, str, str, str], Arrow] = {}
    attention = _Attention(unrolled)
    for record in unrolled.records:
        head = of.get(record)
        if head is None:
            continue
        for source, slot, entry in _origins(record, of):
            tail = of.get(source)
            if tail is None:
                continue
            begins = source.role == "state" or ((record, slot) in unrolled.firsts and bool(source.carry))
            crossing = source.step is not None and source.step != record.step is not None
            crossing = crossing and source.group == record.group
            carry = source.carry if begins or (source.carry and crossing) else ""
            if tail == head and not (carry and level == "rolled"):
                continue
            unit = source.unit if carry else ""
            key = (tail, head, carry, unit)
            cut = slot in record.cuts
            arrow = found.get(key)
            if arrow is None:
                arrow = found[key] = Arrow(tail, head, carry, unit, cut)
                arrow.begins = begins
            arrow.cut = arrow.cut and cut
            size = None if cut or source.role == "constant" else source.size
            # The largest stands for all, and NaN is above all.
            if size is not None and (arrow.gradient is None or not size <= arrow.gradient.norm):
                arrow.gradient = Gradient(size)
            if entry is not None and arrow.share is None:
                arrow.share = attention.share(record, *entry)
    return list(found.values())


def _origins(record: Record, of: dict[Record, str]) -> Iterator[tuple[Record, int, tuple[int, int] | None]]:
    """Go over the operands; of what only moves data and has no box, over what it was made from.

    Yields
    ------
    source : Record
    slot : int
    entry : (int, int), optional
        Which of how many it is, where several were stacked.
    """
    for source, slot in record.edges():
        stack: list[tuple[Record, tuple[int, int] | None]] = [(source, None)]
        while stack:
            origin, entry = stack.pop()
            if origin in of or not origin.sources or origin.role == "weight":
                yield origin, slot, entry
            elif origin.op == "stack":
                count = len(origin.sources)
                stack += [(s, (i, count)) for i, s in enumerate(origin.sources)]
            else:
                stack += [(s, entry) for s in origin.sources]


class _Attention:
    """How much each of the states that a step looks at has in what it reads."""

    def __init__(self, unrolled: Unrolled) -> None:
        self.softmax = {
            (r.unit, r.group, r.step): r
            for r in unrolled.records
            if r.op == "softmax" and r.step is not None and r.value is not None
        }

    def share(self, record: Record, i: int, count: int) -> float | None:
        """Return the weight of entry i, the mean over a batch; None where there is no softmax over all."""
        if record.step is None:
            return None
        softmax = self.softmax.get((record.unit, record.group, record.step))
        if softmax is None or softmax.value is None:
            return None
        axis = softmax.node.params.get("axis", -1)
        axes = [axis] if isinstance(axis, int) else list(axis or ())
        if len(axes) != 1 or softmax.shape[axes[0]] != count:
            return None
        return float(np.take(softmax.value, i, axis=axes[0]).mean())


def _add_badges(unrolled: Unrolled, of: dict[Record, str], boxes: dict[str, Box]) -> None:
    """Give each box an alias of each weight that it uses, with what the use adds to the weight's gradient."""
    leaves: dict[Record, list[Record]] = {}
    made: dict[str, Badge] = {}
    uses: Counter[str] = Counter()
    boxed: Counter[Record] = Counter()
    for record in unrolled.records:
        id = of.get(record)
        if record.role == "weight":
            continue
        for source, slot in record.edges():
            if source.role != "weight":
                continue
            if source not in leaves:
                leaves[source] = leaves_of(source)
            for leaf in leaves[source]:
                boxed[leaf] += 1
                if id is None or boxes[id].kind in ("fold", "state"):
                    continue
                name = f"{id}.{leaf.id}"
                badge = made.get(name)
                if badge is None:
                    badge = made[name] = Badge(name, leaf, "")
                    boxes[id].badges.append(badge)
                uses[name] += 1
                badge.use = (record, slot) if len(leaves[source]) == 1 and uses[name] == 1 else None
    for name, badge in made.items():
        badge.whole = uses[name] == boxed[badge.weight]
    _name_badges(boxes)


def _name_badges(boxes: dict[str, Box]) -> None:
    """Name and sort the aliases: as short as tells them apart, in the order of the parameters."""
    inside: dict[tuple[str, ...], dict[Record, None]] = {}
    for box in boxes.values():
        box.badges.sort(key=lambda badge: badge.weight.node.order)
        inside.setdefault(tuple(sorted(box.groups)) + (box.unit,), {}).update(
            dict.fromkeys(badge.weight for badge in box.badges)
        )
    for box in boxes.values():
        mine = inside[(*sorted(box.groups), box.unit)]
        short = Counter(pretty(weight.name) or "W" for weight in mine)
        order = sorted(mine, key=lambda weight: weight.node.order)
        for badge in box.badges:
            own = pretty(badge.weight.name) or "W"
            path = badge.weight.name.split(".")
            badge.text = f"{path[-2]}.{own}" if short[own] > 1 and len(path) > 1 else own
            badge.colour = order.index(badge.weight)
