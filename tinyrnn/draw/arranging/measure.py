"""How large everything is, before it is known where it stands: boxes, badges, and the inside of steps."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tinyrnn.draw.arranging.block import Block, Item, Shape, block_of
from tinyrnn.draw.arranging.geometry import Point, badge_lines
from tinyrnn.draw.arranging.ways import Way
from tinyrnn.draw.reading.leads import ordered
from tinyrnn.draw.text import BADGE, LINE, TITLE, width
from tinyrnn.draw.viewing.view import Box, View

__all__ = ["BESIDE", "PORT", "TRACK", "Measures"]

TRACK = 15.0  # from one track to the next: an arrow, its gradient beside it, and room for another one's
PORT = 11.0  # between arrows at the side of a box
BESIDE = 12.0  # between boxes that stand side by side
ROOM = 22.0  # between the two columns of badges under a box, for the arrows that come up
LEAST = {"cell": (96.0, 40.0), "op": (44.0, 0.0), "fold": (170.0, 96.0)}  # width and height of a kind


class Measures:
    """The sizes in a view, and the blocks in which boxes of one column and band stand.

    ``cells`` are the boxes of each (column, band), ``blocks`` the block of each with several that are linked.
    """

    def __init__(self, view: View, ways: list[Way]) -> None:
        self.view, self.ways = view, ways
        self.size: dict[str, Point] = {}
        self.badge_rows: dict[tuple[str, ...], Point] = {}
        self.room: dict[tuple[str, ...], float] = {}
        self.blocks: dict[tuple[str, int], Block] = {}
        self.cells: dict[tuple[str, int], list[Box]] = {}
        for box in view.boxes.values():
            if box.column and box.kind != "fold":
                self.cells.setdefault((box.column, box.band), []).append(box)
        self._sizes()
        self._lay_blocks()

    def _sizes(self) -> None:
        boxes = self.view.boxes
        widest: dict[tuple[str, ...], float] = {}
        sides = Counter[tuple[str, int]]()  # arrows of a box from and to other bands, and half of the others
        inner = Counter[str]()  # arrows to a box from the others of its step and row
        rising: dict[str, set[str]] = {}  # arrows that come up to a box
        for way in self.ways:
            if way.kind in ("straight", "channel", "around"):
                rising.setdefault(way.head.id, set()).add(way.name)
        for arrow in self.view.arrows:
            tail, head = boxes[arrow.tail], boxes[arrow.head]
            within = (tail.column, tail.band) == (head.column, head.band)
            inner[head.id] += within and not arrow.carry
            if arrow.share is None and not arrow.carry:
                sides[tail.id, 0] += 1 if within else 2
                sides[head.id, 1] += 1 if within else 2
        for name, arrows in rising.items():
            key = boxes[name].key
            self.room[key] = max(self.room.get(key, ROOM), 14.0 * len(arrows) + 8)
        for box in boxes.values():
            title = width(box.title, TITLE) * 1.12 + width(box.index, LINE)
            w = max([title, *(width(line, LINE) for line in box.lines)]) + 16
            h = 10 + TITLE + (LINE + 2.5) * len(box.lines)
            low, tall = LEAST.get(box.kind, (50.0, 0.0))
            ports = PORT * max(sides[box.id, 0], sides[box.id, 1]) + 12 if box.column else 0.0
            if box.carries and self.view.level == "gate":  # its state comes in the middle, all others below
                ports = max(ports, 2 * PORT * inner[box.id] + 8)
            self.size[box.id] = (max(w, low), max(h, 26.0, tall, ports))
            if box.round:
                low = w = max(w - 4, h + 2, ports, 32.0)
                self.size[box.id] = (w, w)
            widest[box.key] = max(widest.get(box.key, 0.0), w, low)
            if box.badges:
                lines = [badge_lines(badge) for badge in box.badges]
                pill = max(width(line, BADGE) for badge in lines for line in badge) + 9
                old = self.badge_rows.get(box.key, (0.0, 0.0))
                self.badge_rows[box.key] = max(pill, old[0]), max(6 + 9 * max(map(len, lines)), old[1])
        for box in self.view.tray:
            strip = 7.0 * len(box.strip)
            w = max([width(box.title, TITLE) * 1.12, strip, *(width(line, LINE) for line in box.lines)]) + 16
            self.size[box.id] = (w, 12 + TITLE + (LINE + 4) * len(box.lines) + (12 if strip else 0))
        for box in boxes.values():
            if box.column:
                w = widest[box.key]
                self.size[box.id] = (w, w if box.round else self.size[box.id][1])

    def between(self, box: Box) -> float:
        """Return the room between the two columns of badges under a box."""
        return self.room.get(box.key, ROOM)

    def under(self, box: Box) -> float:
        """Return the height of a box's badges; those of what stands over several columns are beside it."""
        if not box.badges or not box.column:
            return 0.0
        tall = self.badge_rows[box.key][1]
        return 5 + (tall + 3) * ((len(box.badges) + 1) // 2)

    def reach(self, box: Box) -> float:
        """Return the width of a box with its badges."""
        w = self.size[box.id][0]
        return max(w, 2 * self.badge_rows[box.key][0] + self.between(box)) if box.badges else w

    def _lay_blocks(self) -> None:
        boxes = self.view.boxes
        within: dict[tuple[str, int], list[tuple[Item, Item]]] = {}
        enters: dict[tuple[str, int], list[tuple[str, Item]]] = {}
        ups: dict[tuple[str, int], list[tuple[Item, int]]] = {}
        for arrow in self.view.arrows:
            tail, head = boxes[arrow.tail], boxes[arrow.head]
            start, spot = (tail.column, tail.band), (head.column, head.band)
            if arrow.carry:
                enters.setdefault(spot, []).append((arrow.carry, head.key))
            elif spot == start:
                within.setdefault(spot, []).append((tail.key, head.key))
            if spot != start:
                ups.setdefault(start, []).append((tail.key, 0))
                ups.setdefault(spot, []).append((head.key, 1))
        known: dict[object, Block] = {}
        parts: dict[tuple[str, int], tuple[Any, ...]] = {}
        for spot, inside in self.cells.items():
            if len(inside) == 1 or not (within.get(spot) or enters.get(spot)):
                continue
            before: dict[Item, list[Item]] = {box.key: [] for box in inside}
            for a, b in within.get(spot, []):
                before[b].append(a)
            items = ordered(before)
            widths = {box.key: self.reach(box) for box in inside}
            leaves = [(carry, box.key) for box in inside for carry in box.carries]
            edges, comes = within.get(spot, []), list(dict.fromkeys(enters.get(spot, [])))
            beside = ups.get(spot, [])
            parts[spot] = items, widths, edges, comes, leaves, beside
        shapes: dict[int, Shape] = {}
        for together in (False, True):  # those of one band then lie side by side, lane at lane
            for (column, band), part in parts.items():
                same = (*(tuple(p.values() if isinstance(p, dict) else p) for p in part), shapes.get(band))
                if same not in known:
                    known[same] = block_of(*part, shape=shapes.get(band))
                self.blocks[column, band] = known[same]
            for band in {band for _, band in parts} if not together else ():
                shapes[band] = Shape.around([b.shape for (_, at), b in self.blocks.items() if at == band])

    def rows(self, band: int, count: int) -> list[Point]:
        """Return for each row of a band the height of its boxes, and of the badges under them."""
        heights = [(26.0, 0.0)] * count
        for spot, block in self.blocks.items():
            for box in self.cells[spot] if spot[1] == band else ():
                row = int(block.row[box.key])
                tall, under = heights[row]
                heights[row] = (max(tall, self.size[box.id][1]), max(under, self.under(box)))
        return heights

    def width(self, spot: tuple[str, int]) -> float:
        """Return how wide the boxes of one column and band are together."""
        if spot in self.blocks:
            return self.blocks[spot].width
        inside = self.cells.get(spot, [])
        return sum(self.reach(box) for box in inside) + BESIDE * (len(inside) - 1) if inside else 0.0
