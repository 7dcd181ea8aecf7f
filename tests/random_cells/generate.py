"""Drawing a cell: line by line, each tried out on the values of the first step, so that every line works."""

from __future__ import annotations

import itertools
import random
import warnings
from typing import Any

import numpy as np

import tinyrnn as tr
from tinyrnn.autograd import primitives

from . import forms
from .cell import Cell, Leaf, Line, Thing
from .containers import containers, other
from .leaves import FLOATS, Draw, Leaves, batched, twin

STEPS = (1, 1, 2, 2, 3, 3, 4, 5, 5, 8, 9, 17, 33, 128, 129, 200, 300)


def generate(seed: Any, only: tuple[str, ...] = ()) -> Cell:
    """Draw a cell; the same seed gives the same cell.

    ``only``: of these lines, in float64, and of ordinary values.
    """
    draw = Draw(seed)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return _Builder(draw, only).cell()


class _Builder:
    def __init__(self, draw: Draw, only: tuple[str, ...]) -> None:
        self.only = only
        self.draw = draw
        self.base = draw.of(FLOATS)
        self.mixed = draw.of((0.0, 0.0, 0.3, 0.6, 0.9))  # how often a leaf has another dtype
        self.extreme = draw.chance(0.25)
        # Half of the cells draw most of their lines from one family: what belongs together meets more often.
        self.theme: tuple[str, ...] = draw.of(forms.FAMILIES)[1] if draw.chance(0.5) else ()
        if self.extreme and draw.chance(0.6):
            self.theme = draw.of((forms.MIXTURES, forms.CHAINS))
        self.things = self.draw_things() if not only and draw.chance(0.06) else ()
        if only:
            self.base, self.mixed, self.extreme = "float64", 0.0, False
        self.alike = draw.chance(0.6)  # all parts of the carry have one form
        self.leaves = Leaves(draw, self.base, self.extreme)
        self.batch = draw.of((1, 2, 3, 8))  # from eight rows on, compiled loops have them in columns
        self.width = draw.of((2, 3, 3))
        self.ndim = draw.of((0, 1, 2, 2, 2, 2, 3))
        self.values: dict[str, Any] = {}
        self.lines: list[Line] = []
        self.new: list[str] = []
        self.met: dict[str, Any] = {}  # the things, as values
        if self.things:
            texts = (f"{t.name} = {t.text.format(calls=0)}" for t in self.things)
            exec("\n".join(texts), {"np": np, "random": random, "itertools": itertools}, self.met)

    # --- what a cell is given -------------------------------------------------------------------------------
    def draw_things(self) -> tuple[Thing, ...]:
        """What to draw from, and a number that is another one in the run before."""
        numbers = self.draw.of(
            (("1.0", "0.0"), ("1.0", "0.0"), ("0.5", "1.0"), ("1", "True"), ("0.0", "1.0"))
        )
        return (Thing("s0", *numbers), *(Thing(name, text, text) for name, text in forms.THINGS.items()))

    def shape(self) -> tuple[int, ...]:
        """The shape of a carry or an input: of the cell's number of axes, or of fewer."""
        draw = self.draw
        full = (draw.of((1, 2)), self.batch, self.width)[3 - self.ndim :]
        if draw.chance(0.2) and self.ndim:
            return full[1:] if draw.chance(0.5) else (*full[:-1], 1)
        return full

    # --- lines ----------------------------------------------------------------------------------------------
    def attempt(self, form: str, args: tuple[str, ...]) -> Any:
        """Work out a line on the values of the first step; None where it does not work."""
        space = {"np": np, "tr": tr, "p": primitives, **self.met, **self.values}
        try:
            value = eval(form.format(*args), space)
        except Exception:
            return None
        if (
            not isinstance(value, (tr.Tensor, np.ndarray))
            or value.size > 60
            or value.dtype.kind not in "fiub"
        ):
            return None
        return value

    def add(self, form: str, args: tuple[str, ...], value: Any) -> str:
        name = f"v{len(self.lines)}"
        self.lines.append(Line(name, form, args))
        self.values[name] = value
        return name

    def operand(self, kind: str = "") -> str:
        """A name: one of the carry or of the closures as often as one of the latest lines."""
        names = list(self.values)
        if kind or self.draw.chance(0.5):
            kind = kind or self.draw.of("cckx")
            names = [name for name in names if name[0] in {"g": "kx"}.get(kind, kind)] or names
            return self.draw.of(names)
        return names[-1 - min(self.draw.below(len(names)), self.draw.below(len(names)))]

    def line(self) -> None:
        draw = self.draw
        if self.only:
            form = draw.of(self.only)
        elif self.theme and draw.chance(0.6):
            form = draw.of(self.theme)
        elif draw.chance(0.15):
            form = draw.of(forms.found_forms())
        else:
            weights = np.array([weight for weight, _ in forms.FAMILIES], float)
            family = int(draw.rng.choice(len(weights), p=weights / weights.sum()))
            form = draw.of(forms.FAMILIES[family][1])
        self.write(form)

    def write(self, form: str) -> None:
        """Write a line of a form, on operands with which it works."""
        draw = self.draw
        kinds, form = forms.kinds(form)
        for _ in range(6):
            filled = forms.fill(form, [draw.of(forms.PLACES[place]) for place in forms.places(form)])
            args = tuple(self.operand(kinds[i : i + 1]) for i in range(forms.operands(form)))
            value = self.attempt(filled, args)
            if value is not None:
                self.add(filled, args, value)
                return

    # --- what a cell hands on -------------------------------------------------------------------------------
    def fitted(self, leaf: Leaf, kept_on: float) -> str:
        """A name of a value that can be the new carry."""
        draw, dtype = self.draw, np.dtype(leaf.dtype)

        def fits(name: str) -> bool:
            return self.values[name].shape == leaf.shape and self.values[name].dtype == dtype

        kept = [name for name in self.values if name.startswith("c") and fits(name)]
        if kept and draw.chance(kept_on):  # kept, swapped, delayed
            return draw.of(kept)
        if draw.chance(0.05):
            given = [name for name in self.values if name[0] in "kx" and fits(name)]
            if given:
                return draw.of(given)
        made = self.unread() or [line.name for line in self.lines]
        name = draw.of(made[-4:]) if made and draw.chance(0.85) else self.operand()
        for _ in range(8):
            if self.attempt(f"tr.broadcast_to({{0}}, {leaf.shape})", (name,)) is not None:
                break
            name = self.operand()
        else:
            name = self.put("{0}.sum()", (name,))
        if self.values[name].dtype != dtype:
            if dtype.kind == "b":
                name = self.put("{0} > 0", (name,))
            elif dtype.kind in "iu" and self.values[name].dtype.kind == "f":
                name = self.put(f"({{0}} > 0).astype('{dtype}')", (name,))
            else:
                name = self.put(f"{{0}}.astype('{dtype}')", (name,))
        if dtype.kind == "f" and draw.chance(
            0.3 if self.extreme else 0.7
        ):  # so that little grows without bound
            name = self.put(draw.of(("tr.tanh({0})", "tr.tanh({0})", "{0} * 0.5")), (name,))
        if self.values[name].shape != leaf.shape:
            old = kept or [leaf.name]
            form = f"tr.broadcast_to({{0}}, {leaf.shape})" if draw.chance(0.5) else "{1} * 0 + {0}"
            args = (name, draw.of(old))
            if self.attempt(form, args) is None or self.attempt(form, args).dtype != dtype:
                form = f"tr.broadcast_to({{0}}, {leaf.shape})"
            name = self.put(form, args[: forms.operands(form)])
        return name if fits(name) else leaf.name

    def unread(self) -> list[str]:
        """The lines that nothing reads so far."""
        read = {arg for line in self.lines for arg in line.args}.union(self.new)
        return [line.name for line in self.lines if line.name not in read]

    def remember(self, carry: tuple[Leaf, ...]) -> None:
        """Lines in which each part of the carry meets something learnt: a memory of several steps."""
        draw = self.draw
        learnt = [name for name, value in self.values.items() if name[0] == "k" and value.dtype.kind == "f"]
        every = ("{0} @ {1}", "{0} @ {1}", "{0} * {1}", "tr.tanh({0} * {1})", "{0} * {0}")
        usual = draw.of(every)
        for leaf in carry:
            form = usual if draw.chance(0.8) else draw.of(every)
            # One that is learnt for this part alone, or one that is there.
            fit = [name for name in learnt if self.attempt(form, (leaf.name, name)) is not None]
            self.put(form, (leaf.name, draw.of(fit or [leaf.name])))

    def handed_on(self, carry: tuple[Leaf, ...], made: str) -> tuple[list[str], list[str]]:
        """The new carry of a memory, and what of it the step gives as well: old names, and ``made``."""
        draw = self.draw
        old = [leaf.name for leaf in carry]
        new = draw.of((
            [made, *old[:-1]],  # what was, one step later
            [made, *old[:-1]],
            [*old[1:], made],
            [*old[1:], old[0]],  # only swapped
            [made, *old[1:]],  # beside what stays as it is
            old,
        ))  # fmt: skip
        return list(new), [name for name in (*old, made) if draw.chance(0.35)]

    def gather(self, shape: tuple[int, ...]) -> None:
        """Bring together lines that nobody reads, so that a step is not many small ones."""
        fit = f"tr.broadcast_to({{0}}, {shape})"
        loose = [name for name in self.unread() if self.attempt(fit, (name,)) is not None][-4:]
        for name in loose[1:]:
            form = self.draw.of(("{0} + {1}", "{0} + {1}", "{0} * {1}", "{0} - {1}", "tr.tanh({0}) + {1}"))
            self.put(form, (loose[0], name))
            loose[0] = self.lines[-1].name

    def put(self, form: str, args: tuple[str, ...]) -> str:
        value = self.attempt(form, args)
        return args[0] if value is None else self.add(form, args, value)

    def cell(self) -> Cell:
        draw = self.draw
        steps = draw.of(STEPS[:6] if self.extreme else STEPS)
        with_lengths = self.ndim >= 1 and draw.chance(0.25)
        if with_lengths:
            self.ndim = max(self.ndim, 2)
        carry: tuple[Leaf, ...] = tuple(
            self.leaves.leaf(f"c{i}", self.shape(), self.mixed * 0.6, grad=draw.chance(0.6))
            for i in range(draw.of((1, 1, 2, 2, 3)))
        )
        if self.alike:
            carry = tuple(twin(carry[0], i, draw) for i in range(len(carry)))
        xs = tuple(
            self.leaves.leaf(
                f"x{i}", self.shape() if draw.chance(0.8) else (), self.mixed, grad=draw.chance(0.4)
            )
            for i in range(draw.of((0, 1, 1, 1, 2)))
        )
        if with_lengths:
            carry, xs = (tuple(batched(leaf, self.batch) for leaf in leaves) for leaves in (carry, xs))
        shapes = (
            (self.width,),
            (self.width, self.width),
            (self.width, self.width),
            (),
            (self.batch, self.width),
        )
        if draw.chance(0.4):
            shapes = (draw.of(shapes),)
        closed = tuple(
            self.leaves.leaf(
                f"k{i}", draw.of(shapes), self.mixed, grad=draw.chance(0.75), plain=draw.chance(0.25)
            )
            for i in range(draw.of((0, 1, 2, 2, 3)))
        )
        memory = self.alike and draw.chance(0.15 if len(carry) == 1 else 0.5)
        if memory:  # what its parts are read by
            closed += tuple(
                self.leaves.leaf(f"k{len(closed) + i}", (self.width, self.width), 0, grad=draw.chance(0.9))
                for i in range(len(carry))
            )
        for leaf in (*carry, *xs, *closed):
            space: dict[str, Any] = {"np": np, "tr": tr}
            value = eval(leaf.text((1,) if leaf in xs else ()), space)
            self.values[leaf.name] = tr.as_tensor(value[0]) if leaf in xs else value
        for _ in range(draw.of((0, 1, 1, 2, 3) if self.extreme else (0, 1, 2, 3, 4, 6, 9, 12))):
            self.line()
        if memory:
            self.remember(carry)
        if memory or draw.chance(0.6):
            self.gather(carry[0].shape)
        for _ in range(draw.of((1, 1, 2)) if self.things else 0):
            self.write(draw.of(forms.DRAWS))
        computed = draw.below(len(carry))  # one of them is most likely new, of which the others can be delays
        self.new = [self.fitted(leaf, 0.15 if i == computed else 0.45) for i, leaf in enumerate(carry)]
        kept: list[str] = []
        if memory:
            self.new, kept = self.handed_on(carry, self.new[computed])
        ys = (*(self.output(with_lengths) for _ in range(draw.of((0, 1, 1, 2, 3)))), *kept)[:5]
        carry_form = containers(len(carry), draw)
        likely = 0.15 if isinstance(carry_form, dict) else 0.05
        new_form = other(carry_form, draw) if draw.chance(likely) else carry_form
        return Cell(
            carry, carry_form, xs, containers(len(xs), draw), closed, tuple(self.lines), tuple(self.new),
            new_form, ys, containers(len(ys), draw), steps,
            lengths=tuple(1 + draw.below(steps) for _ in range(self.batch)) if with_lengths else None,
            reverse=draw.chance(0.3),
            segment=draw.of((1, 2, 3, 7, "auto", 64)) if draw.chance(0.2) else None,
            order=draw.of((0, 1, 1, 1, 2, 2)),
            things=self.things,
            before=draw.of((1, 2, 3, 5, 33, 130)) if draw.chance(0.1) else None,
        )  # fmt: skip

    def output(self, with_lengths: bool) -> str:
        draw = self.draw
        if draw.chance(0.08) and not with_lengths:
            return draw.of(("1.0", "2", "True", "np.float32(3)", "np.arange(3)", "tr.ones(2)", "0.0"))
        for _ in range(20):
            unread = self.unread()
            name = draw.of(unread) if unread and draw.chance(0.6) else self.operand()
            if not with_lengths or self.values[name].shape[:1] == (self.batch,):
                return name
        return "c0"
