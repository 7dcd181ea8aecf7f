"""What the page is told of a level: its parts, its picture, and for cells the steps of BPTT."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.tape import Node
from tinyrnn.draw.stepping.arrays import Array, ArrayTable
from tinyrnn.draw.stepping.bptt import Spread, Step
from tinyrnn.draw.stepping.formula import symbol
from tinyrnn.draw.stepping.grid import Place, Vertex, arrange
from tinyrnn.draw.stepping.labels import Labels
from tinyrnn.draw.stepping.levels import Level, Part
from tinyrnn.draw.stepping.picture import picture_data
from tinyrnn.draw.stepping.replay import Contribution

__all__ = ["bptt_data", "level_data", "level_vertices", "op_vertices", "picture_of"]


def level_data(
    level: Level, shown: Iterable[Contribution], labels: Labels, number: dict[Node, int], arrays: ArrayTable
) -> dict[str, Any]:
    """Return the parts of a level.

    Returns
    -------
    dict
        ``of``: for each record its part, -1 for what nothing computes. ``parts``: their ``label``, ``kind``,
        ``time``, ``main`` record and its name, the ``sign``. ``sums``: part, record, and the array that all
        contributions of the part to the record's gradient sum up to, where there are several.
    """
    sent: dict[tuple[int, Node], list[Array]] = {}
    for c in shown:
        part = level.of[c.node]
        if level.of.get(c.source) != part:
            sent.setdefault((part, c.source), []).append(c.part)
    sums = [
        [part, number[source], arrays.add(sum(found[1:], start=found[0]))]
        for (part, source), found in sent.items()
        if len(found) > 1
    ]
    parts: list[dict[str, Any]] = []
    for part in level.parts:
        told: dict[str, Any] = {"label": part.label, "kind": part.kind, "main": number[part.main]}
        time = labels.step[part.main]
        if sign := _sign(part, labels):
            told["sign"] = sign
        parts.append(told if time is None else {**told, "time": time})
    return {
        "name": level.name,
        "of": [level.of.get(node, -1) for node in number],
        "parts": parts,
        "sums": sums,
    }


def _sign(part: Part, labels: Labels) -> str:
    """Return the name of a part's result, where that of the part does not tell it."""
    own = labels.text[part.main].split(".")[-1]
    return "" if part.kind == "cell" or own in part.label.split() else own


def bptt_data(
    steps: list[Step], cells: Level, number: dict[Node, int], arrays: ArrayTable
) -> list[dict[str, Any]]:
    """Return the steps of BPTT, each with the ``part`` of the level of cells that its state belongs to."""
    told: list[dict[str, Any]] = []
    for step in steps:
        direct, through, beyond = (
            [arrays.add(g) for g in parts] for parts in (step.direct, step.through, step.beyond)
        )
        row: dict[str, Any] = {
            "part": cells.of[step.state[0]],
            "state": [number[node] for node in step.state],
            "following": [number[node] for node in step.following],
            "rows": step.rows,
        }
        if step.following and not step.cut:
            row |= {"direct": direct, "through": through}
        if any(g.any() for g in step.beyond):
            row["beyond"] = beyond
            row["delta"] = [arrays.add(g) for g in step.delta]
        else:
            row["delta"] = [arrays.combine("+", *three) for three in zip(direct, through, step.delta)]
        if step.cut:
            row["cut"] = True
        for name, spread in (("jacobian", step.jacobian), ("product", step.product)):
            if spread is not None and not step.cut:
                row[name] = [arrays.add(spread.matrix), *_logarithms(spread)]
        told.append(row)
    return told


def _logarithms(spread: Spread) -> list[float | str | None]:
    """Return the logarithms of the singular values as JSON can hold them; "0" is of a value of 0."""
    return [
        "0" if log == -math.inf else None if not math.isfinite(log) else round(log, 5)
        for log in (spread.largest, spread.smallest)
    ]


def op_vertices(nodes: list[Node], root: Node, labels: Labels) -> list[Vertex]:
    """Return what stands in the picture of operations."""
    vertices: dict[Node, Vertex] = {}
    for i, node in enumerate(nodes):
        sign = symbol(node.primitive, node.params) if node.primitive is not None else ""
        inputs = [vertices[source] for source in node.inputs if source is not None]
        vertices[node] = Vertex(
            i, labels.text[node], sign, _place(node, labels), inputs,
            node.primitive is not None or node is root, node.primitive is p.detach,
        )  # fmt: skip
    return list(vertices.values())


def level_vertices(level: Level, nodes: list[Node], labels: Labels) -> list[Vertex]:
    """Return what stands in the picture of a level: its parts, numbered after the records."""
    found = {
        node: Vertex(i, labels.text[node], "", _place(node, labels), [], False)
        for i, node in enumerate(nodes)
        if node not in level.of
    }
    parts = [
        Vertex(
            len(nodes) + i, part.label, _sign(part, labels), _place(part.main, labels), [], True,
            all(node.primitive is p.detach for node in part.members), part.layer,
        )
        for i, part in enumerate(level.parts)
    ]  # fmt: skip
    for i, part in enumerate(parts):
        part.inputs = [parts[s] if isinstance(s, int) else found[s] for s in level.sources(i)]
    return [*found.values(), *(part for i, part in enumerate(parts) if level.shown(i))]


def picture_of(vertices: list[Vertex], labels: Labels) -> dict[str, Any]:
    """Lay a picture out, with the columns of each loop beside each other."""
    return picture_data(arrange(vertices, [group.name for group in labels.graph.groups] or [""]))


def _place(node: Node, labels: Labels) -> Place | None:
    step = labels.step[node]
    return None if step is None else (labels.group.get(node, ""), step)
