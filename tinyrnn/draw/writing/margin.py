"""What stands around the steps: windows of truncated BPTT, the tray, the scale of gradients, notes."""

from __future__ import annotations

import math
from textwrap import wrap

from tinyrnn.draw.arranging.geometry import Layout, Point
from tinyrnn.draw.reading.records import Record
from tinyrnn.draw.reading.view import View
from tinyrnn.draw.style import Scale, Theme
from tinyrnn.draw.text import LINE, attribute, attributes, html, number, width
from tinyrnn.draw.writing.markup import small, tray_label

__all__ = ["foot_lines", "node", "window_lines"]

RAMP = 132.0  # the length of the scale
WORDS = {
    "zero": "dotted, ring: exactly 0",
    "non-finite": "bold, diamond: not finite",
    "clipped": "bold frame: of a weight whose gradient was clipped",
    "cut": "cut: the value passes, the gradient does not",
}


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
    """Write a bracket for each window under each row: what is replayed, and what counts."""
    lines: list[str] = []
    for columns, bottom in layout.floors:
        written, low = _brackets(view, layout, theme, columns, bottom)
        lines += written
        layout.bottom = min(layout.bottom, low)
    return lines


def _brackets(
    view: View, layout: Layout, theme: Theme, columns: set[str], bottom: float
) -> tuple[list[str], float]:
    """Write the brackets under one row; return where they end."""
    spans = {
        t: layout.spans[c.id]
        for c in view.columns
        for t in range(c.first, c.last + 1)
        if c.id in columns and not c.group
    }
    lines: list[str] = []
    ends: list[float] = []  # the right end of the last bracket in each line of them
    for i, (replay, start, stop) in enumerate(view.shades):
        inside = [t for t in range(replay, stop) if t in spans]
        if not inside:
            continue
        left, right = spans[inside[0]][0], spans[inside[-1]][1]
        line = next((n for n, end in enumerate(ends) if end < left), len(ends))
        ends[line : line + 1] = [right]
        y = bottom - 16 - 18 * line
        counted = [t for t in inside if t >= start]
        cut = spans[counted[0]][0] if counted else right
        parts = [("replay", left, cut, f"replay {replay + 1} … {start}")] if cut > left else []
        parts += [("loss", cut, right, f"loss of steps {start + 1} … {stop}")] if counted else []
        for name, a, b, words in parts:
            style = {
                "label": small(html(words)),
                "fillcolor": theme.background if name == "replay" else theme.shade[i % 2],
                "style": "filled,dashed" if name == "replay" else "filled",
                "class": "window",
            }
            row = f".row{inside[0] + 1}" if inside[0] > replay else ""
            lines.append("  " + node(f"window{i}.{name}{row}", ((a + b) / 2, y), (b - a, 14), style))
    return lines, bottom - (8 + 18 * len(ends) if ends else 0)


def foot_lines(
    view: View, layout: Layout, scale: Scale, kinds: set[str], colours: dict[Record, str], gradients: bool
) -> list[str]:
    """Write the tray, the scale of gradients, what the styles mean, and the notes, from above to below."""
    lines: list[str] = []
    ends = [(layout.centre[b.id][0], layout.size[b.id][0] / 2) for b in view.boxes.values()]
    left, right = min(x - w for x, w in ends), max(x + w for x, w in ends)
    flow = _Flow(left, max(right, left + 320.0), layout.bottom - 14)
    for box in view.tray:
        w, h = layout.size[box.id]
        style = {"label": tray_label(box, scale), "fillcolor": colours[box.members[0]], "style": "filled"}
        lines.append("  " + node(box.id, flow.put(w, h), (w, h), style | {"class": "weight"}))
    flow.turn(10)
    if gradients:
        words = "gradient, dashed arrows back: norm, on a log scale"
        wide = width(words, LINE) + 10
        x, y = flow.put(wide + RAMP + 30, 24)
        x -= (wide + RAMP + 30) / 2
        lines.append("  " + _plain("legend", (x + wide / 2, y + 6), words, "legend"))
        lines += _ramp(scale, x + wide + 12, y + 6)
    for kind, words in WORDS.items():
        if kind in kinds:
            x, y = flow.put(width(words, LINE) + 8, 24)
            lines.append("  " + _plain(f"legend.{kind}", (x, y + 6), words, "legend"))
    flow.turn(6)
    for i, note in enumerate(view.notes):
        for n, words in enumerate(wrap(note, max(int((flow.right - left) / 6), 40), subsequent_indent="  ")):
            w = width(words, 9) + 8
            lines.append("  " + _plain(f"note{i}" + f".{n}" * (n > 0), flow.put(w, 14, 0), words, "note", 9))
            flow.turn(1)
    flow.turn(0)
    layout.bottom = flow.y
    return lines


def _plain(id: str, centre: Point, words: str, kind: str, letters: float = LINE) -> str:
    """Write text with no box around it."""
    style = {"label": small(html(words), letters), "shape": "plain", "style": "", "class": kind}
    return node(id, centre, (width(words, letters) + 8, letters + 5), style)


def _ramp(scale: Scale, x: float, y: float) -> list[str]:
    """Write the colours of the scale, from the smallest norm to the largest, with ticks at powers of ten."""
    ramp = scale.theme.ramp
    step = RAMP / len(ramp)
    lines = [
        "  " + node(f"legend.colour{i}", (x + step * (i + 0.5), y), (step, 9), {
            "label": "", "style": "filled", "fillcolor": colour, "color": colour, "penwidth": "0",
            "class": "legend",
        })
        for i, colour in enumerate(ramp)
    ]  # fmt: skip
    first, last = math.ceil(scale.low - 1e-9), math.floor(scale.high + 1e-9)
    every = max(math.ceil((last - first) / 4), 1)
    ticks = [10.0**e for e in range(first, last + 1, every)]
    if len(ticks) < 2:
        ticks = [10**scale.low, 10**scale.high]
    for i, tick in enumerate(ticks):
        at = x + RAMP * scale.place(tick)
        style = {"label": "", "style": "filled", "fillcolor": scale.theme.edge, "penwidth": "0"}
        lines.append("  " + node(f"legend.tick{i}", (at, y - 6), (0.8, 4), style | {"class": "legend"}))
        lines.append("  " + _plain(f"legend.at{i}", (at, y - 14), number(tick), "legend"))
    return lines


class _Flow:
    """Places for things one beside the other, in as many lines as it takes."""

    def __init__(self, left: float, right: float, top: float) -> None:
        self.left, self.right, self.x, self.y, self.tall = left, right, left, top, 0.0

    def put(self, w: float, h: float, apart: float = 12.0) -> Point:
        """Return the centre of the next thing."""
        if self.x > self.left and self.x + w > self.right:
            self.turn(2)
        self.x, self.tall = self.x + w + apart, max(self.tall, h)
        return self.x - apart - w / 2, self.y - h / 2

    def turn(self, apart: float) -> None:
        """Begin a new line, where something stands in this one."""
        if self.tall:
            self.x, self.y, self.tall = self.left, self.y - self.tall - apart, 0.0
