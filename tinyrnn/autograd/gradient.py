"""`grad`: gradients of chosen outputs with respect to chosen inputs, as values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinyrnn.autograd.arguments import FLAG, checked
from tinyrnn.autograd.backward import backpropagate, seeds
from tinyrnn.autograd.state import enable_grad, no_grad
from tinyrnn.autograd.tensor import Tensor, rewrap


@checked(create_graph=FLAG, retain_graph=FLAG.or_none(), allow_unused=FLAG)
def grad(
    outputs: Tensor | Iterable[Tensor],
    inputs: Tensor | Iterable[Tensor],
    grad_outputs: Any = None,
    create_graph: bool = False,
    *,
    retain_graph: bool | None = None,
    allow_unused: bool = False,
) -> tuple[Tensor | None, ...]:
    """Return the gradients of the outputs' sum with respect to the inputs; no ``.grad`` is changed.

    Parameters
    ----------
    outputs : Tensor or iterable of Tensor
        What to differentiate.
    inputs : Tensor or iterable of Tensor
        With respect to what: leaves, or Tensors computed on the way.
    grad_outputs : array_like, Tensor, or sequence of them, optional
        The gradient at each output, of its shape; 1 for single numbers.
    create_graph : bool
        Record the pass, so that the result can be differentiated again.
    retain_graph : bool, optional
        Keep the saved values for another pass; by default as ``create_graph``.
    allow_unused : bool
        Give None for an input that the outputs do not depend on, rather than an error.

    Returns
    -------
    tuple of Tensor
        One for each input, of its shape; a tuple also where there is one input.

    Raises
    ------
    TypeError
        Where an input or output is no Tensor.
    RuntimeError
        Where an input or output was not recorded, or the outputs do not depend on an input.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> x = tr.tensor(3.0, requires_grad=True)
    >>> (first,) = tr.grad(x**3, x, create_graph=True)
    >>> (second,) = tr.grad(first, x)
    >>> first.item(), second.item()
    (27.0, 18.0)
    """
    outputs, inputs = _tensors("output", outputs), _tensors("input", inputs)
    if grad_outputs is not None:
        grad_outputs = list(grad_outputs) if isinstance(grad_outputs, (list, tuple)) else [grad_outputs]
        if len(grad_outputs) != len(outputs):
            raise ValueError(
                f"grad: got {len(grad_outputs)} grad_outputs; expected one for each of {len(outputs)} outputs"
            )
    for i, x in enumerate(inputs):
        if x.node is None:
            raise RuntimeError(f"grad: input {i}, of shape {x.shape}, does not require grad")
    nodes = [x.node for x in inputs if x.node is not None]
    wrap = rewrap if create_graph else None
    retain = create_graph if retain_graph is None else retain_graph
    with enable_grad() if create_graph else no_grad():
        found = backpropagate(
            seeds("grad", outputs, grad_outputs, wrap),
            targets=set(nodes),
            retain=retain,
            wrap=wrap,
        )
    for i, node in enumerate(nodes):
        if node not in found and not allow_unused:
            raise RuntimeError(
                f"grad: the outputs do not depend on input {i}, of shape {inputs[i].shape}; "
                "allow_unused=True gives None"
            )
    results = (found.get(node) for node in nodes)
    return tuple(g if g is None or isinstance(g, Tensor) else Tensor(g) for g in results)


def _tensors(what: str, given: Any) -> list[Tensor]:
    """Return one Tensor or several as a list."""
    if isinstance(given, Tensor):
        return [given]
    if not isinstance(given, Iterable) or isinstance(given, np.ndarray):
        raise TypeError(f"grad: the {what}s are of type {type(given).__name__}; expected Tensors")
    several = list(given)
    for i, x in enumerate(several):
        if not isinstance(x, Tensor):
            raise TypeError(f"grad: {what} {i} is of type {type(x).__name__}; expected a Tensor")
    return several
