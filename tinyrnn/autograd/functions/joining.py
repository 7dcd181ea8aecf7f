"""Join arrays, and cut them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.arguments import ARRAY, WHOLE, WHOLES, checked, shown
from tinyrnn.autograd.functions.shaping import atleast_1d, atleast_2d, atleast_3d, flatten
from tinyrnn.autograd.operands import operand, several
from tinyrnn.autograd.shapes import normalize_axis, whole_numbers
from tinyrnn.autograd.signatures import in_parts, of_many, of_two

__all__ = [
    "append",
    "array_split",
    "c_",
    "column_stack",
    "concat",
    "concatenate",
    "dsplit",
    "dstack",
    "hsplit",
    "hstack",
    "r_",
    "split",
    "stack",
    "vsplit",
    "vstack",
]


@of_many
@checked(axis=WHOLE.or_none())
def concatenate(arrays: Sequence[Any], axis: int | None = 0) -> Any:
    """Join arrays along an axis that they have; with None all their elements, in one axis.

    Raises
    ------
    ValueError
        Where there are none, or where their shapes differ in another axis.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.concatenate([tr.ones(2), tr.zeros(1)])
    tensor([1., 1., 0.])
    """
    xs = [operand(x) for x in several(arrays)]
    if not xs:
        raise ValueError("concatenate: got no arrays; expected at least one")
    if axis is None:
        xs, axis = [flatten(x) for x in xs], 0
    (axis,) = normalize_axis(axis, xs[0].ndim)
    shapes = [x.shape for x in xs]
    if any(
        len(s) != len(shapes[0]) or s[:axis] + s[axis + 1 :] != shapes[0][:axis] + shapes[0][axis + 1 :]
        for s in shapes
    ):
        raise ValueError(
            f"concatenate: the shapes are {shapes}; expected shapes that differ only in axis {axis}"
        )
    offsets = (0, *itertools.accumulate(s[axis] for s in shapes))
    return p.concatenate(*xs, axis=axis, offsets=offsets)


@of_many
@checked(axis=WHOLE)
def stack(arrays: Sequence[Any], axis: int = 0) -> Any:
    """Join arrays of one shape along a new axis.

    Raises
    ------
    ValueError
        Where there are none, or where their shapes differ.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.stack([tr.ones(2), tr.zeros(2)])
    tensor([[1., 1.],
            [0., 0.]])
    """
    xs = [operand(x) for x in several(arrays)]
    if not xs:
        raise ValueError("stack: got no arrays; expected at least one")
    shapes = [x.shape for x in xs]
    if len(set(shapes)) > 1:
        raise ValueError(f"stack: the arrays have shapes {shapes}; expected one shape")
    (axis,) = normalize_axis(axis, xs[0].ndim + 1)
    return p.stack(*xs, axis=axis)


concat = concatenate


@of_many
def vstack(arrays: Sequence[Any]) -> Any:
    """Join arrays as rows, along the first axis; what has one axis is one row.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.vstack([tr.ones(2), tr.zeros(2)])
    tensor([[1., 1.],
            [0., 0.]])
    """
    return concatenate([atleast_2d(x) for x in several(arrays)], 0)


@of_many
def hstack(arrays: Sequence[Any]) -> Any:
    """Join arrays along the second axis; what has one axis, along that.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.hstack([tr.ones(2), tr.zeros(1)])
    tensor([1., 1., 0.])
    """
    xs = [atleast_1d(x) for x in several(arrays)]
    return concatenate(xs, 0 if xs and xs[0].ndim == 1 else 1)


@of_many
def dstack(arrays: Sequence[Any]) -> Any:
    """Join arrays along the third axis, as `atleast_3d` gives it.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.dstack([tr.ones(2), tr.zeros(2)]).shape
    (1, 2, 2)
    """
    return concatenate([atleast_3d(x) for x in several(arrays)], 2)


@of_many
def column_stack(arrays: Sequence[Any]) -> Any:
    """Join arrays as columns; what has one axis is one column.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.column_stack([tr.ones(2), tr.zeros(2)])
    tensor([[1., 0.],
            [1., 0.]])
    """
    xs = [operand(x) for x in several(arrays)]
    return concatenate([x if x.ndim > 1 else atleast_2d(x).T for x in xs], 1)


@of_two
@checked(axis=WHOLE.or_none())
def append(x: Any, values: Any, axis: int | None = None) -> Any:
    """Join two arrays along an axis, or all their elements in one.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.append(tr.ones(2), 5.0)
    tensor([1., 1., 5.])
    """
    return concatenate([x, values], axis)


def _is_range(part: slice) -> bool:
    start, stop, step = (isinstance(end, (Real, complex)) for end in (part.start, part.stop, part.step))
    return stop and (start or part.start is None) and (step or part.step is None) and part.step != 0


class _Joined:
    """Join what stands in brackets, along one axis: `r_` along the first, `c_` as columns, as in NumPy.

    Raises
    ------
    TypeError
        Where a part is no array, number, or slice of numbers with an end.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> a = tr.tensor([1.0, 2.0])
    >>> tr.r_[a, 0.0, 3:5]
    tensor([1., 2., 0., 3., 4.])
    >>> tr.c_[a, 10 * a]
    tensor([[ 1., 10.],
            [ 2., 20.]])
    """

    def __init__(self, columns: bool) -> None:
        self.columns = columns

    def __getitem__(self, parts: Any) -> Any:
        many: tuple[Any, ...] = parts if isinstance(parts, tuple) else (parts,)
        for part in many:
            if isinstance(part, str):
                raise TypeError(f"{self!r}: a part is a text; use concatenate with its axis")
            if not (
                _is_range(part) if isinstance(part, slice) else ARRAY.of_type(part) or type(part) is list
            ):
                raise TypeError(
                    f"{self!r}: a part is {shown(part)}; expected arrays, or slices of numbers with an end"
                )
        xs = [atleast_1d(self._range(part) if isinstance(part, slice) else part) for part in many]
        if not self.columns:
            return concatenate(xs, 0)
        return concatenate([x if x.ndim > 1 else p.reshape(x, shape=(*x.shape, 1)) for x in xs], -1)

    @staticmethod
    def _range(part: slice) -> Any:
        start, step = part.start or 0, 1 if part.step is None else part.step
        if isinstance(step, complex):
            return np.linspace(start, part.stop, int(abs(step)))
        return np.arange(start, part.stop, step)

    def __repr__(self) -> str:
        return "c_" if self.columns else "r_"


r_ = _Joined(columns=False)  # tr.r_[a, 0.0, b]: along the first axis, as numpy.r_
c_ = _Joined(columns=True)  # tr.c_[a, b]: as columns, as numpy.c_


@in_parts
@checked(sections=WHOLES, axis=WHOLE)
def split(x: Any, sections: int | Sequence[int], axis: int = 0) -> list[Any]:
    """Cut along an axis into equal parts, or at the given places, as `numpy.split`.

    Raises
    ------
    ValueError
        Where the axis cannot be cut into that many equal parts (`array_split` takes nearly equal ones).

    Examples
    --------
    >>> import tinyrnn as tr
    >>> [part.shape for part in tr.split(tr.ones((2, 6)), 3, axis=1)]
    [(2, 2), (2, 2), (2, 2)]
    """
    x = operand(x)
    (axis,) = normalize_axis(axis, x.ndim)
    length = x.shape[axis]
    if isinstance(sections, (int, np.integer)):
        if sections < 1 or length % sections:
            raise ValueError(
                f"split: sections is {sections}; expected a divisor of {length}, the length of axis {axis} "
                "(array_split cuts it into nearly equal ones)"
            )
        width = length // int(sections)
        bounds = [(i * width, (i + 1) * width) for i in range(int(sections))]
    else:
        places = whole_numbers(sections, "an int, or the places to cut at")
        bounds = list(itertools.pairwise([0, *places, length]))
    return _cut(x, bounds, axis)


@in_parts
@checked(sections=WHOLES, axis=WHOLE)
def array_split(x: Any, sections: int | Sequence[int], axis: int = 0) -> list[Any]:
    """Cut along an axis into nearly equal parts, the longer ones first, or at the given places.

    Raises
    ------
    ValueError
        Where the number of parts is less than 1.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> [len(part) for part in tr.array_split(tr.ones(7), 3)]
    [3, 2, 2]
    """
    x = operand(x)
    if not isinstance(sections, (int, np.integer)):
        return split(x, sections, axis)
    if sections < 1:
        raise ValueError(f"array_split: got {sections} sections; expected at least 1")
    (axis,) = normalize_axis(axis, x.ndim)
    width, longer = divmod(x.shape[axis], int(sections))
    widths = [width + 1] * longer + [width] * (int(sections) - longer)
    return _cut(x, list(itertools.pairwise([0, *itertools.accumulate(widths)])), axis)


def _cut(x: Any, bounds: list[tuple[int, int]], axis: int) -> list[Any]:
    return [x[(*(slice(None),) * axis, slice(low, high))] for low, high in bounds]


@in_parts
@checked(sections=WHOLES)
def vsplit(x: Any, sections: int | Sequence[int]) -> list[Any]:
    """Cut along the first axis; see `split`.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> [part.shape for part in tr.vsplit(tr.ones((4, 2)), 2)]
    [(2, 2), (2, 2)]
    """
    return split(_with_axes("vsplit", x, 2), sections, 0)


@in_parts
@checked(sections=WHOLES)
def hsplit(x: Any, sections: int | Sequence[int]) -> list[Any]:
    """Cut along the second axis; what has one axis, along that. See `split`.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> [part.shape for part in tr.hsplit(tr.ones((2, 4)), 2)]
    [(2, 2), (2, 2)]
    """
    x = _with_axes("hsplit", x, 1)
    return split(x, sections, 0 if x.ndim == 1 else 1)


@in_parts
@checked(sections=WHOLES)
def dsplit(x: Any, sections: int | Sequence[int]) -> list[Any]:
    """Cut along the third axis; see `split`.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> [part.shape for part in tr.dsplit(tr.ones((1, 2, 4)), 2)]
    [(1, 2, 2), (1, 2, 2)]
    """
    return split(_with_axes("dsplit", x, 3), sections, 2)


def _with_axes(name: str, x: Any, ndim: int) -> Any:
    x = operand(x)
    if x.ndim < ndim:
        raise ValueError(f"{name}: the operand has shape {x.shape}; expected at least {ndim} axes")
    return x
