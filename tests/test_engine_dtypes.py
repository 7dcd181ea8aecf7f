"""dtypes: float32 stays float32, float64 stays float64, integers carry no gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tinyrnn as tr

PARTNERS: dict[str, Any] = {
    "int": 2,
    "float": 0.5,
    "bool": True,
    "np.float64": np.float64(0.5),
    "np.float32": np.float32(0.5),
    "np.int64": np.int64(2),
    "float64 array": np.array([0.5, 1.5]),
    "float32 array": np.array([0.5, 1.5], np.float32),
    "int array": np.array([1, 2]),
    "bool array": np.array([True, False]),
    "0-d float64 array": np.array(0.5),
    "list": [0.5, 1.5],
    "int Tensor": tr.tensor([1, 2]),
    "bool Tensor": tr.tensor([True, False]),
}
OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda t, o: t + o,
    "reflected +": lambda t, o: o + t,
    "-": lambda t, o: t - o if np.asarray(getattr(o, "data", o)).dtype != bool else t * o,
    "*": lambda t, o: t * o,
    "reflected *": lambda t, o: o * t,
    "/": lambda t, o: o / t,
    "**": lambda t, o: t**o,
    "reflected **": lambda t, o: o**t,
    "maximum": tr.maximum,
    "minimum": lambda t, o: tr.minimum(o, t),
    "where": lambda t, o: tr.where(np.array([True, False]), t, o),
    "where reflected": lambda t, o: tr.where(tr.tensor([True, False]), o, t),
    "clip": lambda t, o: tr.clip(t, o, 5.0),
    "stack": lambda t, o: tr.stack([t, tr.broadcast_to(o, (2,))]),
    "concatenate": lambda t, o: tr.concatenate([tr.broadcast_to(o, (2,)), t]),
    "matmul": lambda t, o: t @ tr.broadcast_to(o, (2,)),
    "reflected matmul": lambda t, o: np.broadcast_to(np.asarray(getattr(o, "data", o)), (2,)) @ t,
}


@pytest.mark.parametrize("partner", PARTNERS)
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_tensor_keeps_its_dtype(operation: str, partner: str, dtype: Any) -> None:
    t = tr.tensor(np.array([1.0, 2.0], dtype), requires_grad=True)
    y = OPERATIONS[operation](t, PARTNERS[partner])
    assert y.dtype == dtype
    y.sum().backward()
    assert t.grad.dtype == dtype


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "exp": tr.exp,
    "log": tr.log,
    "sqrt": tr.sqrt,
    "abs": tr.abs,
    "tanh": tr.tanh,
    "sigmoid": tr.sigmoid,
    "relu": tr.relu,
    "softplus": tr.softplus,
    "sum": tr.sum,
    "mean": tr.mean,
    "max": tr.max,
    "min": tr.min,
    "logsumexp": tr.logsumexp,
    "softmax": tr.softmax,
    "log_softmax": tr.log_softmax,
    "index": lambda x: x[np.array([0, 0])],
    "one": lambda x: x[0],
    "square": np.square,
    "round": lambda x: x.round() * x,
    "sign": lambda x: np.sign(x) * x,
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_functions_keep_the_dtype_to_the_second_order(name: str, dtype: Any) -> None:
    t = tr.tensor(np.array([1.0, 2.0], dtype), requires_grad=True)
    y = FUNCTIONS[name](t)
    assert y.dtype == dtype
    (g,) = tr.grad((y * y).sum(), t, create_graph=True)
    assert g.dtype == dtype
    (second,) = tr.grad((g * g).sum(), t)
    assert second.dtype == dtype


def test_two_float_tensors_meet_in_the_larger_dtype_and_each_gets_its_own_gradient() -> None:
    a = tr.tensor(np.ones(2, np.float32), requires_grad=True)
    b = tr.tensor(np.ones(2, np.float64), requires_grad=True)
    y = a * b
    assert y.dtype == np.float64
    y.sum().backward()
    assert (a.grad.dtype, b.grad.dtype) == (np.float32, np.float64)


def test_a_cast_sends_its_gradient_back_in_the_old_dtype() -> None:
    x = tr.tensor(np.ones(2, np.float32), requires_grad=True)
    (x.astype("float64") * 3).sum().backward()
    assert x.grad.dtype == np.float32
    assert x.astype(np.float32) is x


def test_a_cast_to_integers_is_a_constant() -> None:
    x = tr.tensor([1.7, 2.2], requires_grad=True)
    whole = x.astype(int)
    assert not whole.requires_grad
    (whole.astype("float32") * x).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [1, 2])
    with pytest.raises(TypeError, match="astype: dtype is the class complex; expected a dtype of real"):
        x.astype(complex)


@pytest.mark.parametrize("data", [[1, 2], np.array([1, 2]), [True], np.array([1], np.uint8)])
def test_integers_carry_no_gradient(data: Any) -> None:
    with pytest.raises(
        TypeError, match=r"dtype (u?int|bool).* carries no gradient; expected a floating dtype"
    ):
        tr.tensor(data, requires_grad=True)
    t = tr.tensor(data)
    assert t.dtype.kind in "iub"
    with pytest.raises(TypeError, match="carries no gradient"):
        t.requires_grad = True
    with pytest.raises(TypeError, match="carries no gradient"):
        tr.zeros(2, dtype=int, requires_grad=True)


def test_what_compares_or_counts_is_a_constant() -> None:
    x = tr.tensor([1.0, 3.0], requires_grad=True)
    for y in (
        x > 2,
        x == 1,
        (x > 2) & (x < 9),
        ~(x > 2),
        x.argmax(),
        x.argmin(),
        (x > 0).all(),
        x.round(),
        np.sign(x),
    ):
        assert isinstance(y, tr.Tensor)
        assert not y.requires_grad


def test_bits_of_integers_are_not_truth_values() -> None:
    a = tr.tensor([6, 3])
    assert (a & 2).tolist() == [2, 2]
    assert (8 | a).tolist() == [14, 11]
    assert (~a).tolist() == [-7, -4]
    with pytest.raises(TypeError, match="bitwise_and"):
        tr.ones(2) & tr.ones(2)


@pytest.fixture
def float64_by_default() -> Iterator[None]:
    tr.set_default_dtype("float64")
    try:
        yield
    finally:
        tr.set_default_dtype("float32")


def test_arrays_keep_their_dtype_and_python_floats_get_the_default() -> None:
    assert tr.get_default_dtype() == np.float32
    assert tr.tensor(np.zeros(2)).dtype == np.float64
    assert tr.tensor(np.zeros(2, np.float32)).dtype == np.float32
    assert tr.tensor([1.0, 2.0]).dtype == np.float32
    assert tr.tensor(1.0).dtype == np.float32
    assert tr.tensor([1, 2]).dtype == np.int64
    assert tr.tensor([1, 2], dtype="float64").dtype == np.float64
    assert tr.zeros(2).dtype == tr.ones((2, 3)).dtype == tr.randn(2, rng=0).dtype == np.float32
    assert tr.zeros(2, dtype="float64").dtype == np.float64
    assert tr.zeros_like(np.zeros(3)).dtype == np.float64
    assert tr.ones_like(tr.tensor([1, 2])).dtype == np.int64
    assert tr.where(tr.tensor([True, False]), 1.0, 0.0).dtype == np.float32


@pytest.mark.usefixtures("float64_by_default")
def test_the_default_can_be_changed() -> None:
    assert tr.tensor([1.0]).dtype == tr.zeros(2).dtype == tr.randn(2, rng=0).dtype == np.float64
    assert tr.tensor(np.zeros(2, np.float32)).dtype == np.float32
    assert tr.where(tr.tensor([True, False]), 1.0, 0.0).dtype == np.float64


def test_the_default_must_be_floating() -> None:
    with pytest.raises(TypeError, match="dtype is the class int; expected a floating dtype"):
        tr.set_default_dtype(int)
    assert tr.get_default_dtype() == np.float32


def test_tensor_copies_and_as_tensor_shares() -> None:
    a = np.zeros(2)
    copied, shared = tr.tensor(a), tr.as_tensor(a)
    a[0] = 1
    assert copied.tolist() == [0, 0]
    assert shared.tolist() == [1, 0]
    assert tr.as_tensor(shared) is shared
