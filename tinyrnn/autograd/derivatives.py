"""Derivatives of functions: the Jacobian, row by row, and the Hessian, the Jacobian of the gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, overload

import numpy as np

from tinyrnn.autograd.arguments import FLAG, FUNCTION, checked
from tinyrnn.autograd.creation import as_tensor
from tinyrnn.autograd.functions import stack
from tinyrnn.autograd.gradient import grad
from tinyrnn.autograd.state import enable_grad
from tinyrnn.autograd.tensor import Tensor


@overload
def jacobian(
    function: Callable[..., Tensor], inputs: Tensor | list[Any], *, create_graph: bool = False
) -> Tensor: ...
@overload
def jacobian(function: Callable[..., Any], inputs: Any, *, create_graph: bool = False) -> Any: ...
@checked(function=FUNCTION, create_graph=FLAG)
def jacobian(function: Callable[..., Any], inputs: Any, *, create_graph: bool = False) -> Any:
    """Return the derivative of each number that a function gives with respect to each that it takes.

    Parameters
    ----------
    function : callable
        From one Tensor or several to one Tensor, or a tuple of them.
    inputs : Tensor, array_like, or tuple of these
        Where it is asked for. A tuple holds the arguments of the function. Integers are taken as floats.
    create_graph : bool
        Record the derivative too, so that it can be differentiated; in the inputs themselves where these
        require grad.

    Returns
    -------
    Tensor, of the shape of the output and then of the input
        For a tuple of inputs a tuple of these, and for a tuple of outputs a tuple of what one of them has
        (as ``torch.autograd.functional.jacobian``). Zeros where nothing depends on the input.

    Raises
    ------
    TypeError
        Where the function gives something else than Tensors.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.jacobian(lambda x: x**2, [1.0, 2.0])
    tensor([[2., 0.],
            [0., 4.]])
    >>> w, h = tr.tensor([[1.0, 2.0]]), tr.tensor([3.0, 4.0])
    >>> [each.shape for each in tr.jacobian(tr.matmul, (w, h))]
    [(1, 1, 2), (1, 2)]
    """
    several = isinstance(inputs, tuple)
    leaves = _leaves(inputs if several else (inputs,), create_graph)
    with enable_grad():
        given = function(*leaves)
    outputs = given if isinstance(given, tuple) else (given,)
    rows = tuple(_rows("jacobian", output, leaves, create_graph) for output in outputs)
    found = rows if several else tuple(row[0] for row in rows)
    return found if isinstance(given, tuple) else found[0]


@overload
def hessian(
    function: Callable[..., Tensor], inputs: Tensor | list[Any], *, create_graph: bool = False
) -> Tensor: ...
@overload
def hessian(function: Callable[..., Any], inputs: Any, *, create_graph: bool = False) -> Any: ...
@checked(function=FUNCTION, create_graph=FLAG)
def hessian(function: Callable[..., Any], inputs: Any, *, create_graph: bool = False) -> Any:
    """Return the second derivatives of a function that gives one number.

    Parameters
    ----------
    function : callable
        From one Tensor or several to a Tensor of one element.
    inputs, create_graph
        As in `jacobian`.

    Returns
    -------
    Tensor, of the shape of the input twice
        For a tuple of inputs a tuple of tuples: ``[i][j]`` has the derivatives in inputs ``i`` and ``j``.

    Raises
    ------
    TypeError, ValueError
        Where the function gives something else than one number.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.hessian(lambda x: (x**3).sum(), [1.0, 2.0])
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """

    def gradient(*leaves: Tensor) -> tuple[Tensor, ...]:
        output = function(*leaves)
        if isinstance(output, Tensor) and output.size != 1:
            raise ValueError(f"hessian: the function gave shape {output.shape}; expected one number")
        parts = _rows("hessian", output, leaves, True)
        return tuple(part.reshape(leaf.shape) for part, leaf in zip(parts, leaves, strict=True))

    several = isinstance(inputs, tuple)
    found = jacobian(gradient, inputs if several else (inputs,), create_graph=create_graph)
    return found if several else found[0][0]


def _leaves(inputs: tuple[Any, ...], create_graph: bool) -> list[Tensor]:
    """Return the arguments as Tensors that are recorded, in place of those that a user holds."""
    leaves: list[Tensor] = []
    for given in inputs:
        x = as_tensor(given)
        x = x if x.dtype.kind == "f" else x.astype(np.float64)
        if create_graph and x.requires_grad:
            leaves.append(x * 1)  # a record of this call's own, that leads to the user's
        else:
            leaf = Tensor(x.data)
            leaf.requires_grad = True
            leaves.append(leaf)
    return leaves


def _rows(where: str, output: Any, leaves: Any, create_graph: bool) -> tuple[Tensor, ...]:
    """Return the derivative of one output in each leaf: a backward pass for each number of it."""
    if not isinstance(output, Tensor):
        raise TypeError(f"{where}: the function gave {type(output).__name__}; expected Tensors")
    parts: list[list[Tensor]] = [[] for _ in leaves]
    for i in range(output.size if output.requires_grad else 0):
        seed = np.zeros(output.size, output.dtype)
        seed[i] = 1
        row = grad(
            output,
            leaves,
            seed.reshape(output.shape),
            retain_graph=True,
            create_graph=create_graph,
            allow_unused=True,
        )
        for part, leaf, g in zip(parts, leaves, row, strict=True):
            part.append(Tensor(np.zeros_like(leaf.data)) if g is None else g)
    return tuple(
        stack(part).reshape(output.shape + leaf.shape)
        if part
        else Tensor(np.zeros((*output.shape, *leaf.shape), leaf.dtype))
        for part, leaf in zip(parts, leaves, strict=True)
    )
