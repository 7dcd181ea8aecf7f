"""Parameters: the Tensors that a module learns."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinyrnn.autograd.arguments import DTYPE, FLAG, checked
from tinyrnn.autograd.creation import as_tensor
from tinyrnn.autograd.tensor import Tensor


class Parameter(Tensor):
    """A Tensor that is learnt: a module finds it among its attributes, and drawings show its name.

    Parameters
    ----------
    data : array_like or Tensor
        The first value. It is copied.
    requires_grad : bool
        False for a parameter that is frozen.
    dtype : dtype_like, optional
        By default that of the data; Python floats get the default dtype.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.Parameter([1.0, 2.0])
    tensor([1., 2.], requires_grad=True)
    """

    __slots__ = ("_name",)

    @checked(requires_grad=FLAG, dtype=DTYPE)
    def __init__(
        self, data: npt.ArrayLike | Tensor, requires_grad: bool = True, dtype: npt.DTypeLike | None = None
    ) -> None:
        super().__init__(np.array(as_tensor(data, dtype).data))
        self._name = ""
        self.requires_grad = requires_grad

    @property
    def name(self) -> str:
        """Its key in the outermost module that holds it, such as ``encoder.weight_hh_l0``."""
        return self._name

    @name.setter
    def name(self, value: str) -> None:
        self._name = value
        if self.node is not None:
            self.node.name = value
