"""What a backward pass needs, and the library itself has changed since: an error, and nothing else is one."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinyrnn as tr

forms = pytest.mark.parametrize("form", [contextlib.nullcontext, tr.unrolled], ids=["compiled", "recorded"])


def parameter(*shape: int) -> tr.nn.Parameter:
    return tr.nn.Parameter(np.random.default_rng(0).normal(size=shape))


CHANGES: dict[str, Callable[[tr.Tensor], Any]] = {
    "SGD.step": lambda p: tr.optim.SGD([p], lr=0.1).step(),
    "Adam.step": lambda p: tr.optim.Adam([p]).step(),
    "AdamW.step": lambda p: tr.optim.AdamW([p]).step(),
    "RMSprop.step": lambda p: tr.optim.RMSprop([p]).step(),
    "Adagrad.step": lambda p: tr.optim.Adagrad([p]).step(),
    "an initialiser": tr.nn.init.zeros_,
    "an initialiser of a part": lambda p: tr.nn.init.orthogonal_(p.numpy()[:2]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_value_that_was_changed_in_place_is_refused(change: str) -> None:
    for use in (
        lambda w: (w * w).sum(),
        lambda w: (tr.ones((1, 3), dtype="float64", requires_grad=True) @ w.T).sum(),  # a view is saved
        lambda w: tr.exp(w[1:].reshape(-1) @ w[1:].flatten()),
    ):
        w = parameter(3, 3)
        use(w).backward()
        loss = use(w)
        loss.backward(retain_graph=True)
        CHANGES[change](w)
        with pytest.raises(RuntimeError, match=rf"'\w+' needs its .*{change[:8]}.* has changed it in"):
            loss.backward()
        use(w).backward()  # what is recorded after the change is as good as ever


@pytest.mark.parametrize("change", CHANGES)
def test_what_no_rule_needs_may_change(change: str) -> None:
    w, x = parameter(3, 3), tr.tensor(np.ones((2, 3)))
    losses = [w.sum(), (w + 1).mean(), (x @ w.T).sum(), tr.concatenate([w, w]).sum(), w[1:].T.sum()]
    for loss in losses:
        loss.backward(retain_graph=True)
    before = w.grad.numpy().copy()
    CHANGES[change](w)
    for loss in losses:
        loss.backward()
    np.testing.assert_array_equal(w.grad.numpy(), 2 * before)


def train(model: Any, x: Any) -> tuple[tr.Tensor, Any]:
    y, _ = model(x)
    return (y * y).mean(), tr.optim.SGD(model.parameters(), lr=0.5)


LAYERS: dict[str, Callable[[], Any]] = {
    "RNN": lambda: tr.nn.RNN(3, 4),
    "LSTM": lambda: tr.nn.LSTM(3, 4, num_layers=2),
    "GRU": lambda: tr.nn.GRU(3, 4, bidirectional=True),
    "Recurrent": lambda: tr.nn.Recurrent(tr.nn.LSTMCell(3, 4)),
}


@forms
@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("segment", [None, 2])
def test_the_classic_in_both_forms(layer: str, form: Any, segment: int | None) -> None:
    model, x = LAYERS[layer](), tr.randn(5, 2, 3)
    with form():
        y, _ = model(x, segment=segment)
        loss, optimizer = (y * y).mean(), tr.optim.SGD(model.parameters(), lr=0.5)
        loss.backward(retain_graph=True)
        optimizer.step()
        optimizer.zero_grad()
        with pytest.raises(RuntimeError, match=r"needs its operand .*weight_.*SGD\.step has changed it"):
            loss.backward()
        assert all(p.grad is None for p in model.parameters())  # nothing was added to


@forms
def test_loading_between_the_passes(form: Any) -> None:
    model, x = tr.nn.GRU(3, 4), tr.randn(5, 2, 3)
    with form():
        loss, _ = train(model, x)
        model.load_state_dict(model.state_dict())
        with pytest.raises(RuntimeError, match="load_state_dict has changed it in place"):
            loss.backward()


@forms
def test_a_new_array_leaves_the_old_one_as_it_was(form: Any) -> None:
    model, x = tr.nn.GRU(3, 4), tr.randn(5, 2, 3)
    with form():
        loss, optimizer = train(model, x)
        loss.backward(retain_graph=True)
        before = [p.grad.numpy().copy() for p in model.parameters()]
        for p in model.parameters():
            p.data = p.data * 2
        optimizer.step()  # changes the new ones
        optimizer.zero_grad()
        loss.backward()
        for p, g in zip(model.parameters(), before, strict=True):
            np.testing.assert_array_equal(p.grad.numpy(), g)


@forms
def test_what_the_compiled_gradient_does_not_read_may_change(form: Any) -> None:
    cell = tr.nn.RNNCell(3, 4)
    with form():
        y, _ = tr.nn.Recurrent(cell)(tr.randn(5, 2, 3))
        loss = (y * y).sum()
        loss.backward(retain_graph=True)
        before = cell.weight_hh.grad.numpy().copy()
        optimizer = tr.optim.SGD([cell.weight_ih, cell.bias_ih], lr=0.5)  # for which x wants no gradient
        optimizer.step()
        loss.backward(retain_graph=True)
        np.testing.assert_allclose(cell.weight_hh.grad.numpy(), 2 * before, rtol=1e-6)
        tr.optim.SGD([cell.weight_hh], lr=0.5).step()
        with pytest.raises(RuntimeError, match=r"weight_hh"):
            loss.backward()


@forms
def test_two_losses_that_share_a_parameter(form: Any) -> None:
    gru, heads = tr.nn.GRU(3, 4), [tr.nn.Linear(4, 1), tr.nn.Linear(4, 1)]
    with form():
        y, _ = gru(tr.randn(5, 2, 3))
        first, second = (head(y).mean() for head in heads)
        first.backward(retain_graph=True)
        tr.optim.SGD(heads[0].parameters(), lr=0.1).step()  # only the first loss has read these
        second.backward(retain_graph=True)
        tr.optim.SGD(gru.parameters(), lr=0.1).step()
        with pytest.raises(RuntimeError, match=r"SGD\.step"):
            second.backward()


@forms
def test_second_derivatives_need_old_values_too(form: Any) -> None:
    rnn, x = tr.nn.RNN(3, 4), tr.randn(5, 2, 3)
    with form():
        y, _ = rnn(x)
        grads = tr.grad((y * y).sum(), list(rnn.parameters()), create_graph=True)
        penalty = sum((g * g).sum() for g in grads)
        penalty.backward(retain_graph=True)
        tr.optim.SGD(rnn.parameters(), lr=0.1).step()
        with pytest.raises(RuntimeError, match=r"SGD\.step has changed it in place"):
            penalty.backward()


def test_a_gradient_that_is_read_and_then_clipped() -> None:
    w, v = parameter(3), parameter(3)
    (w * w).sum().backward()
    for change in (
        lambda: tr.optim.clip_grad_norm_([w], 1e-3),
        lambda: tr.optim.clip_grad_value_([w], 1e-4),
        lambda: tr.optim.SGD([w], lr=0.1).zero_grad(set_to_none=False),
    ):
        loss = (v * w.grad).sum()
        change()
        with pytest.raises(RuntimeError, match=r"needs its operand b, a gradient, of shape .* has changed"):
            loss.backward()


def test_only_the_gradients_that_are_asked_for_count() -> None:
    w, x = parameter(3, 3), tr.tensor(np.ones((2, 3)), requires_grad=True)
    loss = (x @ w).sum()
    w.grad = tr.ones((3, 3), dtype="float64")
    tr.optim.SGD([w], lr=0.1).step()
    tr.grad(loss, w, retain_graph=True)  # takes x, and not w
    with pytest.raises(RuntimeError, match="'matmul' needs its operand b"):
        tr.grad(loss, x)


@settings(max_examples=20, deadline=None)
@given(k1=st.integers(1, 4), more=st.integers(0, 5), steps=st.integers(1, 15), seed=st.integers(0, 99))
def test_windows_that_run_steps_again_after_an_update(k1: int, more: int, steps: int, seed: int) -> None:
    tr.manual_seed(seed)
    gru = tr.nn.GRU(2, 3, learn_initial_state=True)
    optimizer = tr.optim.Adam(gru.parameters(), lr=0.1)
    for window in tr.TruncatedBPTT(k1, k1 + more).windows(tr.randn(steps, 2, 2)):
        optimizer.zero_grad()
        (window.run(gru) ** 2).mean().backward()
        tr.optim.clip_grad_norm_(gru.parameters(), 1.0)
        optimizer.step()


def test_changes_are_forgotten_with_their_arrays() -> None:
    from tinyrnn.autograd import changes

    before = len(changes._changes)
    for _ in range(100):
        tr.nn.init.zeros_(parameter(2))
    assert len(changes._changes) == before
