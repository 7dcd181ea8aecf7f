"""The reverse pass: from a gradient at the outputs to gradients at the inputs, along the tape."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush
from typing import Any

import numpy as np

from tinyrnn.autograd.anomaly import check_gradient, check_part, check_unchanged
from tinyrnn.autograd.changes import latest_change
from tinyrnn.autograd.primitive import Rule, Shape, Value
from tinyrnn.autograd.state import backward_pass, thread
from tinyrnn.autograd.tape import Node, reachable


def _leading_to(roots: Iterable[Node], targets: set[Node]) -> set[Node]:
    """Return the records on the paths from the roots to the targets."""
    useful = set(targets)
    for node in reversed(reachable(roots)):
        if not useful.isdisjoint(node.inputs):
            useful.add(node)
    return useful


def seeds(
    where: str,
    outputs: list[Any],
    given: list[Any] | None,
    wrap: Callable[[Any, Node | None], Any] | None = None,
) -> dict[Node, Any]:
    """Check the outputs and the gradients given at them, and return the gradient at each record."""
    found: dict[Node, Any] = {}
    for i, output in enumerate(outputs):
        if output.node is None:
            raise RuntimeError(
                f"{where}: output {i}, of shape {output.shape}, was not recorded: nothing that it was made "
                "from requires grad, or it was made under no_grad"
            )
        g: Any = None if given is None else given[i]
        if g is None:
            if output.size != 1:
                raise RuntimeError(
                    f"{where}: output {i} has shape {output.shape}; without a gradient it must be one number"
                )
            g = np.ones(output.shape, output.dtype)
        recorded = isinstance(g, Value)
        g = g if recorded else np.asarray(g)
        if g.dtype.kind not in "fiub":
            raise TypeError(f"{where}: the gradient at output {i} has dtype {g.dtype}; expected real numbers")
        if g.shape != output.shape:
            raise ValueError(
                f"{where}: the gradient has shape {g.shape}; expected that of output {i}, {output.shape}"
            )
        if wrap is None:
            g = np.asarray(g.data if recorded else g, output.dtype)
        else:
            g = (g if recorded else wrap(g, None)).astype(output.dtype)
        found[output.node] = found[output.node] + g if output.node in found else g
    return found


def fit(g: Any, shape: Shape, node: Node | None = None) -> Any:
    """Bring a gradient to the shape of its operand: sum over the axes along which that was broadcast.

    Raises
    ------
    ValueError
        Where the operand does not broadcast to it; ``node`` is whose rule has given it.
    """
    if [n for n in g.shape if n != 1] == [n for n in shape if n != 1]:
        return g.reshape(shape)
    extra = g.ndim - len(shape)
    if extra < 0 or any(n not in (m, 1) for m, n in zip(g.shape[extra:], shape)):
        where = "" if node is None else f"backward: {node.place()}: "
        raise ValueError(f"{where}a VJP gave a gradient of shape {g.shape} for an operand of shape {shape}")
    lead = tuple(range(extra))
    if g.shape[extra:] == shape:
        return g.sum(lead)
    return g.sum(lead + tuple(i for i, n in enumerate(shape, extra) if n == 1)).reshape(shape)


def _no_array(node: Node, i: int, part: Any) -> TypeError:
    assert node.primitive is not None
    operands = node.primitive.operands
    whose = operands[i] if i < len(operands) else f"operand {i}"
    return TypeError(
        f"backward: {node.place()}: the VJP of {whose} gave a {type(part).__name__}; expected an array"
    )


def backpropagate(
    gradients: dict[Node, Any],
    *,
    targets: set[Node] | None = None,
    retain: bool = False,
    wrap: Callable[[Any, Node | None], Any] | None = None,
    observer: Callable[[Node, int, Any, Any, Any], None] | None = None,
) -> dict[Node, Any]:
    """Send gradients back along the tape.

    Parameters
    ----------
    gradients : dict
        The gradient at each root.
    targets : set of Node, optional
        Stop at these and return their gradients; otherwise all leaves are returned.
    retain : bool
        Keep the saved values for another pass.
    wrap : callable, optional
        ``wrap(array, node) -> Tensor``: makes a saved value a Tensor again, to record this pass too.
    observer : callable, optional
        ``observer(node, i, g, part, before)`` is told that ``part`` is about to be added to ``before``, the
        gradient that operand ``i`` of ``node`` has so far (None at first). The arrays may change afterwards.

    Returns
    -------
    dict
        From node to gradient.

    Raises
    ------
    RuntimeError
        Where an earlier pass has freed the saved values, or where one that is needed was changed since.
    """
    found: dict[Node, Any] = {}
    owned: set[Node] = set()  # whose gradient is an array made here, and so may be changed in place
    useful = None
    if targets is not None:
        useful = _leading_to(gradients, targets)
        gradients = {node: g for node, g in gradients.items() if node in useful}
    queue: list[Any] = [(-node.order, node) for node in gradients]  # the newest first
    heapify(queue)
    # In a recorded or observed pass the plain VJP is used, where there is one.
    plain = wrap is None and observer is None
    finite = thread.modes.finite
    # Records older than this may have saved what is no longer as it was.
    suspicious = math.inf if thread.modes.watching else latest_change()
    with np.errstate(all="ignore"), backward_pass():  # the forward pass has warned already
        while queue:
            node = heappop(queue)[1]
            g = gradients.pop(node)
            primitive = node.primitive
            is_leaf = primitive is None
            if finite:
                check_gradient(node, g)
            if node.value is not None and not is_leaf:
                node.grad = g
            if is_leaf if targets is None else node in targets:
                # What is handed out is an array of its own, of no other gradient and of no saved value.
                found[node] = (
                    wrap(np.array(g.data), g.node)
                    if wrap
                    else np.asarray(g)
                    if node in owned
                    else np.array(g)
                )
                if is_leaf or (useful is not None and useful.isdisjoint(node.inputs)):
                    continue
            saved = node.saved
            if saved is None:
                raise RuntimeError(
                    f"backward: the values saved by '{primitive.name}' were freed by an earlier backward "
                    "pass; run the forward pass again, or call backward(retain_graph=True) the first time"
                )
            if node.order < suspicious:
                check_unchanged(node, saved, useful)
            if not retain:
                node.saved = None
            if primitive.accumulate is not None and (plain or primitive.rules[0] is None):
                if useful is not None and node.inputs[0] not in useful:
                    continue
                source = node.inputs[0]
                total = gradients.get(source)
                gradients[source] = primitive.accumulate(total, source in owned, g, *saved[0])
                owned.add(source)
                if total is None:
                    heappush(queue, (-source.order, source))
                continue
            rules = primitive.rules_of(len(saved))
            if primitive.joint is not None:
                saved = [None if part is None else (part,) for part in primitive.joint(node, saved, g, wrap)]
                rules = _PASS * len(saved)
            elif wrap is not None:
                saved = _rewrapped(node, saved, wrap)
            for i, (source, kept, rule) in enumerate(zip(node.inputs, saved, rules)):
                if kept is None or (useful is not None and source not in useful):
                    continue
                part = rule.vjp(g, *kept)
                if finite:
                    check_part(node, i, part)
                try:
                    shape = part.shape
                except AttributeError:
                    raise _no_array(node, i, part) from None
                if shape != source.shape:
                    part = fit(part, source.shape, node)
                if part.dtype is not source.dtype:
                    part = part.astype(source.dtype)
                total = gradients.get(source)
                if observer is not None:
                    observer(node, i, g, part, total)
                if total is None:
                    gradients[source] = part
                    heappush(queue, (-source.order, source))
                elif source in owned:
                    total += part
                    gradients[source] = total
                else:
                    gradients[source] = total + part
                    if wrap is None:
                        owned.add(source)
    return found


_PASS = (Rule(lambda g, part: part, ()),)  # what a joint rule gave is the gradient already


def _rewrapped(node: Any, saved: Any, wrap: Callable[[Any, Node], Any]) -> list[Any]:
    """Put what was saved back in its place on the tape, so that the VJPs are recorded."""

    def back(value: Any, origin: int | None) -> Any:
        at = None if origin is None else node if origin == -1 else node.inputs[origin]
        # Drawings give numbers a record too; a number is a constant all the same.
        return value if at is None or type(value) in (bool, int, float) else wrap(value, at)

    rules = node.primitive.rules_of(len(saved))
    return [
        None if kept is None else [back(v, o) for v, o in zip(kept, rule.sources)]
        for kept, rule in zip(saved, rules)
    ]
