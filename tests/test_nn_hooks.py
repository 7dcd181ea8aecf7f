"""Hooks see, and change, what goes into a module, comes out of it, and comes back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinyrnn as tr
from tinyrnn import nn

X = np.random.default_rng(0).normal(size=(6, 2, 3))


def model() -> nn.Sequential:
    return nn.Sequential(nn.Linear(3, 4, dtype="f8"), tr.tanh, nn.GRU(4, 5, dtype="f8"))


def test_forward_hooks_see_and_replace() -> None:
    linear = nn.Linear(3, 4, dtype="f8")
    seen: list[Any] = []
    linear.register_forward_pre_hook(lambda module, args: (2 * args[0],))
    linear.register_forward_hook(lambda module, args, y: seen.append((module, args[0], y)))
    doubled = linear.register_forward_hook(lambda module, args, y: 10 * y)
    x, bare = tr.tensor(X), X @ linear.weight.data.T
    np.testing.assert_allclose(linear(x).data, 10 * (2 * bare + linear.bias.data))
    ((module, given, y),) = seen
    assert module is linear
    np.testing.assert_allclose(given.data, 2 * X)
    np.testing.assert_allclose(y.data, 2 * bare + linear.bias.data)
    doubled.remove()
    doubled.remove()  # a second time is nothing
    np.testing.assert_allclose(linear(x).data, 2 * bare + linear.bias.data)


def test_backward_hooks_see_the_gradients_and_do_not_change_them() -> None:
    net, seen = model(), {}
    (net(X)[0] ** 2).sum().backward()
    bare = [p.grad.data for p in net.parameters()]
    net.zero_grad()
    handles = [
        part.register_full_backward_hook(lambda module, back, out: seen.update({type(module): (back, out)}))
        for part in net
    ]
    y, _ = net(X)
    (y**2).sum().backward()
    for p, g in zip(net.parameters(), bare, strict=True):
        np.testing.assert_array_equal(p.grad.data, g)
    back, out = seen[nn.GRU]
    np.testing.assert_array_equal(out[0].data, 2 * y.data)
    np.testing.assert_array_equal(out[1].data, 0.0)  # of the state that nobody used
    np.testing.assert_array_equal(seen[type(net[1])][1][0].data, back[0].data)
    back, out = seen[nn.Linear]
    assert back == (None,)  # the data require no gradient
    np.testing.assert_allclose(np.einsum("tbh,tbi->hi", out[0].data, X), bare[0])
    seen.clear()
    for handle in handles:
        handle.remove()
    net(X)[0].sum().backward()
    assert not seen


def test_a_backward_hook_may_replace_the_gradient() -> None:
    linear, x = nn.Linear(3, 4, dtype="f8"), tr.tensor(X, requires_grad=True)
    with linear.register_full_backward_hook(lambda module, back, out: (3 * back[0],)):
        (linear(x) ** 2).sum().backward()
    tripled, x.grad = x.grad, None
    (linear(x) ** 2).sum().backward()
    np.testing.assert_allclose(tripled.data, 3 * x.grad.data)
    (g,) = tr.grad((linear(x) ** 2).sum(), x, create_graph=True)
    with linear.register_full_backward_hook(lambda module, back, out: None):
        (watched,) = tr.grad((linear(x) ** 2).sum(), x, create_graph=True)
    np.testing.assert_allclose(*[tr.grad((each**2).sum(), x)[0].data for each in (g, watched)])


def test_a_step_that_calls_a_hooked_module_is_a_loop_and_says_so() -> None:
    class Leaky(nn.Cell):
        def __init__(self) -> None:
            self.hidden_size = 3
            self.inner = nn.Linear(3, 3, dtype="f8")

        def step(self, h: tr.Tensor, x: tr.Tensor, /) -> tuple[tr.Tensor, tr.Tensor]:
            h = tr.tanh(x + self.inner(h))
            return h, h

    layer, calls = nn.Recurrent(Leaky()), []
    handle = layer.l0.inner.register_forward_hook(lambda *given: calls.append(given))
    with pytest.warns(tr.ScanFallbackWarning, match="it calls Linear, which has hooks"):
        hooked, _ = layer(X)
    assert len(calls) == 6
    handle.remove()
    np.testing.assert_allclose(layer(X)[0].data, hooked.data, rtol=1e-12)


@pytest.mark.optional
def test_hooks_are_pytorchs() -> None:
    torch = pytest.importorskip("torch")
    ours, theirs = nn.Linear(3, 4, dtype="f8"), torch.nn.Linear(3, 4, dtype=torch.float64)
    ours.load_state_dict(theirs.state_dict())
    seen: list[list[np.ndarray]] = [[], []]
    for i, module in enumerate((ours, theirs)):
        module.register_full_backward_hook(
            lambda m, back, out, i=i: seen[i].extend(g.numpy() for g in (*back, *out))
        )
    a, b = tr.tensor(X, requires_grad=True), torch.tensor(X, requires_grad=True)
    (ours(a) ** 2).sum().backward()
    (theirs(b) ** 2).sum().backward()
    for mine, other in zip(*seen, strict=True):
        np.testing.assert_allclose(mine, other)


@pytest.mark.parametrize(
    "wrong",
    [tr.ones(7), tr.ones(3, 1), (tr.ones(1, 3), tr.ones(1, 3)), (None,)],
    ids=["size", "shape", "two", "none"],
)
def test_a_backward_hook_that_returns_other_shapes_is_refused(wrong: Any) -> None:
    linear = tr.nn.Linear(3, 2)
    linear.register_full_backward_hook(lambda module, inward, outward: wrong)
    y = linear(tr.ones(1, 3, requires_grad=True)).sum()
    with pytest.raises(ValueError, match=r"Linear: a backward hook returned .* expected .* \[\(1, 3\)\]"):
        y.backward()


def test_a_handle_says_whose_it_is() -> None:
    def watch(*_: Any) -> None: ...

    handle = tr.nn.Linear(3, 2).register_forward_hook(watch)
    assert repr(handle).endswith("watch>")
    handle.remove()
    assert repr(handle).endswith("watch, removed>")
