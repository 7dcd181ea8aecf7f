"""From records to the boxes of a picture: op, gate, cell, layer, rolled, from the finest to the coarsest."""

from __future__ import annotations

from collections import Counter

from tinyrnn.draw.reading.fold import Column
from tinyrnn.draw.reading.gates import gates_of
from tinyrnn.draw.reading.model import Record
from tinyrnn.draw.reading.unroll import Unrolled
from tinyrnn.draw.reading.view import Arrow, Badge, Box, View
from tinyrnn.draw.reading.weights import leaves_of
from tinyrnn.draw.style import Gradient
from tinyrnn.draw.text import pretty

__all__ = ["LEVELS", "view_of"]

LEVELS = ("op", "gate", "cell", "layer", "rolled")

SYMBOLS = {
    "add": "+", "subtract": "−", "multiply": "×", "divide": "÷", "matmul": "matmul", "sigmoid": "σ",
    "getitem": "slice", "concatenate": "concat", "negative": "−",
}  # fmt: skip
NONLINEAR = {"tanh", "sigmoid", "relu", "softplus", "softmax", "log_softmax", "exp", "log"}


def view_of(
    unrolled: Unrolled, level: str, columns: list[Column], expand: frozenset[int], weights: str
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
    weights : {"alias", "tray"}
    """
    boxes: dict[str, Box] = {}
    group = _Grouping(unrolled, level, columns, expand, boxes)
    of: dict[Record, str] = {}
    bands: dict[str, None] = {"band:x": None}
    for record in unrolled.records:
        box = group(record)
        if box is None:
            continue
        box.members.append(record)
        if record.carry and record.carry not in box.carries:
            box.carries.append(record.carry)
        of[record] = box.id
        if box.kind != "fold":
            bands.setdefault(box.band)
    reverse = {layer.name for layer in unrolled.layers if layer.reverse}
    arrows = _arrows(unrolled, of, level)
    if weights == "alias":
        _add_badges(unrolled, of, boxes)
    used = {box.band for box in boxes.values()}
    order = _above_sources([band for band in bands if band in used], arrows, boxes)
    return View(level, boxes, arrows, columns, order, reverse)


def _above_sources(bands: list[str], arrows: list[Arrow], boxes: dict[str, Box]) -> list[str]:
    """Move each bar above all that lead to it: a stack may be older than a layer that is drawn under it."""
    sources: dict[str, set[str]] = {}
    for arrow in arrows:
        if not boxes[arrow.head].column and boxes[arrow.head].band != boxes[arrow.tail].band:
            sources.setdefault(boxes[arrow.head].band, set()).add(boxes[arrow.tail].band)
    for band in list(bands):
        if band in sources and not any(box.band == band and box.kind == "cell" for box in boxes.values()):
            bands.remove(band)
            below = [i for i, other in enumerate(bands) if other in sources[band]]
            bands.insert(max(below, default=-1) + 1, band)
    return bands


class _Grouping:
    """Which box a record goes to; makes the box when it is met first."""

    def __init__(
        self,
        unrolled: Unrolled,
        level: str,
        columns: list[Column],
        expand: frozenset[int],
        boxes: dict[str, Box],
    ) -> None:
        self.level = level
        self.expand = expand
        self.boxes = boxes
        self.columns = {step: column for column in columns for step in range(column.first, column.last + 1)}
        self.timeless = level in ("layer", "rolled")
        self.gates: dict[Record, str] = {}
        if level == "gate":
            cells: dict[tuple[str, int], list[Record]] = {}
            for r in unrolled.records:
                if r.part != "cell" or r.role not in ("op", "loss") or r.step is None:
                    continue
                if not self.columns[r.step].folded:
                    cells.setdefault((r.layer, r.step), []).append(r)
            for cell in cells.values():
                self.gates |= gates_of(cell)

    def __call__(self, record: Record) -> Box | None:
        role = record.role
        if role == "weight":
            return None
        if role == "state":
            if self.level == "rolled":
                return None  # the textbook's loop has no beginning
            layer = record.layer
            return self.box(
                f"{layer}.{record.carry}0" if layer else f"{record.carry}0",
                "state",
                record.carry,
                "0",
                layer,
                "",
            )
        if record.step is None or role == "total":
            return self.beside(record)
        if self.timeless:
            return self.whole(record)
        column = self.columns[record.step]
        if column.folded:
            if role == "constant":
                return None
            return self.box(column.id, "fold", "", "", "", column.id)
        fine = self.level == "op" or record.step in self.expand
        return self.operation(record, column) if fine else self.part(record, column)

    def box(self, id: str, kind: str, title: str, index: str, band: str, column: str) -> Box:
        box = self.boxes.get(id)
        if box is None:
            key = tuple(id.split(".", 1)[1:]) if column else (id,)
            box = self.boxes[id] = Box(id, kind, title, index, band, column, key)
        return box

    def beside(self, record: Record) -> Box | None:
        """What belongs to no step: bars over or under all steps."""
        if record.role == "constant":
            return None
        if record.role == "total" or (self.level != "op" and record.part == "loss"):
            return self.box("loss", "loss", "L", "", "band:total", "")
        if self.level == "op" or record.part != "y":
            return self.box(record.id, "bar", SYMBOLS.get(record.op, record.op), "", f"band:{record.id}", "")
        return self.box("y", "bar", "y", "", "band:all y", "")

    def whole(self, record: Record) -> Box | None:
        """One box for all steps."""
        layer, part = record.layer, record.part
        if record.role == "constant":
            return None
        index = "t" if self.level == "rolled" else ""
        if record.role == "input":
            return self.box("x", "input", "x", index, "band:x", "")
        if part == "cell":
            return self.box(f"{layer}.cell".lstrip("."), "cell", layer or "cell", "", layer, "")
        if part == "module":
            return self.box(
                f"{layer or record.id}.module", "module", layer or record.op, "", f"band:module {layer}", ""
            )
        if part == "loss":
            return self.box("losses", "loss", "L", index, "band:loss", "")
        return self.box("outputs", "output", "y", index, "band:y", "")

    def part(self, record: Record, column: Column) -> Box | None:
        """A gate, cell, module, output or loss of one step."""
        layer, part, step = record.layer, record.part, str(record.step)
        if record.role == "constant":
            return None
        if record.role == "input":
            return self.box(f"{column.id}.x", "input", "x", step, "band:x", column.id)
        path = f"{column.id}.{layer}" if layer else column.id
        if part == "cell":
            if record in self.gates:
                name = self.gates[record]
                kind = (
                    "cell"
                    if record.carry == name or name in ("h", "c")
                    else "product"
                    if name == "linear"
                    else "gate"
                )
                return self.box(f"{path}.{name}", kind, SYMBOLS.get(name, name), "", layer, column.id)
            return self.box(f"{path}.cell", "cell", layer or "cell", "", layer, column.id)
        if part == "module":
            return self.box(
                f"{path}.module", "module", layer or record.op, "", f"band:module {layer}", column.id
            )
        kind, title = ("loss", "L") if part == "loss" else ("output", "y")
        return self.box(
            f"{column.id}.{title}", kind, title, step, "band:loss" if part == "loss" else "band:y", column.id
        )

    def operation(self, record: Record, column: Column) -> Box | None:
        """A single operation."""
        step, part = str(record.step), record.part
        if record.role == "constant" and (not record.shape or not part):
            return None  # a number stands in the label of its operation
        if record.role == "input":
            return self.box(record.id, "input", "x", step, "band:x", column.id)
        band = {"cell": record.layer, "module": f"band:module {record.layer}", "loss": "band:loss"}.get(
            part, "band:y"
        )
        if record.role == "constant":
            kind, title = "constant", record.name or ("mask" if record.dtype.kind == "b" else "const")
        else:
            kind = "loss" if record.role == "loss" else kind_of(record.op)
            title = SYMBOLS.get(record.op, record.op)
        return self.box(record.id, kind, title, "", band, column.id)


def kind_of(op: str) -> str:
    """Return the kind of box that an operation is alone."""
    return "product" if op == "matmul" else "gate" if op in NONLINEAR else "op"


def _arrows(unrolled: Unrolled, of: dict[Record, str], level: str) -> list[Arrow]:
    found: dict[tuple[str, str, str, str], Arrow] = {}
    for record in unrolled.records:
        head = of.get(record)
        if head is None:
            continue
        for source, slot in record.edges():
            tail = of.get(source)
            if tail is None:
                continue
            crossing = source.step != record.step and None not in (source.step, record.step)
            carry = source.carry if source.role == "state" or (source.carry and crossing) else ""
            if tail == head and not (carry and level == "rolled"):
                continue
            key = (tail, head, carry, source.layer if carry else "")
            cut = slot in record.cuts
            arrow = found.get(key)
            if arrow is None:
                arrow = found[key] = Arrow(tail, head, carry, source.layer if carry else "", cut)
            arrow.cut = arrow.cut and cut
            size = None if cut or source.role == "constant" else source.size
            # The largest stands for all, and NaN is above all.
            if size is not None and (arrow.gradient is None or not size <= arrow.gradient.norm):
                arrow.gradient = Gradient(size)
    return list(found.values())


def _add_badges(unrolled: Unrolled, of: dict[Record, str], boxes: dict[str, Box]) -> None:
    """Give each box an alias of each weight that it uses, with what the use adds to the weight's gradient."""
    leaves: dict[Record, list[Record]] = {}
    made: dict[str, Badge] = {}
    uses: Counter[str] = Counter()
    for record in unrolled.records:
        id = of.get(record)
        if id is None or boxes[id].kind == "fold":
            continue
        for source, slot in record.edges():
            if source.role != "weight":
                continue
            if source not in leaves:
                leaves[source] = leaves_of(source)
            for leaf in leaves[source]:
                name = f"{id}.{leaf.id.rsplit('.', 1)[-1]}"
                badge = made.get(name)
                if badge is None:
                    badge = made[name] = Badge(name, leaf, pretty(leaf.name) or "W")
                    boxes[id].badges.append(badge)
                uses[name] += 1
                badge.use = (record, slot) if len(leaves[source]) == 1 and uses[name] == 1 else None
