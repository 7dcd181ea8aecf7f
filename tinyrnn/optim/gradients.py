"""The gradients of parameters, as arrays that may be changed in place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinyrnn.autograd.tensor import Tensor

Array = np.ndarray[Any, np.dtype[Any]]


def with_gradients(where: str, parameters: Tensor | Iterable[Tensor]) -> list[tuple[int, Tensor]]:
    """Return the parameters that have a gradient, each once, with their positions."""
    found: dict[Tensor, int] = {}
    for i, p in enumerate([parameters] if isinstance(parameters, Tensor) else parameters):
        if not isinstance(p, Tensor):
            raise TypeError(f"{where}: parameter {i} is of type {type(p).__name__}; expected a Tensor")
        if p.grad is not None:
            found.setdefault(p, i)
    return [(i, p) for p, i in found.items()]


def own_gradient(p: Tensor) -> Array:
    """Return the array of a gradient, after giving it one of its own where it may share another's.

    An ordinary backward pass leaves each parameter an array of its own. A gradient that was itself recorded
    (``create_graph=True``), a view or a read-only array may be shared, by the tape or by another parameter.
    """
    grad = p.grad
    assert grad is not None
    if grad.node is not None or not (grad.data.flags.owndata and grad.data.flags.writeable):
        grad = p.grad = Tensor(np.array(grad.data))
    return grad.data
