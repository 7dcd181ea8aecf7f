"""The aliases of weights: one at each box that uses a weight, named as short as tells them apart."""

from __future__ import annotations

from collections import Counter

from tinyrnn.draw.reading.records import Record
from tinyrnn.draw.reading.sequences import leaves_of
from tinyrnn.draw.reading.unroll import Unrolled
from tinyrnn.draw.reading.view import Badge, Box
from tinyrnn.draw.text import pretty

__all__ = ["add_badges"]


def add_badges(unrolled: Unrolled, of: dict[Record, str], boxes: dict[str, Box]) -> None:
    """Give each box an alias of each weight that it uses, with what the use adds to the weight's gradient."""
    leaves: dict[Record, list[Record]] = {}
    made: dict[str, Badge] = {}
    boxed: Counter[Record] = Counter()
    for record in unrolled.records:
        id = of.get(record)
        if record.role == "weight":
            continue
        for source, slot in record.edges():
            if source.role != "weight":
                continue
            if source not in leaves:
                leaves[source] = leaves_of(source)
            for leaf in leaves[source]:
                boxed[leaf] += 1
                if id is None or boxes[id].kind in ("fold", "state"):
                    continue
                name = f"{id}.{leaf.id}"
                badge = made.get(name)
                if badge is None:
                    badge = made[name] = Badge(name, leaf, "")
                    boxes[id].badges.append(badge)
                badge.uses.append((record, slot))
    for badge in made.values():
        badge.whole = len(badge.uses) == boxed[badge.weight]
    _name_badges(boxes)


def _name_badges(boxes: dict[str, Box]) -> None:
    """Name and sort the aliases: as short as tells them apart, in the order of the parameters."""
    inside: dict[tuple[str, ...], dict[Record, None]] = {}
    for box in boxes.values():
        box.badges.sort(key=lambda badge: badge.weight.node.order)
        inside.setdefault(tuple(sorted(box.groups)) + (box.unit,), {}).update(
            dict.fromkeys(badge.weight for badge in box.badges)
        )
    for box in boxes.values():
        mine = inside[(*sorted(box.groups), box.unit)]
        short = Counter(pretty(weight.name) or "W" for weight in mine)
        order = sorted(mine, key=lambda weight: weight.node.order)
        for badge in box.badges:
            own = pretty(badge.weight.name) or "W"
            path = badge.weight.name.split(".")
            badge.text = f"{path[-2]}.{own}" if short[own] > 1 and len(path) > 1 else own
            badge.colour = order.index(badge.weight)
