"""A cell: what it is given, its lines, and what it hands on; and its text, which is what runs."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

Shape = tuple[int, ...]
# A structure is nested tuples, lists, dicts and `Named` over the positions of leaves; None is an empty place.
Structure = Any


@dataclasses.dataclass(frozen=True)
class Named:
    """A named tuple ``State(first, second, ...)`` of structures."""

    parts: tuple[Structure, ...]


@dataclasses.dataclass(frozen=True)
class Leaf:
    """An array that a cell is given. ``values`` is Python, with ``{shape}`` and ``{dtype}`` left open."""

    name: str
    values: str
    shape: Shape
    dtype: str
    grad: bool = False
    plain: bool = False  # an ndarray, not a Tensor

    def text(self, lead: Shape = ()) -> str:
        array = self.values.format(shape=(*lead, *self.shape), dtype=repr(self.dtype))
        return array if self.plain else f"tr.tensor({array}{', requires_grad=True' if self.grad else ''})"


@dataclasses.dataclass(frozen=True)
class Line:
    """``name = form.format(*args)``."""

    name: str
    form: str
    args: tuple[str, ...]

    @property
    def text(self) -> str:
        return self.form.format(*self.args)


@dataclasses.dataclass(frozen=True)
class Thing:
    """What a step meets that is no array: ``name = text``, and ``first`` in a run before."""

    name: str
    text: str
    first: str


@dataclasses.dataclass(frozen=True)
class Cell:
    """A step with all that it runs on."""

    carry: tuple[Leaf, ...]
    carry_form: Structure
    xs: tuple[Leaf, ...]
    xs_form: Structure
    closed: tuple[Leaf, ...]
    lines: tuple[Line, ...]
    new: tuple[str, ...]  # the new carry: a name for each leaf
    new_form: Structure
    ys: tuple[str, ...]  # names and constants
    ys_form: Structure
    steps: int
    lengths: tuple[int, ...] | None = None
    reverse: bool = False
    segment: int | str | None = None
    order: int = 1  # of the derivatives that are compared
    things: tuple[Thing, ...] = ()
    calls: int = 0  # how often the step was called before, where it counts that
    before: int | None = None  # the steps of a run before, whose results do not matter

    @property
    def warm(self) -> bool:
        """Whether the same code runs before: on a carry of another form, on other steps, beside other things.

        What a scan gives, and what it refuses, must not depend on what ran before.
        """
        other = str(self.new_form) != str(self.carry_form)
        return other or self.before is not None or any(t.text != t.first for t in self.seen)

    @property
    def begin(self) -> list[str]:
        """The things as Python: what a run changes, made anew."""
        texts = [f"{t.name} = {t.text.format(calls=self.calls)}" for t in self.seen]
        modules = [m for m in ("itertools", "random") if any(f" {m}." in text for text in texts)]
        return [*(f"import {m}" for m in modules), *texts]

    @property
    def seen(self) -> tuple[Thing, ...]:
        """The things that the lines name."""
        body = " ".join(line.form for line in self.lines)
        return tuple(t for t in self.things if re.search(rf"\b{re.escape(t.name)}\b", body))

    @property
    def options(self) -> str:
        given = {"reverse": self.reverse, "segment": self.segment}
        text = [f"{key}={value!r}" for key, value in given.items() if value]
        if self.lengths is not None:
            text.append(f"lengths=np.array({list(self.lengths)})")
        if not self.xs:
            text.append(f"length={self.steps}")
        return f"dict({', '.join(text)})"

    @property
    def first(self) -> Cell:
        """The run before: in it, the carry is given in the form in which the step returns it."""
        steps = self.before or self.steps
        lengths = self.lengths and tuple(min(n, steps) for n in self.lengths)
        things = tuple(dataclasses.replace(t, text=t.first) for t in self.things)
        return dataclasses.replace(
            self, carry_form=self.new_form, steps=steps, lengths=lengths, things=things, before=None
        )

    def text(self) -> str:
        """The cell as Python."""
        names = [leaf.name for leaf in self.carry]
        used = self.used
        body = [
            f"{leaf.name} = {path}"
            for leaves, form, root in ((self.carry, self.carry_form, "c"), (self.xs, self.xs_form, "x"))
            for leaf, path in zip(leaves, paths(form, root))
            if leaf.name in used
        ]
        body += [f"{line.name} = {line.text}" for line in self.lines]
        body.append(f"return {render(self.new_form, self.new)}, {render(self.ys_form, self.ys)}")
        given = [f"{leaf.name} = {leaf.text()}" for leaf in (*self.closed, *self.carry)]
        given += [f"{leaf.name} = {leaf.text((self.steps,))}" for leaf in self.xs]
        fields = max((_width(form) for form in self._forms), default=0)
        return "\n".join([
            "import numpy as np",
            "import tinyrnn as tr",
            *(["from tinyrnn.autograd import primitives as p"] if any("p." in s for s in body) else []),
            *(["from collections import namedtuple", _named_tuple(fields)] if fields else []),
            *given,
            *self.begin,
            "def step(c, x):",
            *(f"    {line}" for line in body),
            f"carry = {render(self.carry_form, names)}",
            f"xs = {render(self.xs_form, [leaf.name for leaf in self.xs])}",
            f"options = {self.options}",
            "",
        ])  # fmt: skip

    @property
    def _forms(self) -> tuple[Structure, ...]:
        return (self.carry_form, self.xs_form, self.new_form, self.ys_form)

    @property
    def used(self) -> set[str]:
        """The names that lines and results read."""
        return {*self.new, *self.ys, *(a for line in self.lines for a in line.args)}


def _named_tuple(fields: int) -> str:
    return f"State = namedtuple('State', '{' '.join('hcmnuv'[:fields])}', defaults=[None] * {fields})"


def render(form: Structure, names: Any) -> str:
    """Write a structure."""
    if form is None:
        return "None"
    if isinstance(form, int):
        return names[form]
    if isinstance(form, Named):
        return f"State({', '.join(render(f, names) for f in form.parts)})"
    if isinstance(form, dict):
        return "{" + ", ".join(f"{key!r}: {render(f, names)}" for key, f in form.items()) + "}"
    inner = ", ".join(render(f, names) for f in form)
    return f"[{inner}]" if isinstance(form, list) else f"({inner}{',' if len(form) == 1 else ''})"


def paths(form: Structure, root: str) -> list[str]:
    """How each leaf is read from a structure, in the order of the leaves' positions."""
    found: dict[int, str] = {}

    def walk(form: Structure, at: str) -> None:
        if isinstance(form, int):
            found[form] = at
        elif isinstance(form, Named):
            for field, f in zip("hcmnuv", form.parts):
                walk(f, f"{at}.{field}")
        elif form is not None:
            for key, f in form.items() if isinstance(form, dict) else enumerate(form):
                walk(f, f"{at}[{key!r}]")

    walk(form, root)
    return [found[i] for i in sorted(found)]


def _width(form: Structure) -> int:
    """The number of fields of the named tuple in a structure."""
    if form is None or isinstance(form, int):
        return 0
    if isinstance(form, Named):
        return max(len(form.parts), *map(_width, form.parts))
    return max(map(_width, form.values() if isinstance(form, dict) else form), default=0)
