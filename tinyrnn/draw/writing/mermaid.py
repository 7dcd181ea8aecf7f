"""A picture as a Mermaid flowchart, which many sites for code and notes draw from text.

Mermaid has a layout of its own, so places are not kept: boxes, their text and colours are, steps as
subgraphs, and arrows (thick for states, dotted for gradients, with a cross at a cut).
"""

from __future__ import annotations

import re

from tinyrnn.draw.writing.shapes import Part, Shape, ends_of, parts_of

__all__ = ["mermaid_of"]

SCALE = re.compile(r"legend\.(at|tick|colour)\d+$")  # which means nothing without its place
MOST = 500  # arrows that Mermaid draws unless it is told otherwise
ENTITY = {c: f"#{ord(c)};" for c in '#"<>&`'}


def mermaid_of(svg: str) -> str:
    """Write the boxes and arrows of an SVG as a flowchart, left to right."""
    parts = parts_of(svg)
    panels = [part for part in parts if part.kind == "cluster"]
    words = [part for part in parts if {"legend", "note"} & set(part.classes)]
    boxes = {part.id: part for part in parts if part.kind == "node" and part not in words}
    names = {id: _name(i, id) for i, id in enumerate(boxes)}
    classes: dict[str, str] = {}
    inside: dict[str, list[str]] = {}
    for id, box in boxes.items():
        inside.setdefault(_panel(box, panels), []).append(f"{names[id]}{_box(box)}:::{_class(box, classes)}")
    arrows, styles = _arrows([part for part in parts if part.kind == "edge"], names)
    lines = ["flowchart LR"]
    if len(arrows) > MOST:
        lines.append(f"%% {len(arrows)} arrows: Mermaid draws up to {MOST} unless maxEdges is set")
    for i, panel in enumerate(panels):
        lines += [f'subgraph s{i}["{_text(panel.lines)}"]', *inside.get(panel.id, []), "end"]
    lines += inside.get("", [])
    said = [line for part in words if not SCALE.match(part.id) for line in part.lines]
    if said:
        lines += [f'legend["{_text(said)}"]:::legend', "classDef legend fill:none,stroke:none"]
    lines += [*arrows, *(f"classDef {name} {style}" for style, name in classes.items())]
    return "\n    ".join([*lines, *styles]) + "\n"


def _name(i: int, id: str) -> str:
    """Return a name that is no word of the language, and that no other box has."""
    return f"n{i}_" + re.sub(r"[^0-9A-Za-z]+", "_", id).strip("_")


def _panel(box: Part, panels: list[Part]) -> str:
    """Return the id of the smallest panel that a box stands in; empty for none."""
    left, top, right, bottom = box.ends
    x, y = (left + right) / 2, (top + bottom) / 2
    around = [p for p in panels if p.ends[0] < x < p.ends[2] and p.ends[1] < y < p.ends[3]]
    return min(around, key=lambda p: p.ends[2] - p.ends[0], default=Part("", "", (), [])).id


def _box(box: Part) -> str:
    text = f'"{_text(box.lines)}"'
    return f"({text})" if box.outline is not None and box.outline.tag == "path" else f"[{text}]"


def _text(lines: list[str]) -> str:
    """Write lines of a label. What would begin a list in Markdown is written so that it does not."""
    escaped = ("".join(ENTITY.get(c, c) for c in line) for line in lines)
    plain = (
        re.sub(r"^(\d+)\.(?=\s)", r"\1#46;", re.sub(r"^[-+*](?=\s)", "#8203;\\g<0>", s)) for s in escaped
    )
    return "<br/>".join(plain) or " "


def _class(box: Part, classes: dict[str, str]) -> str:
    """Return the name of the style of a box; those that look the same share one."""
    letters = next((s.style.get("fill", "") for s in box.shapes if s.tag == "text"), "")
    fill = box.outline.style.get("fill", "none") if box.outline is not None else "none"
    style = [f"fill:{fill}", *_line(box.outline), f"color:{letters or 'black'}"]
    kind = "_".join(box.classes) or "box"
    name = f"{kind}{sum(known.rstrip('0123456789') == kind for known in classes.values()) or ''}"
    return classes.setdefault(",".join(style), name)


def _line(shape: Shape | None) -> list[str]:
    if shape is None or shape.style.get("stroke", "none") in ("none", "transparent"):
        return ["stroke:none"]
    found = [f"stroke:{shape.style['stroke']}", f"stroke-width:{shape.style.get('stroke-width', '1')}px"]
    dashes = shape.style.get("stroke-dasharray")
    return [*found, f"stroke-dasharray:{dashes.replace(',', ' ')}"] if dashes else found


def _arrows(edges: list[Part], names: dict[str, str]) -> tuple[list[str], list[str]]:
    """Write the arrows, and the colour and width of each.

    Mermaid would stand a box right of all that points to it. So a gradient is a dotted line in the direction
    of the values, and what is written on it says that it goes back.
    """
    arrows: list[str] = []
    looks: dict[str, list[str]] = {}
    for edge in edges:
        tail, head = ends_of(edge.id, names)
        text = _text(edge.lines).strip()
        if "backward" in edge.classes:
            tail, head = head, tail
            text = text if "cut" in edge.classes else f"← {text}".strip()
        written = f'|"{text}"|' if text else ""
        looks.setdefault(",".join(_line(edge.outline)), []).append(str(len(arrows)))
        arrows.append(f"{names[tail]} {_kind(edge)}{written} {names[head]}")
    return arrows, [f"linkStyle {','.join(which)} {look}" for look, which in looks.items()]


def _kind(edge: Part) -> str:
    kinds = {
        "cut": "-.-x", "zero": "-.-o", "backward": "-.-", "carry": "==>", "weight": "---",
    }  # fmt: skip
    return next((arrow for kind, arrow in kinds.items() if kind in edge.classes), "-->")
