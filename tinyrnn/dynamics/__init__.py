"""A recurrence as a dynamical system: why gradients vanish and explode, measured on any cell."""

from tinyrnn.dynamics.approximations import UORO, SnAp1
from tinyrnn.dynamics.bounds import log10_bound, spectral_norm, spectral_radius
from tinyrnn.dynamics.gates import gate_jacobians, gate_values
from tinyrnn.dynamics.jacobians import carry_parts, step_jacobians
from tinyrnn.dynamics.lyapunov import lyapunov_exponents
from tinyrnn.dynamics.perturbation import Perturbation, perturb
from tinyrnn.dynamics.products import JacobianProducts, jacobian_products
from tinyrnn.dynamics.rtrl import RTRL

__all__ = [
    "RTRL",
    "UORO",
    "JacobianProducts",
    "Perturbation",
    "SnAp1",
    "carry_parts",
    "gate_jacobians",
    "gate_values",
    "jacobian_products",
    "log10_bound",
    "lyapunov_exponents",
    "perturb",
    "spectral_norm",
    "spectral_radius",
    "step_jacobians",
]
