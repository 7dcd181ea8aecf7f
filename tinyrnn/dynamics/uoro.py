"""UORO: real-time recurrent learning with a product of two random vectors, right on average."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from tinyrnn.autograd.arguments import RNG, checked
from tinyrnn.autograd.mapped import Array
from tinyrnn.autograd.rng import generator
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.dynamics.rtrl import RTRL
from tinyrnn.dynamics.sensitivity import sent_to, state_size


class UORO(RTRL):
    """UORO (Tallec and Ollivier 2018): M as the product of two vectors, right on average.

    ``M ≈ s p`` with a column s of S numbers and a row p of P. A vector ν of random signs joins the two parts
    of a step without a bias, for the mean of ``ν νᵀ`` is the identity::

        s_t = ρ0 J_t s_{t-1} + ρ1 ν,    p_t = p_{t-1} / ρ0 + νᵀ D_t / ρ1

    ρ0 and ρ1 make both vectors of each product equally long, which keeps the variance small. What is carried
    is ``S + P`` numbers; the one VJP for ``νᵀ D`` costs what a step of backpropagation does, and J, S of them
    without the parameters, takes ``S²`` numbers while the step lasts.

    Parameters
    ----------
    cell, parameters, memory_limit
        As in `RTRL`.
    rng : Generator or int, optional
        Where the signs come from.

    Notes
    -----
    C. Tallec and Y. Ollivier (2018), "Unbiased online recurrent optimization", ICLR.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> import numpy as np
    >>> rng, gradients = np.random.default_rng(0), []
    >>> w = tr.tensor(0.5, requires_grad=True)
    >>> for _ in range(500):
    ...     uoro = tr.dynamics.UORO(lambda h, x: (w * h + x,) * 2, [w], rng=rng)
    ...     uoro.start(tr.zeros(()))
    ...     for _ in range(3):
    ...         w.grad = None
    ...         uoro.backward(uoro.step(tr.ones(())))
    ...     gradients.append(w.grad.item())
    >>> round(float(np.mean(gradients)))  # RTRL's, on average
    2
    """

    _instead = "or "

    @checked(rng=RNG)
    def __init__(
        self,
        cell: Any,
        parameters: Iterable[Tensor] | None = None,
        *,
        memory_limit: int | None = None,
        rng: np.random.Generator | int | None = None,
    ) -> None:
        super().__init__(cell, parameters, memory_limit=memory_limit)
        self._rng = generator(rng)

    def _bytes(self, states: int, parameters: int, itemsize: int) -> int:
        return (states**2 + 3 * parameters) * itemsize

    def _begin(self, leaves: list[Tensor]) -> None:
        signs, row = self._joined_signs(leaves)
        scale = _root_of_ratio(row, signs)
        self._sensitivities = signs * scale, row / scale

    def _advance(self, after: list[Tensor]) -> None:
        column, row = self._sensitivities
        J = self._jacobian(after)
        column = (J @ column.reshape((J.shape[0], -1, 1))).reshape(column.shape)
        signs, immediate = self._joined_signs(after)
        scale0, scale1 = _root_of_ratio(row, column), _root_of_ratio(immediate, signs)
        self._sensitivities = scale0 * column + scale1 * signs, row / scale0 + immediate / scale1

    def _gradient(self, g: Array) -> Array:
        column, row = self._incoming
        return np.sum(g * column) * row

    def _joined_signs(self, leaves: list[Tensor]) -> tuple[Array, Array]:
        """Draw ν, (B, S), and return it with ``νᵀ D``, (P,)."""
        size = state_size(leaves) // self._rows
        signs = self._rng.choice([-1.0, 1.0], (self._rows, size)).astype(leaves[0].dtype)
        return signs, sent_to(self._parameters, leaves, signs[None])[0]


def _root_of_ratio(a: Array, b: Array) -> float:
    """Return sqrt(‖a‖ / ‖b‖), and 1 where one of them is zero."""
    size, other = float(np.linalg.norm(a)), float(np.linalg.norm(b))
    return math.sqrt(size / other) if size > 0 and other > 0 else 1.0
