"""Where each arrow leaves and arrives, and the tracks that it has to itself on its way."""

from __future__ import annotations

from collections import Counter

from tinyrnn.draw.arranging.block import track_at
from tinyrnn.draw.arranging.geometry import Layout
from tinyrnn.draw.arranging.measure import TRACK, Measures
from tinyrnn.draw.arranging.ways import Way
from tinyrnn.draw.viewing.view import Box, View

__all__ = ["ARRIVING", "LEAVING", "STRAIGHT", "Tracks"]

PORT = 14.0  # between arrows at one side of a box
LEAVING, STRAIGHT, ARRIVING = range(3)


class Tracks:
    """Ports at boxes, and tracks in channels, gutters and the gaps of blocks, once all is set sideways.

    ``gutters`` has the number of the track of each (column, side, name), ``lefts`` where each block begins.
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
        self.taken: Counter[tuple[str, int, int]] = Counter()
        self.ports: dict[tuple[Way, int], float] = {}  # by way and end: where it leaves (0) and arrives (1)
        self.gaps: dict[tuple[Way, int], float] = {}  # where it goes in or out beside a box
        self.wanted: dict[tuple[int, int], list[tuple[float, float, str]]] = {}
        self.track: dict[tuple[int, int, str], int] = {}
        self._beside()
        self._ports()

    # --- where arrows leave and arrive ----------------------------------------------------------------------
    def _beside(self) -> None:
        """In a block of several rows, arrows from and to other bands go out and in at the sides of boxes."""
        for way in self.around:
            for end, box, _ in way.ends:
                block = self.measures.blocks.get((box.column, box.band))
                if block is not None and block.rows > 1:
                    gap = block.rank[box.key] - end
                    self.gaps[way, end] = self.at(box, gap, 0)
                    self.taken[box.column, box.band, gap] += 1

    def at(self, box: Box, gap: int, n: int) -> float:
        """Return where a track of the gap behind a rank of a box's block is; those beside them are first."""
        spot = (box.column, box.band)
        block = self.measures.blocks[spot]
        x = block.gaps[gap] + track_at(self.taken[*spot, gap] + n)
        return self.lefts[spot] + (block.width - x if box.reverse else x)

    def _wide(self, box: Box) -> bool:
        return not box.column and box.kind != "state"

    def _ports(self) -> None:
        """Spread the arrows along the sides of each box; on bars they stand where the other end is."""
        self.ports |= self.gaps
        ends: dict[tuple[str, int], list[tuple[float, Way]]] = {}
        for way in self.around:
            for end, box, other in way.ends:
                if (way, end) not in self.gaps and not self._wide(box):
                    x = self.layout.centre[other.id][0] if way.gutter is None else self.gutter_x(way)
                    ends.setdefault((box.id, end), []).append((x, way))
        for (id, end), arrows in ends.items():
            x = self.layout.centre[id][0]
            names = dict.fromkeys(way.name for _, way in sorted(arrows, key=lambda a: a[0]))
            pitch = min(PORT, max(self.layout.size[id][0] - 12, 4) / max(len(names), 1))
            places = {name: x + pitch * (n - (len(names) - 1) / 2) for n, name in enumerate(names)}
            self.ports |= {(way, end): places[way.name] for _, way in arrows}
        for way in self.around:  # where only one end is crowded, the other stands opposite
            if way.kind == "straight" and not (self._wide(way.tail) or self._wide(way.head)):
                for end, box, _ in way.ends:
                    alone = len(ends.get((box.id, end), ())) == 1
                    room = self.layout.size[box.id][0] / 2 - 8
                    x = self.ports[way, 1 - end]
                    if alone and abs(x - self.layout.centre[box.id][0]) <= min(room, 16.0):
                        self.ports[way, end] = x
                        break
        taken: Counter[tuple[str, int]] = Counter()
        beside: dict[tuple[str, int], list[tuple[float, Way]]] = {}
        for way in self.around:
            for end, box, _ in way.ends:
                if (way, end) in self.ports:
                    continue
                x = self.gutter_x(way) if way.kind == "around" else self.ports.get((way, 1 - end))
                (centre, _), (w, _) = self.layout.centre[box.id], self.layout.size[box.id]
                if x is None:
                    x = centre + PORT * taken[box.id, end]
                    taken[box.id, end] += 1
                    self.ports.setdefault((way, 1 - end), x)
                low, high = centre - w / 2 + 6, centre + w / 2 - 12
                self.ports[way, end] = min(max(x, low), high)
                if x > high:
                    beside.setdefault((box.id, end), []).append((x, way))
        for (_, end), arrows in beside.items():  # what comes from further right arrives further right
            names = dict.fromkeys(way.name for _, way in sorted(arrows, key=lambda a: a[0])[::-1])
            places = {name: PORT * n for n, name in enumerate(names)}
            for _, way in arrows:
                self.ports[way, end] -= places[way.name]

    def gutter_x(self, way: Way) -> float:
        """Return where a way goes up or down beside a column."""
        assert way.gutter is not None
        column, sign = way.gutter
        left, right = self.layout.spans[column]
        inset = 9.0 + TRACK * self.gutters[column, sign, way.name]
        return right - inset if sign > 0 else left + inset - 4

    # --- tracks ---------------------------------------------------------------------------------------------
    def channels(self) -> dict[int, int]:
        """Give each arrow its tracks; return how many each channel has. Channel i is under band i."""
        for way in self.around:
            x, y = self.ports[way, 0], self.ports[way, 1]
            up, low = self.channel(way, 0), self.channel(way, 1)
            if way.kind == "around" and up != low:
                g = self.gutter_x(way)
                wanted = [(up, LEAVING, x, g), (low, ARRIVING, g, y)]
            else:
                wanted = [(low, STRAIGHT, x, y)]
            for channel, kind, a, b in wanted:
                if abs(a - b) > 0.5 or (way.kind == "around" and kind == STRAIGHT):
                    track = min(a, b), max(a, b), way.name
                    self.wanted.setdefault((channel, kind), []).append(track)
        counts: dict[int, int] = {}
        for channel, kind in sorted(self.wanted):
            rows: list[list[tuple[float, float, str]]] = []
            ends: dict[str, list[float]] = {}  # what shares a track has one, as long as all need
            for a, b, name in self.wanted[channel, kind]:
                ends.setdefault(name, []).extend((a, b))
            for a, b, name in sorted((min(xs), max(xs), name) for name, xs in ends.items()):
                clear = (all(b + 9 < low or high + 9 < a for low, high, _ in row) for row in rows)
                n = next((n for n, free in enumerate(clear) if free), len(rows))
                if n == len(rows):
                    rows.append([])
                rows[n].append((a, b, name))
                self.track[channel, kind, name] = counts.get(channel, 0) + n
            counts[channel] = counts.get(channel, 0) + len(rows)
        return counts

    def channel(self, way: Way, end: int) -> int:
        """Return the channel that a way leaves into, or arrives from."""
        box = way.head if end else way.tail
        bands = [self.index.get(band, 0) for band in box.bands or {box.band}]
        return min(bands) if end else max(bands) + 1

    def level(self, channel: int, kind: int, name: str) -> float | None:
        """Return how far over the floor of its channel a track lies."""
        n = self.track.get((channel, kind, name))
        return None if n is None else 11.0 + TRACK * n
