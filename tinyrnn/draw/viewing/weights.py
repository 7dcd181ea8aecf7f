"""How much each use of a weight adds to its gradient, found by its rule from the values that were kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyrnn.autograd.backward import fit
from tinyrnn.draw.reading.records import Record
from tinyrnn.draw.reading.sequences import leaves_of
from tinyrnn.draw.reading.unroll import Unrolled
from tinyrnn.draw.style import Gradient
from tinyrnn.draw.text import norm, pretty

__all__ = ["Uses", "contribution", "short_names", "uses_of", "with_weights"]

Use = tuple[Record, int]  # an operation that uses a weight, and the operand's position
Array = np.ndarray[Any, Any]


def contribution(uses: Iterable[Use], leaf: Record) -> Array | None:
    """Return what uses add to the gradient of a parameter, in its shape; None where that is not known.

    What is used may be made of parameters, as ``W.T`` and ``b_ih + b_hh`` are. The gradient of the use is
    sent back through that, to this one.
    """
    pending: dict[Record, Array] = {}
    todo = [(user, slot, user.grad) for user, slot in uses if user.reached and slot not in user.cuts]
    while todo or set(pending) - {leaf}:
        if not todo:
            newest = max((r for r in pending if r is not leaf), key=lambda r: r.node.order)
            grad = pending.pop(newest)
            todo = [(newest, slot, grad) for source, slot in newest.edges() if leaf in leaves_of(source)]
            continue
        user, slot, grad = todo.pop()
        part = _part(user, slot, grad)
        if part is None:
            return None
        source = next(source for source, at in user.edges() if at == slot)
        pending[source] = pending[source] + part if source in pending else part
    return pending.get(leaf)


def _part(user: Record, position: int, grad: Array | None) -> Array | None:
    """Return what the gradient of one operand gets from one operation with this gradient."""
    node = user.node
    if grad is None or node.primitive is None or node.value is None:
        return None
    given = [None if source is None else source.value for source in node.inputs]
    values = [v if isinstance(v, np.ndarray) else getattr(v, "data", v) for v in given]
    rule = node.primitive.rule(position)
    if rule is None or any(value is None for value in values):
        return None
    with np.errstate(all="ignore"):
        part = rule.vjp(grad, *rule.pick(node.value, values, node.params))
        source = node.inputs[position]
        return part if source is None else fit(np.asarray(part), source.shape)


@dataclass
class Uses:
    """All uses of one parameter."""

    count: int
    by_step: dict[int | None, float]  # the norm of what the uses in each step add to the gradient
    gradient: Gradient | None  # the parameter's, with its norm before it was clipped, if it was


def uses_of(unrolled: Unrolled) -> dict[Record, Uses]:
    """Find for each parameter where it is used and what that adds to its gradient."""
    at: dict[Record, dict[int | None, list[Use]]] = {}
    for leaf, use in used_weights(unrolled):
        at.setdefault(leaf, {}).setdefault(use[0].step, []).append(use)
    found: dict[Record, Uses] = {}
    for leaf, uses in at.items():
        parts = {step: contribution(some, leaf) for step, some in uses.items()}
        norms = {step: norm(part) for step, part in parts.items() if part is not None}
        found[leaf] = Uses(sum(map(len, uses.values())), norms, _gradient(leaf))
    return found


def used_weights(unrolled: Unrolled) -> Iterator[tuple[Record, Use]]:
    """Go over all uses of parameters, and of what is made of them."""
    leaves: dict[Record, list[Record]] = {}
    for record in unrolled.records:
        for source, slot in record.edges() if record.role != "weight" else ():
            if source.role == "weight":
                if source not in leaves:
                    leaves[source] = leaves_of(source)
                for leaf in leaves[source]:
                    yield leaf, (record, slot)


def _gradient(leaf: Record) -> Gradient | None:
    if leaf.grad is None:
        return None
    now, held = norm(leaf.grad), leaf.node.grad
    array, ratio = getattr(leaf.node, "clipped", None) or (None, 1.0)
    same = array is not None and array is (held if isinstance(held, np.ndarray) else held.data)
    return Gradient(now, now * ratio if same else None)


def short_names(weights: Iterable[Record], unnamed: str = "") -> dict[Record, str]:
    """Name weights as short as tells them apart; those without a name ``unnamed``, else by their id.

    What no path tells apart is counted: W_1, W_2.
    """
    own = {weight: pretty(weight.name) or unnamed or weight.id for weight in weights}
    count = Counter(own.values())
    paths = {weight: weight.name.split(".") for weight in own}
    for weight, name in own.items():
        if count[name] > 1 and paths[weight][1:]:
            own[weight] = f"{paths[weight][-2]}.{name}"
    count, nth = Counter(own.values()), Counter[str]()
    for weight, name in own.items():
        if count[name] > 1:
            nth[name] += 1
            own[weight] = f"{name}_{nth[name]}"
    return own


def with_weights(title: str, record: Record, names: Mapping[Record, str]) -> str:
    """Write beside an operation the weights that it uses: + b."""
    for source, slot in record.edges():
        leaves = leaves_of(source) if source.role == "weight" else []
        own = [names.get(leaf, pretty(leaf.name)) for leaf in leaves]
        if own and all(own):
            name = (" + " if source.op == "add" else ", ").join(own)
            title = f"{name} {title}" if slot == 0 and title in ("−", "÷") else f"{title} {name}"
    return title
