"""Matrix products of the compiled loop, for every way in which matrices lie in memory: by BLAS, in tiles."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyrnn.recurrence.running.native.compilation import Compilation
from tinyrnn.recurrence.running.native.forms import PythonLoop

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


def tiled(a: Array, b: Array, *, in_rows: bool) -> tuple[Array, Array]:
    """Multiply in tiles, by compiled code and by Python; ``a`` may lie in rows or in columns."""
    (rows, depth), columns = a.shape, b.shape[1]
    strides = (depth, 1) if in_rows else (1, rows)
    # Each row of the result, and of b, is followed by numbers that are not its own.
    numbers = f"{rows}, {depth}, {columns}, {columns + 1}, {strides[0]}, {strides[1]}, {columns + 2}"
    head = "def loop(steps, out, a, b):\n    for t in range(steps):\n"
    text = f"{head}        tiles(out, 1, a, 0, b, t, {numbers})\n"
    places = a.ravel("C" if in_rows else "F"), np.pad(b, ((0, 0), (0, 2))).ravel()
    found: list[Array] = []
    for loop in (Compilation(text, (a.dtype.name,) * 3).wait(), PythonLoop(text)):
        out = np.full(1 + rows * (columns + 1), np.nan, a.dtype)
        loop(1, *(loop.argument(x) for x in (out, *places)))
        assert np.isnan(out[0])
        assert np.isnan(out[1:].reshape(rows, -1)[:, -1]).all()
        found.append(out[1:].reshape(rows, -1)[:, :-1])
    return found[0], found[1]


@settings(deadline=None, max_examples=25)  # each is compiled
@given(st.integers(1, 40), st.integers(1, 9), st.integers(1, 70), st.booleans(), st.booleans())
def test_tiles(rows: int, depth: int, columns: int, in_rows: bool, double: bool) -> None:
    """Also where a row is no whole number of vectors, and the rows no whole number of tiles."""
    pytest.importorskip("numba")
    rng = np.random.default_rng(rows * columns)
    kind = np.float64 if double else np.float32
    a, b = rng.normal(size=(rows, depth)).astype(kind), rng.normal(size=(depth, columns)).astype(kind)
    compiled, plain = tiled(a, b, in_rows=in_rows)
    exact = a.astype(np.float64) @ b.astype(np.float64)
    tolerance = 1e-13 if double else 1e-5
    np.testing.assert_allclose(compiled, exact, rtol=tolerance, atol=10 * tolerance)
    np.testing.assert_allclose(plain, exact, rtol=tolerance, atol=10 * tolerance)


def test_where_numpys_is_not_found_there_is_no_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    code = pytest.importorskip("tinyrnn.recurrence.running.native.machine_code")
    monkeypatch.setattr(code.blas, "found", lambda: ({}, 0))
    with pytest.raises(RuntimeError, match="it calls tinyrnn_dgemm"):
        product(np.ones((99, 99)), np.ones((99, 99)))
