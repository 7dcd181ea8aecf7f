"""Norms of vectors and matrices."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.arguments import AXES, FLAG, Kind, checked
from tinyrnn.autograd.functions.elementwise import abs, astype
from tinyrnn.autograd.functions.linalg.decompositions import svdvals
from tinyrnn.autograd.functions.linalg.operands import floats
from tinyrnn.autograd.functions.reductions import length, max, min, sum
from tinyrnn.autograd.functions.shaping import expand_dims, squeeze
from tinyrnn.autograd.shapes import Axis, normalize_axis
from tinyrnn.autograd.signatures import of_one

__all__ = [
    "matrix_norm",
    "norm",
    "vector_norm",
]

ORDER = Kind(
    "a number, 'fro' or 'nuc'",
    lambda value: isinstance(value, (Real, str)) and not isinstance(value, bool),
    lambda value: value == value if isinstance(value, Real) else value in ("f", "fro", "nuc"),
)


@of_one
@checked(ord=ORDER.or_none(), axis=AXES, keepdims=FLAG)
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
    x = floats(x)
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


@of_one
@checked(axis=AXES, keepdims=FLAG, ord=ORDER)
def vector_norm(x: Any, *, axis: Axis = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """Norm of the elements over any axes, as one vector; see `norm`.

    Parameters
    ----------
    x : array_like or Tensor
    axis : int or tuple of int, optional
        All axes by default.
    keepdims : bool
        Whether the axes stay, with length 1.
    ord : number, inf or -inf
        Which norm, as in `norm`.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.linalg.vector_norm(tr.tensor([[3.0, 4.0]]), ord=1)
    tensor(7.)
    """
    x = floats(x)
    if isinstance(ord, str):
        raise ValueError(f"norm: ord is {ord!r}; expected a number for vectors")
    if ord == 0:
        return sum(astype(p.not_equal(x, 0), x.dtype), axis, keepdims)
    if np.isinf(ord):
        return (max if ord > 0 else min)(abs(x), axis, keepdims)
    return sum(abs(x), axis, keepdims) if ord == 1 else length(x, axis, keepdims, float(ord))


@of_one
@checked(keepdims=FLAG, ord=ORDER)
def matrix_norm(x: Any, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """Norm of the matrices in the last two axes; see `norm`.

    Parameters
    ----------
    x : array_like or Tensor, shape (..., M, N)
    keepdims : bool
        Whether the two axes stay, with length 1.
    ord
        Which norm, as in `norm`.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.linalg.matrix_norm(tr.ones((5, 2, 2)), ord="nuc").shape
    (5,)
    """
    return norm(x, ord, (-2, -1), keepdims)
