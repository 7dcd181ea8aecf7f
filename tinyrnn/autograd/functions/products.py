"""Products of vectors, matrices and more axes: all of them become one matrix product, or a plain one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.arguments import SEVERAL, WHOLE, WHOLES, Kind, checked
from tinyrnn.autograd.functions.joining import stack
from tinyrnn.autograd.functions.shaping import flatten, moveaxis
from tinyrnn.autograd.operands import operand
from tinyrnn.autograd.shapes import normalize_axis
from tinyrnn.autograd.signatures import of_two

__all__ = ["cross", "dot", "inner", "kron", "matmul", "outer", "tensordot", "vdot"]


@of_two
def matmul(a: Any, b: Any) -> Any:
    """Matrix product, as `numpy.matmul`: 1-D to batched.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.matmul(tr.ones((2, 3)), tr.ones(3))
    tensor([3., 3.])
    """
    return p.matmul(operand(a), operand(b))


@of_two
def dot(a: Any, b: Any) -> Any:
    """Sum of products over the last axis of ``a`` and the last but one of ``b``; with a number, the product.

    Up to two axes it is `matmul`. Beyond, it pairs every row of ``a`` with every column of ``b``.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.dot(tr.ones(3), tr.ones(3))
    tensor(3.)
    >>> tr.dot(tr.ones((2, 3)), tr.ones((5, 3, 4))).shape
    (2, 5, 4)
    """
    a, b = operand(a), operand(b)
    if not a.ndim or not b.ndim:
        return p.multiply(a, b)
    return p.matmul(a, b) if b.ndim < 3 else tensordot(a, b, (-1, -2))


@of_two
def vdot(a: Any, b: Any) -> Any:
    """Sum of the products of all elements.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.vdot(tr.ones((2, 3)), tr.ones((3, 2)))
    tensor(6.)
    """
    return p.matmul(flatten(a), flatten(b))


@of_two
def inner(a: Any, b: Any) -> Any:
    """Sum of products over the last axes of both; with a number, the product.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.inner(tr.ones((2, 3)), tr.ones((4, 3))).shape
    (2, 4)
    """
    a, b = operand(a), operand(b)
    return tensordot(a, b, (-1, -1)) if a.ndim and b.ndim else p.multiply(a, b)


@of_two
def outer(a: Any, b: Any) -> Any:
    """Product of every element of ``a`` with every element of ``b``, as a matrix.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.outer(tr.tensor([1.0, 2.0]), tr.tensor([3.0, 4.0]))
    tensor([[3., 4.],
            [6., 8.]])
    """
    a = operand(a)
    return p.multiply(p.reshape(a, shape=(math.prod(a.shape), 1)), flatten(b))


_PAIR = Kind(
    "an int, or a pair of axes or of several axes",
    lambda value: WHOLES.of_type(value) or (SEVERAL.of_type(value) and all(map(WHOLES.of_type, value))),
)


@of_two
@checked(axes=_PAIR)
def tensordot(a: Any, b: Any, axes: int | Sequence[Any] = 2) -> Any:
    """Sum of products over some axes of both; what remains of ``a`` stands first.

    Parameters
    ----------
    a, b : array_like or Tensor
        The operands.
    axes : int or pair
        How many axes, the last of ``a`` and the first of ``b``; or which of ``a``, and which of ``b``.

    Raises
    ------
    ValueError
        Where the axes are not of the same lengths.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.tensordot(tr.ones((2, 3, 4)), tr.ones((3, 4, 5))).shape
    (2, 5)
    >>> tr.tensordot(tr.ones((2, 3, 4)), tr.ones((4, 3, 5)), ([1, 2], [1, 0])).shape
    (2, 5)
    """
    a, b = operand(a), operand(b)
    most = min(a.ndim, b.ndim)
    if isinstance(axes, (int, np.integer)):
        if not 0 <= axes <= most:
            raise ValueError(f"tensordot: axes is {axes}; expected 0 to {most}, or a pair")
        pair: Any = (range(a.ndim - int(axes), a.ndim), range(int(axes)))
    else:
        if len(axes) != 2:
            raise ValueError(f"tensordot: axes is {axes}; expected 0 to {most}, or a pair")
        pair = [(x,) if isinstance(x, (int, np.integer)) else x for x in axes]
    of_a, of_b = normalize_axis(tuple(pair[0]), a.ndim), normalize_axis(tuple(pair[1]), b.ndim)
    summed = tuple(a.shape[i] for i in of_a)
    if len(set(of_a)) != len(of_a) or summed != tuple(b.shape[i] for i in of_b):
        raise ValueError(
            f"tensordot: axes {of_a} of shape {a.shape} meet axes {of_b} of shape {b.shape}; "
            "expected the same lengths"
        )
    free_a = tuple(i for i in range(a.ndim) if i not in of_a)
    free_b = tuple(i for i in range(b.ndim) if i not in of_b)
    rows, columns = [a.shape[i] for i in free_a], [b.shape[i] for i in free_b]
    width = math.prod(summed)
    left = p.reshape(p.transpose(a, axes=free_a + of_a), shape=(math.prod(rows), width))
    right = p.reshape(p.transpose(b, axes=of_b + free_b), shape=(width, math.prod(columns)))
    return p.reshape(p.matmul(left, right), shape=(*rows, *columns))


@of_two
def kron(a: Any, b: Any) -> Any:
    """Kronecker product: ``b``, times each element of ``a``, where that element stands.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.kron(tr.tensor([1.0, 10.0]), tr.tensor([1.0, 2.0]))
    tensor([ 1.,  2., 10., 20.])
    """
    a, b = operand(a), operand(b)
    ndim = max(a.ndim, b.ndim)
    rows, columns = (1,) * (ndim - a.ndim) + a.shape, (1,) * (ndim - b.ndim) + b.shape
    left = p.reshape(a, shape=tuple(n for row in rows for n in (row, 1)))
    right = p.reshape(b, shape=tuple(n for column in columns for n in (1, column)))
    shape = tuple(m * n for m, n in zip(rows, columns, strict=True))
    return p.reshape(p.multiply(left, right), shape=shape)


@of_two
@checked(axisa=WHOLE, axisb=WHOLE, axisc=WHOLE, axis=WHOLE.or_none())
def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """Cross product of vectors of three elements.

    Parameters
    ----------
    a, b : array_like or Tensor, shape (..., 3)
        The vectors; they broadcast.
    axisa, axisb, axisc : int
        Along which axis they lie in ``a``, in ``b`` and in the result.
    axis : int, optional
        The same for all three.

    Raises
    ------
    ValueError
        Where the vectors have not three elements. (NumPy's form for two is deprecated there.)

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.cross(tr.tensor([1.0, 0.0, 0.0]), tr.tensor([0.0, 1.0, 0.0]))
    tensor([0., 0., 1.])
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = moveaxis(a, axisa, -1), moveaxis(b, axisb, -1)
    if a.shape[-1] != 3 or b.shape[-1] != 3:
        raise ValueError(
            f"cross: the vectors have {a.shape[-1]} and {b.shape[-1]} elements; expected 3 and 3"
        )
    (a0, a1, a2), (b0, b1, b2) = ([x[..., i] for i in range(3)] for x in (a, b))
    return moveaxis(stack([a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0], -1), -1, axisc)
