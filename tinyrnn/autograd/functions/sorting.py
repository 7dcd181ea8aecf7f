"""Order along an axis. Which element goes where carries no gradient; the elements do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.arguments import WHOLE, WHOLES, checked
from tinyrnn.autograd.functions.shaping import flatten, swapaxes
from tinyrnn.autograd.operands import operand
from tinyrnn.autograd.shapes import normalize_axis
from tinyrnn.autograd.signatures import of_one, of_two

__all__ = ["argpartition", "argsort", "partition", "sort", "take_along_axis"]


def _ordered(x: Any, axis: int | None) -> tuple[Any, int]:
    """Return the operand with the axis to be ordered last, and which it was; a number is one element."""
    x = flatten(x) if axis is None else operand(x)
    (at,) = normalize_axis(-1 if axis is None else axis, x.ndim)
    return swapaxes(x, at, -1), at


@of_one
@checked(axis=WHOLE.or_none())
def argsort(x: Any, axis: int | None = -1) -> Any:
    """Return the indices that would sort along an axis; equal elements keep their order.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.argsort(tr.tensor([3.0, 1.0, 2.0]))
    tensor([1, 2, 0])
    """
    x, at = _ordered(x, axis)
    return swapaxes(p.argsort(x), at, -1)


@of_one
@checked(axis=WHOLE.or_none())
def sort(x: Any, axis: int | None = -1) -> Any:
    """Sort along an axis, or all elements (None). A gradient goes to the element that stood there.

    Of equal elements the first comes first, so the gradient at a tie is one of those that are right.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.sort(tr.tensor([3.0, 1.0, 2.0]))
    tensor([1., 2., 3.])
    """
    x, at = _ordered(x, axis)
    return swapaxes(p.pick(x, p.argsort(x)), at, -1)


@of_one
@checked(kth=WHOLES, axis=WHOLE.or_none())
def argpartition(x: Any, kth: int | Sequence[int], axis: int | None = -1) -> Any:
    """Return the indices that would partition along an axis; see `partition`.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.argpartition(tr.tensor([3.0, 1.0, 2.0]), 0)[0]
    tensor(1)
    """
    x, at = _ordered(x, axis)
    return swapaxes(p.argpartition(x, kth=_kth(kth)), at, -1)


@of_one
@checked(kth=WHOLES, axis=WHOLE.or_none())
def partition(x: Any, kth: int | Sequence[int], axis: int | None = -1) -> Any:
    """Put the ``kth`` element where it stands in sorted order, smaller ones before it and larger ones behind.

    In which order those stand is not said.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.partition(tr.tensor([3.0, 1.0, 2.0]), 1)[1]
    tensor(2.)
    """
    x, at = _ordered(x, axis)
    return swapaxes(p.pick(x, p.argpartition(x, kth=_kth(kth))), at, -1)


def _kth(kth: Any) -> Any:
    return int(kth) if isinstance(kth, (int, np.integer)) else tuple(int(k) for k in kth)


@of_two
@checked(axis=WHOLE.or_none())
def take_along_axis(x: Any, indices: Any, axis: int | None = -1) -> Any:
    """Pick along an axis with an index for each element that comes out, as those of `argsort`.

    Raises
    ------
    ValueError
        Where ``x`` and the indices have not as many axes.
    IndexError
        Where the indices are not integers.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.take_along_axis(tr.tensor([[1.0, 2.0], [3.0, 4.0]]), [[0], [1]], 1)
    tensor([[1.],
            [4.]])
    """
    x, indices = (flatten(x) if axis is None else operand(x)), operand(indices)
    if indices.dtype.kind not in "iu":
        raise IndexError(f"take_along_axis: the indices have dtype {indices.dtype}; expected integers")
    if x.ndim != indices.ndim:
        raise ValueError(
            f"take_along_axis: x has {x.ndim} axes and the indices {indices.ndim}; expected as many"
        )
    (at,) = normalize_axis(-1 if axis is None else axis, x.ndim)
    return swapaxes(p.pick(swapaxes(x, at, -1), swapaxes(indices, at, -1)), at, -1)
