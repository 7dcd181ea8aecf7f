"""tinyrnn: an autograd framework made for recurrence."""

import importlib
from typing import TYPE_CHECKING, Any

from tinyrnn.autograd import functions as _functions
from tinyrnn.autograd.anomaly import AnomalyError
from tinyrnn.autograd.conversions import LostGradientWarning
from tinyrnn.autograd.creation import as_tensor, ones, ones_like, randn, tensor, zeros, zeros_like
from tinyrnn.autograd.derivatives import hessian, jacobian
from tinyrnn.autograd.elsewhere import instead as _instead
from tinyrnn.autograd.functions import *
from tinyrnn.autograd.gradient import grad
from tinyrnn.autograd.primitive import Primitive
from tinyrnn.autograd.rng import get_rng_state, manual_seed, set_rng_state
from tinyrnn.autograd.state import (
    detect_anomaly,
    enable_grad,
    get_default_dtype,
    no_grad,
    scope,
    set_default_dtype,
    unrolled,
)
from tinyrnn.autograd.tensor import Tensor

if TYPE_CHECKING:
    from tinyrnn import data, draw, dynamics, nn, optim, testing, training
    from tinyrnn.dynamics.rtrl import RTRL
    from tinyrnn.generation import Hypothesis, beam_search, generate
    from tinyrnn.recurrence.backend import backend, set_backend
    from tinyrnn.recurrence.explain import explain
    from tinyrnn.recurrence.fallback import ScanFallbackWarning
    from tinyrnn.recurrence.plan import Plan
    from tinyrnn.recurrence.scan import scan
    from tinyrnn.recurrence.stepper import Stepper
    from tinyrnn.recurrence.truncation.truncated import TruncatedBPTT
    from tinyrnn.training import fit, load, save

__version__ = "0.1.0"

__all__ = [
    "AnomalyError",
    "Hypothesis",
    "LostGradientWarning",
    "Plan",
    "Primitive",
    "RTRL",
    "ScanFallbackWarning",
    "Stepper",
    "Tensor",
    "TruncatedBPTT",
    "as_tensor",
    "backend",
    "beam_search",
    "data",
    "detect_anomaly",
    "draw",
    "dynamics",
    "enable_grad",
    "explain",
    "fit",
    "generate",
    "get_default_dtype",
    "get_rng_state",
    "grad",
    "hessian",
    "jacobian",
    "load",
    "manual_seed",
    "nn",
    "no_grad",
    "ones",
    "ones_like",
    "optim",
    "randn",
    "save",
    "scan",
    "scope",
    "set_backend",
    "set_default_dtype",
    "set_rng_state",
    "tensor",
    "testing",
    "training",
    "unrolled",
    "zeros",
    "zeros_like",
]
__all__ += _functions.__all__  # NumPy's functions, and the activations

# Imported when they are first asked for, so that `import tinyrnn` stays fast.
_ROOMS = ("data", "draw", "dynamics", "nn", "optim", "testing", "training")
_FOUND_IN = {
    "Hypothesis": "generation.beam",
    "Plan": "recurrence.plan",
    "RTRL": "dynamics.rtrl",
    "ScanFallbackWarning": "recurrence.fallback",
    "Stepper": "recurrence.stepper",
    "TruncatedBPTT": "recurrence.truncation.truncated",
    "backend": "recurrence.backend",
    "beam_search": "generation.beam",
    "explain": "recurrence.explain",
    "fit": "training.fit",
    "generate": "generation.generate",
    "load": "training.saving",
    "save": "training.saving",
    "scan": "recurrence.scan",
    "set_backend": "recurrence.backend",
}


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f"tinyrnn.{name}")
    if name in _FOUND_IN:
        value = getattr(importlib.import_module(f"tinyrnn.{_FOUND_IN[name]}"), name)
        globals()[name] = value  # found at once from now on
        return value
    rooms = "nn", "optim", "linalg", "data", "training"
    raise AttributeError(_instead("module 'tinyrnn'", name, rooms=rooms))


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
