"""Opening a compiled scan: its one record, written out step by step, as drawings want it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyrnn.autograd.backward import backpropagate
from tinyrnn.autograd.changes import changed_since
from tinyrnn.autograd.state import unrolled
from tinyrnn.autograd.tape import Node, reachable
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.recurrence.record import OUTPUT, ScanNode
from tinyrnn.recurrence.rerun import record_steps


def open_scans(roots: Sequence[Node]) -> list[Node]:
    """Return the same graph with every compiled scan written out step by step; the graph is not changed.

    Where the graph still holds its saved values (before ``backward()``, or after
    ``backward(retain_graph=True)``), and they are what they were (before an optimiser's step), the steps
    carry their values, and, if the roots are single numbers, their gradients. Otherwise they show structure
    only.

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
    held = not any(n.saved is not None and _changed(n) for n in nodes)
    opened: dict[Node, Node] = {}
    outputs: dict[Node, list[Tensor]] = {}
    for node in nodes:
        if isinstance(node, ScanNode):
            inputs = [None if n is None else opened.get(n, n) for n in node.inputs]
            outputs[node] = _steps(node, inputs, held=held)
        elif node.primitive is OUTPUT:
            scan = node.inputs[0]
            made = outputs[scan][node.params["output"]].node  # pyright: ignore[reportArgumentType]
            opened[node] = node if made is None else made
        elif any(n in opened for n in node.inputs if n is not None):
            opened[node] = _copy(node, opened)
    result = [opened.get(root, root) for root in roots]
    if (
        held
        and all(root.shape == () for root in result)
        and all(n.saved is not None for n in reachable(result))
    ):
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


def _changed(node: Node) -> bool:
    """Return whether a value that the node saved is no longer what it was."""
    if isinstance(node, ScanNode):  # whose steps read all that it was given
        ((parts, _),) = node.saved  # pyright: ignore
        arrays = [a for part in parts for a in part]
    else:
        arrays = [array for _, _, array in node.needed(node.saved)]
    return any(changed_since(a, node.order) is not None for a in arrays)


def _steps(node: ScanNode, inputs: list[Node | None], *, held: bool) -> list[Tensor]:
    """Record the steps of a scan one by one; return its carry and its ys."""
    program = node.derivative.forward.program
    lines = program.program.lines
    first_x = len(program.consts) + len(program.carry)
    held = held and node.saved is not None
    if held:
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
    before = {n: n.value for n in inputs if n is not None}
    with unrolled():
        times = node.times(0, node.steps)
        outputs = record_steps(program, node.count, operands, times, node.scope, name_values=True)
    if not held:
        _forget([y.node for y in outputs if y.node is not None], before)
    return outputs


def _forget(made: list[Node], before: dict[Node, Any]) -> None:
    """Drop the values of steps that ran on zeros, but for the numbers that stand in the program."""
    seen = set(before)
    stack = [node for node in made if node not in seen]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack += [n for n in node.inputs if n is not None]
            if node.primitive is not None or node.shape:
                node.value = None
    for node, value in before.items():
        node.value = value
