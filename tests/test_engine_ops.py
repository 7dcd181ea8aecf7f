"""The op matrix: every primitive against NumPy, and its gradients against central differences, to order 2."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy_cases import CASES as NUMPY_CASES

import tinyrnn as tr
from tests.oracles import convolution
from tinyrnn.autograd import primitives
from tinyrnn.autograd.operators import Operators
from tinyrnn.autograd.primitive import Primitive
from tinyrnn.autograd.sliding import Windows

Shapes = tuple[tuple[int, ...], ...]


@dataclass
class Op:
    """A function of Tensors, its reference in NumPy, and the shapes on which it is tried."""

    name: str
    f: Callable[..., Any]
    reference: Callable[..., Any]
    shapes: tuple[Shapes, ...]
    low: float = -2.0
    high: float = 2.0


ONE: tuple[Shapes, ...] = (((),), ((3,),), ((2, 3),), ((1, 3, 1),), ((0, 3),))
TWO: tuple[Shapes, ...] = (
    ((), ()),
    ((2, 3), (2, 3)),
    ((2, 3), (3,)),
    ((3,), (2, 1)),
    ((2, 1, 3), (4, 1)),
    ((), (2, 3)),
    ((1,), (1, 1)),
    ((0, 3), (3,)),
    ((0, 1), (1, 4)),
)
REDUCED: tuple[Shapes, ...] = (((2, 3, 4),), ((1, 3, 1),), ((2, 1, 4),))
EMPTY: tuple[Shapes, ...] = (((0, 3, 2),), ((2, 3, 0),))


def np_sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def np_logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims))


def np_softmax(x: Any, axis: int = -1) -> Any:
    e = np.exp(x)
    return e / e.sum(axis=axis, keepdims=True)


INDEX = np.array([[0, 2, -1], [1, 1, 0]])
MASK = np.array([[True, False, True], [False, False, True]])

ELEMENTWISE = [
    Op("add", lambda a, b: a + b, np.add, TWO),
    Op("subtract", lambda a, b: a - b, np.subtract, TWO),
    Op("multiply", lambda a, b: a * b, np.multiply, TWO),
    Op("divide", lambda a, b: a / b, np.divide, TWO, 0.5),
    Op("power", lambda a, b: a**b, np.power, TWO, 0.5),
    Op("power 3", lambda a: a**3, lambda a: a**3, ONE),
    Op("power 2.5", lambda a: a**2.5, lambda a: a**2.5, ONE, 0.5),
    Op("power -1", lambda a: a**-1, lambda a: a**-1.0, ONE, 0.5),
    Op("2 ** x", lambda a: 2**a, lambda a: 2**a, ONE),
    Op("reflected", lambda a: 1 - 2 / a, lambda a: 1 - 2 / a, ONE, 0.5),
    Op("negative", lambda a: -a, np.negative, ONE),
    Op("exp", tr.exp, np.exp, ONE),
    Op("log", tr.log, np.log, ONE, 0.5),
    Op("sqrt", tr.sqrt, np.sqrt, ONE, 0.5),
    Op("abs", tr.abs, np.abs, ONE),
    Op("tanh", tr.tanh, np.tanh, ONE),
    Op("sigmoid", tr.sigmoid, np_sigmoid, ONE),
    Op("relu", tr.relu, lambda x: np.maximum(x, 0), ONE),
    Op("softplus", tr.softplus, lambda x: np.log1p(np.exp(x)), ONE),
    Op("erf", tr.erf, np.vectorize(math.erf, otypes="d"), ONE),
    Op("elu", lambda x: tr.elu(x, 1.5), lambda x: np.where(x > 0, x, 1.5 * np.expm1(x)), ONE),
    Op(
        "selu",
        tr.selu,
        lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x)),
        ONE,
    ),
    Op("leaky_relu", lambda x: tr.leaky_relu(x, 0.2), lambda x: np.where(x > 0, x, 0.2 * x), ONE),
    Op("gelu", tr.gelu, lambda x: x * (1 + np.vectorize(math.erf, otypes="d")(x / 2**0.5)) / 2, ONE),
    Op(
        "gelu tanh",
        lambda x: tr.gelu(x, "tanh"),
        lambda x: x * (1 + np.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x**3))) / 2,
        ONE,
    ),
    Op("silu", tr.silu, lambda x: x * np_sigmoid(x), ONE),
    Op("mish", tr.mish, lambda x: x * np.tanh(np.log1p(np.exp(x))), ONE),
    Op("hardtanh", lambda x: tr.hardtanh(x, -1.0, 0.5), lambda x: np.clip(x, -1.0, 0.5), ONE),
    Op("hardsigmoid", tr.hardsigmoid, lambda x: np.clip(x / 6 + 0.5, 0, 1), ONE, -5.0, 5.0),
    Op("softsign", tr.softsign, lambda x: x / (1 + np.abs(x)), ONE),
    Op("logsigmoid", tr.logsigmoid, lambda x: np.log(np_sigmoid(x)), ONE),
    Op("maximum", tr.maximum, np.maximum, TWO),
    Op("minimum", tr.minimum, np.minimum, TWO),
    Op("clip", lambda x: tr.clip(x, -1, 1), lambda x: np.clip(x, -1, 1), ONE),
    Op("clip low", lambda x: x.clip(min=0.1), lambda x: np.clip(x, 0.1, None), ONE),
    Op(
        "clip by Tensors",
        lambda x, a, b: tr.clip(x, a - 3, b + 3),
        lambda x, a, b: np.clip(x, a - 3, b + 3),
        (((2, 3), (3,), ()),),
        -4,
        4,
    ),
    Op(
        "where",
        lambda a, b: tr.where(MASK, a, b),
        lambda a, b: np.where(MASK, a, b),
        (((2, 3), (3,)), ((), (2, 1))),
    ),
    Op(
        "where number",
        lambda a: tr.where(MASK, a, 0.0),
        lambda a: np.where(MASK, a, 0.0),
        (((2, 3),), ((3,),)),
    ),
    Op("gated", primitives.gated, np.multiply, TWO),
]
REDUCTIONS = [
    Op(f"{name} {axis} {keepdims}", f, reference, REDUCED + empty)
    for axis in (None, 0, -1, (0, 2), (1,))
    for keepdims in (False, True)
    for name, f, reference, empty in (
        (
            "sum",
            lambda x, a=axis, k=keepdims: x.sum(a, k),
            lambda x, a=axis, k=keepdims: x.sum(a, keepdims=k),
            EMPTY,
        ),
        (
            "mean",
            lambda x, a=axis, k=keepdims: x.mean(a, k),
            lambda x, a=axis, k=keepdims: x.mean(a, keepdims=k),
            (),
        ),
        (
            "max",
            lambda x, a=axis, k=keepdims: x.max(a, k),
            lambda x, a=axis, k=keepdims: x.max(a, keepdims=k),
            (),
        ),
        (
            "min",
            lambda x, a=axis, k=keepdims: x.min(a, k),
            lambda x, a=axis, k=keepdims: x.min(a, keepdims=k),
            (),
        ),
        (
            "logsumexp",
            lambda x, a=axis, k=keepdims: tr.logsumexp(x, a, k),
            lambda x, a=axis, k=keepdims: np_logsumexp(x, a, k),
            (),
        ),
    )
] + [
    Op(f"{name} {axis}", f, reference, REDUCED + EMPTY)
    for axis in (0, 1, -1)
    for name, f, reference in (
        ("softmax", lambda x, a=axis: tr.softmax(x, a), lambda x, a=axis: np_softmax(x, a)),
        ("log_softmax", lambda x, a=axis: tr.log_softmax(x, a), lambda x, a=axis: np.log(np_softmax(x, a))),
    )
]
PRODUCTS = [
    Op(
        "matmul",
        lambda a, b: a @ b,
        np.matmul,
        (
            ((3,), (3,)),
            ((3,), (3, 2)),
            ((2, 3), (3,)),
            ((2, 3), (3, 4)),
            ((5, 2, 3), (3,)),
            ((3,), (5, 3, 2)),
            ((5, 2, 3), (3, 4)),
            ((2, 3), (5, 3, 4)),
            ((5, 2, 3), (5, 3, 4)),
            ((2, 1, 2, 3), (5, 3, 4)),
            ((1, 2, 3), (5, 3, 1)),
            ((0, 3), (3, 4)),
            ((2, 0), (0, 4)),
            ((5, 2, 0), (0, 4)),
            ((0, 2, 3), (3, 4)),
            ((5, 0, 3), (5, 3, 2)),
            ((1, 1), (1, 1)),
        ),
    )
]
PLACE = [
    Op("reshape", lambda x: x.reshape(3, -1), lambda x: x.reshape(3, -1), (((2, 3),), ((3, 1, 1),))),
    Op("flatten", lambda x: x.flatten(), lambda x: x.reshape(-1), ONE),
    Op("T", lambda x: x.T, lambda x: x.T, ONE),
    Op("transpose", lambda x: x.transpose(1, 2, 0), lambda x: x.transpose(1, 2, 0), REDUCED + EMPTY),
    Op("swapaxes", lambda x: x.swapaxes(0, -1), lambda x: x.swapaxes(0, -1), REDUCED + EMPTY),
    Op("squeeze", lambda x: x.squeeze(), np.squeeze, REDUCED),
    Op("expand_dims", lambda x: x.unsqueeze(-1), lambda x: np.expand_dims(x, -1), ONE),
    Op(
        "broadcast_to",
        lambda x: tr.broadcast_to(x, (4, 2, 3)),
        lambda x: np.broadcast_to(x, (4, 2, 3)),
        (((),), ((2, 1),), ((3,),), ((1, 1),)),
    ),
    Op(
        "broadcast_to empty",
        lambda x: x.broadcast_to(0, 3),
        lambda x: np.broadcast_to(x, (0, 3)),
        (((3,),), ((1,),)),
    ),
    Op(
        "concatenate",
        lambda a, b: tr.concatenate([a, b, a], -1),
        lambda a, b: np.concatenate([a, b, a], -1),
        (((2, 3), (2, 1)), ((2, 0), (2, 3)), ((3,), (2,))),
    ),
    Op(
        "stack",
        lambda a, b: tr.stack([a, b, a], 1),
        lambda a, b: np.stack([a, b, a], 1),
        (((2, 3), (2, 3)), ((0,), (0,))),
    ),
    Op("split", lambda x: tr.split(x, 3, 1), lambda x: np.split(x, 3, 1), (((2, 3),), ((0, 6),))),
    Op("split at", lambda x: x.split([1, 1, -1], 1), lambda x: np.split(x, [1, 1, -1], 1), (((2, 3),),)),
    Op("astype", lambda x: x.astype(np.float64) * 1.0, lambda x: x.astype(np.float64), ONE),
]
INDEXING = [
    Op(f"x[{text}]", lambda x, i=index: x[i], lambda x, i=index: x[i], (shape,))
    for text, index, shape in [
        ("1", 1, ((2, 3),)),
        ("-1", -1, ((4,),)),
        ("np.int64", np.int64(1), ((4,),)),
        ("0-d array", np.array(1), ((4, 2),)),
        ("()", (), ((),)),
        ("...", ..., ((2, 3),)),
        ("None on 0-d", None, ((),)),
        (":, None", (slice(None), None), ((2, 3),)),
        ("1:, ::2", (slice(1, None), slice(None, None, 2)), ((3, 5),)),
        ("::-1", slice(None, None, -1), ((4, 2),)),
        ("3:1:-1, ...", (slice(3, 1, -1), ...), ((5, 2),)),
        ("empty slice", slice(2, 2), ((4, 2),)),
        ("..., 0", (..., 0), ((2, 3, 4),)),
        ("list", [0, 2, 0], ((3, 2),)),
        ("empty list", [], ((3, 2),)),
        ("2-D array", INDEX, ((3, 2),)),
        ("2-D array, 1-D x", INDEX, ((3,),)),
        (":, array", (slice(None), INDEX), ((2, 3),)),
        ("array, :", (INDEX, slice(None, None, -1)), ((3, 2),)),
        ("array, array", (INDEX, INDEX[:, ::-1]), ((3, 4, 2),)),
        ("array, array, all axes", (np.arange(2), np.array([1, -1])), ((2, 3),)),
        ("arrays that broadcast", (np.array([[0], [1]]), np.array([2, 0, 0])), ((2, 3),)),
        ("arrays apart", (np.array([0, 1]), slice(None), np.array([0, 0])), ((2, 3, 2),)),
        ("int, array", (0, np.array([1, 1])), ((2, 3),)),
        ("mask", MASK, ((2, 3, 2),)),
        ("mask of one axis", (slice(None), np.array([True, False, True])), ((2, 3),)),
        ("..., mask", (..., MASK), ((4, 2, 3),)),
        ("mask of nothing", np.zeros(3, bool), ((3,),)),
        ("int, mask", (0, np.array([True, False, True])), ((2, 3),)),
    ]
] + [
    Op("take", lambda x: tr.take(x, INDEX, 0), lambda x: np.take(x, INDEX, 0), (((3, 4),), ((5,),))),
    Op("take axis", lambda x: x.take(INDEX, -1), lambda x: np.take(x, INDEX, -1), (((2, 3),), ((0, 3),))),
    Op(
        "take nothing",
        lambda x: tr.take(x, np.zeros((0, 2), int), 0),
        lambda x: x[np.zeros((0, 2), int)],
        (((3, 4),),),
    ),
]


def adjoint(name: str, windows: Windows, shape: tuple[int, ...]) -> tuple[Any, Any]:
    """An operation that gives the gradient of another by what has this shape, and its reference.

    The other is linear in it, so that the gradient is found by giving it each unit array in turn.
    """
    size = shape[-len(windows.kernel) :]
    options = {"windows": windows, **({"keep": 0} if name == "conv_weight" else {"size": size})}

    def reference(a: Any, b: Any = None) -> Any:
        found = np.zeros(shape, a.dtype)
        for at in np.ndindex(*shape):
            unit = np.zeros(shape, a.dtype)
            unit[at] = 1
            if name == "fold":
                y, g = convolution.unfold(unit, windows), a
            elif name == "conv_transpose":
                y, g = convolution.conv(unit, b, windows), a
            else:
                y, g = convolution.conv(a, unit, windows), b
            found[at] = np.sum(y * g)
        return found

    return partial(getattr(primitives, name), **options), reference


ONE_AXIS = Windows((3,), (2,), (2,), ((1, 2),))
TWO_AXES = Windows((2, 3), (1, 2), (2, 1), ((1, 1), (0, 2)), groups=2)
SLIDING = [
    op
    for windows, x, w, y in (
        (ONE_AXIS, (5, 2, 8), (4, 2, 3), (5, 4, 4)),
        (ONE_AXIS, (2, 3), (1, 2, 3), (1, 1)),
        (TWO_AXES, (2, 3, 4, 5, 6), (6, 2, 2, 3), (2, 3, 6, 5, 3)),
        (TWO_AXES, (4, 1, 3), (2, 2, 2, 3), (2, 1, 2)),
        (TWO_AXES, (0, 4, 5, 6), (2, 2, 2, 3), (0, 2, 5, 3)),
    )
    for op in (
        Op(
            "unfold",
            partial(primitives.unfold, windows=windows),
            partial(convolution.unfold, windows=windows),
            ((x,),),
        ),
        Op("fold", *adjoint("fold", windows, x), ((convolution.unfold(np.zeros(x), windows).shape,),)),
        Op(
            "conv",
            partial(primitives.conv, windows=windows),
            partial(convolution.conv, windows=windows),
            ((x, w),),
        ),
        Op("conv_transpose", *adjoint("conv_transpose", windows, x), ((y, w),)),
        Op("conv_weight", *adjoint("conv_weight", windows, w), ((x, y),)),
    )
]
OPS = ELEMENTWISE + REDUCTIONS + PRODUCTS + PLACE + INDEXING + SLIDING
CASES = [pytest.param(op, shapes, id=f"{op.name}-{shapes}") for op in OPS for shapes in op.shapes]


def operands(op: Op, shapes: Shapes, dtype: Any = np.float64) -> list[np.ndarray[Any, Any]]:
    """Draw numbers that keep away from each other, so that no maximum has a tie and no kink is near."""
    rng = np.random.default_rng(7)
    arrays = []
    for i, shape in enumerate(shapes):
        n = int(np.prod(shape, dtype=int))
        grid = np.linspace(op.low, op.high, n + 2)[1:-1] + 0.013 * (i + 1)
        arrays.append(rng.permutation(grid).reshape(shape).astype(dtype))
    return arrays


def parts(y: Any) -> list[Any]:
    return list(y) if isinstance(y, (list, tuple)) else [y]


@pytest.mark.parametrize(("op", "shapes"), CASES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_value_and_dtype(op: Op, shapes: Shapes, dtype: Any) -> None:
    arrays = operands(op, shapes, dtype)
    before = [a.copy() for a in arrays]
    tensors = [tr.tensor(a, requires_grad=True) for a in arrays]
    ys = parts(op.f(*tensors))
    expected = parts(op.reference(*arrays))
    for y, e in zip(ys, expected, strict=True):
        assert isinstance(y, tr.Tensor)
        assert y.shape == e.shape
        assert op.name == "astype" or y.dtype == dtype
        np.testing.assert_allclose(y.numpy(), e, rtol=1e-5 if dtype is np.float32 else 1e-12, atol=1e-6)
    tr.concatenate([y.flatten() for y in ys]).sum().backward()
    for t, a, b in zip(tensors, arrays, before, strict=True):
        assert t.grad is not None
        assert t.grad.shape == a.shape
        assert t.grad.dtype == dtype
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(t.numpy(), b)


@pytest.mark.parametrize(("op", "shapes"), CASES)
def test_gradients_to_order_2(op: Op, shapes: Shapes) -> None:
    tr.testing.check_grads(op.f, *operands(op, shapes), order=2, rng=3)


ORDER_3 = ("tanh", "multiply", "matmul", "softmax 1", "x[list]")


@pytest.mark.parametrize("op", [op for op in OPS if op.name in ORDER_3])
def test_gradients_of_order_3(op: Op) -> None:
    tr.testing.check_grads(
        op.f, *operands(op, op.shapes[1] if op.name == "multiply" else op.shapes[0]), order=3
    )


def test_every_primitive_is_in_the_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    reached: set[str] = set()
    apply = tr.Tensor._apply

    def probe(self: tr.Tensor, primitive: Primitive, args: Any, params: Any) -> Any:
        reached.add(primitive.name)
        return apply(self, primitive, args, params)

    monkeypatch.setattr(tr.Tensor, "_apply", probe)
    for op in OPS:
        op.f(*map(tr.tensor, operands(op, op.shapes[0], np.float32)))
    for case in NUMPY_CASES:
        case.f(tr, *map(tr.tensor, case.arrays(case.shapes[0], np.float32)))
    table = {p.name for p in vars(primitives).values() if isinstance(p, Primitive) and p.differentiable}
    # These are in VJPs: order 2 of the matrix reaches them.
    assert table - reached == {"scatter", "place", "cofactors", "gaps"} - reached


class Symbol(Operators):
    """What a compiler runs the rules on: a shape, a dtype and the one door, and that is all."""

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = np.asarray(value)

    @property
    def shape(self) -> tuple[int, ...]:
        return self._value.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._value.dtype

    def _apply(self, primitive: Primitive, args: Any, params: Any) -> Any:
        values = [a._value if isinstance(a, Symbol) else a for a in args]
        ans = np.asarray(primitive.forward(*values, **params))
        assert primitive.shape(*map(np.shape, values), **params) == ans.shape, primitive
        if primitive.dtype is not None:
            assert primitive.dtype(*(np.asarray(v).dtype for v in values), **params) == ans.dtype, primitive
        return Symbol(ans)

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError("a rule took a symbol for an array")


@pytest.mark.parametrize(("op", "shapes"), CASES)
def test_rules_run_on_symbols(op: Op, shapes: Shapes) -> None:
    """Rules use only operators, methods and primitives; shape and dtype rules say what comes out."""

    class Recorder(Symbol):
        __slots__ = ()

        def _apply(self, primitive: Primitive, args: Any, params: Any) -> Any:
            ans = super()._apply(primitive, args, params)
            values = [Symbol(a._value) if isinstance(a, Symbol) else a for a in args]
            for i, arg in enumerate(args):
                rule = primitive.rule(i)
                if rule is None or not isinstance(arg, Symbol):
                    continue
                on_symbols = rule.vjp(Symbol(np.ones(ans.shape)), *rule.pick(ans, values, params))
                plain = [v._value if isinstance(v, Symbol) else v for v in values]
                with np.errstate(all="ignore"):
                    on_arrays = rule.vjp(np.ones(ans.shape), *rule.pick(ans._value, plain, params))
                # Not to the last bit: NumPy 2.0 takes x**2 for x * x, and numpy.power(x, 2) for a power.
                np.testing.assert_allclose(on_symbols._value, on_arrays, rtol=1e-15, atol=0)
            return Recorder(ans._value)

    for y in parts(op.f(*map(Recorder, operands(op, shapes)))):
        assert isinstance(y, Recorder)


# --- extreme values -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_values_are_finite(dtype: Any) -> None:
    extreme = np.array([-1000, -100, 0, 100, 1000], dtype)
    for f, expected, slope in [
        (tr.sigmoid, [0, 0, 0.5, 1, 1], [0, 0, 0.25, 0, 0]),
        (tr.tanh, [-1, -1, 0, 1, 1], [0, 0, 1, 0, 0]),
        (tr.softplus, [0, 0, np.log(2), 100, 1000], [0, 0, 0.5, 1, 1]),
        (tr.relu, [0, 0, 0, 100, 1000], [0, 0, 0, 1, 1]),
    ]:
        x = tr.tensor(extreme, requires_grad=True)
        y = f(x)
        y.sum().backward()
        np.testing.assert_allclose(y.numpy(), expected, rtol=1e-6, atol=1e-30)
        np.testing.assert_allclose(x.grad.numpy(), slope, rtol=1e-6, atol=1e-30)
    x = tr.tensor(extreme, requires_grad=True)
    for f, expected in [
        (tr.logsumexp, 1000),
        (tr.softmax, [0, 0, 0, 0, 1]),
        (tr.log_softmax, [-2000, -1100, -1000, -900, 0]),
    ]:
        np.testing.assert_allclose(f(x).numpy(), expected, rtol=1e-6, atol=1e-30)
    x.grad = None
    tr.log_softmax(x)[0].backward()
    np.testing.assert_allclose(x.grad.numpy(), [1, 0, 0, 0, -1])


def test_minus_infinity_is_probability_zero() -> None:
    row = np.array([[0.0, -np.inf, 0.0], [-np.inf, -np.inf, 3.0]])
    x = tr.tensor(row, requires_grad=True)
    np.testing.assert_allclose(tr.softmax(x).numpy(), [[0.5, 0, 0.5], [0, 0, 1]])
    np.testing.assert_allclose(
        tr.log_softmax(x).numpy(), [[-np.log(2), -np.inf, -np.log(2)], [-np.inf, -np.inf, 0]]
    )
    np.testing.assert_allclose(tr.logsumexp(x, -1).numpy(), [np.log(2), 3])
    (tr.logsumexp(x, -1).sum() + tr.softmax(x)[0, 0]).backward()
    np.testing.assert_allclose(x.grad.numpy(), [[0.75, 0, 0.25], [0, 0, 1]])


def test_a_row_of_minus_infinity_has_no_slope() -> None:
    x = tr.tensor(np.array([[-np.inf, -np.inf], [0.0, 0.0]]), requires_grad=True)
    y = tr.logsumexp(x, axis=1)
    assert y.numpy()[0] == -np.inf
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [[0, 0], [0.5, 0.5]])
    assert tr.logsumexp(np.zeros((2, 0)), axis=1).tolist() == [-np.inf, -np.inf]
    with warnings.catch_warnings():  # there is no distribution over nothing: NumPy's warning, and NaN
        warnings.simplefilter("ignore", RuntimeWarning)
        assert np.isnan(tr.softmax(x).numpy()[0]).all()


@pytest.mark.parametrize(
    ("f", "low", "highest"),
    [
        (tr.log, 0.0, 3),
        (tr.sqrt, 0.0, 3),
        (lambda x: 1 / x, 0.0, 3),
        (lambda x: 3.0 / x**2, 0.0, 3),
        (lambda x: x**-0.5, 0.0, 3),
        (lambda x: x**x, 0.0, 2),
        (tr.exp, 1e6, 3),
        (lambda x: tr.log(x) / tr.sqrt(x), 0.0, 3),
        (lambda x: tr.sqrt(tr.sqrt(x)), 0.0, 3),
    ],
)
def test_the_branch_not_taken_leaves_no_nan(f: Callable[..., Any], low: float, highest: int) -> None:
    x = tr.tensor(np.array([low, 0.5]), requires_grad=True)
    alone = tr.tensor(np.array([0.5]), requires_grad=True)
    with np.errstate(all="ignore"):
        y, expected = tr.where(np.array([False, True]), f(x), 1.0).sum(), f(alone).sum()
    for _ in range(highest):
        (g,), (g_alone,) = (tr.grad(a, leaf, create_graph=True) for a, leaf in ((y, x), (expected, alone)))
        assert g.numpy()[0] == 0
        np.testing.assert_allclose(g.numpy()[1:], g_alone.numpy())
        y, expected = g.sum(), g_alone.sum()


def test_ties_share_the_gradient() -> None:
    x = tr.tensor([2.0, 5.0, 5.0, 5.0, 1.0, 1.0], requires_grad=True)
    x.max().backward()
    np.testing.assert_allclose(x.grad.numpy(), [0, 1 / 3, 1 / 3, 1 / 3, 0, 0], rtol=1e-6)
    x.grad = None
    x.min().backward()
    np.testing.assert_allclose(x.grad.numpy(), [0, 0, 0, 0, 0.5, 0.5])
    a = tr.tensor([1.0], requires_grad=True)
    tr.maximum(a, 1.0).backward()
    assert a.grad.item() == 0.5


def test_power_is_flat_where_it_is_constant() -> None:
    x = tr.tensor([0.0, 2.0], requires_grad=True)
    (x**0).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [0, 0])
    x.grad = None
    (x ** np.array([0.0, 2.0])).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [0, 4])
    n = tr.tensor([2.0], requires_grad=True)
    (tr.tensor([-2.0]) ** n).sum().backward()
    assert np.isnan(n.grad.item())  # (-2) ** n is not real around n = 2, and no number would be right


arrays = hnp.arrays(np.float64, hnp.array_shapes(max_dims=3, max_side=4), elements=st.floats(-3, 3))


@given(arrays, st.integers(0, 2**32 - 1))
def test_inputs_are_never_changed(x: np.ndarray[Any, Any], seed: int) -> None:
    """Neither the operands nor the incoming gradient, even where gradients are added into in place."""
    t = tr.as_tensor(x)
    t.requires_grad = True
    before = x.copy()
    y = t * t + tr.tanh(t) + t[0] + tr.softmax(t).sum(0) + t.reshape(x.shape) * t.mean()
    g = np.random.default_rng(seed).standard_normal(y.shape)
    g_before = g.copy()
    y.backward(g, retain_graph=True)
    first = t.grad.numpy().copy()
    y.backward(g)
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(g, g_before)
    np.testing.assert_allclose(t.grad.numpy(), 2 * first)


@given(st.data())
def test_broadcasting_sums_back(data: st.DataObject) -> None:
    shapes = data.draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3, min_side=0))
    a, b = (tr.tensor(np.full(s, 1.5), requires_grad=True) for s in shapes.input_shapes)
    y = a * b
    assert y.shape == shapes.result_shape
    y.sum().backward()
    for t, other in ((a, b), (b, a)):
        copies = y.size / t.size if t.size else 0
        np.testing.assert_allclose(t.grad.numpy(), np.full(t.shape, copies * 1.5))
        assert other.shape == other.grad.shape


def test_the_bounds_of_clip_are_inside() -> None:
    """At a bound the gradient is the element's, and none of it the bound's."""
    x = tr.tensor([-1.0, 0.0, 1.0, 2.0, -2.0], requires_grad=True)
    low, high = (tr.tensor([v] * 5, requires_grad=True) for v in (-1.0, 1.0))
    dx, dlow, dhigh = tr.grad(tr.clip(x, low, high).sum(), [x, low, high])
    assert [g.tolist() for g in (dx, dlow, dhigh) if g is not None] == [
        [1.0, 1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.0, 1.0, 0.0]
    ]  # fmt: skip


@pytest.mark.parametrize("zero", [0, 0.0, -0.0])
def test_the_slope_of_a_quotient_by_zero_has_its_sign(zero: float) -> None:
    x = tr.tensor([1.0], requires_grad=True)
    with np.errstate(divide="ignore"):
        (g,) = tr.grad((x / zero).sum(), x)
    np.testing.assert_array_equal(g.data, np.copysign(np.inf, zero))
