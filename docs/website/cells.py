"""The page of call counts: how many NumPy calls a step of each cell takes, as the compiler's plans say."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterator

import tinyrnn as tr

__all__ = ["counts", "page"]

INPUT, HIDDEN, STEPS, BATCH = 8, 16, 5, 2
TITLE = "NumPy calls of each cell"
INTRODUCTION = f"""
What a step of compiled `scan` costs where arrays are small: its NumPy calls. They follow from the cell, and
not from its sizes; what does not depend on the state is in no step, since it runs for all steps at once.
Counted here is `tinyrnn.nn.Recurrent` around each cell of `tinyrnn.nn`, {INPUT} inputs and {HIDDEN} units.
The same for a cell of your own: ``print(tr.explain(layer, x))``. How long a call takes stands in
:doc:`/docs/performance`.
"""


def counts() -> dict[str, dict[str, tr.Plan]]:
    """Return the plans of each cell of `nn`: of a plain call, and of one with rows of different length."""
    x = tr.zeros((STEPS, BATCH, INPUT))
    found: dict[str, dict[str, tr.Plan]] = {}
    for name in tr.nn.__all__:
        kind = getattr(tr.nn, name)
        if inspect.isclass(kind) and issubclass(kind, tr.nn.Cell) and kind is not tr.nn.Cell:
            layer = tr.nn.Recurrent(kind(INPUT, HIDDEN))
            found[name] = {
                "all rows of one length": tr.explain(layer, x),
                "with lengths": tr.explain(layer, x, lengths=[STEPS, STEPS - 1]),
            }
    return found


def page() -> str:
    """Return the page, as reStructuredText."""
    return "\n".join(_page())


def _page() -> Iterator[str]:
    found = counts()
    yield from (TITLE, "=" * len(TITLE), INTRODUCTION)
    yield from (".. list-table::", "   :header-rows: 1", "")
    yield from ("   * - cell", *(f"     - {side}" for side in ("rows", "forward", "backward")))
    for name, plans in found.items():
        for rows, plan in plans.items():
            (scan,) = plan.scans
            yield f"   * - `tinyrnn.nn.{name}`"
            yield from (f"     - {cell}" for cell in (rows, *_both(scan)))
    yield ""
    for name, plans in found.items():
        yield from (name, "-" * len(name), "", ".. code-block:: text", "")
        yield textwrap.indent(str(plans["all rows of one length"]), "   ", lambda line: True)
        yield ""


def _both(scan: tr.Plan) -> tuple[int, int]:
    return scan.forward.calls_per_step, scan.backward.calls_per_step
