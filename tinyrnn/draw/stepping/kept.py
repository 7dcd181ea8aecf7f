"""A graph with all of its values, also where they were not kept.

A compiled scan, and whatever else ran outside of `tinyrnn.unrolled`, keeps no values for drawings. But the
tape knows enough: the scan can be opened, VJPs have saved what they need, parameters are still there, and the
rest follows by computing it again.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.tape import Constant, Leaf, Node, reachable
from tinyrnn.recurrence.opening import open_scans

__all__ = ["in_order", "operands_in", "with_values"]

Array = np.ndarray[Any, np.dtype[Any]]


def with_values(root: Node, value: Array | None = None) -> Node:
    """Return the record itself, or, where values are missing, its counterpart in a copy that has them.

    Parameters
    ----------
    root : Node
    value : ndarray, optional
        What it gave.

    Raises
    ------
    ValueError
        A value is known to nobody any more.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> w = tr.tensor(3.0, requires_grad=True)
    >>> y = tr.tanh(w * 2.0)
    >>> [float(node.value) for node in in_order(with_values(y.node))][:4]
    [3.0, 2.0, 6.0, 0.9999877214431763]
    """
    before = [(node, node.value) for node in reachable([root])]
    try:
        (opened,) = open_scans([root])
        nodes = in_order(opened)
        whole = all(node.value is not None and None not in node.inputs for node in nodes)
        return root if whole and opened is root else _Values(nodes, opened, value).copy(opened)
    finally:  # the steps of an opened scan give their operands a value, as all that is drawn has one
        for node, old in before:
            node.value = old


def in_order(root: Node) -> list[Node]:
    """Return every record that the root was made from, each after its inputs and before what is made of it.

    Records are numbered as they are made. Only those of constants, which the tape writes down when it meets
    them as operands, have a number above that of their first user.
    """
    rank: dict[Node, float] = {}
    nodes = reachable([root])[::-1]
    for node in nodes:
        rank.setdefault(node, node.order)
        for source in node.inputs:
            if source is not None and source.order > node.order:
                rank[source] = min(rank.get(source, node.order), node.order) - 0.5
    return sorted(nodes, key=lambda node: (rank[node], node.order))


def operands_in(node: Node, values: list[Any], constants: list[bool]) -> list[Array]:
    """Return the values that an operation was computed from, in the dtype in which the engine took them."""
    found: list[Array] = []
    for position, (value, constant) in enumerate(zip(values, constants, strict=True)):
        value = np.asarray(value)
        if constant and value.dtype.kind in "fiu" and node.dtype.kind == "f":
            rule = node.primitive.rule(position) if node.primitive is not None else None
            if rule is not None:  # not an index or a condition
                value = value.astype(node.dtype, copy=False)
        found.append(value)
    return found


class _Values:
    """What is known of the values of records, and of the constants that they were made with."""

    def __init__(self, nodes: list[Node], root: Node, given: Array | None) -> None:
        self.nodes = nodes
        self.values: dict[Node, Any] = {}
        self.constants: dict[tuple[Node, int], Any] = {}
        for node in nodes:
            value = node.value
            if value is None and isinstance(node, Leaf) and (tensor := node.tensor()) is not None:
                value = tensor.data
            if value is not None:
                self.values[node] = value
        for node in nodes:
            self._look_into_saved(node)
        if given is not None:
            self.values.setdefault(root, given)
        for _ in range(2):  # what is found from a result may be what another one waits for
            for node in nodes:
                self._compute(node)
            for node in reversed(nodes):
                self._solve(node)
        for node in nodes:
            if not self._compute(node):
                raise _lost(f"an operand of {node.place()}")

    def _look_into_saved(self, node: Node) -> None:
        if node.primitive is None or node.saved is None or node.primitive.joint is not None:
            return
        for rule, kept in zip(node.primitive.rules, node.saved):
            if rule is None or kept is None:
                continue
            for need, origin, value in zip(rule.needs, rule.sources, kept):
                if need == "rest":
                    self.constants.update({(node, 1 + i): array for i, array in enumerate(value)})
                elif origin == -1:
                    self.values.setdefault(node, value)
                elif origin is not None and (source := node.inputs[origin]) is not None:
                    self.values.setdefault(source, value)
                elif origin is not None:
                    self.constants[node, origin] = value

    def _operand(self, node: Node, position: int) -> Any:
        source = node.inputs[position]
        return self.constants.get((node, position)) if source is None else self.values.get(source)

    def _solve(self, node: Node) -> None:
        """Find an operand of a sum or a difference, which no VJP needs, from the result and the other."""
        if node.primitive not in (p.add, p.subtract) or node not in self.values:
            return
        ans = np.asarray(self.values[node])
        known = [self._operand(node, 0), self._operand(node, 1)]
        if (known[0] is None) == (known[1] is None):
            return
        position = 0 if known[0] is None else 1
        other, source = np.asarray(known[1 - position]), node.inputs[position]
        with np.errstate(all="ignore"):
            if node.primitive is p.add:
                found = ans - other
            else:
                found = other - ans if position else ans + other
        if source is None:
            self.constants[node, position] = _plainest(found.astype(node.dtype), ans, other)
        elif source.shape == found.shape:
            self.values[source] = found.astype(source.dtype)

    def _compute(self, node: Node) -> bool:
        """Compute a value where that can be; return whether it is known."""
        if node in self.values or node.primitive is None:
            return True
        values = [self._operand(node, i) for i in range(len(node.inputs))]
        if any(value is None for value in values):
            return False
        constants = [source is None or isinstance(source, Constant) for source in node.inputs]
        with np.errstate(all="ignore"):
            self.values[node] = node.primitive.forward(*operands_in(node, values, constants), **node.params)
        return True

    def copy(self, root: Node) -> Node:
        """Copy the graph, with a record for each constant; the original stays as it is."""
        copies: dict[Node, Node] = {}
        for node in self.nodes:
            if isinstance(node, Leaf):
                value = self._value(node)
                made: Node = (Constant if isinstance(node, Constant) else Leaf)(value, node.name)
            else:
                inputs = [
                    self._constant(node, i) if source is None else copies[source]
                    for i, source in enumerate(node.inputs)
                ]
                made = Node(
                    node.primitive, inputs, node.saved, node.params, node.shape, node.dtype, node.scope
                )
                made.name = node.name
            made.value, made.order, made.scope = np.asarray(self._value(node)), node.order, node.scope
            copies[node] = made
        return copies[root]

    def _value(self, node: Node) -> Array:
        if node not in self.values:
            raise _lost(f"the value of {node.place()}")
        return np.asarray(self.values[node])

    def _constant(self, node: Node, position: int) -> Node:
        if (node, position) not in self.constants:
            raise _lost(f"operand {position} of {node.place()}")
        value = np.asarray(self.constants[node, position])
        made = Constant(value)
        made.value, made.scope = value, node.scope
        return made


def _plainest(found: Array, ans: Array, other: Array) -> Array:
    """Return the shortest number that stands everywhere, within rounding; else the array itself."""
    if found.size == 0 or (found.size == 1 and found.shape):
        return found
    with np.errstate(all="ignore"):
        scale = max(float(np.max(np.abs(ans))), float(np.max(np.abs(other))))
        tolerance = 2 * float(np.finfo(found.dtype).eps) * scale
        for number in (0.0, *(float(f"{found.flat[0]:.{digits}g}") for digits in range(1, 7))):
            if (np.abs(found - number) <= tolerance).all():
                return np.asarray(number, found.dtype)
    return found


def _lost(what: str) -> ValueError:
    return ValueError(
        f"stepper: {what} was not kept, was freed by backward(), or has changed since; make the stepper "
        "before backward(), or after backward(retain_graph=True), or compute the output inside "
        "`with tinyrnn.unrolled():`"
    )
