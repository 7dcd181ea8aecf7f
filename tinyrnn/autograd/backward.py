"""The reverse pass: from a gradient at the outputs to gradients at the inputs, along the tape."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tinyrnn.autograd.tape import Leaf, Node

ndarray = np.ndarray


def reachable(roots: Iterable[Node]) -> list[Node]:
    """Return every record that the roots were made from, newest first."""
    seen = set(roots)
    stack = list(seen)
    while stack:
        for node in stack.pop().inputs:
            if node is not None and node not in seen:
                seen.add(node)
                stack.append(node)
    return sorted(seen, key=lambda node: node.order, reverse=True)


def _leading_to(nodes: list[Node], targets: set[Node]) -> list[Node]:
    """Leave out the records that no target went into."""
    useful = set(targets)
    for node in reversed(nodes):
        if node not in useful and not useful.isdisjoint(node.inputs):
            useful.add(node)
    return [node for node in nodes if node in useful]


def fit(g: Any, shape: tuple[int, ...]) -> Any:
    """Sum a gradient over the axes along which its operand was broadcast."""
    extra = g.ndim - len(shape)
    axes = (*range(extra), *(i for i, n in enumerate(shape, extra) if n == 1 and g.shape[i] != 1))
    return g.sum(axes).reshape(shape)


def backpropagate(
    gradients: dict[Node, Any],
    *,
    targets: set[Node] | None = None,
    retain: bool = False,
    wrap: Callable[[Any, Node | None], Any] | None = None,
) -> dict[Node, Any]:
    """Send gradients back along the tape.

    Parameters
    ----------
    gradients : dict
        The gradient at each root. Emptied on the way.
    targets : set of Node, optional
        Stop at these and return their gradients; otherwise all leaves are returned.
    retain : bool
        Keep the saved values for another pass.
    wrap : callable, optional
        ``wrap(array, node) -> Tensor``: makes a saved value a Tensor again, so that this pass is itself recorded.

    Returns
    -------
    dict
        From node to gradient.

    Raises
    ------
    RuntimeError
        Where an earlier pass has freed the saved values.
    """
    found: dict[Node, Any] = {}
    owned: set[Node] = set()  # whose gradient is an array made here, and so may be changed in place
    nodes = reachable(gradients)
    if targets is not None:
        nodes = _leading_to(nodes, targets)
    with np.errstate(all="ignore"):  # the forward pass has warned already
        for node in nodes:
            g = gradients.pop(node, None)
            if g is None:
                continue
            if node.value is not None:
                node.grad = g
            primitive = node.primitive
            if primitive is None if targets is None else node in targets:
                found[node] = g if node in owned or wrap else np.array(g)
            if primitive is None:
                continue
            saved = node.saved
            if saved is None:
                raise RuntimeError(
                    f"backward: the values saved by '{primitive.name}' were freed by an earlier backward pass; "
                    "run the forward pass again, or call backward(retain_graph=True) the first time"
                )
            if not retain:
                node.saved = None
            if primitive.accumulate is not None:
                source = node.inputs[0]
                total = gradients.get(source)
                gradients[source] = primitive.accumulate(total, source in owned, g, source.shape, *saved[0])
                owned.add(source)
                continue
            if primitive.joint is not None:
                parts = primitive.joint(node, saved, g, wrap)
            else:
                parts = _parts(node, primitive, saved, g, wrap)
            for source, part in zip(node.inputs, parts, strict=False):
                if source is None or part is None:
                    continue
                if part.shape != source.shape:
                    part = fit(part, source.shape)
                if part.dtype != source.dtype:
                    part = part.astype(source.dtype)
                total = gradients.get(source)
                if total is None:
                    gradients[source] = part
                elif source in owned and wrap is None:
                    total += part
                    gradients[source] = total
                else:
                    gradients[source] = total + part
                    owned.add(source)
    return found


def _parts(node: Node, primitive: Any, saved: Any, g: Any, wrap: Any) -> list[Any]:
    """Call the VJP of each operand that wants a gradient."""
    parts = []
    for position, kept in enumerate(saved):
        if kept is None:
            parts.append(None)
            continue
        rule = primitive.rules[position]
        if wrap is not None:
            origins = (node if s == -1 else None if s is None else node.inputs[s] for s in rule.sources)
            kept = [value if o is None else wrap(value, o) for value, o in zip(kept, origins, strict=True)]
        parts.append(rule.vjp(g, *kept))
    return parts
