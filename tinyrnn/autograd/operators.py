"""The operators of all that stands for an array: of Tensors, and of the symbols of a trace."""

from __future__ import annotations

import math
from collections.abc import Iterator
from types import EllipsisType
from typing import Any, NoReturn, Self

from tinyrnn.autograd import functions as F
from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.functions.indexing import split_index, without_truths
from tinyrnn.autograd.methods import Methods
from tinyrnn.autograd.numpy_protocol import array_function, array_ufunc
from tinyrnn.autograd.operands import operand
from tinyrnn.autograd.primitive import NONE, Value

STATIC = frozenset((int, slice, EllipsisType, type(None)))  # what an index is made of where no array is in it
_REVERSED = [tuple(range(ndim))[::-1] for ndim in range(65)]  # NumPy has at most 64 axes


class Operators(Methods):
    """What Python's operators mean on a Value. Each enters by the one door."""

    __slots__ = ()
    data: Any

    __array_ufunc__ = array_ufunc
    __array_function__ = array_function

    # --- arithmetic -----------------------------------------------------------------------------------------
    def __add__(self, other: Any) -> Self:
        return self._apply(p.add, (self, other), NONE)

    def __radd__(self, other: Any) -> Self:
        return self._apply(p.add, (other, self), NONE)

    def __sub__(self, other: Any) -> Self:
        return self._apply(p.subtract, (self, other), NONE)

    def __rsub__(self, other: Any) -> Self:
        return self._apply(p.subtract, (other, self), NONE)

    def __mul__(self, other: Any) -> Self:
        return self._apply(p.multiply, (self, other), NONE)

    def __rmul__(self, other: Any) -> Self:
        return self._apply(p.multiply, (other, self), NONE)

    def __truediv__(self, other: Any) -> Self:
        return self._apply(p.divide, (self, other), NONE)

    def __rtruediv__(self, other: Any) -> Self:
        return self._apply(p.divide, (other, self), NONE)

    def __pow__(self, other: Any) -> Self:
        return self._apply(p.power, (self, other), NONE)

    def __rpow__(self, other: Any) -> Self:
        return self._apply(p.power, (other, self), NONE)

    def __mod__(self, other: Any) -> Self:
        return self._apply(p.remainder, (self, other), NONE)

    def __rmod__(self, other: Any) -> Self:
        return self._apply(p.remainder, (other, self), NONE)

    def __floordiv__(self, other: Any) -> Self:
        return F.floor_divide(self, other)

    def __rfloordiv__(self, other: Any) -> Self:
        return F.floor_divide(other, self)

    def __divmod__(self, other: Any) -> tuple[Self, Self]:
        return self // other, self % other

    def __rdivmod__(self, other: Any) -> tuple[Self, Self]:
        return other // self, other % self

    def __matmul__(self, other: Any) -> Self:
        other = other if isinstance(other, Value) else operand(other)  # saves a call in the usual case
        return self._apply(p.matmul, (self, other), NONE)

    def __rmatmul__(self, other: Any) -> Self:
        return self._apply(p.matmul, (operand(other), self), NONE)

    def __neg__(self) -> Self:
        return self._apply(p.negative, (self,), NONE)

    def __pos__(self) -> Self:
        return self

    def __abs__(self) -> Self:
        return self._apply(p.absolute, (self,), NONE)

    # --- comparison -----------------------------------------------------------------------------------------
    def __gt__(self, other: Any) -> Self:
        return self._apply(p.greater, (self, other), NONE)

    def __ge__(self, other: Any) -> Self:
        return self._apply(p.greater_equal, (self, other), NONE)

    def __lt__(self, other: Any) -> Self:
        return self._apply(p.less, (self, other), NONE)

    def __le__(self, other: Any) -> Self:
        return self._apply(p.less_equal, (self, other), NONE)

    def __eq__(self, other: object) -> Self:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._apply(p.equal, (self, other), NONE)

    def __ne__(self, other: object) -> Self:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._apply(p.not_equal, (self, other), NONE)

    __hash__ = object.__hash__

    def __and__(self, other: Any) -> Self:
        return self._apply(p.bitwise_and, (self, other), NONE)

    def __rand__(self, other: Any) -> Self:
        return self._apply(p.bitwise_and, (other, self), NONE)

    def __or__(self, other: Any) -> Self:
        return self._apply(p.bitwise_or, (self, other), NONE)

    def __ror__(self, other: Any) -> Self:
        return self._apply(p.bitwise_or, (other, self), NONE)

    def __xor__(self, other: Any) -> Self:
        return self._apply(p.bitwise_xor, (self, other), NONE)

    def __rxor__(self, other: Any) -> Self:
        return self._apply(p.bitwise_xor, (other, self), NONE)

    def __invert__(self) -> Self:
        return self._apply(p.invert, (self,), NONE)

    def __round__(self, ndigits: int | None = None) -> Self:
        return self.round(ndigits or 0)

    # --- parts ----------------------------------------------------------------------------------------------
    def __getitem__(self, index: Any) -> Self:
        items = index if type(index) is tuple else (index,)
        for item in items:
            if type(item) not in STATIC:
                x, items = without_truths(self, items)
                static, arrays = split_index(items, x.shape)
                return x._apply(p.getitem, (x, *arrays), {"index": static})
        return self._apply(p.getitem, (self,), {"index": items})

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        raise TypeError(
            "a Tensor cannot be assigned to in place, since the tape still needs the old value; build "
            "the new one with tr.where(mask, new, old), or collect the parts in a list and tr.stack(parts)"
        )

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a Tensor with no axes")
        return self.shape[0]

    def __iter__(self) -> Iterator[Self]:
        if not self.shape:
            raise TypeError("a Tensor with no axes cannot be iterated over")
        return (self[i] for i in range(self.shape[0]))

    # --- facts ----------------------------------------------------------------------------------------------
    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def T(self) -> Self:
        """The transpose, all axes in reverse."""
        return self._apply(p.transpose, (self,), {"axes": _REVERSED[len(self.shape)]})

    @property
    def mT(self) -> Self:
        """The transpose of the last two axes."""
        return F.matrix_transpose(self)

    @property
    def real(self) -> Self:
        """The real part: the same."""
        return self

    @property
    def nbytes(self) -> int:
        """The memory that the elements take, in bytes."""
        return self.size * self.dtype.itemsize
