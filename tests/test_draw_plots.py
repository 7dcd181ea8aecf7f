"""Companion plots: the numbers they show, by an independent reckoning, and that they can be drawn."""

import numpy as np
import pytest
from draw_models import layered, leaf, looped_rnn

import tinyrnn as tr
from tinyrnn.draw import plots
from tinyrnn.draw.reading.unroll import unroll


def losses_of_each_step(steps, cuts=()):
    rng = np.random.default_rng(0)
    w = leaf(rng, 3, 3, name="weight_hh")
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


def test_gradient_norms_are_those_of_the_engine():
    steps, norms = plots.gradient_norms(looped_rnn(6))
    loss = looped_rnn(6)
    assert list(steps) == list(range(6))
    assert np.isfinite(norms).all()
    one, two = (plots.gradient_norms(loss)[1] for _ in range(2))
    np.testing.assert_array_equal(one, two)


def test_gradient_map_is_the_product_of_jacobians():
    losses, states, w = losses_of_each_step(6)
    table = plots.gradient_map(losses)
    for s in range(6):
        g = 2 * states[s][0]
        for t in range(s, -1, -1):
            assert table[s, t] == pytest.approx(np.linalg.norm(g), rel=1e-12)
            g = w @ (g * (1 - states[t][0] ** 2))
    assert np.isnan(table[np.triu_indices(6, 1)]).all()


def test_truncation_shows_as_missing_blocks():
    losses, _, _ = losses_of_each_step(6, cuts=(2, 4))
    table = plots.gradient_map(losses)
    window = np.arange(6) // 2
    same = window[:, None] == window[None, :]
    assert (np.isfinite(table) == (same & np.tri(6, dtype=bool))).all()


def test_gradient_map_touches_no_gradient():
    losses, _, _ = losses_of_each_step(4)
    sum(losses.values()).backward(retain_graph=True)
    records = unroll(list(losses.values())).records
    before = [record.node.grad for record in records]
    plots.gradient_map(losses)
    assert all(record.node.grad is grad for record, grad in zip(records, before))


def test_layers_and_states_are_chosen_by_name():
    loss = layered("LSTM", 5, layers=2)
    for layer in ("l0", "l1"):
        for carry in ("h", "c"):
            assert plots.gradient_norms(loss, layer, carry)[1].shape == (5,)
    with pytest.raises(ValueError, match="there is no layer 'l2'; expected one of"):
        plots.gradient_norms(loss, "l2")
    with pytest.raises(ValueError, match=r"layer 'l0' has no state 's'; expected one of \['c', 'h'\]"):
        plots.gradient_norms(loss, "l0", "s")


def test_what_cannot_be_plotted_is_said():
    with pytest.raises(ValueError, match=r"there are no gradients; compute inside"):
        plots.gradient_norms(looped_rnn(3, backward=False))
    with pytest.raises(ValueError, match="got no losses"):
        plots.gradient_map({})


def test_plots_are_drawn():
    pytest.importorskip("matplotlib")
    axes = plots.plot_gradient_norms({"rnn": looped_rnn(8), "cut": looped_rnn(8, cuts=(4,))})
    assert axes.get_yscale() == "log"
    assert [line.get_label() for line in axes.lines][:2] == ["rnn", "cut"]
    np.testing.assert_allclose(axes.lines[0].get_ydata(), plots.gradient_norms(looped_rnn(8))[1])
    losses, _, _ = losses_of_each_step(5)
    axes = plots.plot_gradient_map(losses)
    assert axes.images[0].get_array().shape == (5, 5)
    axes.figure.canvas.draw()
