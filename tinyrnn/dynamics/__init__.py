"""A recurrence as a dynamical system: why gradients vanish and explode, measured on any cell."""

from tinyrnn.dynamics.bounds import log10_bound, spectral_norm, spectral_radius
from tinyrnn.dynamics.diagnosis import Diagnosis, diagnose, diagnose_watch
from tinyrnn.dynamics.findings import Finding
from tinyrnn.dynamics.flow import GradientFlow, StateFlow, gradient_flow
from tinyrnn.dynamics.gates import GateShares, gate_jacobians, gate_values
from tinyrnn.dynamics.jacobians import carry_parts, step_jacobians
from tinyrnn.dynamics.lyapunov import lyapunov_exponents
from tinyrnn.dynamics.perturbation import Perturbation, perturb
from tinyrnn.dynamics.products import JacobianProducts, jacobian_products
from tinyrnn.dynamics.rtrl import RTRL
from tinyrnn.dynamics.snap1 import SnAp1
from tinyrnn.dynamics.uoro import UORO
from tinyrnn.dynamics.watch import Watch, watch

__all__ = [
    "RTRL",
    "UORO",
    "Diagnosis",
    "Finding",
    "GateShares",
    "GradientFlow",
    "JacobianProducts",
    "Perturbation",
    "SnAp1",
    "StateFlow",
    "Watch",
    "carry_parts",
    "diagnose",
    "diagnose_watch",
    "gate_jacobians",
    "gate_values",
    "gradient_flow",
    "jacobian_products",
    "log10_bound",
    "lyapunov_exponents",
    "perturb",
    "spectral_norm",
    "spectral_radius",
    "step_jacobians",
    "watch",
]


def __dir__() -> list[str]:
    return sorted(__all__)
