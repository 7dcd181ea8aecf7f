"""The DOT text of a placed view: every position is written down, so that all engines draw the same picture.

The graph asks for the layout ``nop2``, which takes positions as they are. The same view gives the same text,
byte for byte. Everything that comes from the model is escaped.
"""

from __future__ import annotations

from itertools import pairwise

from tinyrnn.draw.arranging.geometry import Layout, badge_lines
from tinyrnn.draw.arranging.route import BESIDE, Path, corners, middle, shifted, spline
from tinyrnn.draw.reading.fold import Column
from tinyrnn.draw.reading.view import Arrow, Badge, Box, View
from tinyrnn.draw.style import Gradient, Scale, Theme
from tinyrnn.draw.text import BADGE, LINE, TITLE, attribute, attributes, html, number, width
from tinyrnn.draw.writing.margin import foot_lines, node, window_lines
from tinyrnn.draw.writing.markup import box_label, fold_label, small

__all__ = ["MARGIN", "dot_of"]

MARGIN = 10.8  # around a picture, in points


def dot_of(view: View, layout: Layout, theme: Theme, width: float | None = None) -> str:
    """Write a placed view as DOT, to be drawn so many centimetres wide, or as wide as it is."""
    return _Writer(view, layout, theme, width).write()


class _Writer:
    def __init__(self, view: View, layout: Layout, theme: Theme, width: float | None) -> None:
        self.view = view
        self.width = width
        self.layout = layout
        self.theme = theme
        norms = [arrow.gradient.norm for arrow in view.arrows if arrow.gradient is not None]
        norms += [n for column in view.columns for found in column.norms.values() for n in found]
        norms += [
            b.gradient.norm for box in view.boxes.values() for b in box.badges if b.gradient is not None
        ]
        self.scale = Scale(theme, norms)
        self.has_gradients = bool(norms)
        self.kinds: set[str] = set()
        self.ranges = _ranges(view)
        self.colours = {
            badge.weight: theme.weights[badge.colour % len(theme.weights)]
            for box in view.boxes.values()
            for badge in box.badges
        }
        for i, box in enumerate(view.tray):
            self.colours.setdefault(box.members[0], theme.weights[i % len(theme.weights)])
        self.said: set[tuple[str, str]] = set()
        self.lines: list[str] = []

    def write(self) -> str:
        theme = self.theme
        self.lines += [
            f"digraph {attribute('unrolled')} {{",
            "  graph "
            + attributes({
                "layout": "nop2", "outputorder": "edgesfirst", "bgcolor": theme.background, "pad": f"{MARGIN / 72:g}",
            } | ({} if self.width is None else {"size": f"{self.width / 2.54:.3f},1000!"})),
            "  node "
            + attributes({
                "shape": "box", "fixedsize": "true", "fontname": "Helvetica", "fontsize": f"{TITLE:g}",
                "fontcolor": theme.text, "color": theme.border, "style": "rounded,filled", "margin": "0",
            }),
            "  edge "
            + attributes({
                "fontname": "Helvetica", "fontsize": f"{LINE:g}", "fontcolor": theme.text,
                "color": theme.edge, "arrowsize": "0.6",
            }),
        ]  # fmt: skip
        self.lines += window_lines(self.view, self.layout, theme)
        self._columns()
        for box in self.view.boxes.values():
            if not box.column:
                self._box(box, "  ")
        self._arrows()
        self.lines += foot_lines(
            self.view, self.layout, self.scale, self.kinds, self.colours, self.has_gradients
        )
        self.lines.append("}")
        return "\n".join(self.lines) + "\n"

    # --- boxes
    # -----------------------------------------------------------------------------------------------------
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
            self.lines.append(f"  subgraph {attribute('cluster_' + column.id)} {{")
            box = f"{left:.1f},{floor:.1f},{right:.1f},{ceiling:.1f}"
            title_at = self._free(left, right, floor + 10, width(column.title, 10))
            self.lines.append(
                "    graph "
                + attributes({
                    "bb": box, "style": "rounded,filled", "fillcolor": fill, "color": theme.border,
                    "label": column.title,
                    "fontname": "Helvetica", "fontsize": "10", "fontcolor": theme.faint, "id": column.id,
                    "lp": f"{title_at:.1f},{floor + 10:.1f}",
                    "lwidth": f"{width(column.title, 10) / 72:.2f}", "lheight": "0.17",
                })
            )  # fmt: skip
            for item in boxes:
                self._box(item, "    ")
            self.lines.append("  }")
        for id in [id for id in inside if id and id not in {c.id for c in self.view.columns}]:
            for item in inside[id]:
                self._box(item, "  ")

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
        style = {"label": fold_label(column, self.scale), "fillcolor": self.theme.fills["fold"]}
        style |= {"style": "rounded,filled,dashed", "class": "fold"}
        self.lines.append(
            "  " + node(column.id, self.layout.centre[column.id], self.layout.size[column.id], style)
        )

    def _box(self, box: Box, indent: str) -> None:
        theme, layout = self.theme, self.layout
        fill = theme.fills[box.kind]
        style = {"label": box_label(box), "fillcolor": fill, "class": box.kind}
        if box.kind in ("state", "constant"):
            style["style"] = "rounded,filled,dashed"
        if box.faded:
            style |= {"fillcolor": theme.panel, "fontcolor": theme.faint, "style": "rounded,filled,dotted"}
        if box.kind == "cell":
            style["penwidth"] = "1.5"
        self.lines.append(indent + node(box.id, layout.centre[box.id], layout.size[box.id], style))
        for badge in box.badges:
            self._badge(badge, indent)

    def _badge(self, badge: Badge, indent: str) -> None:
        centre, size = self.layout.badges[badge.id]
        label = small("<br/>".join(html(line) for line in badge_lines(badge)), BADGE)
        style = {
            "label": label,
            "fillcolor": self.colours[badge.weight],
            "style": "filled",
        }
        if badge.gradient is not None:
            self.kinds.add(badge.gradient.kind)
            style |= {"color": self.scale.colour(badge.gradient.norm)}
            if badge.gradient.kind == "finite":
                style["penwidth"] = f"{0.6 + 1.8 * self.scale.place(badge.gradient.norm):.1f}"
            else:
                style["style"] = "filled,dotted" if badge.gradient.kind == "zero" else "filled,bold"
        self.lines.append(indent + node(badge.id, centre, size, style | {"class": "weight"}))

    # --- arrows
    # ----------------------------------------------------------------------------------------------------
    def _arrows(self) -> None:
        for box in self.view.boxes.values():
            for n in range(len(box.badges)):
                self._stub(box, n)
        for arrow, path in self.layout.ways:
            style = {"pos": spline(path), "class": "forward"}
            if arrow.carry:
                style |= {"penwidth": "2.6", "arrowsize": "0.7", "class": "forward carry"}
            if arrow.share is not None:
                style |= {"penwidth": f"{0.4 + 3.6 * arrow.share:.1f}", "class": "forward attention"}
                style["tooltip"] = f"weight {number(arrow.share)}"
            self._edge(arrow.tail, arrow.head, style)
            if arrow.cut:
                self._cut(arrow, path)
            elif arrow.gradient is not None and arrow.share is None:
                self._back(arrow, path)

    def _edge(self, tail: str, head: str, style: dict[str, str]) -> None:
        self.lines.append(f"  {attribute(tail)} -> {attribute(head)} {attributes(style)};")

    def _stub(self, box: Box, n: int) -> None:
        """A line from an alias to its box, or to the alias between them."""
        places, badge = self.layout.badges, box.badges[n]
        (x, y), (w, h) = places[badge.id]
        if not box.column:
            a, b = (x + w / 2, y), (self.layout.side(box.id, -1)[0], y)
            if n > 1:
                b = (places[box.badges[n - 2].id][0][0] - w / 2, y)
        else:
            a, b = (x, y + h / 2), (x, self.layout.end(box.id, -1))
            if n > 1:
                b = (x, places[box.badges[n - 2].id][0][1] - h / 2)
        self._edge(
            badge.id, box.id, {"pos": spline([a, a, b, b], tip=False), "arrowhead": "none", "class": "weight"}
        )

    def _back(self, arrow: Arrow, path: Path) -> None:
        gradient = arrow.gradient
        assert gradient is not None
        self.kinds.add(gradient.kind)
        if arrow.tail == arrow.head:
            style = self.scale.edge(gradient) | {"class": f"backward {gradient.kind}"}
            self._loop_back(arrow, path, style)
            return
        style = (
            {"pos": spline(self.layout.backs[id(arrow)], tip=not arrow.joins)}
            | self.scale.edge(gradient)
            | {"class": f"backward {gradient.kind}"}
        )
        if arrow.joins:
            style["arrowhead"] = "none"
        if arrow.carry and (arrow.tail, arrow.carry) not in self.said:
            self.said.add((arrow.tail, arrow.carry))  # one number for one state, however many read it
            x, y = self._number_at(arrow, path, width(_size(gradient), LINE))
            style |= {"label": _size(gradient), "lp": f"{x:.1f},{y:.1f}"}
        self._edge(arrow.head, arrow.tail, style)

    def _number_at(self, arrow: Arrow, path: Path, wide: float) -> tuple[float, float]:
        """Return where the number of a state stands: under its lane, else over the corner of its tail."""
        ends = [self.view.boxes[id] for id in (arrow.tail, arrow.head)]
        level = any(box.kind in ("state", "fold") for box in ends)
        climbs = ends[0].band != ends[1].band and not level
        if climbs or not _sideways(path):
            return self.layout.side(arrow.tail, 1)[0] - wide / 2, self.layout.end(arrow.tail, 1) + 6
        x, y = _between(self.layout, self.view, arrow, path)
        return x, y - BESIDE - 8

    def _loop_back(self, arrow: Arrow, path: Path, style: dict[str, str]) -> None:
        """The gradient of the rolled picture's loop runs inside of it; what it carries stands beside."""
        (ax, ay), (bx, by) = path[0], path[-1]
        far = max(path, key=lambda point: abs(point[0] - ax))[0]
        sign = 1.0 if far > ax else -1.0
        inner = corners([(bx, by + 5), (far - sign * 6, by + 5), (far - sign * 6, ay - 5), (ax, ay - 5)], 4.0)
        text = f"{arrow.carry}, t − 1   {self.ranges.get((arrow.unit, arrow.carry), '')}".strip()
        x = far + sign * (width(text, LINE) / 2 + 6)
        style |= {"pos": spline(inner), "label": text, "lp": f"{x:.1f},{max(ay, by) + 9:.1f}"}
        self._edge(arrow.head, arrow.tail, style)

    def _cut(self, arrow: Arrow, path: Path) -> None:
        """A gradient that starts back and ends at a bar."""
        self.kinds.add("cut")
        x, y = _between(self.layout, self.view, arrow, path)
        start = path[-1]
        if abs(start[0] - x) < 8:
            x -= 10
        stop = (x + (start[0] - x) * 0.25, y)
        from_ = (start[0], start[1]) if abs(start[1] - y) < 1 else (x + (8 if start[0] > x else -8), y)
        back = shifted([from_, from_, stop, stop], 0, -BESIDE)
        style = {
            "pos": spline(back), "label": "cut", "lp": f"{x:.1f},{y - BESIDE - 8:.1f}", "arrowhead": "tee",
            "style": "dotted", "color": self.theme.alarm, "fontcolor": self.theme.alarm, "arrowsize": "1",
            "class": "backward cut",
        }  # fmt: skip
        self._edge(arrow.head, arrow.tail, style)


def _ranges(view: View) -> dict[tuple[str, str], str]:
    """Return for each layer and carry the range of its gradients over all steps."""
    found: dict[tuple[str, str], list[float]] = {}
    if view.level == "rolled":
        for record in (r for box in view.boxes.values() for r in box.members if r.carry):
            size = record.size
            if size is not None:
                found.setdefault((record.unit, record.carry), []).append(size)
    return {key: f"{number(min(norms))} … {number(max(norms))}" for key, norms in found.items()}


def _size(gradient: Gradient) -> str:
    if gradient.before is not None:
        return f"{number(gradient.before)} → {number(gradient.norm)}"
    return number(gradient.norm)


def _sideways(path: Path) -> bool:
    """Whether a way begins and ends level, as along a lane."""
    (x0, y0), (x1, y1) = path[0], path[1]
    return abs(y1 - y0) < 0.01 < abs(x1 - x0) and abs(path[-2][1] - path[-1][1]) < 0.01


def _between(layout: Layout, view: View, arrow: Arrow, path: Path) -> tuple[float, float]:
    """Return the middle of the gap between two steps, at the height of the arrow there."""
    tail, head = view.boxes[arrow.tail], view.boxes[arrow.head]
    ends = [layout.spans[box.column] for box in (tail, head) if box.column in layout.spans]
    if len(ends) == 2 and ends[0] != ends[1]:
        (_, a), (b, _) = sorted(ends)
        x = (a + b) / 2
    elif ends and tail.kind == "state":
        edge = layout.centre[tail.id][0] + layout.size[tail.id][0] / 2 * (
            1 if layout.centre[tail.id][0] < ends[0][0] else -1
        )
        x = (ends[0][0] + edge) / 2 if edge < ends[0][0] else (ends[0][1] + edge) / 2
    else:
        return middle(path)
    near = min(path, key=lambda point: abs(point[0] - x))
    return (x, near[1]) if abs(near[0] - x) < 40 else middle(path)
