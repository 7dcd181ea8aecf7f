"""The ways of arrows, as Bézier curves between placed boxes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

__all__ = ["BESIDE", "Path", "beside", "corners", "middle", "spline", "tidy"]

Point = tuple[float, float]
Path = list[Point]  # a start, then three points for each cubic piece
TIP = 6.5
BESIDE = 5.0  # between an edge and the gradient that flows back along it


def line(p: Point, q: Point) -> Path:
    """Return the two inner points and the end of a straight piece."""
    (px, py), (qx, qy) = p, q
    return [(px + (qx - px) / 3, py + (qy - py) / 3), (px + 2 * (qx - px) / 3, py + 2 * (qy - py) / 3), q]


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


def beside(points: Sequence[Point], apart: float) -> list[Point]:
    """Return the way beside one along the axes: below where it begins level, at the right where upright."""
    (x0, y0), (x1, y1) = points[0], points[1]
    side = apart if x1 > x0 or (x1 == x0 and y1 > y0) else -apart
    moves: list[Point] = []  # of each piece, to one side of its direction
    for (ax, ay), (bx, by) in pairwise(points):
        level = abs(bx - ax) > abs(by - ay)
        moves.append((0.0, -side if bx > ax else side) if level else (side if by > ay else -side, 0.0))
    found: list[Point] = []
    for n, (x, y) in enumerate(points):
        near = {moves[max(n - 1, 0)], moves[min(n, len(moves) - 1)]}
        found.append((x + sum(dx for dx, _ in near), y + sum(dy for _, dy in near)))
    return found


def spline(path: Path, *, tip: bool = True) -> str:
    """Write a way as the ``pos`` of a DOT edge, with its arrowhead at its end."""
    if not tip:
        return " ".join(map(_pair, path))
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
