"""What the weights alone say: spectral radius and norm, and the textbook's bound on the gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tinyrnn.autograd.arguments import ARRAY, NUMBER, Kind, checked
from tinyrnn.autograd.mapped import Array
from tinyrnn.autograd.tensor import Tensor

SLOPES = {"linear": 1.0, "relu": 1.0, "tanh": 1.0, "sigmoid": 0.25}  # max |σ'|


NONLINEARITY = Kind(
    f"one of {', '.join(SLOPES)}, or a number, at least 0",
    lambda value: isinstance(value, str) or NUMBER.of_type(value),
    lambda value: value in SLOPES if isinstance(value, str) else 0 <= value < np.inf,
)


@checked(W=ARRAY)
def spectral_radius(W: Any) -> float:
    """Return the largest modulus of an eigenvalue, ``max |λ_i|``: how a power of W behaves in the long run.

    Parameters
    ----------
    W : Tensor or array_like, shape (n, n)

    Raises
    ------
    ValueError
        Where W is not square, or not finite.

    Examples
    --------
    >>> spectral_radius([[0.5, 10.0], [0.0, 0.5]])
    0.5
    """
    return float(np.abs(np.linalg.eigvals(_square("spectral_radius", W))).max())


@checked(W=ARRAY)
def spectral_norm(W: Any) -> float:
    """Return the largest singular value, ``‖W‖ = max ‖W v‖ / ‖v‖``: the most that one step can do.

    Parameters
    ----------
    W : Tensor or array_like, shape (n, n)

    Raises
    ------
    ValueError
        Where W is not square, or not finite.

    Examples
    --------
    >>> round(spectral_norm([[0.5, 10.0], [0.0, 0.5]]), 3)
    10.025
    """
    return float(np.linalg.norm(_square("spectral_norm", W), 2))


@checked(W_hh=ARRAY, lag=ARRAY, nonlinearity=NONLINEARITY)
def log10_bound(W_hh: Any, lag: npt.ArrayLike, nonlinearity: str | float = "tanh") -> Array:
    """Return the decimal logarithm of the bound ``‖∂h_t/∂h_k‖ <= (‖W_hh‖ · max|σ'|)^(t-k)``.

    It is a bound and no more: below 1 the gradient must vanish, above 1 it may explode, and need not. The
    actual norm stands in `jacobian_products`.

    Parameters
    ----------
    W_hh : Tensor or array_like, shape (n, n)
        The weights from the state to the state, of ``h_t = σ(W_hh h_{t-1} + ...)``.
    lag : array_like of int
        ``t - k``.
    nonlinearity : {"tanh", "sigmoid", "relu", "linear"} or float
        The σ, or max|σ'| itself.

    Returns
    -------
    ndarray, of the shape of ``lag``

    Notes
    -----
    Pascanu et al. (2013), section 2.1.

    Examples
    --------
    >>> log10_bound([[1.0]], [0, 10, 20], 0.1)
    array([  0., -10., -20.])
    """
    slope = SLOPES[nonlinearity] if isinstance(nonlinearity, str) else float(nonlinearity)
    lags = np.asarray(lag.data if isinstance(lag, Tensor) else lag)
    if (lags < 0).any():
        raise ValueError(f"log10_bound: lag is {lags.min()}; expected t - k, at least 0")
    with np.errstate(divide="ignore", invalid="ignore"):
        one = np.log10(np.linalg.norm(_square("log10_bound", W_hh, "W_hh"), 2) * slope)
        return np.where(lags == 0, 0.0, lags * one)


def _square(where: str, W: Any, name: str = "W") -> Array:
    matrix = np.asarray(W.data if isinstance(W, Tensor) else W, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        raise ValueError(
            f"{where}: {name} has shape {matrix.shape}; expected (n, n). Recurrent weights stack their "
            "gates, (gates * H, H): take them apart with numpy.split(W, gates)"
        )
    if not np.isfinite(matrix).all():
        i, j = np.argwhere(~np.isfinite(matrix))[0]
        raise ValueError(f"{where}: {name} is {matrix[i, j]} at [{i}, {j}]; expected finite numbers")
    return matrix
