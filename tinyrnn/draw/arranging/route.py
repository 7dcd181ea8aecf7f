"""The ways of arrows, as Bézier curves between placed boxes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

__all__ = ["Path", "corners", "middle", "shifted", "spline", "sweep", "tidy", "upward"]

Point = tuple[float, float]
Path = list[Point]  # a start, then three points for each cubic piece
TIP = 6.5


def line(p: Point, q: Point) -> Path:
    """Return the two inner points and the end of a straight piece."""
    return [
        (p[0] + (q[0] - p[0]) / 3, p[1] + (q[1] - p[1]) / 3),
        (p[0] + 2 * (q[0] - p[0]) / 3, p[1] + 2 * (q[1] - p[1]) / 3),
        q,
    ]


def sweep(points: Sequence[Point]) -> Path:
    """Go through points sideways, level at each of them."""
    path = [points[0]]
    for p, q in pairwise(points):
        middle = (p[0] + q[0]) / 2
        path += line(p, q) if p[1] == q[1] else [(middle, p[1]), (middle, q[1]), q]
    return path


def upward(p: Point, q: Point) -> Path:
    """Go from one point to another, upright at both ends."""
    if p[0] == q[0]:
        return [p, *line(p, q)]
    middle = (p[1] + q[1]) / 2
    return [p, (p[0], middle), (q[0], middle), q]


def corners(points: Sequence[Point], radius: float = 7.0) -> Path:
    """Go along straight lines with rounded corners."""
    path = [points[0]]
    for before, at, after in zip(points, points[1:], points[2:]):
        a, b = _towards(at, before, radius), _towards(at, after, radius)
        path += line(path[-1], a)
        path += [at, at, b]
    return path + line(path[-1], points[-1])


def tidy(points: Sequence[Point]) -> list[Point]:
    """Drop points that repeat the one before, and those on the line between their neighbours."""
    kept: list[Point] = []
    for point in points:
        if kept and abs(point[0] - kept[-1][0]) < 0.05 and abs(point[1] - kept[-1][1]) < 0.05:
            continue
        if len(kept) > 1 and any(
            abs(kept[-2][i] - kept[-1][i]) + abs(kept[-1][i] - point[i]) < 0.05 for i in (0, 1)
        ):
            kept.pop()
        kept.append(point)
    return kept


def _level(axis: int, *points: Point) -> bool:
    """Whether points lie on one line along an axis."""
    places = [point[axis] for point in points]
    return max(places) - min(places) < 0.05


def shifted(path: Path, dx: float, dy: float) -> Path:
    """Return the same way beside it."""
    return [(x + dx, y + dy) for x, y in path]


def spline(path: Path) -> str:
    """Write a way as the ``pos`` of a DOT edge whose arrowhead is at its end."""
    end, before = path[-1], next((p for p in reversed(path[:-1]) if p != path[-1]), path[0])
    base = _towards(end, before, TIP)
    points = [*path[:-1], base]
    if path[-2] == end:
        points[-2] = base
    return f"e,{_pair(end)} " + " ".join(map(_pair, points))


def middle(path: Path) -> Point:
    """Return the point half way along."""
    pieces = (len(path) - 1) // 3
    k = 3 * (pieces // 2)
    p = path[k : k + 4]
    if pieces % 2 == 0:
        return path[k]
    return tuple((p[0][i] + 3 * p[1][i] + 3 * p[2][i] + p[3][i]) / 8 for i in (0, 1))  # pyright: ignore


def _towards(p: Point, q: Point, length: float) -> Point:
    dx, dy = q[0] - p[0], q[1] - p[1]
    far = (dx * dx + dy * dy) ** 0.5
    if far == 0:
        return p
    share = min(length / far, 0.5)
    return p[0] + dx * share, p[1] + dy * share


def _pair(p: Point) -> str:
    return f"{p[0]:.1f},{p[1]:.1f}"
