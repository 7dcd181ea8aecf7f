"""Drawing the containers in which a cell's values come and go."""

from __future__ import annotations

from typing import Any

from .cell import Named, Structure
from .leaves import Draw

KEYS: tuple[Any, ...] = (
    "h", "c", "m", "a", "b", 3, "it's", "a\\b", True, 0, 7, -1, 'say "h"', "é", "a]b", "", " x", "x.y",
)  # fmt: skip


def containers(count: int, draw: Draw) -> Structure:
    """Nested containers over positions 0 to count - 1."""

    def wrap(parts: list[Structure]) -> Structure:
        kind = draw.of(("tuple", "tuple", "list", "dict", "named"))
        if kind == "dict":
            known = KEYS if draw.chance(0.3) else KEYS[:6]
            keys = [known[i] for i in draw.rng.permutation(len(known))[: len(parts)]]
            return dict(zip(keys, parts))
        return {"tuple": tuple, "list": list, "named": lambda p: Named(tuple(p))}[kind](parts)

    if count == 0:
        return draw.of((None, None, ()))
    if count == 1 and draw.chance(0.7):
        return 0
    parts: list[Structure] = list(range(count))
    if count > 2 and draw.chance(0.3):
        parts = [wrap(parts[:2]), *parts[2:]]
    if draw.chance(0.1):
        parts.append(None)
    return wrap(parts[:6])


def other(form: Structure, draw: Draw) -> Structure:
    """The same places in another container, or a dict in another order."""
    if isinstance(form, dict) and len(form) > 1:
        items = list(form.items())[::-1]
        if draw.chance(0.3):
            return {f"{key}!": f for key, f in items}
        return dict(items)
    if isinstance(form, tuple):
        return list(form) if draw.chance(0.5) else Named(form) if form else form
    if isinstance(form, list):
        return tuple(form)
    if isinstance(form, Named):
        return form.parts
    return (form,)
