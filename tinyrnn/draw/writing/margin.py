"""What stands around the steps: windows of truncated BPTT, the tray, the scale of gradients, notes."""

from __future__ import annotations

import math
from textwrap import wrap

from tinyrnn.draw.arranging.geometry import Layout, Point
from tinyrnn.draw.reading.records import Record
from tinyrnn.draw.text import LINE, html, number, width
from tinyrnn.draw.viewing.view import View
from tinyrnn.draw.writing.canvas import Canvas
from tinyrnn.draw.writing.markup import small, tray_label

__all__ = ["write_foot", "write_windows"]

RAMP = 132.0  # the length of the scale
WORDS = {
    "zero": "dotted, ring: exactly 0",
    "non-finite": "bold, diamond: not finite",
    "clipped": "bold frame: of a weight whose gradient was clipped",
    "cut": "cut: the value passes, the gradient does not",
    "attention": "attention: as wide as its weights; its gradient is in that of the states",
}


def write_windows(view: View, layout: Layout, canvas: Canvas) -> None:
    """Write a bracket for each window under each row: what is replayed, and what counts."""
    for columns, bottom in layout.floors:
        layout.bottom = min(layout.bottom, _brackets(view, layout, canvas, columns, bottom))


def _brackets(view: View, layout: Layout, canvas: Canvas, columns: set[str], bottom: float) -> float:
    """Write the brackets under one row; return where they end."""
    spans = {
        t: layout.spans[c.id]
        for c in view.columns
        for t in range(c.first, c.last + 1)
        if c.id in columns and not c.group
    }
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
                "fillcolor": canvas.theme.background if name == "replay" else canvas.theme.shade[i % 2],
                "style": "filled,dashed" if name == "replay" else "filled",
                "class": "window",
            }
            row = f".row{inside[0] + 1}" if inside[0] > replay else ""
            canvas.node(f"window{i}.{name}{row}", ((a + b) / 2, y), (b - a, 14), style)
    return bottom - (8 + 18 * len(ends) if ends else 0)


def write_foot(
    view: View, layout: Layout, canvas: Canvas, colours: dict[Record, str], *, legend: bool, words: bool
) -> None:
    """Write the tray, the scale of gradients, what the styles mean, and the notes, from above to below."""
    ends = [(layout.centre[b.id][0], layout.size[b.id][0] / 2) for b in view.boxes.values()]
    left, right = min(x - w for x, w in ends), max(x + w for x, w in ends)
    flow = _Flow(left, max(right, left + 320.0), layout.bottom - 14)
    for box in view.tray:
        w, h = layout.size[box.id]
        style = {
            "label": tray_label(box, canvas.scale),
            "fillcolor": colours[box.members[0]],
            "style": "filled",
        }
        canvas.node(box.id, flow.put(w, h), (w, h), style | {"class": "weight"})
    flow.turn(10)
    if legend:
        said = "gradient, dashed arrows back: norm, on a log scale"
        wide = width(said, LINE) + 10
        x, y = flow.put(wide + RAMP + 30, 24)
        x -= (wide + RAMP + 30) / 2
        canvas.words("legend", (x + wide / 2, y + 6), said, "legend")
        _ramp(canvas, x + wide + 12, y + 6)
    for kind, said in WORDS.items() if words else ():
        if kind in canvas.kinds:
            x, y = flow.put(width(said, LINE) + 8, 24)
            canvas.words(f"legend.{kind}", (x, y + 6), said, "legend")
    flow.turn(6)
    for i, note in enumerate(view.notes):
        for n, said in enumerate(wrap(note, max(int((flow.right - left) / 6), 40), subsequent_indent="  ")):
            place = flow.put(width(said, 9) + 8, 14, 0)
            canvas.words(f"note{i}" + f".{n}" * (n > 0), place, said, "note", 9)
            flow.turn(1)
    flow.turn(0)
    layout.bottom = flow.y


def _ramp(canvas: Canvas, x: float, y: float) -> None:
    """Write the colours of the scale, from the smallest norm to the largest, with ticks at powers of ten."""
    scale, ramp = canvas.scale, canvas.theme.ramp
    step = RAMP / len(ramp)
    for i, colour in enumerate(ramp):
        style = {"label": "", "style": "filled", "fillcolor": colour, "color": colour, "penwidth": "0"}
        at = x + step * (i + 0.5), y
        canvas.node(f"legend.colour{i}", at, (step, 9), style | {"class": "legend"})
    first, last = math.ceil(scale.low - 1e-9), math.floor(scale.high + 1e-9)
    every = max(math.ceil((last - first) / 4), 1)
    ticks = [10.0**e for e in range(first, last + 1, every)]
    if len(ticks) < 2:
        ticks = [10**scale.low, 10**scale.high]
    for i, tick in enumerate(ticks):
        at = x + RAMP * scale.place(tick)
        style = {"label": "", "style": "filled", "fillcolor": canvas.theme.edge, "penwidth": "0"}
        canvas.node(f"legend.tick{i}", (at, y - 6), (0.8, 4), style | {"class": "legend"})
        canvas.words(f"legend.at{i}", (at, y - 14), number(tick), "legend")


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
