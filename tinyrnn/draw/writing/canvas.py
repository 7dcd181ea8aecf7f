"""Lines of DOT for what has a place: nodes, words and arrows."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from tinyrnn.draw.arranging.geometry import Point
from tinyrnn.draw.style import Scale
from tinyrnn.draw.text import LINE, attribute, attributes, html, width
from tinyrnn.draw.writing.markup import small

__all__ = ["Canvas"]


class Canvas:
    """The lines of one picture, with a prefix to its ids where it is one of several.

    ``kinds`` are the kinds of arrows met on the way, that the margin says the meaning of.
    """

    def __init__(self, scale: Scale, prefix: str = "", kinds: set[str] | None = None) -> None:
        self.scale, self.theme, self.prefix = scale, scale.theme, prefix
        self.kinds = set[str]() if kinds is None else kinds
        self.lines: list[str] = []
        self.indent = "  "

    def node(self, id: str, centre: Point, size: Point, style: dict[str, str]) -> None:
        """Write a node at its place; lengths in points."""
        place = {
            "id": self.prefix + id,
            "pos": f"{centre[0]:.1f},{centre[1]:.1f}",
            "width": f"{size[0] / 72:.3f}",
            "height": f"{size[1] / 72:.3f}",
        }
        self.lines.append(f"{self.indent}{attribute(self.prefix + id)} {attributes(place | style)};")

    def words(self, id: str, centre: Point, words: str, kind: str, letters: float = LINE) -> None:
        """Write text with no box around it."""
        style = {"label": small(html(words), letters), "shape": "plaintext", "style": "", "class": kind}
        self.node(id, centre, (width(words, letters) + 8, letters + 5), style)

    def edge(self, tail: str, head: str, style: dict[str, str]) -> None:
        """Write an arrow."""
        ends = f"{attribute(self.prefix + tail)} -> {attribute(self.prefix + head)}"
        self.lines.append(f"  {ends} {attributes(style)};")

    @contextmanager
    def panel(self, id: str, style: dict[str, str]) -> Generator[None]:
        """Write what is written meanwhile into a panel of its own."""
        self.lines.append(f"  subgraph {attribute(f'cluster_{self.prefix}{id}')} {{")
        self.lines.append(f"    graph {attributes(style)}")
        self.indent = "    "
        yield
        self.indent = "  "
        self.lines.append("  }")
