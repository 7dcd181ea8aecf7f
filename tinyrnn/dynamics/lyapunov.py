"""Lyapunov exponents: the rates at which nearby trajectories of a recurrence part, or come together."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyrnn.autograd.arguments import COUNT, RNG, checked, count
from tinyrnn.autograd.mapped import Array
from tinyrnn.autograd.rng import generator
from tinyrnn.dynamics.given import run_of
from tinyrnn.dynamics.jacobians import finite_chunks


@checked(n=COUNT.or_none(), warm_up=count(0), rng=RNG)
def lyapunov_exponents(
    cell: Any,
    xs: Any,
    carry: Any = None,
    n: int | None = None,
    *,
    warm_up: int = 0,
    rng: np.random.Generator | int | None = 0,
) -> Array:
    """Return the n largest Lyapunov exponents: means of ``log |R_t[i, i]|``, ``J_t Q_{t-1} = Q_t R_t``.

    A positive one means chaos, and gradients that explode as ``exp(λ T)``; where all are negative, the state
    forgets, and gradients vanish.

    Parameters
    ----------
    cell, xs, carry
        As in `step_jacobians`. The longer the run, the better the average.
    n : int, optional
        How many; all S by default.
    warm_up : int
        Steps at the beginning that do not count: the state comes to its attractor, and Q into line.
    rng : Generator or int, optional
        Where the first Q comes from.

    Returns
    -------
    ndarray, shape (B, n)
        In units of 1/step, falling on average; -inf where the map is singular.

    Raises
    ------
    ValueError
        Where ``n`` is not in 1 to S, no step is left after the warm-up, or a Jacobian is not finite.

    Notes
    -----
    Benettin, Galgani, Giorgilli and Strelcyn (1980), "Lyapunov characteristic exponents for smooth dynamical
    systems and for Hamiltonian systems"; for recurrent networks, Engelken, Wolf and Abbott (2023), "Lyapunov
    spectra of chaotic recurrent neural networks".

    Examples
    --------
    >>> import tinyrnn as tr
    >>> A = np.diag([2.0, 0.5])
    >>> step = lambda h, x: (h @ A, h)
    >>> tr.dynamics.lyapunov_exponents(step, np.zeros((500, 1, 1)), np.ones((1, 2)), warm_up=100).round(4)
    array([[ 0.6931, -0.6931]])
    """
    run = run_of("lyapunov_exponents", cell, xs, carry)
    if not 0 <= warm_up < run.steps:
        raise ValueError(f"lyapunov_exponents: warm_up is {warm_up}; expected 0 to T - 1 = {run.steps - 1}")
    q: Array | None = None
    total: Any = 0.0
    t = 0
    for chunk in finite_chunks("lyapunov_exponents", run):
        size = chunk.shape[-1]
        if q is None:
            count = size if n is None else n
            if not 1 <= count <= size:
                raise ValueError(f"lyapunov_exponents: n is {n}; expected 1 to S = {size}")
            q, _ = np.linalg.qr(generator(rng).standard_normal((chunk.shape[1], size, count)))
        for jacobian in chunk:
            q, r = np.linalg.qr(jacobian @ q)
            if t >= warm_up:
                with np.errstate(divide="ignore"):
                    total = total + np.log(np.abs(np.diagonal(r, axis1=-2, axis2=-1)))
            t += 1
    return total / (run.steps - warm_up)
