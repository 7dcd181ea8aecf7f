"""Plots of what `tinyrnn.dynamics` measures, with matplotlib, on the colour scale of the drawings.

A function takes what a function of `tinyrnn.dynamics` has returned, draws into ``axes`` where they are given,
and returns the matplotlib Axes. Steps count as in the drawings: h_0 is the initial state, and x_1 leads to
h_1. Matplotlib is imported when something is plotted; it comes with the extra ``tinyrnn[plot]``.
"""

from tinyrnn.draw.plots.gates import plot_gate_jacobians, plot_gate_values, plot_gates
from tinyrnn.draw.plots.gradients import (
    plot_gradient_flow,
    plot_gradient_norms,
    plot_gradient_table,
    plot_weight_shares,
)
from tinyrnn.draw.plots.jacobians import (
    plot_jacobian_products,
    plot_lyapunov_exponents,
    plot_perturbation,
    plot_spectrum,
    plot_step_jacobians,
)
from tinyrnn.draw.plots.training import plot_diagnosis, plot_watch

__all__ = [
    "plot_diagnosis",
    "plot_gate_jacobians",
    "plot_gate_values",
    "plot_gates",
    "plot_gradient_flow",
    "plot_gradient_norms",
    "plot_gradient_table",
    "plot_jacobian_products",
    "plot_lyapunov_exponents",
    "plot_perturbation",
    "plot_spectrum",
    "plot_step_jacobians",
    "plot_watch",
    "plot_weight_shares",
]
