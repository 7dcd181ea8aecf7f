"""Linear algebra, `tinyrnn.linalg`: names and meanings of `numpy.linalg`, on the last two axes.

Integers are taken as floats. A matrix that has no inverse is a `numpy.linalg.LinAlgError`, as in NumPy.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.functions.diagonals import diagonal, trace
from tinyrnn.autograd.functions.elementwise import abs, astype
from tinyrnn.autograd.functions.products import cross, matmul, outer, tensordot
from tinyrnn.autograd.functions.reductions import length, max, min, sum
from tinyrnn.autograd.functions.shaping import expand_dims, matrix_transpose, squeeze
from tinyrnn.autograd.operands import operand
from tinyrnn.autograd.shapes import Axis, normalize_axis

__all__ = [
    "cholesky",
    "cross",
    "det",
    "diagonal",
    "eigh",
    "eigvalsh",
    "inv",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_transpose",
    "multi_dot",
    "norm",
    "outer",
    "pinv",
    "slogdet",
    "solve",
    "svd",
    "svdvals",
    "tensordot",
    "trace",
    "vector_norm",
]


class EighResult(NamedTuple):
    """What `eigh` gives."""

    eigenvalues: Any
    eigenvectors: Any


class SVDResult(NamedTuple):
    """What `svd` gives."""

    U: Any
    S: Any
    Vh: Any


class SlogdetResult(NamedTuple):
    """What `slogdet` gives."""

    sign: Any
    logabsdet: Any


def _floats(x: Any) -> Any:
    x = operand(x)
    return x if x.dtype.kind == "f" else astype(x, np.float64)


def _matrix(name: str, x: Any, *, square: bool = True) -> Any:
    x = _floats(x)
    if x.ndim < 2 or (square and x.shape[-1] != x.shape[-2]):
        raise np.linalg.LinAlgError(
            f"{name}: the operand has shape {x.shape}; expected {'(..., N, N)' if square else '(..., M, N)'}"
        )
    return x


def inv(a: Any) -> Any:
    """Inverse of a matrix.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.linalg.inv(tr.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5 , 0.  ],
            [0.  , 0.25]])
    """
    return p.inv(_matrix("inv", a))


def solve(a: Any, b: Any) -> Any:
    """Solution of ``a @ x == b``.

    Parameters
    ----------
    a : array_like or Tensor, shape (..., N, N)
        The matrix.
    b : array_like or Tensor, shape (N,) or (..., N, K)
        The right-hand side: one vector, or matrices.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.linalg.solve(tr.tensor([[2.0, 0.0], [0.0, 4.0]]), tr.tensor([1.0, 1.0]))
    tensor([0.5 , 0.25])
    """
    a, b = _matrix("solve", a), _floats(b)
    column = b.ndim == 1
    if not b.ndim or (b.shape[0] if column else b.shape[-2]) != a.shape[-1]:
        raise ValueError(
            f"solve: a has shape {a.shape} and b {b.shape}; expected (..., N, N) and (N,) or (..., N, K)"
        )
    x = p.solve(a, expand_dims(b, -1) if column else b)
    return squeeze(x, -1) if column else x


def pinv(a: Any, rcond: float | None = None, hermitian: bool = False, *, rtol: float | None = None) -> Any:
    """Pseudoinverse of a matrix. Its gradient is that for matrices of the same rank.

    Parameters
    ----------
    a : array_like or Tensor, shape (..., M, N)
        The matrix.
    rcond, rtol : float, optional
        Singular values up to this part of the largest are taken as 0; 1e-15 unless given, as in NumPy.
    hermitian : bool
        Not used: it would only find the same another way.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.linalg.pinv(tr.tensor([[2.0], [0.0]]))
    tensor([[0.5, 0. ]])
    """
    given = [c for c in (rcond, rtol) if c is not None]
    return p.pinv(_matrix("pinv", a, square=False), rcond=float(given[0]) if given else 1e-15)


def det(a: Any) -> Any:
    """Determinant. Its gradient, the cofactors, is right for a singular matrix too.

    A gradient of that gradient needs a matrix that has an inverse.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.linalg.det(tr.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor(8.)
    """
    return p.det(_matrix("det", a))


def slogdet(a: Any) -> SlogdetResult:
    """Sign of the determinant, a constant, and the logarithm of its size.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> sign, logabsdet = tr.linalg.slogdet(tr.tensor([[2.0, 0.0], [0.0, -4.0]]))
    >>> sign, logabsdet
    (tensor(-1.), tensor(2.0794...))
    """
    a = _matrix("slogdet", a)
    return SlogdetResult(p.sign_of_det(a), p.logabsdet(a))


def cholesky(a: Any, *, upper: bool = False) -> Any:
    """Triangle ``L`` with ``L @ L.mT == a``, of a symmetric positive definite matrix; or its transpose.

    Only the lower triangle of ``a`` is read (with ``upper`` the upper one). The gradient is that of a
    symmetric matrix, and so symmetric, as in PyTorch.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.linalg.cholesky(tr.tensor([[4.0, 2.0], [2.0, 2.0]]))
    tensor([[2., 0.],
            [1., 1.]])
    """
    a = _matrix("cholesky", a)
    return matrix_transpose(p.cholesky(matrix_transpose(a))) if upper else p.cholesky(a)


def eigh(a: Any, UPLO: str = "L") -> EighResult:
    """Eigenvalues, rising, and eigenvectors, as columns, of a symmetric matrix.

    Only the lower triangle of ``a`` is read (with ``UPLO="U"`` the upper one). The gradient is that of a
    symmetric matrix, and so symmetric, as in PyTorch. Eigenvectors of equal eigenvalues are not determined:
    where they are used in a way that depends on their choice, the gradient is not finite. Eigenvalues always
    have one.

    Raises
    ------
    ValueError
        Where ``UPLO`` is another letter.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.linalg.eigh(tr.tensor([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
    tensor([1., 2.])
    """
    if UPLO.upper() not in ("L", "U"):
        raise ValueError(f"eigh: UPLO is {UPLO!r}; expected 'L' or 'U'")
    both = p.eigh(_matrix("eigh", a), uplo=UPLO.upper())
    return EighResult(both[..., 0, :], both[..., 1:, :])


def eigvalsh(a: Any, UPLO: str = "L") -> Any:
    """Eigenvalues of a symmetric matrix, rising; see `eigh`.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.linalg.eigvalsh(tr.tensor([[2.0, 0.0], [0.0, 1.0]]))
    tensor([1., 2.])
    """
    return eigh(a, UPLO).eigenvalues


def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """Singular value decomposition ``a == (U * S) @ Vh``, the singular values falling.

    Singular vectors of equal singular values are not determined, and none is in its sign: where they are used
    in a way that depends on the choice of the former, the gradient is not finite. Singular values have one as
    long as they are not 0. What ``full_matrices`` adds to span the rest of the space is only determined as a
    whole, as in the projection ``u @ u.T``, and has the gradient for that.

    Parameters
    ----------
    a : array_like or Tensor, shape (..., M, N)
        The matrix.
    full_matrices : bool
        Whether U is (M, M) and Vh (N, N), or (M, K) and (K, N) with K the smaller of both.
    compute_uv : bool
        Whether to return U, S and Vh, or S alone.
    hermitian : bool
        Not used: it would only find the same another way.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.linalg.svd(tr.tensor([[3.0, 0.0], [0.0, 4.0]])).S
    tensor([4., 3.])
    """
    a = _matrix("svd", a, square=False)
    full = bool(full_matrices and compute_uv)
    parts = SVDResult(*p.svd_parts(p.svd(a, full=full), a.shape[-2], a.shape[-1], full))
    return parts if compute_uv else parts.S


def svdvals(a: Any) -> Any:
    """Singular values of a matrix, falling; see `svd`.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.linalg.svdvals(tr.tensor([[3.0, 0.0], [0.0, 4.0]]))
    tensor([4., 3.])
    """
    return svd(a, compute_uv=False)


def norm(x: Any, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Any:
    """Norm of vectors, or of matrices.

    Where the norm is 0, so is its gradient, as in PyTorch. Elements that are equally large share the gradient
    of a largest or smallest one.

    Parameters
    ----------
    x : array_like or Tensor
        The elements.
    ord : number, inf, -inf, "fro" or "nuc", optional
        Of vectors ``sum(abs(x)**ord)**(1/ord)``, and the largest or smallest element for infinities. Of
        matrices 1 and inf (sums of columns and rows), 2 (singular values), each also negative, "fro" and
        "nuc". Without it, the root of the sum of all squares.
    axis : int or pair of int, optional
        One axis of vectors, or two of matrices. Without it, all elements (``ord`` None), or ``x`` itself.
    keepdims : bool
        Whether the axes stay, with length 1.

    Raises
    ------
    ValueError
        Where there is no such norm.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.linalg.norm(tr.tensor([3.0, 4.0]))
    tensor(5.)
    """
    x = _floats(x)
    if axis is None and (ord is None or (ord in ("f", "fro") and x.ndim == 2) or (ord == 2 and x.ndim == 1)):
        return length(x, None, keepdims)
    axes = normalize_axis(axis, x.ndim)
    if len(axes) == 1:
        return vector_norm(x, axis=axes[0], keepdims=keepdims, ord=2 if ord is None else ord)
    if len(axes) != 2 or axes[0] == axes[1]:
        raise ValueError(f"norm: the axes are {axes}; expected one axis of vectors or two of matrices")
    if ord is None or ord in ("f", "fro"):
        return length(x, axes, keepdims)
    if ord in (1, -1, np.inf, -np.inf):
        summed, chosen = axes if np.isfinite(ord) else axes[::-1]
        f = max if ord > 0 else min
        return _kept(f(sum(abs(x), summed, keepdims=True), chosen, keepdims=True), axes, keepdims)
    if ord not in (2, -2, "nuc"):
        raise ValueError(
            f"norm: ord is {ord!r}; expected 'fro', 'nuc', 1, -1, 2, -2, inf or -inf for matrices"
        )
    rest = tuple(i for i in range(x.ndim) if i not in axes)
    s = svdvals(p.transpose(x, axes=rest + axes))
    ans = sum(s, -1) if ord == "nuc" else max(s, -1) if ord > 0 else min(s, -1)
    return expand_dims(ans, axes) if keepdims else ans


def _kept(x: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    return x if keepdims else squeeze(x, axes)


def vector_norm(x: Any, *, axis: Axis = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """Norm of the elements over any axes, as one vector; see `norm`.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.linalg.vector_norm(tr.tensor([[3.0, 4.0]]), ord=1)
    tensor(7.)
    """
    x = _floats(x)
    if isinstance(ord, str):
        raise ValueError(f"norm: ord is {ord!r}; expected a number for vectors")
    if ord == 0:
        return sum(astype(p.not_equal(x, 0), x.dtype), axis, keepdims)
    if np.isinf(ord):
        return (max if ord > 0 else min)(abs(x), axis, keepdims)
    return sum(abs(x), axis, keepdims) if ord == 1 else length(x, axis, keepdims, float(ord))


def matrix_norm(x: Any, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """Norm of the matrices in the last two axes; see `norm`.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.linalg.matrix_norm(tr.ones((5, 2, 2)), ord="nuc").shape
    (5,)
    """
    return norm(x, ord, (-2, -1), keepdims)


def matrix_power(a: Any, n: int) -> Any:
    """Product of ``n`` times the same matrix; for negative ``n``, of its inverse.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.linalg.matrix_power(tr.tensor([[2.0, 0.0], [0.0, 1.0]]), 3)
    tensor([[8., 0.],
            [0., 1.]])
    """
    a = operand(a) if n >= 0 else inv(a)
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise np.linalg.LinAlgError(f"matrix_power: the operand has shape {a.shape}; expected (..., N, N)")
    if n == 0:
        return np.broadcast_to(np.eye(a.shape[-1], dtype=a.dtype), a.shape).copy()
    result, n = None, -n if n < 0 else n
    while n:
        if n % 2:
            result = a if result is None else p.matmul(result, a)
        n //= 2
        a = p.matmul(a, a) if n else a
    return result


def multi_dot(arrays: Sequence[Any]) -> Any:
    """Product of several matrices, in the order of the fewest multiplications for the first and last vectors.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.linalg.multi_dot([tr.ones((2, 3)), tr.ones((3, 4)), tr.ones(4)])
    tensor([12., 12.])
    """
    xs = [operand(x) for x in arrays]
    if len(xs) < 2:
        raise ValueError(f"multi_dot: got {len(xs)} matrices; expected at least 2")
    if xs[-1].ndim == 1:  # a vector at the end meets the others first
        return functools.reduce(lambda x, a: p.matmul(a, x), reversed(xs))
    return functools.reduce(p.matmul, xs)
