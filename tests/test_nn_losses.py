"""Losses against their formulas, in plain NumPy; their gradients against central differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyrnn as tr
from tinyrnn import nn
from tinyrnn.nn import functional as F
from tinyrnn.testing import check_grads

shapes = st.lists(st.integers(1, 4), min_size=0, max_size=3).map(tuple)
seeds = st.integers(0, 999)
REDUCE: dict[str, Callable[[Any], Any]] = {"mean": np.mean, "sum": np.sum, "none": np.asarray}
each_reduction = pytest.mark.parametrize("reduction", REDUCE)
each_dtype = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def log_softmax(x: Any) -> Any:
    x = x - x.max(-1, keepdims=True)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def by_loop(logp: Any, target: Any, weight: Any, ignore_index: int, smoothing: float, reduction: str) -> Any:
    """The definition, one target at a time."""
    C = logp.shape[-1]
    weight = np.ones(C) if weight is None else weight
    losses, total = np.zeros(target.shape), 0.0
    for place in np.ndindex(target.shape):
        if target[place] != ignore_index:
            q = np.full(C, smoothing / C)
            q[target[place]] += 1 - smoothing
            losses[place] = -(weight * q * logp[place]).sum()
            total += weight[target[place]]
    return losses.sum() / total if reduction == "mean" else REDUCE[reduction](losses)


# --- classes ------------------------------------------------------------------------------------------------
@each_reduction
@given(
    lead=shapes,
    C=st.integers(1, 5),
    seed=seeds,
    weighted=st.booleans(),
    smoothing=st.sampled_from([0.0, 0.1, 1.0]),
    ignored=st.sampled_from([0.0, 0.4]),
)
def test_cross_entropy_of_indices(
    reduction: str, lead: tuple[int, ...], C: int, seed: int, weighted: bool, smoothing: float, ignored: float
) -> None:
    rng = np.random.default_rng(seed)
    x, target = rng.normal(size=(*lead, C)), rng.integers(0, C, lead)
    target = np.where(rng.random(lead) < ignored, -100, target)
    if (target == -100).all():
        target = np.zeros_like(target)
    weight = rng.random(C) + 0.1 if weighted else None
    options: dict[str, Any] = {"weight": weight, "reduction": reduction}
    loss = F.cross_entropy(tr.tensor(x), target, label_smoothing=smoothing, **options)
    expected = by_loop(log_softmax(x), target, weight, -100, smoothing, reduction)
    np.testing.assert_allclose(loss.numpy(), expected, rtol=1e-10, atol=1e-14)
    if not smoothing:
        nll = F.nll_loss(tr.log_softmax(tr.tensor(x)), target, **options)
        np.testing.assert_allclose(nll.numpy(), expected, rtol=1e-10, atol=1e-14)


@each_reduction
@given(
    lead=shapes,
    C=st.integers(1, 4),
    seed=seeds,
    weighted=st.booleans(),
    smoothing=st.sampled_from([0.0, 0.3]),
)
def test_cross_entropy_of_probabilities(
    reduction: str, lead: tuple[int, ...], C: int, seed: int, weighted: bool, smoothing: float
) -> None:
    rng = np.random.default_rng(seed)
    x, q = rng.normal(size=(*lead, C)), rng.dirichlet(np.ones(C), lead)
    weight = rng.random(C) if weighted else None
    loss = F.cross_entropy(tr.tensor(x), q, weight, reduction=reduction, label_smoothing=smoothing)
    smooth = q * (1 - smoothing) + smoothing / C
    losses = -(smooth * (1 if weight is None else weight) * log_softmax(x)).sum(-1)
    np.testing.assert_allclose(loss.numpy(), REDUCE[reduction](losses), rtol=1e-10, atol=1e-14)


def test_one_hot_probabilities_are_indices() -> None:
    rng = np.random.default_rng(0)
    x, target = rng.normal(size=(3, 4, 5)), rng.integers(0, 5, (3, 4))
    one_hot = np.eye(5)[target]
    for smoothing in (0.0, 0.2):
        a = F.cross_entropy(tr.tensor(x), target, label_smoothing=smoothing)
        b = F.cross_entropy(tr.tensor(x), one_hot, label_smoothing=smoothing)
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12)


@each_dtype
@pytest.mark.parametrize("scale", [1.0, 1e4, 1e30])
def test_large_logits_stay_finite(dtype: Any, scale: float) -> None:
    x = tr.tensor(np.array([[1, 0, -1], [1, 0, -1]], dtype) * dtype(scale), requires_grad=True)
    loss = F.cross_entropy(x, [0, 2], reduction="none")
    assert loss.dtype == dtype
    loss.sum().backward()
    assert np.isfinite(loss.numpy()).all()
    assert np.isfinite(x.grad.numpy()).all()
    if scale > 1:
        np.testing.assert_allclose(loss.numpy(), np.array([0, 2 * scale]), rtol=1e-6)
        np.testing.assert_array_equal(x.grad.numpy(), [[0, 0, 0], [1, 0, -1]])


@pytest.mark.parametrize("loss", [F.cross_entropy, F.nll_loss])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("ignore_index", [-100, 2, 7])
def test_nothing_of_ignored_targets_gets_through(loss: Any, bad: float, ignore_index: int) -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(3, 2, 4))
    target = np.array([[0, 1], [3, ignore_index], [ignore_index, 1]])
    x = tr.tensor(values, requires_grad=True)
    clean = loss(x, target, ignore_index=ignore_index)
    clean.backward()
    dirty_values = values.copy()
    dirty_values[target == ignore_index] = bad
    dirty_x = tr.tensor(dirty_values, requires_grad=True)
    dirty = loss(dirty_x, target, ignore_index=ignore_index)
    dirty.backward()
    assert dirty.item() == clean.item()
    np.testing.assert_array_equal(dirty_x.grad.numpy(), x.grad.numpy())
    assert not x.grad.numpy()[target == ignore_index].any()
    kept = target != ignore_index
    np.testing.assert_allclose(clean.item(), loss(tr.tensor(values[kept]), target[kept]).item(), rtol=1e-12)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_gradients_of_class_losses(order: int, smoothing: float) -> None:
    rng = np.random.default_rng(0)
    x, q = rng.normal(size=(2, 3, 4)), rng.dirichlet(np.ones(4), (2, 3))
    target, weight = np.array([[0, 3, -100], [1, 1, 2]]), np.array([1.0, 2.0, 0.5, 3.0])
    check_grads(
        lambda x: F.cross_entropy(x, target, weight, label_smoothing=smoothing, reduction="mean"),
        x,
        order=order,
    )
    check_grads(lambda x, q: F.cross_entropy(x, q, label_smoothing=smoothing), x, q, order=order)
    check_grads(lambda x: F.nll_loss(tr.log_softmax(x), target, weight, reduction="none"), x, order=order)


# --- elementwise --------------------------------------------------------------------------------------------
@each_reduction
@given(shape=shapes, seed=seeds)
def test_elementwise_losses(reduction: str, shape: tuple[int, ...], seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=shape), rng.normal(size=shape)
    reduce = REDUCE[reduction]
    x = tr.tensor(a)
    np.testing.assert_allclose(F.mse_loss(x, b, reduction).numpy(), reduce((a - b) ** 2), rtol=1e-12)
    np.testing.assert_allclose(F.l1_loss(x, b, reduction).numpy(), reduce(abs(a - b)), rtol=1e-12)
    e = abs(a - b)
    huber = np.where(e < 0.7, e**2 / 2, 0.7 * (e - 0.35))
    np.testing.assert_allclose(F.huber_loss(x, b, reduction, 0.7).numpy(), reduce(huber), rtol=1e-12)
    y, w, pos = rng.random(shape), rng.random(shape), rng.random(shape[-1:]) + 0.5
    p = 1 / (1 + np.exp(-a))
    expected = w * -(pos * y * np.log(p) + (1 - y) * np.log(1 - p))
    loss = F.binary_cross_entropy_with_logits(x, y, w, reduction, pos_weight=pos)
    np.testing.assert_allclose(loss.numpy(), reduce(expected), rtol=1e-9, atol=1e-12)


@each_dtype
def test_binary_cross_entropy_of_extreme_logits(dtype: Any) -> None:
    x = tr.tensor(np.array([-1e4, -30, 0, 30, 1e4], dtype), requires_grad=True)
    loss = F.binary_cross_entropy_with_logits(x, [0, 0, 1, 1, 0], reduction="none")
    small = float(np.exp(-30))
    np.testing.assert_allclose(loss.numpy(), [0, small, np.log(2), small, 1e4], rtol=1e-5)
    loss.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [0, small, -0.5, -small, 1], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("order", [1, 2])
def test_gradients_of_elementwise_losses(order: int) -> None:
    rng = np.random.default_rng(1)
    a, b, y = rng.normal(size=(3, 2)), rng.normal(size=(3, 2)), rng.random((3, 2)) * 0.8 + 0.1
    check_grads(F.mse_loss, a, b, order=order)
    check_grads(F.l1_loss, a, b, order=order)
    check_grads(lambda a, b: F.huber_loss(a, b, delta=0.3), a, b, order=order)
    check_grads(
        lambda x, y: F.binary_cross_entropy_with_logits(x, y, pos_weight=[0.5, 2.0], reduction="none"),
        a,
        y,
        order=order,
    )


# --- what all share -----------------------------------------------------------------------------------------
MODULES: list[tuple[Any, Any, Any, dict[str, Any]]] = [
    (nn.MSELoss, F.mse_loss, np.array([[0.5, 2], [1, 0]]), {"reduction": "sum"}),
    (nn.HuberLoss, F.huber_loss, np.array([[0.5, 2], [1, 0]]), {"delta": 0.25}),
    (nn.L1Loss, F.l1_loss, np.array([[0.5, 2], [1, 0]]), {"reduction": "none"}),
    (nn.CrossEntropyLoss, F.cross_entropy, np.array([1, 0]), {"label_smoothing": 0.1, "ignore_index": 0}),
    (nn.CrossEntropyLoss, F.cross_entropy, np.array([1, 0]), {"weight": [1.0, 3.0], "reduction": "none"}),
    (nn.NLLLoss, F.nll_loss, np.array([1, 0]), {"weight": [1.0, 3.0]}),
    (
        nn.BCEWithLogitsLoss,
        F.binary_cross_entropy_with_logits,
        np.array([[0.5, 1], [1, 0]]),
        {"pos_weight": [2.0, 1.0], "weight": [3.0], "reduction": "sum"},
    ),
]


@pytest.mark.parametrize(("module", "function", "target", "options"), MODULES)
def test_modules_are_the_functions(module: Any, function: Any, target: Any, options: dict[str, Any]) -> None:
    x = tr.tensor([[0.5, -1.0], [2.0, 0.0]])
    np.testing.assert_array_equal(module()(x, target).numpy(), function(x, target).numpy())
    loss = module(**options)
    np.testing.assert_array_equal(loss(x, target).numpy(), function(x, target, **options).numpy())
    assert list(loss.parameters()) == []
    assert repr(loss).startswith(f"{module.__name__}(")


@each_dtype
@pytest.mark.parametrize("loss", [F.mse_loss, F.l1_loss, F.huber_loss, F.binary_cross_entropy_with_logits])
def test_plain_targets_take_the_dtype_of_the_input(dtype: Any, loss: Any) -> None:
    x = tr.zeros(2, dtype=dtype)
    for target in ([0, 1], [0.0, 1.0], np.array([False, True]), tr.tensor([0, 1]), np.ones(2)):
        assert loss(x, target).dtype == dtype
    assert loss(np.ones(2), tr.ones(2, dtype=dtype)).dtype == dtype


def test_nothing_given_is_changed() -> None:
    x, target = np.ones((3, 2)), np.array([0, -100, 1])
    F.cross_entropy(tr.tensor(x, requires_grad=True), target).backward()
    np.testing.assert_array_equal(x, np.ones((3, 2)))
    np.testing.assert_array_equal(target, [0, -100, 1])


def test_a_loss_inside_a_step_of_scan() -> None:
    def step(h: Any, x: Any) -> Any:
        h = tr.tanh(h + x["x"])
        return h, F.mse_loss(h, x["target"])

    xs = {"x": tr.tensor(np.linspace(-1, 1, 8).reshape(4, 2)), "target": tr.zeros(4, 2, dtype=np.float64)}
    _, losses = tr.scan(step, tr.zeros(2, dtype=np.float64), xs)
    expected, state = [], np.zeros(2)
    for x in xs["x"].numpy():
        state = np.tanh(state + x)
        expected.append((state**2).mean())
    np.testing.assert_allclose(losses.numpy(), expected, rtol=1e-12)
