"""Making a cell that fails as small as it can be, while it fails in the same way."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from .cell import Cell, Leaf, Named, Structure
from .compare import judge


def shrink(cell: Cell, kind: str, tries: int = 600) -> Cell:
    """Return a smaller cell that differs in the same way; greedily, until no step of `_smaller` works."""
    progress = True
    while progress and tries > 0:
        progress = False
        for candidate in _smaller(cell):
            tries -= 1
            if tries <= 0:
                break
            try:
                same = judge(candidate).kind == kind
            except Exception:  # a cell that is no cell
                same = False
            if same:
                cell, progress = candidate, True
                break
    return cell


def _smaller(cell: Cell) -> Iterator[Cell]:
    change = dataclasses.replace
    for steps in (1, 2, 3, 5, cell.steps // 2):
        if 0 < steps < cell.steps:
            lengths = cell.lengths and tuple(min(n, steps) for n in cell.lengths)
            yield change(cell, steps=steps, lengths=lengths)
    for name, value in (("lengths", None), ("segment", None), ("reverse", False), ("order", 0), ("order", 1),
                        ("before", None)):  # fmt: skip
        if getattr(cell, name) != value and not (name == "order" and value > cell.order):  # pyright: ignore
            yield change(cell, **{name: value})
    for i, thing in enumerate(cell.things):
        if thing.first != thing.text:
            same = change(thing, first=thing.text)
            yield change(cell, things=(*cell.things[:i], same, *cell.things[i + 1 :]))
    for i in reversed(range(len(cell.ys))):
        yield _without_output(cell, i)
    yield from _without_lines(cell)
    yield from _without_leaves(cell)
    yield from _plainer(cell)


def _without_output(cell: Cell, i: int) -> Cell:
    ys = cell.ys[:i] + cell.ys[i + 1 :]
    return dataclasses.replace(cell, ys=ys, ys_form=_flat(len(ys)))


def _flat(count: int) -> Structure:
    return None if count == 0 else 0 if count == 1 else tuple(range(count))


def _without_lines(cell: Cell) -> Iterator[Cell]:
    """Leave out a line; what reads it reads something earlier."""
    used = cell.used
    dead = [line for line in cell.lines if line.name not in used]
    if dead:
        yield dataclasses.replace(cell, lines=tuple(line for line in cell.lines if line not in dead))
    for i in reversed(range(len(cell.lines))):
        line = cell.lines[i]
        rest = cell.lines[:i] + cell.lines[i + 1 :]
        others = dict.fromkeys((*line.args, *(leaf.name for leaf in (*cell.carry, *cell.xs))))
        for other in others:
            yield dataclasses.replace(
                cell,
                lines=tuple(
                    dataclasses.replace(one, args=tuple(other if a == line.name else a for a in one.args))
                    for one in rest
                ),
                new=tuple(other if a == line.name else a for a in cell.new),
                ys=tuple(other if a == line.name else a for a in cell.ys),
            )
        for shorter in _shorter(line.form):
            lines = (*cell.lines[:i], dataclasses.replace(line, form=shorter), *cell.lines[i + 1 :])
            yield dataclasses.replace(cell, lines=lines)


def _shorter(form: str) -> list[str]:
    """Simpler lines in place of a longer one."""
    simple = ["{0} + {1}", "{0} * {1}", "tr.tanh({0})", "-{0}"]
    return [s for s in simple if len(s) < len(form) and ("{1}" in form or "{1}" not in s)]


def _without_leaves(cell: Cell) -> Iterator[Cell]:
    used = cell.used
    closed = tuple(leaf for leaf in cell.closed if leaf.name in used)
    if closed != cell.closed:
        yield dataclasses.replace(cell, closed=closed)
    xs = tuple(leaf for leaf in cell.xs if leaf.name in used)
    if xs != cell.xs:
        yield dataclasses.replace(cell, xs=xs, xs_form=_flat(len(xs)))
    for i, leaf in enumerate(cell.carry):
        if len(cell.carry) > 1 and str(cell.carry_form) == str(cell.new_form):
            # Nobody but itself reads it, or it becomes a closure.
            carry, new = (part[:i] + part[i + 1 :] for part in (cell.carry, cell.new))
            known = cell.closed if leaf.name not in used else (*cell.closed, leaf)
            form = _flat(len(carry))
            yield dataclasses.replace(
                cell, carry=carry, new=new, carry_form=form, new_form=form, closed=known
            )
    flat = _flat(len(cell.carry))
    if cell.carry_form != flat and str(cell.carry_form) == str(cell.new_form):
        yield dataclasses.replace(cell, carry_form=flat, new_form=flat)
        plain = tuple(range(len(cell.carry)))
        for form in (dict(zip("abcdef", plain)), plain, Named(plain)):
            if len(str(form)) < len(str(cell.carry_form)):
                yield dataclasses.replace(cell, carry_form=form, new_form=form)
    if cell.ys_form != _flat(len(cell.ys)):
        yield dataclasses.replace(cell, ys_form=_flat(len(cell.ys)))
    if cell.xs_form != _flat(len(cell.xs)):
        yield dataclasses.replace(cell, xs_form=_flat(len(cell.xs)))


def _plainer(cell: Cell) -> Iterator[Cell]:
    """Simpler leaves: fewer axes, one value, no gradient, float64 or float32."""
    for part in ("carry", "xs", "closed"):
        leaves: tuple[Leaf, ...] = getattr(cell, part)
        for i, leaf in enumerate(leaves):
            for other in _plainer_leaf(leaf):
                yield dataclasses.replace(cell, **{part: (*leaves[:i], other, *leaves[i + 1 :])})
    # All leaves together, where one alone does not fit the others.
    leaves = (*cell.carry, *cell.xs, *cell.closed)
    if cell.lengths is None and any(leaf.shape for leaf in leaves):
        yield _each(cell, shape=())
    if any(leaf.dtype.startswith("float") and leaf.dtype != "float64" for leaf in leaves):
        yield _each(cell, float="float64")


def _each(cell: Cell, **how: Any) -> Cell:
    def changed(leaf: Leaf) -> Leaf:
        dtype = how.get("float", leaf.dtype) if leaf.dtype.startswith("float") else leaf.dtype
        return dataclasses.replace(leaf, shape=how.get("shape", leaf.shape), dtype=dtype)

    parts = {part: tuple(map(changed, getattr(cell, part))) for part in ("carry", "xs", "closed")}
    return dataclasses.replace(cell, **parts)


def _plainer_leaf(leaf: Leaf) -> Iterator[Leaf]:
    change = dataclasses.replace
    if leaf.grad:
        yield change(leaf, grad=False)
    if leaf.plain:
        yield change(leaf, plain=False)
    if leaf.shape:
        yield change(leaf, shape=leaf.shape[1:])
        if set(leaf.shape) != {1}:
            yield change(leaf, shape=tuple(1 for _ in leaf.shape))
    if leaf.dtype.startswith("float") and leaf.dtype != "float64":
        yield change(leaf, dtype="float64")
    if "full" not in leaf.values:
        kind = np.dtype(leaf.dtype).kind
        for value in {"f": ("1.0", "0.5"), "b": ("True", "False")}.get(kind, ("1", "2", "100")):
            yield change(leaf, values=f"np.full({{shape}}, {value}, {{dtype}})")
