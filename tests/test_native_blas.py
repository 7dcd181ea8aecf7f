"""Matrix products of the compiled loop: by NumPy's BLAS, for every way in which matrices lie in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyrnn.recurrence.running.native import blas

Array = np.ndarray[Any, Any]
SIZES = st.integers(1, 5)


def product(a: Array, b: Array) -> Array:
    """Multiply by compiled code."""
    numba = pytest.importorskip("numba")
    dot = blas.compiled()[f"dot{8 * a.itemsize}"]
    out = np.full((*a.shape[:-1], *b.shape[1:]), np.nan, a.dtype)
    numba.njit(lambda a, b, out: dot(a, b, out))(a, b, out)
    return out


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


def test_another_library_serves_where_numpys_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba")
    monkeypatch.setattr(blas, "found", lambda: ({}, 0))
    blas.compiled.cache_clear()
    try:
        a, out = np.arange(6.0).reshape(2, 3), np.empty((2, 2))
        blas.compiled()["dot64"](a, a.T, out)
        np.testing.assert_array_equal(out, a @ a.T)
    finally:
        blas.compiled.cache_clear()
