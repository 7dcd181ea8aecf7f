"""The compiled scan against the recorded one and against a plain loop: values and all gradients to 1e-12."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scan_cells import ALL, HIDDEN, INPUT, case, cell
from scan_forms import agree, assert_same, normal, run

import tinyrnn as tr

T, B, I, H = 9, 3, INPUT, HIDDEN  # noqa: E741
PARAMS = {"W": normal(I, H) / 2, "U": normal(H, H) / 2, "b": normal(H)}
XS, H0 = normal(T, B, I), normal(B, H)
INTEGERS = np.random.default_rng(0).integers(0, H, (T, B))


@pytest.mark.parametrize("name", ALL)
@given(
    steps=st.integers(1, 12),
    batch=st.integers(1, 3),
    reverse=st.booleans(),
    segment=st.sampled_from([None, None, 1, 3, "auto"]),
    data=st.data(),
)
@settings(max_examples=10)
def test_cells(name: str, steps: int, batch: int, reverse: bool, segment: Any, data: st.DataObject) -> None:
    some = st.none() | st.lists(st.integers(1, steps), min_size=batch, max_size=batch).map(np.array)
    make, params, carry, xs = case(name, steps, batch)
    lengths = data.draw(some)
    expected = run("loop", make, params, carry, xs, lengths=lengths, reverse=reverse)
    found = run("compiled", make, params, carry, xs, lengths=lengths, reverse=reverse, segment=segment)
    assert_same(found, expected)


@pytest.mark.parametrize("name", ALL)
def test_forms_agree(name: str) -> None:
    agree(*case(name))


@pytest.mark.parametrize("steps", [1, 2, 7, 8, 9, 127, 128, 129, 130, 257])
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
def test_block_boundaries(steps: int, reverse: bool) -> None:
    for name in ("rnn", "lstm"):
        agree(*case(name, steps, seed=steps), reverse=reverse)
    lengths = np.array([steps, 1 + steps // 2])
    agree(*case("gru", steps), reverse=reverse, lengths=lengths)


@pytest.mark.parametrize("layer", [tr.nn.RNN, tr.nn.LSTM, tr.nn.GRU])
@pytest.mark.parametrize("constant", [False, True], ids=["gradients differ", "one gradient for all"])
def test_wide_layers(layer: Any, constant: bool) -> None:
    """Rows of 2 KB are transposed in tiles on their way in and out."""
    model = layer(256, 256, dtype="float64", rng=0)
    x = tr.tensor(normal(3, 20, 256), requires_grad=True)
    g = np.broadcast_to(1.0, (3, 20, 256)) if constant else normal(3, 20, 256, seed=1)
    found: list[Any] = []
    for form in (contextlib.nullcontext, tr.unrolled):
        for leaf in (x, *model.parameters()):
            leaf.grad = None
        with form():
            y, _ = model(x)
            y.backward(g)
        found.append([y.data, *(leaf.grad.data for leaf in (x, *model.parameters()))])
    for compiled, recorded in zip(*found, strict=True):
        np.testing.assert_allclose(compiled, recorded, rtol=1e-11, atol=1e-11)


Step = Callable[[Any, Any, Any], tuple[Any, Any]]


def new_carry(make: Callable[[Any, Any, Any], Any]) -> Step:
    return lambda p, h, x: (make(p, h, x), h)


def output(make: Callable[[Any, Any, Any], Any]) -> Step:
    return lambda p, h, x: (cell(p, h, x), make(p, h, x))


def everything(p: Any, h: Any, x: Any) -> Any:
    new = cell(p, h, x)
    return new, {"old": h, "new": [new, new], "input": x, "const": p["b"], "double": 2 * new, "none": None}


# What a step may give: (carry, y) from the parameters, the carry and the input.
OUTPUTS: dict[str, Step] = {
    "nothing": output(lambda p, h, x: None),
    "the input": output(lambda p, h, x: x),
    "a parameter": output(lambda p, h, x: p["b"]),
    "a number": output(lambda p, h, x: 1.5),
    "an array": output(lambda p, h, x: np.arange(3.0)),
    "the old carry": output(lambda p, h, x: h),
    "everything": everything,
    "one number": output(lambda p, h, x: h.sum()),
    "the carry unchanged": lambda p, h, x: (h, h * x.sum()),
    "an unused input": lambda p, h, x: (0.1 * h * h + h, None),
    "the input as carry": lambda p, h, x: (x @ p["W"], h),
    "a parameter as carry": lambda p, h, x: (p["b"] * np.ones((B, 1)), h + x.sum()),
    "no features": output(lambda p, h, x: h[:, :0]),
}
OPERATIONS: dict[str, Step] = {
    "where": new_carry(lambda p, h, x: tr.where(cell(p, h, x) > 0, cell(p, h, x), -0.1 * h)),
    "where with numbers": output(lambda p, h, x: tr.where(x > 0, 1.0, x)),
    "maximum and minimum": new_carry(lambda p, h, x: tr.maximum(tr.minimum(cell(p, h, x), 0.5), 0.1 * h)),
    "clip": new_carry(lambda p, h, x: tr.clip(cell(p, h, x), -0.5, 0.5)),
    "softmax": new_carry(lambda p, h, x: tr.softmax(cell(p, h, x), -1) + tr.log_softmax(h, 0)),
    "concatenate": new_carry(
        lambda p, h, x: tr.tanh(tr.concatenate([h[:, :2], h[:, :1], x[:, :1]], -1) @ p["U"])
    ),
    "concatenate twice": new_carry(lambda p, h, x: (tr.concatenate([h, h, x], -1) * 0.9)[:, 3 : 3 + H]),
    "stack": new_carry(lambda p, h, x: tr.tanh(tr.stack([h, cell(p, h, x)], 1).sum(1))),
    "stack outputs": output(lambda p, h, x: tr.stack([x, 2 * x, tr.broadcast_to(p["b"][:I], (B, I))], 1)),
    "reshape": new_carry(lambda p, h, x: tr.tanh(h.reshape(-1)).reshape(h.shape) + cell(p, h, x)),
    "transposes": lambda p, h, x: ((p["U"] @ h.T).T * 0.3 + cell(p, h, x), x.T @ h),
    "reductions": new_carry(lambda p, h, x: cell(p, h, x) - h.min(1, keepdims=True) + h.max(0) + x.mean()),
    "reductions of inputs": output(lambda p, h, x: (x.min(0), x.max(1), x.sum(), tr.logsumexp(x, 1))),
    "facts": output(lambda p, h, x: (h.argmax(1), x.argmin(1), x.argmax(), (x > 0).all(0), (h > 0).any())),
    "parts": new_carry(lambda p, h, x: cell(p, h[:, ::-1], x[::-1]) + h[0] + h[:, None, 1]),
    "index arrays": new_carry(lambda p, h, x: cell(p, h[:, [1, 0, 3, 2]], x)[[2, 0, 1]]),
    "powers": lambda p, h, x: (tr.tanh(cell(p, h, x) ** 2 + h**3), (tr.exp(x) ** 1.5, 2.0**x, x**2)),
    "quotients": lambda p, h, x: (cell(p, h, x) / (1 + h * h), 1 / (1 + x * x)),
    "broadcast": new_carry(lambda p, h, x: cell(p, h, x) + tr.broadcast_to(x[:, :1], (B, H))),
    "product with a vector": lambda p, h, x: (cell(p, h, x) + (h @ p["b"])[:, None], x @ p["W"][:, 0]),
    "products of stacks": output(lambda p, h, x: np.ones((6, 2, I)) @ x.T),
    "product with the carry": new_carry(lambda p, h, x: cell(p, h, x) + 0.01 * h @ (h.T @ h)),
    "arrays": output(lambda p, h, x: h * np.linspace(0, 1, H)),
    "numpy's functions": lambda p, h, x: (np.tanh(x @ p["W"] + h @ p["U"]), np.exp(h)),
    "functions of parameters": new_carry(
        lambda p, h, x: tr.tanh(x @ (2 * p["W"]) + h @ tr.exp(-(p["U"] ** 2)))
    ),
    "no gradient": output(lambda p, h, x: (h.round(1), tr.abs(h), x.astype(np.int64), h > 0)),
    "detach": new_carry(lambda p, h, x: cell(p, h.detach(), x) + x @ p["W"].detach() + 0.5 * h),
    "mixed gates": new_carry(
        lambda p, h, x: tr.sigmoid(h)[:, :2].sum(1, keepdims=True) * tr.tanh(x @ p["W"])
    ),
    "iteration": new_carry(lambda p, h, x: tr.stack([a + b for a, b in zip(h, cell(p, h, x), strict=True)])),
}


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("name", [*OUTPUTS, *OPERATIONS])
def test_steps(name: str, reverse: bool) -> None:
    step = {**OUTPUTS, **OPERATIONS}[name]
    agree(lambda p: lambda h, x: step(p, h, x), PARAMS, H0, XS, reverse=reverse)


# Carries and inputs of other forms: a step, the first carry, the inputs.
STRUCTURES: dict[str, tuple[Step, Any, Any]] = {
    "no carry": (lambda p, c, x: (None, tr.tanh(x @ p["W"])), None, XS),
    "one number as carry": (lambda p, c, x: (0.9 * c + x.sum(), c), np.array(0.3), XS),
    "numbers": (lambda p, c, x: (tr.tanh(c) + x, c * x), np.array(0.3), XS[:, 0, 0]),
    "no batch": (lambda p, c, x: (cell(p, c, x), c), H0[0], XS[:, 0]),
    "no batch, elementwise": (lambda p, c, x: (tr.tanh(p["b"] * c + x), c), H0[0], normal(T, H)),
    "matrices as carry": (
        lambda p, c, x: (0.9 * c + x[:, :, None] @ x[:, None, :], (c @ x[:, :, None]).squeeze(-1)),
        normal(B, I, I),
        XS,
    ),
    "swapped": (lambda p, c, x: ((c[1], c[0]), c[0] * x.sum()), (H0, 2 * H0), XS),
    "rotated": (lambda p, c, x: ((c[1], c[2], cell(p, c[0], x)), c[0] * c[1]), (H0, 2 * H0, H0 + 1), XS),
    "the same twice": (lambda p, c, x: ((cell(p, c[0], x),) * 2, c[0] + c[1]), (H0, 2 * H0), XS),
    "lagged": (lambda p, c, x: ((c[1], tr.tanh(c[0] @ p["U"] + c[1])), c[0]), (H0, 2 * H0), XS),
    "one part unused": (lambda p, c, x: ((0.5 * c[1], cell(p, c[1], x)), c[1]), (H0, H0 + 1), XS),
    "an array as carry": (lambda p, c, x: ((cell(p, c[0], x), np.zeros(B)), c[1]), (H0, normal(B)), XS),
    "a count": (
        lambda p, c, x: ((cell(p, c[0], x), c[1] + 1), c[1]),
        (H0, np.zeros(B, np.int64)),
        XS,
    ),
    "integers looked up": (lambda p, h, x: (cell(p, h, p["W"].T[x]), p["U"][:, x]), H0, INTEGERS[:, :B]),
    "integers look into the carry": (lambda p, h, x: (0.5 * h, h[np.arange(B), x]), H0, INTEGERS),
    "integers multiplied": (
        lambda p, h, x: (cell(p, h, x), x * 0.5),
        H0,
        INTEGERS[:, :, None] + np.arange(I),
    ),
    "integers": (lambda p, h, x: (h + x.mean(), (x * 2, x / 2, x.sum(), tr.exp(x))), H0, INTEGERS),
    "booleans choose": (lambda p, h, x: (tr.where(x[:, None], 0.5 * h, h + 1), ~x), H0, INTEGERS > 1),
    "booleans multiplied": (lambda p, h, x: (h + x.sum(), (x * h[:, 0], x.sum())), H0, INTEGERS > 1),
    "several inputs": (
        lambda p, h, x: (cell(p, h, x["a"]) * x["b"][0][:, None], x["b"][1]),
        H0,
        {"a": XS, "b": [normal(T, B), INTEGERS]},
    ),
}


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("name", STRUCTURES)
def test_structures(name: str, reverse: bool) -> None:
    step, carry, xs = STRUCTURES[name]
    agree(lambda p: lambda h, x: step(p, h, x), PARAMS, carry, xs, reverse=reverse)


def test_no_inputs() -> None:
    agree(lambda p: lambda h, x: (tr.tanh(h @ p["U"]), h), PARAMS, H0, None, length=6)


def nested(p: Any) -> Any:
    def step(h: Any, x: Any) -> Any:
        def inner(c: Any, e: Any) -> Any:
            c = tr.tanh(c + e[:, None] * p["b"])
            return c, c.sum()

        return tr.scan(inner, h, x.T)

    return step


def nested_and_closed_over(p: Any) -> Any:
    def step(h: Any, x: Any) -> Any:
        c, y = tr.scan(lambda c, e: (tr.tanh(c + e * p["b"] + h[0]), c), p["b"], XS[0, 0])
        return cell(p, h, x) + c, y

    return step


@pytest.mark.parametrize("make", [nested, nested_and_closed_over])
def test_a_scan_in_a_step(make: Any) -> None:
    agree(make, PARAMS, H0, XS)


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "attention_decoder"])
def test_float32_stays_float32(name: str) -> None:
    make, params, carry, xs = case(name)

    def single(array: Any) -> Any:
        return array.astype(np.float32)

    params = {key: single(value) for key, value in params.items()}
    carry = type(carry)(*map(single, carry)) if isinstance(carry, tuple) else single(carry)
    found = run("compiled", make, params, carry, single(xs))
    assert {value.dtype for value in found.values()} == {np.dtype(np.float32)}
    assert_same(found, run("loop", make, params, carry, single(xs)), rtol=1e-4)


LAYERS: dict[str, Callable[[], Any]] = {
    "RNN": lambda: tr.nn.RNN(I, H, dtype=np.float64),
    "RNN relu": lambda: tr.nn.RNN(I, H, nonlinearity="relu", dtype=np.float64),
    "LSTM": lambda: tr.nn.LSTM(I, H, 2, bidirectional=True, dtype=np.float64),
    "GRU": lambda: tr.nn.GRU(I, H, 3, dtype=np.float64),
    "learnt": lambda: tr.nn.Recurrent(tr.nn.LSTMCell(I, H, learn_initial_state=True, dtype=np.float64)),
    "mixed": lambda: tr.nn.Recurrent(
        [tr.nn.GRUCell(I, H, dtype=np.float64), tr.nn.RNNCell(H, 2, dtype=np.float64)]
    ),
}


@pytest.mark.parametrize("lengths", [None, [9, 1, 4]], ids=["full", "lengths"])
@pytest.mark.parametrize("name", LAYERS)
def test_layers(name: str, lengths: Any) -> None:
    model, found = LAYERS[name](), []
    for form in (tr.scope, tr.unrolled):
        model.zero_grad()
        x = tr.tensor(XS, requires_grad=True)
        with form():
            y, state = model(x, lengths=lengths)
            parts = tr.recurrence.tree.flatten((y, state))[0]
            sum((part * normal(*part.shape)).sum() for part in parts).backward()
        grads = {key: p.grad.data for key, p in model.named_parameters()}
        found.append({"x": x.grad.data, **grads, **{str(k): part.data for k, part in enumerate(parts)}})
    assert_same(*found)


def test_a_long_step_is_compiled() -> None:
    """One of 450 operations, each on the one before: no part of the compiler goes down them by calls."""

    def make(p: Any) -> Any:
        def step(h: Any, x: Any) -> tuple[Any, Any]:
            z = cell(p, h, x)
            for i in range(200):
                z = tr.tanh(0.5 * z + h) if i % 4 else z * (1 + 0.001 * i)
            return z, None

        return step

    agree(make, PARAMS, H0, XS[:3])
