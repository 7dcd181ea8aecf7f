"""Clipping: its bound, its direction, and gradients that no factor can mend."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyrnn as tr
from tinyrnn import optim
from tinyrnn.optim import NonFiniteGradientWarning, clip_grad_norm_, clip_grad_value_

inf, nan = math.inf, math.nan


def parameter(g: Any, dtype: str = "float64") -> tr.Tensor:
    g = np.array(g, dtype=dtype)
    p = tr.tensor(np.zeros_like(g), requires_grad=True)
    p.grad = tr.tensor(g)
    return p


def several(seed: int, dtype: str = "float64", scale: float = 1.0) -> list[tr.Tensor]:
    rng = np.random.default_rng(seed)
    shapes: list[tuple[int, ...]] = [(3, 4), (4,), (), (0,), (1, 2, 3)]
    return [parameter(scale * rng.normal(size=shape), dtype) for shape in shapes]


def grads(params: list[tr.Tensor]) -> np.ndarray:
    """All gradients as one long vector, in float64."""
    return np.concatenate(
        [np.asarray(p.grad.data, dtype="float64").ravel() for p in params if p.grad is not None]
    )


seeds = st.integers(0, 10_000)
orders = st.sampled_from([1, 2, inf, 1.0, 3.5])
dtypes = st.sampled_from(["float32", "float64"])
scales = st.sampled_from([1e-30, 1e-8, 1.0, 1e8, 1e30])


@given(seed=seeds, order=orders, dtype=dtypes, scale=scales, share=st.floats(0.01, 0.99))
def test_above_the_bound_the_norm_comes_down_and_the_direction_stays(
    seed: int, order: float, dtype: str, scale: float, share: float
) -> None:
    params = several(seed, dtype, scale)
    arrays = [p.grad.data for p in params if p.grad is not None]
    before = grads(params)
    norm = np.linalg.norm(before / scale, order) * scale
    bound = share * float(norm)
    returned = clip_grad_norm_(params, bound, order)
    assert isinstance(returned, float)
    eps = float(np.finfo(dtype).eps)
    assert returned == pytest.approx(norm, rel=1e-12)
    after = grads(params)
    assert np.linalg.norm(after / scale, order) * scale <= bound * (1 + 8 * eps)
    factor = bound / (returned + 1e-6)
    np.testing.assert_allclose(
        after, before * factor, rtol=4 * eps, atol=float(np.finfo(dtype).smallest_normal)
    )
    for p, a in zip(params, arrays, strict=True):
        assert p.grad is not None
        assert p.grad.data is a
        assert a.dtype == dtype


@given(seed=seeds, order=orders, dtype=dtypes, room=st.sampled_from([1.0, 1.5, inf]))
def test_at_or_below_the_bound_nothing_changes(seed: int, order: float, dtype: str, room: float) -> None:
    params = several(seed, dtype)
    before = grads(params)
    norm = clip_grad_norm_(params, inf, order)
    assert clip_grad_norm_(params, norm * room, order) == norm
    np.testing.assert_array_equal(grads(params), before)


@given(seed=seeds, bound=st.floats(0, 3), dtype=dtypes)
def test_values_are_brought_between_the_bounds(seed: int, bound: float, dtype: str) -> None:
    params = several(seed, dtype)
    before = grads(params)
    assert clip_grad_value_(params, bound) is None
    bound = float(np.dtype(dtype).type(bound))
    np.testing.assert_array_equal(grads(params), np.minimum(np.maximum(before, -bound), bound))


@pytest.mark.optional
@pytest.mark.parametrize("order", [1, 2, inf, "inf", 3])
@pytest.mark.parametrize("bound", [0.0, 1e-3, 0.7, 4.0, 1e6])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_clipping_is_pytorchs(order: Any, bound: float, dtype: str) -> None:
    torch = pytest.importorskip("torch")
    params = several(5, dtype)
    theirs = [torch.nn.Parameter(torch.zeros(p.shape, dtype=getattr(torch, dtype))) for p in params]
    for p, q in zip(params, theirs, strict=True):
        assert p.grad is not None
        q.grad = torch.tensor(p.grad.data)
    filled = [q for q in theirs if q.numel()]  # PyTorch's maximum norm has none of an empty tensor
    wanted = torch.nn.utils.clip_grad_norm_(filled, bound, order)
    assert clip_grad_norm_(params, bound, order) == pytest.approx(wanted.item(), rel=1e-6)
    np.testing.assert_allclose(
        grads(params), np.concatenate([q.grad.numpy().ravel() for q in filled]), rtol=1e-6
    )


def test_a_norm_of_zero_divides_nothing() -> None:
    p = parameter([0.0, 0.0])
    for bound in (0.0, 1e-300, 1.0):
        assert clip_grad_norm_([p], bound) == 0.0
        np.testing.assert_array_equal(grads([p]), [0, 0])


def test_a_bound_of_zero_leaves_zeros() -> None:
    p = parameter([3.0, 4.0])
    assert clip_grad_norm_(p, 0.0) == 5.0
    np.testing.assert_array_equal(grads([p]), [0, 0])


@pytest.mark.parametrize(
    ("size", "dtype"), [(1e20, "float32"), (1e-30, "float32"), (1e200, "float64"), (1e-200, "float64")]
)
def test_squares_neither_overflow_nor_vanish(size: float, dtype: str) -> None:
    p = parameter(np.full(100, size), dtype)
    assert clip_grad_norm_([p], inf) == pytest.approx(10 * size, rel=1e-6)


def test_long_float32_gradients_are_summed_in_float64() -> None:
    g = np.full(1_000_003, 0.1, dtype="float32")
    assert clip_grad_norm_(parameter(g, "float32"), inf, 1) == pytest.approx(float(g[0]) * g.size, rel=1e-12)


def test_parameters_without_a_gradient_are_passed_over() -> None:
    p = parameter([3.0, 4.0])
    assert clip_grad_norm_((q for q in [tr.ones(3), tr.tensor([1.0], requires_grad=True), p]), 1.0) == 5.0
    clip_grad_value_(iter([tr.ones(3), p]), 0.1)
    assert clip_grad_norm_([], 1.0) == 0.0
    clip_grad_value_([], 1.0)
    assert clip_grad_norm_([tr.ones(3)], 1.0) == 0.0


def test_a_parameter_given_twice_counts_once() -> None:
    p = parameter([3.0, 4.0])
    assert clip_grad_norm_([p, p], 1.0) == 5.0
    np.testing.assert_allclose(grads([p]), [0.6, 0.8], rtol=1e-6)


# --- not finite ---------------------------------------------------------------------------------------------
bad_values = pytest.mark.parametrize("bad", [nan, inf, -inf])
each_order = pytest.mark.parametrize("order", [1, 2, inf])


@bad_values
@each_order
def test_a_norm_that_is_not_finite_is_never_passed_on(bad: float, order: float) -> None:
    good, poor = parameter([1.0, 2.0]), parameter([[1.0, bad, 3.0]])
    poor.name = "weight_hh_l0"
    optimizer = optim.Adam([good, poor], weight_decay=0.1)
    where = r"parameter 1 'weight_hh_l0' of shape \(1, 3\) \(1 of 3 elements\)"
    with pytest.warns(NonFiniteGradientWarning, match=where) as caught:
        norm = clip_grad_norm_([good, poor], 1.0, order)
    assert caught[0].filename == __file__
    assert not math.isfinite(norm)
    assert good.grad is None
    assert poor.grad is None
    optimizer.step()
    np.testing.assert_array_equal(good.data, [0, 0])
    np.testing.assert_array_equal(poor.data, [[0, 0, 0]])
    assert optimizer.state_dict()["state"] == {}


@bad_values
@each_order
def test_an_error_if_asked_for_leaves_the_gradients_as_they_were(bad: float, order: float) -> None:
    params = [parameter([3.0, 4.0]), parameter([bad])]
    with pytest.raises(ValueError, match=r"clip_grad_norm_: .* not finite in parameter 1 of shape \(1,\)"):
        clip_grad_norm_(params, 1.0, order, error_if_nonfinite=True)
    np.testing.assert_array_equal(grads(params), [3, 4, bad])


def test_the_warning_made_an_error_leaves_the_gradients_as_they_were() -> None:
    params = [parameter([3.0, 4.0]), parameter([nan])]
    with warnings.catch_warnings():
        warnings.simplefilter("error", NonFiniteGradientWarning)
        with pytest.raises(NonFiniteGradientWarning):
            clip_grad_norm_(params, 1.0)
        with pytest.raises(NonFiniteGradientWarning):
            clip_grad_value_(params, 1.0)
    np.testing.assert_array_equal(grads(params), [3, 4, nan])


def test_by_value_the_infinite_is_clipped_and_nan_is_dropped() -> None:
    p = parameter([inf, -inf, 0.5])
    clip_grad_value_(p, 1.0)
    np.testing.assert_array_equal(grads([p]), [1, -1, 0.5])
    poor = parameter([nan, 1.0])
    with pytest.warns(
        NonFiniteGradientWarning, match="clip_grad_value_: a gradient is NaN: not finite in parameter 1"
    ):
        clip_grad_value_([p, poor], 1.0)
    assert p.grad is None
    assert poor.grad is None


# --- gradients that share their memory ----------------------------------------------------------------------
def test_gradients_that_share_an_array_are_scaled_once() -> None:
    a, b = (tr.tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    ((a + b) * [3.0, 4.0]).sum().backward(create_graph=True)
    assert clip_grad_norm_([a, b], 5.0) == pytest.approx(math.sqrt(50))
    np.testing.assert_allclose(grads([a, b]), np.array([3, 4, 3, 4]) * 5 / math.sqrt(50), rtol=1e-6)
    shared = tr.tensor([3.0, 4.0])
    a.grad = b.grad = shared
    clip_grad_norm_([a, b], 5.0)
    np.testing.assert_allclose(grads([a, b]), np.array([3, 4, 3, 4]) * 5 / math.sqrt(50), rtol=1e-6)


def test_recorded_and_read_only_gradients_are_replaced() -> None:
    x = tr.tensor([1.0, 2.0], requires_grad=True)
    (x**3).sum().backward(create_graph=True)
    first = x.grad
    assert first is not None
    clip_grad_norm_([x], 1.0)
    np.testing.assert_array_equal(first.data, [3, 12])
    assert np.linalg.norm(grads([x])) == pytest.approx(1, rel=1e-6)
    x.grad = tr.as_tensor(np.broadcast_to(np.float32(2), 2))
    clip_grad_value_([x], 0.5)
    np.testing.assert_array_equal(grads([x]), [0.5, 0.5])


# --- misuse -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda p: clip_grad_norm_([p], -1.0),
            ValueError,
            "clip_grad_norm_: max_norm is -1.0; expected a finite",
        ),
        (lambda p: clip_grad_norm_([p], nan), ValueError, "clip_grad_norm_: max_norm is nan"),
        (lambda p: clip_grad_norm_([p], "1"), TypeError, "clip_grad_norm_: max_norm is '1'"),
        (
            lambda p: clip_grad_norm_([p], 1.0, 0.5),
            ValueError,
            "clip_grad_norm_: norm_type is 0.5; .* at least 1",
        ),
        (lambda p: clip_grad_norm_([p], 1.0, -inf), ValueError, "clip_grad_norm_: norm_type is -inf"),
        (lambda p: clip_grad_norm_([p], 1.0, "two"), TypeError, "clip_grad_norm_: norm_type is 'two'"),
        (lambda p: clip_grad_norm_([p, 1], 1.0), TypeError, "parameter 1 is of type int; expected a Tensor"),
        (lambda p: clip_grad_value_([p], -1.0), ValueError, "clip_grad_value_: clip_value is -1.0"),
        (lambda p: clip_grad_value_([p], nan), ValueError, "clip_grad_value_: clip_value is nan"),
        (lambda p: clip_grad_value_([np.ones(2)], 1.0), TypeError, "parameter 0 is of type ndarray"),
    ],
)
def test_misuse_says_what_was_expected(
    call: Callable[[Any], Any], error: type[Exception], message: str
) -> None:
    p = parameter([3.0, 4.0])
    with pytest.raises(error, match=message):
        call(p)
    np.testing.assert_array_equal(grads([p]), [3, 4])


def test_a_generator_that_was_used_up_is_an_error() -> None:
    layer = tr.nn.Linear(2, 2)
    parameters = layer.parameters()
    tr.optim.SGD(parameters, lr=0.1)
    layer(tr.ones((1, 2))).sum().backward()
    for clip in (clip_grad_norm_, clip_grad_value_):
        with pytest.raises(
            ValueError, match=r"parameters is an iterator that was used up; expected at least one"
        ):
            clip(parameters, 1.0)
    assert clip_grad_norm_(layer.parameters(), 1.0) > 1
