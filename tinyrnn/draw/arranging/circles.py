"""Arrows to circles: their ways lead to the box around it, and are led on to the circle."""

from __future__ import annotations

import math

from tinyrnn.draw.arranging.geometry import Layout, Point
from tinyrnn.draw.arranging.route import Path
from tinyrnn.draw.viewing.view import View

__all__ = ["to_circles"]


def to_circles(view: View, layout: Layout) -> None:
    """Lead the ends of all ways, and of those of gradients, on to the circles that they begin or end at."""
    round = {id: layout.centre[id] for id, box in view.boxes.items() if box.round}
    if not round:
        return
    for arrow, path in layout.ways:
        ends = (arrow.tail, arrow.head)
        for way, (begin, end) in ((path, ends), (layout.backs.get(id(arrow)), ends[::-1])):
            for place, name in ((0, begin), (-1, end)):
                if way is not None and name in round:
                    _lead(way, place, round[name], layout.size[name][0] / 2)


def _lead(way: Path, place: int, centre: Point, radius: float) -> None:
    (x, y), (cx, cy) = way[place], centre
    off = (x - cx, y - cy)
    if max(abs(off[0]), abs(off[1])) > radius + 1:  # it branches off another one
        return
    across = 1 if abs(off[0]) >= abs(off[1]) else 0  # it comes from a side, or from above or below
    reach = math.sqrt(max(radius**2 - off[across] ** 2, 0.0))
    if across:
        way[place] = (cx + math.copysign(reach, off[0]), y)
    else:
        way[place] = (x, cy + math.copysign(reach, off[1]))
