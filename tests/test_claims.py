"""A test for each line of docs/claims.md; what is measured in minutes there is shown in seconds here."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinyrnn as tr

D = tr.dynamics
EXAMPLES = Path(__file__).parent.parent / "examples"


def example(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def log10_norm(step: Any, T: int, h: Any, k: int = 1, xs: Any = None) -> float:
    xs = np.zeros((T, 1, 1)) if xs is None else xs
    return float(D.jacobian_products(step, xs, h, [(T, k)]).log10_norm[0, 0])


# --- 1. powers ----------------------------------------------------------------------------------------------
POWERS = [
    (0.5, 10, 9.766e-4), (0.5, 20, 9.537e-7), (2, 10, 1024), (2, 20, 1048576), (0.99, 50, 0.6050),
    (1.1, 50, 117.39), (0.99, 99, 0.3697), (0.95, 99, 6.232e-3), (0.8 * 0.5, 99, 4.017e-40),
    (1.2, 49, 7.584e3),
]  # fmt: skip


@pytest.mark.parametrize(("factor", "lag", "value"), POWERS)
@pytest.mark.parametrize("size", [1, 16])
def test_powers_are_norms_of_linear_networks(factor: float, lag: int, value: float, size: int) -> None:
    W = factor * tr.nn.init.orthogonal_(np.empty((size, size)), rng=0)
    found = log10_norm(lambda h, x: (h @ W.T, None), lag + 1, np.zeros((1, size)))
    assert 10**found == pytest.approx(value, rel=1e-3)
    assert found == pytest.approx(lag * math.log10(factor), abs=1e-9)


@pytest.mark.parametrize(("weight", "lag", "value"), [(0.5, 99, 4.017e-40), (1.5, 49, 7.584e3)])
def test_the_scalar_tanh_network_held_where_the_slope_is_08(weight: float, lag: int, value: float) -> None:
    h = np.full((1, 1), math.sqrt(1 - 0.8))
    x = np.arctanh(h) - weight * h
    found = log10_norm(lambda state, _: (tr.tanh(weight * state + x), None), lag, h, k=0)
    assert 10**found == pytest.approx(value, rel=1e-3)
    assert abs(10**found - 1e-39) > 5e-40 or weight > 1


def test_ten_thousand_steps_keep_their_exponent() -> None:
    W = 0.4 * tr.nn.init.orthogonal_(np.empty((8, 8)), rng=0)
    found = log10_norm(lambda h, x: (h @ W.T, None), 10_001, np.zeros((1, 8)))
    assert found == pytest.approx(1e4 * math.log10(0.4), abs=1e-6)


# --- 2. the bound is not the fact ---------------------------------------------------------------------------
def test_a_norm_above_one_need_not_explode() -> None:
    rng = np.random.default_rng(0)
    W, U = 1.2 * tr.nn.init.orthogonal_(np.empty((32, 32)), rng=0), rng.normal(size=(32, 4)) / 2
    xs = rng.normal(size=(100, 1, 4))
    found = log10_norm(lambda h, x: (tr.tanh(h @ W.T + x @ U.T), None), 100, np.zeros((1, 32)), xs=xs)
    assert D.spectral_norm(W) == pytest.approx(1.2)
    assert D.log10_bound(W, 99) == pytest.approx(99 * math.log10(1.2))
    assert found < -8


def test_a_norm_below_one_vanishes() -> None:
    rng = np.random.default_rng(0)
    W = 0.9 * tr.nn.init.orthogonal_(np.empty((32, 32)), rng=0)
    xs = rng.normal(size=(100, 1, 32))
    found = log10_norm(lambda h, x: (tr.tanh(h @ W.T + x), None), 100, np.zeros((1, 32)), xs=xs)
    assert found <= D.log10_bound(W, 99) < -4


def test_a_spectral_radius_below_one_may_grow_first() -> None:
    W = np.array([[0.9, 5.0], [0.0, 0.9]])
    pairs = [(t, 0) for t in range(1, 201)]
    found = D.jacobian_products(lambda h, x: (h @ W.T, None), np.zeros((200, 1, 1)), np.zeros((1, 2)), pairs)
    norms = 10 ** found.log10_norm[:, 0]
    assert D.spectral_radius(W) == pytest.approx(0.9)
    assert norms.max() == pytest.approx(19.4, abs=0.05)
    assert norms.argmax() + 1 == 9
    assert norms[-1] < 1e-6
    expected = [np.linalg.norm(np.linalg.matrix_power(W, t), 2) for t in range(1, 201)]
    np.testing.assert_allclose(norms, expected, rtol=1e-8)


# --- 3. worked examples -------------------------------------------------------------------------------------
def test_three_units_two_inputs() -> None:
    W_xh = np.array([[0.5, -0.3], [0.2, 0.4], [-0.1, 0.6]])
    W_hh = np.array([[0.3, -0.2, 0.1], [0.4, 0.5, -0.3], [-0.2, 0.1, 0.4]])
    b, x = np.array([0.1, -0.1, 0.2]), np.array([[1.0, 0.5], [0.8, 1.2], [0.3, 0.9]])
    _, h = tr.scan(lambda h, x: (tr.tanh(W_xh @ x + W_hh @ h + b),) * 2, tr.zeros(3, dtype="float64"), x)
    past = W_hh @ h.numpy()[0]
    np.testing.assert_allclose(past, [0.106, 0.200, 0.097], atol=5e-4)
    assert np.abs(past - [0.096, 0.199, 0.081]).max() > 0.015  # what is in circulation
    np.testing.assert_allclose(h.numpy()[2], [-0.0001, 0.4709, 0.7691], atol=5e-5)


def test_two_units_one_input_and_both_paths() -> None:
    W_xh, W_hh = np.array([[0.2], [0.3]]), np.array([[0.5, 0.1], [0.1, 0.5]])
    shared = tr.tensor(W_xh, requires_grad=True)
    step = lambda h, x: (tr.tanh(shared @ x + W_hh @ h),) * 2  # noqa: E731
    _, h = tr.scan(step, tr.zeros(2, dtype="float64"), np.array([[1.0], [2.0]]))
    np.testing.assert_allclose(h.numpy()[1], [0.4837, 0.6442], atol=5e-5)
    assert abs(h.numpy()[1, 0] - 0.4832) > 4e-4
    (whole,) = tr.grad(h[1].sum(), shared)
    flow = tr.dynamics.gradient_flow(
        tr.scan(step, tr.zeros(2, dtype="float64"), np.array([[1.0], [2.0]]))[1][1].sum()
    )
    assert whole.numpy()[0, 0] == pytest.approx(0.42431 + 1.53205, abs=2e-5)
    (shares,) = flow.weights.values()
    assert shares.sum() == pytest.approx(1)
    assert (shares > 0.1).all()  # both uses count


def test_a_loss_is_made_small() -> None:
    theta = tr.tensor([3.0], requires_grad=True)
    values = []
    for _ in range(20):
        loss = ((theta - 1) ** 2).sum()
        (g,) = tr.grad(loss, theta)
        theta.data -= 0.1 * g.data  # argmin: against the gradient
        values.append(loss.item())
    assert values == sorted(values, reverse=True)


# --- 4. the sum over time -----------------------------------------------------------------------------------
def test_both_readings_of_the_sum_over_time() -> None:
    rng = np.random.default_rng(0)
    T, W, xs = 6, rng.normal(size=(3, 3)) / 2, rng.normal(size=(6, 3))
    uses = [tr.tensor(W, requires_grad=True) for _ in range(T)]
    h, losses = tr.zeros(3, dtype="float64"), []
    for t in range(T):
        h = tr.tanh(uses[t] @ h + xs[t])
        losses.append((h * h).sum())
    table = np.zeros((T, T, 3, 3))
    for s in range(T):
        for t, g in enumerate(tr.grad(losses[s], uses, retain_graph=True, allow_unused=True)):
            table[s, t] = 0 if g is None else g.numpy()
    shared = tr.tensor(W, requires_grad=True)
    _, hs = tr.scan(lambda h, x: (tr.tanh(shared @ h + x),) * 2, tr.zeros(3, dtype="float64"), xs)
    (whole,) = tr.grad((hs**2).sum(), shared)
    by_loss, by_use = table.sum(axis=1), table.sum(axis=0)
    np.testing.assert_allclose(by_loss.sum(0), whole.numpy(), rtol=1e-12)
    np.testing.assert_allclose(by_use.sum(0), whole.numpy(), rtol=1e-12)
    assert np.abs(by_loss - by_use).max() > 0.1
    assert not table[np.triu_indices(T, 1)].any()


# --- 5. truncation ------------------------------------------------------------------------------------------
@pytest.mark.slow
def test_windows_learn_what_is_inside_them() -> None:
    lags = example("long_lags")
    assert lags.delayed_copy(3, 5, steps=3000) < 0.2
    assert lags.delayed_copy(8, 5, steps=3000) > 0.9
    assert lags.delayed_copy(8, 20, steps=6000) < 0.5


@pytest.mark.slow
def test_and_more_where_the_carried_state_holds_it() -> None:
    assert example("long_lags").delayed_copy(8, 5, frozen=True, steps=4000) < 0.2


# --- 6. starts ----------------------------------------------------------------------------------------------
def started(recurrent: Any, nonlinearity: str = "tanh") -> float:
    x, _ = example("long_lags").adding(np.random.default_rng(0), 100, 4)
    cell = tr.nn.RNNCell(2, 64, nonlinearity=nonlinearity, rng=0, dtype="float64")
    for bias in (cell.bias_ih, cell.bias_hh):
        tr.nn.init.zeros_(bias)
    tr.nn.init.xavier_uniform_(cell.weight_ih, rng=1)
    if nonlinearity == "relu":
        tr.nn.init.normal_(cell.weight_ih, std=0.001, rng=1)
    recurrent(cell.weight_hh)
    return float(D.jacobian_products(cell, x[:, :1], None, [(100, 1)]).log10_norm[0, 0])


def test_gradients_at_the_start() -> None:
    init = tr.nn.init
    xavier = started(lambda W: init.xavier_uniform_(W, rng=2))
    orthogonal = started(lambda W: init.orthogonal_(W, rng=2))
    identity = started(lambda W: init.identity_(W), "relu")
    assert identity == pytest.approx(0, abs=1e-10)  # exactly 1
    assert -2 < xavier < -0.5
    assert -3 < orthogonal < -1
    x, _ = example("long_lags").adding(np.random.default_rng(0), 100, 4)

    def gated(name: str, **options: Any) -> float:
        cell = getattr(tr.nn, name)(2, 64, rng=0, dtype="float64", **options)
        return float(D.jacobian_products(cell, x[:, :1], None, [(100, 1)]).log10_norm[0, 0])

    assert gated("RNNCell") < -15
    assert gated("GRUCell") < -15
    assert gated("LSTMCell", forget_bias=0.0) < -15
    assert -7 < gated("LSTMCell", forget_bias=1.0) < -5


def test_an_identity_start_holds_its_norm_until_every_unit_is_cut_off() -> None:
    """A relu and the identity: the norm is exactly 1 while a unit is positive, and exactly 0 after."""
    rng = np.random.default_rng(0)

    def irnn(units: int) -> Any:
        cell = tr.nn.RNNCell(2, units, nonlinearity="relu", rng=0, dtype="float64")
        tr.nn.init.normal_(cell.weight_ih, std=0.001, rng=1)
        tr.nn.init.identity_(cell.weight_hh)
        for bias in (cell.bias_ih, cell.bias_hh):
            tr.nn.init.zeros_(bias)
        return cell

    inputs = rng.normal(size=(2000, 1, 2))  # of mean zero: each unit is a random walk that comes to 0
    pairs = [(t, 0) for t in (1, 5, 2000)]
    norms = D.jacobian_products(irnn(8), inputs, np.full((1, 8), 0.002), pairs).log10_norm[:, 0]
    np.testing.assert_allclose(norms[:2], 0, atol=1e-12)
    assert np.isneginf(norms[2])  # exactly 0
    adding, _ = example("long_lags").adding(rng, 100, 1)  # of positive numbers: some unit stays above 0
    held = D.jacobian_products(irnn(64), adding, None, [(100, 1)]).log10_norm[0, 0]
    assert held == pytest.approx(0, abs=1e-10)


# --- 7. and 8. what is learnt -------------------------------------------------------------------------------
def test_baselines_of_the_tasks() -> None:
    lags, rng = example("long_lags"), np.random.default_rng(0)
    x, y = lags.adding(rng, 50, 20_000)
    assert ((y - 1) ** 2).mean() == pytest.approx(0.167, abs=0.003)
    np.testing.assert_array_equal(x[..., 1].sum(0), 2)
    np.testing.assert_allclose((x[..., 0] * x[..., 1]).sum(0), y[:, 0], rtol=1e-6)
    x, y = lags.copy(rng, 20, 100)
    assert x.shape == (40, 100, 10)
    np.testing.assert_array_equal(x[:10].argmax(-1), y[-10:])
    logits = np.full((40, 100, 9), -1e9)
    logits[:30, :, 8], logits[30:, :, :8] = 0, 0  # blank, then any symbol
    loss = lags.by_class(tr.tensor(logits), y).item()
    assert loss == pytest.approx(10 * math.log(8) / 40)


@pytest.mark.slow
def test_the_adding_problem_in_small() -> None:
    lags = example("long_lags")
    error, updates = lags.solve_adding("GRU", 20, 1500)
    assert error < 0.01
    assert updates < 1500
    error, _ = lags.solve_adding("RNN, Xavier", 50, 300)
    assert error > 0.1


@pytest.mark.slow
def test_the_longest_lag_in_small() -> None:
    lags = example("long_lags")
    assert lags.remembers("GRU", 5, 500) > 0.99
    assert lags.remembers("LSTM, forget bias 0", 80, 60) < 0.9


# --- 9. the weather -----------------------------------------------------------------------------------------
@pytest.mark.slow
def test_random_weather_is_memorised_and_not_learnt() -> None:
    weather = example("weather")
    data, new_days = weather.windows(10, seed=42), weather.windows(10, seed=43)
    assert data.x.shape == (10, 1490, 3)
    np.testing.assert_array_equal(data.x[-1, 1:].argmax(-1), data.y[:-1])
    training = weather.train(weather.Forecast("gru", seed=0), data, new_days, 60)
    assert training.losses[-1] < math.log(3) - 0.02  # it falls
    assert training.validation[-1] > math.log(3)  # and on new days it does not
    assert min(training.validation) > math.log(3) - 0.01
    x, y = weather.windows(100, seed=42)
    norms = weather.gradient_norms(weather.Forecast("rnn", seed=0), weather.Windows(x[:, :60], y[:60]))
    assert norms[0] < 1e-6 * norms[-1]
