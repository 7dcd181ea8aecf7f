"""Running a cell: compile its text, and collect values and derivatives by name."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import tinyrnn as tr
from tinyrnn.recurrence.tree import flatten

from .cell import Cell

Results = dict[str, Any]


def printed(cell: Cell) -> str:
    """The cell as Python to paste and run, from the folder of the project: it shows what both forms give."""
    closed = ", ".join(leaf.name for leaf in cell.closed)
    lines: list[str] = []
    if cell.warm:
        lines += [cell.first.text() + "try:", "    tr.scan(step, carry, xs, **options)"]
        lines += ["except Exception as error:", "    print('before:', error)"]
    lines += [cell.text() + "from tests.random_cells import show"]
    for form in ("compiled", "recorded"):
        lines += [*cell.begin, f"show({form!r}, step, carry, xs, options, [{closed}], order={cell.order})"]
    return "\n".join(lines) + "\n"


def show(
    form: str, step: Any, carry: Any, xs: Any, options: Any, closed: Any = (), *, order: int = 1
) -> None:
    """Print what a step gives, compiled or recorded."""
    try:
        with tr.unrolled() if form == "recorded" else contextlib.nullcontext():
            found: Any = results(step, carry, xs, options, closed, order)
    except Exception as error:
        found = {"raises": f"{type(error).__name__}: {error}"}
    print(form, *(f"  {key}: {value}" for key, value in found.items()), sep="\n")


class Refused(Exception):
    """The recorded form raised an error."""


def run(
    cell: Cell,
    *,
    unrolled: bool,
    graph: bool = False,
    begin_step: Callable[[], None] | None = None,
) -> Results:
    """Values, structure and derivatives of a cell, by name.

    ``graph``: record the derivatives too, whatever their order. ``begin_step`` is called before each step.
    """
    space: dict[str, Any] = {}
    exec(compile(cell.text(), "<cell>", "exec"), space)
    step = space["step"]
    if begin_step is not None:

        def step(c: Any, x: Any, inner: Any = space["step"]) -> Any:
            begin_step()
            return inner(c, x)

    closed = [space[leaf.name] for leaf in cell.closed]
    with tr.unrolled() if unrolled else contextlib.nullcontext():
        return results(step, space["carry"], space["xs"], space["options"], closed, cell.order, graph=graph)


def results(
    step: Any, carry: Any, xs: Any, options: Any, closed: Any, order: int, *, graph: bool = False
) -> Results:
    """Values, structure and derivatives of a step, by name."""
    given = [carry, xs, closed]
    wanted = {
        path: leaf
        for leaf, path in zip(*_named(given, ("carry", "xs", "closed")))
        if isinstance(leaf, tr.Tensor) and leaf.requires_grad
    }
    before = {name: np.array(leaf) for name, leaf in _arrays(given).items()}
    found: Results = {}
    with tr.enable_grad() if order else tr.no_grad(), np.errstate(all="ignore"):
        after, ys = tr.scan(step, carry, xs, **options)
        found["structure"] = f"{_outline(after)}, {_outline(ys)}"
        values = dict(zip(*reversed(_named([after, ys], ("after", "ys")))))
        found |= {path: leaf.data.copy() for path, leaf in values.items()}
        outs = list(values.values())
        for n in range(1, order + 1):
            outs = [t for t in outs if isinstance(t, tr.Tensor) and t.requires_grad]
            seeds = [np.cos(np.arange(t.size)).reshape(t.shape).astype(t.dtype) for t in outs]
            if outs and wanted:
                outs = tr.grad(
                    outs, wanted.values(), seeds, create_graph=n < order or graph, allow_unused=True
                )
            for path, leaf, g in zip(wanted, wanted.values(), outs or [None] * len(wanted)):
                # A gradient that is nowhere is zero.
                found[f"d{n} {path}"] = np.zeros(leaf.shape, leaf.dtype) if g is None else g.data.copy()
    for name, leaf in _arrays(given).items():
        if not np.array_equal(leaf, before[name], equal_nan=leaf.dtype.kind == "f"):
            found[f"changed {name}"] = leaf
    return found


def fallbacks(cell: Cell) -> tuple[Results, list[str]]:
    """Run the compiled form; with the results, why it was not compiled."""
    from tinyrnn.recurrence import lookup

    getattr(lookup, "_warned", set()).clear()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = run(cell, unrolled=False)
    reasons = [str(w.message) for w in caught if issubclass(w.category, tr.ScanFallbackWarning)]
    return found, [text.split("because ", 1)[-1].rsplit("; it runs", 1)[0] for text in reasons]


def recorded(cell: Cell, *, graph: bool = False, begin_step: Callable[[], None] | None = None) -> Results:
    """Run the reference."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return run(cell, unrolled=True, graph=graph, begin_step=begin_step)
        except Exception as error:
            raise Refused(f"{type(error).__name__}: {error}") from error


def _named(parts: list[Any], roots: tuple[str, ...]) -> tuple[list[Any], list[str]]:
    leaves: list[Any] = []
    names: list[str] = []
    for part, root in zip(parts, roots):
        found, _ = flatten(part)
        leaves += found
        names += [f"{root}{i}" for i in range(len(found))]
    return leaves, names


def _arrays(given: Any) -> dict[str, Any]:
    return {
        name: leaf.data if isinstance(leaf, tr.Tensor) else leaf
        for leaf, name in zip(*_named(given, ("carry", "xs", "closed")))
    }


def _outline(form: Any) -> str:
    """The containers, keys, dtypes and shapes of a structure."""
    if isinstance(form, dict):
        return "{" + ", ".join(f"{key!r}: {_outline(value)}" for key, value in form.items()) + "}"
    if isinstance(form, (tuple, list)):
        return f"{type(form).__name__}({', '.join(map(_outline, form))})"
    kind = "Tensor" if isinstance(form, tr.Tensor) else type(form).__name__
    return "None" if form is None else f"{kind} {form.dtype} {form.shape}"
