"""From the tape to what drawings show: a `Record` for each operation, with its time step and its place.

The tape knows values and inputs. A drawing also wants to know at which time step a record was made and in
which layer, which ones hand a state to the next step, which are weights, and where a gradient is cut. All of
that follows from the scopes (`tinyrnn.scope`) and from the edges; no cell has to be known by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from tinyrnn.autograd.state import Scope
from tinyrnn.autograd.tape import Node, reachable
from tinyrnn.draw.text import norm

__all__ = ["Record", "records_of", "roots_of"]

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


class Record:
    """One record of the tape, as drawings see it.

    Attributes
    ----------
    node : Node
        The record on the tape; it has ``value`` and ``grad`` where these were kept.
    op : str
        Name of the primitive; ``""`` for a leaf.
    role : str
        ``op``, ``input``, ``weight``, ``state`` (an initial state), ``constant``, ``loss``, or ``total`` (the
        sum of the losses).
    step : int or None
        The time step.
    outer, inner : str
        The names of the scopes: those down to the one with the step, and those inside of it.
    layer : str
        The layer, as `recurrence` found it; ``""`` where there is but one and it has no name.
    key : tuple
        Which operation of the step it is. The same operation of another step has the same key.
    sources : list of Record
        The operands that have a record.
    slots : list of int
        The operand's position for each of the sources.
    cuts : frozenset of int
        Positions at which the value crosses and the gradient does not (``detach``).
    users : list of Record
        Those that have this one as a source.
    carry : str
        Name of the state that this record hands to the next step; empty where it hands on none.
    part : str
        What it is a part of, see `parts`: ``cell``, ``module``, ``y``, ``loss``, or empty for what is not
        computed.
    id : str
        A readable name that is unique in the drawing, such as ``t3.l0.tanh``.
    """

    __slots__ = (
        "carry", "cuts", "id", "inner", "key", "layer", "node", "op", "outer", "part", "role", "slots",
        "sources", "step", "users",
    )  # fmt: skip

    def __init__(self, node: Node, step: int | None, outer: str, inner: str) -> None:
        self.node = node
        self.op = node.primitive.name if node.primitive is not None else ""
        self.role = "op"
        self.step = step
        self.outer = outer
        self.inner = inner
        self.layer = ""
        self.key: tuple[Any, ...] = ()
        self.sources: list[Record] = []
        self.slots: list[int] = []
        self.cuts: frozenset[int] = frozenset()
        self.users: list[Record] = []
        self.carry = ""
        self.part = ""
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
        value = self.node.value
        return None if value is None else np.asarray(getattr(value, "data", value))

    @property
    def grad(self) -> np.ndarray[Any, Any] | None:
        """The gradient, where a backward pass reached the record and gradients were kept."""
        grad = self.node.grad
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


def roots_of(outputs: Any, where: str = "unrolled") -> list[Node]:
    """Return the tape's records of a Tensor, or of tuples, lists and dicts of Tensors.

    Raises
    ------
    TypeError
        Something in it is not a Tensor.
    ValueError
        Nothing in it was recorded.
    """
    from tinyrnn.autograd.tensor import Tensor

    found: list[Node] = []
    stack = [outputs]
    while stack:
        item = stack.pop()
        if isinstance(item, Tensor):
            if item.node is not None:
                found.append(item.node)
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
    places: dict[int, tuple[int | None, str, str]] = {}
    made: dict[Node, Record] = {}
    constants: dict[tuple[Any, ...], Record] = {}
    records: list[Record] = []

    def make(node: Node) -> Record:
        where = id(node.scope)  # the node keeps its scope alive, so the number stays its own
        place = places.get(where)
        if place is None:
            place = places[where] = _place(node.scope)
        record = made[node] = Record(node, *place)
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
                array = (record.step, *_memory(source.value)) if source.value is not None else (source,)
                found = constants.get(array)
                if found is None:
                    found = constants[array] = make(source)
                    found.role = "constant"
                    found.step, found.outer, found.inner = record.step, record.outer, record.inner
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


def _memory(value: Any) -> tuple[Any, ...]:
    """Return what two views of the same numbers have in common."""
    interface = value.__array_interface__
    return interface["data"][0], interface["shape"], interface["strides"]


def _place(scope: Scope | None) -> tuple[int | None, str, str]:
    """Return the step (the outermost one, where loops are nested), and the names outside and inside of it."""
    outwards: list[Scope] = []
    while scope is not None:
        outwards.append(scope)
        scope = scope.parent
    step: int | None = None
    outer: list[str] = []
    inner: list[str] = []
    for scope in reversed(outwards):
        if scope.name:
            (outer if step is None else inner).append(scope.name)
        if step is None and scope.step is not None:
            step = int(scope.step)
    return step, ".".join(outer), ".".join(inner)
