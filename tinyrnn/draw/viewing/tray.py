"""Shared weights: what all uses together did, and the tray that shows each weight once."""

from __future__ import annotations

import math

from tinyrnn.draw.choices import Options
from tinyrnn.draw.reading.unroll import Unrolled
from tinyrnn.draw.style import Gradient
from tinyrnn.draw.text import norm, number, pretty, type_of
from tinyrnn.draw.viewing.fold import thinned
from tinyrnn.draw.viewing.levels import LOOK_UP, SYMBOLS
from tinyrnn.draw.viewing.view import Box, View
from tinyrnn.draw.viewing.weights import contribution, short_names, uses_of, with_weights

__all__ = ["add_weights"]


def add_weights(view: View, unrolled: Unrolled, options: Options) -> None:
    """Say how large the gradients of uses are, and which were clipped; as a tray, show each weight once."""
    tray, gradients = options.weights == "tray", options.gradients
    if not (tray or gradients):
        return
    found = uses_of(unrolled)
    if gradients:
        for badge in (badge for box in view.boxes.values() for badge in box.badges):
            part = contribution(badge.uses, badge.weight)
            if part is not None:
                size, total = norm(part), found[badge.weight].gradient
                clipped = total is not None and total.before is not None
                badge.gradient = Gradient(size, size if clipped else None)
            elif badge.whole and badge.weight.grad is not None:
                badge.gradient = found[badge.weight].gradient
        if not unrolled.kept:
            sizes = [(w, u.gradient.norm) for w, u in found.items() if u.gradient is not None]
            words = [f"{w.name or w.id} {number(size)}" for w, size in sizes]
            for i in range(0, len(words), 4):
                view.notes.append(("‖∂L/∂·‖:  " if not i else "            ") + ",   ".join(words[i : i + 4]))
        for weight, uses in found.items():
            if uses.gradient is not None and uses.gradient.before is not None:
                view.notes.append(
                    f"Clipped: ‖∂L/∂{pretty(weight.name) or weight.id}‖ was {number(uses.gradient.before)}, "
                    f"is {number(uses.gradient.norm)}."
                )
    names = short_names(found)
    for box in view.boxes.values() if tray else ():
        op = box.members[0].op if len(box.members) == 1 else ""
        if op and box.title in (SYMBOLS.get(op, op), LOOK_UP):  # it has no alias beside it
            box.title = with_weights(box.title, box.members[0], names)
    for weight, uses in sorted(found.items(), key=lambda item: item[0].node.order) if tray else ():
        box = Box(f"weight.{weight.id}", "product", names[weight], "", 0, "", (weight.id,), members=[weight])
        box.lines = [
            type_of(weight.shape, weight.dtype, options.shown),
            f"× {uses.count} use{'s' * (uses.count != 1)}",
        ]
        if gradients and uses.gradient is not None:
            before = uses.gradient.before
            clipped = f" (clipped, was {number(before)})" if before is not None else ""
            box.lines.append(f"grad {number(uses.gradient.norm)}{clipped}")
        if gradients and uses.by_step:
            ordered = sorted(uses.by_step, key=lambda t: -1 if t is None else t)
            box.strip = thinned([uses.by_step[step] for step in ordered])
            finite = [n for n in uses.by_step.values() if math.isfinite(n)]
            if finite and len(uses.by_step) > 1:
                box.lines.append(f"by step: {number(min(finite))} … {number(max(finite))}")
        view.tray.append(box)
