"""Where everything stands: time from left to right, layers from bottom to top, each carry on its lane.

The layout is computed here and written into the DOT text as positions. A general layout engine does not know
that all steps are alike, and would draw each one differently; and it takes time that grows faster than the
graph. Lengths are in points, y grows upwards.
"""

from __future__ import annotations

from tinyrnn.draw.arranging.geometry import (
    ALL,
    BETWEEN,
    PAD,
    RISE,
    ROW_GAP,
    TRACK,
    Layout,
    Point,
    tracks_of,
)
from tinyrnn.draw.arranging.measure import Measures
from tinyrnn.draw.reading.view import Box, View

__all__ = ["place"]


def place(view: View) -> Layout:
    """Compute all places of a view."""
    return _Placing(view).run()


class _Placing:
    def __init__(self, view: View) -> None:
        self.view = view
        self.measures = Measures(view)
        self.inner, self.blocks = self.measures.inner, self.measures.blocks
        self.layout = Layout(size=self.measures.size)
        self.lane_step = 46.0 if view.level == "rolled" else 34.0
        self.columns = [ALL] if self.measures.timeless else [column.id for column in view.columns]
        self.folded = {column.id for column in view.columns if column.folded}
        self.bars = {b.band for b in view.boxes.values() if not self.measures.column(b) and b.kind != "state"}

    def run(self) -> Layout:
        """Rows first, then columns."""
        self._bands()
        self._spans()
        self._centres()
        self._badges()
        return self.layout

    def _bands(self) -> None:
        """Stack the bands, and set the lanes of the carries in each."""
        y = 0.0
        view, layout, measures = self.view, self.layout, self.measures
        self.rows: dict[str, list[float]] = {}
        self.base: dict[str, float] = {}
        inner_bands = [band for band in view.bands if any(key[1] == band for key in self.inner)]
        for band in view.bands:
            if band not in inner_bands:
                if band in self.bars:
                    tall = max(
                        layout.size[b.id][1] + measures.under(b)
                        for b in view.boxes.values()
                        if b.band == band
                    )
                    layout.bands[band] = (y, y + tall)
                    y += tall + RISE
                continue
            members = [box for (_, at), inside in self.inner.items() if at == band for box in inside]
            blocks = [block for (_, at), block in self.blocks.items() if at == band]
            rows = max((block.rows for block in blocks), default=1)
            under = max(measures.under(box) for box in members)
            tall = max(layout.size[box.id][1] for box in members)
            carries = list(dict.fromkeys(carry for box in members for carry in box.carries))
            states = [b for b in view.boxes.values() if b.kind == "state" and b.band == band and b.carries]
            carries += [
                carry for carry in dict.fromkeys(b.carries[0] for b in states) if carry not in carries
            ]
            if blocks:
                heights = measures.rows(band, rows)
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

    def _spans(self) -> None:
        layout, view = self.layout, self.view
        tracks = tracks_of(view)
        self.side: dict[str, float] = {}
        self.offsets: dict[tuple[str, str], float] = {}
        states = [box for box in view.boxes.values() if box.kind == "state"]
        room = max((layout.size[box.id][0] for box in states), default=0.0)
        x = room + BETWEEN if states else 0.0
        for column in self.columns:
            side = self.side[column] = (
                PAD + TRACK * tracks.get(column, 0) + (60 if self.view.level == "rolled" else 0)
            )
            offsets, inside = self.measures.offsets(column)
            if column in self.folded:
                inside = layout.size[column][0]
            for band, offset in offsets.items():
                self.offsets[column, band] = offset
            layout.spans[column] = (x, x + inside + 2 * side)
            x += inside + 2 * side + BETWEEN
        layout.right = x - BETWEEN
        if any(box.band in view.reverse for box in states):
            layout.right += BETWEEN + room

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
            w = self.measures.reach(box)
            rest = sum(self.measures.reach(b) + 12 for _, b in wanted[i + 1 :])
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
            w, tall = self.measures.badge_rows[box.key]
            for i, badge in enumerate(box.badges):
                side = -1 if i % 2 == 0 else 1
                centre = (x + side * (w / 2 + 11), y - h / 2 - 5 - tall / 2 - (tall + 3) * (i // 2))
                layout.badges[badge.id] = (centre, (w, tall))
