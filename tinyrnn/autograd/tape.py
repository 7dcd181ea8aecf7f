"""The tape: the records of what was computed.

A `Node` is one record. It knows its operation, its inputs (other nodes), what its VJPs need, and where it was
made. It does not hold its own value: what no VJP needs is free to go as soon as the program lets go of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from tinyrnn.autograd.changes import count
from tinyrnn.autograd.primitive import NONE, Primitive, Shape
from tinyrnn.autograd.state import Scope, thread

_ALONE, _MANY = object(), object()  # stand for a second operand where there is one operand, or more than two


class Node:
    """One record on the tape.

    Attributes
    ----------
    primitive : Primitive or None
        The operation; None for a leaf.
    inputs : tuple of (Node or None)
        The record of each operand; None for a constant.
    saved : sequence of (tuple or None), or None
        For each operand what its VJP needs; None once a backward pass has used it up.
    params : dict
        The static parameters of the operation.
    shape, dtype
        Those of the value.
    scope : Scope or None
        The module path and the time step in which it was made.
    order : int
        The count of its creation. Inputs are older than what is made of them, so falling order is a valid
        order for the reverse pass, and no graph has to be walked recursively.
    name : str
        What drawings call it, such as ``weight_hh_l0`` or ``h``; often empty.
    value : ndarray or None
        Kept for drawings inside `unrolled`; otherwise None.
    grad : ndarray or Tensor or None
        Of a leaf, the sum over backward passes. Of other records, kept where the value is.
    """

    __slots__ = (
        "_first",
        "_second",
        "dtype",
        "grad",
        "name",
        "order",
        "params",
        "primitive",
        "saved",
        "scope",
        "shape",
        "value",
    )

    def __init__(
        self,
        primitive: Primitive | None,
        inputs: Sequence[Node | None],
        saved: Sequence[tuple[Any, ...] | None] | None,
        params: dict[str, Any],
        shape: Shape,
        dtype: np.dtype[Any],
        scope: Scope | None,
    ) -> None:
        self._first: Any
        self._second: Any
        self.primitive = primitive
        self.inputs = inputs
        self.saved = saved
        self.params = params
        self.shape = shape
        self.dtype = dtype
        self.scope = scope
        self.order = count()
        self.name = ""
        self.value: Any = None
        self.grad: Any = None

    # One or two operands are held without a container: whatever lives as long as the graph is visited by
    # Python's garbage collector again and again, and half as many objects cost half the time.
    @property
    def inputs(self) -> tuple[Node | None, ...]:
        """The record of each operand; None for a constant."""
        first, second = self._first, self._second
        if second is _ALONE:
            return (first,)
        return first if second is _MANY else (first, second)

    @inputs.setter
    def inputs(self, nodes: Sequence[Node | None]) -> None:
        if len(nodes) == 2:
            self._first, self._second = nodes
        elif len(nodes) == 1:
            self._first, self._second = nodes[0], _ALONE
        else:
            self._first, self._second = tuple(nodes), _MANY

    def needed(self, saved: Any) -> Iterator[tuple[Node | None, str, np.ndarray[Any, Any]]]:
        """Yield each array that a backward pass takes from what was saved.

        It comes with the record that it is needed for, and with what it is here: an operand, or the result.
        """
        rules = self.primitive.rules_of(len(saved)) if self.primitive is not None else ()
        for source, kept, rule in zip(self.inputs, saved, rules):
            for name, value in zip(rule.needs, kept) if kept is not None and rule is not None else ():
                for array in value if name == "rest" else (value,):
                    if isinstance(array, np.ndarray):
                        yield source, "its result" if name == "ans" else f"its operand {name}", array

    def place(self) -> str:
        """Return where it was made, for errors: ``'matmul' in encoder.rnn at step 3``."""
        name = self.primitive.name if self.primitive is not None else self.name or "a leaf"
        return f"'{name}'{self.scope.place() if self.scope is not None else ''}"

    def __repr__(self) -> str:
        name = self.primitive.name if self.primitive else "leaf"
        return f"<{name} {self.shape} {self.dtype}>"


def _gone() -> None:
    return None


class Leaf(Node):
    """The record of a Tensor that was not computed: a parameter, or an input that requires grad.

    Its ``grad`` is the Tensor's ``.grad``, summed over backward passes. ``clipped`` is, after clipping, the
    array that was clipped and how many times larger its norm was; it holds for as long as that array is the
    gradient. ``tensor``, called, gives the Tensor, or None when it is gone.
    """

    __slots__ = ("clipped", "tensor")

    def __init__(self, tensor: Any, name: str = "") -> None:
        super().__init__(None, [], [], NONE, tensor.shape, tensor.dtype, thread.modes.scope)
        self.name = name
        self.clipped: tuple[Any, float] | None = None
        self.tensor: Callable[[], Any] = _gone


class Constant(Leaf):
    """The record of a value that carries no gradient. Made for drawings only, inside `unrolled`."""

    __slots__ = ()


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
