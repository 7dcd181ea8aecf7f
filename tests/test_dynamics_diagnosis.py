"""The verdict in words: each fault is named with its figure, and where nothing is wrong nothing is said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinyrnn as tr
from tinyrnn.draw import measured

D = tr.dynamics


class Last(tr.nn.Module):
    """The last output of a layer."""

    def __init__(self, layer: Any) -> None:
        self.layer = layer

    def forward(self, x: Any) -> Any:
        return self.layer(x)[0][-1]


def batch(steps: int, scale: float = 1.0) -> Any:
    rng = np.random.default_rng(0)
    return scale * rng.normal(size=(steps, 4, 2)), rng.normal(size=(4, 8))


def layer(name: str, **options: Any) -> Any:
    return getattr(tr.nn, name)(2, 8, rng=0, dtype="float64", **options)


def kinds(diagnosis: Any) -> set[str]:
    return {finding.kind for finding in diagnosis.findings}


def test_nothing_wrong_says_nothing() -> None:
    verdict = D.diagnose(Last(layer("LSTM", forget_bias=3.0)), batch(20))
    assert verdict.findings == []
    assert str(verdict) == "nothing is wrong with the gradients"
    rnn = layer("RNN")
    tr.nn.init.orthogonal_(rnn.weight_hh_l0, rng=0)
    assert not D.diagnose(Last(rnn), batch(10, scale=0.1), max_norm=10.0).findings


def test_vanishing_with_its_figures() -> None:
    rnn = layer("RNN", num_layers=2)
    verdict = D.diagnose(Last(rnn), batch(60))
    assert kinds(verdict) == {"vanishing"}
    (first, *_) = verdict.findings
    assert first.where.endswith("l0")
    assert "of 60 steps" in first.figure
    states = verdict.flow.states
    horizon = next(flow for name, flow in states.items() if "l0" in name).horizon()
    assert f"1% after {horizon} steps" in first.figure
    assert "LSTM" in str(verdict)


def test_exploding() -> None:
    rnn = layer("RNN", nonlinearity="relu")
    tr.nn.init.identity_(rnn.weight_hh_l0, 1.5)
    verdict = D.diagnose(Last(rnn), batch(30), max_norm=1.0)
    assert kinds(verdict) == {"exploding", "clipped"}
    assert "times max_norm = 1" in str(verdict)


def test_gates() -> None:
    lstm = layer("LSTM", forget_bias=3.0)
    lstm.bias_ih_l0.data[:8] = -20
    verdict = D.diagnose(Last(lstm), batch(10))
    assert ("shut", "i") in {(f.kind, f.where.rsplit(".", 1)[-1]) for f in verdict.findings}
    assert "100% of the units are below 0.1" in str(verdict)
    saturated = D.diagnose(Last(layer("RNN")), batch(10, scale=1e3))
    assert "saturated" in kinds(saturated)


def test_what_is_not_finite() -> None:
    rnn = layer("RNN", nonlinearity="relu")
    tr.nn.init.identity_(rnn.weight_hh_l0, 1e200)
    with np.errstate(all="ignore"):
        verdict = D.diagnose(Last(rnn), batch(10))
    assert kinds(verdict) == {"non-finite"}


def test_targets_of_classes_a_loss_of_ones_own_and_a_model_that_returns_it() -> None:
    model = layer("GRU")
    x, _ = batch(5)
    D.diagnose(model, (x, np.zeros((5, 4), int)))
    D.diagnose(model, (x, x), lambda y, target: abs(y[..., :2] - target).sum())
    D.diagnose(lambda x: (model(x)[0] ** 2).mean(), x)
    with pytest.raises(ValueError, match=r"the loss has shape \(5, 4, 8\); expected one number"):
        D.diagnose(model, x)


def test_a_watch_says_how_often_gradients_were_clipped() -> None:
    model = Last(layer("LSTM", forget_bias=3.0))
    x, y = batch(20)
    watched = D.watch(model, every=1, max_norm=1e-4)
    assert not D.diagnose_watch(watched).findings
    for _ in range(3):
        model.zero_grad()
        with watched:
            tr.nn.mse_loss(model(x), y).backward()
            tr.optim.clip_grad_norm_(model.parameters(), 1e-4)
    verdict = D.diagnose_watch(watched)
    assert kinds(verdict) == {"clipped"}
    assert "100% of 3 updates were at max_norm = 0.0001" in str(verdict)


def test_plots_show_what_was_measured() -> None:
    pytest.importorskip("matplotlib")
    model = Last(layer("LSTM"))
    x, y = batch(12)
    products = D.jacobian_products(model.layer, x)
    axes = tr.draw.plot_jacobian_products(products, bound=np.zeros(len(products.pairs)))
    lags = products.pairs[:, 0] - products.pairs[:, 1]
    order = np.argsort(lags)
    np.testing.assert_allclose(axes.lines[-2].get_ydata(), products.log10_norm[order, 0])
    change = D.perturb(model.layer, x, None, 1e-6)
    axes = tr.draw.plot_perturbation(change, row=1)
    np.testing.assert_allclose(axes.lines[0].get_ydata(), change.log10_actual[:, 1])
    exponents = D.lyapunov_exponents(model.layer, x)
    np.testing.assert_allclose(tr.draw.plot_lyapunov_exponents(exponents).lines[2].get_ydata(), exponents[2])
    flow = D.gradient_flow(tr.nn.mse_loss(model(x), y))
    axes = tr.draw.plot_gradient_flow(flow)
    assert [label.get_text() for label in axes.get_yticklabels()] == list(flow.states)
    first = next(iter(flow.states.values())).norm
    np.testing.assert_allclose(axes.images[0].get_array()[0], np.log10(first))
    low = axes.images[0].cmap(0.0)
    assert tuple(round(255 * c) for c in low[:3]) == tuple(
        bytes.fromhex(measured.THEMES["light"].ramp[0][1:])
    )  # the one scale of the drawings
    gates = tr.draw.plot_gates(flow.gates)
    assert [text.get_text() for text in gates.get_legend().get_texts()] == list(flow.gates)
    shares = tr.draw.plot_weight_shares(flow.weights)
    np.testing.assert_allclose(shares.lines[0].get_ydata(), next(iter(flow.weights.values())))
    tr.draw.plot_gradient_table(np.tri(4)).figure.canvas.draw()
    watched = D.watch(model, every=1)
    with pytest.raises(ValueError, match="nothing was watched yet"):
        tr.draw.plot_watch(watched)
    for _ in range(2):
        with watched:
            tr.nn.mse_loss(model(x), y).backward()
    axes = tr.draw.plot_watch(watched)
    assert axes.images[0].get_array().shape == (2, 12)
    for drawn in (axes, gates, shares):
        drawn.figure.canvas.draw()
