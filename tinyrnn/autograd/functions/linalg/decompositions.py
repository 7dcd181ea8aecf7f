"""Decompositions of a matrix."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.arguments import FLAG, checked, one_of
from tinyrnn.autograd.functions.linalg.operands import matrix
from tinyrnn.autograd.functions.shaping import matrix_transpose
from tinyrnn.autograd.signatures import of_one

__all__ = [
    "cholesky",
    "eigh",
    "eigvalsh",
    "svd",
    "svdvals",
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


TRIANGLE = one_of("L", "U", "l", "u")


@of_one
@checked(upper=FLAG)
def cholesky(a: Any, *, upper: bool = False) -> Any:
    """Triangle ``L`` with ``L @ L.mT == a``, of a symmetric positive definite matrix; or its transpose.

    Only the lower triangle of ``a`` is read (with ``upper`` the upper one). The gradient is that of a
    symmetric matrix, and so symmetric, as in PyTorch.

    Parameters
    ----------
    a : array_like or Tensor, shape (..., M, M)
    upper : bool
        Whether the transpose is wanted.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.linalg.cholesky(tr.tensor([[4.0, 2.0], [2.0, 2.0]]))
    tensor([[2., 0.],
            [1., 1.]])
    """
    a = matrix("cholesky", a)
    return matrix_transpose(p.cholesky(matrix_transpose(a))) if upper else p.cholesky(a)


@checked(UPLO=TRIANGLE)
def eigh(a: Any, UPLO: Literal["L", "U"] = "L") -> EighResult:
    """Eigenvalues, rising, and eigenvectors, as columns, of a symmetric matrix.

    Only the lower triangle of ``a`` is read (with ``UPLO="U"`` the upper one). The gradient is that of a
    symmetric matrix, and so symmetric, as in PyTorch. Eigenvectors of equal eigenvalues are not determined:
    where they are used in a way that depends on their choice, the gradient is not finite. Eigenvalues always
    have one.

    Parameters
    ----------
    a : array_like or Tensor, shape (..., M, M)
    UPLO : {"L", "U"}
        Which triangle is read.

    Returns
    -------
    eigenvalues : Tensor or ndarray, shape (..., M)
    eigenvectors : Tensor or ndarray, shape (..., M, M)

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
    both = p.eigh(matrix("eigh", a), uplo=UPLO.upper())
    return EighResult(both[..., 0, :], both[..., 1:, :])


@of_one
@checked(UPLO=TRIANGLE)
def eigvalsh(a: Any, UPLO: Literal["L", "U"] = "L") -> Any:
    """Eigenvalues of a symmetric matrix, rising; see `eigh`.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.linalg.eigvalsh(tr.tensor([[2.0, 0.0], [0.0, 1.0]]))
    tensor([1., 2.])
    """
    return eigh(a, UPLO).eigenvalues


@checked(full_matrices=FLAG, compute_uv=FLAG, hermitian=FLAG)
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
    a = matrix("svd", a, square=False)
    full = bool(full_matrices and compute_uv)
    parts = SVDResult(*p.svd_parts(p.svd(a, full=full), a.shape[-2], a.shape[-1], full))
    return parts if compute_uv else parts.S


@of_one
def svdvals(a: Any) -> Any:
    """Singular values of a matrix, falling; see `svd`.

    Parameters
    ----------
    a : array_like or Tensor, shape (..., M, N)

    Returns
    -------
    Tensor or ndarray, shape (..., min(M, N))

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.linalg.svdvals(tr.tensor([[3.0, 0.0], [0.0, 4.0]]))
    tensor([4., 3.])
    """
    return svd(a, compute_uv=False)
