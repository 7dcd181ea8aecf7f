"""Products of Jacobians over many steps, ∂h_t/∂h_k, which neither overflow nor underflow."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np

from tinyrnn.autograd.arguments import ITERABLE, checked
from tinyrnn.autograd.mapped import Array
from tinyrnn.dynamics.given import run_of
from tinyrnn.dynamics.jacobians import finite_chunks
from tinyrnn.graded import GradedProduct

_LN10 = float(np.log(10.0))


class JacobianProducts(NamedTuple):
    """The sizes of ∂h_t/∂h_k for pairs (t, k), as decimal logarithms: -39.4 is 4e-40.

    Attributes
    ----------
    pairs : ndarray of int, shape (P, 2)
        t and k, with 0 <= k <= t <= T; h_0 is the first carry, h_T the last.
    log10_norm : ndarray, shape (P, B)
        Of the spectral norm, by which a small change of h_k is multiplied at most; -inf for 0.
    log10_singular_values : ndarray, shape (P, B, S)
        Of all singular values, falling.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> import numpy as np
    >>> cell = tr.nn.RNNCell(3, 4, rng=0)
    >>> found = tr.dynamics.jacobian_products(cell, np.ones((20, 2, 3)), pairs=[(20, 0), (20, 19)])
    >>> found.log10_norm.shape, found.log10_singular_values.shape
    ((2, 2), (2, 2, 4))
    """

    pairs: Array
    log10_norm: Array
    log10_singular_values: Array


@checked(pairs=ITERABLE.or_none())
def jacobian_products(
    cell: Any, xs: Any, carry: Any = None, pairs: Iterable[tuple[int, int]] | None = None
) -> JacobianProducts:
    """Return the sizes of ``∂h_t/∂h_k = J_t J_{t-1} ... J_{k+1}`` for pairs of steps.

    A product is kept as an orthogonal matrix, a triangular one of moderate numbers, and the logarithms of
    the triangle's rows, so that 10,000 steps are no harder than ten, and a singular value of 1e-5000 is as
    exact as the largest.

    Parameters
    ----------
    cell, xs, carry
        As in `step_jacobians`.
    pairs : iterable of (t, k), optional
        Which products, 0 <= k <= t <= T. By default (T, k) for every k, at most about a hundred of them.

    Returns
    -------
    JacobianProducts

    Raises
    ------
    ValueError
        Where a pair is outside of ``0 <= k <= t <= T``, or a Jacobian is not finite.

    Notes
    -----
    Bengio, Simard and Frasconi (1994), "Learning long-term dependencies with gradient descent is difficult";
    Pascanu et al. (2013), equation 5. The triangular form is the one used for Lyapunov exponents (Benettin et
    al. 1980), followed by QR iterations on its transpose (Stewart 1997, "On graded QR decompositions of
    products of matrices").

    Examples
    --------
    >>> import tinyrnn as tr
    >>> step = lambda h, x: (0.4 * h, h)
    >>> found = tr.dynamics.jacobian_products(step, np.zeros((100, 1, 1)), np.ones((1, 1)), [(100, 1)])
    >>> found.log10_norm.round(3)  # 0.4^99 is 4.0e-40
    array([[-39.396]])
    """
    run = run_of("jacobian_products", cell, xs, carry)
    chosen = _pairs(run.steps, pairs)
    jacobians = np.concatenate(list(finite_chunks("jacobian_products", run)))
    by_start = len({k for _, k in chosen}) <= len({t for t, _ in chosen})
    found: dict[tuple[int, int], Array] = {}
    for fixed in sorted({k if by_start else t for t, k in chosen}):
        others = {t if by_start else k for t, k in chosen if (k if by_start else t) == fixed}
        if by_start:  # J_t ... J_{k+1}, which grows on the left
            factors = jacobians[fixed : max(others)]
        else:  # its transpose, which grows on the left as k falls
            factors = jacobians[min(others) : fixed][::-1].swapaxes(-1, -2)
        product = GradedProduct(jacobians.shape[1], jacobians.shape[-1])
        for lag in range(len(factors) + 1):
            if lag:
                product.multiply(factors[lag - 1])
            other = fixed + lag if by_start else fixed - lag
            if other in others:
                pair = (other, fixed) if by_start else (fixed, other)
                found[pair] = product.log_singular_values() / _LN10
    values = np.stack([found[pair] for pair in chosen])
    return JacobianProducts(np.array(chosen), values[..., 0], values)


def _pairs(steps: int, pairs: Iterable[tuple[int, int]] | None) -> list[tuple[int, int]]:
    if pairs is None:
        chosen = np.unique(np.linspace(0, steps, min(steps + 1, 101)).astype(int))
        return [(steps, int(k)) for k in chosen]
    checked: list[tuple[int, int]] = []
    for pair in pairs:
        both: list[Any] = list(pair) if isinstance(pair, Iterable) else [pair]
        if len(both) != 2 or not all(isinstance(step, Integral) for step in both):
            raise TypeError(f"jacobian_products: the pair {pair!r} is not two ints; expected (t, k)")
        checked.append((int(both[0]), int(both[1])))
    for t, k in checked:
        if not 0 <= k <= t <= steps:
            raise ValueError(
                f"jacobian_products: the pair (t, k) = ({t}, {k}); expected 0 <= k <= t <= T = {steps}"
            )
    if not checked:
        raise ValueError("jacobian_products: got no pairs; expected at least one (t, k)")
    return checked
