"""Buffers: what a module keeps besides its parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tinyrnn.autograd.arguments import DTYPE, FLAG, checked
from tinyrnn.autograd.creation import as_tensor
from tinyrnn.autograd.tensor import Tensor


class Buffer(Tensor):
    """A Tensor that belongs to a module and is not learnt: a table, a running mean.

    A module finds it among its attributes, as it does a `Parameter`, and saves it in its state dict.

    Parameters
    ----------
    data : array_like or Tensor
        The value. It is copied.
    persistent : bool
        Whether it is saved.
    dtype : dtype_like, optional
        By default that of the data; Python floats get the default dtype.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> class Standardised(tr.nn.Module):
    ...     def __init__(self, mean, std):
    ...         self.mean, self.std = tr.nn.Buffer(mean), tr.nn.Buffer(std)
    ...     def forward(self, x):
    ...         return (x - self.mean) / self.std
    >>> list(Standardised(2.0, 3.0).state_dict())
    ['mean', 'std']
    """

    __slots__ = ("persistent",)

    @checked(persistent=FLAG, dtype=DTYPE)
    def __init__(
        self, data: npt.ArrayLike | Tensor, persistent: bool = True, dtype: npt.DTypeLike | None = None
    ) -> None:
        super().__init__(np.array(as_tensor(data, dtype).data))
        self.persistent = persistent

    def __reduce__(self) -> Any:
        return _restored, (self.data, self.persistent, self.name)


def _restored(data: Any, persistent: bool, name: str) -> Buffer:
    """Make a buffer again from what `copy.deepcopy` and `pickle` carry."""
    buffer = Buffer(data, persistent)
    buffer.name = name
    return buffer
