"""From the tape to what drawings show: a `Record` for each operation, with its time step and its place.

The tape knows values and inputs. A drawing also wants to know at which time step a record was made and in
which layer, which ones hand a state to the next step, which are weights, and where a gradient is cut. All of
that follows from the scopes (`tinyrnn.scope`) and from the edges; no cell has to be known by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinyrnn.autograd.state import Scope
from tinyrnn.autograd.tape import Node, reachable
from tinyrnn.draw.text import norm

__all__ = ["Record", "Run", "mark_reached", "memory", "records_of", "roots_of"]

ELEMENTWISE = {
    "multiply",
    "add",
    "subtract",
    "divide",
    "negative",
    "where",
    "astype",
    "relu",
    "tanh",
    "sigmoid",
}


@dataclass(eq=False)
class Run:
    """One run of a loop: its steps, one after the other.

    Attributes
    ----------
    path : str
        The names of the scopes around it, such as ``encoder.l0``.
    owner : object
        The module whose loop it is, if there is one.
    key : tuple
        The same for another run of the same loop.
    steps : list of int
        In the order in which they ran.
    offset : int
        What is added to a step to count on from the run that it continues.
    counted : bool
        Whether a `tinyrnn.scope` says its steps.
    chain : int
        The same for all runs that go on from one another.
    """

    path: str
    owner: Any
    key: tuple[Any, ...]
    steps: list[int] = field(default_factory=list[int])
    offset: int = 0
    counted: bool = True
    chain: int = 0

    @property
    def reverse(self) -> bool:
        """Whether it goes from the last step to the first."""
        return len(self.steps) > 1 and self.steps[1] < self.steps[0]


class Record:
    """One record of the tape, as drawings see it.

    Attributes
    ----------
    node : Node
        The record on the tape; it has ``value`` and ``grad`` where these were kept.
    op : str
        Name of the primitive; ``""`` for a leaf.
    role : str
        ``op``, ``input``, ``weight``, ``state`` (an initial state), ``constant``, ``loss`` (what one step
        adds to the loss), or ``total`` (the sum of the losses).
    scopes : tuple of Scope
        Those in which it was made, from the outermost in.
    sources : list of Record
        The operands that have a record.
    slots : list of int
        The operand's position for each of the sources.
    cuts : frozenset of int
        Positions at which the value crosses and the gradient does not (``detach``).
    users : list of Record
        Those that have this one as a source.
    given : ndarray or None
        The value of an output, where the tape did not keep it.
    reached : bool
        Whether a gradient can come to it from what is drawn, by a way that is not cut.
    run : Run or None
        The run of a loop that it is a part of.
    step : int or None
        The column of its group; for a record of a run that is not placed yet, the step of the run.
    group : str
        The recurrences that go step by step together with it; see `rolled`.
    unit : str
        What it is a part of: a module, a cell, a scope; see `units`. Empty for what is not computed.
    key : tuple
        Which operation of its unit it is. The same operation of another step has the same key.
    carry : str
        Name of the state that this record hands to the next step; empty where it hands on none.
    id : str
        A readable name that is unique in the drawing, such as ``t3.l0.tanh``.
    """

    __slots__ = (
        "carry", "cuts", "given", "group", "id", "key", "node", "op", "reached", "role", "run", "scopes",
        "slots", "sources", "step", "unit", "users",
    )  # fmt: skip

    def __init__(self, node: Node, scopes: tuple[Scope, ...]) -> None:
        self.node = node
        self.op = node.primitive.name if node.primitive is not None else ""
        self.role = "op"
        self.scopes = scopes
        self.sources: list[Record] = []
        self.slots: list[int] = []
        self.cuts: frozenset[int] = frozenset()
        self.users: list[Record] = []
        self.reached = True
        self.given: Any = None
        self.run: Run | None = None
        self.step: int | None = None
        self.group = ""
        self.unit = ""
        self.key: tuple[Any, ...] = ()
        self.carry = ""
        self.id = ""

    @property
    def name(self) -> str:
        """What the model calls it; empty where it has no name."""
        return self.node.name

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the value."""
        return self.node.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""
        return self.node.dtype

    @property
    def value(self) -> np.ndarray[Any, Any] | None:
        """The value, where it was kept."""
        value = self.given if self.node.value is None else self.node.value
        return None if value is None else np.asarray(getattr(value, "data", value))

    @property
    def grad(self) -> np.ndarray[Any, Any] | None:
        """The gradient, where this backward pass reached the record and gradients were kept."""
        grad = self.node.grad if self.reached else None
        return None if grad is None else np.asarray(grad.numpy() if hasattr(grad, "numpy") else grad)

    @property
    def size(self) -> float | None:
        """The norm of the gradient, where there is one."""
        grad = self.grad
        return None if grad is None else norm(grad)

    def edges(self) -> Iterator[tuple[Record, int]]:
        """Pairs of source and position of the operand."""
        return zip(self.sources, self.slots)

    def __repr__(self) -> str:
        return f"<Record {self.id or self.op or 'leaf'} {self.shape}>"


def roots_of(outputs: Any, where: str = "unrolled") -> dict[Node, Any]:
    """Return the tape's records, and the values, of a Tensor, or of tuples, lists and dicts of Tensors.

    Raises
    ------
    TypeError
        Something in it is not a Tensor.
    ValueError
        Nothing in it was recorded.
    """
    from tinyrnn.autograd.tensor import Tensor

    found: dict[Node, Any] = {}
    stack = [outputs]
    while stack:
        item = stack.pop()
        if isinstance(item, Tensor):
            if item.node is not None:
                found[item.node] = item.data
        elif isinstance(item, (tuple, list)):
            stack += reversed(item)
        elif isinstance(item, dict):
            stack += reversed(list(item.values()))
        elif item is not None:
            raise TypeError(
                f"{where}: got {type(item).__name__}; expected a Tensor, or tuples and lists of Tensors"
            )
    if not found:
        raise ValueError(
            f"{where}: nothing was recorded: no Tensor that it was made from requires grad, or it was made "
            "under no_grad"
        )
    return found


def records_of(roots: Iterable[Node]) -> list[Record]:
    """Return all records that the roots were made from, each after its sources.

    Constants get a record of their own where the tape has kept them. A ``detach`` becomes a mark on the edge:
    its consumer has the original as source, and the position in `cuts`.
    """
    places: dict[int, tuple[Scope, ...]] = {}
    made: dict[Node, Record] = {}
    constants: dict[tuple[Any, ...], Record] = {}
    records: list[Record] = []

    def make(node: Node) -> Record:
        where = id(node.scope)  # the node keeps its scope alive, so the number stays its own
        place = places.get(where)
        if place is None:
            place = places[where] = _outwards(node.scope)
        record = made[node] = Record(node, place)
        return record

    for node in sorted(reachable(roots), key=lambda node: node.order):
        if node in made or (node.primitive is not None and node.primitive.name == "detach"):
            continue
        record = make(node)
        for position, given in enumerate(node.inputs):
            source = _stand_in(node, position) if given is None else given
            if source is None:
                continue
            while source.primitive is not None and source.primitive.name == "detach":
                record.cuts |= {position}
                origin = source.inputs[0]
                assert origin is not None
                source = origin
            found = made.get(source)
            if found is None:
                # What a record is made from is older than the record. Only the constants that the tape keeps
                # for drawings are newer: they are written down when they are first met, as operands. One
                # array that is used twice in a step, such as x_t, is one constant.
                array = (_step(record), *memory(source.value)) if source.value is not None else (source,)
                found = constants.get(array)
                if found is None:
                    found = constants[array] = make(source)
                    found.role = "constant"
                    found.scopes = record.scopes
                    records.append(found)
                made[source] = found
            record.sources.append(found)
            record.slots.append(position)
            found.users.append(record)
        if not node.inputs:
            record.role = "weight"  # until it turns out to be something else
        records.append(record)
    return [record for record in records if record.users or record.node.inputs]


def _stand_in(node: Node, position: int) -> Node | None:
    """Return a record for what is multiplied by a matrix and was not kept: an input, or an initial state."""
    matrix = node.inputs[1] if len(node.inputs) == 2 else None
    if (
        position
        or node.primitive is None
        or node.primitive.name != "matmul"
        or matrix is None
        or len(matrix.shape) != 2
    ):
        return None
    return Node(None, [], [], {}, (*node.shape[:-1], matrix.shape[0]), node.dtype, node.scope)


def memory(value: Any) -> tuple[Any, ...]:
    """Return what two views of the same numbers have in common."""
    interface = value.__array_interface__
    return interface["data"][0], interface["shape"], interface["strides"]


def _outwards(scope: Scope | None) -> tuple[Scope, ...]:
    found: list[Scope] = []
    while scope is not None:
        found.append(scope)
        scope = scope.parent
    return tuple(reversed(found))


def _step(record: Record) -> int | None:
    """Return a number for the step, or the call, in which a record was made."""
    return next((id(s) for s in record.scopes if s.step is not None), None)


def mark_reached(records: Iterable[Record], roots: Iterable[Record]) -> None:
    """Mark what a gradient can come to: from the roots, by edges that are not cut."""
    stack = list(roots)
    seen = set(stack)
    while stack:
        record = stack.pop()
        for source, slot in record.edges():
            if slot not in record.cuts and source not in seen:
                seen.add(source)
                stack.append(source)
    for record in records:
        record.reached = record in seen
