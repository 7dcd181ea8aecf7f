"""exp, tanh and sigmoid of the compiled loop: how far from the correctly rounded value, over all numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tinyrnn.recurrence.running.native import functions
from tinyrnn.recurrence.running.native.compilation import Compilation

Array = np.ndarray[Any, Any]


def sigmoid(x: Array) -> Array:
    return np.where(x >= 0, 1 / (1 + np.exp(-np.abs(x))), np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x))))


EXACT: dict[str, Callable[[Array], Array]] = {"exp": np.exp, "tanh": np.tanh, "sigmoid": sigmoid}


def numbers(count: int) -> Array:
    """Float32 of all sizes, most of them where something happens, and all that is special."""
    rng = np.random.default_rng(0)
    any_bits = rng.integers(0, 1 << 32, count // 2, dtype=np.uint32).view(np.float32)
    about = (
        rng.uniform(-110, 95, count // 4).astype(np.float32),
        rng.normal(0, 1, count // 4).astype(np.float32),
    )
    limits = np.array(
        [0, 88.72284, 88.722839, -87.33655, -103.97208, -103.97209, 9.010913, 1e-38, 1e-45, np.inf]
    )
    special = np.concatenate([limits, -limits, [np.nan]]).astype(np.float32)
    return np.concatenate([any_bits, *about, special])


def ulps(found: Array, exact: Array) -> float:
    """The largest distance, in units of the last place of the correctly rounded value."""
    with np.errstate(all="ignore"):
        rounded = exact.astype(np.float32)
    assert np.array_equal(np.isnan(found), np.isnan(rounded))
    finite = np.isfinite(rounded)
    assert np.array_equal(found[~finite], rounded[~finite], equal_nan=True)
    assert np.array_equal(np.signbit(found[finite]), np.signbit(rounded[finite]))
    unit = np.spacing(np.abs(rounded[finite])).astype(np.float64)
    return float((np.abs(found[finite].astype(np.float64) - exact[finite]) / unit).max())


def exactly(name: str, x: Array) -> Array:
    with np.errstate(all="ignore"):
        return EXACT[name](x.astype(np.float64))


def compiled(name: str, x: Array) -> Array:
    pytest.importorskip("numba")
    text = (
        f"def loop(steps, x, y):\n    for t in range(steps):\n        y[t] = {name}{8 * x.itemsize}(x[t])\n"
    )
    y = np.empty_like(x)
    loop = Compilation(text, (x.dtype.name, x.dtype.name)).wait()
    loop(len(x), loop.argument(x), loop.argument(y))
    return y


@pytest.mark.parametrize("name", EXACT)
def test_as_python(name: str) -> None:
    x = numbers(1500)
    function = getattr(functions, f"{name}32")
    with np.errstate(all="ignore"):
        found = np.array([function(value) for value in x])
    assert found.dtype == np.float32
    assert ulps(found, exactly(name, x)) <= 4


@pytest.mark.parametrize("name", EXACT)
def test_compiled(name: str) -> None:
    x = numbers(10_000_000)
    assert ulps(compiled(name, x), exactly(name, x)) <= 4


@pytest.mark.parametrize("name", EXACT)
def test_double_precision(name: str) -> None:
    rng = np.random.default_rng(0)
    x = np.concatenate(
        [rng.uniform(-750, 720, 50_000), rng.normal(0, 3, 50_000), [0, np.inf, -np.inf, np.nan]]
    )
    found, exact = compiled(name, x), exactly(name, x)
    assert np.array_equal(np.isnan(found), np.isnan(exact))
    number = np.isfinite(exact)
    assert np.array_equal(found[~number], exact[~number], equal_nan=True)
    scale = 1 if name == "sigmoid" else np.maximum(np.abs(exact[number]), 1e-300)
    assert (np.abs(found[number] - exact[number]) / scale).max() <= 1e-15
