"""Where each record stands on the stepper's picture: a column a time step, in it the operations upwards.

A stepper shows every operation, and the reader's eye goes back and forth between steps. So each step is
laid out alone and alike, and no layout engine is needed. A value from outside of the loop (a weight, an
input, a constant) stands as a small copy beside each use, like the aliases of the pictures: no bundle of
edges crosses the steps.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from statistics import fmean

from tinyrnn.draw.text import width

__all__ = ["Box", "Column", "Grid", "Link", "Place", "Vertex", "arrange"]

Place = tuple[str, int]  # a column: the loops that count the step, and the step

BOX, CHIP, BEND, HEIGHT = 104, 86, 14, 48  # least widths, and height, in pixels
MOST = 20  # letters of a name that are shown
NAME_SIZE, SIGN_SIZE = 13, 12  # of the letters, as in the style sheet
GAP, ROW, MARGIN = 14, 78, 22


@dataclass(eq=False)
class Vertex:
    """What is to be placed: a record, or a part of a level.

    Attributes
    ----------
    key : int
        Its number on the page.
    label, sign : str
        The name, and what stands at the right of it.
    place : (str, int) or None
        The column; None outside of the steps.
    inputs : list of Vertex
    made : bool
        Whether it has a box of its own. What is not computed stands as a copy beside each use.
    cut : bool
        No gradient passes.
    layer : int
        Of one column, what has a higher number stands above all that has a lower one.
    """

    key: int
    label: str
    sign: str
    place: Place | None
    inputs: list[Vertex]
    made: bool
    cut: bool = False
    layer: int = 0


@dataclass
class Box:
    """A vertex at its place, with its centre at x and y; ``copy`` for the small copies beside their uses."""

    node: Vertex
    copy: bool
    row: int
    width: float
    x: float = 0.0
    y: float = 0.0
    below: list[Box] = field(default_factory=list["Box"])
    above: list[Box] = field(default_factory=list["Box"])
    pull: float = 0.0  # towards the side on which a value comes in from another step
    exit: float = 0.0  # where an edge that leaves the steps goes up: if it can, beside the column


@dataclass
class Column:
    """One time step of the loops ``group``, or what comes before or after all.

    ``bends`` are the places that edges pass through.
    """

    step: int | None
    group: str
    title: str
    boxes: list[Box] = field(default_factory=list[Box])
    bends: list[Box] = field(default_factory=list[Box])
    left: float = 0.0
    width: float = 0.0


@dataclass(frozen=True)
class Link:
    """An edge from ``start`` to operand ``position`` of ``end``, past the rows between by way of ``bends``.

    ``inside`` tells whether both are in one column.
    """

    start: Box
    end: Box
    position: int
    inside: bool
    bends: tuple[Box, ...] = ()


@dataclass
class Grid:
    """The columns from left to right, all edges, and the size in pixels."""

    columns: list[Column]
    links: list[Link]
    width: float
    height: float


def arrange(vertices: list[Vertex], groups: list[str]) -> Grid:
    """Give each vertex its place.

    Parameters
    ----------
    vertices : list of Vertex
        Each after its inputs.
    groups : list of str
        The loops, in the order in which their columns stand.
    """
    columns = _columns(vertices, groups)
    place = {vertex: column for column, members in columns for vertex in members}
    boxes: dict[Vertex, Box] = {}
    links: list[Link] = []
    floors = _floors(columns)
    for column, members in columns:
        below = floors[column.group]
        for vertex in members:
            if vertex.made:
                inside = [boxes[s].row for s in vertex.inputs if s in boxes and place[s] is column]
                room = _width(vertex) + width(vertex.sign, SIGN_SIZE) + 14
                row = 1 + max([below[vertex.layer], *inside])
                boxes[vertex] = Box(vertex, False, row, max(BOX, round(room)))
                column.boxes.append(boxes[vertex])
    for box in list(boxes.values()):
        column = place[box.node]
        for position, source in enumerate(box.node.inputs):
            start = boxes.get(source)
            if start is None or (place[source] is not column and source.place is None):
                start = Box(source, True, box.row - 1, max(CHIP, round(_width(source))))
                column.boxes.append(start)
            inside = start.copy or place[source] is column
            bends = _joined(start, box) if inside else ()
            column.bends += bends
            links.append(Link(start, box, position, inside, bends))
            if not inside:
                box.pull, start.pull = -1.0, 1.0
    shown = [column for column, _ in columns if column.boxes]
    for column in shown:
        _settle(column)
    rows = max((box.row for column in shown for box in column.boxes), default=0)
    steps = [column for column in shown if column.step is not None]
    widest = max((column.width for column in steps), default=0.0)
    left = 0.0
    for column in shown:
        spare = widest - column.width if column in steps else 0.0
        for box in column.boxes + column.bends:
            box.x += left + spare / 2
            box.y = MARGIN + HEIGHT / 2 + (rows - box.row) * ROW
        column.left, column.width = left, column.width + spare
        last = {box.row: box for box in sorted(column.boxes, key=lambda box: box.x)}
        for box in column.boxes:
            side = left + column.width - MARGIN / 2
            box.exit = side if last[box.row] is box else box.x + box.width / 2 + 16
        left += column.width
    return Grid(shown, links, left, rows * ROW + HEIGHT + 2 * MARGIN)


def _columns(vertices: list[Vertex], groups: list[str]) -> list[tuple[Column, list[Vertex]]]:
    """Sort the vertices into columns; what has no step comes after all, if it is made from one of them."""
    places = sorted(
        {v.place for v in vertices if v.place}, key=lambda place: (groups.index(place[0]), place[1])
    )
    by_place = {
        place: (
            Column(place[1], place[0], " ".join(filter(None, (place[0], f"t = {place[1]}")))),
            list[Vertex](),
        )
        for place in places
    }
    before, after = (
        (Column(None, "before", "before"), list[Vertex]()),
        (Column(None, "after", "after" if places else ""), list[Vertex]()),
    )
    late: set[Vertex] = set()
    for vertex in vertices:
        if vertex.place is not None or any(s in late for s in vertex.inputs):
            late.add(vertex)
        column = by_place[vertex.place] if vertex.place else after if vertex in late or not places else before
        column[1].append(vertex)
    return [before, *by_place.values(), after]


def _floors(columns: list[tuple[Column, list[Vertex]]]) -> dict[str, dict[int, int]]:
    """Return how many rows are below each layer: as many at all steps of a loop, so states go straight on."""
    heights: dict[str, dict[int, int]] = {}
    for column, members in columns:
        rows: dict[Vertex, int] = {}
        found = heights.setdefault(column.group, {})
        for vertex in members:
            if vertex.made:
                below = [rows[s] for s in vertex.inputs if s in rows and s.layer == vertex.layer]
                rows[vertex] = 1 + max(below, default=0)
                found[vertex.layer] = max(found.get(vertex.layer, 0), rows[vertex])
    floors: dict[str, dict[int, int]] = {}
    for group, found in heights.items():
        layers = sorted(found)  # between them a row for the copies of what the upper one uses
        sums = accumulate((found[layer] + 1 for layer in layers), initial=0)
        floors[group] = dict(zip(layers, sums))
    return floors


def _joined(start: Box, end: Box) -> tuple[Box, ...]:
    """Link two boxes of a column; in each row between them a place is kept free for the edge."""
    bends = tuple(Box(start.node, True, row, BEND) for row in range(start.row + 1, end.row))
    chain = [start, *bends, end]
    for lower, upper in pairwise(chain):
        lower.above.append(upper)
        upper.below.append(lower)
    return bends


def _width(vertex: Vertex) -> float:
    """Return how much room a name takes in a box, in pixels; its letters are bold."""
    return 1.25 * width(vertex.label[:MOST], NAME_SIZE) + 20


def _settle(column: Column) -> None:
    """Place the boxes of a column from left to right: near to what they are linked with, none on another."""
    rows: dict[int, list[Box]] = {}
    for box in column.boxes + column.bends:
        rows.setdefault(box.row, []).append(box)
    for row in rows.values():
        row.sort(key=lambda box: box.pull)
        for i, box in enumerate(row):
            box.x = i * (BOX + GAP)
    for sweep in range(6):
        upwards = sweep % 2 == 0
        for row in sorted(rows, reverse=not upwards):
            _align(rows[row], upwards)
    left = min(box.x - box.width / 2 for box in column.boxes)
    right = max(box.x + box.width / 2 for box in column.boxes)
    for box in column.boxes + column.bends:
        box.x += MARGIN - left
    column.width = right - left + 2 * MARGIN


def _align(row: list[Box], upwards: bool) -> None:
    wanted: dict[int, float] = {}
    for box in row:
        near = [other.x for other in (box.below if upwards else box.above)] or [box.x]
        wanted[id(box)] = fmean(near) + box.pull * BOX
    row.sort(key=lambda box: wanted[id(box)])  # stable, so that the same step is always laid out alike
    edge = float("-inf")
    for box in row:
        box.x = max(wanted[id(box)], edge + box.width / 2)
        edge = box.x + box.width / 2 + GAP
    drift = fmean(box.x - wanted[id(box)] for box in row)
    for box in row:
        box.x -= drift
