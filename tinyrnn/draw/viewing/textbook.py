"""A view as a book would print it: circles for operations, weights by name, h_t along the top."""

from __future__ import annotations

from tinyrnn.draw.reading.records import MOVES
from tinyrnn.draw.reading.sequences import leaves_of, looks_up
from tinyrnn.draw.reading.unroll import Unrolled
from tinyrnn.draw.text import TITLE, pretty, width
from tinyrnn.draw.viewing.levels import NONLINEAR, SYMBOLS
from tinyrnn.draw.viewing.view import Arrow, Box, View
from tinyrnn.draw.viewing.weights import with_weights

__all__ = ["as_textbook"]

WIDEST = 34.0  # of what is written in a circle
SIGNS = ("+", "−", "⊙", "÷")


def as_textbook(view: View, unrolled: Unrolled) -> View:
    """Return the view as a book would print it; boxes with more than a sign in them stay boxes."""
    for box in view.boxes.values():
        if box.title == "×":
            box.title = "⊙"
        if box.kind == "product" or (box.kind == "op" and any(map(looks_up, box.members))):
            _call(box, ", ".join(_weights(box)))
        elif box.kind == "gate" and box.title not in SYMBOLS.values():
            part = all(record.op in MOVES for record in box.members)  # of gates that are computed at once
            before = [source for record in box.members for source in record.sources] if part else []
            op = next((r.op for r in [*reversed(box.members), *before] if r.op in NONLINEAR), "")
            if op and op != box.title:  # a gate that has a name
                box.title, box.lines = SYMBOLS.get(op, op), [box.title, *box.lines]
        elif box.title in SIGNS and len(box.members) == 1:
            texts = {badge.weight: badge.text for badge in box.badges}
            _call(box, with_weights(box.title, box.members[0], texts))
        sign = box.title in NONLINEAR or box.title == "σ" or not box.title[:1].isalpha()
        box.round = box.kind in ("op", "gate") and sign and width(box.title, TITLE) <= WIDEST
    return _with_outputs(view, unrolled)


def _weights(box: Box) -> list[str]:
    """Return the names of the weights that a box multiplies by, or looks up in; none without a name."""
    texts = {badge.weight: badge.text for badge in box.badges if badge.weight.name}
    found: dict[str, None] = {}
    for record in box.members:
        for source in record.sources if record.op == "matmul" or looks_up(record) else ():
            leaves = leaves_of(source) if source.role == "weight" else []
            found.update(dict.fromkeys(texts.get(leaf, pretty(leaf.name)) for leaf in leaves))
    return list(found) if all(found) else []


def _call(box: Box, name: str) -> None:
    """Give a box a name, an index as one."""
    if name.count("_") == 1 and "," not in name:
        box.title, _, box.index = name.partition("_")
    elif name:
        box.title = name


def _with_outputs(view: View, unrolled: Unrolled) -> View:
    """Return the view with the state of the uppermost cell of each step written over it."""
    top: dict[str, str] = {}  # by group
    for unit in unrolled.layers:
        for group in unit.groups:
            if group not in top or unit.row > unrolled.units[top[group]].row:
                top[group] = unit.name
    found = view.spread()
    for box in view.boxes.values():
        names = list(dict.fromkeys(unrolled.units[box.unit].carries.values())) if box.unit else []
        name = "h" if "h" in names else (names or [""])[-1]
        mine = box.unit in top.values() and name in box.carries and box.kind not in ("state", "fold")
        if mine and view.level in ("op", "gate", "cell") and box.column:
            step = next(str(r.step + 1) for r in box.members if r.carry == name and r.step is not None)
            id = f"{box.column}.{box.unit}.{name}.out"
            key = tuple(id.split(".", 1)[1:])
            members = [r for r in box.members if r.carry == name]
            found.boxes[id] = Box(
                id, "output", name, step, 2 * box.band + 1, box.column, key, box.groups, box.unit,
                members=members, round=True,
            )  # fmt: skip
            found.arrows = [*found.arrows, Arrow(box.id, id)]
    return found
