"""The DOT text of a placed view: every position is written down, so that all engines draw the same picture.

The graph asks for the layout ``nop2``, which takes positions as they are. The same view gives the same text, byte
for byte. Everything that comes from the model is escaped.
"""

from __future__ import annotations

from tinyrnn.draw.arrows import Router
from tinyrnn.draw.place import BADGE, LINE, TITLE, Layout, badge_lines
from tinyrnn.draw.route import Path, corners, middle, shifted, spline
from tinyrnn.draw.style import Gradient, Scale, Theme
from tinyrnn.draw.text import attribute, html, norm, number, width
from tinyrnn.draw.view import Arrow, Badge, Box, View

__all__ = ["dot_of"]

BESIDE = 5.0  # between an edge and the gradient that flows back along it


def dot_of(view: View, layout: Layout, theme: Theme, title: str = "unrolled") -> str:
    """Write a placed view as DOT."""
    return _Writer(view, layout, theme).write(title)


def attributes(pairs: dict[str, str]) -> str:
    """Write ``[key="value", ...]``; a value that begins with ``<`` is an HTML-like label."""
    return "[" + ", ".join(f"{k}={v if v.startswith('<') else attribute(v)}" for k, v in pairs.items()) + "]"


class _Writer:
    def __init__(self, view: View, layout: Layout, theme: Theme) -> None:
        self.view = view
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
        weights = dict.fromkeys(badge.weight for box in view.boxes.values() for badge in box.badges)
        weights |= dict.fromkeys(record for box in view.tray for record in box.members)
        names = sorted({weight.id.rsplit(".", 1)[-1] for weight in weights})
        self.colours = {name: theme.weights[i % len(theme.weights)] for i, name in enumerate(names)}
        self.lines: list[str] = []

    def write(self, title: str) -> str:
        theme = self.theme
        self.lines += [
            f"digraph {attribute(title)} {{",
            "  graph "
            + attributes({"layout": "nop2", "outputorder": "edgesfirst", "bgcolor": theme.background, "pad": "0.15"}),
            "  node "
            + attributes({
                "shape": "box", "fixedsize": "true", "fontname": "Helvetica", "fontsize": f"{TITLE:g}",
                "fontcolor": theme.text, "color": theme.border, "style": "rounded,filled", "margin": "0",
            }),
            "  edge "
            + attributes({
                "fontname": "Helvetica", "fontsize": f"{LINE:g}", "fontcolor": theme.text, "color": theme.edge,
                "arrowsize": "0.6",
            }),
        ]  # fmt: skip
        self._shades()
        self._columns()
        for box in self.view.boxes.values():
            if not box.column:
                self._box(box, "  ")
        self._arrows()
        self._foot()
        self.lines.append("}")
        return "\n".join(self.lines) + "\n"

    # --- boxes -----------------------------------------------------------------------------------------------------
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
                self._fold(column.id)
                continue
            left, right = layout.spans[column.id]
            fill = theme.shade[shaded[column.first] % 2] if column.first in shaded else theme.panel
            self.lines.append(f"  subgraph {attribute('cluster_' + column.id)} {{")
            label = f"t = {column.first}"
            box = f"{left:.1f},{layout.floor:.1f},{right:.1f},{layout.ceiling:.1f}"
            self.lines.append(
                "    graph "
                + attributes({
                    "bb": box, "style": "rounded,filled", "fillcolor": fill, "color": theme.border, "label": label,
                    "fontname": "Helvetica", "fontsize": "10", "fontcolor": theme.faint, "id": column.id,
                    "lp": f"{(left + right) / 2:.1f},{layout.floor + 10:.1f}",
                    "lwidth": f"{width(label, 10) / 72:.2f}", "lheight": "0.17",
                })
            )  # fmt: skip
            for item in boxes:
                self._box(item, "    ")
            self.lines.append("  }")

    def _node(
        self, id: str, centre: tuple[float, float], size: tuple[float, float], pairs: dict[str, str]
    ) -> str:
        place = {
            "id": id,
            "pos": f"{centre[0]:.1f},{centre[1]:.1f}",
            "width": f"{size[0] / 72:.3f}",
            "height": f"{size[1] / 72:.3f}",
        }
        return f"{attribute(id)} {attributes(place | pairs)};"

    def _box(self, box: Box, indent: str) -> None:
        theme, layout = self.theme, self.layout
        fill = theme.fills[box.kind]
        style = {"label": _label(box), "fillcolor": fill, "class": box.kind}
        if box.kind in ("state", "constant"):
            style["style"] = "rounded,filled,dashed"
        if box.faded:
            style |= {"fillcolor": theme.panel, "fontcolor": theme.faint, "style": "rounded,filled,dotted"}
        if box.kind == "cell":
            style["penwidth"] = "1.5"
        self.lines.append(indent + self._node(box.id, layout.centre[box.id], layout.size[box.id], style))
        for badge in box.badges:
            self._badge(badge, indent)

    def _badge(self, badge: Badge, indent: str) -> None:
        centre, size = self.layout.badges[badge.id]
        lines = [html(line) for line in badge_lines(badge)]
        label = f'<<font point-size="{BADGE:g}">' + "<br/>".join(lines) + "</font>>"
        style = {
            "label": label,
            "fillcolor": self.colours[badge.weight.id.rsplit(".", 1)[-1]],
            "style": "filled",
        }
        if badge.gradient is not None:
            self.kinds.add(badge.gradient.kind)
            style |= {"color": self.scale.colour(badge.gradient.norm)}
            if badge.gradient.kind == "finite":
                style["penwidth"] = f"{0.6 + 1.8 * self.scale.place(badge.gradient.norm):.1f}"
            else:
                style["style"] = "filled,dotted" if badge.gradient.kind == "zero" else "filled,bold"
        self.lines.append(indent + self._node(badge.id, centre, size, style | {"class": "weight"}))

    def _fold(self, id: str) -> None:
        layout, theme = self.layout, self.theme
        column = next(c for c in self.view.columns if c.id == id)
        count = column.last - column.first + 1
        lines = [f"<b>{count} step{'s' * (count > 1)} folded</b>", f"t = {column.first} … {column.last}"]
        if column.losses:
            lines.append(f"{column.losses} with a loss")
        if column.cuts:
            lines.append(f"{column.cuts} with a cut")
        rows = [f'<tr><td colspan="17">{line}</td></tr>' for line in lines]
        if column.finite is not None:
            low, high = column.finite
            rows.append(f'<tr><td colspan="17">‖∂L/∂state‖ {number(low)} … {number(high)}</td></tr>')
        broken = sum(n != n or n in (float("inf"),) for norms in column.norms.values() for n in norms)
        if broken:
            rows.append(f'<tr><td colspan="17"><b>{broken} not finite</b></td></tr>')
        for layer, carry in column.norms:
            cells = column.strip(layer, carry)
            name = html(f"{layer} {carry} ".lstrip())
            rows.append(
                f'<tr><td align="right">{name}</td>' + "".join(self._cell(n) for n in cells) + "</tr>"
            )
        label = (
            f'<<font point-size="{LINE:g}"><table border="0" cellborder="0" cellspacing="0" cellpadding="1">'
            + "".join(rows)
            + "</table></font>>"
        )
        style = {
            "label": label,
            "fillcolor": theme.fills["fold"],
            "style": "rounded,filled,dashed",
            "class": "fold",
        }
        self.lines.append("  " + self._node(id, layout.centre[id], layout.size[id], style))

    def _cell(self, norm: float) -> str:
        mark = "0" if norm == 0 else "!" if norm != norm else " "
        return f'<td bgcolor="{self.scale.colour(norm)}" width="6" height="10" fixedsize="true">{mark}</td>'

    # --- arrows ----------------------------------------------------------------------------------------------------
    def _arrows(self) -> None:
        router = Router(self.view, self.layout)
        for box in self.view.boxes.values():
            for badge in box.badges:
                self._stub(box, badge)
        for arrow in self.view.arrows:
            path = router.path(arrow)
            across = abs(path[1][1] - path[0][1]) < 0.01 and abs(path[1][0] - path[0][0]) > 0.01
            style = {"pos": spline(path), "class": "forward"}
            if arrow.carry:
                style |= {"penwidth": "2.6", "arrowsize": "0.7", "class": "forward carry"}
            self._edge(arrow.tail, arrow.head, style)
            if arrow.cut:
                self._cut(arrow, path)
            elif arrow.gradient is not None:
                self._back(arrow, path, across)

    def _edge(self, tail: str, head: str, style: dict[str, str]) -> None:
        self.lines.append(f"  {attribute(tail)} -> {attribute(head)} {attributes(style)};")

    def _stub(self, box: Box, badge: Badge) -> None:
        (x, y), (_, h) = self.layout.badges[badge.id]
        _, by = self.layout.centre[box.id]
        top = by - self.layout.size[box.id][1] / 2
        pos = f"{x:.1f},{y + h / 2:.1f} {x:.1f},{y + h / 2:.1f} {x:.1f},{top:.1f} {x:.1f},{top:.1f}"
        self._edge(badge.id, box.id, {"pos": pos, "arrowhead": "none", "class": "weight"})

    def _back(self, arrow: Arrow, path: Path, across: bool) -> None:
        gradient = arrow.gradient
        assert gradient is not None
        self.kinds.add(gradient.kind)
        back = _beside(path, across)
        style = {"pos": spline(back)} | self.scale.edge(gradient) | {"class": f"backward {gradient.kind}"}
        if arrow.tail == arrow.head:
            self._loop_back(arrow, path, style)
            return
        if arrow.carry:
            x, y = middle(path) if len(path) == 4 else _between(self.view, self.layout, arrow, path)
            style |= {"label": _size(gradient), "lp": f"{x:.1f},{y - BESIDE - 8:.1f}"}
        self._edge(arrow.head, arrow.tail, style)

    def _loop_back(self, arrow: Arrow, path: Path, style: dict[str, str]) -> None:
        """The gradient of the rolled picture's loop runs inside of it; what it carries stands beside."""
        (ax, ay), (bx, by) = path[0], path[-1]
        far = max(path, key=lambda point: abs(point[0] - ax))[0]
        sign = 1.0 if far > ax else -1.0
        inner = corners([(bx, by + 5), (far - sign * 6, by + 5), (far - sign * 6, ay - 5), (ax, ay - 5)], 4.0)
        text = f"{arrow.carry}, t − 1   {self.ranges.get((arrow.layer, arrow.carry), '')}".strip()
        x = far + sign * (width(text, LINE) / 2 + 6)
        style |= {"pos": spline(inner), "label": text, "lp": f"{x:.1f},{(ay + by) / 2:.1f}"}
        self._edge(arrow.head, arrow.tail, style)

    def _cut(self, arrow: Arrow, path: Path) -> None:
        """A gradient that starts back and ends at a bar."""
        self.kinds.add("cut")
        x, y = middle(path) if len(path) == 4 else _between(self.view, self.layout, arrow, path)
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

    # --- around ----------------------------------------------------------------------------------------------------
    def _shades(self) -> None:
        """Draw the windows of truncated BPTT as brackets under the steps: what is replayed, and what is counted."""
        layout, theme = self.layout, self.theme
        spans = {
            t: layout.spans[c.id]
            for c in self.view.columns
            for t in range(c.first, c.last + 1)
            if c.id in layout.spans
        }
        if not self.view.shades or not spans:
            return
        deepest = 0
        ends: list[float] = []
        for i, (replay, start, stop) in enumerate(self.view.shades):
            inside = [t for t in range(replay, stop) if t in spans]
            if not inside:
                continue
            left, right = spans[inside[0]][0], spans[inside[-1]][1]
            row = next((r for r, end in enumerate(ends) if end < left), len(ends))
            ends[row : row + 1] = [right]
            deepest = max(deepest, row)
            y = layout.floor - 16 - 18 * row
            counted = [t for t in inside if t >= start]
            cut = spans[counted[0]][0] if counted else right
            parts = [("replay", left, cut, f"replay {replay} … {start - 1}")] if cut > left else []
            parts.append(("loss", cut, right, f"window {i}: steps {start} … {stop - 1}"))
            for name, a, b, text in parts:
                fill = theme.background if name == "replay" else theme.shade[i % 2]
                label = f'<<font point-size="{LINE:g}">{html(text)}</font>>'
                style = {
                    "label": label,
                    "fillcolor": fill,
                    "style": "filled,dashed" if name == "replay" else "filled",
                }
                node = self._node(
                    f"window{i}.{name}", ((a + b) / 2, y), (b - a, 14), style | {"class": "window"}
                )
                self.lines.append("  " + node)
        layout.bottom = layout.floor - 26 - 18 * deepest

    def _foot(self) -> None:
        """Write the tray of weights, the scale of gradients, and the notes, under the picture."""
        y = self.layout.bottom - 14
        left = min(
            self.layout.centre[b.id][0] - self.layout.size[b.id][0] / 2 for b in self.view.boxes.values()
        )
        x = left
        for box in self.view.tray:
            w, h = self.layout.size[box.id]
            fill = self.colours[box.members[0].id.rsplit(".", 1)[-1]]
            style = {"label": self._tray_label(box), "fillcolor": fill, "style": "filled", "class": "weight"}
            self.lines.append("  " + self._node(box.id, (x + w / 2, y - h / 2), (w, h), style))
            x += w + 12
        if self.view.tray:
            y -= max(self.layout.size[box.id][1] for box in self.view.tray) + 10
        if self.has_gradients or "cut" in self.kinds:
            label, w = self._legend()
            style = {"label": label, "shape": "plain", "style": "", "fixedsize": "false", "class": "legend"}
            self.lines.append("  " + self._node("legend", (left + w / 2, y - 9), (w, 18), style))
            y -= 22
        for i, note in enumerate(self.view.notes):
            w = width(note, 9) + 8
            style = {
                "label": f'<<font point-size="9">{html(note)}</font>>', "shape": "plain", "style": "", "class": "note",
            }  # fmt: skip
            self.lines.append("  " + self._node(f"note{i}", (left + w / 2, y - 7), (w, 14), style))
            y -= 15

    def _tray_label(self, box: Box) -> str:
        cells = "".join(self._cell(n) for n in box.strip.get("uses", []))
        rows = f'<tr><td colspan="16"><font point-size="{TITLE:g}"><b>{html(box.title)}</b></font></td></tr>'
        rows += "".join(f'<tr><td colspan="16">{html(line)}</td></tr>' for line in box.lines)
        rows += f"<tr>{cells}</tr>" if cells else ""
        table = '<table border="0" cellborder="0" cellspacing="0" cellpadding="1">'
        return f'<<font point-size="{LINE:g}">{table}{rows}</table></font>>'

    def _legend(self) -> tuple[str, float]:
        scale, theme = self.scale, self.theme
        cells: list[str] = []
        w = 0.0
        if self.has_gradients:
            words = f"gradient ‖∂L/∂·‖, dashed arrows back: {number(10**scale.low)}"
            ramp = "".join(
                f'<td bgcolor="{colour}" width="12" height="9" fixedsize="true"> </td>'
                for colour in theme.ramp
            )
            cells += [f"<td>{html(words)} </td>", ramp, f"<td> {number(10**scale.high)}</td>"]
            w += width(words, LINE) + 12 * len(theme.ramp) + 60
        words = {
            "zero": "dotted, ring: exactly 0",
            "non-finite": "bold, diamond: not finite",
            "clipped": "bold frame: of a weight whose gradient was clipped",
            "cut": "cut: the value passes, the gradient does not",
        }
        for kind, text in words.items():
            if kind in self.kinds:
                cells.append(f"<td>   {html(text)}</td>")
                w += width(text, LINE) + 24
        table = '<table border="0" cellborder="0" cellspacing="0" cellpadding="1">'
        return f'<<font point-size="{LINE:g}">{table}<tr>{"".join(cells)}</tr></table></font>>', w


def _ranges(view: View) -> dict[tuple[str, str], str]:
    """Return for each layer and carry the range of its gradients over all steps."""
    found: dict[tuple[str, str], list[float]] = {}
    for box in view.boxes.values():
        for record in box.members:
            if (
                record.carry
                and record.step is not None
                and record.node.grad is not None
                and view.level == "rolled"
            ):
                found.setdefault((record.layer, record.carry), []).append(norm(record.grad))
    return {key: f"{number(min(norms))} … {number(max(norms))}" for key, norms in found.items()}


def _size(gradient: Gradient) -> str:
    if gradient.before is not None:
        return f"{number(gradient.before)} → {number(gradient.norm)}"
    return number(gradient.norm)


def _beside(path: Path, across: bool) -> Path:
    dx, dy = (0.0, -BESIDE) if across else (BESIDE, 0.0)
    if across and abs(path[-1][1] - path[0][1]) > 12:
        dx = 3.0 if (path[-1][1] - path[0][1]) * (path[-1][0] - path[0][0]) > 0 else -3.0
    return shifted(path[::-1], dx, dy)


def _between(view: View, layout: Layout, arrow: Arrow, path: Path) -> tuple[float, float]:
    """Return the middle of the gap between two steps, at the height of the arrow there."""
    tail, head = view.boxes[arrow.tail], view.boxes[arrow.head]
    ends = [layout.spans[box.column] for box in (tail, head) if box.column in layout.spans]
    if len(ends) == 2:
        (_, a), (b, _) = sorted(ends)
        x = (a + b) / 2
    elif ends and tail.kind == "state":
        edge = layout.centre[tail.id][0]
        x = (ends[0][0] + edge) / 2 if edge < ends[0][0] else (ends[0][1] + edge) / 2
    else:
        return middle(path)
    return x, min(path, key=lambda point: abs(point[0] - x))[1]


def _label(box: Box) -> str:
    index = f'<font point-size="{LINE:g}">{html(box.index)}</font>' if box.index else ""
    lines = "".join(f'<br/><font point-size="{LINE:g}">{html(line)}</font>' for line in box.lines)
    return f"<<b>{html(box.title)}</b>{index}{lines}>"
