"""Gradients of gradients through a scan: against the plain loop's, and against central differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scan_cells import CUSTOM, HIDDEN, INPUT, TEXTBOOK, case
from scan_forms import FORMS, Array, assert_same, normal, tensors

import tinyrnn as tr
from tinyrnn.recurrence.tree import flatten


def derivatives(form: str, name: str, order: int, sizes: Any = (), **options: Any) -> dict[str, Array]:
    """The gradient of everything, the gradient of a random product with it, and so on."""
    make, *arrays = case(name, *sizes)
    params, carry, xs = (tensors(part) for part in arrays)
    leaves, tree = flatten({"params": params, "carry": carry, "xs": xs})
    inputs = {path: x for path, x in zip(tree.paths(), leaves, strict=True) if x.requires_grad}
    outputs = flatten(FORMS[form](make(params), carry, xs, **options))[0]
    found: dict[str, Array] = {}
    for n in range(1, order + 1):
        products = [(y * normal(*y.shape, seed=n)).sum() for y in outputs if y.requires_grad]
        outputs = list(
            tr.grad(sum(products), list(inputs.values()), create_graph=n < order, allow_unused=True)
        )
        outputs = [
            tr.zeros_like(x) if g is None else g for g, x in zip(outputs, inputs.values(), strict=True)
        ]
        found |= {f"order {n} {path}": g.data.copy() for path, g in zip(inputs, outputs, strict=True)}
    return found


@pytest.mark.parametrize("name", [*TEXTBOOK, *CUSTOM])
@pytest.mark.parametrize("lengths", [None, [5, 2]], ids=["full", "lengths"])
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
def test_order_two(name: str, lengths: Any, reverse: bool) -> None:
    options = {"lengths": None if lengths is None else np.array(lengths), "reverse": reverse}
    expected = derivatives("loop", name, 2, (5,), **options)
    assert_same(derivatives("compiled", name, 2, (5,), **options), expected, rtol=1e-11)


@pytest.mark.parametrize("name", TEXTBOOK)
def test_order_two_unrolled(name: str) -> None:
    assert_same(derivatives("unrolled", name, 2), derivatives("compiled", name, 2), rtol=1e-11)


@pytest.mark.parametrize("name", ["rnn", "gru"])
def test_order_three(name: str) -> None:
    expected = derivatives("loop", name, 3, (4, 1))
    assert_same(derivatives("compiled", name, 3, (4, 1)), expected, rtol=1e-10)


@given(steps=st.integers(1, 12), batch=st.integers(1, 3), segment=st.sampled_from([1, 2, 5, "auto"]))
@settings(max_examples=10)
def test_segments(steps: int, batch: int, segment: Any) -> None:
    expected = derivatives("loop", "lstm", 2, (steps, batch))
    assert_same(derivatives("compiled", "lstm", 2, (steps, batch), segment=segment), expected, rtol=1e-11)


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "attention_decoder"])
def test_against_central_differences(name: str) -> None:
    make, params, carry, xs = case(name, steps=4)
    order = 3 if name == "rnn" else 2
    tr.testing.check_grads(
        lambda *args: tr.scan(make(args[0]), *args[1:]), params, carry, xs, order=order, rtol=1e-5
    )


@pytest.mark.parametrize("model", ["RNN", "LSTM", "GRU"])
def test_gradient_penalty(model: str) -> None:
    """Gulrajani et al. (2017): the parameters' gradient of how far the input's gradient is from norm 1."""
    layer = getattr(tr.nn, model)(INPUT, HIDDEN, bidirectional=True, dtype=np.float64)
    found = []
    for form in (tr.scope, tr.unrolled):
        layer.zero_grad()
        x = tr.tensor(normal(6, 2, INPUT), requires_grad=True)
        with form():
            y, _ = layer(x, lengths=[6, 4])
            (g,) = tr.grad((y * y).sum(), [x], create_graph=True)
            ((tr.sqrt((g * g).sum((0, 2))) - 1) ** 2).sum().backward()
        found.append({key: p.grad.data for key, p in layer.named_parameters()} | {"x": x.grad.data})
    assert_same(*found, rtol=1e-11)
    assert not found[0]["x"][4:, 1].any()


def test_backward_into_grad_may_be_recorded() -> None:
    make, params, carry, xs = case("lstm")
    found = []
    for form in ("compiled", "loop"):
        leaves = tensors(params)
        ys = FORMS[form](make(leaves), tensors(carry), tensors(xs))[1]
        (ys * ys).sum().backward(create_graph=True)
        total = sum((p.grad * p.grad).sum() for p in leaves.values())
        found.append({f"d{k}": g.data for k, g in enumerate(tr.grad(total, list(leaves.values())))})
    assert_same(*found, rtol=1e-11)


def test_first_pass_stays_usable() -> None:
    """A recorded backward pass keeps the graph: an ordinary one after it gives the same again."""
    make, params, carry, xs = case("gru")
    leaves = tensors(params)
    loss = (tr.scan(make(leaves), tensors(carry), tensors(xs))[1] ** 2).sum()
    recorded = tr.grad(loss, list(leaves.values()), create_graph=True)
    plain = tr.grad(loss, list(leaves.values()))
    for a, b in zip(recorded, plain, strict=True):
        np.testing.assert_allclose(a.data, b.data, rtol=1e-12, atol=1e-12)
        assert a.requires_grad
        assert not b.requires_grad
