"""Matrix products of the compiled loop: by NumPy's BLAS, for every way in which matrices lie in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyrnn.recurrence.running.native.compilation import Compilation

Array = np.ndarray[Any, Any]
SIZES = st.integers(1, 5)


def part(name: str, x: Array) -> str:
    """An array as the code of a loop names it."""
    if x.ndim == 1:
        return f"vector({name}, 1, {len(x)})"
    rows, columns = x.shape
    if x.flags.c_contiguous:
        return f"matrix({name}, 1, {rows}, {columns})"
    return f"matrix({name}, 1, {columns}, {rows}).T"


def product(a: Array, b: Array) -> Array:
    """Multiply by compiled code; each array begins after one element that is not its own."""
    pytest.importorskip("numba")
    out = np.full((*a.shape[:-1], *b.shape[1:]), np.nan, a.dtype)
    parts = ", ".join(part(name, x) for name, x in (("a", a), ("b", b), ("out", out)))
    text = f"def loop(steps, a, b, out):\n    for t in range(steps):\n        dot{8 * a.itemsize}({parts})\n"
    loop = Compilation(text, (a.dtype.name,) * 3).wait()
    places = [np.concatenate([[7], x.ravel("K")]).astype(a.dtype) for x in (a, b, out)]
    loop(1, *(loop.argument(place) for place in places))
    for place, x in zip(places, (a, b), strict=False):
        np.testing.assert_array_equal(place, np.concatenate([[7], x.ravel("K")]))
    assert places[2][0] == 7
    return places[2][1:].reshape(out.shape)


@settings(deadline=None, max_examples=20)  # each is compiled
@given(SIZES, SIZES, SIZES, st.sampled_from("CF"), st.sampled_from("CF"), st.integers(0, 100))
def test_matrices(m: int, k: int, n: int, order_a: Any, order_b: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(m, k)), rng.normal(size=(k, n))
    found = product(np.asarray(a, order=order_a), np.asarray(b, order=order_b))
    np.testing.assert_allclose(found, a @ b, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_matrix_and_a_vector(order: Any) -> None:
    rng = np.random.default_rng(0)
    a, b, v = rng.normal(size=(3, 5)), rng.normal(size=(5, 4)), rng.normal(size=5)
    np.testing.assert_allclose(product(np.asarray(a, order=order), v), a @ v, rtol=1e-12)
    np.testing.assert_allclose(product(v, np.asarray(b, order=order)), v @ b, rtol=1e-12)


def test_single_precision_and_what_is_not_finite() -> None:
    a = np.array([[1, np.inf], [np.nan, 2], [3, 4]], np.float32)
    b = np.array([[1, 0], [2, 5]], np.float32)
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(product(a, b), a @ b)


def test_where_numpys_is_not_found_there_is_no_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    code = pytest.importorskip("tinyrnn.recurrence.running.native.machine_code")
    monkeypatch.setattr(code.blas, "found", lambda: ({}, 0))
    with pytest.raises(RuntimeError, match="it calls tinyrnn_dgemm, which was not found"):
        product(np.ones((9, 9)), np.ones((9, 9)))
