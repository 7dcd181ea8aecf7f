"""The way of each arrow of a picture, from the places of its boxes."""

from __future__ import annotations

from tinyrnn.draw.arranging.block import GAP
from tinyrnn.draw.arranging.geometry import ALL, BETWEEN, TRACK, Layout, occupied, passes
from tinyrnn.draw.arranging.route import Path, corners, sweep, upward
from tinyrnn.draw.reading.view import Arrow, Box, View

__all__ = ["Router"]


class Router:
    """Finds ways; each box whose arrows must go around others gets a track of its own beside its column."""

    def __init__(self, view: View, layout: Layout) -> None:
        self.view = view
        self.layout = layout
        self.filled = occupied(view)
        self.tracks: dict[str, dict[str, int]] = {}
        self.stacks: dict[tuple[str, str], list[Box]] = {}
        for box in view.boxes.values():
            if box.kind != "state":
                self.stacks.setdefault((box.column, box.band), []).append(box)

    def path(self, arrow: Arrow) -> Path:
        """Return the way of an arrow."""
        tail, head = self.view.boxes[arrow.tail], self.view.boxes[arrow.head]
        if arrow.tail == arrow.head:
            return self._loop(tail, arrow)
        if arrow.carry:
            return self._carry(tail, head, arrow)
        bent = self.layout.bends.get((tail.id, head.id))
        if bent is not None or (tail.column == head.column and tail.band == head.band and tail.column):
            return self._inside(tail, head, bent or [])
        if (
            tail.column != head.column
            and tail.column
            and head.column
            and "fold" not in (tail.kind, head.kind)
        ):
            return self._across(tail, head)
        return self._up(tail, head)

    def _across(self, tail: Box, head: Box) -> Path:
        """To another step, by what is not a state of the same layer: an output that is fed back, say."""
        sign = 1.0 if self.layout.centre[head.id][0] >= self.layout.centre[tail.id][0] else -1.0
        start, end = self.side(tail, sign), self.side(head, -sign)
        gap = self.layout.spans[tail.column][1 if sign > 0 else 0] + sign * BETWEEN / 2
        return corners([start, (gap, start[1]), (gap, end[1] + 8), (end[0], end[1] + 8)])

    def side(self, box: Box, sign: float) -> tuple[float, float]:
        """Return the middle of a box's right (1) or left (-1) side."""
        (x, y), (w, _) = self.layout.centre[box.id], self.layout.size[box.id]
        return x + sign * w / 2, y

    def end(self, box: Box, sign: float) -> tuple[float, float]:
        """Return the middle of a box's top (1) or bottom (-1)."""
        (x, y), (_, h) = self.layout.centre[box.id], self.layout.size[box.id]
        return x, y + sign * h / 2

    def _carry(self, tail: Box, head: Box, arrow: Arrow) -> Path:
        layout = self.layout
        sign = -1.0 if arrow.layer in self.view.reverse else 1.0
        band = head.band or tail.band or arrow.layer
        lane = layout.lanes.get((band, arrow.carry))
        if lane is None:
            lane = layout.lanes.get((arrow.layer, arrow.carry), layout.centre[tail.id][1])
        points = []
        if tail.kind == "state":
            points.append(self.side(tail, sign))
        else:
            x, y = self.side(tail, sign)
            points.append((x, lane if self._covers(tail, lane) else y))
            points += layout.bends.get((tail.id, "out", arrow.carry), [])
            if tail.column and tail.kind != "fold":
                points.append((layout.spans[tail.column][1 if sign > 0 else 0], lane))
        if head.column and head.kind != "fold":
            points.append((layout.spans[head.column][0 if sign > 0 else 1], lane))
        points += layout.bends.get(("in", arrow.carry, head.id), [])
        x, y = self.side(head, -sign)
        points.append((x, lane if self._covers(head, lane) else y))
        kept = [points[0]]
        for point in points[1:]:
            if (point[0] - kept[-1][0]) * sign > 0.5:
                kept.append(point)
        return sweep(kept if len(kept) > 1 else [points[0], points[-1]])

    def _covers(self, box: Box, y: float) -> bool:
        return abs(self.layout.centre[box.id][1] - y) < self.layout.size[box.id][1] / 2

    def _loop(self, box: Box, arrow: Arrow) -> Path:
        """Return the arrow of the rolled picture: out of the box and back into it, one step later."""
        (x, y), (w, _) = self.layout.centre[box.id], self.layout.size[box.id]
        lane = self.layout.lanes.get((box.band, arrow.carry), y)
        sign = -1.0 if arrow.layer in self.view.reverse else 1.0
        edge, far = x + sign * w / 2, x + sign * (w / 2 + 40)
        return corners([(edge, lane + 9), (far, lane + 9), (far, lane - 9), (edge, lane - 9)], 8.0)

    def _inside(self, tail: Box, head: Box, bends: list[tuple[float, float]]) -> Path:
        (ax, ay), (bx, by) = self.layout.centre[tail.id], self.layout.centre[head.id]
        if abs(ax - bx) < 1:  # one above the other
            sign = 1.0 if by > ay else -1.0
            return upward(self.end(tail, sign), self.end(head, -sign))
        sign = 1.0 if bx > ax else -1.0
        start, end = self.side(tail, sign), self.side(head, -sign)
        return sweep([start, *bends, end])

    def _up(self, tail: Box, head: Box) -> Path:
        layout = self.layout
        sign = 1.0 if layout.centre[head.id][1] >= layout.centre[tail.id][1] else -1.0
        start, end = self.end(tail, sign), self.end(head, -sign)
        wide_tail, wide_head = (not box.column and layout.size[box.id][0] > 200 for box in (tail, head))
        if wide_head:
            end = (start[0], end[1])
        if wide_tail:
            start = (end[0], start[1])
            if wide_head:
                start = end = (layout.centre[head.id][0], 0)
                return upward((start[0], self.end(tail, sign)[1]), (end[0], self.end(head, -sign)[1]))
        if tail.kind == "fold" or head.kind == "fold":
            x = layout.centre[tail.id if tail.kind == "fold" else head.id][0]
            return upward((x, start[1]), (x, end[1])) if wide_head or wide_tail else upward(start, end)
        before = self._aside(tail, sign)
        after = self._aside(head, -sign)
        around = passes(self.view, self.filled, tail, head)
        if not (before or after or around):
            crowded = any(len(self.stacks.get((b.column, b.band), [])) > 1 for b in (tail, head) if b.column)
            if not crowded or abs(start[0] - end[0]) < 30 or wide_head or wide_tail:
                return upward(start, end)
            low, high = layout.bands[tail.band]
            level = high + 10 if sign > 0 else low - 10
            return corners([start, (start[0], level), (end[0], level), end])
        low, high = layout.bands.get(tail.band, (start[1], start[1]))
        level = max(start[1] + 8, high + 10) if sign > 0 else min(start[1] - 8, low - 10)
        if len(self.stacks.get((tail.column, tail.band), [])) < 2:
            level = start[1] + sign * 8
        leave = before or [start, (start[0], level)]
        arrive = after or [end, (end[0], end[1] - sign * (8 + self._under(head)))]
        if around:
            x = self._track(tail, head)
            between = [(x, leave[-1][1]), (x, arrive[-1][1])]
            if wide_head:
                return corners([*leave, between[0], (x, end[1])])
        elif before and wide_head:
            return corners([*leave, (leave[-1][0], end[1])])
        else:
            between = (
                [(arrive[-1][0], leave[-1][1])] if after or not before else [(leave[-1][0], arrive[-1][1])]
            )
        return corners(_tidy([*leave, *between, *arrive[::-1]]))

    def _under(self, box: Box) -> float:
        if not box.badges:
            return 0.0
        low = min(self.layout.badges[b.id][0][1] - self.layout.badges[b.id][1][1] / 2 for b in box.badges)
        return self.end(box, -1)[1] - low

    def _aside(self, box: Box, sign: float) -> list[tuple[float, float]]:
        """Return the way out beside a box, where another one of its step stands straight over or under it."""
        (x, y), (w, h) = self.layout.centre[box.id], self.layout.size[box.id]
        stack = self.stacks.get((box.column, box.band), []) if box.column else []
        blocked = any(
            abs(self.layout.centre[other.id][0] - x) < (w + self.layout.size[other.id][0]) / 2
            and (self.layout.centre[other.id][1] - y) * sign > 1
            for other in stack
            if other is not box
        )
        if not blocked:
            return []
        flow = -1.0 if box.band in self.view.reverse else 1.0
        turn = (
            flow * sign
        )  # up and out on the side of what follows, in from below on the side of what comes before
        low, high = self.layout.bands[box.band]
        gap = x + turn * (w / 2 + GAP / 2 - 4)
        return [
            (x + turn * w / 2, y + sign * h / 4),
            (gap, y + sign * h / 4),
            (gap, high + 7 if sign > 0 else low - 7),
        ]

    def _track(self, tail: Box, head: Box) -> float:
        column = tail.column or head.column or ALL
        spans = self.layout.spans
        if column == ALL:  # between two wide boxes: beside all steps
            left, right = min(low for low, _ in spans.values()), max(high for _, high in spans.values())
        else:
            left, right = spans[column]
        used = self.tracks.setdefault(column, {})
        order = used.setdefault(tail.id, len(used))
        ends = [b for b in (tail, head) if b.column]
        x = sum(self.layout.centre[b.id][0] for b in ends) / max(len(ends), 1)
        inset = 7 + TRACK * order
        return left + inset if ends and x < (left + right) / 2 - 1 else right - inset


def _tidy(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Drop points that repeat the one before."""
    kept = points[:1]
    for point in points[1:]:
        if abs(point[0] - kept[-1][0]) > 0.05 or abs(point[1] - kept[-1][1]) > 0.05:
            kept.append(point)
    return kept
