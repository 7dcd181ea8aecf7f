"""Initialisers: their distributions, in place, from the generator that is named."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinyrnn as tr
from tinyrnn.nn import init

SHAPE = (300, 200)  # fan out, fan in

UNIFORM: dict[str, tuple[Callable[..., Any], dict[str, Any], float]] = {
    "xavier": (init.xavier_uniform_, {}, math.sqrt(6 / 500)),
    "xavier with gain": (init.xavier_uniform_, {"gain": 2.0}, 2 * math.sqrt(6 / 500)),
    "kaiming": (init.kaiming_uniform_, {}, math.sqrt(6 / 200)),
    "kaiming, slope": (init.kaiming_uniform_, {"a": 3.0}, math.sqrt(6 / 10 / 200)),
    "kaiming, fan out": (
        init.kaiming_uniform_,
        {"mode": "fan_out", "nonlinearity": "relu"},
        math.sqrt(6 / 300),
    ),
    "plain": (init.uniform_, {"a": -0.1, "b": 0.1}, 0.1),
}
NORMAL: dict[str, tuple[Callable[..., Any], dict[str, Any], float]] = {
    "xavier": (init.xavier_normal_, {}, math.sqrt(2 / 500)),
    "kaiming": (init.kaiming_normal_, {}, math.sqrt(2 / 200)),
    "kaiming, tanh, fan out": (
        init.kaiming_normal_,
        {"mode": "fan_out", "nonlinearity": "tanh"},
        5 / 3 / math.sqrt(300),
    ),
    "plain": (init.normal_, {"std": 0.3}, 0.3),
}


@pytest.mark.parametrize("name", UNIFORM)
def test_uniform(name: str) -> None:
    function, options, bound = UNIFORM[name]
    values = function(tr.zeros(SHAPE), **options, rng=0).numpy()
    assert bound * 0.999 < np.abs(values).max() <= bound * (1 + 1e-6)
    assert abs(values.mean()) < 0.01 * bound
    np.testing.assert_allclose(values.std(), bound / math.sqrt(3), rtol=0.01)


@pytest.mark.parametrize("name", NORMAL)
def test_normal(name: str) -> None:
    function, options, std = NORMAL[name]
    values = function(tr.zeros(SHAPE), **options, rng=0).numpy()
    np.testing.assert_allclose(values.std(), std, rtol=0.01)
    assert abs(values.mean()) < 0.01 * std
    np.testing.assert_allclose((np.abs(values) < std).mean(), 0.6827, atol=0.01)


def test_normal_has_its_mean() -> None:
    np.testing.assert_allclose(init.normal_(tr.zeros(SHAPE), 3.0, 0.1, rng=0).numpy().mean(), 3, rtol=1e-3)


def test_further_axes_count_to_both_fans() -> None:
    values = init.xavier_uniform_(tr.zeros(30, 20, 2, 3), rng=0).numpy()
    np.testing.assert_allclose(np.abs(values).max(), math.sqrt(6 / (50 * 6)), rtol=1e-3)


@pytest.mark.parametrize("shape", [(5, 5), (7, 3), (3, 7), (3, 2, 4), (1, 1)])
@pytest.mark.parametrize("gain", [1.0, 2.0])
def test_orthogonal(shape: tuple[int, ...], gain: float) -> None:
    tensor = init.orthogonal_(tr.zeros(shape, dtype=np.float64), gain, rng=0)
    W = tensor.numpy().reshape(shape[0], -1)
    product = W @ W.T if W.shape[0] <= W.shape[1] else W.T @ W
    np.testing.assert_allclose(product, gain**2 * np.eye(min(W.shape)), atol=1e-12)


def test_orthogonal_has_no_preferred_sign() -> None:
    signs = [init.orthogonal_(tr.zeros(2, 2), rng=seed).numpy()[0, 0] > 0 for seed in range(200)]
    assert 70 < sum(signs) < 130


def test_constants() -> None:
    tensor = tr.zeros(2, 3)
    assert init.constant_(tensor, 2.5).tolist() == [[2.5] * 3] * 2
    assert init.ones_(tensor).tolist() == [[1] * 3] * 2
    assert init.zeros_(tensor).tolist() == [[0] * 3] * 2
    assert init.eye_(tensor).tolist() == [[1, 0, 0], [0, 1, 0]]
    assert init.identity_(tensor, 0.5).tolist() == [[0.5, 0, 0], [0, 0.5, 0]]


def test_it_writes_in_place_into_parameters_and_into_parts_of_arrays() -> None:
    lstm = tr.nn.LSTM(2, 3)
    parameter, array = lstm.weight_hh_l0, lstm.weight_hh_l0.data
    before = array.copy()
    assert init.orthogonal_(array[3:6], rng=0) is not None
    np.testing.assert_allclose(array[3:6] @ array[3:6].T, np.eye(3), atol=1e-6)
    np.testing.assert_array_equal(np.delete(array, range(3, 6), 0), np.delete(before, range(3, 6), 0))
    assert init.zeros_(parameter) is parameter
    assert parameter.data is array
    assert not array.any()
    assert array.dtype == np.float32


def test_the_generator() -> None:
    tr.manual_seed(4)
    a = init.normal_(tr.zeros(3)).numpy()
    b = init.normal_(tr.zeros(3)).numpy()
    tr.manual_seed(4)
    np.testing.assert_array_equal(init.normal_(tr.zeros(3)).numpy(), a)
    np.testing.assert_array_equal(init.normal_(tr.zeros(3), rng=4).numpy(), a)
    assert (a != b).all()


def test_gains() -> None:
    assert init.calculate_gain("sigmoid") == init.calculate_gain("linear") == 1
    assert init.calculate_gain("tanh") == 5 / 3
    assert init.calculate_gain("relu") == init.calculate_gain("leaky_relu", 0) == math.sqrt(2)
    assert init.calculate_gain("leaky_relu") == math.sqrt(2 / 1.0001)
