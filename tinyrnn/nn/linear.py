"""Linear: a matrix product and a bias."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from tinyrnn.autograd.arguments import COUNT, FLAG, FLOATING, RNG, checked
from tinyrnn.autograd.rng import generator
from tinyrnn.autograd.state import get_default_dtype
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.nn.inputs import as_input, expect_features
from tinyrnn.nn.module import Module
from tinyrnn.nn.parameter import Parameter


class Linear(Module):
    """``y = x @ weight.T + bias``.

    Parameters
    ----------
    in_features, out_features : int
    bias : bool
    rng : Generator or int, optional
        Where the first values come from: U(-1/√in, 1/√in), as in PyTorch.
    dtype : dtype_like, optional

    Attributes
    ----------
    weight : Parameter, shape (out_features, in_features)
    bias : Parameter, shape (out_features,), or None

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.Linear(4, 2)(tr.zeros((7, 3, 4))).shape
    (7, 3, 2)
    """

    @checked(in_features=COUNT, out_features=COUNT, bias=FLAG, rng=RNG, dtype=FLOATING)
    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        rng: np.random.Generator | int | None = None,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        self.in_features = in_features
        self.out_features = out_features
        dtype = get_default_dtype() if dtype is None else np.dtype(dtype)
        rng, bound = generator(rng), 1 / math.sqrt(in_features)
        self.weight = Parameter(rng.uniform(-bound, bound, (out_features, in_features)), dtype=dtype)
        self.bias = Parameter(rng.uniform(-bound, bound, out_features), dtype=dtype) if bias else None

    def forward(self, x: npt.ArrayLike) -> Tensor:
        """Map (..., in_features) to (..., out_features)."""
        x = as_input("Linear", "x", x, self.weight.dtype)
        expect_features("Linear", "x", x, self.in_features, "in_features")
        y = x @ self.weight.T
        return y if self.bias is None else y + self.bias

    def extra_repr(self) -> str:
        """Return the sizes."""
        return f"{self.in_features}, {self.out_features}" + (", bias=False" if self.bias is None else "")
