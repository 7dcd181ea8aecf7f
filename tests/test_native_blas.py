"""Matrix products of the compiled loop: by NumPy's BLAS, for every way in which matrices lie in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyrnn.recurrence.running.native import blas

SIZES = st.integers(1, 5)


@settings(deadline=None)  # the first of each layout is compiled
@given(SIZES, SIZES, SIZES, st.sampled_from("CF"), st.sampled_from("CF"), st.integers(0, 100))
def test_all_layouts(m: int, k: int, n: int, order_a: Any, order_b: Any, seed: int) -> None:
    pytest.importorskip("numba")
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(m, k)), rng.normal(size=(k, n))
    out = np.full((m, n), np.nan)
    blas.compiled()["dot64"](np.asarray(a, order=order_a), np.asarray(b, order=order_b), out)
    np.testing.assert_allclose(out, a @ b, rtol=1e-12, atol=1e-15)


def test_single_precision_and_what_is_not_finite() -> None:
    pytest.importorskip("numba")
    a = np.array([[1, np.inf], [np.nan, 2], [3, 4]], np.float32)
    b = np.array([[1, 0], [2, 5]], np.float32)
    out = np.full((3, 2), np.nan, np.float32)
    blas.compiled()["dot32"](a, b, out)
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(out, a @ b)


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
