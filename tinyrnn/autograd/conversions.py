"""Leaving the library: a Tensor as an array, as a number, and as text."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyrnn.autograd.callers import users_line
from tinyrnn.autograd.html import array_table, escaped
from tinyrnn.autograd.state import get_default_dtype, thread
from tinyrnn.autograd.tape import Node


class LostGradientWarning(UserWarning):
    """A recorded Tensor became plain numbers, in which no gradient comes back.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> import warnings
    >>> x = tr.tensor(2.0, requires_grad=True)
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     y = float(x * x)
    >>> y, caught[0].category.__name__
    (4.0, 'LostGradientWarning')
    """


class Conversions:
    """What becomes of a Tensor where Python or NumPy wants something else."""

    __slots__ = ()
    data: np.ndarray[Any, np.dtype[Any]]
    node: Node | None

    def numpy(self) -> np.ndarray[Any, np.dtype[Any]]:
        """Return the value as an array. It is not a copy."""
        return self.data

    def item(self) -> Any:
        """Return the single number in this Tensor as a Python number; the way to say that this is meant."""
        if self.data.size != 1:
            raise ValueError(f"item: the Tensor has shape {self.data.shape}; expected one element")
        return self.data.item()

    def tolist(self) -> Any:
        """Return the value as nested lists of Python numbers."""
        return self.data.tolist()

    def __array__(
        self, dtype: npt.DTypeLike | None = None, copy: bool | None = None
    ) -> np.ndarray[Any, np.dtype[Any]]:
        if self.node is not None and thread.modes.recording:
            raise TypeError(
                "a Tensor that requires grad was about to become a plain array, which would cut its gradient "
                "silently; use .numpy() or .detach() where that is meant, and tr.stack to join Tensors, "
                "which np.array([t, t]) cannot (tr.concatenate, tr.r_ and tr.c_ join them too)"
            )
        return np.array(self.data, dtype=dtype, copy=copy)

    def __float__(self) -> float:
        self.leave()
        return float(self.data)

    def __int__(self) -> int:
        self.leave()
        return int(self.data)

    def __index__(self) -> int:
        return self.data.__index__()

    def __bool__(self) -> bool:
        return bool(self.data)

    def leave(self) -> None:
        """Warn where plain numbers are asked for, and a gradient would be cut without a word."""
        if self.node is None or not thread.modes.recording:
            return
        warnings.warn(
            "a Tensor that requires grad became plain numbers (float(t), a[i] = t, tr.tensor(t), ...), and "
            "its gradient ends there; collect Tensors in a list for tr.stack, use functions of tinyrnn, or "
            "t.item() or t.detach() where numbers are meant",
            LostGradientWarning,
            stacklevel=users_line(),
        )

    def __format__(self, spec: str) -> str:
        if not spec:
            return str(self)
        if self.data.ndim:
            raise TypeError(
                f"a Tensor of shape {self.data.shape} has no format {spec!r}; format its elements"
            )
        return format(self.data.item(), spec)

    def __repr__(self) -> str:
        dtype = self.data.dtype
        body = np.array2string(self.data, separator=", ", prefix="tensor(")
        body += "" if dtype in (get_default_dtype(), np.int64, np.bool_) else f", dtype={dtype}"
        if self.node is None:
            return f"tensor({body})"
        primitive = self.node.primitive
        return f"tensor({body}, {'requires_grad=True' if primitive is None else f'op={primitive.name}'})"

    def _repr_html_(self: Any) -> str:
        """Show the value in a notebook, its gradient beside it where there is one."""
        text = array_table(self.data, self.name or "tensor")
        if self.node is not None and self.grad is not None:
            text += array_table(self.grad.data, f"gradient, norm {np.linalg.norm(self.grad.data):.4g},")
        elif self.node is not None:
            primitive = self.node.primitive
            text += "requires grad" if primitive is None else f"by {escaped(primitive.name)}"
        return text
