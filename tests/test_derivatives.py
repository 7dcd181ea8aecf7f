"""Jacobians and Hessians of functions, and the gradients of what was computed on the way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyrnn as tr

RNG = np.random.default_rng(0)
W, X = RNG.normal(size=(3, 3)) * 0.5, RNG.normal(size=(4, 2, 3))


def run(w: tr.Tensor, h: tr.Tensor) -> tuple[tr.Tensor, tr.Tensor]:
    def step(h: tr.Tensor, x: tr.Tensor) -> tuple[tr.Tensor, tr.Tensor]:
        h = tr.tanh(x + h @ w)
        return h, h

    return tr.scan(step, h, X)


@given(st.integers(0, 2**32 - 1))
def test_a_jacobian_is_the_limit_of_differences(seed: int) -> None:
    rng = np.random.default_rng(seed)
    w, h = W, rng.normal(size=(2, 3))
    found = tr.jacobian(run, (w, h))
    for k, point in enumerate((w, h)):
        for place in np.ndindex(point.shape):
            ends = []
            for sign in (1, -1):
                moved = [w.copy(), h.copy()]
                moved[k][place] += sign * 1e-6
                ends.append([out.data for out in run(*map(tr.tensor, moved))])
            for row, high, low in zip(found, *ends, strict=True):
                at = (..., *place)
                np.testing.assert_allclose(row[k].data[at], (high - low) / 2e-6, rtol=1e-5, atol=1e-8)


def test_forms_and_zeros() -> None:
    x = tr.tensor([1.0, 2.0])
    assert tr.jacobian(lambda x: x.sum(), x).shape == (2,)
    assert tr.jacobian(lambda x: tr.ones(3), x).data.tolist() == [[0.0] * 2] * 3
    (a,), (b,) = tr.jacobian(lambda x: (x, x[0]), (x,))
    assert (a.shape, b.shape) == ((2, 2), (2,))
    of_integers = tr.jacobian(lambda x: x * 2, np.arange(2))
    assert of_integers.data.tolist() == [[2.0, 0.0], [0.0, 2.0]]
    assert x.grad is None
    with pytest.raises(TypeError, match="jacobian: the function gave float; expected Tensors"):
        tr.jacobian(lambda x: 1.0, x)
    with pytest.raises(ValueError, match=r"hessian: the function gave shape \(2,\); expected one number"):
        tr.hessian(lambda x: x, x)


def test_the_hessian_of_a_compiled_scan_is_that_of_the_loop() -> None:
    def loss(w: tr.Tensor, h: tr.Tensor) -> tr.Tensor:
        return (run(w, h)[1] ** 2).sum()

    found = tr.hessian(loss, (W, X[0]))
    with tr.unrolled():
        recorded = tr.hessian(loss, (W, X[0]))
    for a, b in zip(sum(found, ()), sum(recorded, ()), strict=True):
        np.testing.assert_allclose(a.data, b.data, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(found[0][1].data, found[1][0].data.transpose(2, 3, 0, 1), atol=1e-12)


def test_a_derivative_can_be_differentiated() -> None:
    x = tr.tensor([1.0, 2.0], requires_grad=True)
    (tr.jacobian(lambda x: x**3, x, create_graph=True) ** 2).sum().backward()
    np.testing.assert_allclose(x.grad.data, 36 * x.data**3)  # of 9 x^4
    x.grad = None
    tr.hessian(lambda x: (x**4).sum(), x, create_graph=True).sum().backward()
    np.testing.assert_allclose(x.grad.data, 24 * x.data)


def test_gradients_on_the_way_are_kept_where_asked_for() -> None:
    w = tr.tensor(W, requires_grad=True)
    _, y = run(w, tr.zeros((2, 3), dtype="f8"))
    other = y * 2
    y.retain_grad()
    loss = (other**2).sum()
    loss.backward(retain_graph=True)
    np.testing.assert_allclose(y.grad.data, 8 * y.data)
    assert other.grad is None
    kept = w.grad.data.copy()
    loss.backward()
    np.testing.assert_allclose(w.grad.data, 2 * kept)
    with pytest.raises(RuntimeError, match="does not require grad"):
        y.detach().retain_grad()


def test_an_operation_of_a_users_own_records_compiles_and_is_checked() -> None:
    cube = tr.Primitive("cube", lambda x: x**3, x=lambda g, x: g * 3 * x * x)
    tr.testing.check_grads(cube, np.array([0.5, -2.0]), order=2)
    wrong = tr.Primitive("wrong", lambda x: x**3, x=lambda g, x: g * x * x)
    with pytest.raises(AssertionError):
        tr.testing.check_grads(wrong, np.array([0.5, -2.0]))

    def step(h: tr.Tensor, x: tr.Tensor) -> tuple[tr.Tensor, tr.Tensor]:
        h = cube(0.5 * h + x)
        return h, h

    def gradient() -> np.ndarray:
        h = tr.tensor(X[0] * 0.1, requires_grad=True)
        tr.scan(step, h, X * 0.1)[1].sum().backward()
        return h.grad.data

    compiled = gradient()
    assert "cube" in str(tr.explain(tr.scan, step, tr.tensor(X[0], requires_grad=True), X))
    with tr.unrolled():
        np.testing.assert_allclose(compiled, gradient(), rtol=1e-12)
    with pytest.raises(TypeError, match=r"Primitive: forward is 3 \(int\); expected a function"):
        tr.Primitive("three", 3)


def twice(x: Any) -> Any:
    return x * 2


@pytest.mark.parametrize(
    ("vjps", "message"),
    [
        ({"z": lambda g: g}, "Primitive twice: z is no operand; expected x"),
        ({"operands": "a", "x": lambda g: g}, "Primitive twice: x is no operand; expected a"),
        ({"x": lambda g, y: g}, "the VJP of x asks for y; expected ans, an operand"),
        ({"x": np.negative}, "x is <ufunc 'negative'>"),
        ({"x": 2}, "x is 2"),
    ],
)
def test_vjps_that_cannot_be_are_refused_at_once(vjps: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        tr.Primitive("twice", twice, **vjps)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (
            np.ones(6),
            ValueError,
            r"'twice'.*: a VJP gave a gradient of shape \(6,\) for an operand of shape \(2, 3\)",
        ),
        (np.ones((3, 2)), ValueError, r"shape \(3, 2\)"),
        (np.ones((4, 3)), ValueError, r"shape \(4, 3\)"),
        (2.0, TypeError, "'twice'.*: the VJP of x gave a float; expected an array"),
        (None, TypeError, "gave a NoneType"),
    ],
)
def test_a_vjp_that_gives_no_gradient_of_the_operand_is_refused(given: Any, error: Any, message: str) -> None:
    x = tr.ones((2, 3), requires_grad=True)
    y = tr.Primitive("twice", twice, x=lambda g: given)(x).sum()
    with pytest.raises(error, match=message):
        y.backward()


def test_a_parameter_has_the_default_of_the_forward_function() -> None:
    scaled = tr.Primitive("scaled", lambda x, by=3.0: x * by, x=lambda g, by: g * by)
    for params in ({}, {"by": 5.0}):
        x = tr.ones(2, requires_grad=True)
        scaled(x, **params).sum().backward()
        assert x.grad.tolist() == [params.get("by", 3.0)] * 2
    with pytest.raises(TypeError, match="scaled got 2 operands; expected x, and its parameters by name"):
        scaled(x, 5.0)


MIXED = {
    "centred": (lambda x: x - x.mean(), lambda g: g - g.mean()),
    "turned": (lambda x: x[::-1], lambda g: g[::-1]),
    "softmax": (lambda x: np.exp(x) / np.exp(x).sum(), lambda g, ans: ans * (g - (g * ans).sum())),
    "doubled": (lambda x: 2 * x, lambda g: g * 2),
}


@pytest.mark.parametrize(("name", "elementwise"), [*((name, False) for name in MIXED), ("doubled", True)])
def test_an_operation_that_mixes_elements_runs_step_by_step(name: str, elementwise: bool) -> None:
    own = tr.Primitive(name, MIXED[name][0], elementwise=elementwise, x=MIXED[name][1])

    def step(h: tr.Tensor, x: tr.Tensor) -> tuple[tr.Tensor, tr.Tensor]:
        return 0.5 * h + own(x), own(x + h) * own(x)

    def found() -> list[np.ndarray]:
        x = tr.tensor(np.random.default_rng(0).normal(size=(4, 3, 2)), requires_grad=True)
        h, y = tr.scan(step, tr.zeros((3, 2), dtype="float64"), x)
        (y**2).sum().backward()
        return [h.numpy(), y.numpy(), x.grad.numpy()]

    compiled = found()
    with tr.unrolled():
        for mine, expected in zip(compiled, found(), strict=True):
            np.testing.assert_allclose(mine, expected, rtol=1e-12)
