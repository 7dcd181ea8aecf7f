"""A view: the boxes and arrows of one picture, before it is known where they stand."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

from tinyrnn.draw.reading.records import Record
from tinyrnn.draw.style import Gradient
from tinyrnn.draw.viewing.fold import Column

__all__ = ["BEFORE", "WHOLE", "Arrow", "Box", "View"]

BEFORE = "before"  # the column of what leads to the initial states of a group
WHOLE = "all"  # the one column of a group in a picture without steps


@dataclass
class Box:
    """One box of a picture."""

    id: str  # such as ``t3.l0.tanh``
    kind: str  # a key of the theme's fills
    title: str  # ``h`` of h₃,
    index: str  # and ``3``
    band: int  # the row of the picture, from below
    column: str  # its id; empty for what stands over several columns, or beside them
    key: tuple[str, ...]  # the same for the same box at other steps
    groups: tuple[str, ...] = ()  # those of columns that it stands in, or over
    unit: str = ""  # which it is, or is a part of
    reverse: bool = False  # whether its loop goes from the last step to the first
    bands: set[int] = field(default_factory=set[int])  # of a fold: all in which its steps have boxes
    members: list[Record] = field(default_factory=list[Record])  # what it stands for
    lines: list[str] = field(default_factory=list[str])  # small print
    badges: list[Badge] = field(default_factory=list["Badge"])  # of the weights that it uses
    carries: list[str] = field(default_factory=list[str])  # states that it hands on
    faded: bool = False  # no row of the batch runs any more
    round: bool = False  # drawn as a circle
    strip: list[float] = field(default_factory=list[float])  # of a weight in the tray: sizes over time


@dataclass
class Badge:
    """The alias of a weight, at its uses in one box."""

    id: str
    weight: Record
    text: str
    uses: list[tuple[Record, int]] = field(default_factory=list[tuple[Record, int]])  # and the operand's slot
    gradient: Gradient | None = None
    whole: bool = False  # whether these are all uses that there are
    colour: int = 0  # which of the weights of its unit it is


@dataclass
class Arrow:
    """A value that passes from one box to another, and the gradient that comes back."""

    tail: str  # ids of boxes
    head: str
    carry: str = ""  # the state that passes to another step; empty for what passes within one
    unit: str = ""  # that of the state
    cut: bool = False  # the value passes and the gradient does not
    gradient: Gradient | None = None  # at the tail, where one has come back
    share: float | None = None  # how much of what the head reads it is: the weight of attention
    begins: bool = False  # the state is one that a run begins from
    joins: bool = False  # its line branches off another one from the same tail


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
