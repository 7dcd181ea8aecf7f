"""Linear, Embedding, Dropout, LayerNorm, against their formulas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyrnn as tr
from tinyrnn import nn
from tinyrnn.testing import check_grads

each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@each_dtype
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("lead", [(), (5,), (2, 5), (0,)])
def test_linear(dtype: Any, bias: bool, lead: tuple[int, ...]) -> None:
    linear = nn.Linear(3, 2, bias, rng=0, dtype=dtype)
    x = np.random.default_rng(1).normal(size=(*lead, 3)).astype(dtype)
    y = linear(x)
    expected = x @ linear.weight.numpy().T + (linear.bias.numpy() if bias else 0)
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-5)
    assert y.dtype == dtype
    assert np.abs(linear.weight.numpy()).max() <= 1 / np.sqrt(3)


def test_linear_casts_plain_arrays_and_lists() -> None:
    linear = nn.Linear(2, 1)
    assert linear([1, 2]).dtype == linear(np.ones(2)).dtype == np.float32


def test_first_values_come_from_rng_or_the_librarys_generator() -> None:
    tr.manual_seed(3)
    a = nn.Linear(4, 4)
    tr.manual_seed(3)
    b = nn.Linear(4, 4)
    np.testing.assert_array_equal(a.weight.numpy(), b.weight.numpy())
    assert (nn.Linear(4, 4).weight.numpy() != b.weight.numpy()).all()
    np.testing.assert_array_equal(
        nn.Linear(4, 4, rng=5).weight.numpy(), nn.Linear(4, 4, rng=np.random.default_rng(5)).weight.numpy()
    )


# --- Embedding ----------------------------------------------------------------------------------------------
@each_dtype
@given(seed=st.integers(0, 1000))
def test_embedding_and_its_gradient(dtype: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    embedding = nn.Embedding(5, 3, rng=rng, dtype=dtype)
    x = rng.integers(0, 5, (4, 2))
    g = rng.normal(size=(4, 2, 3)).astype(dtype)
    y = embedding(x)
    np.testing.assert_array_equal(y.numpy(), embedding.weight.numpy()[x])
    y.backward(g)
    expected = np.zeros((5, 3))
    for place in np.ndindex(4, 2):
        expected[x[place]] += g[place]
    np.testing.assert_allclose(embedding.weight.grad.numpy(), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("padding_idx", [0, 2, -1, -4])
def test_the_padding_row_is_zero_and_gets_no_gradient(padding_idx: int) -> None:
    embedding = nn.Embedding(4, 2, padding_idx)
    assert embedding.weight.numpy()[padding_idx].tolist() == [0, 0]
    assert embedding.padding_idx == padding_idx % 4
    embedding.weight.data[padding_idx] = 7  # what was loaded into it is looked up all the same
    y = embedding(np.arange(4))
    assert y.numpy()[padding_idx].tolist() == [7, 7]
    y.sum().backward()
    expected = np.ones((4, 2))
    expected[padding_idx] = 0
    np.testing.assert_array_equal(embedding.weight.grad.numpy(), expected)


def test_embedding_of_a_tensor_of_integers() -> None:
    embedding = nn.Embedding(4, 2)
    assert embedding(tr.tensor([1, 2])).shape == (2, 2)
    assert embedding(3).shape == (2,)
    assert embedding(np.zeros((0, 3), int)).shape == (0, 3, 2)


# --- Dropout ------------------------------------------------------------------------------------------------
@each_dtype
@pytest.mark.parametrize("p", [0.0, 0.3, 0.9, 1.0])
def test_dropout_keeps_the_mean_and_sends_the_gradient_through_its_mask(dtype: Any, p: float) -> None:
    x = tr.ones(200, 100, dtype=dtype, requires_grad=True)
    y = nn.Dropout(p, rng=0)(x)
    assert y.dtype == dtype
    values = np.unique(y.numpy())
    np.testing.assert_allclose(values[values > 0], 1 / (1 - p) if p < 1 else [], rtol=1e-6)
    assert abs((y.numpy() == 0).mean() - p) < 0.02
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), y.numpy())


def test_dropout_is_off_in_eval() -> None:
    x = tr.ones(5)
    assert nn.Dropout(0.5).eval()(x) is x


def test_dropout_takes_a_new_mask_each_time_from_its_generator() -> None:
    x = np.ones(100)
    a, b = nn.Dropout(0.5, rng=1), nn.Dropout(0.5, rng=1)
    first, second = a(x).numpy(), a(x).numpy()
    assert (first != second).any()
    np.testing.assert_array_equal(first, b(x).numpy())
    np.testing.assert_array_equal(second, b(x).numpy())
    tr.manual_seed(1)
    np.testing.assert_array_equal(nn.Dropout(0.5)(x).numpy(), first)


# --- LayerNorm ----------------------------------------------------------------------------------------------
@each_dtype
@pytest.mark.parametrize("shape", [4, (4,), (3, 4)])
@pytest.mark.parametrize(("affine", "bias"), [(True, True), (True, False), (False, True)])
def test_layer_norm(dtype: Any, shape: Any, affine: bool, bias: bool) -> None:
    norm = nn.LayerNorm(shape, elementwise_affine=affine, bias=bias, dtype=dtype)
    rng = np.random.default_rng(0)
    for p in norm.parameters():
        p.data[...] = rng.normal(size=p.shape)
    x = rng.normal(2, 3, (5, 3, 4)).astype(dtype)
    axes = (-1,) if shape in (4, (4,)) else (-2, -1)
    expected = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 1e-5)
    expected = expected * (norm.weight.numpy() if affine else 1)
    expected = expected + (norm.bias.numpy() if affine and bias else 0)
    y = norm(x)
    assert y.dtype == dtype
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("order", [1, 2])
def test_gradients_of_inputs_and_parameters(order: int) -> None:
    rng = np.random.default_rng(0)
    norm, linear = nn.LayerNorm(4, dtype=np.float64), nn.Linear(4, 3, rng=1, dtype=np.float64)

    def f(x: Any, gain: Any, shift: Any, weight: Any, bias: Any) -> Any:
        vars(norm).update(weight=gain, bias=shift)  # Tensors in the places of the parameters
        vars(linear).update(weight=weight, bias=bias)
        return linear(norm(x)) ** 2

    parameters = [rng.normal(size=p.shape) for m in (norm, linear) for p in m.parameters()]
    check_grads(f, rng.normal(size=(2, 4)), *parameters, order=order)


def test_layer_norm_of_rows_without_variance_is_finite() -> None:
    x = tr.tensor([[3.0, 3.0], [0.0, 0.0]], requires_grad=True)
    y = nn.LayerNorm(2)(x)
    assert not y.numpy().any()
    y.sum().backward()
    assert np.isfinite(x.grad.numpy()).all()
    assert nn.LayerNorm(2, eps=1.0)([1.0, -1.0]).numpy()[0] == pytest.approx(1 / np.sqrt(2))
