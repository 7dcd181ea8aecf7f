"""Products of stacks of matrices in a step, as in attention: of a stack that stays, or of two that change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scan_forms import assert_same, normal, run

import tinyrnn as tr

SIZES = st.integers(1, 4)


def step(order: str) -> Callable[[Any], Callable[[Any, Any], tuple[Any, Any]]]:
    """The carry and an output, made from M, which stays, and h and x, which change: all (*stack, m, k)."""

    def make(p: Any) -> Callable[[Any, Any], tuple[Any, Any]]:
        def of(h: Any, x: Any) -> tuple[Any, Any]:
            if order == "after":
                h = tr.tanh(0.5 * h + x)
                return h, (p["M"] @ h.mT, h.mT @ p["M"])
            if order == "before":
                return tr.tanh(h + x @ (p["M"].mT @ x)), x.mT @ p["M"]
            return tr.tanh(0.3 * (h @ x.mT) @ p["M"] + x), h @ (p["M"] * x).mT

        return of

    return make


@pytest.mark.parametrize("backend", ["numpy", "python"])
@pytest.mark.parametrize("order", ["after", "before", "in the loop"])
@settings(max_examples=12)
@given(
    stack=st.lists(SIZES, min_size=1, max_size=2),
    m=SIZES,
    k=SIZES,
    steps=st.integers(1, 9),
    back=st.booleans(),
)
def test_products(order: str, backend: str, stack: list[int], m: int, k: int, steps: int, back: bool) -> None:
    shape = (*stack, m, k)
    xs = normal(steps, *shape, seed=3)
    case = step(order), {"M": normal(*shape, seed=1)}, normal(*shape, seed=2), xs
    expected = run("loop", *case, reverse=back)
    with tr.backend(backend):
        assert_same(run("compiled", *case, reverse=back), expected)


def test_a_stack_for_all_rows() -> None:
    """A stack of one matrix stands for all rows of a batch."""
    xs = normal(5, 4, 3, 2, seed=3)
    case = step("after"), {"M": normal(1, 3, 2)}, normal(4, 3, 2, seed=2), xs
    assert_same(run("compiled", *case), run("loop", *case))
