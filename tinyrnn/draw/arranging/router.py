"""The way of each arrow, point by point: lines along the axes, each with a place of its own."""

from __future__ import annotations

from itertools import pairwise

from tinyrnn.draw.arranging.geometry import Layout, Point
from tinyrnn.draw.arranging.measure import PORT, Measures
from tinyrnn.draw.arranging.route import BESIDE, Path, beside, corners, tidy
from tinyrnn.draw.arranging.tracks import ARRIVING, LEAVING, STRAIGHT, Tracks
from tinyrnn.draw.arranging.ways import Way
from tinyrnn.draw.viewing.view import Arrow, Box

__all__ = ["Router"]

PASS = 20.0  # below its lane passes a state that leaves or comes where a loop is
ABOVE = 1e9  # what goes up or down beside a block goes further than all that is in it


class Router:
    """Ways through channels, gutters and blocks, where all boxes are placed.

    ``bottoms`` are the heights at which the channels begin.
    """

    def __init__(
        self, layout: Layout, measures: Measures, ways: list[Way], tracks: Tracks, bottoms: dict[int, float]
    ) -> None:
        self.layout, self.measures, self.ways, self.tracks = layout, measures, ways, tracks
        self.bottoms = bottoms
        self.heights: dict[tuple[Way, int], float] = {}
        self.turns: dict[tuple[str, int, int], list[Point]] = {}  # the heights before and after each turn
        self.order: dict[tuple[str, int, int], list[int]] = {}
        self.looped = {(w.tail.id, -1.0 if w.tail.reverse else 1.0) for w in ways if w.kind == "loop"}
        self._spread()

    def run(self) -> list[tuple[Arrow, Path]]:
        """Return the way of each arrow; note in the layout the way of the gradient beside each."""
        for way in self.ways:
            if way.kind in ("lane", "inside"):
                self._points(way)
        self.order = {gap: _ordered(turns) for gap, turns in self.turns.items()}
        self.turns.clear()
        found: list[tuple[Arrow, Path]] = []
        trunks: dict[tuple[str, str], list[list[Point]]] = {}
        for way in self.ways:
            arrow = way.arrow
            if way.kind == "loop":
                found.append((arrow, self._loop(way.tail, arrow)))
                continue
            points = tidy(self._points(way))
            back = beside(points, BESIDE)
            if way.kind == "lane":
                mine = trunks.setdefault((arrow.tail, arrow.carry), [])
                whole = [points, back]
                points, back = (_forked(line, mine[k::2]) for k, line in enumerate(whole))
                arrow.joins = back is not whole[1]
                mine += whole
            self.layout.backs[id(arrow)] = corners(back, 5.0)[::-1]
            found.append((arrow, corners(points, 5.0)))
        return found

    def _points(self, way: Way) -> list[Point]:
        return {"lane": self._lane, "inside": self._inside}.get(way.kind, self._through)(way)

    # --- between bands --------------------------------------------------------------------------------------
    def _through(self, way: Way) -> list[Point]:
        tracks = self.tracks
        x, y = tracks.ports[way, 0], tracks.ports[way, 1]
        up, low = tracks.channel(way, 0), tracks.channel(way, 1)
        points = self._end(way, 0)
        if way.kind == "around" and up != low:
            g = tracks.gutter_x(way)
            for channel, kind, at in ((up, LEAVING, g), (low, ARRIVING, y)):
                level = tracks.level(channel, kind, way.name)
                if level is not None:
                    level += self.bottoms[channel]
                    points += [(points[-1][0], level), (at, level)]
        else:
            level = tracks.level(low, STRAIGHT, way.name)
            if level is not None:
                points += [(x, self.bottoms[low] + level), (y, self.bottoms[low] + level)]
        return [*points, *self._end(way, 1)[::-1]]

    def _end(self, way: Way, end: int) -> list[Point]:
        """Go out at the upper side of the tail (0), in at the lower side of the head (1), or beside boxes."""
        box, x = (way.head if end else way.tail), self.tracks.ports[way, end]
        if (way, end) not in self.tracks.gaps:
            return [(x, self.layout.end(box.id, -1 if end else 1))]
        y = self._port(box, way, end)
        return [(self.layout.side(box.id, 1 if x > self.layout.centre[box.id][0] else -1)[0], y), (x, y)]

    # --- between steps --------------------------------------------------------------------------------------
    def _lane(self, way: Way) -> list[Point]:
        """Along the lane of a state, out of one step and into another one."""
        layout, tail, head, arrow = self.layout, way.tail, way.head, way.arrow
        sign = 1.0 if layout.centre[head.id][0] > layout.centre[tail.id][0] else -1.0
        band = head.band if tail.kind == "fold" else tail.band
        lane = layout.lanes.get((band, arrow.carry), layout.centre[tail.id][1])
        if {(tail.id, sign), (head.id, -sign)} & self.looped:
            lane -= PASS
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
        return kept if len(kept) > 1 else [points[0], points[-1]]

    def _covers(self, box: Box, y: float) -> bool:
        return abs(self.layout.centre[box.id][1] - y) < self.layout.size[box.id][1] / 2

    def _loop(self, box: Box, arrow: Arrow) -> Path:
        """Return the arrow of the rolled picture: out of the box and back into it, one step later."""
        (x, y), (w, _) = self.layout.centre[box.id], self.layout.size[box.id]
        lane = self.layout.lanes.get((box.band, arrow.carry), y)
        sign = -1.0 if box.reverse else 1.0
        edge, far = x + sign * w / 2, x + sign * (w / 2 + 40)
        return corners([(edge, lane + 9), (far, lane + 9), (far, lane - 9), (edge, lane - 9)], 8.0)

    # --- inside a step --------------------------------------------------------------------------------------
    def _inside(self, way: Way) -> list[Point]:
        layout, tail, head = self.layout, way.tail, way.head
        (ax, ay), (bx, by) = layout.centre[tail.id], layout.centre[head.id]
        if abs(ax - bx) < 1:  # one above the other
            sign = 1.0 if by > ay else -1.0
            return [(ax, layout.end(tail.id, sign)), (ax, layout.end(head.id, -sign))]
        sign = 1.0 if bx > ax else -1.0
        bends = layout.bends.get((tail.id, head.id), [])
        start = (layout.side(tail.id, sign)[0], self._port(tail, way, 0))
        end = (layout.side(head.id, -sign)[0], self._port(head, way, 1))
        return self._turned([start, *bends, end], tail, sign)

    def _turned(
        self, points: list[Point], box: Box, sign: float, *, lane_after: float | None = None
    ) -> list[Point]:
        """Go through points sideways, and change rows upright, each time on a track of its own."""
        found = [points[0]]
        ends = [*points, (points[-1][0] + sign, lane_after)] if lane_after is not None else points
        for (ax, ay), (bx, by) in pairwise(ends):
            if abs(ay - by) > 0.05:
                x = self._turn(box, (ax, ay), (bx, by), sign)
                found += [(x, ay), (x, by)]
            found.append((bx, by))
        return found

    def _turn(self, box: Box, before: Point, after: Point, sign: float) -> float:
        """Return the track of a turn in the last gap, inside a block, that lies on the way."""
        block = self.measures.blocks.get((box.column, box.band))
        if block is None:
            return (before[0] + after[0]) / 2
        left = self.tracks.lefts[box.column, box.band]
        places = {r: left + (block.width - x if box.reverse else x) for r, x in block.gaps.items()}
        low, high = sorted((before[0], after[0]))
        found = [r for r, x in places.items() if low - 1 <= x <= high + 1]
        gap = max(found, default=-1, key=lambda r: places[r] * sign)
        mine = self.turns.setdefault((box.column, box.band, gap), [])
        mine.append((before[1], after[1]))
        order = self.order.get((box.column, box.band, gap))
        return self.tracks.at(box, gap, len(mine) - 1 if order is None else order[len(mine) - 1])

    def _port(self, box: Box, way: Way, end: int) -> float:
        """Return the height at which an arrow leaves or arrives at a side: above or below the middle."""
        return self.heights.get((way, end), self.layout.centre[box.id][1])

    def _gradient_above(self, way: Way) -> bool:
        """Whether the gradient goes back above its arrow where that arrives; see `beside`."""
        tracks, centre = self.tracks, self.layout.centre
        if (way, 1) not in tracks.gaps:
            return False
        leaves_left = (way, 0) in tracks.gaps and tracks.gaps[way, 0] < centre[way.tail.id][0]
        return leaves_left == (tracks.gaps[way, 1] < centre[way.head.id][0])

    def _spread(self) -> None:
        """Give the arrows at the sides of boxes in blocks a height each, by where they come from or go."""
        sides: dict[tuple[str, int], list[tuple[float, bool, Way]]] = {}
        for way in self.ways:
            for end, box, other in way.ends:
                if (box.column, box.band) not in self.measures.blocks or (way.kind == "lane" and not end):
                    continue
                y = self.layout.centre[other.id][1]
                if way.kind == "lane":
                    y = self.layout.lanes.get((box.band, way.arrow.carry), y)
                elif (way, end) in self.tracks.gaps:
                    y = -ABOVE if end else ABOVE
                elif way.kind != "inside":
                    continue
                else:  # past boxes of its own row it goes by the bends
                    bends = self.layout.bends.get((way.tail.id, way.head.id), [])
                    y = bends[-end][1] if bends else y
                over = end == 1 and self._gradient_above(way)
                sides.setdefault((box.id, end), []).append((y, over, way))
        for (id_, end), arrows in sides.items():
            middle, half = self.layout.centre[id_][1], self.layout.size[id_][1] / 2 - 6
            above = sorted((a for a in arrows if a[0] > middle + 0.5), key=lambda a: a[:2])
            below = sorted((a for a in arrows if a[0] < middle - 0.5), key=lambda a: (-a[0], not a[1]))
            for sign, group in ((1, above), (-1, below)):
                # What attention looks at shares one.
                shared = [way if way.arrow.share is None else None for _, _, way in group]
                places = {port: n for n, port in enumerate(dict.fromkeys(shared), 1)}
                pitch = min(PORT, half / max(len(places), 1))
                for (_, _, way), port in zip(group, shared):
                    self.heights[way, end] = middle + sign * pitch * places[port]


def _forked(line: list[Point], others: list[list[Point]]) -> list[Point]:
    """Leave out what another line from the same place has drawn already: it forks where they part."""
    for other in others:
        for n, ((a, b), (c, d)) in enumerate(zip(pairwise(line), pairwise(other))):
            if a != c or (b[0] != a[0]) != (d[0] != c[0]):
                line = line[n:]
                break
            if b != d:  # the same direction; the shorter of the two ends
                nearer = min(b, d, key=lambda p: abs(p[0] - a[0]) + abs(p[1] - a[1]))
                line = [nearer, *line[n + 1 :]] if nearer != b else line[n + 1 :]
                break
    return line


def _ordered(turns: list[Point]) -> list[int]:
    """Return the place of each turn of a gap: one that comes level turns before another one goes on there."""
    left, places = list(range(len(turns))), dict[int, int]()
    while left:
        free = (j for j in left if not any(abs(turns[i][0] - turns[j][1]) < 8 for i in left if i != j))
        n = next(free, left[0])
        left.remove(n)
        places[n] = len(places)
    return [places[n] for n in range(len(turns))]
