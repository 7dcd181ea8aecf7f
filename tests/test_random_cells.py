"""A share of the random cells, and what they reach. The long run: ``python -m tests.random_cells --help``."""

from __future__ import annotations

import warnings

import pytest
from random_cells.compare import judge
from random_cells.coverage import reached
from random_cells.execute import printed
from random_cells.generate import generate
from random_cells.rounding import primitives
from random_cells.shrink import shrink

import tinyrnn as tr


def agree(cells: range) -> None:
    """Seed 0 of the long run, some of its cells."""
    for n in cells:
        cell = generate([0, n])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            verdict = judge(cell)
            if verdict.kind:
                small = shrink(cell, verdict.kind)
                pytest.fail(f"cell {n}: {verdict.kind}: {judge(small).detail}\n\n{printed(small)}")


@pytest.mark.parametrize("part", range(5))
def test_compiled_and_recorded_agree(part: int) -> None:
    agree(range(32 * part, 32 * part + 32))


@pytest.mark.parametrize("part", range(3))
def test_the_loop_as_code_agrees_too(part: int) -> None:
    with tr.backend("python"):
        agree(range(160 + 40 * part, 200 + 40 * part))


def test_the_loop_as_compiled_code() -> None:
    pytest.importorskip("numba")
    with tr.backend("numba"):
        agree(range(300, 306))


def test_every_primitive_is_drawn() -> None:
    """A new primitive is drawn by itself where it takes arrays and an axis; others need a form."""
    hit, idle = reached()
    missed = {primitive.name for primitive in primitives()} - hit
    assert missed == set(), "write a form for them in random_cells/forms.py"
    assert idle == [], "these forms never work"
