"""A view: the boxes and arrows of one picture, before it is known where they stand."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

from tinyrnn.draw.reading.fold import Column
from tinyrnn.draw.reading.records import Record
from tinyrnn.draw.style import Gradient

__all__ = ["BEFORE", "WHOLE", "Arrow", "Box", "View"]

BEFORE = "before"  # the column of what leads to the initial states of a group
WHOLE = "all"  # the one column of a group in a picture without steps


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
    band : int
        The row of the picture, from below.
    column : str
        The column's id; empty for what stands over several columns, or beside them.
    groups : tuple of str
        The groups of columns that it stands in, or over.
    unit : str
        The unit that it is, or a part of.
    bands : set of int
        Of a fold, all the rows in which its steps have boxes.
    reverse : bool
        Whether its loop goes from the last step to the first.
    key : tuple
        The same for the same box at other steps.
    members : list of Record
        What it stands for.
    lines : list of str
        Small print.
    badges : list of Badge
        The aliases of the weights that it uses.
    round : bool
        Whether it is drawn as a circle.
    """

    id: str
    kind: str
    title: str
    index: str
    band: int
    column: str
    key: tuple[str, ...]
    groups: tuple[str, ...] = ()
    unit: str = ""
    reverse: bool = False
    bands: set[int] = field(default_factory=set[int])
    members: list[Record] = field(default_factory=list[Record])
    lines: list[str] = field(default_factory=list[str])
    badges: list[Badge] = field(default_factory=list["Badge"])
    carries: list[str] = field(default_factory=list[str])
    faded: bool = False
    round: bool = False
    strip: list[float] = field(default_factory=list[float])


@dataclass
class Badge:
    """The alias of a weight, at its uses in one box.

    ``uses`` are the operations that use it, each with the operand's position. ``whole`` tells whether these
    are all uses that there are, and ``colour`` counts the weights of a unit.
    """

    id: str
    weight: Record
    text: str
    uses: list[tuple[Record, int]] = field(default_factory=list[tuple[Record, int]])
    gradient: Gradient | None = None
    whole: bool = False
    colour: int = 0


@dataclass
class Arrow:
    """A value that passes from one box to another, and the gradient that comes back.

    Attributes
    ----------
    tail, head : str
        Ids of boxes.
    carry : str
        The name of the state that passes to another step; empty for what passes within one.
    unit : str
        The unit of that state.
    cut : bool
        The value passes and the gradient does not.
    gradient : Gradient or None
        The size of the gradient at the tail, where one has come back.
    share : float or None
        How much of what the head reads it is: the weight that attention gives it.
    begins : bool
        The state is one that a run begins from.
    joins : bool
        Its line branches off another one from the same tail.
    """

    tail: str
    head: str
    carry: str = ""
    unit: str = ""
    cut: bool = False
    gradient: Gradient | None = None
    share: float | None = None
    begins: bool = False
    joins: bool = False


@dataclass
class View:
    """What one picture shows."""

    level: str
    boxes: dict[str, Box]
    arrows: list[Arrow]
    columns: list[Column]
    notes: list[str] = field(default_factory=list[str])
    tray: list[Box] = field(default_factory=list[Box])
    shades: list[tuple[int, int, int]] = field(default_factory=list[tuple[int, int, int]])

    def climbs(self, arrow: Arrow) -> bool:
        """Whether an arrow goes to another band. What stands in several bands has a lane in each."""
        tail, head = self.boxes[arrow.tail], self.boxes[arrow.head]
        return tail.band != head.band and not {tail.kind, head.kind} & {"state", "fold"}

    @property
    def order(self) -> dict[str, str]:
        """The columns with boxes in them, from left to right, and the group of each."""
        place = {column.id: i for i, column in enumerate(self.columns)}
        used = {
            box.column: box.groups[0]
            for box in self.boxes.values()
            if box.column in place or box.column.partition(".")[0] in (BEFORE, WHOLE)
        }
        groups = [*(column.group for column in self.columns), *used.values()]
        return dict(sorted(used.items(), key=lambda item: (groups.index(item[1]), place.get(item[0], -1))))

    @cached_property
    def bands(self) -> list[int]:
        """The rows in which something stands, from below, once all boxes are there."""
        return sorted({box.band for box in self.boxes.values() if box.kind != "fold"})

    def spread(self) -> View:
        """Return the view with a free row between any two."""
        boxes = {
            id: replace(box, band=2 * box.band, bands={2 * band for band in box.bands})
            for id, box in self.boxes.items()
        }
        return replace(self, boxes=boxes)
