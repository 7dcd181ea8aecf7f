"""What stands in an SVG that Graphviz has written: boxes, arrows and panels, with their shapes and letters.

TikZ and Mermaid are written from it, so that they show what the SVG shows: the same places, colours and
names, whatever the picture is of. Lengths are in points, y grows downwards.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

__all__ = ["Part", "Shape", "ends_of", "pairs", "parts_of", "scale_of"]

INDEX = str.maketrans("0123456789t", "₀₁₂₃₄₅₆₇₈₉ₜ")
NUMBER = re.compile(r"-?\d+\.?\d*(?:[eE]-?\d+)?")


@dataclass(frozen=True)
class Shape:
    """A path, polygon, polyline, ellipse or text, with the attributes that SVG gives it."""

    tag: str
    style: dict[str, str]
    text: str = ""

    def length(self, name: str, default: float = 0.0) -> float:
        """Return an attribute that is a length."""
        return float(self.style.get(name, default))

    @cached_property
    def points(self) -> list[tuple[float, float]]:
        """All points that it goes through or is drawn by."""
        if self.tag == "text":
            return [(self.length("x"), self.length("y"))]
        if self.tag == "ellipse":
            x, y, rx, ry = (self.length(name) for name in ("cx", "cy", "rx", "ry"))
            return [(x - rx, y - ry), (x + rx, y + ry)]
        return pairs(self.style.get("points") or self.style.get("d", ""))


@dataclass(frozen=True)
class Part:
    """One box, arrow or panel; or the picture's ground, whose kind is ``graph``."""

    kind: str
    id: str
    classes: tuple[str, ...]
    shapes: list[Shape]

    @cached_property
    def outline(self) -> Shape | None:
        """Its first shape: the frame of a box, the line of an arrow."""
        return next((shape for shape in self.shapes if shape.tag != "text"), None)

    @cached_property
    def ends(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom, by its outline, or by its letters where it has none."""
        shapes = [self.outline] if self.outline is not None else self.shapes
        xs, ys = zip(*(point for shape in shapes for point in shape.points))
        return min(xs), min(ys), max(xs), max(ys)

    @cached_property
    def lines(self) -> list[str]:
        """What is written on it, from above; what stands on one line is put together, an index as one."""
        found: dict[float, list[Shape]] = {}
        for shape in self.shapes:
            if shape.tag == "text" and shape.text.strip():
                found.setdefault(shape.length("y"), []).append(shape)
        return [_line(found[y]) for y in sorted(found)]


def pairs(text: str) -> list[tuple[float, float]]:
    """Return the points whose coordinates a text holds."""
    numbers = [float(n) for n in NUMBER.findall(text)]
    return list(zip(numbers[::2], numbers[1::2]))


def parts_of(svg: str) -> list[Part]:
    """Read the parts of an SVG in the order in which they are drawn."""
    (ground,) = (g for g in ET.fromstring(svg) if g.get("class") == "graph")
    parts = [Part("graph", "", (), [s for child in ground if (s := _shape(child)) is not None])]
    for group in ground:
        kind, *classes = group.get("class", "").split() or [""]
        if kind in ("node", "edge", "cluster"):
            id = next((e.text or "" for e in group if _tag(e) == "title"), "")
            shapes = [s for e in group.iter() if (s := _shape(e)) is not None]
            parts.append(Part(kind, id, tuple(classes), shapes))
    return parts


def ends_of(title: str, names: Collection[str]) -> tuple[str, str]:
    """Return the boxes that an arrow joins. A name may hold an arrow itself."""
    ways = (match.span() for match in re.finditer("-[->]", title))
    return next((title[:a], title[b:]) for a, b in ways if title[:a] in names and title[b:] in names)


def scale_of(svg: str) -> float:
    """Return how much smaller or larger than its own points a picture is drawn."""
    (ground,) = (part for part in parts_of(svg) if part.kind == "graph")
    left, _, right, _ = ground.ends
    shown = float(ET.fromstring(svg).get("viewBox", "").split()[2])
    return 1.0 if abs(shown - (right - left)) <= 1 else shown / (right - left)


def _line(shapes: list[Shape]) -> str:
    line = shapes[0].text.strip()
    for before, shape in pairwise(shapes):
        text = shape.text.strip()
        index = shape.length("font-size") < before.length("font-size")
        line += text.translate(INDEX) if index else f" {text}"
    return line


def _tag(element: ET.Element) -> str:
    return str(element.tag).rpartition("}")[2]  # a comment's tag is a function


def _shape(element: ET.Element) -> Shape | None:
    tag = _tag(element)
    if tag not in ("path", "polygon", "polyline", "ellipse", "text"):
        return None
    return Shape(tag, dict(element.attrib), "".join(element.itertext()) if tag == "text" else "")
