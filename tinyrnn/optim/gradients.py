"""The gradients of parameters, as arrays that may be changed in place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from tinyrnn.autograd.arguments import ITERABLE, shown
from tinyrnn.autograd.tensor import Tensor

Array = np.ndarray[Any, np.dtype[Any]]


def as_parameters(what: str, given: Any) -> list[Any]:
    """Return one Tensor, or what holds several, as a list; ``what`` begins an error.

    Raises
    ------
    TypeError
        Where it holds nothing, or in no order.
    """
    if isinstance(given, Tensor):
        return [given]
    if not ITERABLE.of_type(given) or isinstance(given, (Mapping, set)):
        hint = "; for a module give its parameters()" if hasattr(given, "parameters") else ""
        raise TypeError(f"{what} is {shown(given)}; expected an ordered iterable of Tensors{hint}")
    return list(given)


def with_gradients(where: str, parameters: Tensor | Iterable[Tensor]) -> list[tuple[int, Tensor]]:
    """Return the parameters that have a gradient, each once, with their positions.

    Raises
    ------
    TypeError, ValueError
        Where they are no Tensors, or an iterator that was used up: nothing would be changed.
    """
    found: dict[Tensor, int] = {}
    several = as_parameters(f"{where}: parameters", parameters)
    if not several and isinstance(parameters, Iterator):
        raise ValueError(
            f"{where}: parameters is an iterator that was used up; expected at least one Tensor: "
            "parameters() gives a new one each time, and a list can be gone over again"
        )
    for i, p in enumerate(several):
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
