"""What stands around the steps: windows of truncated BPTT, the tray, the scale of gradients, notes."""

from __future__ import annotations

from tinyrnn.draw.arranging.geometry import Layout, Point
from tinyrnn.draw.reading.records import Record
from tinyrnn.draw.reading.view import View
from tinyrnn.draw.style import Scale, Theme
from tinyrnn.draw.text import attribute, attributes, html, width
from tinyrnn.draw.writing.markup import legend_label, small, tray_label

__all__ = ["foot_lines", "node", "window_lines"]


def node(id: str, centre: Point, size: Point, style: dict[str, str]) -> str:
    """Write a node at its place; lengths in points."""
    place = {
        "id": id,
        "pos": f"{centre[0]:.1f},{centre[1]:.1f}",
        "width": f"{size[0] / 72:.3f}",
        "height": f"{size[1] / 72:.3f}",
    }
    return f"{attribute(id)} {attributes(place | style)};"


def window_lines(view: View, layout: Layout, theme: Theme) -> list[str]:
    """Write a bracket for each window, its replayed and its counted part, and make room for them."""
    spans = {
        t: layout.spans[c.id]
        for c in view.columns
        for t in range(c.first, c.last + 1)
        if c.id in layout.spans and not c.group
    }
    lines: list[str] = []
    ends: list[float] = []  # the right end of the last bracket in each row
    for i, (replay, start, stop) in enumerate(view.shades):
        inside = [t for t in range(replay, stop) if t in spans]
        if not inside:
            continue
        left, right = spans[inside[0]][0], spans[inside[-1]][1]
        row = next((r for r, end in enumerate(ends) if end < left), len(ends))
        ends[row : row + 1] = [right]
        y = layout.bottom - 16 - 18 * row
        counted = [t for t in inside if t >= start]
        cut = spans[counted[0]][0] if counted else right
        parts = [("replay", left, cut, f"replay {replay + 1} … {start}")] if cut > left else []
        parts.append(("loss", cut, right, f"loss of steps {start + 1} … {stop}"))
        for name, a, b, words in parts:
            style = {
                "label": small(html(words)),
                "fillcolor": theme.background if name == "replay" else theme.shade[i % 2],
                "style": "filled,dashed" if name == "replay" else "filled",
                "class": "window",
            }
            lines.append("  " + node(f"window{i}.{name}", ((a + b) / 2, y), (b - a, 14), style))
    if ends:
        layout.bottom = layout.bottom - 8 - 18 * len(ends)
    return lines


def foot_lines(
    view: View, layout: Layout, scale: Scale, kinds: set[str], colours: dict[Record, str], gradients: bool
) -> list[str]:
    """Write the tray, the scale, and the notes, one under the other."""
    lines: list[str] = []
    y = layout.bottom - 14
    left = min(layout.centre[b.id][0] - layout.size[b.id][0] / 2 for b in view.boxes.values())
    x = left
    for box in view.tray:
        w, h = layout.size[box.id]
        style = {
            "label": tray_label(box, scale),
            "fillcolor": colours[box.members[0]],
            "style": "filled",
            "class": "weight",
        }
        lines.append("  " + node(box.id, (x + w / 2, y - h / 2), (w, h), style))
        x += w + 12
    if view.tray:
        y -= max(layout.size[box.id][1] for box in view.tray) + 10
    if gradients or "cut" in kinds:
        label, w = legend_label(scale, kinds, gradients)
        style = {"label": label, "shape": "plain", "style": "", "fixedsize": "false", "class": "legend"}
        lines.append("  " + node("legend", (left + w / 2, y - 9), (w, 18), style))
        y -= 22
    for i, note in enumerate(view.notes):
        w = width(note, 9) + 8
        style = {"label": small(html(note), 9), "shape": "plain", "style": "", "class": "note"}
        lines.append("  " + node(f"note{i}", (left + w / 2, y - 7), (w, 14), style))
        y -= 15
    return lines
