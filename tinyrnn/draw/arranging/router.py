"""The way of each arrow, point by point, with a track of its own wherever it does not go straight."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from tinyrnn.draw.arranging.geometry import Layout, Point
from tinyrnn.draw.arranging.measure import Measures
from tinyrnn.draw.arranging.route import Path, corners, tidy, upward
from tinyrnn.draw.arranging.ways import Way
from tinyrnn.draw.reading.view import Arrow, Box, View

__all__ = ["Router"]

PORT = 14.0  # between arrows at one side of a box
TRACK = 13.0
LEAVING, STRAIGHT, ARRIVING = range(3)


class Router:
    """Ways through channels and gutters.

    Parameters
    ----------
    view : View
    layout : Layout
        With all that is known from left to right; heights are needed for `paths` only.
    measures : Measures
    ways : list of Way
    gutters : dict
        The number of the track of each (column, side, name).
    lefts : dict
        Where each block begins.
    """

    def __init__(
        self,
        view: View,
        layout: Layout,
        measures: Measures,
        ways: list[Way],
        gutters: dict[tuple[str, int, str], int],
        lefts: dict[tuple[str, int], float],
    ) -> None:
        self.lefts = lefts
        self.turns: Counter[tuple[str, int, int]] = Counter()
        self.heights: dict[tuple[int, int], float] = {}
        self.view, self.layout, self.measures, self.ways, self.gutters = view, layout, measures, ways, gutters
        self.index = {band: i for i, band in enumerate(view.bands)}
        self.around = [way for way in ways if way.kind in ("straight", "channel", "around")]
        self.ports: dict[tuple[int, int], float] = {}  # by way and end: where it leaves (0) and arrives (1)
        self.gaps: dict[tuple[int, int], float] = {}  # where it goes in or out beside a box
        self.wanted: dict[tuple[int, int], list[tuple[float, float, str]]] = {}
        self.track: dict[tuple[int, int, str], int] = {}
        self._beside()
        self._ports()

    # --- where arrows leave and arrive ----------------------------------------------------------------------
    def _beside(self) -> None:
        """Find the ends that others of the block stand over or under: these go in or out at the side."""
        counts: Counter[tuple[str, float]] = Counter()
        for i, way in enumerate(self.around):
            for end, box, sign in ((0, way.tail, 1), (1, way.head, -1)):
                block = self.measures.blocks.get((box.column, box.band))
                if block is None:
                    continue
                (x, _) = self.layout.centre[box.id]
                row = block.row[box.key]
                crowded = any(
                    other is not box
                    and (block.row[other.key] - row) * sign > 0
                    and abs(self.layout.centre[other.id][0] - x) < (self.measures.reach(other) + 10) / 2
                    for other in self.measures.cells[box.column, box.band]
                )
                if crowded or block.rows > 1:
                    flow = (1 if end == 0 else -1) * (-1 if box.reverse else 1)
                    widest = max(
                        self.measures.reach(other)
                        for other in self.measures.cells[box.column, box.band]
                        if block.rank[other.key] == block.rank[box.key]
                    )
                    edge = x + flow * widest / 2
                    n = counts[box.column, round(edge)]
                    counts[box.column, round(edge)] += 1
                    self.gaps[i, end] = edge + flow * (8 + 11 * n)

    def _name(self, way: Way) -> str:
        return way.bundle or f"{way.tail.id}>{way.head.id}>{way.arrow.carry}"

    def _wide(self, box: Box) -> bool:
        return not box.column and box.kind != "state"

    def _ports(self) -> None:
        """Spread the arrows along the sides of each box; on bars they stand where the other end is."""
        ends: dict[tuple[str, int], list[tuple[float, int]]] = {}
        for i, way in enumerate(self.around):
            for end, box, other in ((0, way.tail, way.head), (1, way.head, way.tail)):
                if (i, end) in self.gaps:
                    self.ports[i, end] = self.gaps[i, end]
                elif not self._wide(box):
                    x = self.layout.centre[other.id][0]
                    if way.gutter is not None:
                        x = self._gutter_x(way)
                    ends.setdefault((box.id, end), []).append((x, i))
        for (id, end), arrows in ends.items():
            x, names = self.layout.centre[id][0], dict[str, float]()
            arrows.sort()
            for _, i in arrows:
                names.setdefault(self._name(self.around[i]), 0.0)
            pitch = min(PORT, max(self.layout.size[id][0] - 12, 4) / max(len(names), 1))
            for n, name in enumerate(names):
                names[name] = x + pitch * (n - (len(names) - 1) / 2)
            for _, i in arrows:
                self.ports[i, end] = names[self._name(self.around[i])]
        for i, way in enumerate(self.around):  # where only one end is crowded, the other stands opposite
            if way.kind == "straight" and not (self._wide(way.tail) or self._wide(way.head)):
                for end, box in ((0, way.tail), (1, way.head)):
                    alone = len(ends.get((box.id, end), ())) == 1
                    room = self.layout.size[box.id][0] / 2 - 8
                    x = self.ports[i, 1 - end]
                    if alone and abs(x - self.layout.centre[box.id][0]) <= min(room, 16.0):
                        self.ports[i, end] = x
                        break
        taken: Counter[tuple[str, int]] = Counter()
        for i, way in enumerate(self.around):
            for end, box in ((0, way.tail), (1, way.head)):
                if (i, end) in self.ports:
                    continue
                x = self.ports.get((i, 1 - end))
                if way.kind == "around":
                    x = self._gutter_x(way)
                (centre, _), (w, _) = self.layout.centre[box.id], self.layout.size[box.id]
                if x is None:
                    x = centre + PORT * taken[box.id, end]
                    taken[box.id, end] += 1
                    self.ports.setdefault((i, 1 - end), x)
                self.ports[i, end] = min(max(x, centre - w / 2 + 6), centre + w / 2 - 12)

    def _gutter_x(self, way: Way) -> float:
        assert way.gutter is not None
        column, sign = way.gutter
        left, right = self.layout.spans[column]
        inset = 9.0 + TRACK * self.gutters[column, sign, self._name(way)]
        return right - inset if sign > 0 else left + inset - 4

    # --- tracks ---------------------------------------------------------------------------------------------
    def channels(self) -> dict[int, int]:
        """Give each arrow its tracks; return how many each channel has. Channel i is under band i."""
        for i, way in enumerate(self.around):
            x, y = self.ports[i, 0], self.ports[i, 1]
            name = self._name(way)
            if way.kind == "around":
                g = self._gutter_x(way)
                up, low = self._channel(way, 0), self._channel(way, 1)
                if up == low:
                    self._want(up, STRAIGHT, x, y, name)
                    continue
                if abs(x - g) > 0.5:
                    self._want(up, LEAVING, x, g, name)
                if abs(y - g) > 0.5:
                    self._want(low, ARRIVING, g, y, name)
            elif abs(x - y) > 0.5:
                self._want(self._channel(way, 1), STRAIGHT, x, y, name)
        counts: dict[int, int] = {}
        for channel, kind in sorted(self.wanted):
            rows: list[list[tuple[float, float, str]]] = []
            for a, b, name in sorted(self.wanted[channel, kind]):
                free = (
                    n
                    for n, row in enumerate(rows)
                    if all(other == name or b + 9 < low or high + 9 < a for low, high, other in row)
                )
                n = next(free, len(rows))
                rows[n:] = [*rows[n:], []] if n == len(rows) else rows[n:]
                rows[n].append((a, b, name))
                self.track[channel, kind, name] = counts.get(channel, 0) + n
            counts[channel] = counts.get(channel, 0) + len(rows)
        return counts

    def _want(self, channel: int, kind: int, a: float, b: float, name: str) -> None:
        self.wanted.setdefault((channel, kind), []).append((min(a, b), max(a, b), name))

    def _channel(self, way: Way, end: int) -> int:
        """Return the channel that a way leaves into, or arrives from."""
        if end == 0:
            return max(self.index.get(band, 0) for band in way.tail.bands or {way.tail.band}) + 1
        return min(self.index.get(band, 0) for band in way.head.bands or {way.head.band})

    # --- points ---------------------------------------------------------------------------------------------
    def paths(self, bottoms: dict[int, float]) -> list[tuple[Arrow, Path]]:
        """Return the way of each arrow; ``bottoms`` are the heights at which the channels begin."""
        self.bottoms = bottoms
        places = {id(way): i for i, way in enumerate(self.around)}
        found: list[tuple[Arrow, Path]] = []
        for way in self.ways:
            if way.kind == "loop":
                path = self._loop(way.tail, way.arrow)
            elif way.kind == "lane":
                path = self._lane(way)
            elif way.kind == "inside":
                path = self._inside(way)
            else:
                path = self._through(way, places[id(way)])
            found.append((way.arrow, path))
        return found

    def _y(self, channel: int, kind: int, name: str) -> float | None:
        n = self.track.get((channel, kind, name))
        return None if n is None else self.bottoms[channel] + 11.0 + TRACK * n

    def _through(self, way: Way, i: int) -> Path:
        x, y, name = self.ports[i, 0], self.ports[i, 1], self._name(way)
        up, low = self._channel(way, 0), self._channel(way, 1)
        points = self._exit(way.tail, i, x)
        if way.kind == "around" and up != low:
            g = self._gutter_x(way)
            for channel, kind, at in ((up, LEAVING, g), (low, ARRIVING, y)):
                level = self._y(channel, kind, name)
                if level is not None:
                    points += [(points[-1][0], level), (at, level)]
        else:
            level = self._y(low, STRAIGHT, name)
            if level is not None:
                points += [(x, level), (y, level)]
        return corners(tidy([*points, *self._entry(way.head, i, y)]), 5.0)

    def _exit(self, box: Box, i: int, x: float) -> list[Point]:
        if (i, 0) not in self.gaps:
            return [(x, self.layout.end(box.id, 1))]
        (cx, cy), (w, h) = self.layout.centre[box.id], self.layout.size[box.id]
        sign = 1 if x > cx else -1
        return [(cx + sign * w / 2, cy + h / 4), (x, cy + h / 4)]

    def _entry(self, box: Box, i: int, x: float) -> list[Point]:
        if (i, 1) not in self.gaps:
            return [(x, self.layout.end(box.id, -1))]
        (cx, cy), (w, h) = self.layout.centre[box.id], self.layout.size[box.id]
        sign = 1 if x > cx else -1
        return [(x, cy - h / 4), (cx + sign * w / 2, cy - h / 4)]

    def _lane(self, way: Way) -> Path:
        """Along the lane of a state, out of one step and into another one."""
        layout, tail, head, arrow = self.layout, way.tail, way.head, way.arrow
        sign = 1.0 if layout.centre[head.id][0] > layout.centre[tail.id][0] else -1.0
        band = head.band if tail.kind == "fold" else tail.band
        lane = layout.lanes.get((band, arrow.carry), layout.centre[tail.id][1])
        x, y = layout.side(tail.id, sign)
        leaves = [(x, lane if self._covers(tail, lane) else y)]
        leaves += layout.bends.get((tail.id, "out", arrow.carry), [])
        x, y = layout.side(head.id, -sign)
        comes = layout.bends.get(("in", arrow.carry, head.id), [])
        comes = [*comes, (x, lane if self._covers(head, lane) else self._port(head, way, 1))]
        points = self._turned(leaves, tail, sign, lane_after=lane)
        for box, end in ((tail, sign), (head, -sign)):
            if box.column and box.kind != "fold":
                points.append((layout.spans[box.column][1 if end > 0 else 0], lane))
        points += self._turned([(points[-1][0], lane), *comes], head, sign)[1:]
        kept = [points[0]]
        for point in points[1:]:
            if (point[0] - kept[-1][0]) * sign > -0.01:
                kept.append(point)
        return corners(tidy(kept if len(kept) > 1 else [points[0], points[-1]]), 5.0)

    def _turned(
        self, points: list[Point], box: Box, sign: float, *, lane_after: float | None = None
    ) -> list[Point]:
        """Go through points sideways, and change rows upright, each time on a track of its own."""
        block = self.measures.blocks.get((box.column, box.band))
        found = [points[0]]
        ends = [*points, (points[-1][0] + sign, lane_after)] if lane_after is not None else points
        for (ax, ay), (bx, by) in pairwise(ends):
            if abs(ay - by) > 0.05:
                x = (ax + bx) / 2 if block is None else self._turn(box, (ax, bx), sign)
                found += [(x, ay), (x, by)]
            found.append((bx, by))
        return found

    def _turn(self, box: Box, between: tuple[float, float], sign: float) -> float:
        """Return the next free track of the gap, inside a block, that lies before a place."""
        block = self.measures.blocks[box.column, box.band]
        left = self.lefts[box.column, box.band]
        places = {r: left + (block.width - x if box.reverse else x) for r, x in block.gaps.items()}
        low, high = sorted(between)
        found = [r for r, x in places.items() if low - 1 <= x <= high + 1]
        gap = max(found, default=-1, key=lambda r: places[r] * sign)  # the last one on the way
        n = self.turns[box.column, box.band, gap]
        self.turns[box.column, box.band, gap] += 1
        return places[gap] + sign * (10.0 + 11.0 * n)

    def _covers(self, box: Box, y: float) -> bool:
        return abs(self.layout.centre[box.id][1] - y) < self.layout.size[box.id][1] / 2

    def _loop(self, box: Box, arrow: Arrow) -> Path:
        """Return the arrow of the rolled picture: out of the box and back into it, one step later."""
        (x, y), (w, _) = self.layout.centre[box.id], self.layout.size[box.id]
        lane = self.layout.lanes.get((box.band, arrow.carry), y)
        sign = -1.0 if box.reverse else 1.0
        edge, far = x + sign * w / 2, x + sign * (w / 2 + 40)
        return corners([(edge, lane + 9), (far, lane + 9), (far, lane - 9), (edge, lane - 9)], 8.0)

    def _inside(self, way: Way) -> Path:
        layout, tail, head = self.layout, way.tail, way.head
        (ax, ay), (bx, by) = layout.centre[tail.id], layout.centre[head.id]
        if abs(ax - bx) < 1:  # one above the other
            sign = 1.0 if by > ay else -1.0
            return upward((ax, layout.end(tail.id, sign)), (bx, layout.end(head.id, -sign)))
        sign = 1.0 if bx > ax else -1.0
        bends = layout.bends.get((tail.id, head.id), [])
        start = (layout.side(tail.id, sign)[0], self._port(tail, way, 0))
        end = (layout.side(head.id, -sign)[0], self._port(head, way, 1))
        return corners(tidy(self._turned([start, *bends, end], tail, sign)), 5.0)

    def _port(self, box: Box, way: Way, end: int) -> float:
        """Return the height at which an arrow of a block leaves or arrives: above or below the middle."""
        if not self.heights:
            self._spread_inside()
        return self.heights.get((id(way), end), self.layout.centre[box.id][1])

    def _spread_inside(self) -> None:
        """Give the arrows at the sides of boxes in blocks a height each, by where they come from or go."""
        sides: dict[tuple[str, int], list[tuple[float, int, Way]]] = {}
        for i, way in enumerate(self.ways):
            lane = way.kind == "lane"
            if way.kind != "inside" and not lane:
                continue
            for end, box, other in ((0, way.tail, way.head), (1, way.head, way.tail)):
                if (box.column, box.band) in self.measures.blocks and not (lane and end == 0):
                    y = self.layout.centre[other.id][1]
                    if lane:
                        y = self.layout.lanes.get((box.band, way.arrow.carry), y)
                    sides.setdefault((box.id, end), []).append((y, i, way))
        for (id_, end), arrows in sides.items():
            middle, half = self.layout.centre[id_][1], self.layout.size[id_][1] / 2 - 6
            above = sorted(a for a in arrows if a[0] > middle + 0.5)
            below = sorted((a for a in arrows if a[0] < middle - 0.5), key=lambda a: -a[0])
            for sign, group in ((1, above), (-1, below)):
                pitch = min(11.0, half / max(len(group), 1))
                for n, (_, _, way) in enumerate(group):
                    self.heights[id(way), end] = middle + sign * pitch * (n + 1)
