"""Opening a compiled scan: its one record, written out step by step, as drawings want it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyrnn.autograd.backward import backpropagate
from tinyrnn.autograd.functions import stack
from tinyrnn.autograd.state import scope, thread, unrolled
from tinyrnn.autograd.tape import Node, reachable
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.recurrence.record import OUTPUT, ScanNode


def open_scans(roots: Sequence[Node]) -> list[Node]:
    """Return the same graph with every compiled scan written out step by step; the graph is not changed.

    Where the graph still holds its saved values (before ``backward()``, or after
    ``backward(retain_graph=True)``), the steps carry their values, and, if the roots are single numbers,
    their gradients. Otherwise they show structure only.

    Parameters
    ----------
    roots : sequence of Node
        Records of outputs.

    Returns
    -------
    list of Node
        The same outputs in the opened graph; the roots themselves where there is nothing to open.
    """
    nodes = reachable(roots)[::-1]
    if not any(isinstance(node, ScanNode) for node in nodes):
        return list(roots)
    opened: dict[Node, Node] = {}
    outputs: dict[Node, list[Tensor]] = {}
    for node in nodes:
        if isinstance(node, ScanNode):
            outputs[node] = _steps(node, [None if n is None else opened.get(n, n) for n in node.inputs])
        elif node.primitive is OUTPUT:
            scan = node.inputs[0]
            made = outputs[scan][node.params["output"]].node  # pyright: ignore[reportArgumentType]
            opened[node] = node if made is None else made
        elif any(n in opened for n in node.inputs if n is not None):
            opened[node] = _copy(node, opened)
    result = [opened.get(root, root) for root in roots]
    if all(root.shape == () for root in result) and all(n.saved is not None for n in reachable(result)):
        for root in result:
            root.grad = np.ones((), root.dtype)
        backpropagate({root: root.grad for root in result}, retain=True)
    return result


def _copy(node: Node, opened: dict[Node, Node]) -> Node:
    """Copy a record, so that it stands on the opened ones."""
    inputs = [None if n is None else opened.get(n, n) for n in node.inputs]
    copy = Node(node.primitive, inputs, node.saved, node.params, node.shape, node.dtype, node.scope)
    copy.name, copy.value, copy.grad = node.name, node.value, node.grad
    return copy


def _steps(node: ScanNode, inputs: list[Node | None]) -> list[Tensor]:
    """Record the steps of a scan one by one; return its carry and its ys."""
    program = node.derivative.forward.program
    lines = program.program.lines
    first_carry, first_x = len(program.consts), len(program.consts) + len(program.carry)
    held = node.saved is not None
    if node.saved is not None:
        ((parts, _),) = node.saved  # pyright: ignore[reportGeneralTypeIssues]
        arrays = [a for part in parts for a in part]
    else:  # freed: zeros that take no memory
        arrays = [
            np.broadcast_to(
                np.zeros((), lines[i].dtype), ((node.steps,) if k >= first_x else ()) + lines[i].shape
            )
            for k, i in enumerate([*program.consts, *program.carry, *program.xs])
        ]
    operands = [Tensor(a, n) for a, n in zip(arrays, inputs, strict=True)]
    values = dict(zip(program.consts, operands[:first_carry], strict=True))
    carry, xs = operands[first_carry:first_x], operands[first_x:]
    ys_lines = program.ys[: len(program.ys) - node.derivative.saved]
    order = program.program.needed([*program.carry_out, *ys_lines])
    ys: list[list[Tensor]] = [[] for _ in ys_lines]
    modes = thread.modes
    outer = modes.scope
    try:
        modes.scope = node.scope
        with unrolled():
            modes.keeping = held
            for t in range(node.steps)[::-1] if node.reverse else range(node.steps):
                with scope(step=t), np.errstate(all="ignore"):
                    here: dict[int, Any] = {**values, **dict(zip(program.carry, carry, strict=True))}
                    here.update((i, x[t]) for i, x in zip(program.xs, xs, strict=True) if i in order)
                    for i in order:
                        primitive = lines[i].primitive
                        if lines[i].literal is not None:
                            here[i] = lines[i].literal
                        elif primitive is not None:
                            made = primitive(*(here[a] for a in lines[i].args), **lines[i].params)
                            here[i] = made if isinstance(made, Tensor) else Tensor(np.asarray(made))
                            here[i].name = (
                                program.program.names.get(i, "") if i not in program.carry_out else ""
                            )
                    carry = [here[i] for i in program.carry_out]
                    for value, i in zip(carry, program.carry, strict=True):
                        value.name = value.name or lines[i].name.removeprefix("carry").strip(".[]'") or "h"
                for y, i in zip(ys, ys_lines, strict=True):
                    here[i].name = here[i].name or "y"
                    y.append(here[i])
            stacked = [stack(y[::-1] if node.reverse else y) for y in ys]
    finally:
        modes.scope = outer
    return [*carry, *stacked]
