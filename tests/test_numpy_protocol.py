"""NumPy's own functions on Tensors: they record, or give a fact, or say by name that they have no rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import tinyrnn as tr

X = np.array([[0.5, 1.5, 2.0], [3.0, 0.25, 1.0]])
M = np.array([[True, False, True], [False, True, True]])

RECORDED: dict[str, Callable[[Any], Any]] = {
    "add": lambda x: np.add(x, X),
    "subtract": lambda x: np.subtract(1.0, x),
    "multiply": lambda x: np.multiply(X, x),
    "divide": lambda x: np.divide(1.0, x),
    "power": lambda x: np.power(x, 2),
    "negative": np.negative,
    "positive": lambda x: np.positive(x) * 2,
    "square": np.square,
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "tanh": np.tanh,
    "maximum": lambda x: np.maximum(x, 1.1),
    "minimum": lambda x: np.minimum(1.1, x),
    "matmul": lambda x: np.matmul(x, X.T),
    "array @ t": lambda x: X.T @ x,
    "array + t": lambda x: X + x,
    "array - t": lambda x: X - x,
    "array * t": lambda x: X * x,
    "array / t": lambda x: X / x,
    "array ** t": lambda x: X**x,
    "np.float64 * t": lambda x: np.float64(2) * x,
    "sum": np.sum,
    "sum axis": lambda x: np.sum(x, axis=1, keepdims=True),
    "mean": lambda x: np.mean(x, axis=(0, 1)),
    "max": lambda x: np.max(x, axis=0),
    "min": lambda x: np.min(x, axis=-1),
    "clip": lambda x: np.clip(x, 0.6, 1.6),
    "clip by keywords": lambda x: np.clip(x, a_min=0.6, a_max=None),
    "where": lambda x: np.where(M, x, 0.0),
    "reshape": lambda x: np.reshape(x, (3, -1)),
    "ravel": np.ravel,
    "transpose": np.transpose,
    "transpose axes": lambda x: np.transpose(x, (1, 0)),
    "swapaxes": lambda x: np.swapaxes(x, 0, 1),
    "squeeze": lambda x: np.squeeze(x[:, :1], axis=1),
    "expand_dims": lambda x: np.expand_dims(x, 1),
    "broadcast_to": lambda x: np.broadcast_to(x, (2, 2, 3)),
    "concatenate": lambda x: np.concatenate([X, x, x], axis=1),
    "stack": lambda x: np.stack([x, X], axis=-1),
    "split": lambda x: np.split(x, [1], axis=1)[1],
    "take flattens": lambda x: np.take(x, [0, 5, 5]),
    "take axis": lambda x: np.take(x, [2, 0], axis=1),
}

if np.lib.NumpyVersion(np.__version__) >= "2.1.0":  # which brought these keywords
    RECORDED["clip by new keywords"] = lambda x: np.clip(x, min=0.6, max=1.6)


@pytest.mark.parametrize("name", RECORDED)
def test_numpy_records(name: str) -> None:
    f = RECORDED[name]
    x = tr.tensor(X, requires_grad=True)
    y = f(x)
    assert isinstance(y, tr.Tensor)
    assert y.requires_grad
    np.testing.assert_allclose(y.numpy(), f(X))
    tr.testing.check_grads(f, X)


FACTS: dict[str, Callable[[Any], Any]] = {
    "allclose": lambda x: np.allclose(x, X),
    "allclose reversed": lambda x: np.allclose(X, x),
    "array_equal": lambda x: np.array_equal(x, x),
    "isclose": lambda x: np.isclose(x, 1.0),
    "nonzero": np.nonzero,
    "where of one argument": lambda x: np.where(x > 1),
    "count_nonzero": np.count_nonzero,
    "shape": np.shape,
    "ndim": np.ndim,
    "size": np.size,
    "zeros_like": np.zeros_like,
    "ones_like": lambda x: np.ones_like(x, dtype=np.float32),
}


@pytest.mark.parametrize("name", FACTS)
def test_numpy_tells_facts(name: str) -> None:
    f = FACTS[name]
    found, expected = f(tr.tensor(X, requires_grad=True)), f(X)
    assert not isinstance(found, tr.Tensor)
    np.testing.assert_array_equal(found, expected)


COMPARED: dict[str, Callable[[Any], Any]] = {
    "greater": lambda x: np.greater(x, 1.0),
    "less": lambda x: np.float64(1.0) > x,
    "equal": lambda x: np.equal(X, x),
    "not_equal": lambda x: np.not_equal(X, x),
    "logical_not": lambda x: np.logical_not(x > 1),
    "logical_and": lambda x: np.logical_and(x > 1, M),
    "array & t": lambda x: M & (x > 1),
    "array | t": lambda x: M | (x > 1),
    "~t": lambda x: ~(x > 1),
    "sign": lambda x: np.sign(x - 1),
    "round": lambda x: np.round(x, 1),
    "around": np.around,
    "floor": np.floor,
    "isfinite": np.isfinite,
    "isnan": np.isnan,
    "argmax": np.argmax,
    "argmax axis": lambda x: np.argmax(x, axis=1),
    "argmin": np.argmin,
    "argsort": np.argsort,
    "argpartition": lambda x: np.argpartition(x, 1)[:, 1],
    "any": np.any,
    "all": np.all,
    "floor_divide": lambda x: x // 0.4,
    "array // t": lambda x: X // x,
    "bitwise_xor": lambda x: (x > 1) ^ M,
    "array ^ t": lambda x: M ^ (x > 1),
    "logical_xor": lambda x: np.logical_xor(x > 1, M),
    "imag": lambda x: np.imag(x) + 0 * (x > 1),
}


@pytest.mark.parametrize("name", COMPARED)
def test_comparisons_give_constant_tensors(name: str) -> None:
    f = COMPARED[name]
    found = f(tr.tensor(X, requires_grad=True))
    assert isinstance(found, tr.Tensor)
    assert not found.requires_grad
    np.testing.assert_array_equal(found.numpy(), f(X))


@pytest.mark.parametrize(
    ("f", "name"),
    [
        (np.i0, "i0"),
        (np.median, r"median .*use tr\.sort"),
        (np.linalg.qr, r"linalg\.qr .*use tr\.linalg\.cholesky"),
        (np.cumulative_sum if hasattr(np, "cumulative_sum") else np.nancumsum, r".*cum.*sum.*use tr\.\w+"),
        (lambda x: np.nansum(x), r"nansum .*use tr\.sum of tr\.nan_to_num"),
        (np.spacing, "spacing"),
        (lambda x: np.add.reduce(x), "add.reduce"),
        (lambda x: np.add.outer(x, x), "add.outer"),
        (lambda x: np.sum(x, dtype=np.float32), r"sum has no rule in tinyrnn with the arguments \['dtype'\]"),
        (lambda x: np.sum(x, 0, np.float32), r"sum has no rule in tinyrnn with the arguments \['dtype'\]"),
        (lambda x: np.reshape(x, 6, order="F"), r"reshape has no rule .* with the arguments \['order'\]"),
        (lambda x: np.tanh(x, where=M), "tanh has no rule in tinyrnn with the arguments"),
    ],
)
def test_what_has_no_rule_says_so_by_name(f: Callable[[Any], Any], name: str) -> None:
    with pytest.raises(TypeError, match=rf"numpy\.{name}.*detach"):
        f(tr.tensor(X, requires_grad=True))


def test_an_array_is_not_written_into() -> None:
    out = np.zeros_like(X)
    t = tr.tensor(X, requires_grad=True)
    with pytest.raises(TypeError, match=r"numpy\.tanh.*out="):
        np.tanh(t, out=out)
    with pytest.raises(TypeError, match=r"numpy\.add.*out="):
        out += t
    assert not out.any()


def test_becoming_an_array_does_not_cut_a_gradient_silently() -> None:
    t = tr.tensor(X, requires_grad=True)
    with pytest.raises(TypeError, match=r"cut its gradient silently; use \.numpy\(\) or \.detach\(\)"):
        np.asarray(t)
    with pytest.raises(TypeError, match="silently"):
        np.array([t[0], t[1]])
    np.testing.assert_array_equal(np.asarray(t.detach()), X)
    assert np.asarray(t.detach()) is t.data
    assert np.array(t.detach()) is not t.data
    with tr.no_grad():
        np.testing.assert_array_equal(np.asarray(t), X)


def test_plain_arrays_stay_plain() -> None:
    for y in (
        tr.tanh(X),
        tr.sum(X, axis=0),
        tr.concatenate([X, X]),
        tr.softmax(X),
        tr.take(X, [0]),
        tr.argmax(X, 0),
    ):
        assert isinstance(y, np.ndarray)
    assert tr.maximum(1.0, 2.0) == 2.0
