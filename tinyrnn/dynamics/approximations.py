"""The usual approximations of real-time recurrent learning, each with less to carry than all of ∂c_t/∂θ."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from tinyrnn.autograd.arguments import RNG, checked
from tinyrnn.autograd.rng import generator
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.dynamics.mapped import Array
from tinyrnn.dynamics.rtrl import RTRL


class SnAp1(RTRL):
    """SnAp-1 (Menick et al. 2021): RTRL that keeps only what a parameter does to a state number in one step.

    ``M_t = (J_t M_{t-1} + D_t)``, with each entry dropped where D has none: what a weight does to units other
    than its own is forgotten. It is biased, and it is exact where the state numbers do not influence each
    other (a diagonal J). The entries that are kept are those where D has not been zero so far. The pattern is
    applied to full matrices here: a means to study what the approximation loses, at the cost of RTRL.

    Parameters
    ----------
    cell, parameters, memory_limit
        As in `RTRL`.

    Notes
    -----
    J. Menick, E. Elsen, U. Evci, S. Osindero, K. Simonyan and A. Graves (2021), "Practical real
    time recurrent learning with a sparse approximation", ICLR.
    """

    def _begin(self, leaves: list[Tensor]) -> None:
        super()._begin(leaves)
        self._pattern = self._sensitivities != 0

    def _advance(self, after: list[Tensor]) -> None:
        through, immediate = self._through(after), self._to_parameters(after)
        self._pattern = self._pattern | (immediate != 0)
        self._sensitivities = np.where(self._pattern, through + immediate, 0)


class UORO(RTRL):
    """UORO (Tallec and Ollivier 2018): M as the product of two vectors, right on average.

    ``M ≈ s p`` with a column s of S numbers and a row p of P. A vector ν of random signs joins the two parts
    of a step without a bias, for the mean of ``ν νᵀ`` is the identity::

        s_t = ρ0 J_t s_{t-1} + ρ1 ν,    p_t = p_{t-1} / ρ0 + νᵀ D_t / ρ1

    ρ0 and ρ1 make both vectors of each product equally long, which keeps the variance small. Memory is
    ``S + P``; the one VJP for ``νᵀ D`` costs what a step of backpropagation does, J costs S of them without
    the parameters.

    Parameters
    ----------
    cell, parameters, memory_limit
        As in `RTRL`.
    rng : Generator or int, optional
        Where the signs come from.

    Notes
    -----
    C. Tallec and Y. Ollivier (2018), "Unbiased online recurrent optimization", ICLR.
    """

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
        seeds = [self._rng.choice([-1.0, 1.0], (1, 1, *leaf.shape)).astype(leaf.dtype) for leaf in leaves]
        signs = np.concatenate([seed.reshape((self._rows, -1)) for seed in seeds], axis=1)
        return signs, self._parameter_vjp(leaves, seeds)[0]


def _root_of_ratio(a: Array, b: Array) -> float:
    """Return sqrt(‖a‖ / ‖b‖), and 1 where one of them is zero."""
    size, other = float(np.linalg.norm(a)), float(np.linalg.norm(b))
    return math.sqrt(size / other) if size > 0 and other > 0 else 1.0
