"""What stands behind the boxes of a picture: their arrays, their places in the stepper, what a fold holds.

It takes as long to read as the picture itself, so it is read when a page is asked for. The model may have
gone on by then: what has changed since is refused.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinyrnn.autograd.tape import Node
from tinyrnn.draw.choices import Options
from tinyrnn.draw.composing import compose
from tinyrnn.draw.reading.records import Record
from tinyrnn.draw.reading.unroll import Unrolled, uncollected
from tinyrnn.draw.stepping.arrays import ArrayTable
from tinyrnn.draw.stepping.kept import in_order
from tinyrnn.draw.style import Theme
from tinyrnn.draw.text import pretty
from tinyrnn.draw.viewing.captions import speakers
from tinyrnn.draw.viewing.fold import Column
from tinyrnn.draw.viewing.view import Badge, Box, View
from tinyrnn.draw.viewing.weights import contribution
from tinyrnn.draw.writing.dot import dot_of
from tinyrnn.draw.writing.shapes import INDEX

__all__ = ["Behind", "behind_boxes", "behind_records", "unchanged"]

MOST_FOLDS = 4  # of which pictures are made with them open


@dataclass
class Behind:
    """What a page shows beside a picture.

    Attributes
    ----------
    boxes : dict
        By id: ``title``, ``place``, ``arrays`` (pairs of a caption and a number), and ``record``, the
        fragment that names it in the stepper; of a fold ``steps``, the norms by step.
    opened : dict of str to str
        For the id of each fold, the DOT text of the picture in which it is open.
    arrays : dict
        As `tinyrnn.draw.stepping.arrays.ArrayTable.packed` gives them.
    """

    boxes: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    opened: dict[str, str] = field(default_factory=dict[str, str])
    arrays: dict[str, Any] = field(default_factory=dict[str, Any])


def behind_boxes(recorded: Unrolled, options: Options, theme: Theme) -> Behind:
    """Return what stands behind a picture with columns."""
    view, _ = compose(recorded, options)
    found = _Reader(recorded, view.level)
    found.read(view)
    behind = Behind(found.boxes)
    for column in [column for column in view.columns if column.folded][:MOST_FOLDS]:
        if column.id in view.boxes:
            inside, places = compose(recorded, options, column)
            if inside.level == view.level:
                found.read(inside)
                behind.opened[column.id] = dot_of(inside, places, theme, options.width)
    behind.arrays = found.arrays.packed()
    return behind


def behind_records(recorded: Unrolled, most: int) -> Behind:
    """Return what stands behind a picture with a box for each of the newest records."""
    found = _Reader(recorded, "op")
    for record in recorded.records[-most:]:
        name = pretty(record.name) or record.op or record.role
        found.boxes[record.id] = {
            "title": name, "place": "", "arrays": found.arrays_of(record, name),
            **found.link([record, *record.users]),
        }  # fmt: skip
    return Behind(found.boxes, {}, found.arrays.packed())


def unchanged(recorded: Unrolled, read: Callable[[], Behind]) -> Callable[[], Behind]:
    """Return a function that reads what stands behind a picture, unless the weights have changed since.

    Raises
    ------
    ValueError
        They have, when it is called.
    """
    before = _weights(recorded)

    def found() -> Behind:
        if _weights(recorded) != before:
            raise ValueError(
                "save: the weights or their gradients have changed since the picture was drawn; "
                "save the page before the optimizer's step, or draw again"
            )
        with uncollected():
            return read()

    return found


def _weights(recorded: Unrolled) -> int:
    """Return a number that is another one where a weight or its gradient is."""
    found = 0
    for record in recorded.records:
        if record.role == "weight" and not record.op:
            for array in (record.value, record.grad):
                found = zlib.crc32(b"" if array is None else np.ascontiguousarray(array).data, found)
    return found


class _Reader:
    def __init__(self, recorded: Unrolled, level: str) -> None:
        self.recorded = recorded
        self.roots = set(recorded.roots)
        self.level = f"{level}." if level in ("cell", "gate") else ""
        self.boxes: dict[str, dict[str, Any]] = {}
        self.arrays = ArrayTable()
        (root, *more) = (record.node for record in recorded.roots)
        self.number: dict[Node, int] = {} if more else _numbers(root)

    def read(self, view: View) -> None:
        """Write down what stands behind the boxes of a view that are not known yet."""
        columns = {column.id: column for column in view.columns if column.folded}
        for box in (*view.boxes.values(), *view.tray):
            if box.id in self.boxes:
                continue
            if box.id in columns:
                self.boxes[box.id] = _folded(columns[box.id]) | self.link(box.members[::-1])
                continue
            shown = speakers(box, self.roots)
            names = [record.carry or pretty(record.name) or box.title for record in shown]
            self.boxes[box.id] = {
                "title": f"{box.title}{box.index.translate(INDEX)}",
                "place": self._place(box),
                "arrays": [pair for r, name in zip(shown, names) for pair in self.arrays_of(r, name)],
                **self.link([*shown, *box.members[::-1], *(u for r in box.members for u in r.users)]),
            }
            for badge in box.badges:
                self.boxes[badge.id] = self._badge(badge, box)

    def _place(self, box: Box) -> str:
        unit = self.recorded.units.get(box.unit)
        steps = sorted({record.step + 1 for record in box.members if record.step is not None})
        times = [f"t = {steps[0]}" if len(steps) == 1 else f"t = {steps[0]} … {steps[-1]}"] if steps else []
        names = [word for word in (unit.name, unit.kind) if word] if unit is not None else []
        return ", ".join([*dict.fromkeys(names), *times])

    def _badge(self, badge: Badge, box: Box) -> dict[str, Any]:
        pairs = self.arrays_of(badge.weight, badge.text)
        if (part := contribution(badge.uses, badge.weight)) is not None:
            pairs.append((f"what this use adds to ∂L/∂{badge.text}", self.arrays.add(part)))
        users = [user for user, _ in badge.uses]
        place = f"{badge.weight.name}, used by {self._place(box) or box.title}".removeprefix(", ")
        return {"title": badge.text, "place": place, "arrays": pairs, **self.link(users)}

    def arrays_of(self, record: Record, name: str) -> list[tuple[str, int]]:
        """Return the value and the gradient of a record, as far as they are known."""
        found = [(name, record.value), (f"∂L/∂{name}", record.grad)]
        return [(words, self.arrays.add(array)) for words, array in found if array is not None]

    def link(self, records: list[Record]) -> dict[str, str]:
        """Return the fragment of the stepper's address for the first of these that it steps through."""
        numbers = [self.number[r.node] for r in records if r.node in self.number]
        return {"record": f"{self.level}{numbers[0]}"} if numbers else {}


def _numbers(root: Node) -> dict[Node, int]:
    """Return at which position of the stepper each operation has happened."""
    nodes = (node for node in in_order(root) if node.primitive is not None)
    return {node: i + 1 for i, node in enumerate(nodes)}


def _folded(column: Column) -> dict[str, Any]:
    """Return the norms of the folded steps."""
    count = column.last - column.first + 1
    rows = [
        (f"‖∂L/∂{carry}‖ {unit}".strip(), [float(f"{norm:.4g}") for norm in norms])
        for (unit, carry), norms in column.norms.items()
        if len(norms) == count
    ]
    told = [[name, [n if n - n == 0 else str(n) for n in norms]] for name, norms in rows]  # JSON has no NaN
    return {
        "title": f"{count} steps folded", "place": column.title, "arrays": [],
        "steps": {"first": column.first + 1, "norms": told},
    }  # fmt: skip
