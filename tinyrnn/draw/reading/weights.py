"""How much each use of a weight adds to its gradient, found by its rule from the values that were kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinyrnn.autograd.backward import fit
from tinyrnn.draw.reading.records import Record
from tinyrnn.draw.reading.sequences import leaves_of
from tinyrnn.draw.reading.unroll import Unrolled
from tinyrnn.draw.style import Gradient
from tinyrnn.draw.text import norm

__all__ = ["Uses", "contribution", "uses_of"]


def contribution(user: Record, position: int) -> np.ndarray[Any, Any] | None:
    """Return what the gradient of one operand gets from one operation; None where that is not known.

    Transposed or reshaped weights get theirs in their own shape: the size is the same.
    """
    node = user.node
    grad = user.grad
    if grad is None or node.primitive is None or node.value is None or position in user.cuts:
        return None
    values = [None if source is None else source.value for source in node.inputs]
    values = [
        getattr(value, "data", value) if not isinstance(value, np.ndarray) else value for value in values
    ]
    rule = node.primitive.rule(position)
    if rule is None or any(value is None for value in values):
        return None
    with np.errstate(all="ignore"):
        part = rule.vjp(grad, *rule.pick(node.value, values, node.params))
        source = node.inputs[position]
        return part if source is None else fit(np.asarray(part), source.shape)


@dataclass
class Uses:
    """All uses of one parameter.

    Attributes
    ----------
    count : int
    by_step : dict
        The norm of what the uses in each step add to the gradient.
    gradient : Gradient or None
        The parameter's gradient, with its norm before it was clipped, if it was.
    """

    count: int = 0
    by_step: dict[int | None, float] = field(default_factory=dict[int | None, float])
    gradient: Gradient | None = None


def uses_of(unrolled: Unrolled) -> dict[Record, Uses]:
    """Find for each parameter where it is used and what that adds to its gradient."""
    found: dict[Record, Uses] = {}
    sums: dict[Record, dict[int | None, Any]] = {}
    leaves: dict[Record, list[Record]] = {}
    for record in unrolled.records:
        if record.role == "weight":
            continue
        for source, slot in record.edges():
            if source.role != "weight":
                continue
            if source not in leaves:
                leaves[source] = leaves_of(source)
            for leaf in leaves[source]:
                uses = found.setdefault(leaf, Uses())
                uses.count += 1
                part = contribution(record, slot) if len(leaves[source]) == 1 else None
                parts = sums.setdefault(leaf, {})
                old = parts.get(record.step)
                if part is not None and (old is None or old.shape == part.shape):
                    parts[record.step] = part if old is None else old + part
    for leaf, parts in sums.items():
        found[leaf].by_step = {step: norm(part) for step, part in parts.items()}
        if leaf.grad is None:
            continue
        now = norm(leaf.grad)
        array, ratio = getattr(leaf.node, "clipped", None) or (None, 1.0)
        held = leaf.node.grad
        same = array is not None and array is (held if isinstance(held, np.ndarray) else held.data)
        found[leaf].gradient = Gradient(now, now * ratio if same else None)
    return found
