"""NumPy's functions under both names, of tinyrnn and of NumPy: values, gradients, and in a compiled step."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from numpy_cases import CASES, Case, Shapes

import tinyrnn as tr

BOTH = [pytest.param(case, shapes, id=f"{case.call}-{shapes}") for case in CASES for shapes in case.shapes]
# The first operands, and the first that have axes.
FIRST = [
    pytest.param(case, shapes, id=f"{case.call}-{shapes}")
    for case in CASES
    for shapes in dict.fromkeys((case.shapes[0], next((s for s in case.shapes if all(s)), case.shapes[0])))
]


def parts(y: Any) -> list[Any]:
    return [part for item in y for part in parts(item)] if isinstance(y, (list, tuple)) else [y]


def reference(case: Case, arrays: list[Any]) -> list[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return [np.asarray(y) for y in parts(case.f(np, *arrays))]


@pytest.mark.parametrize(("case", "shapes"), BOTH)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_value_and_dtype(case: Case, shapes: Shapes, dtype: Any) -> None:
    arrays = case.arrays(shapes, dtype)
    expected = reference(case, arrays)
    tolerance = 2e-4 if dtype is np.float32 else 1e-11
    for xp in (tr, np) if case.by_numpy else (tr,):
        before = [a.copy() for a in arrays]
        tensors = [tr.tensor(a, requires_grad=True) for a in arrays]
        ys = parts(case.f(xp, *tensors))
        for y, e in zip(ys, expected, strict=True):
            assert isinstance(y, tr.Tensor) or not y.size or np.isnan(y).all()
            assert y.shape == e.shape
            assert y.dtype == dtype
            np.testing.assert_allclose(np.asarray(y.data), e, rtol=tolerance, atol=tolerance)
        recorded = [y for y in ys if isinstance(y, tr.Tensor) and y.requires_grad]
        if recorded:
            tr.concatenate(recorded, None).sum().backward()
        for t, a in zip(tensors, before, strict=True):
            assert t.grad is None or (t.grad.shape == a.shape and t.grad.dtype == dtype)
            np.testing.assert_array_equal(t.numpy(), a)
        plain = parts(case.f(tr, *arrays))
        assert not any(isinstance(y, tr.Tensor) for y in plain)
        for y, e in zip(plain, expected, strict=True):
            np.testing.assert_allclose(y, e, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("case", "shapes"), BOTH)
def test_gradients_to_order_2(case: Case, shapes: Shapes) -> None:
    tr.testing.check_grads(lambda *x: case.f(tr, *x), *case.arrays(shapes), order=2, rtol=3e-6, atol=3e-7)


@pytest.mark.parametrize(("case", "shapes"), [x for x in BOTH if x.values[0].integers])
@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.bool_])
def test_integers_give_what_numpy_gives(case: Case, shapes: Shapes, dtype: Any) -> None:
    if dtype is np.bool_ and not case.booleans:
        pytest.skip("NumPy makes int8 or float16 of booleans")
    arrays = [
        np.asarray(np.abs(np.rint(a * 2)) % 3 + (dtype is not np.bool_), dtype) for a in case.arrays(shapes)
    ]
    try:
        expected = reference(case, arrays)
    except (TypeError, ValueError, np.linalg.LinAlgError):
        pytest.skip("not in NumPy")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        ys = parts(case.f(tr, *map(tr.tensor, arrays)))
    for y, e in zip(ys, expected, strict=True):
        assert np.asarray(y).dtype == e.dtype
        np.testing.assert_allclose(np.asarray(y), e, rtol=1e-12 if e.dtype.itemsize > 4 else 1e-3)


def flat(y: Any) -> Any:
    return tr.concatenate(parts(y), None)


@pytest.mark.parametrize(("case", "shapes"), FIRST)
def test_in_a_compiled_step(case: Case, shapes: Shapes) -> None:
    """Before the loop (of inputs), in it (of the carry) and after it (of the carry, for the output alone)."""
    arrays = case.arrays(shapes)
    rng = np.random.default_rng(1)
    xs = tuple(0.01 * rng.random((4, *a.shape)) for a in arrays)

    def step(carry: Any, x: Any) -> Any:
        before = flat(case.f(tr, *(a + b for a, b in zip(arrays, x, strict=True))))
        during = flat(case.f(tr, *carry))
        moved = tr.tanh((before * during).sum()) * 0.01
        new = tuple(a * 0.999 + moved * b for a, b in zip(carry, x, strict=True))
        return new, flat(case.f(tr, *(a + 0.001 for a in new)))

    def run() -> list[Any]:
        leaves = [tr.tensor(a, requires_grad=True) for a in arrays] + [
            tr.tensor(x, requires_grad=True) for x in xs
        ]
        n = len(arrays)
        last, ys = tr.scan(step, tuple(leaves[:n]), tuple(leaves[n:]))
        weights = tr.tensor(np.random.default_rng(2).standard_normal(ys.shape))
        loss = (ys * weights).sum() + sum((part * part).sum() for part in last)
        grads = tr.grad(loss, leaves, create_graph=True, allow_unused=True)
        curved = sum((g * g).sum() for g in grads if g is not None and g.requires_grad)
        seconds = tr.grad(curved, leaves, allow_unused=True) if isinstance(curved, tr.Tensor) else []
        return [x.data for x in (ys, *last, *grads, *seconds) if x is not None]

    compiled = run()
    with tr.unrolled():
        recorded = run()
    assert len(compiled) == len(recorded)
    for a, b in zip(compiled, recorded, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-10 * (1 + np.abs(b).max(initial=0)))
