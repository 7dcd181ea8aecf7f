"""The inside of a step: operations or gates in layers from left to right, along the lanes of the carries.

This is layered drawing (Sugiyama, Tagawa and Toda 1981), with one thing fixed beforehand: a carry that comes
in on the left leaves on the right at the same height, and the shortest way through the cell is laid along
that lane. So the cell state of an LSTM is a straight line, at every step the same one.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

__all__ = ["TURN", "Block", "Item", "block_of", "track_at"]

GAP = 30.0  # between layers, besides
TURN = 15.0  # for each edge that goes up or down there
FIRST = 16.0  # from a box to the first of them: an arrowhead and a corner

Item = tuple[str, ...]


@dataclass(frozen=True)
class Shape:
    """The rows of a block: first some below its lanes, then all lanes but one, then more, then that one."""

    lanes: tuple[str, ...] = ()  # carries: that of the uppermost lane, then the others from below
    depth: int = 0  # how many rows there are below the lanes,
    middle: int = 0  # and between them

    @classmethod
    def around(cls, shapes: list[Shape]) -> Shape:
        """Return a shape that has room for all: the lanes of blocks side by side lie in the same rows."""
        usual = max(dict.fromkeys(shapes), key=lambda shape: (len(shape.lanes), shapes.count(shape)))
        lanes = dict.fromkeys([*usual.lanes, *(lane for shape in shapes for lane in shape.lanes)])
        return cls(tuple(lanes), max(s.depth for s in shapes), max(s.middle for s in shapes))


@dataclass
class Block:
    """Places inside a block, from its lower left corner, centres of boxes."""

    rank: dict[Item, int]  # the column that each box stands in, from the left
    row: dict[Item, float]  # and the row, from below
    shape: Shape
    x: list[float]  # of each rank
    width: float  # of all
    rows: int
    lanes: dict[str, float]  # the row of each carry
    # For an edge that passes other ranks, the rows in which it does so. The ends of carries are ``("in",
    # name)`` and ``("out", name)``.
    bends: dict[tuple[Item, Item], list[tuple[int, float]]]
    gaps: dict[int, float]  # where the gap behind each rank begins; that before the first is -1


def track_at(n: int) -> float:
    """Return how far behind the boxes of a rank its n-th track lies."""
    return FIRST + TURN * n


def block_of(
    items: list[Item],
    widths: dict[Item, float],
    edges: list[tuple[Item, Item]],
    enters: list[tuple[str, Item]],
    leaves: list[tuple[str, Item]],
    beside: list[tuple[Item, int]],
    shape: Shape | None = None,
) -> Block:
    """Lay out one block of boxes, each after those that lead to it.

    ``enters`` and ``leaves`` say where a carry is used, and where it is made; ``beside``, where an arrow
    leaves to another band (0), or arrives from one (1). ``shape`` has the rows to have at least, and the
    order of the lanes; they are as few as can be, if it is not given.
    """
    place = {item: i for i, item in enumerate(items)}
    edges = [(a, b) for a, b in dict.fromkeys(edges) if place[a] < place[b]]
    after: dict[Item, list[Item]] = {item: [] for item in items}
    before: dict[Item, list[Item]] = {item: [] for item in items}
    for a, b in edges:
        after[a].append(b)
        before[b].append(a)

    entered = {item for _, item in enters}
    rank: dict[Item, int] = {}
    for item in items:
        rank[item] = max((rank[a] + 1 for a in before[item]), default=0)
    for item in reversed(items):  # what waits for nothing stands next to its user
        if not before[item] and after[item] and item not in entered:
            rank[item] = max(min(rank[b] for b in after[item]) - 1, 0)
    last = max(rank.values())

    ways = _lanes(after, before, enters, leaves)
    laned = {item: name for name, way in ways.items() for item in way}
    laned |= {(end, name): name for name in ways for end in ("in", "out")}

    # Below the lowest lane stands what no carry leads to: the product with the input.
    reached = set(entered)
    for item in items:
        if any(a in reached for a in before[item]):
            reached.add(item)
    columns: list[list[Item]] = [[] for _ in range(last + 1)]
    links: dict[Item, list[Item]] = {}
    for item in items:
        columns[rank[item]].append(item)
    chains: dict[tuple[Item, Item], list[Item]] = {}
    ends: list[tuple[Item, Item, int, int]] = [(a, b, rank[a], rank[b]) for a, b in edges]
    ends += [(("in", name), item, -1, rank[item]) for name, item in enters]
    ends += [(item, ("out", name), rank[item], last + 1) for name, item in leaves]
    for a, b, low, high in ends:
        chain: list[Item] = [("·", *a, "→", *b, str(r)) for r in range(low + 1, high)]
        for r, dummy in enumerate(chain, low + 1):
            columns[r].append(dummy)
            if a in laned and laned[a] == laned.get(b):
                laned[dummy] = laned[a]
        chains[a, b] = chain
        for p, q in pairwise([a, *chain, b]):
            links.setdefault(p, []).append(q)
            links.setdefault(q, []).append(p)

    free = [[item for item in column if item not in laned] for column in columns]
    under = {item for item in items if item not in reached} if enters else set()
    needed = Shape(
        tuple(ways),
        max((sum(item in under for item in column) for column in free), default=0),
        max((sum(item not in under for item in column) for column in free), default=0),
    )
    shape = needed if shape is None else Shape.around([shape, needed])
    depth, middle = shape.depth, shape.middle
    floor = float(depth + len(shape.lanes[1:]))
    places = [floor + middle, *(float(depth + i) for i in range(len(shape.lanes)))]
    lanes = {name: row for name, row in zip(shape.lanes, places) if name in ways}
    rows = max(int(floor + middle) + len(shape.lanes[:1]), 1)
    row: dict[Item, float] = {item: lanes[name] for item, name in laned.items()}
    for item in (i for column in free for i in column):
        row[item] = floor + (middle - 1) / 2
    for sweep in range(8):
        for column in free if sweep % 2 == 0 else free[::-1]:
            _spread(column, links, row, under, floor, middle, depth)
    turns = dict.fromkeys(range(-1, last + 1), 0)  # by the layer on the left
    for a, b, low, _ in ends:
        for gap, (p, q) in enumerate(pairwise([a, *chains[a, b], b]), low):
            turns[gap] += row[p] != row[q]
    for item, end in beside if rows > 1 else ():
        turns[rank[item] - end] += 1
    x, gaps, total = [], {-1: 0.0}, _outer(turns[-1])
    for r, column in enumerate(columns):
        w = max((widths[item] for item in column if item in widths), default=10.0)
        x.append(total + w / 2)
        gaps[r] = total + w
        total += w + (GAP + TURN * turns[r] if r < last else _outer(turns[r]))
    bends = {
        edge: [(int(dummy[-1]), row[dummy]) for dummy in chain] for edge, chain in chains.items() if chain
    }
    used = {item: row[item] for item in items}
    return Block(rank, used, shape, x, total, rows, lanes, bends, gaps)


def _outer(turns: int) -> float:
    """Return the width of the gap before the first rank, or behind the last one."""
    return track_at(turns - 1) + FIRST if turns else 0.0


def _lanes(
    after: dict[Item, list[Item]],
    before: dict[Item, list[Item]],
    enters: list[tuple[str, Item]],
    leaves: list[tuple[str, Item]],
) -> dict[str, list[Item]]:
    """Return for each carry the shortest way from where it enters to where it leaves.

    Of one that does not enter, the way to where it leaves from what leads there first.
    """
    made = dict(leaves)
    taken: set[Item] = set(made.values())

    def way(name: str, blocked: set[Item]) -> list[Item]:
        goal = made.get(name)
        queue = [[item] for carry, item in enters if carry == name and item not in blocked]
        seen = {path[0] for path in queue}
        for path in queue:
            if path[-1] == goal:
                return path
            for b in after[path[-1]]:
                if b not in seen and b not in blocked:
                    seen.add(b)
                    queue.append([*path, b])
        return []

    entered = {name for name, _ in enters}
    lengths = {name: len(way(name, set())) for name, _ in [*enters, *leaves]}
    ways: dict[str, list[Item]] = {}
    for name in sorted(lengths, key=lambda n: (lengths[n], n != "c")):
        goals = [made[name]] if name in made else []
        mine = ways[name] = way(name, taken - set(goals)) or goals
        while name not in entered and before.get(mine[0]) and before[mine[0]][0] not in taken:
            mine.insert(0, before[mine[0]][0])
        taken |= set(mine)
    return ways


def _spread(
    column: list[Item],
    links: dict[Item, list[Item]],
    row: dict[Item, float],
    under: set[Item],
    floor: float,
    middle: int,
    depth: int,
) -> None:
    """Put the items of one rank in the order of their neighbours' mean rows, one item to a row."""

    def pull(item: Item) -> float:
        near = [row[other] for other in links.get(item, []) if other in row]
        return sum(near) / len(near) if near else row[item]

    for lower, low, count in ((False, floor, middle), (True, 0.0, depth)):
        group = [item for item in column if (item in under) == lower]
        ordered = sorted(group, key=lambda item: (pull(item), item))
        slots = [round(min(max(pull(item), low), low + count - 1)) for item in ordered]
        for i in range(1, len(slots)):
            slots[i] = max(slots[i], slots[i - 1] + 1)
        limit = low + count - 1
        for i in reversed(range(len(slots))):
            slots[i] = int(min(slots[i], limit))
            limit = slots[i] - 1
        for item, slot in zip(ordered, slots):
            row[item] = float(slot)
