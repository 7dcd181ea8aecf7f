"""Where gradients go: `gradient_flow` and `watch` against the engine's own gradients, step by step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scan_cells

import tinyrnn as tr
from tinyrnn.autograd.tape import reachable
from tinyrnn.dynamics.records import sizes_of
from tinyrnn.recurrence.tree import flatten

D = tr.dynamics
Array = np.ndarray


def by_hand(cell: Any, xs: Array, carry: Any, loss_of: Any) -> dict[str, Array]:
    """‖∂L/∂h_t‖ for each part of the carry, by a loop whose states are kept."""
    states, ys = [], []
    for x in xs:
        carry, y = cell.step(carry, tr.as_tensor(x))
        states.append(flatten(carry)[0])
        ys.append(y)
    loss = loss_of(tr.stack(ys))
    found = {}
    for k, name in enumerate(D.carry_parts(carry)):
        grads = [tr.grad(loss, s[k], retain_graph=True, allow_unused=True)[0] for s in states]
        found[name] = np.array([0 if g is None else np.linalg.norm(g.numpy()) for g in grads])
    return found


LOSSES = {
    "last": lambda y: (y[-1] ** 2).mean(),
    "all": lambda y: (y**3).sum(),
    "middle": lambda y: y[4].sum(),
}


@pytest.mark.parametrize("unrolled", [False, True])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM"])
def test_the_flow_is_the_gradient_at_each_state(name: str, loss: str, unrolled: bool) -> None:
    rng = np.random.default_rng(0)
    layer = getattr(tr.nn, name)(2, 3, rng=rng, dtype="float64")
    xs = rng.normal(size=(9, 2, 2))
    expected = by_hand(layer.l0, xs, layer.l0.initial_state(2), LOSSES[loss])
    if unrolled:
        with tr.unrolled():
            value = LOSSES[loss](layer(xs)[0])
    else:
        value = LOSSES[loss](layer(xs)[0])
    flow = D.gradient_flow(value)
    steps = 9 if loss != "middle" else 5
    for state, norms in expected.items():
        found = next(f for key, f in flow.states.items() if key.endswith(state))
        np.testing.assert_allclose(found.norm[:steps], norms[:steps], rtol=1e-10)
        assert not found.norm[steps:].any()
        if loss != "all":
            np.testing.assert_allclose(
                found.reach[:steps], found.norm[:steps], rtol=1e-10
            ) if name != "LSTM" else None
    value.backward()  # the flow has left the graph as it was
    assert all(p.grad is not None for p in layer.parameters())


@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM"])
def test_the_shares_of_the_steps_are_those_of_a_weight_for_each(name: str) -> None:
    rng = np.random.default_rng(1)
    layer = getattr(tr.nn, name)(2, 3, rng=rng, dtype="float64")
    xs = rng.normal(size=(5, 2, 2))
    flow = D.gradient_flow((layer(xs)[0] ** 2).sum())
    copies = [type(layer.l0)(2, 3, dtype="float64") for _ in range(5)]
    carry, ys = layer.l0.initial_state(2), []
    for x, copy in zip(xs, copies):
        copy.load_state_dict(layer.l0.state_dict())
        carry, y = copy.step(carry, tr.tensor(x))
        ys.append(y)
    (tr.stack(ys) ** 2).sum().backward()
    for key in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        grads = [getattr(copy, key).grad for copy in copies]
        parts = np.array([np.zeros(getattr(layer.l0, key).shape) if g is None else g.numpy() for g in grads])
        whole = parts.sum(0)
        expected = (parts * whole).reshape(5, -1).sum(1) / (whole**2).sum()
        np.testing.assert_allclose(flow.weights[f"{key}_l0"], expected, rtol=1e-9, atol=1e-12)


def test_horizon_and_reach_where_there_is_a_loss_at_each_step() -> None:
    def step(h: Any, x: Any) -> Any:
        h = 0.5 * h + w * x
        return h, h

    w = tr.tensor(np.ones(2), requires_grad=True)
    _, y = tr.scan(step, tr.zeros((1, 2), dtype="float64"), np.ones((20, 1, 2)))
    (state,) = D.gradient_flow(y.sum()).states.values()
    np.testing.assert_allclose(state.norm, np.sqrt(2) * (2 - 0.5 ** np.arange(19, -1, -1)), rtol=1e-12)
    np.testing.assert_allclose(state.reach, np.sqrt(2) * 0.5 ** np.arange(19, -1, -1), rtol=1e-12)
    assert state.horizon() == 7  # 0.5^6 is 1.6%, 0.5^7 is 0.8%
    assert state.horizon(0.5) == 2


def test_gates_that_are_shut_and_pairs_of_losses() -> None:
    lstm = tr.nn.LSTM(2, 3, rng=0, dtype="float64")
    lstm.bias_ih_l0.data[:3] = -20  # the input gate
    lstm.bias_ih_l0.data[3:6] = 20  # the forget gate
    with tr.unrolled():
        y, _ = lstm(np.ones((6, 2, 2)))
        losses = {t: (y[t] ** 2).sum() for t in range(6)}
        total = sum(losses.values())
    flow = D.gradient_flow(total, losses)
    gates = {key.rsplit(".", 1)[-1]: shares for key, shares in flow.gates.items()}
    np.testing.assert_array_equal(gates["i"].low, np.ones(6))
    np.testing.assert_array_equal(gates["f"].high, np.ones(6))
    np.testing.assert_array_equal(gates["o"].low + gates["o"].high, np.zeros(6))
    pairs = next(table for key, table in flow.pairs.items() if key.endswith("h"))
    assert np.isfinite(pairs[np.tril_indices(6)]).all()
    assert not np.nan_to_num(pairs[np.triu_indices(6, 1)]).any()


def losses_of_each_step(steps: int, cuts: tuple[int, ...] = ()) -> Any:
    rng = np.random.default_rng(0)
    w = tr.tensor(rng.normal(size=(3, 3)), requires_grad=True)
    x = rng.normal(size=(steps, 1, 3))
    losses, states = {}, []
    with tr.unrolled():
        h = tr.zeros((1, 3), dtype="float64")
        for t in range(steps):
            with tr.scope("rnn", step=t):
                h = tr.tanh((h.detach() if t in cuts else h) @ w + x[t])
                losses[t] = (h**2).sum()
            states.append(h.numpy())
    return losses, states, w.numpy()


def test_pairs_are_products_of_jacobians() -> None:
    losses, states, w = losses_of_each_step(6)
    reordered = {s: losses[s] for s in (3, 0, 5, 1, 4, 2)}
    flow = D.gradient_flow(losses[5], reordered)
    (table,) = flow.pairs.values()
    for s in range(6):
        g = 2 * states[s][0]
        for t in range(s, -1, -1):
            assert table[s, t] == pytest.approx(np.linalg.norm(g), rel=1e-12)
            g = w @ (g * (1 - states[t][0] ** 2))
    assert np.isnan(table[np.triu_indices(6, 1)]).all()
    # What is carried, whatever the loss asks: a random gradient at the last state, sent back in the same way.
    g = np.random.default_rng(0).standard_normal((1, 3))[0]
    (carried,) = flow.carried.values()
    whole = np.linalg.norm(g)
    for lag in range(6):
        assert carried[lag] == pytest.approx(np.linalg.norm(g) / whole, rel=1e-12)
        g = w @ (g * (1 - states[5 - lag][0] ** 2))


def test_truncation_shows_as_missing_blocks() -> None:
    losses, _, _ = losses_of_each_step(6, cuts=(2, 4))
    (table,) = D.gradient_flow(sum(losses.values()), losses).pairs.values()
    window = np.arange(6) // 2
    same = window[:, None] == window[None, :]
    assert (np.isfinite(table) == (same & np.tri(6, dtype=bool))).all()


def test_pairs_touch_no_gradient_and_want_losses_of_the_recorded_form() -> None:
    losses, _, _ = losses_of_each_step(4)
    total = sum(losses.values())
    total.backward(retain_graph=True)
    nodes = [node for loss in losses.values() for node in reachable([loss.node])]
    before = [node.grad for node in nodes]
    assert any(g is not None for g in before)
    D.gradient_flow(total, losses)
    assert all(node.grad is g for node, g in zip(nodes, before))
    y, _ = tr.nn.GRU(2, 3)(np.ones((4, 1, 2)))
    with pytest.raises(ValueError, match=r"compute the losses of the steps inside of tr.unrolled\(\)"):
        D.gradient_flow(y.sum(), {0: y[0].sum()})
    with pytest.raises(ValueError, match=r"the loss of step 2 has shape \(1, 3\)"):
        D.gradient_flow(y.sum(), {2: y[0]})
    with pytest.raises(
        ValueError, match="has the key 4; expected 0 to 3, the steps of the states, which count"
    ):
        D.gradient_flow(total, {s + 1: loss for s, loss in losses.items()})
    with pytest.raises(TypeError, match=r"has the key 1\.5; expected the number of a step"):
        D.gradient_flow(total, {1.5: losses[1]})


@pytest.mark.parametrize("scale", [1e-42, 1e-30, 1.0, 1e30])
def test_norms_neither_overflow_nor_underflow(scale: float) -> None:
    g = np.random.default_rng(0).normal(size=(3, 4, 5)).astype(np.float32) * np.float32(scale)
    g[1] = 0
    expected = np.linalg.norm(g.reshape(3, -1).astype(np.float64), axis=1)
    np.testing.assert_allclose(sizes_of(g), expected, rtol=1e-6)
    big = np.full((1, 4), 1e300)
    assert sizes_of(big)[0] == pytest.approx(2e300)
    assert np.isnan(sizes_of(np.array([[np.nan, 1.0]]))[0])
    assert np.isinf(sizes_of(np.array([[np.inf, 1.0]]))[0])


def test_what_has_no_flow_is_said() -> None:
    y, _ = tr.nn.GRU(2, 3)(np.ones((4, 1, 2)))
    with pytest.raises(ValueError, match=r"the loss has shape \(4, 1, 3\); expected one recorded number"):
        D.gradient_flow(y)
    with (
        tr.no_grad(),
        pytest.raises(ValueError, match="the loss is not recorded; expected one recorded number"),
    ):
        D.gradient_flow(y.sum())
    loss = y.sum()
    loss.backward()
    with pytest.raises(RuntimeError, match=r"the graph was freed; call gradient_flow\(loss\) before"):
        D.gradient_flow(loss)
    with pytest.raises(ValueError, match="no state that passes from step to step"):
        D.gradient_flow(tr.nn.Linear(2, 1)(np.ones((3, 2))).sum())


# --- watching -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM"])
def test_a_watch_sees_the_gradients_of_the_states(name: str, loss: str) -> None:
    rng = np.random.default_rng(2)
    layer = getattr(tr.nn, name)(2, 3, num_layers=2, rng=rng, dtype="float64")
    xs = rng.normal(size=(9, 2, 2))
    flow = D.gradient_flow(LOSSES[loss](layer(xs)[0]))
    plain = LOSSES[loss](layer(xs)[0])
    plain.backward()
    before = [p.grad.numpy() for p in layer.parameters()]
    layer.zero_grad()
    watched = D.watch(layer)
    with watched:
        value = LOSSES[loss](layer(xs)[0])
        value.backward()
    assert value.item() == plain.item()
    for p, g in zip(layer.parameters(), before):
        np.testing.assert_allclose(p.grad.numpy(), g, rtol=1e-10, atol=1e-14)
    (found,) = watched.flows
    for key, state in flow.states.items():
        norm = found.states[key].norm  # the drawing's graph ends where the loss does
        np.testing.assert_allclose(norm[: len(state.norm)], state.norm, rtol=1e-9, atol=1e-15)
        assert not norm[len(state.norm) :].any()
    assert {g.rsplit(".", 1)[-1] for g in found.gates} == {g.rsplit(".", 1)[-1] for g in flow.gates}
    for key, norm in watched.gradients[0].items():
        assert norm == pytest.approx(np.linalg.norm(dict(layer.named_parameters())[key].grad.numpy()))


@pytest.mark.parametrize("name", scan_cells.ALL)
def test_a_watch_of_any_cell(name: str) -> None:
    case = scan_cells.case(name, steps=5)
    params = {k: tr.tensor(v, requires_grad=True) for k, v in case.params.items()}
    step = case.make(params)
    leaves, tree = flatten(case.carry)

    class Model(tr.nn.Module):
        pass

    watched = D.watch(Model(), every=1)
    with watched:
        carry, ys = tr.scan(step, tree.unflatten(map(tr.as_tensor, leaves)), case.xs)
        total = sum((leaf**2).sum() for leaf in [*flatten(carry)[0], *flatten(ys)[0]])
        total.backward()
    found = list(watched.flows[0].states.values())
    carry, states, y_leaves = tree.unflatten(map(tr.as_tensor, leaves)), [], []
    for t in range(5):
        carry, y = step(carry, tr.as_tensor(case.xs[t]))
        states.append(flatten(carry)[0])
        y_leaves += flatten(y)[0]
    total = sum((leaf**2).sum() for leaf in [*states[-1], *y_leaves])
    for k, flow in enumerate(found):
        grads = [tr.grad(total, s[k], retain_graph=True, allow_unused=True)[0] for s in states]
        expected = [0 if g is None else np.linalg.norm(g.numpy()) for g in grads]
        np.testing.assert_allclose(flow.norm, expected, rtol=1e-9, atol=1e-12)


def test_a_watch_of_padded_and_reversed_rows() -> None:
    rng = np.random.default_rng(3)
    layer = tr.nn.GRU(2, 3, bidirectional=True, rng=rng, dtype="float64")
    xs = rng.normal(size=(6, 2, 2))
    watched = D.watch(layer)
    with watched:
        y, _ = layer(xs, lengths=[6, 3])
        (y**2).sum().backward()
    found = watched.flows[0].states
    assert found["l0_reverse.h"].steps.tolist() == [5, 4, 3, 2, 1, 0]
    flow = D.gradient_flow((layer(xs, lengths=[6, 3])[0] ** 2).sum())
    for key in ("l0.h", "l0_reverse.h"):
        assert np.isfinite(found[key].norm).all()
        assert len(found[key].norm) == len(flow.states[key].norm) == 6


def test_a_watch_looks_now_and_then_and_counts_clipping() -> None:
    rnn = tr.nn.RNN(2, 3, rng=0)
    watched = D.watch(rnn, every=3, max_norm=1e-3)
    x = np.ones((5, 2, 2), np.float32)
    for _ in range(7):
        rnn.zero_grad()
        with watched:
            rnn(x)[0].sum().backward()
            tr.optim.clip_grad_norm_(rnn.parameters(), 1e-3)
    assert len(watched.flows) == len(watched.norms) == 3
    assert watched.clipped == 1.0
    with pytest.raises(ZeroDivisionError), watched:  # an error inside ends the watching all the same
        _ = 1 / 0
    y, _ = rnn(x)
    assert y.shape == (5, 2, 3)
    with pytest.raises(ValueError, match="every is 0"):
        D.watch(rnn, 0)
