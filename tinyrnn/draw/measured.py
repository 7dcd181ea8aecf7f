"""Plots of what `tinyrnn.dynamics` measures, with matplotlib, on the colour scale of the drawings.

A function takes what the function of the same name has returned. Matplotlib is imported when something is
plotted; it comes with the extra ``tinyrnn[plot]``. Each returns the matplotlib Axes, and draws into ``axes``
where they are given.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tinyrnn.draw.plots import LINES, new_axes
from tinyrnn.draw.style import THEMES

__all__ = [
    "plot_gates", "plot_gradient_flow", "plot_gradient_table", "plot_jacobian_products",
    "plot_lyapunov_exponents", "plot_perturbation", "plot_watch", "plot_weight_shares",
]  # fmt: skip


def colour_map() -> Any:
    """Return the drawings' scale of gradients as a matplotlib colormap: from the smallest to the largest."""
    from matplotlib.colors import LinearSegmentedColormap  # pyright: ignore[reportMissingImports]

    return LinearSegmentedColormap.from_list("tinyrnn", THEMES["light"].ramp).with_extremes(bad="#DDDDDD")


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
    """
    axes = new_axes(axes)
    lags = products.pairs[:, 0] - products.pairs[:, 1]
    order = np.argsort(lags, kind="stable")
    values = _finite(products.log10_singular_values[order, row])
    ramp = colour_map()(np.linspace(1, 0, values.shape[1]))
    for k in range(values.shape[1])[::-1]:
        axes.plot(lags[order], values[:, k], color=ramp[k], linewidth=0.8)
    axes.plot(lags[order], _finite(products.log10_norm[order, row]), color="#1A1A1A", label="norm")
    if bound is not None:
        axes.plot(lags[order], np.asarray(bound)[order], "--", color=LINES[3][0], label="bound")
    axes.set_xlabel("lag t - k")
    axes.set_ylabel("log₁₀ of the singular values of ∂h_t/∂h_k")
    axes.legend()
    return axes


def plot_lyapunov_exponents(exponents: Any, *, axes: Any = None) -> Any:
    """Plot the exponents of each row in falling order, and the line between order and chaos.

    Parameters
    ----------
    exponents : ndarray, shape (B, n)
    axes : matplotlib Axes, optional
    """
    axes = new_axes(axes)
    exponents = np.atleast_2d(exponents)
    for i, row in enumerate(exponents):
        colour, line, mark = LINES[i % len(LINES)]
        axes.plot(
            np.arange(1, len(row) + 1), _finite(row), line, color=colour, marker=mark, markersize=3,
            label=f"row {i}" if len(exponents) > 1 else None,
        )  # fmt: skip
    axes.axhline(0, color="#999999", linewidth=0.8)
    axes.set_xlabel("number")
    axes.set_ylabel("Lyapunov exponent, 1/step")
    if len(exponents) > 1:
        axes.legend()
    return axes


def plot_perturbation(change: Any, *, row: int = 0, axes: Any = None) -> Any:
    """Plot log10 of ‖Δh_t‖ as it is, and as the Jacobians predict it.

    Parameters
    ----------
    change : Perturbation
    row : int
        Which row of the batch.
    axes : matplotlib Axes, optional
    """
    axes = new_axes(axes)
    for values, label, (colour, line, _) in zip(
        (change.log10_actual, change.log10_predicted), ("as it is", "by the Jacobians"), LINES
    ):
        axes.plot(_finite(values[:, row]), line, color=colour, label=label)
    axes.set_xlabel("steps since the change")
    axes.set_ylabel("log₁₀ ‖Δh_t‖")
    axes.legend()
    return axes


def plot_gradient_flow(flow: Any, *, axes: Any = None) -> Any:
    """Plot log10 of ‖∂L/∂h_t‖: a row for each state of each layer, a column for each step.

    Parameters
    ----------
    flow : GradientFlow
    axes : matplotlib Axes, optional
    """
    steps = sorted({int(t) for state in flow.states.values() for t in state.steps})
    at = {t: i for i, t in enumerate(steps)}
    table = np.full((len(flow.states), len(steps)), np.nan)
    for k, state in enumerate(flow.states.values()):
        table[k, [at[int(t)] for t in state.steps]] = state.norm
    axes = _heat(table, (steps[0], steps[-1]), list(flow.states), "log₁₀ ‖∂L/∂h_t‖ (grey: none)", axes)
    axes.set_xlabel("time step t")
    return axes


def plot_gradient_table(table: Any, *, axes: Any = None) -> Any:
    """Plot log10 of a table of gradient norms, rows s and columns t, such as ‖∂L_s/∂h_t‖.

    Parameters
    ----------
    table : ndarray, shape (T, T)
        As in ``GradientFlow.pairs``.
    axes : matplotlib Axes, optional
    """
    table = np.asarray(table)
    names = [str(s) for s in range(len(table))] if len(table) <= 20 else None
    axes = _heat(table, (0, table.shape[1] - 1), names, "log₁₀ of the norm (grey: none)", axes)
    axes.set_xlabel("step t")
    axes.set_ylabel("loss of step s")
    return axes


def plot_gates(gates: Mapping[str, Any], *, axes: Any = None) -> Any:
    """Plot how many units of each gate are open (above) and shut (below), at each step.

    Parameters
    ----------
    gates : mapping of str to GateShares
        As in ``GradientFlow.gates``.
    axes : matplotlib Axes, optional
    """
    axes = new_axes(axes)
    for i, (name, shares) in enumerate(gates.items()):
        colour, line, _ = LINES[i % len(LINES)]
        axes.plot(shares.high, line, color=colour, label=name)
        axes.plot(-shares.low, line, color=colour)
    axes.axhline(0, color="#999999", linewidth=0.8)
    axes.set_ylim(-1.02, 1.02)
    axes.set_xlabel("time step t")
    axes.set_ylabel("share of units shut (below 0) and open")
    if gates:
        axes.legend()
    return axes


def plot_weight_shares(weights: Mapping[str, Any], *, axes: Any = None) -> Any:
    """Plot the share of the uses at each step in each weight's gradient.

    Parameters
    ----------
    weights : mapping of str to ndarray, each of shape (T,)
        As in ``GradientFlow.weights``.
    axes : matplotlib Axes, optional
    """
    axes = new_axes(axes)
    for i, (name, shares) in enumerate(weights.items()):
        colour, line, _ = LINES[i % len(LINES)]
        axes.plot(shares, line, color=colour, label=name)
    axes.axhline(0, color="#999999", linewidth=0.8)
    axes.set_xlabel("time step t")
    axes.set_ylabel("share in the weight's gradient")
    axes.legend(fontsize="small")
    return axes


def plot_watch(watched: Any, state: str | None = None, *, axes: Any = None) -> Any:
    """Plot log10 of ‖∂L/∂h_t‖ over a training run: a row for each update that was watched.

    Parameters
    ----------
    watched : Watch
    state : str, optional
        Which state, such as ``l0.h``; the first by default.
    axes : matplotlib Axes, optional
    """
    flows = [flow for flow in watched.flows if flow.states]
    if not flows:
        raise ValueError("plot_watch: nothing was watched yet")
    state = next(iter(flows[0].states)) if state is None else state
    norms = [flow.states[state].norm for flow in flows]
    longest = max(map(len, norms))
    table = np.array([np.r_[np.full(longest - len(norm), np.nan), norm] for norm in norms])
    axes = _heat(table, (0, longest - 1), None, "log₁₀ ‖∂L/∂h_t‖ (grey: none)", axes)
    axes.set_xlabel(f"time step t ({state})")
    axes.set_ylabel(f"update / {watched.every}")
    return axes


def _heat(table: Any, ends: tuple[int, int], names: list[str] | None, label: str, axes: Any) -> Any:
    axes = new_axes(axes)
    with np.errstate(all="ignore"):
        logs = np.where(np.isfinite(table) & (table > 0), np.log10(table), np.nan)
    extent = (ends[0] - 0.5, ends[1] + 0.5, len(table) - 0.5, -0.5)
    image = axes.imshow(logs, cmap=colour_map(), interpolation="nearest", aspect="auto", extent=extent)
    if names is not None:
        axes.set_yticks(range(len(names)), names)
    axes.figure.colorbar(image, ax=axes, label=label)
    return axes


def _finite(values: Any) -> Any:
    return np.where(np.isfinite(values), values, np.nan)
