"""The places of a picture: what the layout computes, and what the ways of arrows need to know of it.

Lengths are in points, y grows upwards.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tinyrnn.draw.reading.view import Badge, Box, View
from tinyrnn.draw.text import number

__all__ = ["Layout", "Point", "badge_lines", "occupied", "passes", "tracks_of"]

PAD, BETWEEN, RISE, ROW_GAP = 14.0, 46.0, 34.0, 16.0
TRACK = 9.0
ALL = "all"  # the one column of a picture without steps

Point = tuple[float, float]


@dataclass
class Layout:
    """Places of one picture.

    Attributes
    ----------
    centre, size : dict
        By the id of a box.
    badges : dict
        Centre and size of each badge, by its id.
    lanes : dict
        The height of each (band, carry).
    spans : dict
        Left and right end of each column, by its id.
    floor, ceiling : float
        Of the panels of the steps.
    left, right, bottom, top : float
        Of everything.
    bends : dict
        For an edge inside a step (ids of two boxes, or ``in``/``out``, the carry and a box), the points that
        it passes.
    bands : dict
        Bottom and top of each band.
    """

    centre: dict[str, Point] = field(default_factory=dict[str, Point])
    size: dict[str, Point] = field(default_factory=dict[str, Point])
    badges: dict[str, tuple[Point, Point]] = field(default_factory=dict[str, tuple[Point, Point]])
    lanes: dict[tuple[str, str], float] = field(default_factory=dict[tuple[str, str], float])
    spans: dict[str, Point] = field(default_factory=dict[str, Point])
    bands: dict[str, Point] = field(default_factory=dict[str, Point])
    bends: dict[tuple[str, ...], list[Point]] = field(default_factory=dict[tuple[str, ...], list[Point]])
    floor: float = 0.0
    ceiling: float = 0.0
    left: float = 0.0
    right: float = 0.0
    bottom: float = 0.0
    top: float = 0.0


def badge_lines(badge: Badge) -> list[str]:
    """Return what stands in a weight's alias."""
    return [badge.text] + ([f"∂ {number(badge.gradient.norm)}"] if badge.gradient is not None else [])


def tracks_of(view: View) -> dict[str, int]:
    """Return for each column how many boxes have arrows that must pass a band on their way up."""
    boxes, filled = view.boxes, occupied(view)
    found: set[tuple[str, str]] = set()
    for arrow in view.arrows:
        tail, head = boxes[arrow.tail], boxes[arrow.head]
        if arrow.carry or tail.kind in ("state", "fold"):
            continue
        if passes(view, filled, tail, head):
            found.add((tail.column or head.column or ALL, arrow.tail))
    counts: dict[str, int] = {}
    for column, _ in found:
        counts[column] = counts.get(column, 0) + 1
    return counts


def occupied(view: View) -> set[tuple[str, str]]:
    """Return the pairs of column and band in which a box stands."""
    return {(box.column, box.band) for box in view.boxes.values() if box.kind != "state"}


def passes(view: View, filled: set[tuple[str, str]], tail: Box, head: Box) -> bool:
    """Whether a band that has boxes in the column stands between two boxes."""
    if tail.band not in view.bands or head.band not in view.bands:
        return False
    low, high = sorted((view.bands.index(tail.band), view.bands.index(head.band)))
    column = tail.column or head.column
    return any((column, band) in filled for band in view.bands[low + 1 : high])
