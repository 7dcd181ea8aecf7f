"""Which way each arrow goes: straight, along a lane, or around boxes, on a track of its own.

Between two bands is a channel, beside each column a gutter. An arrow that cannot go straight leaves its box
upwards into the channel over it, goes along a track there, up or down a track in a gutter where it must pass
other bands, and along a track of the channel under its head. In each channel what leaves has the lower
tracks, what passes straight from one band to the next those in the middle, and what arrives the upper ones:
no two arrows lie on one line.
"""

from __future__ import annotations

from dataclasses import dataclass

from tinyrnn.draw.viewing.view import BEFORE, Arrow, Box, View

__all__ = ["Way", "ways_of"]


@dataclass(eq=False)
class Way:
    """The kind of way that an arrow goes.

    It is ``loop``, ``inside`` a block, ``lane``, ``straight``, ``channel`` (one track between neighbouring
    bands), or ``around``.
    """

    arrow: Arrow
    tail: Box
    head: Box
    kind: str
    gutter: tuple[str, int] | None = None  # the column beside which it goes around, at its right (1) or left
    bundle: str = ""  # arrows of one bundle share their tracks: what attention looks at

    @property
    def name(self) -> str:
        """What arrows that share their tracks have in common."""
        return self.bundle or f"{self.tail.id}>{self.head.id}>{self.arrow.carry}"

    @property
    def ends(self) -> tuple[tuple[int, Box, Box], ...]:
        """The box at either end, 0 and 1, and the box at the other one."""
        return (0, self.tail, self.head), (1, self.head, self.tail)


def ways_of(view: View) -> list[Way]:
    """Choose a way for each arrow of a view."""
    chooser = _Chooser(view)
    return [chooser.choose(arrow) for arrow in view.arrows]


class _Chooser:
    def __init__(self, view: View) -> None:
        self.view = view
        self.group = view.order
        self.order = {id: i for i, id in enumerate(self.group)}
        self.last = {group: id for id, group in self.group.items()}
        self.filled: set[tuple[str, int]] = set()
        self.bars: dict[int, set[str]] = {}
        for box in view.boxes.values():
            if box.kind == "state":
                continue
            if box.column in self.order:
                bands = box.bands or {box.band}
                self.filled |= {(box.column, band) for band in range(min(bands), max(bands) + 1)}
            else:
                self.bars.setdefault(box.band, set()).update(box.groups)

    def choose(self, arrow: Arrow) -> Way:
        """Choose the way of one arrow."""
        tail, head = self.view.boxes[arrow.tail], self.view.boxes[arrow.head]
        way = Way(arrow, tail, head, "straight")
        if tail is head:
            way.kind = "loop"
        elif arrow.carry and self.on_lane(tail, head):
            way.kind = "lane"
        elif tail.column == head.column and tail.band == head.band and tail.column:
            way.kind = "inside"
        elif not self.clear(tail, head):
            way.kind = "around"
            way.gutter = self.gutter(tail, head)
        elif tail.column in self.order and head.column in self.order and tail.column != head.column:
            way.kind = "channel"
        if arrow.share is not None and way.kind in ("channel", "around"):
            way.bundle = head.id
        return way

    def on_lane(self, tail: Box, head: Box) -> bool:
        """Whether a state goes straight to the side: nothing stands between in its band."""
        fold = "fold" in (tail.kind, head.kind)
        if tail.band != head.band and not fold:
            return False
        band = head.band if tail.kind == "fold" else tail.band
        low, high = sorted((self._at(tail, head), self._at(head, tail)))
        return not any((c, band) in self.filled for c, i in self.order.items() if low < i < high)

    def _at(self, box: Box, other: Box) -> float:
        """Return which column a box stands in; a state stands before or behind those of its group."""
        if box.column in self.order or box.kind != "state":
            return self.order.get(box.column, 0)
        mine = [i for c, i in self.order.items() if self.group[c] in box.groups]
        mine = mine or [self.order.get(other.column, 0)]
        return max(mine) + 0.5 if box.reverse else min(mine) - 0.5

    def between(self, tail: Box, head: Box) -> range:
        """Return the bands that lie between two boxes."""
        if "fold" in (tail.kind, head.kind):
            fold, other = (tail, head) if tail.kind == "fold" else (head, tail)
            inside = [band for (c, band) in self.filled if c == fold.column]
            near = min(inside, key=lambda band: abs(band - other.band))
            return range(min(near, other.band) + 1, max(near, other.band))
        return range(min(tail.band, head.band) + 1, max(tail.band, head.band))

    def clear(self, tail: Box, head: Box) -> bool:
        """Whether an arrow can go up from the tail's band to the head's with nothing in its way."""
        down = tail.band >= head.band and "fold" not in (tail.kind, head.kind)
        if down or self.blocked(tail, head):
            return False
        columns = {b.column for b in (tail, head) if b.column in self.order}
        if not columns:
            columns = {c for c, g in self.group.items() if g in tail.groups and not c.startswith(BEFORE)}
        if len(columns) == 2 and any(b in self.view.bands for b in self.between(tail, head)):
            return False
        return not any((c, band) in self.filled for c in columns for band in self.between(tail, head))

    def blocked(self, tail: Box, head: Box) -> bool:
        """Whether a bar lies between two boxes."""
        groups = {*tail.groups, *head.groups}
        return any(self.bars.get(band, set()) & groups for band in self.between(tail, head))

    def gutter(self, tail: Box, head: Box) -> tuple[str, int]:
        """Return where to go around."""
        if self.blocked(tail, head) or not {tail.column, head.column} & set(self.order):
            return self.last[(tail.groups or head.groups)[-1]], 1
        if tail.column in self.order:
            right = self.order.get(head.column, self.order[tail.column]) >= self.order[tail.column]
            return tail.column, 1 if right else -1
        return head.column, -1
