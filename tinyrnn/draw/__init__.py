"""Drawings of the unrolled graph: DOT text, pictures, and a page to step through."""

from tinyrnn.draw.comparing import compare
from tinyrnn.draw.drawing import Drawing
from tinyrnn.draw.plots import (
    plot_diagnosis,
    plot_gate_jacobians,
    plot_gate_values,
    plot_gates,
    plot_gradient_flow,
    plot_gradient_norms,
    plot_gradient_table,
    plot_jacobian_products,
    plot_lyapunov_exponents,
    plot_perturbation,
    plot_spectrum,
    plot_step_jacobians,
    plot_watch,
    plot_weight_shares,
)
from tinyrnn.draw.stepping import Stepper, stepper
from tinyrnn.draw.unrolled import graph, unrolled

__all__ = [
    "Drawing",
    "Stepper",
    "compare",
    "graph",
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
    "stepper",
    "unrolled",
]


def __dir__() -> list[str]:
    return sorted(__all__)
