"""The arrows of a view: what passes between boxes, the largest gradient that came back, and attention."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tinyrnn.draw.choices import LEVELS
from tinyrnn.draw.reading.records import Record
from tinyrnn.draw.reading.unroll import Unrolled
from tinyrnn.draw.style import Gradient
from tinyrnn.draw.viewing.view import Arrow

__all__ = ["arrows_of"]


def arrows_of(unrolled: Unrolled, of: dict[Record, str], level: str) -> list[Arrow]:
    """Return the arrows between boxes; ``of`` says in which box a record is."""
    found: dict[tuple[str, str, str, str], Arrow] = {}
    softmax = {
        (r.unit, r.group, r.step): r for r in unrolled.records if r.op == "softmax" and r.value is not None
    }
    shares: dict[tuple[str, str, str, str], dict[tuple[int, int], float]] = {}
    for record in unrolled.records:
        head = of.get(record)
        if head is None:
            continue
        for source, slot, entry in _origins(record, of):
            tail = of.get(source)
            if tail is None:
                continue
            becomes = unrolled.firsts.get((record, slot))
            own = source.carry or ("" if becomes is None else becomes.carry)
            begins = source.role == "state" or (becomes is not None and bool(own))
            crossing = source.step is not None and source.step != record.step is not None
            crossing = crossing and source.group == record.group
            carry = own if begins or crossing else ""
            if tail == head and not (carry and level == "rolled"):
                continue
            unit = source.unit if carry else ""
            key = (tail, head, carry, unit)
            cut = slot in record.cuts
            arrow = found.get(key)
            if arrow is None:
                arrow = found[key] = Arrow(tail, head, carry, unit, cut, begins=begins)
            arrow.cut = arrow.cut and cut
            size = None if cut or source.role == "constant" else source.size
            # The largest stands for all, and NaN is above all.
            if size is not None and (arrow.gradient is None or not size <= arrow.gradient.norm):
                arrow.gradient = Gradient(size)
            if entry is not None and record.step is not None and level not in LEVELS[3:]:  # there it is 1
                share = _share(softmax.get((record.unit, record.group, record.step)), *entry)
                if share is not None:
                    shares.setdefault(key, {})[record.step, entry[0]] = share
    for key, parts in shares.items():  # of folded states the sum, for folded steps the mean
        found[key].share = sum(parts.values()) / len({step for step, _ in parts})
    return list(found.values())


def _origins(record: Record, of: dict[Record, str]) -> Iterator[tuple[Record, int, tuple[int, int] | None]]:
    """Go over the operands; of what only moves data and has no box, over what it was made from.

    With each goes its slot, and which of how many it is, where several were stacked.
    """
    for source, slot in record.edges():
        stack: list[tuple[Record, tuple[int, int] | None]] = [(source, None)]
        while stack:
            origin, entry = stack.pop()
            if origin in of or not origin.sources or origin.role == "weight":
                yield origin, slot, entry
            elif origin.op == "stack":
                count = len(origin.sources)
                stack += [(s, (i, count)) for i, s in enumerate(origin.sources)]
            else:
                stack += [(s, entry) for s in origin.sources]


def _share(softmax: Record | None, i: int, count: int) -> float | None:
    """Return the weight of entry i, the mean over a batch; None where there is no softmax over all."""
    if softmax is None or softmax.value is None:
        return None
    axis = softmax.node.params.get("axis", -1)
    axes = [axis] if isinstance(axis, int) else list(axis or ())
    if len(axes) != 1 or softmax.shape[axes[0]] != count:
        return None
    return float(np.take(softmax.value, i, axis=axes[0]).mean())
