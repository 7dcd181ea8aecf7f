"""The table: every operation with its forward and its VJPs, a line or two each.

How to read it: ``multiply(a, b)`` has the rule ``a=lambda g, b: g * b``, that is, the gradient of its operand
``a`` is the incoming gradient times ``b``. Where operands broadcast, the engine sums a gradient back to the
operand's shape, and where dtypes differ it casts, so no rule here does. What a rule names is saved; nothing
else is.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinyrnn.autograd import forwards, sliding
from tinyrnn.autograd.primitive import Primitive
from tinyrnn.autograd.shapes import (
    concatenated_shape,
    given_shape,
    indexed_shape,
    matmul_shape,
    normalize_axis,
    reduced_shape,
    same_shape,
    stacked_shape,
    transposed_shape,
)


def _bool(*_: Any, **__: Any) -> Any:
    return np.dtype(bool)


def _index_dtype(*_: Any, **__: Any) -> Any:
    return np.dtype(np.intp)


# --- comparisons: they carry no gradient --------------------------------------------------------------------
greater = Primitive("greater", np.greater, operands="a b", dtype=_bool)
greater_equal = Primitive("greater_equal", np.greater_equal, operands="a b", dtype=_bool)
less = Primitive("less", np.less, operands="a b", dtype=_bool)
less_equal = Primitive("less_equal", np.less_equal, operands="a b", dtype=_bool)
equal = Primitive("equal", np.equal, operands="a b", dtype=_bool)
not_equal = Primitive("not_equal", np.not_equal, operands="a b", dtype=_bool)
logical_and = Primitive("logical_and", np.logical_and, operands="a b", dtype=_bool)
logical_or = Primitive("logical_or", np.logical_or, operands="a b", dtype=_bool)
logical_not = Primitive("logical_not", np.logical_not, operands="a", dtype=_bool)
bitwise_and = Primitive("bitwise_and", np.bitwise_and, operands="a b", dtype=np.result_type)
bitwise_or = Primitive("bitwise_or", np.bitwise_or, operands="a b", dtype=np.result_type)
invert = Primitive("invert", np.invert, operands="a")
sign = Primitive("sign", np.sign, operands="x")
round = Primitive("round", lambda x, decimals: np.round(x, decimals), operands="x", shape=same_shape)
all = Primitive(
    "all",
    lambda x, axis, keepdims: np.all(x, axis, keepdims=keepdims),
    operands="x",
    shape=reduced_shape,
    dtype=_bool,
)
any = Primitive(
    "any",
    lambda x, axis, keepdims: np.any(x, axis, keepdims=keepdims),
    operands="x",
    shape=reduced_shape,
    dtype=_bool,
)

# --- arithmetic ---------------------------------------------------------------------------------------------
add = Primitive("add", np.add, a=lambda g: g, b=lambda g: g)
subtract = Primitive("subtract", np.subtract, a=lambda g: g, b=lambda g: -g)
multiply = Primitive("multiply", np.multiply, a=lambda g, b: g * b, b=lambda g, a: g * a)
negative = Primitive("negative", np.negative, x=lambda g: -g)
divide = Primitive(
    "divide", np.divide, a=lambda g, b: gated(g, 1 / b), b=lambda g, ans, b: -gated(g, ans / b)
)
power = Primitive(
    "power",
    np.power,
    a=lambda g, a, b: gated(g, gated(b, a ** (b - 1))),  # x ** 0 is flat, at x = 0 too
    b=lambda g, ans, a: gated(g, ans * log(where(equal(a, 0), 1.0, a))),
)


# A product that is zero where `upstream` is zero, whatever the slope. Rules whose slope can be infinite use
# it, so that a branch which `where` did not take sends back zero, and not 0 * inf = NaN.
gated = Primitive(
    "gated",
    forwards.gated,
    upstream=lambda g, slope: gated(g, slope),
    slope=lambda g, upstream: gated(upstream, g),
)

# --- elementwise functions ----------------------------------------------------------------------------------
exp = Primitive("exp", np.exp, x=lambda g, ans: gated(g, ans))
log = Primitive("log", np.log, x=lambda g, x: gated(g, 1 / x))
sqrt = Primitive("sqrt", np.sqrt, x=lambda g, ans: gated(g, 0.5 / ans))
absolute = Primitive("abs", np.absolute, x=lambda g, x: g * sign(x))
tanh = Primitive("tanh", np.tanh, x=lambda g, ans: g * (1 - ans * ans))


sigmoid = Primitive(
    "sigmoid",
    forwards.sigmoid,
    x=lambda g, ans: g * (ans * (1 - ans)),
    lower=lambda x: tanh(x * 0.5) * 0.5 + 0.5,
)
relu = Primitive("relu", lambda x: np.maximum(x, 0), x=lambda g, ans: where(ans > 0, g, 0.0))
softplus = Primitive("softplus", forwards.softplus, x=lambda g, x: g * sigmoid(x))

# --- choices: a tie is shared equally -----------------------------------------------------------------------
maximum = Primitive(
    "maximum",
    np.maximum,
    a=lambda g, a, b: where(a > b, g, where(equal(a, b), g * 0.5, 0.0)),
    b=lambda g, a, b: where(b > a, g, where(equal(a, b), g * 0.5, 0.0)),
)
minimum = Primitive(
    "minimum",
    np.minimum,
    a=lambda g, a, b: where(a < b, g, where(equal(a, b), g * 0.5, 0.0)),
    b=lambda g, a, b: where(b < a, g, where(equal(a, b), g * 0.5, 0.0)),
)
clip = Primitive(
    "clip",
    np.clip,
    x=lambda g, x, low, high: where(logical_and(x >= low, x <= high), g, 0.0),
    low=lambda g, x, low: where(x < low, g, 0.0),
    high=lambda g, x, high: where(x > high, g, 0.0),
)
where = Primitive(
    "where",
    np.where,
    operands="condition a b",
    a=lambda g, condition: where(condition, g, 0.0),
    b=lambda g, condition: where(condition, 0.0, g),
)


_add_reduce: Any = np.add.reduce  # half the time of numpy.sum


# --- reductions ---------------------------------------------------------------------------------------------
def _kept(g: Any, x_shape: Any, axis: Any) -> Any:
    """Give a reduced array its reduced axes back, with length 1."""
    return g if axis is None else g.reshape(reduced_shape(x_shape, axis, keepdims=True))


def _share(x_shape: Any, axis: Any) -> float:
    """Return the weight of one element in a mean."""
    return 1 / (math.prod(x_shape[i] for i in normalize_axis(axis, len(x_shape))) or 1)


sum = Primitive(
    "sum",
    lambda x, axis=None, keepdims=False: _add_reduce(x, axis, None, None, keepdims),
    shape=reduced_shape,
    x=lambda g, x_shape, axis: broadcast_to(_kept(g, x_shape, axis), shape=x_shape),
)
mean = Primitive(
    "mean",
    lambda x, axis=None, keepdims=False: np.mean(x, axis=axis, keepdims=keepdims),
    shape=reduced_shape,
    x=lambda g, x_shape, axis: broadcast_to(_kept(g * _share(x_shape, axis), x_shape, axis), shape=x_shape),
)
# Where several elements are the largest, they share the gradient.
max = Primitive(
    "max",
    lambda x, axis=None, keepdims=False: np.max(x, axis=axis, keepdims=keepdims),
    shape=reduced_shape,
    x=lambda g, ans, x, x_shape, axis: _shared(g, equal(x, _kept(ans, x_shape, axis)), x_shape, axis),
)
min = Primitive(
    "min",
    lambda x, axis=None, keepdims=False: np.min(x, axis=axis, keepdims=keepdims),
    shape=reduced_shape,
    x=lambda g, ans, x, x_shape, axis: _shared(g, equal(x, _kept(ans, x_shape, axis)), x_shape, axis),
)
argmax = Primitive(
    "argmax", lambda x, axis=None: np.argmax(x, axis), operands="x", shape=reduced_shape, dtype=_index_dtype
)
argmin = Primitive(
    "argmin", lambda x, axis=None: np.argmin(x, axis), operands="x", shape=reduced_shape, dtype=_index_dtype
)
logsumexp = Primitive(
    "logsumexp",
    forwards.logsumexp,
    shape=reduced_shape,
    x=lambda g, ans, x, x_shape, axis: _kept(g, x_shape, axis) * exp(x - _kept(_finite(ans), x_shape, axis)),
)
softmax = Primitive(
    "softmax",
    forwards.softmax,
    shape=same_shape,
    x=lambda g, ans, axis: ans * (g - sum(g * ans, axis=axis, keepdims=True)),
)
log_softmax = Primitive(
    "log_softmax",
    lambda x, axis: x - forwards.logsumexp(x, axis, keepdims=True),
    shape=same_shape,
    x=lambda g, ans, axis: g - exp(ans) * sum(g, axis=axis, keepdims=True),
)


def _finite(ans: Any) -> Any:
    """Replace what is infinite by 0: a row of -inf then has no slope, where -inf - -inf would be NaN."""
    return where(absolute(ans) < math.inf, ans, 0.0)


def _shared(g: Any, chosen: Any, x_shape: Any, axis: Any) -> Any:
    count = sum(chosen, axis=axis, keepdims=True)
    return where(chosen, _kept(g, x_shape, axis) / count, 0.0)


# --- products -----------------------------------------------------------------------------------------------
def _matmul_vjp_a(g: Any, a_shape: Any, b: Any) -> Any:
    if b.ndim == 2 and len(a_shape) > 1:
        return matmul(g, forwards.transposed(b))
    if b.ndim == 1:
        return g.reshape((*g.shape, 1)) * b
    if len(a_shape) == 1:  # its gradient is that of a row
        row = g.reshape((*g.shape[:-1], 1, g.shape[-1])) @ b.swapaxes(-1, -2)
        return row.reshape((*row.shape[:-2], row.shape[-1]))
    return g @ b.swapaxes(-1, -2)


def _matmul_vjp_b(g: Any, a: Any, b_shape: Any) -> Any:
    if len(b_shape) == 2 and a.ndim == 2:
        return matmul(a.T, g)
    if len(b_shape) == 1:
        return a * (g if a.ndim == 1 else g.reshape((*g.shape, 1)))
    if a.ndim == 1:
        return a.reshape((-1, 1)) * g.reshape((*g.shape[:-1], 1, g.shape[-1]))
    if len(b_shape) == 2:  # a stack of rows times one matrix: one product over all rows
        rows = math.prod(a.shape[:-1])
        return a.reshape((rows, a.shape[-1])).T @ g.reshape((rows, g.shape[-1]))
    return a.swapaxes(-1, -2) @ g


matmul = Primitive("matmul", forwards.matmul, shape=matmul_shape, a=_matmul_vjp_a, b=_matmul_vjp_b)

# --- shape and place ----------------------------------------------------------------------------------------
reshape = Primitive(
    "reshape",
    lambda x, shape: x.reshape(shape),
    shape=given_shape,
    x=lambda g, x_shape: g.reshape(x_shape),
)
transpose = Primitive(
    "transpose",
    lambda x, axes: x.transpose(axes),
    shape=transposed_shape,
    x=lambda g, axes: g.transpose(_inverse(axes)),
)


# Its VJP is only the sum over the broadcast axes, and that the engine does for every operation.
broadcast_to = Primitive("broadcast_to", forwards.broadcast_to, shape=given_shape, x=lambda g: g)
astype = Primitive(
    "astype", lambda x, dtype: x.astype(dtype), dtype=lambda *_, dtype: np.dtype(dtype), x=lambda g: g
)
rounded = Primitive(
    "astype",
    lambda x, dtype: x.astype(dtype),
    operands="x",
    shape=same_shape,
    dtype=lambda *_, dtype: np.dtype(dtype),
)  # to integers or booleans, which carry no gradient
detach = Primitive(
    "detach", lambda x: x, operands="x", shape=same_shape, lower=lambda x: x
)  # stands in drawings for a cut gradient; where that is taken, there is nothing left to do
concatenate = Primitive(
    "concatenate",
    lambda *xs, axis, offsets: np.concatenate(xs, axis),
    shape=concatenated_shape,
    variadic=lambda i: (
        lambda g, axis, offsets: g[(slice(None),) * axis + (slice(offsets[i], offsets[i + 1]),)]
    ),
)
stack = Primitive(
    "stack",
    lambda *xs, axis: np.stack(xs, axis),
    shape=stacked_shape,
    variadic=lambda i: lambda g, axis: g[(slice(None),) * axis + (i,)],
)


def _inverse(axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(int(i) for i in np.argsort(axes))


# --- indexing: index arrays are operands, the rest of the index is static -----------------------------------
getitem = Primitive(
    "getitem",
    forwards.getitem,
    operands="x",
    shape=indexed_shape,
    dtype=lambda x, *_, **__: x,
    accumulate=forwards.accumulate_index,
    variadic=lambda i: None,
    x=lambda g, x_shape, rest, index: scatter(g, *rest, index=index, shape=x_shape),
)
scatter = Primitive(
    "scatter",
    forwards.scatter,
    operands="x",
    shape=given_shape,
    dtype=lambda x, *_, **__: x,
    variadic=lambda i: None,
    x=lambda g, rest, index: getitem(g, *rest, index=index),
)

# --- windows that slide: each of the two is the other's adjoint ---------------------------------------------
unfold = Primitive(
    "unfold",
    sliding.unfold,
    shape=sliding.unfolded_shape,
    x=lambda g, x_shape, windows: fold(g, windows=windows, size=windows.size(x_shape)),
)
fold = Primitive(
    "fold", sliding.fold, shape=sliding.folded_shape, x=lambda g, windows: unfold(g, windows=windows)
)

# --- convolution: <y, w * x> is linear in x, w and y; its gradient by each is a product of the other two ----
conv = Primitive(
    "conv",
    sliding.conv,
    shape=sliding.conv_shape,
    x=lambda g, w, x_shape, windows: conv_transpose(g, w, windows=windows, size=windows.size(x_shape)),
    w=lambda g, x, windows: conv_weight(x, g, windows=windows, keep=0),
)
conv_transpose = Primitive(
    "conv_transpose",
    sliding.conv_transpose,
    shape=sliding.conv_transpose_shape,
    y=lambda g, w, windows: conv(g, w, windows=windows),
    w=lambda g, y, windows: conv_weight(g, y, windows=windows, keep=0),
)
conv_weight = Primitive(
    "conv_weight",
    sliding.conv_weight,
    shape=sliding.conv_weight_shape,
    x=lambda g, y, x_shape, windows: conv_transpose(y, g, windows=windows, size=windows.size(x_shape)),
    y=lambda g, x, windows: conv(x, g, windows=windows),
)
