"""Plots of Jacobians: of steps and over many, exponents, perturbations, and the spectrum of a matrix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tinyrnn.autograd.arguments import ARRAY, MAPPING, checked
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.draw.plots.axes import (
    AXES,
    LINES,
    ROW,
    THEME,
    legend,
    log10,
    log_line,
    measured,
    new_axes,
    over_powers,
    over_steps,
    row_of,
    shades,
    whole_numbers,
)

PRODUCTS = measured("log10_singular_values", "what jacobian_products returns")
CHANGE = measured("log10_predicted", "what perturb returns")
BLACK = THEME.text


def jacobians_of(where: str, jacobians: Any, row: int) -> Any:
    """Return the Jacobians of one row, (T, S, S), checked."""
    jacobians = np.asarray(jacobians)
    if jacobians.ndim != 4 or jacobians.shape[2] != jacobians.shape[3] or not jacobians.size:
        raise ValueError(f"{where}: the Jacobians have shape {jacobians.shape}; expected (T, B, S, S)")
    return jacobians[:, row_of(where, row, jacobians.shape[1])].astype(np.float64)


def norms_of(matrices: Any) -> Any:
    """Return the spectral norm of each matrix; NaN where one is not finite."""
    finite = np.isfinite(matrices).all(axis=(-2, -1))
    norms = np.full(len(matrices), np.nan)
    norms[finite] = np.linalg.norm(matrices[finite], 2, axis=(-2, -1))
    return norms


def _singular_values(axes: Any, x: Any, logs: Any) -> None:
    """Draw a thin line for each, the largest last."""
    for k, colour in reversed(list(enumerate(shades(logs.shape[1])))):
        log_line(axes, x, np.where(np.isinf(logs[:, k]), np.nan, logs[:, k]), (colour, "-"), width=0.8)


@checked(jacobians=ARRAY, parts=MAPPING.or_none(), row=ROW, axes=AXES)
def plot_step_jacobians(
    jacobians: Any, parts: Mapping[str, slice] | None = None, *, row: int = 0, axes: Any = None
) -> Any:
    """Plot log10 of the norm of ∂h_t/∂h_{t-1} at each step, above its singular values or its blocks.

    Parameters
    ----------
    jacobians : ndarray, shape (T, B, S, S)
        As `dynamics.step_jacobians` returns them.
    parts : mapping of str to slice, optional
        As `dynamics.carry_parts` returns it: the norms of the blocks, such as ``∂c/∂c``, instead of the
        singular values.
    row : int
        Which row of the batch.
    axes : matplotlib Axes, optional

    Examples
    --------
    >>> import tinyrnn as tr
    >>> import numpy as np
    >>> jacobians = tr.dynamics.step_jacobians(tr.nn.RNNCell(3, 4, rng=0), np.ones((5, 2, 3)))
    >>> tr.draw.plot_step_jacobians(jacobians, row=1).get_xlabel()
    'step'
    """
    matrices = jacobians_of("plot_step_jacobians", jacobians, row)
    axes, steps = new_axes(axes), np.arange(1, len(matrices) + 1)
    if parts is None:
        finite = np.where(np.isfinite(matrices).all(axis=(-2, -1), keepdims=True), matrices, 0)
        values = log10(np.linalg.svd(finite, compute_uv=False))
        for k, colour in reversed(list(enumerate(shades(values.shape[1])))):
            log_line(
                axes, steps, np.where(np.isinf(values[:, k]), np.nan, values[:, k]), (colour, "-"), width=0.8
            )
    else:
        blocks = [(a, b) for a in parts for b in parts]
        for i, (after, before) in enumerate(blocks):
            norms = norms_of(matrices[:, parts[after], parts[before]])
            log_line(axes, steps, log10(norms), LINES[i % len(LINES)], label=f"∂{after}/∂{before}")
    log_line(axes, steps, log10(norms_of(matrices)), (BLACK, "-"), label="norm")
    axes.axhline(0, color=THEME.border, linewidth=0.8)
    over_powers(axes, "log₁₀ of ∂hₜ/∂hₜ₋₁")
    over_steps(axes)
    legend(axes)
    return axes


@checked(products=PRODUCTS, bound=ARRAY.or_none(), row=ROW, axes=AXES)
def plot_jacobian_products(products: Any, bound: Any = None, *, row: int = 0, axes: Any = None) -> Any:
    """Plot log10 of the singular values of ∂h_t/∂h_k against the lag t - k, the norm as a line above them.

    Parameters
    ----------
    products : JacobianProducts
    bound : array_like, shape (P,), optional
        The logarithm of a bound on each norm, as `dynamics.log10_bound` gives it for the lags.
    row : int
        Which row of the batch.
    axes : matplotlib Axes, optional

    Examples
    --------
    >>> import tinyrnn as tr
    >>> import numpy as np
    >>> pairs = [(20, k) for k in range(20)]
    >>> products = tr.dynamics.jacobian_products(tr.nn.RNNCell(3, 4, rng=0), np.ones((20, 2, 3)), pairs=pairs)
    >>> tr.draw.plot_jacobian_products(products).get_xlabel()
    'lag t - k, in steps'
    """
    where = "plot_jacobian_products"
    row = row_of(where, row, products.log10_norm.shape[1])
    if bound is not None and np.shape(bound) != (len(products.pairs),):
        raise ValueError(
            f"{where}: bound has shape {np.shape(bound)}; expected {(len(products.pairs),)}, as the pairs"
        )
    axes = new_axes(axes)
    lags = products.pairs[:, 0] - products.pairs[:, 1]
    order = np.argsort(lags, kind="stable")
    _singular_values(axes, lags[order], products.log10_singular_values[order, row])
    log_line(axes, lags[order], products.log10_norm[order, row], (BLACK, "-"), label="norm")
    if bound is not None:
        given = np.asarray(bound.data if isinstance(bound, Tensor) else bound, np.float64)
        log_line(axes, lags[order], given[order], (LINES[3][0], "--"), label="bound")
    over_powers(axes, "log₁₀ of the singular values of ∂hₜ/∂hₖ")
    over_steps(axes, "lag t - k, in steps")
    legend(axes)
    return axes


@checked(exponents=ARRAY, axes=AXES)
def plot_lyapunov_exponents(exponents: Any, *, axes: Any = None) -> Any:
    """Plot the exponents of each row in falling order, and the line between order and chaos.

    Parameters
    ----------
    exponents : ndarray, shape (B, n)
        As `dynamics.lyapunov_exponents` returns them.
    axes : matplotlib Axes, optional

    Examples
    --------
    >>> import tinyrnn as tr
    >>> import numpy as np
    >>> exponents = tr.dynamics.lyapunov_exponents(tr.nn.RNNCell(3, 4, rng=0), np.ones((50, 2, 3)))
    >>> tr.draw.plot_lyapunov_exponents(exponents).get_ylabel()
    'Lyapunov exponent, 1/step (above 0: chaos)'
    """
    axes = new_axes(axes)
    exponents = np.atleast_2d(np.asarray(exponents, np.float64))
    for i, row in enumerate(exponents):
        name = f"row {i}" if len(exponents) > 1 else ""
        log_line(axes, np.arange(1, len(row) + 1), row, LINES[i % len(LINES)], label=name)
        axes.lines[-1].set(marker=".") if np.isfinite(row).all() else None
    axes.axhline(0, color=THEME.border, linewidth=0.8)
    axes.set_xlabel("number")
    whole_numbers(axes.xaxis)
    axes.set_ylabel("Lyapunov exponent, 1/step (above 0: chaos)")
    legend(axes)
    return axes


@checked(change=CHANGE, row=ROW, axes=AXES)
def plot_perturbation(change: Any, *, row: int = 0, axes: Any = None) -> Any:
    """Plot log10 of ‖Δh_t‖ as it is, and as the Jacobians predict it.

    Parameters
    ----------
    change : Perturbation
        As `dynamics.perturb` returns it.
    row : int
        Which row of the batch.
    axes : matplotlib Axes, optional

    Examples
    --------
    >>> import tinyrnn as tr
    >>> import numpy as np
    >>> cell = tr.nn.RNNCell(3, 4, rng=0)
    >>> change = tr.dynamics.perturb(cell, np.ones((20, 2, 3)), np.zeros((2, 4)), 1e-6)
    >>> tr.draw.plot_perturbation(change).get_xlabel()
    'step (0: the state that was changed)'
    """
    row = row_of("plot_perturbation", row, change.log10_actual.shape[1])
    axes = new_axes(axes)
    for values, label, style in zip(
        (change.log10_actual, change.log10_predicted), ("as it is", "by the Jacobians"), LINES
    ):
        log_line(axes, np.arange(len(values)), values[:, row], style, label=label)
    over_powers(axes, "log₁₀ ‖Δhₜ‖")
    over_steps(axes, "step (0: the state that was changed)")
    legend(axes)
    return axes


@checked(W=ARRAY, axes=AXES)
def plot_spectrum(W: Any, *, axes: Any = None) -> Any:
    """Plot the eigenvalues of recurrent weights in the plane, in circles of spectral radius, norm and 1.

    Parameters
    ----------
    W : Tensor or array_like, shape (n, n)
    axes : matplotlib Axes, optional

    Examples
    --------
    >>> import tinyrnn as tr
    >>> rnn = tr.nn.RNN(2, 16, rng=0)
    >>> tr.draw.plot_spectrum(rnn.weight_hh_l0).get_xlabel()
    'real part'
    """
    matrix = np.asarray(W.data if isinstance(W, Tensor) else W, np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not np.isfinite(matrix).all():
        raise ValueError(
            f"plot_spectrum: W has shape {matrix.shape}; expected (n, n), and all of it finite numbers"
        )
    axes = new_axes(axes)
    values: Any = np.linalg.eigvals(matrix)
    turn = 2 * np.pi * np.linspace(0, 1, 200)
    circles = (
        (1.0, (THEME.border, "-"), "1"),
        (float(np.abs(values).max()), LINES[0], "spectral radius"),
        (float(np.linalg.norm(matrix, 2)), LINES[3], "spectral norm"),
    )
    for radius, (colour, line), name in circles:
        label = name if name == "1" else f"{name} {radius:.3g}"
        axes.plot(radius * np.cos(turn), radius * np.sin(turn), line, color=colour, linewidth=1, label=label)
    axes.plot(values.real, values.imag, "o", color=BLACK, markersize=3, label="eigenvalues")
    axes.set_aspect("equal")
    axes.set(xlabel="real part", ylabel="imaginary part")
    legend(axes)
    return axes
