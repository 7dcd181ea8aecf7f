"""The verdict in words: each fault is named with its figure, and where nothing is wrong nothing is said."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pytest

import tinyrnn as tr

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
    carried = next(lags for name, lags in verdict.flow.carried.items() if "l0" in name)
    assert f"1% after {int((carried >= 0.01).sum())} steps" in first.figure
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
    assert verdict.findings[0].where == "the loss"  # which is no number either
    x, y = batch(10)
    unknown = D.diagnose(Last(layer("GRU")), (x, np.full_like(y, np.nan)))
    assert str(unknown).startswith("non-finite, the loss: it is nan.")


def test_one_step_is_one_step() -> None:
    rnn = layer("RNN")
    rnn.bias_ih_l0.data[...] = 30.0  # each unit at 1, for good
    assert ", 1% after 1 step, and" in str(D.diagnose(Last(rnn), batch(20)))


def test_targets_of_classes_a_loss_of_ones_own_and_a_model_that_returns_it() -> None:
    model = layer("GRU")
    x, _ = batch(5)
    D.diagnose(model, (x, np.zeros((5, 4), int)))
    D.diagnose(model, (x, x), lambda y, target: abs(y[..., :2] - target).sum())
    D.diagnose(lambda x: (model(x)[0] ** 2).mean(), x)
    with pytest.raises(ValueError, match=r"the loss has shape \(5, 4, 8\); expected one number"):
        D.diagnose(model, x)


# --- nothing wrong, and nothing measured --------------------------------------------------------------------
class Readout(tr.nn.Module):
    """A readout of every step, or of the last."""

    def __init__(self, layer: Any, *, last: bool = False) -> None:
        self.layer, self.head, self.last = layer, tr.nn.Linear(8, 1, rng=1, dtype="float64"), last

    def forward(self, x: Any) -> Any:
        y = self.layer(x)[0]
        return self.head(y[-1] if self.last else y)


def delayed(lag: int, steps: int = 50) -> Any:
    x = np.random.default_rng(0).choice([-1.0, 1.0], (steps, 8, 2))
    return x, np.concatenate([np.zeros_like(x[:lag]), x[: steps - lag]])[..., :1]


@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM"])
def test_who_has_learnt_a_short_lag_has_rightly_forgotten_the_rest(name: str) -> None:
    model, (x, y) = Readout(layer(name)), delayed(2)
    optimizer = tr.optim.Adam(model.parameters(), lr=0.05)
    watched = D.watch(model, every=150)
    before, seen = D.diagnose(model, (x, y)), []
    for _ in range(151):
        with watched:
            loss = tr.nn.mse_loss(model(x), y)
            optimizer.zero_grad()
            loss.backward()
        seen.append(D.diagnose_watch(watched))
        optimizer.step()
    assert kinds(before) == kinds(seen[0]) == {"vanishing"}  # nothing is learnt yet, and credit goes nowhere
    assert [f.where for f in before.findings] == [f.where for f in seen[0].findings]
    assert loss.item() < 0.1
    after = D.diagnose(model, (x, y))
    carried = next(iter(after.flow.carried.values()))
    assert carried[-1] < 1e-3  # the gradient still vanishes over all steps
    assert str(after) == str(seen[-1]) == "nothing is wrong with the gradients"
    # Who says that more could be learnt hears of it again.
    assert kinds(D.diagnose(model, (x, y), baseline=loss.item())) >= {"vanishing"}


def test_a_loss_that_asks_for_no_credit_is_not_one_that_gets_none() -> None:
    """The loss at the last step sees the latest input alone; what the state carries does not vanish."""
    lstm = layer("LSTM", forget_bias=8.0)
    for gate in (0, 3):  # c keeps what it has, and only i and o see the input
        lstm.bias_ih_l0.data[8 * gate : 8 * gate + 8] = 0
    lstm.weight_hh_l0.data[:] = 0

    def local(x: Any) -> Any:
        y, state = lstm(x)
        return ((y - y.detach() + x[..., :1]) ** 2).mean() + 1e-12 * state.c.sum()

    x, _ = batch(50)
    verdict = D.diagnose(local, x)
    assert next(iter(verdict.flow.carried.values()))[-1] > 0.1
    assert "vanishing" not in kinds(verdict)


@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM"])
@pytest.mark.parametrize("options", [{}, {"num_layers": 2}, {"bidirectional": True}])
@pytest.mark.parametrize("unrolled", [False, True])
def test_both_verdicts_are_of_one_mind(name: str, options: Any, unrolled: bool) -> None:
    rnn = layer(name, **options)
    model, (x, _) = Last(rnn), batch(40)
    y = np.random.default_rng(1).normal(size=(4, 16 if rnn.bidirectional else 8))
    for gain in (1.0, 12.0):  # forgets, and is chaotic or saturated
        for parameter in rnn.parameters():
            parameter.data[...] *= gain
        watched = D.watch(model)
        with tr.unrolled() if unrolled else contextlib.nullcontext():
            with watched:
                tr.nn.mse_loss(model(x), y).backward()
            one, other = D.diagnose(model, (x, y)), D.diagnose_watch(watched)
        assert [(f.kind, f.where) for f in one.findings] == [(f.kind, f.where) for f in other.findings]
        assert one.findings or gain > 1
        for name_of, lags in one.flow.carried.items():
            np.testing.assert_allclose(lags, other.flow.carried[name_of], rtol=1e-9)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("lengths", [None, [6, 2, 4]])
def test_what_is_carried_is_the_product_of_the_jacobians(reverse: bool, lengths: Any) -> None:
    rng = np.random.default_rng(3)
    cell, T = tr.nn.GRUCell(2, 5, rng=rng, dtype="float64"), 6
    x = rng.normal(size=(T, 3, 2))

    def model(x: Any) -> Any:
        carry, ys = tr.scan(cell.step, cell.initial_state(3), x, reverse=reverse, lengths=lengths)
        return (ys**2).sum() + carry.sum()

    (carried,) = D.diagnose(model, x).flow.carried.values()
    nu = np.random.default_rng(0).standard_normal((3, 5))  # the draw of the library's generator(0)
    left, whole = np.zeros(T), np.zeros(T)
    for b in range(3):
        n = T if lengths is None else lengths[b]
        row = x[:n, b : b + 1]
        J = D.step_jacobians(cell, row[::-1] if reverse else row)[:, 0]
        g = nu[b]
        for lag in range(n):
            left[lag] += g @ g
            whole[lag] += nu[b] @ nu[b]
            g = g @ J[n - 1 - lag]
    np.testing.assert_allclose(carried, np.sqrt(left / whole), rtol=1e-9)


def test_shorter_ways_are_said() -> None:
    gru, (x, y) = layer("GRU"), batch(50)

    def attends(x: Any) -> Any:
        states, _ = gru(x)
        weights = tr.softmax((states * states[-1]).sum(-1), 0)
        return (states * weights[..., None]).sum(0)

    assert "by shorter ways too" in str(D.diagnose(attends, (x, y)))
    assert "by shorter ways too" in str(D.diagnose(lambda x: gru(x)[0], (x, np.zeros((50, 4, 8)))))
    assert "shorter" not in str(D.diagnose(Last(gru), (x, y)))


def test_where_nothing_was_measured_that_is_said() -> None:
    x, y = batch(5)
    model = Last(layer("GRU"))
    unseen = D.watch(model, every=1)
    assert str(D.diagnose_watch(unseen)) == "nothing was measured: no update was watched yet"
    with unseen:
        tr.nn.mse_loss(model(x), y)
    assert "backward() was not called inside" in str(D.diagnose_watch(unseen))
    by_hand = D.watch(model, every=1)
    cell = model.layer.l0

    def loop(x: Any) -> Any:
        h = cell.initial_state(4)
        for x_t in x:
            h, _ = cell.step(h, tr.tensor(x_t))
        return h

    with by_hand:
        tr.nn.mse_loss(loop(x), y).backward()
    assert str(D.diagnose_watch(by_hand)).startswith("nothing was measured: no scan ran inside of the block")
    linear = tr.nn.Linear(2, 8, dtype="float64")
    assert "no state passes from step to step" in str(D.diagnose(linear, (x[0], y)))
    constant = D.diagnose(lambda x: tr.tensor(1.0), x)
    assert str(constant) == "nothing was measured: nothing that the loss was made from requires grad"
    with tr.no_grad():
        assert D.diagnose(model, (x, y)).flow is not None
    # What diagnose can see of a loop by hand it judges.
    vanishing = D.diagnose(loop, (np.concatenate([x] * 12), y))
    assert kinds(vanishing) == {"vanishing"}
    assert "of 60 steps" in vanishing.findings[0].figure


def test_a_gradient_of_zero_everywhere_is_a_finding() -> None:
    x, y = batch(5)
    model = Last(layer("GRU"))
    watched = D.watch(model, every=1)
    with watched:
        tr.nn.mse_loss(model(x) * 0.0, y).backward()
    for verdict in (D.diagnose(lambda x: model(x) * 0.0, (x, y)), D.diagnose_watch(watched)):
        assert kinds(verdict) == {"zero"}
        assert "exactly 0 at each of 5 steps" in str(verdict)


def test_the_baseline_is_the_loss_of_the_mean_of_the_outputs() -> None:
    x, y = batch(30)
    model = Last(layer("RNN"))
    output = model(x).numpy()
    share = ((output - y) ** 2).mean() / ((output.mean(0) - y) ** 2).mean()
    assert f"the loss is at {share:.0%} of its baseline" in str(D.diagnose(model, (x, y)))
    assert "baseline" not in str(D.diagnose(lambda x: (model(x) ** 2).mean(), x))  # unknown
    with pytest.raises(ValueError, match="diagnose: baseline is 0"):
        D.diagnose(model, (x, y), baseline=0)


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
