"""The places of a picture: what the layout computes, and what the writers read.

Lengths are in points, y grows upwards.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tinyrnn.draw.arranging.route import Path
from tinyrnn.draw.reading.view import Arrow, Badge
from tinyrnn.draw.text import number

__all__ = ["Layout", "Point", "badge_lines"]

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
    panels : dict
        Bottom and top of the panel of each column, by its id.
    bands : dict
        Bottom and top of each band.
    bends : dict
        For an edge inside a step (ids of two boxes, or ``in``/``out``, the carry and a box), the points that
        it passes.
    ways : list of (Arrow, Path)
    backs : dict
        The way of the gradient back along an arrow, by ``id(arrow)``.
    floors : list of (columns, height)
        Of each row of the picture: the ids of its columns, and its lower end.
    bottom : float
        Of everything.
    """

    centre: dict[str, Point] = field(default_factory=dict[str, Point])
    size: dict[str, Point] = field(default_factory=dict[str, Point])
    badges: dict[str, tuple[Point, Point]] = field(default_factory=dict[str, tuple[Point, Point]])
    lanes: dict[tuple[int, str], float] = field(default_factory=dict[tuple[int, str], float])
    spans: dict[str, Point] = field(default_factory=dict[str, Point])
    panels: dict[str, Point] = field(default_factory=dict[str, Point])
    bands: dict[int, Point] = field(default_factory=dict[int, Point])
    bends: dict[tuple[str, ...], list[Point]] = field(default_factory=dict[tuple[str, ...], list[Point]])
    ways: list[tuple[Arrow, Path]] = field(default_factory=list[tuple[Arrow, Path]])
    backs: dict[int, Path] = field(default_factory=dict[int, Path])
    floors: list[tuple[set[str], float]] = field(default_factory=list[tuple[set[str], float]])
    bottom: float = 0.0

    def side(self, id: str, sign: float) -> Point:
        """Return the middle of a box's right (1) or left (-1) side."""
        (x, y), (w, _) = self.centre[id], self.size[id]
        return x + sign * w / 2, y

    def end(self, id: str, sign: float) -> float:
        """Return the height of a box's upper (1) or lower (-1) side."""
        (_, y), (_, h) = self.centre[id], self.size[id]
        return y + sign * h / 2


def badge_lines(badge: Badge) -> list[str]:
    """Return what stands in a weight's alias."""
    return [badge.text] + ([f"∂ {number(badge.gradient.norm)}"] if badge.gradient is not None else [])
