"""Diagonals and triangles."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.arguments import WHOLE, checked
from tinyrnn.autograd.operands import operand
from tinyrnn.autograd.shapes import ARRAY, normalize_axis
from tinyrnn.autograd.signatures import of_one

__all__ = ["diag", "diagonal", "trace", "tril", "triu"]


@of_one
@checked(offset=WHOLE, axis1=WHOLE, axis2=WHOLE)
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Return the elements whose places along two axes differ by ``offset``, along a new last axis.

    Raises
    ------
    ValueError
        Where there are fewer than two axes, or both are the same.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.diagonal(tr.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([1., 4.])
    """
    x = operand(x)
    if x.ndim < 2:
        raise ValueError(f"diagonal: the operand has shape {x.shape}; expected at least two axes")
    first, second = normalize_axis((axis1, axis2), x.ndim)
    if first == second:
        raise ValueError(f"diagonal: axis1 and axis2 are both {axis1}; expected two axes")
    rest = tuple(i for i in range(x.ndim) if i not in (first, second))
    x = p.transpose(x, axes=(*rest, first, second))
    n, m = x.shape[-2:]
    rows, columns = _places(n, m, offset)
    return p.getitem(x, rows, columns, index=(Ellipsis, ARRAY, ARRAY))


def _places(n: int, m: int, offset: int) -> tuple[Any, Any]:
    """Return the rows and columns of a diagonal of an (n, m) matrix."""
    rows = np.arange(max(0, -offset), max(0, -offset, min(n, m - offset)))
    return rows, rows + offset


@of_one
@checked(k=WHOLE)
def diag(v: Any, k: int = 0) -> Any:
    """Return the ``k``-th diagonal of a matrix; of a vector, the matrix that has it there, and zeros.

    Raises
    ------
    ValueError
        Where the operand has neither one axis nor two.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.diag(tr.tensor([1.0, 2.0]))
    tensor([[1., 0.],
            [0., 2.]])
    """
    v = operand(v)
    if v.ndim == 2:
        return diagonal(v, k)
    if v.ndim != 1:
        raise ValueError(f"diag: the operand has shape {v.shape}; expected one axis or two")
    n = len(v) + abs(k)
    return p.scatter(v, *_places(n, n, k), index=(ARRAY, ARRAY), shape=(n, n))


@of_one
@checked(offset=WHOLE, axis1=WHOLE, axis2=WHOLE)
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """Sum of a diagonal; see `diagonal`.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.trace(tr.ones((3, 3)))
    tensor(3.)
    """
    return p.sum(diagonal(x, offset, axis1, axis2), axis=-1, keepdims=False)


def _triangle(primitive: Any, x: Any, k: int) -> Any:
    x = operand(x)
    if not x.ndim:
        raise ValueError(f"{primitive.name}: m is a single number; expected at least one axis")
    if x.ndim == 1:  # NumPy makes rows of it
        x = p.broadcast_to(x, shape=(len(x), len(x)))
    return primitive(x, k=int(k))


@of_one
@checked(k=WHOLE)
def tril(m: Any, k: int = 0) -> Any:
    """Keep what stands on the ``k``-th diagonal and below, in the last two axes; the rest is 0.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.tril(tr.ones((2, 2)))
    tensor([[1., 0.],
            [1., 1.]])
    """
    return _triangle(p.tril, m, k)


@of_one
@checked(k=WHOLE)
def triu(m: Any, k: int = 0) -> Any:
    """Keep what stands on the ``k``-th diagonal and above, in the last two axes; the rest is 0.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.triu(tr.ones((2, 2)))
    tensor([[1., 1.],
            [0., 1.]])
    """
    return _triangle(p.triu, m, k)
