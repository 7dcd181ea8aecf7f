"""A picture in several rows, as lines of text wrap: each row has as many steps as its width holds.

A row is a view of its own, laid out like any other. What passes from row to row is said at both ends: a state
leaves to a box at the end of its row, and enters from one at the beginning of the next. A box over all steps
stands in each row that it is linked with, and has its numbers in the last one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace

from tinyrnn.draw.arranging.geometry import Layout, Point
from tinyrnn.draw.arranging.place import place
from tinyrnn.draw.reading.leads import ordered
from tinyrnn.draw.viewing.view import BEFORE, WHOLE, Arrow, Box, View

__all__ = ["extent", "moved", "wrapped"]

APART = 40.0  # between rows
BRACKET = 18.0  # for each row of brackets of windows


def wrapped(view: View, limit: float) -> tuple[View, Layout] | None:
    """Lay out a view in rows no wider than a limit, in points; None where a single step is too wide."""
    whole = place(view)
    if _wide(whole) <= limit:
        return view, whole
    view = view.spread()  # what enters from other rows stands between
    columns = list(view.order)
    if not columns:
        return None
    cuts = [0]
    while cuts[-1] < len(columns):
        start = cuts[-1]
        left = whole.spans[columns[start]][0]
        stop = max(start + 1, sum(whole.spans[id][1] - left <= limit for id in columns))
        while _wide(place(_row(view, columns, start, stop))) > limit:
            if stop > start + 1:
                stop -= 1
                continue
            upright = _upright(view, columns[start])
            if upright is None:
                return None
            view = upright
        cuts.append(stop)
    rows = _Rows(view, columns, cuts[:-1]).views()
    layouts = [place(row) for row in rows]
    if max(map(_wide, layouts)) > limit:
        return None
    boxes = {id: box for row in rows for id, box in row.boxes.items()}
    arrows = [arrow for row in rows for arrow in row.arrows]
    return replace(view, boxes=boxes, arrows=arrows), _stacked(layouts, BRACKET * len(view.shades))


def extent(layout: Layout) -> tuple[float, float, float, float]:
    """Return the left, lower, right and upper end of all that is placed."""
    places = [(layout.centre[id], size) for id, size in layout.size.items() if id in layout.centre]
    places += layout.badges.values()
    xs = [x + s * w / 2 for (x, _), (w, _) in places for s in (-1, 1)]
    ys = [y + s * h / 2 for (_, y), (_, h) in places for s in (-1, 1)]
    paths = [*(path for _, path in layout.ways), *layout.backs.values()]
    points = [point for path in paths for point in path]
    xs += [x for x, _ in points] + [x for span in layout.spans.values() for x in span]
    ys += [y for _, y in points] + [y for panel in layout.panels.values() for y in panel]
    return min(xs), min(ys), max(xs), max(ys)


def _wide(layout: Layout) -> float:
    left, _, right, _ = extent(layout)
    return right - left


def _upright(view: View, column: str) -> View | None:
    """Return a view in which what leads to initial states does so from below; None where it does already."""
    before = {id: list[str]() for id, box in view.boxes.items() if box.column == column}
    if not column.startswith(BEFORE) or len({view.boxes[id].band for id in before}) > 1:
        return None
    for arrow in view.arrows:
        if arrow.tail in before and arrow.head in before:
            before[arrow.head].append(arrow.tail)
    rank: dict[str, int] = {}
    for id in ordered(before):
        rank[id] = max((rank[tail] + 1 for tail in before[id]), default=0)
    if not (top := max(rank.values())):
        return None
    moved = {id: view.boxes[id].band - 2 * (top - n) for id, n in rank.items()}
    return replace(view, boxes={id: replace(b, band=moved.get(id, b.band)) for id, b in view.boxes.items()})


def _row(view: View, columns: list[str], start: int, stop: int) -> View:
    """Return the view of one row, as if there were one before it and one behind it."""
    starts = sorted({0, start, stop} - {len(columns)})
    return _Rows(view, columns, starts).views()[starts.index(start)]


class _Rows:
    """Views of a few steps each; ``starts`` are the numbers of the columns that rows begin with."""

    def __init__(self, view: View, columns: list[str], starts: list[int]) -> None:
        self.view = view
        stops = [*starts[1:], len(columns)]
        self.row = {id: n for n, (a, b) in enumerate(zip(starts, stops)) for id in columns[a:b]}
        self.count = len(starts)
        self.home: dict[str, int] = {}
        self.said: dict[str, dict[str, str]] = {}  # by box at the end of a row: what it stands for
        groups = {group: self.row.get(column, 0) for column, group in view.order.items()}
        for box in view.boxes.values():
            if box.column in self.row:
                self.home[box.id] = self.row[box.column]
            else:
                rows = (groups.get(group, 0) for group in box.groups)
                self.home[box.id] = max(rows, default=self.count - 1)
        for arrow in view.arrows:
            if view.boxes[arrow.tail].kind == "state":
                self.home[arrow.tail] = self.home[arrow.head]
        self.made: list[View] = [replace(view, boxes={}, arrows=[], notes=[]) for _ in range(self.count)]

    def views(self) -> list[View]:
        """Return the view of each row."""
        for id, box in self.view.boxes.items():
            self.made[self.home[id]].boxes[id] = box
        for arrow in self.view.arrows:
            for row, tail, head in self._ends(arrow):
                mine = self.made[row]
                mine.boxes.setdefault(tail.id, tail)
                mine.boxes.setdefault(head.id, head)
                new = replace(arrow, tail=tail.id, head=head.id)
                if tail.kind == "constant" and tail.id not in self.view.boxes:  # it stands for several
                    new.share = new.gradient = None
                if not any((a.tail, a.head, a.carry) == (new.tail, new.head, new.carry) for a in mine.arrows):
                    mine.arrows.append(new)
        for n, view in enumerate(self.made):
            view.columns = [column for column in self.view.columns if self.row.get(column.id) == n]
        return self.made

    def _ends(self, arrow: Arrow) -> Iterator[tuple[int, Box, Box]]:
        """Yield what stands for an arrow in each row: itself, or an end of it."""
        tail, head = self.view.boxes[arrow.tail], self.view.boxes[arrow.head]
        a, b = self.home[tail.id], self.home[head.id]
        if a == b:
            yield a, tail, head
        elif not head.column:
            yield a, tail, self._again(head, a)
        elif not tail.column:
            yield b, self._again(tail, b), head
        elif arrow.carry:
            number = str(self._index(tail))
            own, band = f"{tail.id}.{arrow.carry}", head.band if tail.kind == "fold" else tail.band
            port = Box(
                f"{own}.to", "state", arrow.carry, number, band, "", (), tail.groups, tail.unit,
                not tail.reverse, carries=[arrow.carry],
            )  # fmt: skip
            port = self.made[a].boxes.get(port.id, port)  # one for all rows that it goes to
            said = self.said.setdefault(port.id, {})
            said[str(b + 1)] = ""
            port.key, port.lines = (port.id,), [f"to row {', '.join(said)}"]
            yield a, tail, port
            enters = replace(
                port, id=f"{own}.in.{b + 1}", band=tail.band if head.kind == "fold" else head.band,
                groups=head.groups, reverse=head.reverse, lines=[f"from row {a + 1}"],
            )  # fmt: skip
            enters.key = (enters.id,)
            yield b, enters, head
        else:
            own = ".".join((f"row{b + 1}", str(head.band), *head.groups))
            said = self.said.setdefault(own, {})  # one for all that comes from rows above
            said.setdefault(tail.unit, tail.title)
            port = Box(own, "constant", "", "", head.band - 1, "", (own,), head.groups, tail.unit)
            port = self.made[b].boxes.get(own, port)
            port.title = ", ".join(dict.fromkeys(said.values()))
            port.lines = [f"{', '.join(said)}, from rows above"]
            yield b, port, head

    def _index(self, tail: Box) -> int:
        """Return which state it is that leaves a box: the last one of a box for all steps."""
        steps = [c.last + 1 for c in self.view.columns if c.id == tail.column]
        if tail.column.startswith(WHOLE):
            steps = [c.last + 1 for c in self.view.columns if c.group in tail.groups]
        return (min if tail.reverse else max)(steps, default=0)

    def _again(self, box: Box, row: int) -> Box:
        """Return what stands in another row for a box over all steps."""
        lines = [f"goes on in row {self.home[box.id] + 1}"]
        own = f"{box.id}.row{row + 1}"
        return replace(box, id=own, key=(own,), lines=lines, badges=[])


def _stacked(layouts: list[Layout], under: float) -> Layout:
    """Put rows one under the other."""
    found, y = Layout(), 0.0
    for layout in layouts:
        left, low, _, high = extent(layout)
        low = min(low, layout.bottom)
        moved(layout, -left, y - high)
        y -= high - low + APART + under
        for field in fields(Layout):
            mine, more = getattr(found, field.name), getattr(layout, field.name)
            if isinstance(mine, dict):
                mine.update(more)
            elif isinstance(mine, list):
                mine += more
    found.bottom = layouts[-1].bottom
    return found


def moved(layout: Layout, dx: float, dy: float) -> None:
    """Move all places of a picture."""

    def at(point: Point) -> Point:
        return point[0] + dx, point[1] + dy

    layout.centre = {id: at(point) for id, point in layout.centre.items()}
    layout.badges = {id: (at(point), size) for id, (point, size) in layout.badges.items()}
    layout.spans = {id: (a + dx, b + dx) for id, (a, b) in layout.spans.items()}
    layout.panels = {id: (a + dy, b + dy) for id, (a, b) in layout.panels.items()}
    layout.ways = [(arrow, [at(point) for point in path]) for arrow, path in layout.ways]
    layout.backs = {n: [at(point) for point in path] for n, path in layout.backs.items()}
    layout.floors = [(columns, y + dy) for columns, y in layout.floors]
    layout.bottom += dy
