"""Along an axis: running sums and products, differences, and numbers at equal distances."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.arguments import ARRAY, AXES, DTYPE, FLAG, WHOLE, checked, misused, one_of
from tinyrnn.autograd.functions.elementwise import astype
from tinyrnn.autograd.functions.joining import concatenate
from tinyrnn.autograd.functions.shaping import broadcast_to, flatten, moveaxis, swapaxes
from tinyrnn.autograd.operands import operand
from tinyrnn.autograd.shapes import Axis, normalize_axis
from tinyrnn.autograd.signatures import of_one, of_two

__all__ = ["cumprod", "cumsum", "diff", "gradient", "linspace"]


def _along(x: Any, axis: int, index: slice) -> Any:
    return x[(*(slice(None),) * axis, index)]


@of_one
@checked(axis=WHOLE.or_none())
def cumsum(x: Any, axis: int | None = None) -> Any:
    """Sum of each element and all before it, along an axis or of all elements in one.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.cumsum(tr.tensor([1.0, 2.0, 3.0]))
    tensor([1., 3., 6.])
    """
    x = flatten(x) if axis is None else operand(x)
    axis = -1 if axis is None else axis
    return swapaxes(p.cumsum(swapaxes(x, axis, -1)), axis, -1)


@of_one
@checked(axis=WHOLE.or_none())
def cumprod(x: Any, axis: int | None = None) -> Any:
    """Product of each element and all before it, along an axis or of all elements in one.

    It is made of products of neighbours, then of neighbouring pairs and so on: so its gradient divides by
    nothing, and is right where elements are 0.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.cumprod(tr.tensor([1.0, 2.0, 3.0]))
    tensor([1., 2., 6.])
    """
    x = flatten(x) if axis is None else operand(x)
    (axis,) = normalize_axis(-1 if axis is None else axis, x.ndim)
    x = widened(x)
    step = 1
    while step < x.shape[axis]:
        later = _along(x, axis, slice(step, None)) * _along(x, axis, slice(None, -step))
        x = concatenate([_along(x, axis, slice(None, step)), later], axis)
        step *= 2
    return x


def widened(x: Any) -> Any:
    """Return small integers and booleans as NumPy takes them up in a product."""
    if x.dtype.kind not in "iub":
        return x
    kind = np.prod(np.ones(1, x.dtype)).dtype
    return x if x.dtype == kind else astype(x, kind)


@of_one
@checked(n=WHOLE, axis=WHOLE)
def diff(x: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """Differences of neighbours along an axis, ``n`` times over.

    Parameters
    ----------
    x : array_like or Tensor
        The elements.
    n : int
        How often.
    axis : int
        Along which axis.
    prepend, append : array_like or Tensor, optional
        What to put before and behind first; a number is one element.

    Raises
    ------
    ValueError
        Where ``n`` is negative, or there is no axis.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.diff(tr.tensor([1.0, 4.0, 9.0]))
    tensor([3., 5.])
    """
    x = operand(x)
    if n < 0 or not x.ndim:
        raise ValueError(f"diff: n is {n} and the operand has shape {x.shape}; expected n >= 0 and an axis")
    if n == 0:
        return x
    (axis,) = normalize_axis(axis, x.ndim)

    def end(part: Any) -> list[Any]:
        if part is None:
            return []
        part = operand(part)
        return [part if part.ndim else broadcast_to(part, (*x.shape[:axis], 1, *x.shape[axis + 1 :]))]

    x = concatenate([*end(prepend), x, *end(append)], axis)
    for _ in range(n):
        later, earlier = _along(x, axis, slice(1, None)), _along(x, axis, slice(None, -1))
        x = p.not_equal(later, earlier) if x.dtype.kind == "b" else later - earlier
    return x


@checked(axis=AXES, edge_order=one_of(1, 2))
def gradient(f: Any, *varargs: Any, axis: Axis = None, edge_order: int = 1) -> Any:
    """Slope of sampled values along axes, by central differences, as `numpy.gradient`.

    Parameters
    ----------
    f : array_like or Tensor
        The samples.
    *varargs : number or array_like
        The distance of the samples, or their places: one for all axes, or one for each; 1 unless given.
    axis : int or tuple of int, optional
        Along which axes; all unless given.
    edge_order : int
        1 or 2: of what order the differences at the two ends are.

    Returns
    -------
    Tensor or tuple of Tensor
        The slope along the axis; several in a tuple.

    Raises
    ------
    ValueError
        Where an axis has too few samples, or the distances do not fit.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.gradient(tr.tensor([1.0, 4.0, 9.0, 16.0]))
    tensor([3., 4., 6., 7.])
    """
    f = operand(f)
    if f.dtype.kind != "f":
        f = astype(f, np.float64)
    if not f.ndim:
        raise ValueError("gradient: f is a single number; expected at least one axis")
    axes = normalize_axis(axis, f.ndim)
    for distance in varargs:
        if not ARRAY.of_type(distance):
            raise misused(distance, "a number, or the places of the samples")
    distances = varargs or (1.0,)
    if len(distances) == 1 and np.ndim(distances[0]) == 0:
        distances = distances * len(axes)
    if len(distances) != len(axes):
        raise ValueError(
            f"gradient: got {len(distances)} distances; expected one, or one for each of {len(axes)} axes"
        )
    if edge_order not in (1, 2):
        raise ValueError(f"gradient: edge_order is {edge_order}; expected 1 or 2")
    slopes = tuple(
        moveaxis(_slope(moveaxis(f, i, 0), np.asarray(d, f.dtype), edge_order), 0, i)
        for i, d in zip(axes, distances)
    )
    return slopes[0] if len(slopes) == 1 else slopes


def _slope(f: Any, places: Any, order: int) -> Any:
    """Return the slope along the first axis: that of the parabola through each three neighbours."""
    n = len(f)
    if n <= order:
        raise ValueError(f"gradient: an axis has {n} samples; expected at least {order + 1}")
    if places.ndim and places.shape != (n,):
        raise ValueError(f"gradient: the places have shape {places.shape}; expected ({n},)")
    h = np.diff(places) if places.ndim else np.full(n - 1, places)
    h = h.reshape(-1, *(1,) * (f.ndim - 1))
    line = (f[1:] - f[:-1]) / h
    a, b = h[:-1], h[1:]
    middle = (line[:-1] * b + line[1:] * a) / (a + b)
    if order == 1:
        return concatenate([line[:1], middle, line[-1:]], 0)
    first = line[:1] + (line[:1] - line[1:2]) * (h[:1] / (h[:1] + h[1:2]))
    last = line[-1:] + (line[-1:] - line[-2:-1]) * (h[-1:] / (h[-1:] + h[-2:-1]))
    return concatenate([first, middle, last], 0)


@of_two
@checked(num=WHOLE, endpoint=FLAG, retstep=FLAG, dtype=DTYPE, axis=WHOLE)
def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: npt.DTypeLike | None = None,
    axis: int = 0,
) -> Any:
    """Return ``num`` numbers at equal distances from ``start`` to ``stop``, along a new axis.

    Parameters
    ----------
    start, stop : array_like or Tensor
        The first and the last; they broadcast.
    num : int
        How many.
    endpoint : bool
        Whether the last is ``stop`` itself, and not one distance before it.
    retstep : bool
        Whether to return the distance as well.
    dtype : dtype_like, optional
        The dtype of the result.
    axis : int
        Where the new axis stands.

    Raises
    ------
    ValueError
        Where ``num`` is negative.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.linspace(tr.tensor(0.0), 1.0, 3)
    tensor([0. , 0.5, 1. ])
    """
    if num < 0:
        raise ValueError(f"linspace: num is {num}; expected 0 or more")
    start, stop = operand(start) * 1.0, operand(stop) * 1.0
    shape = np.broadcast_shapes(start.shape, stop.shape)
    start, stop = broadcast_to(start, shape), broadcast_to(stop, shape)
    if num > endpoint:
        gap = (stop - start) / (num - 1 if endpoint else num)
        result = start + np.arange(num).reshape(-1, *(1,) * len(shape)) * gap
    else:
        gap, result = np.full(shape, np.nan), broadcast_to(start, (num, *shape))
    if endpoint and num > 1:
        result = concatenate([result[:-1], p.reshape(stop, shape=(1, *shape))], 0)
    result = moveaxis(result, 0, axis)
    result = result if dtype is None else astype(result, dtype)
    return (result, gap) if retstep else result
