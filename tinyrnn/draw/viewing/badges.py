"""The aliases of weights: one at each box that uses a weight, named as short as tells them apart."""

from __future__ import annotations

from collections import Counter

from tinyrnn.draw.reading.records import Record
from tinyrnn.draw.reading.unroll import Unrolled
from tinyrnn.draw.viewing.view import Badge, Box
from tinyrnn.draw.viewing.weights import short_names, used_weights

__all__ = ["add_badges"]


def add_badges(unrolled: Unrolled, of: dict[Record, str], boxes: dict[str, Box]) -> None:
    """Give each box an alias of each weight that it uses, with what the use adds to the weight's gradient."""
    made: dict[str, Badge] = {}
    count: Counter[Record] = Counter()
    for leaf, use in used_weights(unrolled):
        count[leaf] += 1
        box = boxes[of[use[0]]] if use[0] in of else None
        if box is None or box.kind in ("fold", "state"):
            continue
        name = f"{box.id}.{leaf.id}"
        if name not in made:
            made[name] = Badge(name, leaf, "")
            box.badges.append(made[name])
        made[name].uses.append(use)
    for badge in made.values():
        badge.whole = len(badge.uses) == count[badge.weight]
    inside: dict[tuple[str, ...], set[Record]] = {}  # of a unit at all steps
    for box in boxes.values():
        box.badges.sort(key=lambda badge: badge.weight.node.order)
        inside.setdefault((*sorted(box.groups), box.unit), set()).update(b.weight for b in box.badges)
    named = {
        unit: short_names(sorted(mine, key=lambda weight: weight.node.order), "W")
        for unit, mine in inside.items()
    }
    for box in boxes.values():
        names = named[(*sorted(box.groups), box.unit)]
        for badge in box.badges:
            badge.text, badge.colour = names[badge.weight], list(names).index(badge.weight)
