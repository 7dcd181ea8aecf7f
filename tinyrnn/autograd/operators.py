"""The operators and methods of all that stands for an array: of Tensors, and of the symbols of a trace."""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import EllipsisType
from typing import Any, NoReturn, Self

import numpy.typing as npt

from tinyrnn.autograd import functions as F
from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.numpy_protocol import array_function, array_ufunc
from tinyrnn.autograd.operands import operand
from tinyrnn.autograd.primitive import NONE, Value
from tinyrnn.autograd.shapes import Axis

STATIC = frozenset((int, slice, EllipsisType, type(None)))  # what an index is made of where no array is in it
_REVERSED = [tuple(range(ndim))[::-1] for ndim in range(65)]  # NumPy has at most 64 axes


class Operators(Value):
    """What Python's operators and NumPy's methods mean on a Value. Each enters by the one door."""

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

    def __invert__(self) -> Self:
        return self._apply(p.invert, (self,), NONE)

    def __round__(self, ndigits: int | None = None) -> Self:
        return self.round(ndigits or 0)

    # --- parts ----------------------------------------------------------------------------------------------
    def __getitem__(self, index: Any) -> Self:
        items = index if type(index) is tuple else (index,)
        for item in items:
            if type(item) not in STATIC:
                static, arrays = F.split_index(index, self.shape)
                return self._apply(p.getitem, (self, *arrays), {"index": static})
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

    def __iter__(self) -> Any:
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

    # --- methods --------------------------------------------------------------------------------------------
    def sum(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """Sum over the axes; see `tinyrnn.sum`."""
        return self._apply(p.sum, (self,), {"axis": axis, "keepdims": keepdims})

    def mean(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """Average over the axes; see `tinyrnn.mean`."""
        return F.mean(self, axis, keepdims)

    def max(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """Largest element along the axes; see `tinyrnn.max`."""
        return F.max(self, axis, keepdims)

    def min(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """Smallest element along the axes; see `tinyrnn.min`."""
        return F.min(self, axis, keepdims)

    def reshape(self, *shape: Any) -> Self:
        """Return the elements in another shape; see `tinyrnn.reshape`."""
        return F.reshape(self, shape[0] if len(shape) == 1 else shape)

    def flatten(self) -> Self:
        """Return the elements in one axis."""
        return F.flatten(self)

    def transpose(self, *axes: Any) -> Self:
        """Permute all axes, as NumPy does; PyTorch's, of two axes, is `swapaxes`. See `tinyrnn.transpose`."""
        return F.transpose(self, axes[0] if len(axes) == 1 else axes or None)

    def swapaxes(self, axis1: int, axis2: int) -> Self:
        """Exchange two axes; see `tinyrnn.swapaxes`."""
        return F.swapaxes(self, axis1, axis2)

    def squeeze(self, axis: Axis = None) -> Self:
        """Drop axes of length 1; see `tinyrnn.squeeze`."""
        return F.squeeze(self, axis)

    def unsqueeze(self, axis: int) -> Self:
        """Insert an axis of length 1; see `tinyrnn.expand_dims`."""
        return F.expand_dims(self, axis)

    def broadcast_to(self, *shape: Any) -> Self:
        """Broadcast to a shape; see `tinyrnn.broadcast_to`."""
        return F.broadcast_to(self, shape[0] if len(shape) == 1 else shape)

    def split(self, sections: int | Sequence[int], axis: int = 0) -> list[Self]:
        """Cut along an axis into equal parts, or at the given places, as NumPy does; see `tinyrnn.split`."""
        return F.split(self, sections, axis)

    def astype(self, dtype: npt.DTypeLike) -> Self:
        """Return the value in another dtype; see `tinyrnn.astype`."""
        return F.astype(self, dtype)

    def exp(self) -> Self:
        """Exponential of each element."""
        return p.exp(self)

    def log(self) -> Self:
        """Natural logarithm of each element."""
        return p.log(self)

    def sqrt(self) -> Self:
        """Square root of each element."""
        return p.sqrt(self)

    def abs(self) -> Self:
        """Absolute value of each element."""
        return p.absolute(self)

    def tanh(self) -> Self:
        """Hyperbolic tangent of each element."""
        return self._apply(p.tanh, (self,), NONE)

    def sigmoid(self) -> Self:
        """Logistic function of each element."""
        return self._apply(p.sigmoid, (self,), NONE)

    def relu(self) -> Self:
        """Rectify each element: ``max(x, 0)``."""
        return p.relu(self)

    def softplus(self) -> Self:
        """``log(1 + exp(x))`` of each element."""
        return p.softplus(self)

    def clip(self, min: Any = None, max: Any = None) -> Self:
        """Limit each element; see `tinyrnn.clip`."""
        return F.clip(self, min, max)

    def logsumexp(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """Logarithm of the sum of exponentials; see `tinyrnn.logsumexp`."""
        return F.logsumexp(self, axis, keepdims)

    def softmax(self, axis: int = -1) -> Self:
        """Softmax along an axis; see `tinyrnn.softmax`."""
        return F.softmax(self, axis)

    def log_softmax(self, axis: int = -1) -> Self:
        """Logarithm of the softmax along an axis; see `tinyrnn.log_softmax`."""
        return F.log_softmax(self, axis)

    def take(self, indices: Any, axis: int = 0) -> Self:
        """Pick entries along an axis; see `tinyrnn.take`."""
        return F.take(self, indices, axis)

    # --- facts, which carry no gradient ---------------------------------------------------------------------
    def argmax(self, axis: int | None = None) -> Self:
        """Index of the largest element along an axis, or in the flattened array."""
        return F.argmax(self, axis)

    def argmin(self, axis: int | None = None) -> Self:
        """Index of the smallest element along an axis, or in the flattened array."""
        return F.argmin(self, axis)

    def round(self, decimals: int = 0) -> Self:
        """Round each element; a constant, since its gradient is zero wherever there is one."""
        return p.round(self, decimals=decimals)

    def all(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """Whether all elements along the axes are true."""
        return p.all(self, axis=axis, keepdims=keepdims)

    def any(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """Whether any element along the axes is true."""
        return p.any(self, axis=axis, keepdims=keepdims)
