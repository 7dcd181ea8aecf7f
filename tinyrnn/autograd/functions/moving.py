"""Elements moved or repeated: roll, flip, tile, pad."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.arguments import ARRAY, AXES, TEXT, WHOLE, WHOLES, Kind, checked, shown
from tinyrnn.autograd.functions.indexing import take
from tinyrnn.autograd.functions.joining import concatenate
from tinyrnn.autograd.functions.shaping import flatten, swapaxes
from tinyrnn.autograd.operands import operand
from tinyrnn.autograd.shapes import Axis, normalize_axis, whole_numbers
from tinyrnn.autograd.signatures import of_one

__all__ = ["flip", "fliplr", "flipud", "pad", "repeat", "roll", "rot90", "tile"]


@of_one
@checked(shift=WHOLES, axis=AXES)
def roll(x: Any, shift: int | Sequence[int], axis: Axis = None) -> Any:
    """Move the elements along axes, and those that leave at one end in again at the other.

    Parameters
    ----------
    x : array_like or Tensor
        The elements.
    shift : int or sequence of int
        By how many places, for each axis.
    axis : int or sequence of int, optional
        Which; by default along all elements as if in one axis.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.roll(tr.tensor([1.0, 2.0, 3.0]), 1)
    tensor([3., 1., 2.])
    """
    x = operand(x)
    if axis is None:
        return p.reshape(roll(flatten(x), int(np.sum(shift)), 0), shape=x.shape)
    axes = normalize_axis(axis, x.ndim)
    shifts = whole_numbers(shift, WHOLES.expected)
    if len(shifts) != len(axes) and 1 not in (len(shifts), len(axes)):
        raise ValueError(f"roll: shift is {shift} and axis {axis}; expected as many")
    for by, along in np.broadcast(shifts, axes):
        length = x.shape[along]
        by = int(by) % length if length else 0
        if by:
            lead = (slice(None),) * int(along)
            end, beginning = x[(*lead, slice(length - by, None))], x[(*lead, slice(None, length - by))]
            x = concatenate([end, beginning], int(along))
    return x


@of_one
@checked(axis=AXES)
def flip(x: Any, axis: Axis = None) -> Any:
    """Reverse the order of the elements along axes, by default all.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.flip(tr.tensor([1.0, 2.0, 3.0]))
    tensor([3., 2., 1.])
    """
    x = operand(x)
    axes = normalize_axis(axis, x.ndim)
    return x[tuple(slice(None, None, -1) if i in axes else slice(None) for i in range(x.ndim))]


@of_one
def fliplr(x: Any) -> Any:
    """Reverse the order along the second axis.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.fliplr(tr.tensor([[1.0, 2.0]]))
    tensor([[2., 1.]])
    """
    return flip(x, 1)


@of_one
def flipud(x: Any) -> Any:
    """Reverse the order along the first axis.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.flipud(tr.tensor([1.0, 2.0]))
    tensor([2., 1.])
    """
    return flip(x, 0)


PLANE = Kind("two axes, as ints", lambda value: not WHOLE.of_type(value) and WHOLES.of_type(value))


@of_one
@checked(k=WHOLE, axes=PLANE)
def rot90(x: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Any:
    """Turn ``k`` times by 90 degrees, from the first of two axes to the second.

    Raises
    ------
    ValueError
        Where the axes are not two.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.rot90(tr.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[2., 4.],
            [1., 3.]])
    """
    x = operand(x)
    first, second = (*normalize_axis(tuple(axes), x.ndim), -1, -1)[:2]
    if len(axes) != 2 or first == second:
        raise ValueError(f"rot90: axes are {tuple(axes)}; expected two axes")
    k %= 4
    if k == 2:
        return flip(x, (first, second))
    if k == 1:
        return swapaxes(flip(x, second), first, second)
    return flip(swapaxes(x, first, second), second) if k else x


@of_one
@checked(reps=WHOLES)
def tile(x: Any, reps: int | Sequence[int]) -> Any:
    """Repeat the whole array along each axis.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.tile(tr.tensor([1.0, 2.0]), (2, 2))
    tensor([[1., 2., 1., 2.],
            [1., 2., 1., 2.]])
    """
    x = operand(x)
    times = whole_numbers(reps, WHOLES.expected)
    if any(n < 0 for n in times):
        raise ValueError(f"tile: reps is {reps}; expected numbers of 0 or more")
    ndim = max(x.ndim, len(times))
    times = (1,) * (ndim - len(times)) + times
    old = (1,) * (ndim - x.ndim) + x.shape
    x = p.reshape(x, shape=tuple(m for n in old for m in (1, n)))
    x = p.broadcast_to(x, shape=tuple(m for pair in zip(times, old, strict=True) for m in pair))
    return p.reshape(x, shape=tuple(m * n for m, n in zip(times, old, strict=True)))


@of_one
@checked(repeats=WHOLES, axis=WHOLE.or_none())
def repeat(x: Any, repeats: int | Sequence[int], axis: int | None = None) -> Any:
    """Repeat each element along an axis, by default of all elements in one axis.

    ``repeats`` says how often: one number, or one for each element of the axis.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.repeat(tr.tensor([1.0, 2.0]), 2)
    tensor([1., 1., 2., 2.])
    >>> tr.repeat(tr.tensor([1.0, 2.0]), [1, 3])
    tensor([1., 2., 2., 2.])
    """
    x, times = operand(x), np.asarray(repeats)
    if axis is None:
        x, axis = flatten(x), 0
    (axis,) = normalize_axis(axis, x.ndim)
    if (times < 0).any():
        raise ValueError(f"repeat: repeats is {repeats}; expected numbers of 0 or more")
    if times.shape not in ((), (1,), x.shape[axis : axis + 1]):
        raise ValueError(f"repeat: repeats has shape {times.shape}; expected one number or {x.shape[axis]}")
    if times.size != 1:
        return take(x, np.repeat(np.arange(x.shape[axis]), times), axis)
    before, (length, *after), n = x.shape[:axis], x.shape[axis:], int(times.reshape(()))
    x = p.reshape(x, shape=(*before, length, 1, *after))
    x = p.broadcast_to(x, shape=(*before, length, n, *after))
    return p.reshape(x, shape=(*before, length * n, *after))


def _pairs(name: str, given: Any, ndim: int, kinds: str) -> Any:
    """Return a number, a pair or several pairs as a pair for each axis."""
    expected = f"a number, a pair, or {ndim} pairs" + (" of ints" if "f" not in kinds else "")
    if not ARRAY.of_type(given) or np.asarray(given).dtype.kind not in kinds:
        raise TypeError(f"pad: {name} is {shown(given)}; expected {expected}")
    try:
        return np.broadcast_to(np.asarray(given), (ndim, 2))
    except ValueError:
        raise ValueError(f"pad: {name} is {given}; expected {expected}") from None


_BY_INDEX = ("edge", "reflect", "symmetric", "wrap")


@of_one
@checked(mode=TEXT)
def pad(x: Any, pad_width: Any, mode: str = "constant", **kwargs: Any) -> Any:
    """Add elements at both ends of each axis, as `numpy.pad`.

    Parameters
    ----------
    x : array_like or Tensor
        What to extend.
    pad_width : int, pair, or sequence of pairs
        How many elements before and after: for all axes, or for each.
    mode : str
        "constant", "edge", "reflect", "symmetric" or "wrap".
    constant_values : number, pair, or sequence of pairs
        What "constant" adds; 0 unless given.

    Raises
    ------
    ValueError
        Where the mode is another, or an argument is not one of this mode.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.pad(tr.tensor([1.0, 2.0, 3.0]), (1, 2))
    tensor([0., 1., 2., 3., 0., 0.])
    >>> tr.pad(tr.tensor([1.0, 2.0, 3.0]), (1, 2), "reflect")
    tensor([2., 1., 2., 3., 2., 1.])
    """
    x = operand(x)
    if mode != "constant" and mode not in _BY_INDEX:
        raise ValueError(f"pad: mode is {mode!r}; expected 'constant', {', '.join(map(repr, _BY_INDEX))}")
    known = {"constant_values"} if mode == "constant" else set()
    if not kwargs.keys() <= known:
        raise ValueError(f"pad: got {sorted(kwargs.keys() - known)}, which mode {mode!r} does not take here")
    widths: Any = _pairs("pad_width", pad_width, x.ndim, "iu").tolist()
    if any(width < 0 for pair in widths for width in pair):
        raise ValueError(f"pad: pad_width is {pad_width}; expected numbers of 0 or more")
    values = _pairs("constant_values", kwargs.get("constant_values", 0), x.ndim, "fiub")
    for axis, (before, after) in enumerate(widths):
        if mode in _BY_INDEX and (before or after):
            modes: Any = mode
            x = take(x, np.pad(np.arange(x.shape[axis]), (before, after), modes), axis)
        elif before or after:
            ends = [
                np.full((*x.shape[:axis], width, *x.shape[axis + 1 :]), value).astype(x.dtype)
                for width, value in zip((before, after), values[axis], strict=True)
            ]
            x = concatenate([ends[0], x, ends[1]], axis)
    return x
