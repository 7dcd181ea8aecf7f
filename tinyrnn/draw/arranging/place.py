"""Where everything stands: time from left to right, what feeds below what reads, each carry on its lane.

The layout is computed here and written into the DOT text as positions. A general layout engine does not know
that all steps are alike, and would draw each one differently; and it takes time that grows faster than the
graph. Lengths are in points, y grows upwards.
"""

from __future__ import annotations

from collections import Counter

from tinyrnn.draw.arranging.circles import to_circles
from tinyrnn.draw.arranging.geometry import Layout, Point
from tinyrnn.draw.arranging.measure import BESIDE, TRACK, Measures
from tinyrnn.draw.arranging.router import Router
from tinyrnn.draw.arranging.tracks import Tracks
from tinyrnn.draw.arranging.ways import ways_of
from tinyrnn.draw.viewing.view import BEFORE, Box, View

__all__ = ["place"]

PAD, BETWEEN, APART, RISE, ROW_GAP = 14.0, 46.0, 84.0, 34.0, 16.0
FOOT = 26.0  # of a step's panel, with its name: tracks pass below it
HEAD = 11.0  # and above its upper end, which is 12 over the boxes


def place(view: View) -> Layout:
    """Compute all places of a view, and the ways of its arrows."""
    return _Placing(view).run()


class _Placing:
    def __init__(self, view: View) -> None:
        self.view = view
        self.ways = ways_of(view)
        self.measures = Measures(view, self.ways)
        self.layout = Layout(size=self.measures.size)
        self.columns = view.order
        steps = {c: group for c, group in self.columns.items() if not c.startswith(BEFORE)}
        self.steps = steps | {c: g for c, g in self.columns.items() if g not in steps.values()}
        self.sides: dict[str, Point] = {}  # the widths of the gutters of each column
        stepped = (b for b in view.boxes.values() if b.column in self.columns and b.kind != "fold")
        self.stepped = sorted(stepped, key=lambda box: box.band)  # the boxes of single steps, from below
        self.lane_step = 46.0 if view.level == "rolled" else 34.0
        passed = view.level == "rolled" and any(way.kind == "lane" for way in self.ways)
        self.around = 56.0 if passed else 30.0  # of a box, above its upper and below its lower lane

    def run(self) -> Layout:
        """Columns first, then the tracks between the rows, then the rows."""
        self._spans()
        self._across()
        tracks = Tracks(self.view, self.layout, self.measures, self.ways, self.gutters, self.left)
        self._bands(tracks.channels())
        self._heights()
        self._badges()
        self.layout.floors = [(set(self.columns), self.layout.bottom)]
        self.layout.ways = Router(self.layout, self.measures, self.ways, tracks, self.bottom_of).run()
        to_circles(self.view, self.layout)
        return self.layout

    # --- from left to right ---------------------------------------------------------------------------------
    def _spans(self) -> None:
        """Set the columns' ends, and the gutters' tracks."""
        layout = self.layout
        counts: Counter[tuple[str, int]] = Counter()
        self.gutters: dict[tuple[str, int, str], int] = {}
        for way in self.ways:
            if way.gutter is not None:
                name = (*way.gutter, way.name)
                if self.gutters.setdefault(name, counts[way.gutter]) == counts[way.gutter]:
                    counts[way.gutter] += 1
        inside = {column: self._content(column) for column in self.columns}
        for column, needed in self._over().items():
            mine = [c for c, group in self.steps.items() if group in self.over[column]]
            spare = needed - sum(inside[c] + 2 * PAD for c in mine) - BETWEEN * (len(mine) - 1)
            for c in mine:
                inside[c] += max(spare, 0.0) / len(mine)
        # Beside the boxes of a rolled picture stand the loops, with what is said of them.
        looped = {(way.tail.column, way.tail.reverse) for way in self.ways if way.kind == "loop"}
        first, last = ({group: c for c, group in list(self.steps.items())[::way]} for way in (-1, 1))
        x, before = 0.0, None
        for column, group in self.columns.items():
            if group != before and before is not None:
                x += APART - BETWEEN
            if column == first[group]:
                x += self._room(group, reverse=False)
            loops = [190.0 * ((column, sign < 0) in looped) for sign in (-1, 1)]
            sides = [PAD + TRACK * counts[column, sign] + room for sign, room in zip((-1, 1), loops)]
            layout.spans[column] = (x, x + sides[0] + inside[column] + sides[1])
            self.sides[column] = (sides[0], sides[1])
            x = layout.spans[column][1] + BETWEEN
            if column == last[group]:
                x += self._room(group, reverse=True)
            before = group
        for column, groups in self.over.items():
            ends = [layout.spans[c] for c, g in self.steps.items() if g in groups]
            layout.spans[column] = (min(a for a, _ in ends), max(b for _, b in ends))

    def _room(self, group: str, *, reverse: bool) -> float:
        """Return the room for the initial states of a group."""
        states = [
            b for b in self.view.boxes.values()
            if b.kind == "state" and b.groups[0] == group and b.reverse == reverse
        ]  # fmt: skip
        return max((self.layout.size[b.id][0] for b in states), default=-BETWEEN) + BETWEEN

    def _content(self, column: str) -> float:
        if any(c.id == column and c.folded for c in self.view.columns):
            return self.layout.size[column][0]
        return max(
            (self.measures.width(cell) for cell in self.measures.cells if cell[0] == column), default=40.0
        )

    def _over(self) -> dict[str, float]:
        """Return the widths of what stands in several boxes over all steps; note over which groups."""
        self.over: dict[str, tuple[str, ...]] = {}
        found: dict[str, float] = {}
        for (column, band), inside in self.measures.cells.items():
            if column not in self.columns:
                self.over[column] = inside[0].groups
                found[column] = max(found.get(column, 0.0), self.measures.width((column, band)))
        return found

    def _across(self) -> None:
        """Set where the boxes stand from left to right."""
        layout, measures = self.layout, self.measures
        self.left: dict[tuple[str, int], float] = {}
        for (column, band), inside in measures.cells.items():
            low, high = layout.spans[column]
            if column in self.columns:
                low, high = low + self.sides[column][0], high - self.sides[column][1]
            left = (low + high - measures.width((column, band))) / 2
            self.left[column, band] = left
            block = measures.blocks.get((column, band))
            for box in inside:
                if block is None:
                    x = left + measures.reach(box) / 2
                    left += measures.reach(box) + BESIDE
                else:
                    x = self._rank_x(column, band, block.rank[box.key], box.reverse)
                layout.centre[box.id] = (x, 0.0)
        for box in self.view.boxes.values():
            w, h = layout.size[box.id]
            mine = [c for c, g in self.steps.items() if g in box.groups]
            ends = [layout.spans[c] for c in mine]
            if box.kind == "state":
                back = box.reverse
                x = ends[-1][1] + BETWEEN + w / 2 if back else ends[0][0] - BETWEEN - w / 2
                layout.centre[box.id] = (x, 0.0)
            elif box.kind == "fold":
                layout.centre[box.id] = (sum(layout.spans[box.column]) / 2, 0.0)
            elif box.id not in layout.centre:
                low, high = ends[0][0] + self.sides[mine[0]][0], ends[-1][1] - self.sides[mine[-1]][1]
                layout.size[box.id] = (max(high - low, w), h)
                layout.centre[box.id] = ((low + high) / 2, 0.0)

    def _rank_x(self, column: str, band: int, rank: int, reverse: bool) -> float:
        block = self.measures.blocks[column, band]
        left = self.left[column, band]
        return left + (block.width - block.x[rank] if reverse else block.x[rank])

    # --- from below -----------------------------------------------------------------------------------------
    def _bands(self, channels: dict[int, int]) -> None:
        """Stack the bands, with room for the tracks between them, and set the lanes of the carries."""
        view, layout, measures = self.view, self.layout, self.measures
        self.rows: dict[int, list[float]] = {}
        self.base: dict[int, float] = {}
        self.bottom_of: dict[int, float] = {}
        y = 0.0
        lowest = self.stepped[0].band if self.stepped else -1
        panels = set({box.column: box.band for box in self.stepped}.values())  # over which they end
        for i, band in enumerate(view.bands):
            tracks = channels.get(i, 0)
            above = HEAD if i and view.bands[i - 1] in panels else 0.0
            self.bottom_of[i] = y + above
            below = FOOT if i and band == lowest else 0.0
            y += max(RISE if i else 0.0, TRACK * tracks + 18.0 + above + below if tracks else 0.0)
            boxes = [b for b in view.boxes.values() if b.band == band and b.kind not in ("state", "fold")]
            blocks = [block for (_, at), block in measures.blocks.items() if at == band]
            states = [b for b in view.boxes.values() if b.kind == "state" and b.band == band]
            carries = list(dict.fromkeys(c for b in [*boxes, *states] for c in b.carries))
            carries += {c: 0 for block in blocks for c in block.lanes if c not in carries}  # of other bands
            carries.sort(key=lambda c: (c != "c", c))  # the cell state above
            under = max((measures.under(b) for b in boxes), default=0.0)
            tall = max((layout.size[b.id][1] for b in boxes), default=0.0)
            folds = [
                b for b in view.boxes.values() if b.kind == "fold" and b.bands & set(view.bands) == {band}
            ]
            if blocks:
                centres: list[float] = []
                at = y
                for tall_row, under_row in measures.rows(band, max(block.rows for block in blocks)):
                    centres.append(at + under_row + tall_row / 2)
                    at += under_row + tall_row + ROW_GAP
                rows = {c: int(max((b.lanes.get(c, 0.0) for b in blocks), default=0.0)) for c in carries}
                lift = 0.0  # where what stands beside the blocks reaches further down
                for box in boxes:
                    if box.column and (box.column, band) not in measures.blocks:
                        middle, tall_box = self._on(
                            box, [centres[rows[c]] for c in box.carries] or centres[:1]
                        )
                        lift = max(lift, y - middle + tall_box / 2 + measures.under(box))
                self.rows[band] = centres = [centre + lift for centre in centres]
                layout.lanes |= {(band, carry): centres[row] for carry, row in rows.items()}
                height = max(at + lift - ROW_GAP - y, tall + under)
                self.base[band] = centres[0] if len(centres) == 1 else y + under + (height - under) / 2
            else:
                step = max([self.lane_step, *(layout.size[b.id][1] + 8 for b in states)])
                tall = max([tall, step * (len(carries) - 1) + self.around if carries else 0])
                tall = max([tall, *(layout.size[b.id][1] - under for b in folds)])
                self.base[band] = y + under + tall / 2
                for n, carry in enumerate(carries):
                    layout.lanes[band, carry] = self.base[band] + step * ((len(carries) - 1) / 2 - n)
                height = tall + under
            layout.bands[band] = (y, y + height)
            y += height
        self.bottom_of[len(view.bands)] = y
        layout.bottom = -24.0

    def _on(self, box: Box, lanes: list[float]) -> Point:
        """Return the middle and the height of a box that stands on lanes."""
        low, high = min(lanes), max(lanes)
        return (low + high) / 2, max(self.layout.size[box.id][1], high - low + self.around)

    def _heights(self) -> None:
        """Set the heights of all boxes, and the panels of the steps."""
        view, layout, measures = self.view, self.layout, self.measures
        for (column, band), inside in measures.cells.items():
            block = measures.blocks.get((column, band))
            for box in inside:
                x, _ = layout.centre[box.id]
                if block is not None:
                    layout.centre[box.id] = (x, self.rows[band][int(block.row[box.key])])
                    continue
                lanes = [layout.lanes[band, c] for c in box.carries if (band, c) in layout.lanes]
                y, tall = self._on(box, lanes) if lanes else (self.base[band], layout.size[box.id][1])
                layout.centre[box.id] = (x, y)
                layout.size[box.id] = (layout.size[box.id][0], tall)
            if block is not None:
                self._bends(column, band, inside)
        for box in view.boxes.values():
            x, _ = layout.centre[box.id]
            if box.kind == "state":
                y = layout.lanes.get((box.band, box.carries[0]), self.base.get(box.band, 0.0))
                layout.centre[box.id] = (x, y)
            elif box.kind == "fold":
                mine = sorted(box.bands & set(view.bands))
                low, high = layout.bands[mine[0]][0], layout.bands[mine[-1]][1]
                layout.centre[box.id] = (x, (low + high) / 2)
                layout.size[box.id] = (layout.size[box.id][0], high - low)
            elif (box.column, box.band) not in measures.cells:
                layout.centre[box.id] = (x, sum(layout.bands[box.band]) / 2)
        if not self.stepped:
            return
        floor = layout.bands[self.stepped[0].band][0] - FOOT
        for column in self.columns:
            tops = [layout.end(b.id, 1) for b in view.boxes.values() if b.column == column]
            layout.panels[column] = (floor, max(tops) + 12)
        layout.bottom = min(layout.bottom, floor)

    def _bends(self, column: str, band: int, inside: list[Box]) -> None:
        layout, block = self.layout, self.measures.blocks[column, band]
        reverse = inside[0].reverse
        ids = {box.key: box.id for box in inside}
        for n, ((a, b), bends) in enumerate(block.bends.items()):
            aside = (0.0, 10.0, -10.0)[n % 3]  # so that ways that change rows seldom meet on one line
            name = (*(a if a[0] == "in" else (ids[a],)), *(b if b[0] == "out" else (ids[b],)))
            layout.bends[name] = [
                (
                    self._rank_x(column, band, rank, reverse),
                    self.rows[band][int(row)] + aside * (row not in block.lanes.values()),
                )
                for rank, row in bends
            ]

    def _badges(self) -> None:
        layout, measures = self.layout, self.measures
        for box in self.view.boxes.values():
            if not box.badges or box.id not in layout.centre:
                continue
            (x, y), (_, h) = layout.centre[box.id], layout.size[box.id]
            w, tall = measures.badge_rows[box.key]
            for i, badge in enumerate(box.badges):
                side = -1 if i % 2 == 0 else 1
                if not box.column:
                    left = layout.side(box.id, -1)[0] - 12 - w / 2 - (w + 4) * (i // 2)
                    layout.badges[badge.id] = ((left, y - side * (tall + 4) / 2), (w, tall))
                    continue
                centre = (
                    x + side * (w + measures.between(box)) / 2,
                    y - h / 2 - 5 - tall / 2 - (tall + 3) * (i // 2),
                )
                layout.badges[badge.id] = (centre, (w, tall))
