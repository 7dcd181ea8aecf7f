"""How large everything is, before it is known where it stands: boxes, badges, blocks, and steps."""

from __future__ import annotations

from tinyrnn.draw.arranging.block import Block, Item, block_of
from tinyrnn.draw.arranging.geometry import ALL, Point, badge_lines
from tinyrnn.draw.reading.view import Box, View
from tinyrnn.draw.text import BADGE, LINE, TITLE, width

__all__ = ["Measures"]


class Measures:
    """The sizes in a view, and the blocks in which boxes of one step and band stand."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.timeless = view.level in ("layer", "rolled")
        self.size: dict[str, Point] = {}
        self.badge_rows: dict[tuple[str, ...], Point] = {}
        self.blocks: dict[tuple[str, str], Block] = {}
        self.inner: dict[tuple[str, str], list[Box]] = {}
        for box in view.boxes.values():
            if self.column(box) and box.kind != "fold":
                self.inner.setdefault((self.column(box), box.band), []).append(box)
        self._sizes()
        self._lay_blocks()
        self.joined = self._joined()

    def column(self, box: Box) -> str:
        """Return where a box stands; all of a timeless picture but the initial states stand in one column."""
        beside = box.kind == "state" or (box.kind == "bar" or box.band == "band:total")
        return box.column or (ALL if self.timeless and not beside else "")

    def _sizes(self) -> None:
        widest: dict[tuple[str, ...], float] = {}
        for box in self.view.boxes.values():
            title = width(box.title, TITLE) * 1.08 + width(box.index, LINE)
            w = max([title, *(width(line, LINE) for line in box.lines)]) + 14
            h = 9 + TITLE + (LINE + 2) * len(box.lines)
            low, cells = {"cell": (96.0, 40.0), "op": (44.0, 0), "fold": (150.0, 0)}.get(box.kind, (50.0, 0))
            self.size[box.id] = (max(w, low), max(h, 26.0, cells))
            widest[box.key] = max(widest.get(box.key, 0.0), w, low)
            if box.badges:
                pill = max(width(line, BADGE) for badge in box.badges for line in badge_lines(badge)) + 7
                tall = 6 + 8.5 * max(len(badge_lines(badge)) for badge in box.badges)
                old = self.badge_rows.get(box.key, (0.0, 0.0))
                self.badge_rows[box.key] = (max(pill, old[0]), max(tall, old[1]))
        for box in self.view.tray:
            strip = 7.0 * len(box.strip)
            w = max([width(box.title, TITLE) * 1.08, strip, *(width(line, LINE) for line in box.lines)]) + 14
            self.size[box.id] = (w, 12 + TITLE + (LINE + 4) * len(box.lines) + (12 if strip else 0))
        for box in self.view.boxes.values():
            if self.column(box):
                self.size[box.id] = (widest[box.key], self.size[box.id][1])

    def under(self, box: Box) -> float:
        """Return the height of a box's badges."""
        if not box.badges:
            return 0.0
        tall = self.badge_rows[box.key][1]
        return 5 + (tall + 3) * ((len(box.badges) + 1) // 2)

    def reach(self, box: Box) -> float:
        """Return the width of a box with its badges."""
        w = self.size[box.id][0]
        return max(w, 2 * self.badge_rows[box.key][0] + 22) if box.badges else w

    def _lay_blocks(self) -> None:
        boxes = self.view.boxes
        within: dict[tuple[str, str], list[tuple[Item, Item]]] = {}
        enters: dict[tuple[str, str], list[tuple[str, Item]]] = {}
        for arrow in self.view.arrows:
            tail, head = boxes[arrow.tail], boxes[arrow.head]
            spot = (self.column(head), head.band)
            if arrow.carry:
                enters.setdefault(spot, []).append((arrow.carry, head.key))
            elif spot == (self.column(tail), tail.band):
                within.setdefault(spot, []).append((tail.key, head.key))
        known: dict[object, Block] = {}
        for spot, inside in self.inner.items():
            if len(inside) == 1 or spot[1] == "band:x":
                continue
            items = [box.key for box in inside]
            widths = {box.key: self.reach(box) for box in inside}
            leaves = [(carry, box.key) for box in inside for carry in box.carries]
            edges, comes = within.get(spot, []), list(dict.fromkeys(enters.get(spot, [])))
            same = (tuple(items), tuple(edges), tuple(comes), tuple(leaves), tuple(widths.values()))
            if same not in known:
                known[same] = block_of(items, widths, edges, comes, leaves)
            self.blocks[spot] = known[same]

    def rows(self, band: str, count: int) -> list[Point]:
        """Return for each row of a band the height of its boxes, and of the badges under them."""
        heights = [(26.0, 0.0)] * count
        for (column, at), inside in self.inner.items():
            block = self.blocks.get((column, at))
            if at != band or block is None:
                continue
            for box in inside:
                row = int(block.row[box.key])
                tall, under = heights[row]
                heights[row] = (max(tall, self.size[box.id][1]), max(under, self.under(box)))
        return heights

    def _block_width(self, spot: tuple[str, str]) -> float:
        inside = self.inner.get(spot, [])
        if spot in self.blocks:
            return self.blocks[spot].width
        return sum(self.reach(box) for box in inside) + 12.0 * (len(inside) - 1) if inside else 0.0

    def _joined(self) -> dict[tuple[str, str], list[tuple[Box, Box]]]:
        """Return, for each column and band, the edges that come in from other bands of the column."""
        boxes = self.view.boxes
        joined: dict[tuple[str, str], list[tuple[Box, Box]]] = {}
        for arrow in self.view.arrows:
            tail, head = boxes[arrow.tail], boxes[arrow.head]
            if not arrow.carry and tail.column == head.column and tail.band != head.band:
                joined.setdefault((self.column(head), head.band), []).append((tail, head))
        return joined

    def offsets(self, column: str) -> tuple[dict[str, float], float]:
        """Return how far right each block stands in its column, by its band, and the width of all.

        Cells stand in the middle, and a block that a cell leads to straight over the cell's end.
        """
        bands = [band for band in self.view.bands if (column, band) in self.inner]
        widths = {band: self._block_width((column, band)) for band in bands}
        cells = [
            b
            for b in bands
            if any(box.carries for box in self.inner[column, b]) or (column, b) not in self.blocks
        ]
        widest = max((widths[band] for band in cells), default=0.0)
        offsets = {band: (widest - widths[band]) / 2 for band in cells}
        for band in bands:
            if band in offsets:
                continue
            offsets[band] = (widest - widths[band]) / 2
            for tail, head in self.joined.get((column, band), []):
                if tail.band in offsets:
                    offsets[band] = offsets[tail.band] + self._inside(tail) - self._inside(head)
                    break
        low = min(offsets.values(), default=0.0)
        offsets = {band: offset - low for band, offset in offsets.items()}
        return offsets, max((offsets[band] + widths[band] for band in bands), default=40.0)

    def _inside(self, box: Box) -> float:
        """Return where in its block, from the left, a box has its centre."""
        spot = (self.column(box), box.band)
        block = self.blocks.get(spot)
        if block is None:
            return self._block_width(spot) / 2
        x = block.x[block.rank[box.key]]
        return block.width - x if box.band in self.view.reverse else x
