"""Reductions, running sums, and what normalises along an axis."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinyrnn.autograd import forwards
from tinyrnn.autograd.primitive import Primitive
from tinyrnn.autograd.primitives.comparisons import bools, equal, sign
from tinyrnn.autograd.primitives.elementwise import absolute, exp, gated, where
from tinyrnn.autograd.primitives.shaping import broadcast_to
from tinyrnn.autograd.shapes import normalize_axis, reduced_shape, same_shape

_add_reduce: Any = np.add.reduce  # half the time of numpy.sum


def _kept(g: Any, x_shape: Any, axis: Any) -> Any:
    """Give a reduced array its reduced axes back, with length 1."""
    return g if axis is None else g.reshape(reduced_shape(x_shape, axis, keepdims=True))


def _share(x_shape: Any, axis: Any) -> float:
    """Return the weight of one element in a mean."""
    axes = normalize_axis(axis, len(x_shape)) if x_shape else ()
    return 1 / (math.prod(x_shape[i] for i in axes) or 1)


def _index_dtype(*_: Any, **__: Any) -> Any:
    return np.dtype(np.intp)


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
all = Primitive(
    "all",
    lambda x, axis, keepdims: np.all(x, axis, keepdims=keepdims),
    operands="x",
    shape=reduced_shape,
    dtype=bools,
)
any = Primitive(
    "any",
    lambda x, axis, keepdims: np.any(x, axis, keepdims=keepdims),
    operands="x",
    shape=reduced_shape,
    dtype=bools,
)
argmax = Primitive(
    "argmax", lambda x, axis=None: np.argmax(x, axis), operands="x", shape=reduced_shape, dtype=_index_dtype
)
argmin = Primitive(
    "argmin", lambda x, axis=None: np.argmin(x, axis), operands="x", shape=reduced_shape, dtype=_index_dtype
)
cumsum = Primitive(  # along the last axis
    "cumsum",
    lambda x: np.cumsum(x, -1),
    shape=same_shape,
    x=lambda g: cumsum(g[..., ::-1])[..., ::-1],
)
norm = Primitive(  # along the last axis; flat where it is 0
    "norm",
    forwards.norm,
    shape=lambda x, order: x[:-1],
    x=lambda g, ans, x, order: g.reshape((*g.shape, 1)) * _norm_slope(x, ans.reshape((*ans.shape, 1)), order),
)


def _norm_slope(x: Any, ans: Any, order: float) -> Any:
    length = where(equal(ans, 0), math.inf, ans)
    return x / length if order == 2 else gated(sign(x), (absolute(x) / length) ** (order - 1))


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
