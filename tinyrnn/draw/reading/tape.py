"""From the tape to records: each after its sources, a ``detach`` as a mark on an edge."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tinyrnn.autograd.state import Scope
from tinyrnn.autograd.tape import Constant, Node, reachable
from tinyrnn.draw.reading.records import Record

__all__ = ["mark_reached", "memory", "records_of", "roots_of"]


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
        if where not in places:
            places[where] = _outwards(node.scope)
        made[node] = Record(node, places[where])
        return made[node]

    for node in sorted(reachable(roots), key=lambda node: node.order):
        if node in made or _is_cut(node) or isinstance(node, Constant):  # a constant is met as an operand
            continue
        record = make(node)
        for position, given in enumerate(node.inputs):
            source = _stand_in(node, position) if given is None else given
            if source is None:
                continue
            while _is_cut(source):
                record.cuts |= {position}
                origin = source.inputs[0]
                assert origin is not None
                source = origin
            found = made.get(source)
            if found is None:
                # What a record is made from is older than the record. Only the constants that the tape keeps
                # for drawings are newer: they are written down when they are first met, as operands. One
                # array that is used twice in a step, such as x_t, is one constant.
                step = None if record.depth is None else id(record.scopes[record.depth])
                array = (step, *memory(source.value)) if source.value is not None else (source,)
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


def _is_cut(node: Node) -> bool:
    return node.primitive is not None and node.primitive.name == "detach"


def _stand_in(node: Node, position: int) -> Node | None:
    """Return a record for what is multiplied by a matrix and was not kept: an input, or an initial state."""
    matrix = node.inputs[1] if len(node.inputs) == 2 else None
    product = node.primitive is not None and node.primitive.name == "matmul"
    if position or not product or matrix is None or len(matrix.shape) != 2:
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
