"""Linear algebra on the last two axes; any axes may stand before them, as in `numpy.linalg`.

What NumPy gives in several parts is one operation here, with the parts side by side in one array: `eigh` has
the eigenvalues as a row above the eigenvectors, `svd` has u, s and vh flattened, one after the other. The
rules are those of M. Giles, "An extended collection of matrix derivative results" (2008), of Townsend's note
on the SVD (2016), and of Golub and Pereyra (1973) for the pseudoinverse.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyrnn.autograd import forwards
from tinyrnn.autograd.primitive import Primitive
from tinyrnn.autograd.primitives.elementwise import gated
from tinyrnn.autograd.primitives.reductions import sum
from tinyrnn.autograd.primitives.shaping import tril
from tinyrnn.autograd.shapes import same_shape


def _t(x: Any) -> Any:
    return x.swapaxes(-1, -2)


def _row(x: Any) -> Any:
    return x.reshape((*x.shape[:-1], 1, x.shape[-1]))


def _column(x: Any) -> Any:
    return x.reshape((*x.shape, 1))


def _matrix(name: str, forward: Any, shape: Any = same_shape, **vjps: Any) -> Primitive:
    return Primitive(name, forward, shape=shape, **vjps)


# --- inverses and equations ---------------------------------------------------------------------------------
inv = _matrix("inv", np.linalg.inv, x=lambda g, ans: -(_t(ans) @ g @ _t(ans)))
solve = _matrix(
    "solve",
    np.linalg.solve,
    lambda a, b: (*np.broadcast_shapes(a[:-2], b[:-2]), *b[-2:]),
    a=lambda g, ans, a: -(solve(_t(a), g) @ _t(ans)),
    b=lambda g, a: solve(_t(a), g),
)


def _pinv_vjp(g: Any, ans: Any, x: Any) -> Any:
    p, pt, gt = ans, _t(ans), _t(g)
    left, right = gt @ p @ pt, pt @ p @ gt
    return left - x @ (p @ left) + right - (right @ p) @ x - pt @ g @ pt


pinv = _matrix(
    "pinv",
    lambda x, rcond: np.linalg.pinv(x, rcond),
    lambda x, **_: (*x[:-2], x[-1], x[-2]),
    x=_pinv_vjp,
)

# --- determinants -------------------------------------------------------------------------------------------
det = _matrix("det", np.linalg.det, lambda x: x[:-2], x=lambda g, x: _column(_column(g)) * cofactors(x))
logabsdet = _matrix(
    "logabsdet",
    lambda x: np.linalg.slogdet(x).logabsdet,
    lambda x: x[:-2],
    x=lambda g, x: _column(_column(g)) * _t(inv(x)),
)
sign_of_det = _matrix("sign of det", lambda x: np.linalg.slogdet(x).sign, lambda x: x[:-2], operands="x")


def _cofactors_vjp(g: Any, ans: Any, x: Any) -> Any:
    it = _t(inv(x))
    return it * sum(g * ans, axis=(-2, -1), keepdims=True) - ans @ _t(g) @ it


# The slope of the determinant, which a singular matrix has too.
cofactors = _matrix("cofactors", forwards.cofactors, x=_cofactors_vjp)


# --- decompositions -----------------------------------------------------------------------------------------
def _cholesky_vjp(g: Any, ans: Any) -> Any:
    inner = _t(ans) @ g
    inner = (tril(inner, k=0) + tril(inner, k=-1)) * 0.5
    half = solve(_t(ans), _t(solve(_t(ans), inner)))
    return (half + _t(half)) * 0.5


cholesky = _matrix("cholesky", np.linalg.cholesky, x=_cholesky_vjp)


def _gaps_vjp(g: Any, ans: Any) -> Any:
    h = gated(g, ans * ans)
    return sum(h, axis=-1, keepdims=False) - sum(h, axis=-2, keepdims=False)


gaps = _matrix("gaps", forwards.gaps, lambda x: (*x, x[-1]), x=_gaps_vjp)


def _eigh_vjp(g: Any, ans: Any) -> Any:
    values, vectors = ans[..., 0, :], ans[..., 1:, :]
    inner = _t(vectors) @ g[..., 1:, :]
    turned = gated((inner - _t(inner)) * 0.5, gaps(values))
    return (vectors * _row(g[..., 0, :]) + vectors @ turned) @ _t(vectors)


eigh = _matrix("eigh", forwards.eigh, lambda x, uplo: (*x[:-2], x[-1] + 1, x[-1]), x=_eigh_vjp)


def svd_parts(packed: Any, m: int, n: int, full: bool) -> tuple[Any, Any, Any]:
    """Return u, s and vh of an (m, n) matrix from where they stand side by side."""
    k, lead = min(m, n), packed.shape[:-1]
    rows, columns = (m, n) if full else (k, k)
    u, s, vh = packed[..., : m * rows], packed[..., m * rows : m * rows + k], packed[..., m * rows + k :]
    return u.reshape((*lead, m, rows)), s, vh.reshape((*lead, columns, n))


def _svd_vjp(g: Any, ans: Any, x_shape: Any, full: bool) -> Any:
    m, n = x_shape[-2:]
    k = min(m, n)
    (u, s, vh), (gu, gs, gvh) = svd_parts(ans, m, n, full), svd_parts(g, m, n, full)
    u1, vh1, gu1, gvh1 = u[..., :k], vh[..., :k, :], gu[..., :k], gvh[..., :k, :]
    inner_u, inner_v = _t(u1) @ gu1, vh1 @ _t(gvh1)
    apart = gaps(s * s)
    turned_u, turned_v = (gated(inner - _t(inner), apart) for inner in (inner_u, inner_v))
    total = (u1 * _row(gs)) @ vh1 + u1 @ (turned_u * _row(s) + _column(s) * turned_v) @ vh1
    # What leaves the space of the first k vectors; the others, of full_matrices, span all the rest.
    if m > k:
        out = gu1 - u1 @ inner_u - (u[..., k:] @ (_t(gu[..., k:]) @ u1) if full else 0.0)
        total = total + gated(out, 1 / _row(s)) @ vh1
    if n > k:
        out = gvh1 - _t(inner_v) @ vh1 - ((vh1 @ _t(gvh[..., k:, :])) @ vh[..., k:, :] if full else 0.0)
        total = total + u1 @ gated(out, 1 / _column(s))
    return total


svd = _matrix("svd", forwards.svd, forwards.svd_shape, x=_svd_vjp)
