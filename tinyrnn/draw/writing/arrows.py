"""The arrows of a placed view as DOT: values along their ways, gradients beside them."""

from __future__ import annotations

from tinyrnn.draw.arranging.geometry import Layout
from tinyrnn.draw.arranging.route import BESIDE, Path, corners, middle, spline
from tinyrnn.draw.style import Gradient
from tinyrnn.draw.text import LINE, number, width
from tinyrnn.draw.viewing.view import Arrow, Box, View
from tinyrnn.draw.writing.canvas import Canvas

__all__ = ["write_arrows"]


def write_arrows(view: View, layout: Layout, canvas: Canvas) -> None:
    """Write the arrows of a view, those of weights first."""
    _Arrows(view, layout, canvas).write()


class _Arrows:
    def __init__(self, view: View, layout: Layout, canvas: Canvas) -> None:
        self.view, self.layout, self.canvas = view, layout, canvas
        self.ranges = _ranges(view)
        self.said: set[tuple[str, str]] = set()

    def write(self) -> None:
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
                self.canvas.kinds.add("attention")
            self.canvas.edge(arrow.tail, arrow.head, style)
            if arrow.cut:
                self._cut(arrow, path)
            elif arrow.gradient is not None and arrow.share is None:
                self._back(arrow, path)

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
        style = {"pos": spline([a, a, b, b], tip=False), "arrowhead": "none", "class": "weight"}
        self.canvas.edge(badge.id, box.id, style)

    def _back(self, arrow: Arrow, path: Path) -> None:
        gradient = arrow.gradient
        assert gradient is not None
        self.canvas.kinds.add(gradient.kind)
        style = self.canvas.scale.edge(gradient) | {"class": f"backward {gradient.kind}"}
        if arrow.tail == arrow.head:
            self._loop_back(arrow, path, style)
            return
        style = {"pos": spline(self.layout.backs[id(arrow)], tip=not arrow.joins)} | style
        if arrow.joins:
            style["arrowhead"] = "none"
        level = arrow.carry and not self.view.climbs(arrow)  # else its box says the number
        if level and (arrow.tail, arrow.carry) not in self.said:
            self.said.add((arrow.tail, arrow.carry))  # one number for one state, however many read it
            x, y = self._number_at(arrow, path, width(_size(gradient), LINE))
            style |= {"label": _size(gradient), "lp": f"{x:.1f},{y:.1f}"}
        self.canvas.edge(arrow.head, arrow.tail, style)

    def _number_at(self, arrow: Arrow, path: Path, wide: float) -> tuple[float, float]:
        """Return where the number of a state stands: under its lane, else over the corner of its tail."""
        if not _sideways(path):
            return self.layout.side(arrow.tail, 1)[0] - wide / 2, self.layout.end(arrow.tail, 1) + 6
        x, y = self._between(arrow, path)
        return x, y - BESIDE - 8

    def _loop_back(self, arrow: Arrow, path: Path, style: dict[str, str]) -> None:
        """The gradient of the rolled picture's loop runs inside of it; what it carries stands beside."""
        (ax, ay), (bx, by) = path[0], path[-1]
        far = max(path, key=lambda point: abs(point[0] - ax))[0]
        sign = 1.0 if far > ax else -1.0
        inner = corners([(bx, by + 5), (far - sign * 6, by + 5), (far - sign * 6, ay - 5), (ax, ay - 5)], 4.0)
        text = f"{arrow.carry}, t − 1   {self.ranges.get((arrow.unit, arrow.carry), '')}".strip()
        x = far + sign * (width(text, LINE) / 2 + 6)
        style |= {"pos": spline(inner), "label": text, "lp": f"{x:.1f},{(ay + by) / 2:.1f}"}
        self.canvas.edge(arrow.head, arrow.tail, style)

    def _cut(self, arrow: Arrow, path: Path) -> None:
        """A gradient that starts back and ends at a bar."""
        self.canvas.kinds.add("cut")
        x, y = self._between(arrow, path)
        start = path[-1]
        if abs(start[0] - x) < 8:
            x -= 10
        stop = (x + (start[0] - x) * 0.25, y)
        from_ = (start[0], start[1]) if abs(start[1] - y) < 1 else (x + (8 if start[0] > x else -8), y)
        back = [(px, py - BESIDE) for px, py in (from_, from_, stop, stop)]
        alarm = self.canvas.theme.alarm
        style = {
            "pos": spline(back), "label": "cut", "lp": f"{x:.1f},{y - BESIDE - 8:.1f}", "arrowhead": "tee",
            "style": "dotted", "color": alarm, "fontcolor": alarm, "arrowsize": "1",
            "class": "backward cut",
        }  # fmt: skip
        self.canvas.edge(arrow.head, arrow.tail, style)

    def _between(self, arrow: Arrow, path: Path) -> tuple[float, float]:
        """Return the middle of the gap between two steps, at the height of the arrow there."""
        layout = self.layout
        tail, head = self.view.boxes[arrow.tail], self.view.boxes[arrow.head]
        ends = [layout.spans[box.column] for box in (tail, head) if box.column in layout.spans]
        if len(ends) == 2 and ends[0] != ends[1]:
            (_, a), (b, _) = sorted(ends)
            x = (a + b) / 2
        elif ends and "state" in (tail.kind, head.kind):
            left, right = ends[0]
            state = tail if tail.kind == "state" else head
            before = layout.centre[state.id][0] < left
            edge = layout.side(state.id, 1 if before else -1)[0]
            x = (left + edge) / 2 if before else (right + edge) / 2
        else:
            return middle(path)
        for (ax, ay), (bx, by) in zip(path[::3], path[3::3]):
            if abs(ay - by) < 0.01 and min(ax, bx) <= x <= max(ax, bx):
                return x, ay
        return middle(path)


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
