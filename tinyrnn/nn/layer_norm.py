"""LayerNorm: the features of each row brought to mean 0 and variance 1."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tinyrnn.autograd.arguments import FLAG, FLOATING, checked, number
from tinyrnn.autograd.functions import mean, sqrt
from tinyrnn.autograd.shapes import whole_numbers
from tinyrnn.autograd.state import get_default_dtype
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.nn.inputs import as_input
from tinyrnn.nn.module import Module
from tinyrnn.nn.parameter import Parameter


class LayerNorm(Module):
    """``(x - mean) / sqrt(variance + eps) * weight + bias``, over the last axes (Ba, Kiros and Hinton 2016).

    Parameters
    ----------
    normalized_shape : int or sequence of int
        The lengths of the last axes, over which mean and variance are taken.
    eps : float
    elementwise_affine : bool
        Whether there are a ``weight`` (1 at first) and a ``bias`` (0 at first), of ``normalized_shape``.
    bias : bool
        Whether there is a bias beside the weight.
    dtype : dtype_like, optional

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.LayerNorm(2)(tr.tensor([[1.0, 3.0], [0.0, 10.0]])).numpy().round(3)
    array([[-1.,  1.],
           [-1.,  1.]], dtype=float32)
    """

    @checked(eps=number(), elementwise_affine=FLAG, bias=FLAG, dtype=FLOATING)
    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        *,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        shape = whole_numbers(normalized_shape, "an int, or a tuple of ints")
        if not shape or min(shape) < 1:
            raise ValueError(
                f"LayerNorm: normalized_shape is {shape}; expected at least one axis, each at least 1 long"
            )
        self.normalized_shape = shape
        self.eps = eps
        self.dtype = get_default_dtype() if dtype is None else np.dtype(dtype)
        self.weight = Parameter(np.ones(shape), dtype=self.dtype) if elementwise_affine else None
        self.bias = Parameter(np.zeros(shape), dtype=self.dtype) if elementwise_affine and bias else None

    def forward(self, x: npt.ArrayLike) -> Tensor:
        """Normalise the last axes."""
        x = as_input("LayerNorm", "x", x, self.dtype)
        n = len(self.normalized_shape)
        if x.shape[-n:] != self.normalized_shape:
            raise ValueError(
                f"LayerNorm: x has shape {x.shape}; expected normalized_shape = {self.normalized_shape} "
                "as its last axes"
            )
        axes = tuple(range(-n, 0))
        x = x - mean(x, axis=axes, keepdims=True)
        y = x / sqrt(mean(x * x, axis=axes, keepdims=True) + self.eps)
        y = y if self.weight is None else y * self.weight
        return y if self.bias is None else y + self.bias

    def extra_repr(self) -> str:
        """Return the shape."""
        shape = self.normalized_shape
        return str(shape[0] if len(shape) == 1 else shape) + (
            ", elementwise_affine=False" if self.weight is None else ""
        )
