"""Any graph, with no regard to time, laid out by the engine."""

from __future__ import annotations

from tinyrnn.draw.reading.records import Record
from tinyrnn.draw.reading.unroll import Unrolled
from tinyrnn.draw.style import Gradient, Scale, Theme
from tinyrnn.draw.text import attribute, attributes, head, pretty
from tinyrnn.draw.viewing.captions import missing, operation_lines
from tinyrnn.draw.viewing.levels import SYMBOLS, kind_of
from tinyrnn.draw.writing.markup import label

__all__ = ["plain_dot"]


def plain_dot(
    unrolled: Unrolled, theme: Theme, values: str, gradients: bool, max_nodes: int, *, hint: bool = False
) -> str:
    """Write the graph as DOT, a node for each record, from the inputs on the left to the right."""
    records = [r for r in unrolled.records if r.role != "constant" or r.shape]
    hidden = max(len(records) - max_nodes, 0)
    records = records[hidden:]
    shown = set(records)
    norms = {r: size for r in records if gradients and (size := r.size) is not None}
    scale = Scale(theme, list(norms.values()))
    graph = {
        "rankdir": "LR", "bgcolor": theme.background, "nodesep": "0.3", "ranksep": "0.45",
        "fontname": "Helvetica", "fontsize": "9", "fontcolor": theme.text, "labeljust": "l",
        "label": _note(unrolled, hidden, gradients, hint),
    }  # fmt: skip
    node = {
        "shape": "box", "fontname": "Helvetica", "fontsize": "12", "fontcolor": theme.text,
        "color": theme.border, "style": "rounded,filled",
    }  # fmt: skip
    edge = {
        "fontname": "Helvetica", "fontsize": "8", "fontcolor": theme.text, "color": theme.edge,
        "arrowsize": "0.6",
    }  # fmt: skip
    lines = head("graph", graph, node, edge)
    for record in records:
        style = {
            "id": record.id,
            "label": label(_title(record), operation_lines(record, values, gradients)),
            "fillcolor": theme.fills[_kind(record, unrolled)],
        }
        if record.role == "weight" and not record.sources:
            style["style"] = "filled"
        if record.role in ("constant", "input", "state"):
            style["style"] = "rounded,filled,dashed"
        lines.append(f"  {attribute(record.id)} {attributes(style)};")
    for record in records:
        for source, slot in record.edges():
            if source not in shown:
                continue
            lines.append(f"  {attribute(source.id)} -> {attribute(record.id)};")
            if slot in record.cuts:
                back = {"style": "dotted", "color": theme.alarm, "arrowhead": "tee", "label": "cut"}
                back["constraint"] = "false"
            elif source in norms:
                back = scale.edge(Gradient(norms[source])) | {"constraint": "false"}
            else:
                continue
            back["class"] = "backward"
            lines.append(f"  {attribute(record.id)} -> {attribute(source.id)} {attributes(back)};")
    lines.append("}")
    return "\n".join(lines) + "\n"


def _title(record: Record) -> str:
    if not record.op:
        return pretty(record.name) or {"weight": "leaf", "constant": "const"}.get(record.role, record.role)
    title = SYMBOLS.get(record.op, record.op)
    return f"{record.name} = {title}" if record.name else title


def _kind(record: Record, unrolled: Unrolled) -> str:
    if record in unrolled.roots:
        return "loss" if record.shape == () else "output"
    if not record.op:
        return "cell" if record.role == "weight" else "constant"
    return kind_of(record.op)


def _note(unrolled: Unrolled, hidden: int, gradients: bool, hint: bool) -> str:
    notes = [f"{hidden} older operations are not drawn (max_nodes)."] if hidden else []
    if hint:
        notes.append("No steps were found: with tr.scope(step=t) around each, time runs from left to right.")
    return " ".join([*notes, *missing(unrolled, gradients)])
