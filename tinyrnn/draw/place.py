"""Where everything stands: time from left to right, layers from bottom to top, each carry on its lane.

The layout is computed here and written into the DOT text as positions. A general layout engine does not know
that all steps are alike, and would draw each one differently; and it takes time that grows faster than the
graph. Lengths are in points, y grows upwards.
"""

from __future__ import annotations

from tinyrnn.draw.block import Block, Item, block_of
from tinyrnn.draw.geometry import (
    ALL,
    BETWEEN,
    PAD,
    RISE,
    ROW_GAP,
    TRACK,
    Layout,
    Point,
    badge_lines,
    tracks_of,
)
from tinyrnn.draw.text import BADGE, LINE, TITLE, width
from tinyrnn.draw.view import Box, View

__all__ = ["place"]


def place(view: View) -> Layout:
    """Compute all places of a view."""
    return _Placing(view).run()


class _Placing:
    def __init__(self, view: View) -> None:
        self.view = view
        self.layout = Layout()
        self.timeless = view.level in ("layer", "rolled")
        self.lane_step = 46.0 if view.level == "rolled" else 34.0
        self.columns = [ALL] if self.timeless else [column.id for column in view.columns]
        self.folded = (
            {column.id for column in view.columns if column.folded} if not self.timeless else set[str]()
        )
        boxes = view.boxes.values()
        self.bars = {b.band for b in boxes if not self.column(b) and b.kind != "state"}
        self.inner: dict[tuple[str, str], list[Box]] = {}
        for box in boxes:
            if self.column(box) and box.kind != "fold":
                self.inner.setdefault((self.column(box), box.band), []).append(box)
        self.badge_rows: dict[tuple[str, ...], Point] = {}
        self.blocks: dict[tuple[str, str], Block] = {}

    def column(self, box: Box) -> str:
        """Return where a box stands; all of a timeless picture but the initial states stand in one column."""
        beside = box.kind == "state" or (box.kind == "bar" or box.band == "band:total")
        return box.column or (ALL if self.timeless and not beside else "")

    def run(self) -> Layout:
        """Sizes first, then what is inside of a step, then rows, then columns."""
        self._sizes()
        self._lay_blocks()
        self._bands()
        self._spans()
        self._centres()
        self._badges()
        return self.layout

    def _sizes(self) -> None:
        widest: dict[tuple[str, ...], float] = {}
        for box in self.view.boxes.values():
            title = width(box.title, TITLE) * 1.08 + width(box.index, LINE)
            w = max([title, *(width(line, LINE) for line in box.lines)]) + 14
            h = 9 + TITLE + (LINE + 2) * len(box.lines)
            low, cells = {"cell": (96.0, 40.0), "op": (44.0, 0), "fold": (150.0, 0)}.get(box.kind, (50.0, 0))
            self.layout.size[box.id] = (max(w, low), max(h, 26.0, cells))
            widest[box.key] = max(widest.get(box.key, 0.0), w, low)
            if box.badges:
                pill = max(width(line, BADGE) for badge in box.badges for line in badge_lines(badge)) + 7
                tall = 6 + 8.5 * max(len(badge_lines(badge)) for badge in box.badges)
                old = self.badge_rows.get(box.key, (0.0, 0.0))
                self.badge_rows[box.key] = (max(pill, old[0]), max(tall, old[1]))
        for box in self.view.tray:
            strip = 7.0 * max((len(cells) for cells in box.strip.values()), default=0)
            w = max([width(box.title, TITLE) * 1.08, strip, *(width(line, LINE) for line in box.lines)]) + 14
            self.layout.size[box.id] = (w, 12 + TITLE + (LINE + 4) * len(box.lines) + (12 if strip else 0))
        for box in self.view.boxes.values():
            if self.column(box):
                self.layout.size[box.id] = (widest[box.key], self.layout.size[box.id][1])

    def _under(self, box: Box) -> float:
        """Return the height of a box's badges."""
        if not box.badges:
            return 0.0
        tall = self.badge_rows[box.key][1]
        return 5 + (tall + 3) * ((len(box.badges) + 1) // 2)

    def _reach(self, box: Box) -> float:
        """Return the width of a box with its badges."""
        w = self.layout.size[box.id][0]
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
            widths = {box.key: self._reach(box) for box in inside}
            leaves = [(carry, box.key) for box in inside for carry in box.carries]
            edges, comes = within.get(spot, []), list(dict.fromkeys(enters.get(spot, [])))
            same = (tuple(items), tuple(edges), tuple(comes), tuple(leaves), tuple(widths.values()))
            if same not in known:
                known[same] = block_of(items, widths, edges, comes, leaves)
            self.blocks[spot] = known[same]

    def _bands(self) -> None:
        """Stack the bands, and set the lanes of the carries in each."""
        y = 0.0
        view, layout = self.view, self.layout
        self.rows: dict[str, list[float]] = {}
        self.base: dict[str, float] = {}
        inner_bands = [band for band in view.bands if any(key[1] == band for key in self.inner)]
        for band in view.bands:
            if band not in inner_bands:
                if band in self.bars:
                    tall = max(
                        layout.size[b.id][1] + self._under(b) for b in view.boxes.values() if b.band == band
                    )
                    layout.bands[band] = (y, y + tall)
                    y += tall + RISE
                continue
            members = [box for (_, at), inside in self.inner.items() if at == band for box in inside]
            blocks = [block for (_, at), block in self.blocks.items() if at == band]
            rows = max((block.rows for block in blocks), default=1)
            under = max(self._under(box) for box in members)
            tall = max(layout.size[box.id][1] for box in members)
            carries = list(dict.fromkeys(carry for box in members for carry in box.carries))
            states = [b for b in view.boxes.values() if b.kind == "state" and b.band == band and b.carries]
            carries += [
                carry for carry in dict.fromkeys(b.carries[0] for b in states) if carry not in carries
            ]
            if blocks:
                heights = self._rows(band, rows)
                centres: list[float] = []
                at = y
                for tall_row, under_row in heights:
                    centres.append(at + under_row + tall_row / 2)
                    at += under_row + tall_row + ROW_GAP
                self.rows[band] = centres
                for carry in carries:
                    row = max((block.lanes[carry] for block in blocks if carry in block.lanes), default=0.0)
                    layout.lanes[band, carry] = centres[int(row)]
                base = centres[0]
                height = at - ROW_GAP - y
            else:
                step = max([self.lane_step, *(layout.size[b.id][1] + 8 for b in states)])
                tall = max(tall, step * (len(carries) - 1) + 30 if carries else 0)
                base = y + under + tall / 2
                for i, carry in enumerate(carries):
                    layout.lanes[band, carry] = base + step * ((len(carries) - 1) / 2 - i)
                height = tall + under
            self.base[band] = base
            layout.bands[band] = (y, y + height)
            y += height + RISE
        tops = [layout.bands[band] for band in inner_bands] or [(0.0, 0.0)]
        layout.floor = min(low for low, _ in tops) - 24
        layout.ceiling = max(high for _, high in tops) + 12
        layout.bottom, layout.top = min(layout.floor, 0.0), max(y - RISE, layout.ceiling)

    def _rows(self, band: str, count: int) -> list[Point]:
        """Return for each row of a band the height of its boxes, and of the badges under them."""
        heights = [(26.0, 0.0)] * count
        for (column, at), inside in self.inner.items():
            block = self.blocks.get((column, at))
            if at != band or block is None:
                continue
            for box in inside:
                row = int(block.row[box.key])
                tall, under = heights[row]
                heights[row] = (max(tall, self.layout.size[box.id][1]), max(under, self._under(box)))
        return heights

    def _block_width(self, spot: tuple[str, str]) -> float:
        inside = self.inner.get(spot, [])
        if spot in self.blocks:
            return self.blocks[spot].width
        return sum(self._reach(box) for box in inside) + 12.0 * (len(inside) - 1) if inside else 0.0

    def _spans(self) -> None:
        layout, view = self.layout, self.view
        tracks = tracks_of(view)
        joined = self._joined()
        self.side: dict[str, float] = {}
        self.offsets: dict[tuple[str, str], float] = {}
        states = [box for box in view.boxes.values() if box.kind == "state"]
        room = max((layout.size[box.id][0] for box in states), default=0.0)
        x = room + BETWEEN if states else 0.0
        for column in self.columns:
            side = self.side[column] = (
                PAD + TRACK * tracks.get(column, 0) + (60 if self.view.level == "rolled" else 0)
            )
            inside = layout.size[column][0] if column in self.folded else self._offsets(column, joined)
            layout.spans[column] = (x, x + inside + 2 * side)
            x += inside + 2 * side + BETWEEN
        layout.right = x - BETWEEN
        if any(box.band in view.reverse for box in states):
            layout.right += BETWEEN + room

    def _joined(self) -> dict[tuple[str, str], list[tuple[Box, Box]]]:
        """Return, for each column and band, the edges that come in from other bands of the column."""
        boxes = self.view.boxes
        joined: dict[tuple[str, str], list[tuple[Box, Box]]] = {}
        for arrow in self.view.arrows:
            tail, head = boxes[arrow.tail], boxes[arrow.head]
            if not arrow.carry and tail.column == head.column and tail.band != head.band:
                joined.setdefault((self.column(head), head.band), []).append((tail, head))
        return joined

    def _offsets(self, column: str, joined: dict[tuple[str, str], list[tuple[Box, Box]]]) -> float:
        """Set how far right each block stands in its column; return the width of all.

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
            for tail, head in joined.get((column, band), []):
                if tail.band in offsets:
                    offsets[band] = offsets[tail.band] + self._inside(tail) - self._inside(head)
                    break
        low = min(offsets.values(), default=0.0)
        for band, offset in offsets.items():
            self.offsets[column, band] = offset - low
        return max((offsets[band] - low + widths[band] for band in bands), default=40.0)

    def _inside(self, box: Box) -> float:
        """Return where in its block, from the left, a box has its centre."""
        spot = (self.column(box), box.band)
        block = self.blocks.get(spot)
        if block is None:
            return self._block_width(spot) / 2
        x = block.x[block.rank[box.key]]
        return block.width - x if box.band in self.view.reverse else x

    def _centres(self) -> None:
        layout, view = self.layout, self.view
        neighbours: dict[str, list[str]] = {}
        for arrow in view.arrows:
            if not arrow.carry:
                neighbours.setdefault(arrow.tail, []).append(arrow.head)
                neighbours.setdefault(arrow.head, []).append(arrow.tail)
        for column in self.columns:
            left, right = layout.spans[column]
            middle = (left + right) / 2
            if column in self.folded:
                low, high = layout.floor + 24, layout.ceiling - 12
                layout.centre[column] = (middle, (low + high) / 2)
                layout.size[column] = (layout.size[column][0], high - low)
                continue
            for band in view.bands:
                if (column, band) in self.blocks:
                    self._block_centres(column, band)
            for band in view.bands:
                inside = self.inner.get((column, band), [])
                if (column, band) in self.blocks or not inside:
                    continue
                self._row(column, band, inside, neighbours, middle)
        first = layout.spans[self.columns[0]][0]
        last = layout.spans[self.columns[-1]][1]
        for box in view.boxes.values():
            w, h = layout.size[box.id]
            if box.kind == "state":
                back = box.band in view.reverse
                x = last + BETWEEN + w / 2 if back else first - BETWEEN - w / 2
                layout.centre[box.id] = (x, layout.lanes.get((box.band, box.carries[0]), 0.0))
            elif box.id not in layout.centre:
                low, high = layout.bands[box.band]
                layout.size[box.id] = (max(last - first, w), h)
                layout.centre[box.id] = ((first + last) / 2, high - h / 2)

    def _block_centres(self, column: str, band: str) -> None:
        layout, view, block = self.layout, self.view, self.blocks[column, band]
        sign = -1.0 if band in view.reverse else 1.0
        rows = self.rows[band]
        left = layout.spans[column][0] + self.side[column] + self.offsets[column, band]
        start = left if sign > 0 else left + block.width
        lane_of = {row: layout.lanes[band, carry] for carry, row in block.lanes.items()}

        def at(rank: int, row: float) -> Point:
            return start + sign * block.x[rank], lane_of.get(row, rows[int(row)])

        ids = {box.key: box.id for box in self.inner[column, band]}
        for key, id in ids.items():
            layout.centre[id] = at(block.rank[key], block.row[key])
        for (a, b), bends in block.bends.items():
            name = (*(a if a[0] == "in" else (ids[a],)), *(b if b[0] == "out" else (ids[b],)))
            layout.bends[name] = [at(rank, row) for rank, row in bends]

    def _row(
        self, column: str, band: str, inside: list[Box], neighbours: dict[str, list[str]], middle: float
    ) -> None:
        """Place boxes side by side, each near to what it is linked with."""
        layout = self.layout
        order = {name: i for i, name in enumerate(self.view.bands)}
        left, right = (end + sign * PAD for end, sign in zip(layout.spans[column], (1, -1)))
        wanted: list[tuple[float, Box]] = []
        for box in inside:
            placed = [
                n
                for n in neighbours.get(box.id, [])
                if n in layout.centre and self.view.boxes[n].column == column
            ]
            far = [abs(order[self.view.boxes[n].band] - order[band]) for n in placed]
            near = [layout.centre[n][0] for n, d in zip(placed, far) if d == min(far)]
            wanted.append((sum(near) / len(near) if near else middle, box))
        edge = left
        wanted.sort(key=lambda pair: pair[0])
        for i, (x, box) in enumerate(wanted):
            w = self._reach(box)
            rest = sum(self._reach(b) + 12 for _, b in wanted[i + 1 :])
            x = max(min(x, right - rest - w / 2), edge + w / 2)
            edge = x + w / 2 + 12
            lanes = [layout.lanes[band, carry] for carry in box.carries if (band, carry) in layout.lanes]
            y = (min(lanes) + max(lanes)) / 2 if lanes else self.base[band]
            layout.centre[box.id] = (x, y)
            if lanes:
                w, h = layout.size[box.id]
                layout.size[box.id] = (w, max(h, max(lanes) - min(lanes) + 30))

    def _badges(self) -> None:
        layout = self.layout
        for box in self.view.boxes.values():
            if not box.badges or box.id not in layout.centre:
                continue
            (x, y), (_, h) = layout.centre[box.id], layout.size[box.id]
            w, tall = self.badge_rows[box.key]
            for i, badge in enumerate(box.badges):
                side = -1 if i % 2 == 0 else 1
                centre = (x + side * (w / 2 + 11), y - h / 2 - 5 - tall / 2 - (tall + 3) * (i // 2))
                layout.badges[badge.id] = (centre, (w, tall))
