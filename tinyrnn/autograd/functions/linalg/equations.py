"""Inverses, systems of equations, determinants and powers."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.arguments import FLAG, SEVERAL, WHOLE, checked, number
from tinyrnn.autograd.functions.linalg.operands import floats, matrix
from tinyrnn.autograd.functions.shaping import expand_dims, squeeze
from tinyrnn.autograd.operands import operand
from tinyrnn.autograd.signatures import of_many, of_one, of_two

__all__ = [
    "det",
    "inv",
    "matrix_power",
    "multi_dot",
    "pinv",
    "slogdet",
    "solve",
]


class SlogdetResult(NamedTuple):
    """What `slogdet` gives."""

    sign: Any
    logabsdet: Any


@of_one
def inv(a: Any) -> Any:
    """Inverse of a matrix.

    Parameters
    ----------
    a : array_like or Tensor, shape (..., M, M)

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.linalg.inv(tr.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5 , 0.  ],
            [0.  , 0.25]])
    """
    return p.inv(matrix("inv", a))


@of_two
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
    a, b = matrix("solve", a), floats(b)
    column = b.ndim == 1
    if not b.ndim or (b.shape[0] if column else b.shape[-2]) != a.shape[-1]:
        raise ValueError(
            f"solve: a has shape {a.shape} and b {b.shape}; expected (..., N, N) and (N,) or (..., N, K)"
        )
    x = p.solve(a, expand_dims(b, -1) if column else b)
    return squeeze(x, -1) if column else x


@of_one
@checked(rcond=number().or_none(), hermitian=FLAG, rtol=number().or_none())
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
    return p.pinv(matrix("pinv", a, square=False), rcond=float(given[0]) if given else 1e-15)


@of_one
def det(a: Any) -> Any:
    """Determinant. Its gradient, the cofactors, is right for a singular matrix too.

    A gradient of that gradient needs a matrix that has an inverse.

    Parameters
    ----------
    a : array_like or Tensor, shape (..., M, M)

    Returns
    -------
    Tensor or ndarray, shape (...)

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.linalg.det(tr.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor(8.)
    """
    return p.det(matrix("det", a))


def slogdet(a: Any) -> SlogdetResult:
    """Sign of the determinant, a constant, and the logarithm of its size.

    Parameters
    ----------
    a : array_like or Tensor, shape (..., M, M)

    Returns
    -------
    sign, logabsdet : Tensor or ndarray, shape (...)

    Examples
    --------
    >>> import tinyrnn as tr
    >>> sign, logabsdet = tr.linalg.slogdet(tr.tensor([[2.0, 0.0], [0.0, -4.0]]))
    >>> sign, logabsdet
    (tensor(-1.), tensor(2.0794...))
    """
    a = matrix("slogdet", a)
    return SlogdetResult(p.sign_of_det(a), p.logabsdet(a))


@of_one
@checked(n=WHOLE)
def matrix_power(a: Any, n: int) -> Any:
    """Product of ``n`` times the same matrix; for negative ``n``, of its inverse.

    Parameters
    ----------
    a : array_like or Tensor, shape (..., M, M)
    n : int

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


@of_many
@checked(arrays=SEVERAL)
def multi_dot(arrays: Sequence[Any]) -> Any:
    """Product of several matrices, in the order of the fewest multiplications for the first and last vectors.

    Parameters
    ----------
    arrays : sequence of array_like or Tensor
        Matrices; the first may be a row and the last a column, each of one axis.

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
