"""The DOT text of a placed view: every position is written down, so that all engines draw the same picture.

The graph asks for the layout ``nop2``, which takes positions as they are. The same view gives the same text,
byte for byte. Everything that comes from the model is escaped.
"""

from __future__ import annotations

from itertools import pairwise

from tinyrnn.draw.arranging.geometry import Layout, badge_lines
from tinyrnn.draw.arranging.wrap import extent, moved
from tinyrnn.draw.style import Scale, Theme
from tinyrnn.draw.text import BADGE, LINE, TITLE, head, html, width
from tinyrnn.draw.viewing.fold import Column
from tinyrnn.draw.viewing.view import Badge, Box, View
from tinyrnn.draw.writing.arrows import write_arrows
from tinyrnn.draw.writing.canvas import Canvas
from tinyrnn.draw.writing.margin import write_foot, write_windows
from tinyrnn.draw.writing.markup import fold_label, label, small

__all__ = ["MARGIN", "dot_of", "stacked_dot"]

MARGIN = 10.8  # around a picture, in points
HEADING, UNDER, APART = 14.0, 12.0, 34.0  # letters, what is below them, and what is between two pictures


def dot_of(view: View, layout: Layout, theme: Theme, width: float | None = None) -> str:
    """Write a placed view as DOT, to be drawn so many centimetres wide, or as wide as it is."""
    norms = _norms(view)
    canvas = Canvas(Scale(theme, norms))
    _Writer(view, layout, canvas).write(legend=bool(norms))
    return "\n".join([*_head(theme, width), *canvas.lines, "}"]) + "\n"


def stacked_dot(pictures: list[tuple[str, View, Layout]], theme: Theme, size: float | None = None) -> str:
    """Write placed views one above the other, each under its name, on one scale of gradients.

    What is in the first is called ``1.t3.l0.cell``.
    """
    norms = [norm for _, view, _ in pictures for norm in _norms(view)]
    scale, kinds = Scale(theme, norms), set[str]()
    lines, y = _head(theme, size), 0.0
    for i, (name, view, layout) in enumerate(pictures):
        canvas = Canvas(scale, f"{i + 1}.", kinds)
        wide = width(name, HEADING) + 12
        words = small(f"<b>{html(name)}</b>", HEADING)
        style = {"label": words, "shape": "plaintext", "style": "", "class": "heading"}
        canvas.node("heading", (wide / 2, y - TITLE), (wide, HEADING + 6), style)
        left, _, _, top = extent(layout)
        moved(layout, -left, y - HEADING - 6 - UNDER - top)
        last = i == len(pictures) - 1
        _Writer(view, layout, canvas).write(legend=last and bool(norms), words=last)
        lines += canvas.lines
        y = layout.bottom - APART
    return "\n".join([*lines, "}"]) + "\n"


def _norms(view: View) -> list[float]:
    """Return the norms of all gradients that a view shows."""
    norms = [arrow.gradient.norm for arrow in view.arrows if arrow.gradient is not None]
    norms += [n for column in view.columns for found in column.norms.values() for n in found]
    badges = [badge for box in view.boxes.values() for badge in box.badges]
    return norms + [badge.gradient.norm for badge in badges if badge.gradient is not None]


def _head(theme: Theme, width: float | None) -> list[str]:
    """Begin a graph whose places are written down."""
    graph = {
        "layout": "nop2", "outputorder": "edgesfirst", "bgcolor": theme.background, "pad": f"{MARGIN / 72:g}",
    }  # fmt: skip
    if width is not None:
        graph["size"] = f"{width / 2.54:.3f},1000!"
    node = {
        "shape": "box", "fixedsize": "true", "fontname": "Helvetica", "fontsize": f"{TITLE:g}",
        "fontcolor": theme.text, "color": theme.border, "style": "rounded,filled", "margin": "0",
    }  # fmt: skip
    edge = {
        "fontname": "Helvetica", "fontsize": f"{LINE:g}", "fontcolor": theme.text, "color": theme.edge,
        "arrowsize": "0.6",
    }  # fmt: skip
    return head("unrolled", graph, node, edge)


class _Writer:
    def __init__(self, view: View, layout: Layout, canvas: Canvas) -> None:
        self.view, self.layout, self.canvas = view, layout, canvas
        self.theme = theme = canvas.theme
        self.colours = {
            badge.weight: theme.weights[badge.colour % len(theme.weights)]
            for box in view.boxes.values()
            for badge in box.badges
        }
        for i, box in enumerate(view.tray):
            self.colours.setdefault(box.members[0], theme.weights[i % len(theme.weights)])

    def write(self, *, legend: bool, words: bool = True) -> None:
        """Write boxes, arrows, and what stands below; ``words`` say what styles mean."""
        write_windows(self.view, self.layout, self.canvas)
        self._columns()
        for box in self.view.boxes.values():
            if not box.column:
                self._box(box)
        write_arrows(self.view, self.layout, self.canvas)
        write_foot(self.view, self.layout, self.canvas, self.colours, legend=legend, words=words)

    def _columns(self) -> None:
        layout, theme = self.layout, self.theme
        inside: dict[str, list[Box]] = {}
        for box in self.view.boxes.values():
            inside.setdefault(box.column, []).append(box)
        shaded = {t: i for i, (_, start, stop) in enumerate(self.view.shades) for t in range(start, stop)}
        for column in self.view.columns:
            boxes = inside.get(column.id)
            if not boxes:
                continue
            if column.folded:
                self._fold(column)
                continue
            left, right = layout.spans[column.id]
            floor, ceiling = layout.panels[column.id]
            first = column.first if not column.group else -1
            fill = theme.shade[shaded[first] % 2] if first in shaded else theme.panel
            box = f"{left:.1f},{floor:.1f},{right:.1f},{ceiling:.1f}"
            wide = width(column.title, 10)
            title_at = self._free(left, right, floor + 10, wide)
            style = {
                "bb": box, "style": "rounded,filled", "fillcolor": fill, "color": theme.border,
                "label": column.title, "fontname": "Helvetica", "fontsize": "10", "fontcolor": theme.faint,
                "id": self.canvas.prefix + column.id, "lp": f"{title_at:.1f},{floor + 10:.1f}",
                "lwidth": f"{wide / 72:.2f}", "lheight": "0.17",
            }  # fmt: skip
            with self.canvas.panel(column.id, style):
                for item in boxes:
                    self._box(item)
        columns = {"", *(c.id for c in self.view.columns)}
        for item in [item for id, boxes in inside.items() if id not in columns for item in boxes]:
            self._box(item)

    def _free(self, left: float, right: float, y: float, wide: float) -> float:
        """Return where the title of a column stands, so that no arrow from below goes through it."""
        uprights = [
            p[0]
            for _, path in self.layout.ways
            for p, q in pairwise(path)
            if abs(p[0] - q[0]) < 0.01 and min(p[1], q[1]) - 8 < y < max(p[1], q[1]) + 8
        ]
        places = [left + 10 + wide / 2, (left + right) / 2, right - 10 - wide / 2]
        places += [left + 10 + wide / 2 + 8 * i for i in range(int((right - left - wide - 20) / 8) + 1)]
        clear = (x for x in places if not any(x - wide / 2 - 9 < u < x + wide / 2 + 4 for u in uprights))
        return next(clear, places[0])

    def _fold(self, column: Column) -> None:
        style = {"label": fold_label(column, self.canvas.scale), "fillcolor": self.theme.fills["fold"]}
        style |= {"style": "rounded,filled,dashed", "class": "fold"}
        self.canvas.node(column.id, self.layout.centre[column.id], self.layout.size[column.id], style)

    def _box(self, box: Box) -> None:
        theme, layout = self.theme, self.layout
        fill = theme.fills[box.kind]
        style = {"label": label(box.title, box.lines, box.index), "fillcolor": fill, "class": box.kind}
        if box.kind in ("state", "constant"):
            style["style"] = "rounded,filled,dashed"
        if box.faded:
            style |= {"fillcolor": theme.panel, "fontcolor": theme.faint, "style": "rounded,filled,dotted"}
        if box.kind == "cell":
            style["penwidth"] = "1.5"
        if box.round:
            style |= {"shape": "ellipse", "style": "filled"}
        self.canvas.node(box.id, layout.centre[box.id], layout.size[box.id], style)
        for badge in box.badges:
            self._badge(badge)

    def _badge(self, badge: Badge) -> None:
        centre, size = self.layout.badges[badge.id]
        words = small("<br/>".join(html(line) for line in badge_lines(badge)), BADGE)
        style = {"label": words, "fillcolor": self.colours[badge.weight], "style": "filled"}
        if badge.gradient is not None:
            self.canvas.kinds.add(badge.gradient.kind)
            style["color"] = self.canvas.scale.colour(badge.gradient.norm)
            if badge.gradient.kind == "finite":
                style["penwidth"] = f"{0.6 + 1.8 * self.canvas.scale.place(badge.gradient.norm):.1f}"
            else:
                style["style"] = "filled,dotted" if badge.gradient.kind == "zero" else "filled,bold"
        self.canvas.node(badge.id, centre, size, style | {"class": "weight"})
