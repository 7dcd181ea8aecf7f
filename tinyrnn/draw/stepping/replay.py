"""The pass, run again and written down: what the engine did, in the engine's order.

The graph recorded inside `tinyrnn.unrolled` keeps every value; of another one they are found again (`kept`).
So the reverse pass can be run once more on a copy of the tape, whether or not ``backward()`` has been called
and has freed what it needed: a VJP names the values that it asks for, and all of them are there. The engine
itself runs the copy (`backpropagate`), and an observer writes down each contribution as it is added. Nothing
of the model is changed, no ``.grad`` either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.backward import backpropagate, seeds
from tinyrnn.autograd.state import no_grad
from tinyrnn.autograd.tape import Constant, Node
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.draw.stepping.kept import in_order, operands_in, with_values

__all__ = ["Contribution", "Pass", "replay"]

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Contribution:
    """One record of the reverse pass: what one operand of one operation adds to a gradient.

    Attributes
    ----------
    node : Node
        The operation that the gradient comes through.
    position : int
        Which operand of it.
    source : Node
        That operand, whose gradient is added to.
    upstream : ndarray
        The gradient of the operation's result.
    local : ndarray or None
        Where the operation is elementwise, its derivative with respect to the operand.
    product : ndarray or None
        ``upstream * local``, where the operand was broadcast; its sum over the broadcast axes is `part`.
    part : ndarray
        The contribution.
    before, after : ndarray
        The gradient of `source`, without and with it; `before` is None where nothing had come yet.
    """

    node: Node
    position: int
    source: Node
    upstream: Array
    local: Array | None
    product: Array | None
    part: Array
    before: Array | None
    after: Array


@dataclass(frozen=True)
class Pass:
    """A forward and a reverse pass.

    Attributes
    ----------
    root : Node
        What was differentiated.
    seed : ndarray
        The gradient that the reverse pass began with.
    nodes : list of Node
        All records, each after its inputs.
    contributions : list of Contribution
        In the order in which the engine added them.
    saved : dict of Node to sequence
        What the VJPs of each operation need, for each operand.
    """

    root: Node
    seed: Array
    nodes: list[Node]
    contributions: list[Contribution]
    saved: dict[Node, Any]

    def gradients(self) -> dict[Node, Array]:
        """Return the gradient of each record that the reverse pass reached."""
        found = {self.root: self.seed}
        found.update((c.source, c.after) for c in self.contributions)
        return found


def replay(output: Tensor, gradient: npt.ArrayLike | Tensor | None = None) -> Pass:
    """Run the reverse pass from an output again, and write it down.

    Parameters
    ----------
    output : Tensor
        Computed inside `tinyrnn.unrolled`, and then ``backward()`` may have been called on it or not; or
        outside, compiled or not, and not yet freed by ``backward()``.
    gradient : array_like or Tensor, optional
        The gradient at the output, of its shape; 1 for a single number, and needed otherwise.

    Raises
    ------
    TypeError
        `output` is not a Tensor.
    RuntimeError
        It was not recorded, or is not a single number and no `gradient` is given.
    ValueError
        The values were not kept, or have changed since: the numbers would not be those of the pass.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> w = tr.tensor(3.0, requires_grad=True)
    >>> with tr.unrolled():
    ...     y = w * w
    >>> for c in replay(y).contributions:
    ...     print(c.upstream, "*", c.local, "=", c.part, "so", c.after)
    1.0 * 3.0 = 3.0 so 3.0
    1.0 * 3.0 = 3.0 so 6.0
    """
    if not isinstance(output, Tensor):
        raise TypeError(f"stepper: got {type(output).__name__}; expected a Tensor, such as a loss")
    ((root, seed),) = seeds("stepper", [output], None if gradient is None else [gradient]).items()
    root = with_values(root, output.data)
    nodes = in_order(root)
    operands = {node: _operands(node) for node in nodes}
    for node in nodes:
        _check(node, operands[node])
    copies = _copied(nodes, operands)
    originals = {copy: node for node, copy in copies.items()}
    contributions: list[Contribution] = []

    def observe(copy: Node, position: int, g: Any, part: Any, before: Any) -> None:
        node, operand = originals[copy], copy.inputs[position]
        assert operand is not None
        local, product = _local(copy, position, g, part)
        before = None if before is None else np.array(before)
        after = np.array(part) if before is None else before + part
        contributions.append(
            Contribution(node, position, originals[operand], g, local, product, part, before, after)
        )

    with no_grad():
        backpropagate({copies[root]: seed}, retain=True, observer=observe)
    return Pass(root, seed, nodes, contributions, {node: copy.saved for node, copy in copies.items()})


def _operands(node: Node) -> list[Array]:
    values = [source.value for source in node.inputs if source is not None]
    return operands_in(node, values, [isinstance(source, Constant) for source in node.inputs])


def _check(node: Node, values: list[Array]) -> None:
    """Raise where an operation gives something else now than it gave when it was recorded."""
    if node.primitive is None:
        return
    with np.errstate(all="ignore"):
        again = np.asarray(node.primitive.forward(*values, **node.params))
    if node.primitive is p.detach and again.shape != node.shape:  # a part of what was cut, as h[0] is
        same = bool(np.isin(node.value, again).all() or not np.isfinite(again).all())
    elif node.dtype.kind != "f":
        same = np.array_equal(again, node.value)
    else:  # within rounding, since another memory layout may be added up in another order
        tolerance = 50 * float(np.finfo(node.dtype).eps)
        scale = np.max(np.abs(node.value), initial=0.0, where=np.isfinite(node.value))
        same = np.allclose(again, node.value, rtol=tolerance, atol=tolerance * float(scale), equal_nan=True)
    if not same:
        raise ValueError(
            f"stepper: an operand of '{_name(node)}' has changed since it was recorded; "
            "make the stepper before the optimizer's step, or compute the output again"
        )


def _name(node: Node) -> str:
    return node.primitive.name if node.primitive is not None else node.name or "leaf"


def _copied(nodes: list[Node], operands: dict[Node, list[Array]]) -> dict[Node, Node]:
    """Copy the tape, with all that the VJPs need, so that the original stays as it is."""
    copies: dict[Node, Node] = {}
    tracked: set[Node] = set()  # what a gradient reaches
    for node in nodes:
        copy = Node(node.primitive, [], None, node.params, node.shape, node.dtype, node.scope)
        copy.order = node.order
        copies[node] = copy
        if node.primitive is None:
            if not isinstance(node, Constant):
                tracked.add(node)
            continue
        copy.inputs = [copies[source] for source in node.inputs if source is not None]
        copy.saved = node.saved
        if node.primitive is not p.detach and not tracked.isdisjoint(node.inputs):
            tracked.add(node)
            if node.saved is None:
                if node.primitive.joint is not None:
                    raise ValueError(
                        f"stepper: backward() has freed what '{node.primitive.name}' had saved; "
                        "call it with retain_graph=True, or make the stepper before it"
                    )
                copy.saved = _saved(node, operands[node], tracked)
    return copies


def _saved(node: Node, values: list[Array], tracked: set[Node]) -> list[tuple[Any, ...] | None]:
    """Collect again what the VJPs of an operation need."""
    saved: list[tuple[Any, ...] | None] = []
    for position, source in enumerate(node.inputs):
        rule = node.primitive.rule(position) if node.primitive is not None and source in tracked else None
        saved.append(None if rule is None else rule.pick(node.value, values, node.params))
    return saved


def _local(node: Node, position: int, g: Array, part: Array) -> tuple[Array | None, Array | None]:
    """Return the local derivative of an elementwise operation, and ``g * local`` where a sum is to follow.

    What such an operation makes of a gradient of ones is its derivative.
    """
    primitive = node.primitive
    if primitive is None or primitive.joint is not None or not primitive.elementwise:
        return None, None
    rule = primitive.rule(position)
    kept = node.saved[position] if node.saved is not None else None
    if rule is None or kept is None:
        return None, None
    local = np.broadcast_to(rule.vjp(np.ones_like(g), *kept), g.shape)
    product = None if part.shape == g.shape else np.broadcast_to(rule.vjp(g, *kept), g.shape)
    return local, product
