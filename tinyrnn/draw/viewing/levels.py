"""From records to the boxes of a picture: op, gate, cell, layer, rolled, from the finest to the coarsest."""

from __future__ import annotations

from collections import Counter

from tinyrnn.draw.reading.carries import beginning
from tinyrnn.draw.reading.records import MOVES, Record
from tinyrnn.draw.reading.sequences import looks_up
from tinyrnn.draw.reading.unit import Unit
from tinyrnn.draw.reading.unroll import Unrolled
from tinyrnn.draw.viewing.badges import add_badges
from tinyrnn.draw.viewing.flows import arrows_of
from tinyrnn.draw.viewing.fold import Column
from tinyrnn.draw.viewing.gates import gates_of
from tinyrnn.draw.viewing.view import BEFORE, WHOLE, Box, View

__all__ = ["LOOK_UP", "SYMBOLS", "kind_of", "view_of"]

SYMBOLS = {
    "add": "+", "subtract": "−", "multiply": "×", "divide": "÷", "matmul": "matmul", "sigmoid": "σ",
    "getitem": "slice", "concatenate": "concat", "negative": "−",
}  # fmt: skip
LOOK_UP = "look up"  # of entries by their numbers, as an embedding does
NONLINEAR = {"tanh", "sigmoid", "relu", "softplus", "softmax", "log_softmax", "exp", "log"}
REARRANGES = MOVES - {"stack", "concatenate"}


def view_of(
    unrolled: Unrolled,
    level: str,
    columns: list[Column],
    expand: frozenset[int],
    weights: str,
    *,
    bare: bool = False,
) -> View:
    """Make the boxes and arrows of a level; of the steps in ``expand``, counted from 0, at level ``op``.

    A picture that is ``bare`` leaves out what only moves numbers about, such as the slices of a product for
    several gates.
    """
    group = _Grouping(unrolled, level, columns, expand)
    of: dict[Record, str] = {}
    for record in unrolled.records:
        moves = bare and level == "op" and record.op in REARRANGES and not record.carry
        looks_up = any(source.role == "weight" for source in record.sources)
        skipped = moves and record.role == "op" and record not in unrolled.roots and not looks_up
        box = None if skipped else group(record)
        if box is None:
            continue
        box.members.append(record)
        if box.kind == "fold":
            box.bands.add(unrolled.units[record.unit].row)
        if record.carry and record.carry not in box.carries:
            box.carries.append(record.carry)
        of[record] = box.id
    arrows = arrows_of(unrolled, of, level)
    for arrow in arrows:  # what a state begins from stands on the lane of that state
        tail = group.boxes[arrow.tail]
        if arrow.carry and unrolled.units[tail.unit].begins and arrow.carry not in tail.carries:
            tail.carries.append(arrow.carry)
    if weights == "alias":
        add_badges(unrolled, of, group.boxes)
    return View(level, group.boxes, arrows, columns)


class _Grouping:
    """Which box a record goes to; makes the box when it is met first."""

    def __init__(self, unrolled: Unrolled, level: str, columns: list[Column], expand: frozenset[int]) -> None:
        self.units = unrolled.units
        self.roots = unrolled.roots
        self.rooted: dict[str, list[Record]] = {}  # by unit
        for root in unrolled.roots:
            self.rooted.setdefault(root.unit, []).append(root)
        self.level = level
        self.expand = expand
        self.boxes: dict[str, Box] = {}
        self.columns = {(c.group, step): c for c in columns for step in range(c.first, c.last + 1)}
        self.ids = {c.id for c in columns}
        self.timeless = level in ("layer", "rolled")
        over = (r for r in unrolled.records if r.step is None and r.role in ("op", "loss", "total"))
        self.sizes = Counter(record.unit for record in over)
        stands = {(r.unit, r.step) for r in unrolled.records if r.unit and r.step is not None}
        steps = Counter(unit for unit, _ in stands)
        self.again = {unit for unit, n in steps.items() if n > 1 or len(unrolled.steps) == 1}
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
            index = str(beginning(record))
            own = f"{unit.name}.{record.carry}{index}"
            return self.box(own, "state", record.carry, index, unit, "", (record.group,))
        if record.role == "constant" and not (self.level == "op" and record.shape):  # numbers stand in labels
            return None
        step = None if self.timeless else record.step
        column = self.columns.get((record.group, step)) if step is not None else None
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
            key = tuple(id.split(".", 1)[1:]) if column in self.ids and not self.timeless else (id,)
            box = Box(id, kind, title, index, unit.row, column, key, groups, unit.name, unit.reverse)
            self.boxes[id] = box
        return box

    def place(self, unit: Unit, column: Column | None) -> tuple[str, str, tuple[str, ...]]:
        """Return how ids in a column begin, the column's id, and the groups."""
        if column is not None:
            return f"t{column.first + 1}.", column.id, (column.group,)
        groups = tuple(sorted(unit.groups, key=self.order)) or ("",)
        if unit.begins:
            return "", ".".join(filter(None, (BEFORE, *groups))), groups
        if self.timeless and len(groups) == 1:
            return "", ".".join(filter(None, (WHOLE, groups[0]))), groups
        return "", "", groups

    def order(self, group: str) -> int:
        """Return which group it is, in the order of data flow."""
        return next((i for i, (name, _) in enumerate(self.columns) if name == group), 0)

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
        whole = unit.name in self.rooted and (self.timeless or (kind == "loss" and title == "L"))
        if self.level == "rolled" and unit.name in self.again and not whole:
            return self.box(before + own, kind, title, "t", unit, where, groups)
        indexed = kind in ("input", "loss") or (kind == "cell" and bool(unit.carries))
        index = str(column.first + 1) if column is not None and indexed and not whole else ""
        return self.box(before + own, kind, title, index, unit, where, groups)

    def face(self, record: Record, unit: Unit) -> tuple[str, str, str]:
        """Return the kind, the title and the end of the id of a unit's box."""
        if unit.role == "input":
            own = record.name or "x"
            before = f"{BEFORE}." * unit.begins
            at = before + unit.name if record.step is None else own + f"_{unit.nth + 1}" * bool(unit.nth)
            return "input", own, ".".join(filter(None, (record.group, at)))
        if unit.role == "cell":
            short = unit.kind.removesuffix("Cell") or unit.kind or unit.name
            carries = list(dict.fromkeys(unit.carries.values()))
            names = carries[0] if len(carries) == 1 else f"({', '.join(carries)})" if carries else ""
            bare = not unit.kind and unit.name == "cell"
            return "cell", names if bare and names else f"{short} {names}".strip(), f"{unit.name}.cell"
        if unit.role in ("loss", "total"):
            return "loss", self.loss_title(unit), unit.name
        if unit.role == "module":
            if any(r.shape == () for r in self.rooted.get(unit.name, [])):  # a loss that is a module
                return "loss", self.loss_title(unit), unit.name
            numbered = unit.kind if unit.name.rpartition(".")[2].isdigit() else unit.name  # a part of a list
            return "module", numbered, unit.name
        mine = self.rooted.get(unit.name, [])
        title = (mine[-1].name if mine else "") or unit.name
        return "output" if mine else "op", SYMBOLS.get(title, title), unit.name

    def loss_title(self, unit: Unit) -> str:
        """Return L, or what the user calls it; numbered where several are drawn."""
        if mine := self.rooted.get(unit.name):
            number = f" ({self.roots.index(mine[0]) + 1})" if len(self.roots) > 1 else ""
            return mine[-1].name or f"L{number}"
        return "L" if unit.name == "L" or unit.name.endswith(".L") else unit.name

    def operation(self, record: Record, unit: Unit, column: Column | None) -> Box | None:
        """A single operation."""
        _, where, groups = self.place(unit, column)
        if column is None and not unit.begins:
            several = self.sizes[unit.name] > 1  # operations over all steps
            where = ".".join(("over", *groups)) if several else ""
        if record.role == "input":
            index = str(column.first + 1) if column is not None else ""
            return self.box(record.id, "input", record.name or "x", index, unit, where, groups)
        if record.role == "constant":
            kind, title = "constant", record.name or ("mask" if record.dtype.kind == "b" else "const")
        else:
            loss = record in self.roots and record.node.shape == ()
            kind = "loss" if record.role in ("loss", "total") or loss else kind_of(record.op)
            title = LOOK_UP if looks_up(record) else SYMBOLS.get(record.op, record.op)
            if loss:
                title = f"{self.loss_title(unit)} = {title}"
        return self.box(record.id, kind, title, "", unit, where, groups)


def kind_of(op: str) -> str:
    """Return the kind of box that an operation is alone."""
    return "product" if op == "matmul" else "gate" if op in NONLINEAR else "op"
