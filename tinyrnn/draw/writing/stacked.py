"""Several placed views in one picture, one above the other, on one scale of gradients."""

from __future__ import annotations

import re

from tinyrnn.draw.arranging.geometry import Layout
from tinyrnn.draw.arranging.wrap import extent, moved
from tinyrnn.draw.reading.view import View
from tinyrnn.draw.style import Scale, Theme
from tinyrnn.draw.text import TITLE, html, width
from tinyrnn.draw.writing.dot import Writer, head_lines, norms_of
from tinyrnn.draw.writing.margin import node
from tinyrnn.draw.writing.markup import small

__all__ = ["stacked_dot"]

HEADING, UNDER, APART = 14.0, 12.0, 34.0  # letters, what is below them, and what is between two pictures
NAME = r'"((?:[^"\\]|\\.)*)"'
ENDS = re.compile(rf"^(\s*){NAME}( -> )?(?(3){NAME})")
PANEL = re.compile(r'^(\s*subgraph "cluster_|\s*graph \[.*, id=")')


def stacked_dot(pictures: list[tuple[str, View, Layout]], theme: Theme, size: float | None = None) -> str:
    """Write placed views, each under its name, as DOT; what is in the first is called ``1.t3.l0.cell``."""
    norms = [norm for _, view, _ in pictures for norm in norms_of(view)]
    scale = Scale(theme, norms)
    lines, y, kinds = head_lines(theme, size), 0.0, set[str]()
    for i, (name, view, layout) in enumerate(pictures):
        prefix = f"{i + 1}."
        wide = width(name, HEADING) + 12
        label = small(f"<b>{html(name)}</b>", HEADING)
        style = {"label": label, "shape": "plain", "style": "", "class": "heading"}
        lines.append("  " + node(f"{prefix}heading", (wide / 2, y - TITLE), (wide, HEADING + 6), style))
        left, _, _, top = extent(layout)
        moved(layout, -left, y - HEADING - 6 - UNDER - top)
        writer = Writer(view, layout, scale)
        writer.kinds = kinds
        own = writer.body()
        last = i == len(pictures) - 1
        own += writer.foot(legend=last and bool(norms), words=last)
        lines += [_within(line, prefix) for line in own]
        y = layout.bottom - APART
    return "\n".join([*lines, "}"]) + "\n"


def _within(line: str, prefix: str) -> str:
    """Put a prefix before the names that a line gives to boxes, or has of them."""
    if found := PANEL.match(line):
        return f"{found[0]}{prefix}{line[found.end() :]}"
    found = ENDS.match(line)
    if found is None:
        return line
    names = [f'{found[1]}"{prefix}{found[2]}"'] + ([f'"{prefix}{found[4]}"'] if found[3] else [])
    rest = line[found.end() :]
    return " -> ".join(names) + (rest if found[3] else rest.replace('[id="', f'[id="{prefix}', 1))
