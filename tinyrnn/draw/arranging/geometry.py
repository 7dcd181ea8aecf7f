"""The places of a picture: what the layout computes, and what the writers read.

Lengths are in points, y grows upwards.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tinyrnn.draw.arranging.route import Path
from tinyrnn.draw.text import number
from tinyrnn.draw.viewing.view import Arrow, Badge

__all__ = ["Layout", "Point", "badge_lines"]

Point = tuple[float, float]


@dataclass
class Layout:
    """Places of one picture; what has two ends has the left or lower one first."""

    centre: dict[str, Point] = field(default_factory=dict[str, Point])  # by the id of a box
    size: dict[str, Point] = field(default_factory=dict[str, Point])
    badges: dict[str, tuple[Point, Point]] = field(default_factory=dict[str, tuple[Point, Point]])
    lanes: dict[tuple[int, str], float] = field(default_factory=dict[tuple[int, str], float])  # (band, carry)
    spans: dict[str, Point] = field(default_factory=dict[str, Point])  # of columns
    panels: dict[str, Point] = field(default_factory=dict[str, Point])  # of columns: bottom and top
    bands: dict[int, Point] = field(default_factory=dict[int, Point])
    # What an edge inside a step (ids of two boxes, or ``in``/``out``, the carry and a box) passes.
    bends: dict[tuple[str, ...], list[Point]] = field(default_factory=dict[tuple[str, ...], list[Point]])
    ways: list[tuple[Arrow, Path]] = field(default_factory=list[tuple[Arrow, Path]])
    backs: dict[int, Path] = field(default_factory=dict[int, Path])  # of gradients, by ``id(arrow)``
    # Of each row of the picture: the ids of its columns, and its lower end.
    floors: list[tuple[set[str], float]] = field(default_factory=list[tuple[set[str], float]])
    bottom: float = 0.0  # of everything

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
