"""tinyrnn: an autograd framework made for recurrence."""

import importlib
from typing import TYPE_CHECKING, Any

from tinyrnn.autograd.anomaly import AnomalyError
from tinyrnn.autograd.conversions import LostGradientWarning
from tinyrnn.autograd.creation import as_tensor, ones, ones_like, randn, tensor, zeros, zeros_like
from tinyrnn.autograd.functions import (
    abs,
    argmax,
    argmin,
    astype,
    broadcast_to,
    clip,
    concatenate,
    exp,
    expand_dims,
    flatten,
    log,
    log_softmax,
    logsumexp,
    matmul,
    max,
    maximum,
    mean,
    min,
    minimum,
    relu,
    reshape,
    sigmoid,
    softmax,
    softplus,
    split,
    sqrt,
    squeeze,
    stack,
    sum,
    swapaxes,
    take,
    tanh,
    transpose,
    where,
)
from tinyrnn.autograd.gradient import grad
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
    from tinyrnn.recurrence.fallback import ScanFallbackWarning
    from tinyrnn.recurrence.plan import Plan, explain
    from tinyrnn.recurrence.scan import scan
    from tinyrnn.recurrence.truncated import TruncatedBPTT
    from tinyrnn.training import fit, load, save

__version__ = "0.1.0"

__all__ = [
    "AnomalyError",
    "LostGradientWarning",
    "Hypothesis",
    "Plan",
    "RTRL",
    "ScanFallbackWarning",
    "Tensor",
    "TruncatedBPTT",
    "abs",
    "argmax",
    "argmin",
    "as_tensor",
    "astype",
    "beam_search",
    "broadcast_to",
    "clip",
    "concatenate",
    "data",
    "detect_anomaly",
    "draw",
    "dynamics",
    "enable_grad",
    "exp",
    "expand_dims",
    "explain",
    "fit",
    "flatten",
    "generate",
    "get_default_dtype",
    "get_rng_state",
    "grad",
    "load",
    "log",
    "log_softmax",
    "logsumexp",
    "manual_seed",
    "matmul",
    "max",
    "maximum",
    "mean",
    "min",
    "minimum",
    "nn",
    "no_grad",
    "ones",
    "ones_like",
    "optim",
    "randn",
    "relu",
    "reshape",
    "save",
    "scan",
    "scope",
    "set_default_dtype",
    "set_rng_state",
    "sigmoid",
    "softmax",
    "softplus",
    "split",
    "sqrt",
    "squeeze",
    "stack",
    "sum",
    "swapaxes",
    "take",
    "tanh",
    "tensor",
    "testing",
    "training",
    "transpose",
    "unrolled",
    "where",
    "zeros",
    "zeros_like",
]

# Imported when they are first asked for, so that `import tinyrnn` stays fast.
_ROOMS = ("data", "draw", "dynamics", "nn", "optim", "testing", "training")
_FOUND_IN = {
    "Hypothesis": "generation.beam",
    "Plan": "recurrence.plan",
    "RTRL": "dynamics.rtrl",
    "ScanFallbackWarning": "recurrence.fallback",
    "TruncatedBPTT": "recurrence.truncated",
    "beam_search": "generation.beam",
    "explain": "recurrence.plan",
    "fit": "training.fit",
    "generate": "generation.generate",
    "load": "training.saving",
    "save": "training.saving",
    "scan": "recurrence.scan",
}


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f"tinyrnn.{name}")
    if name in _FOUND_IN:
        value = getattr(importlib.import_module(f"tinyrnn.{_FOUND_IN[name]}"), name)
        globals()[name] = value  # found at once from now on
        return value
    raise AttributeError(f"module 'tinyrnn' has no attribute {name!r}")
