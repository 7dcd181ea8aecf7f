"""Where each arrow leaves and arrives, and the tracks that it has to itself on its way."""

from __future__ import annotations

from collections import Counter

from tinyrnn.draw.arranging.block import track_at
from tinyrnn.draw.arranging.geometry import Layout
from tinyrnn.draw.arranging.measure import TRACK, Measures
from tinyrnn.draw.arranging.ways import Way
from tinyrnn.draw.reading.view import Box, View

__all__ = ["ARRIVING", "LEAVING", "STRAIGHT", "Tracks"]

PORT = 14.0  # between arrows at one side of a box
LEAVING, STRAIGHT, ARRIVING = range(3)


class Tracks:
    """Ports at boxes, and tracks in channels, gutters and the gaps of blocks.

    Parameters
    ----------
    view : View
    layout : Layout
        With all that is known from left to right.
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
        self.layout, self.measures, self.gutters, self.lefts = layout, measures, gutters, lefts
        self.index = {band: i for i, band in enumerate(view.bands)}
        self.around = [way for way in ways if way.kind in ("straight", "channel", "around")]
        self.place = {id(way): i for i, way in enumerate(self.around)}
        self.taken: Counter[tuple[str, int, int]] = Counter()
        self.ports: dict[tuple[int, int], float] = {}  # by way and end: where it leaves (0) and arrives (1)
        self.gaps: dict[tuple[int, int], float] = {}  # where it goes in or out beside a box
        self.wanted: dict[tuple[int, int], list[tuple[float, float, str]]] = {}
        self.track: dict[tuple[int, int, str], int] = {}
        self._beside()
        self._ports()

    # --- where arrows leave and arrive ----------------------------------------------------------------------
    def _beside(self) -> None:
        """In a block of several rows, arrows from and to other bands go out and in at the sides of boxes."""
        for i, way in enumerate(self.around):
            for end, box in ((0, way.tail), (1, way.head)):
                block = self.measures.blocks.get((box.column, box.band))
                if block is not None and block.rows > 1:
                    gap = block.rank[box.key] - end
                    self.gaps[i, end] = self.at(box, gap, 0)
                    self.taken[box.column, box.band, gap] += 1

    def at(self, box: Box, gap: int, n: int) -> float:
        """Return where a track of the gap behind a rank of a box's block is; those beside them are first."""
        spot = (box.column, box.band)
        block = self.measures.blocks[spot]
        x = block.gaps[gap] + track_at(self.taken[*spot, gap] + n)
        return self.lefts[spot] + (block.width - x if box.reverse else x)

    def name(self, way: Way) -> str:
        """Return what arrows that share their tracks have in common."""
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
                        x = self.gutter_x(way)
                    ends.setdefault((box.id, end), []).append((x, i))
        for (id, end), arrows in ends.items():
            x, names = self.layout.centre[id][0], dict[str, float]()
            arrows.sort()
            for _, i in arrows:
                names.setdefault(self.name(self.around[i]), 0.0)
            pitch = min(PORT, max(self.layout.size[id][0] - 12, 4) / max(len(names), 1))
            for n, name in enumerate(names):
                names[name] = x + pitch * (n - (len(names) - 1) / 2)
            for _, i in arrows:
                self.ports[i, end] = names[self.name(self.around[i])]
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
        beside: dict[tuple[str, int], list[tuple[float, int]]] = {}
        for i, way in enumerate(self.around):
            for end, box in ((0, way.tail), (1, way.head)):
                if (i, end) in self.ports:
                    continue
                x = self.ports.get((i, 1 - end))
                if way.kind == "around":
                    x = self.gutter_x(way)
                (centre, _), (w, _) = self.layout.centre[box.id], self.layout.size[box.id]
                if x is None:
                    x = centre + PORT * taken[box.id, end]
                    taken[box.id, end] += 1
                    self.ports.setdefault((i, 1 - end), x)
                low, high = centre - w / 2 + 6, centre + w / 2 - 12
                self.ports[i, end] = min(max(x, low), high)
                if x > high:
                    beside.setdefault((box.id, end), []).append((x, i))
        for (_, end), arrows in beside.items():  # what comes from further right arrives further right
            names = dict.fromkeys(self.name(self.around[i]) for _, i in sorted(arrows, reverse=True))
            places = {name: PORT * n for n, name in enumerate(names)}
            for _, i in arrows:
                self.ports[i, end] -= places[self.name(self.around[i])]

    def gutter_x(self, way: Way) -> float:
        """Return where a way goes up or down beside a column."""
        assert way.gutter is not None
        column, sign = way.gutter
        left, right = self.layout.spans[column]
        inset = 9.0 + TRACK * self.gutters[column, sign, self.name(way)]
        return right - inset if sign > 0 else left + inset - 4

    # --- tracks ---------------------------------------------------------------------------------------------
    def channels(self) -> dict[int, int]:
        """Give each arrow its tracks; return how many each channel has. Channel i is under band i."""
        for i, way in enumerate(self.around):
            x, y = self.ports[i, 0], self.ports[i, 1]
            name = self.name(way)
            if way.kind == "around":
                g = self.gutter_x(way)
                up, low = self.channel(way, 0), self.channel(way, 1)
                if up == low:
                    self._want(up, STRAIGHT, x, y, name)
                    continue
                if abs(x - g) > 0.5:
                    self._want(up, LEAVING, x, g, name)
                if abs(y - g) > 0.5:
                    self._want(low, ARRIVING, g, y, name)
            elif abs(x - y) > 0.5:
                self._want(self.channel(way, 1), STRAIGHT, x, y, name)
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

    def channel(self, way: Way, end: int) -> int:
        """Return the channel that a way leaves into, or arrives from."""
        if end == 0:
            return max(self.index.get(band, 0) for band in way.tail.bands or {way.tail.band}) + 1
        return min(self.index.get(band, 0) for band in way.head.bands or {way.head.band})

    def level(self, channel: int, kind: int, name: str) -> float | None:
        """Return how far over the floor of its channel a track lies."""
        n = self.track.get((channel, kind, name))
        return None if n is None else 11.0 + TRACK * n
