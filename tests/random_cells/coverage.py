"""Which operations the forms reach: each form is tried on values of many shapes and dtypes."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Generator
from typing import Any

import numpy as np

import tinyrnn as tr
from tinyrnn.autograd import primitives

from . import forms
from .rounding import primitives as table


def _samples() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    shapes = ((3, 3), (2, 3), (3,), (), (1, 2, 3), (2, 2))
    found = {f"s{i}": tr.tensor(rng.uniform(0.1, 0.9, s), requires_grad=True) for i, s in enumerate(shapes)}
    found["square"] = tr.tensor(np.eye(3) * 2 + 0.1, requires_grad=True)
    found["at"] = tr.tensor(np.array([1, 0, 1]))
    found["mask"] = tr.tensor(np.array([True, False, True]))
    found["count"] = tr.tensor(np.arange(6, dtype="int8").reshape(2, 3))
    return found


@contextlib.contextmanager
def _watched() -> Generator[set[str]]:
    """The names of the primitives that are worked out inside."""
    hit: set[str] = set()
    known = [(primitive, primitive.forward) for primitive in table()]

    def watch(name: str, forward: Any) -> Any:
        def watching(*args: Any, **params: Any) -> Any:
            hit.add(name)
            return forward(*args, **params)

        return watching

    try:
        for primitive, forward in known:
            primitive.forward = watch(primitive.name, forward)
        yield hit
    finally:
        for primitive, forward in known:
            primitive.forward = forward


def reached(tries: int = 40) -> tuple[set[str], list[str]]:
    """Return the primitives that some form or its gradient works out, and the forms that never work."""
    samples, rng = _samples(), np.random.default_rng(0)
    space = {"np": np, "tr": tr, "p": primitives, **samples}
    written = [form for _, family in forms.FAMILIES for form in family]
    every = dict.fromkeys([*written, *forms.found_forms()])
    idle: list[str] = []
    with _watched() as hit, warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for form in every:
            line = forms.kinds(form)[1]
            for _ in range(tries):
                chosen = [str(rng.choice(forms.PLACES[place])) for place in forms.places(line)]
                args = [str(rng.choice(list(samples))) for _ in range(forms.operands(line))]
                try:
                    value = eval(forms.fill(line, chosen).format(*args), space)
                    if value.requires_grad:
                        value.sum().backward(create_graph=True)  # by the rules, not in place
                except Exception:
                    continue
                break
            else:
                idle.append(form)
    return hit, [form for form in idle if form in written]
