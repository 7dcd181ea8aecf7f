"""The methods of all that stands for an array, by NumPy's names; what they do is said at the functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from tinyrnn.autograd import functions as F
from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.elsewhere import translated
from tinyrnn.autograd.primitive import NONE, Value
from tinyrnn.autograd.shapes import Axis


class Methods(Value):
    """What NumPy's methods mean on a Value."""

    __slots__ = ()

    @translated
    def sum(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """Sum over the axes; see `tinyrnn.sum`."""
        if type(keepdims) is bool and (axis is None or type(axis) is int or type(axis) is tuple):
            return self._apply(p.sum, (self,), {"axis": axis, "keepdims": keepdims})
        return F.sum(self, axis, keepdims)

    @translated
    def mean(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """Average over the axes; see `tinyrnn.mean`."""
        return F.mean(self, axis, keepdims)

    @translated
    def max(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """Largest element along the axes; see `tinyrnn.max`."""
        return F.max(self, axis, keepdims)

    @translated
    def min(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """Smallest element along the axes; see `tinyrnn.min`."""
        return F.min(self, axis, keepdims)

    @translated
    def prod(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """Product over the axes; see `tinyrnn.prod`."""
        return F.prod(self, axis, keepdims)

    @translated
    def var(
        self, axis: Axis = None, ddof: float = 0, keepdims: bool = False, *, correction: float | None = None
    ) -> Self:
        """Variance over the axes; see `tinyrnn.var`."""
        return F.var(self, axis, ddof, keepdims, correction=correction)

    @translated
    def std(
        self, axis: Axis = None, ddof: float = 0, keepdims: bool = False, *, correction: float | None = None
    ) -> Self:
        """Standard deviation over the axes; see `tinyrnn.std`."""
        return F.std(self, axis, ddof, keepdims, correction=correction)

    @translated
    def cumsum(self, axis: int | None = None) -> Self:
        """Running sum along an axis; see `tinyrnn.cumsum`."""
        return F.cumsum(self, axis)

    @translated
    def cumprod(self, axis: int | None = None) -> Self:
        """Running product along an axis; see `tinyrnn.cumprod`."""
        return F.cumprod(self, axis)

    @translated
    def trace(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Self:
        """Sum of a diagonal; see `tinyrnn.trace`."""
        return F.trace(self, offset, axis1, axis2)

    @translated
    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Self:
        """Elements of a diagonal; see `tinyrnn.diagonal`."""
        return F.diagonal(self, offset, axis1, axis2)

    def dot(self, other: Any) -> Self:
        """Sum of products; see `tinyrnn.dot`."""
        return F.dot(self, other)

    @translated
    def repeat(self, repeats: int | Sequence[int], axis: int | None = None) -> Self:
        """Repeat each element along an axis; see `tinyrnn.repeat`."""
        return F.repeat(self, repeats, axis)

    def conj(self) -> Self:
        """Complex conjugate: the same."""
        return self

    def reshape(self, *shape: int | Sequence[int]) -> Self:
        """Return the elements in another shape; see `tinyrnn.reshape`."""
        return F.reshape(self, shape[0] if len(shape) == 1 else shape)  # pyright: ignore

    def ravel(self) -> Self:
        """Return the elements in one axis."""
        return F.flatten(self)

    def flatten(self) -> Self:
        """Return the elements in one axis."""
        return F.flatten(self)

    def transpose(self, *axes: Any) -> Self:
        """Permute all axes, as NumPy does; PyTorch's, of two axes, is `swapaxes`. See `tinyrnn.transpose`."""
        return F.transpose(self, axes[0] if len(axes) == 1 else axes or None)

    @translated
    def swapaxes(self, axis1: int, axis2: int) -> Self:
        """Exchange two axes; see `tinyrnn.swapaxes`."""
        return F.swapaxes(self, axis1, axis2)

    @translated
    def squeeze(self, axis: Axis = None) -> Self:
        """Drop axes of length 1; see `tinyrnn.squeeze`."""
        return F.squeeze(self, axis)

    @translated
    def unsqueeze(self, axis: int) -> Self:
        """Insert an axis of length 1; see `tinyrnn.expand_dims`."""
        return F.expand_dims(self, axis)

    def broadcast_to(self, *shape: Any) -> Self:
        """Broadcast to a shape; see `tinyrnn.broadcast_to`."""
        return F.broadcast_to(self, shape[0] if len(shape) == 1 else shape)

    @translated
    def split(self, sections: int | Sequence[int], axis: int = 0) -> list[Self]:
        """Cut along an axis into equal parts, or at the given places, as NumPy does; see `tinyrnn.split`."""
        return F.split(self, sections, axis)

    def astype(self, dtype: npt.DTypeLike, *, copy: bool = True) -> Self:
        """Return the value in another dtype, or itself where it has that; see `tinyrnn.astype`."""
        return F.astype(self, dtype)

    def copy(self) -> Self:
        """Return the same elements in an array of their own; a gradient goes through."""
        return F.copy(self)

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

    @translated
    def logsumexp(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """Logarithm of the sum of exponentials; see `tinyrnn.logsumexp`."""
        return F.logsumexp(self, axis, keepdims)

    @translated
    def softmax(self, axis: int = -1) -> Self:
        """Softmax along an axis; see `tinyrnn.softmax`."""
        return F.softmax(self, axis)

    @translated
    def log_softmax(self, axis: int = -1) -> Self:
        """Logarithm of the softmax along an axis; see `tinyrnn.log_softmax`."""
        return F.log_softmax(self, axis)

    @translated
    def take(self, indices: Any, axis: int | None = None) -> Self:
        """Pick entries along an axis, or of all elements; see `tinyrnn.take`."""
        return F.take(self, indices, axis)

    # --- facts, which carry no gradient ---------------------------------------------------------------------
    @translated
    def argmax(self, axis: int | None = None) -> Self:
        """Index of the largest element along an axis, or in the flattened array."""
        return F.argmax(self, axis)

    @translated
    def argmin(self, axis: int | None = None) -> Self:
        """Index of the smallest element along an axis, or in the flattened array."""
        return F.argmin(self, axis)

    def round(self, decimals: int = 0) -> Self:
        """Round each element; a constant, since its gradient is zero wherever there is one."""
        return p.round(self, decimals=decimals)

    @translated
    def all(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """Whether all elements along the axes are true."""
        return p.all(self, axis=axis, keepdims=keepdims)

    @translated
    def any(self, axis: Axis = None, keepdims: bool = False) -> Self:
        """Whether any element along the axes is true."""
        return p.any(self, axis=axis, keepdims=keepdims)

    @translated
    def argsort(self, axis: int | None = -1) -> Self:
        """Indices that would sort along an axis; see `tinyrnn.argsort`."""
        return F.argsort(self, axis)

    def nonzero(self) -> tuple[Any, ...]:
        """Places of the elements that are not 0: an array for each axis."""
        return np.nonzero(self)  # pyright: ignore[reportCallIssue, reportArgumentType]
