"""A view: the boxes and arrows of one picture, before it is known where they stand."""

from __future__ import annotations

from dataclasses import dataclass, field

from tinyrnn.draw.reading.fold import Column
from tinyrnn.draw.reading.model import Record
from tinyrnn.draw.style import Gradient

__all__ = ["Arrow", "Box", "View"]


@dataclass
class Box:
    """One box of a picture.

    Attributes
    ----------
    id : str
        Such as ``t3.l0.tanh``.
    kind : str
        A key of the theme's fills.
    title, index : str
        ``h`` and ``3`` for h₃.
    band : str
        The row of the picture: a layer, or ``x``, ``y``, ``loss``, or a bar's own.
    column : str
        The column's id; empty for what stands beside the steps.
    key : tuple
        The same for the same box at other steps.
    members : list of Record
        What it stands for.
    lines : list of str
        Small print.
    badges : list of Badge
        The aliases of the weights that it uses.
    """

    id: str
    kind: str
    title: str
    index: str
    band: str
    column: str
    key: tuple[str, ...]
    members: list[Record] = field(default_factory=list[Record])
    lines: list[str] = field(default_factory=list[str])
    badges: list[Badge] = field(default_factory=list["Badge"])
    carries: list[str] = field(default_factory=list[str])
    faded: bool = False
    strip: list[float] = field(default_factory=list[float])


@dataclass
class Badge:
    """The alias of a weight, at one of its uses.

    ``use`` is the operation that uses it and the operand's position; None where a box uses it several times,
    for their sum is not known from one of them.
    """

    id: str
    weight: Record
    text: str
    use: tuple[Record, int] | None = None
    gradient: Gradient | None = None


@dataclass
class Arrow:
    """A value that passes from one box to another, and the gradient that comes back.

    Attributes
    ----------
    tail, head : str
        Ids of boxes.
    carry : str
        The name of the state that passes to another step; empty for what passes within one.
    layer : str
        The layer of that state.
    cut : bool
        The value passes and the gradient does not.
    gradient : Gradient or None
        The size of the gradient at the tail, where one has come back.
    """

    tail: str
    head: str
    carry: str = ""
    layer: str = ""
    cut: bool = False
    gradient: Gradient | None = None


@dataclass
class View:
    """What one picture shows."""

    level: str
    boxes: dict[str, Box]
    arrows: list[Arrow]
    columns: list[Column]
    bands: list[str]
    reverse: set[str]
    notes: list[str] = field(default_factory=list[str])
    tray: list[Box] = field(default_factory=list[Box])
    shades: list[tuple[int, int, int]] = field(default_factory=list[tuple[int, int, int]])
