"""The forward functions that are more than one call of NumPy; here stands what keeps numbers finite."""

from __future__ import annotations

import math
import weakref
from typing import Any

import numpy as np

from tinyrnn.autograd.shapes import ARRAY, reduced_shape
from tinyrnn.autograd.state import thread

# As arrays without axes, which NumPy takes up in half the time of Python's numbers.
_HALF = {np.dtype(dtype): np.array(0.5, dtype) for dtype in ("float32", "float64")}


def gated(upstream: Any, slope: Any) -> Any:
    """Return ``upstream * slope``, and 0 where ``upstream`` is 0, whatever the slope."""
    zero = np.zeros((), np.result_type(upstream, slope))
    return np.where(np.equal(upstream, 0), zero, np.multiply(upstream, slope))


def sigmoid(x: Any) -> Any:
    """Return the logistic function as a tanh: it never overflows, and costs one transcendental."""
    half = _HALF.get(x.dtype, 0.5)
    y = np.asarray(x * half)
    np.tanh(y, y)
    y *= half
    y += half
    return y


def softplus(x: Any) -> Any:
    """Return ``log(1 + exp(x))`` as ``max(x, 0) + log1p(exp(-|x|))``, so that exp never overflows."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


# The error function about points _GAP apart, as a polynomial in the distance from the nearest: a row for each
# point, worked out by y' = -2x y for the slope y. Beyond 6 it is 1 to the last digit.
_GAP, _POINTS, _TERMS = 1 / 16, 97, 10


def _erf_table() -> Any:
    table = np.zeros((_TERMS, _POINTS))
    x = np.arange(_POINTS) * _GAP
    table[0] = [math.erf(at) for at in x]
    before, slope = np.zeros(_POINTS), 2 / math.sqrt(math.pi) * np.exp(-x * x)
    for n in range(1, _TERMS):
        table[n] = slope / n
        before, slope = slope, (-2 * x * slope - 2 * before) / n
    return table


_ERF = _erf_table()


def erf(x: Any) -> Any:
    """Return the error function, to a few units of the last place of a float64 near 1."""
    x = np.asarray(x)
    size = np.minimum(np.abs(x), 6.0).astype(np.float64)
    nearest = np.rint(size / _GAP)
    step, row = size - nearest * _GAP, np.nan_to_num(nearest).astype(np.intp)
    total = _ERF[-1][row]
    for term in _ERF[-2::-1]:
        total = total * step + term[row]
    return np.copysign(total, x).astype(np.result_type(x, np.float16), copy=False)


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Subtract the largest element first, so that exp never overflows; a row of -inf gives -inf."""
    top = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, np.zeros((), top.dtype))
    with np.errstate(divide="ignore"):
        result = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return result if keepdims else result.reshape(reduced_shape(x.shape, axis))


def softmax(x: Any, axis: int) -> Any:
    """Subtract the largest element first; a row that is all -inf has no softmax, and gives NaN."""
    e = np.exp(x - np.max(x, axis=axis, keepdims=True, initial=-np.inf))
    return e / np.sum(e, axis=axis, keepdims=True)


def matmul(a: Any, b: Any) -> Any:
    """Multiply matrices; a stack of rows times one matrix is one large product, not one product a step."""
    if b.ndim == 2 and a.ndim == 2:
        return np.dot(a, b)  # the same as numpy.matmul, in half the time where they are small
    if b.ndim == 2 and a.ndim > 2:
        lead = a.shape[:-1]
        return np.matmul(a.reshape(math.prod(lead), a.shape[-1]), b).reshape(*lead, b.shape[-1])
    return np.matmul(a, b)


def transposed(x: Any) -> Any:
    """Return ``x.T``. What a backward pass meets again, as the weights of every time step, is copied for it.

    A product by a matrix in its own order takes half to nine tenths of the time of one by a view of its
    transpose.
    """
    seen = thread.modes.transposes
    if seen is None or type(x) is not np.ndarray:
        return x.T
    known, xT = seen.get(id(x), (None, None))
    if known is None or known() is not x:  # ids are used again, and what is met once is free to go
        seen[id(x)] = weakref.ref(x), None
        return x.T
    if xT is None:
        xT = np.ascontiguousarray(x.T)
        seen[id(x)] = known, xT
    return xT


def broadcast_to(x: Any, shape: Any) -> Any:
    """Return a view of stride 0, ten times as fast as the general function where there is one element."""
    if x.size == 1:  # the gradient of a sum
        return np.ndarray(shape, x.dtype, np.ascontiguousarray(x), 0, (0,) * len(shape))
    return np.broadcast_to(x, shape)


# --- indexing: index arrays are operands, the rest of the index is static -----------------------------------
def full_index(index: Any, arrays: Any) -> Any:
    """Put the index arrays back into the places that a static index holds for them."""
    rest = iter(arrays)
    return tuple(next(rest) if item is ARRAY else item for item in index)


def getitem(x: Any, *arrays: Any, index: Any) -> Any:
    """Return ``x[index]``."""
    return x[full_index(index, arrays) if arrays else index]


def scatter(g: Any, *arrays: Any, index: Any, shape: Any) -> Any:
    """Return zeros of a shape with ``g`` added at ``index``."""
    return scatter_add(np.zeros(shape, g.dtype), g, arrays, index)


def scatter_add(buffer: Any, g: Any, arrays: Any, index: Any) -> Any:
    """Add ``g`` into ``buffer[index]`` in place; an element that is indexed twice is added to twice."""
    if not arrays:
        buffer[index] += g
    elif all(item is ARRAY for item in index) and buffer.flags.c_contiguous:
        _add_rows(buffer, g, arrays)
    else:
        np.add.at(buffer, full_index(index, arrays), g)
    return buffer


def _add_rows(buffer: Any, g: Any, arrays: Any) -> None:
    """Add into whole rows, element by flat element: so `numpy.add.at` is 2 to 5 times as fast as on rows."""
    if g.size:
        k = len(arrays)
        # Negative indices wrap; the forward pass has refused those that are out of bounds.
        rows = np.ravel_multi_index(tuple(np.broadcast_arrays(*arrays)), buffer.shape[:k], mode="wrap")
        width = math.prod(buffer.shape[k:])
        places = rows.reshape(-1, 1) * width + np.arange(width)
        np.add.at(
            buffer.reshape(-1),
            places.reshape(-1),
            np.broadcast_to(g, rows.shape + buffer.shape[k:]).reshape(-1),
        )


def accumulate_index(total: Any, owned: bool, g: Any, shape: Any, rest: Any, index: Any) -> Any:
    """Add into the gradient in place: ``x[t]`` for all t then costs time linear in T, not T dense arrays."""
    if total is None:
        total = np.zeros(shape, g.dtype)
    elif not (owned and isinstance(total, np.ndarray)):  # a sum of 0-d arrays is a scalar
        total = np.array(total, order="C")
    return scatter_add(total, g, rest, index)


def place(x: Any, indices: Any, length: int) -> Any:
    """Return zeros with ``length`` elements along the last axis, and each element added at its index."""
    result = np.zeros((*x.shape[:-1], length), x.dtype)
    count = math.prod(x.shape[:-1])
    where = np.broadcast_to(indices, x.shape).reshape(count, x.shape[-1])
    np.add.at(result.reshape(count, length), (np.arange(count)[:, None], where), x.reshape(where.shape))
    return result


# --- linear algebra -----------------------------------------------------------------------------------------
def norm(x: Any, order: float) -> Any:
    """Return ``sum(abs(x) ** order) ** (1 / order)`` along the last axis."""
    return np.asarray(np.linalg.norm(x, order, -1), x.dtype)


def cofactors(x: Any) -> Any:
    """Return ``det(x) * inv(x).T`` by singular values, of which one may be 0: what counts are the others."""
    u, s, vh = np.linalg.svd(x)
    n = s.shape[-1]
    others = np.prod(np.where(np.eye(n, dtype=bool), 1, s[..., None, :]), -1, dtype=s.dtype)
    sign = np.linalg.det(u) * np.linalg.det(vh)
    return (u * others[..., None, :]) @ vh * sign[..., None, None]


def gaps(x: Any) -> Any:
    """Return ``1 / (x[j] - x[i])`` for all pairs, 0 on the diagonal, and infinite for equal elements."""
    apart = x[..., None, :] - x[..., :, None]
    with np.errstate(divide="ignore"):
        return np.where(np.eye(x.shape[-1], dtype=bool), np.zeros((), x.dtype), 1 / apart)


def eigh(x: Any, uplo: Any) -> Any:
    """Return the eigenvalues as a row above the eigenvectors."""
    values, vectors = np.linalg.eigh(x, uplo)
    return np.concatenate([values[..., None, :], vectors], -2)


def svd(x: Any, full: bool) -> Any:
    """Return u, s and vh flattened, one after the other."""
    lead = x.shape[:-2]
    parts = np.linalg.svd(x, full_matrices=full)
    return np.concatenate([part.reshape(*lead, math.prod(part.shape[len(lead) :])) for part in parts], -1)


def svd_shape(x: Any, full: bool) -> Any:
    """Return the shape of what `svd` gives."""
    m, n = x[-2:]
    k = min(m, n)
    return (*x[:-2], k + (m * m + n * n if full else k * (m + n)))
