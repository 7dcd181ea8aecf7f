"""Dropout: elements set to zero at random, in training only."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tinyrnn.autograd.arguments import FLAG, PROBABILITY, RNG, checked
from tinyrnn.autograd.creation import as_tensor
from tinyrnn.autograd.rng import generator
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.nn.inputs import is_symbol
from tinyrnn.nn.module import Module


@checked(p=PROBABILITY, training=FLAG, rng=RNG)
def dropout(
    x: Any, p: float = 0.5, training: bool = True, rng: np.random.Generator | int | None = None
) -> Tensor:
    """Set each element to zero with probability ``p``, and divide the others by ``1 - p``.

    Parameters
    ----------
    x : Tensor or array_like
    p : float
    training : bool
        Where False, ``x`` is returned as it is.
    rng : Generator or int, optional
        Where the mask comes from; the library's generator by default.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.functional.dropout(tr.ones(6), 0.5, rng=1)
    tensor([0., 2., 2., 2., 0., 0.])
    """
    if not training or p == 0:
        return x
    if is_symbol(x):
        raise TypeError("dropout draws a new mask at each step, so a step with dropout cannot be compiled")
    x = as_tensor(x)
    if p == 1:
        return x * np.zeros(x.shape, x.dtype)
    kept = generator(rng).random(x.shape, dtype=np.float32) >= p
    return x * (kept * x.dtype.type(1 / (1 - p)))


class Dropout(Module):
    """Set each element to zero with probability ``p`` in training, and divide the others by ``1 - p``.

    Parameters
    ----------
    p : float
    rng : Generator or int, optional
        Where the masks come from; the library's generator by default.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> drop = tr.nn.Dropout(0.5, rng=1)
    >>> drop(tr.ones(6))
    tensor([0., 2., 2., 2., 0., 0.])
    >>> drop.eval()(tr.ones(6))
    tensor([1., 1., 1., 1., 1., 1.])
    """

    @checked(p=PROBABILITY, rng=RNG)
    def __init__(self, p: float = 0.5, *, rng: np.random.Generator | int | None = None) -> None:
        self.p = p
        self.rng = None if rng is None else generator(rng)

    def forward(self, x: npt.ArrayLike) -> Tensor:
        """Drop, where in training."""
        return dropout(x, self.p, self.training, self.rng)

    def extra_repr(self) -> str:
        """Return p."""
        return f"p={self.p}"
