"""The operators and methods of everything that stands for an array: of Tensors, and of the symbols of a trace."""

from __future__ import annotations

from typing import Any, NoReturn, Self

import numpy as np
import numpy.typing as npt

from tinyrnn.autograd import functions as F
from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.numpy_protocol import array_function, array_ufunc
from tinyrnn.autograd.primitive import NONE, Value
from tinyrnn.autograd.shapes import ARRAY, Axis


class Operators(Value):
    """What Python's operators and NumPy's methods mean on a Value. Each enters by the one door."""

    __slots__ = ()
    data: Any

    __array_ufunc__ = array_ufunc
    __array_function__ = array_function

    # --- arithmetic ------------------------------------------------------------------------------------------------
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
        return self._apply(p.matmul, (self, other), NONE)

    def __rmatmul__(self, other: Any) -> Self:
        return self._apply(p.matmul, (np.asarray(other), self), NONE)

    def __neg__(self) -> Self:
        return self._apply(p.negative, (self,), NONE)

    def __pos__(self) -> Self:
        return self

    def __abs__(self) -> Self:
        return self._apply(p.absolute, (self,), NONE)

    # --- comparison ------------------------------------------------------------------------------------------------
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
        return self._apply(p.logical_and, (self, other), NONE)

    def __or__(self, other: Any) -> Self:
        return self._apply(p.logical_or, (self, other), NONE)

    def __invert__(self) -> Self:
        return self._apply(p.logical_not, (self,), NONE)

    # --- parts -----------------------------------------------------------------------------------------------------
    def __getitem__(self, index: Any) -> Self:
        if type(index) is int:
            return self._apply(p.getitem, (self,), {"index": (index,)})
        static, arrays = F.split_index(index)
        return self._apply(p.getitem, (self, *arrays), {"index": static})

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        raise TypeError(
            "a Tensor cannot be assigned to in place, since the tape still needs the old value; build the new one with "
            "tr.where(mask, new, old), or collect the parts in a list and tr.stack(parts)"
        )

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a Tensor with no axes")
        return self.shape[0]

    def __iter__(self) -> Any:
        if not self.shape:
            raise TypeError("a Tensor with no axes cannot be iterated over")
        return (self[i] for i in range(self.shape[0]))

    # --- facts -----------------------------------------------------------------------------------------------------
    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.prod(self.shape, dtype=int))

    @property
    def T(self) -> Self:
        """The transpose, all axes in reverse."""
        return F.transpose(self)

    # --- methods ---------------------------------------------------------------------------------------------------
    def sum(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """Sum over the axes; see `tinyrnn.sum`."""
        return F.sum(self, axis, keepdims)

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

    def transpose(self, *axes: Any) -> Self:
        """Permute the axes; see `tinyrnn.transpose`."""
        return F.transpose(self, axes[0] if len(axes) == 1 else axes or None)

    def swapaxes(self, axis1: int, axis2: int) -> Self:
        """Exchange two axes; see `tinyrnn.swapaxes`."""
        return F.swapaxes(self, axis1, axis2)

    def squeeze(self, axis: Axis = None) -> Self:
        """Drop axes of length 1; see `tinyrnn.squeeze`."""
        return F.squeeze(self, axis)

    def astype(self, dtype: npt.DTypeLike) -> Self:
        """Return the value in another dtype; its gradient comes back in this one."""
        return self if self.dtype == dtype else p.astype(self, dtype=np.dtype(dtype))

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
        return p.tanh(self)

    def sigmoid(self) -> Self:
        """Logistic function of each element."""
        return p.sigmoid(self)

    def relu(self) -> Self:
        """Rectify each element: ``max(x, 0)``."""
        return p.relu(self)

    def clip(self, min: Any = None, max: Any = None) -> Self:
        """Limit each element; see `tinyrnn.clip`."""
        return F.clip(self, min, max)

    def softmax(self, axis: int = -1) -> Self:
        """Softmax along an axis; see `tinyrnn.softmax`."""
        return F.softmax(self, axis)

    def log_softmax(self, axis: int = -1) -> Self:
        """Logarithm of the softmax along an axis; see `tinyrnn.log_softmax`."""
        return F.log_softmax(self, axis)

    def take(self, indices: Any, axis: int = 0) -> Self:
        """Pick entries along an axis; see `tinyrnn.take`."""
        return F.take(self, indices, axis)
