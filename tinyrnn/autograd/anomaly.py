"""What a backward pass must not meet in silence: a saved value that was changed, a number that is not finite.

That a parameter was changed by the library itself is always seen (`changes`). The rest is looked for inside
`detect_anomaly` only, since it takes a look at every value.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.changes import changed_since
from tinyrnn.autograd.primitive import Primitive
from tinyrnn.autograd.state import thread
from tinyrnn.autograd.tape import Node


class AnomalyError(RuntimeError):
    """Inside `detect_anomaly`: a number is not finite, or a saved value is not what it was.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> x = tr.tensor([1.0, 0.0], requires_grad=True)
    >>> with tr.detect_anomaly():
    ...     tr.sqrt(x).sum().backward()
    Traceback (most recent call last):
        ...
    tinyrnn.autograd.anomaly.AnomalyError: backward: the gradient of 'sqrt', at its ... is inf at [1]
    """


class Watched(list[Any]):
    """What a record saved, and a digest of each array in it."""

    def __init__(self, node: Node) -> None:
        super().__init__(node.saved or ())
        self.digests = [_digest(array) for _, _, array in node.needed(self)]


# These make no number, so what is not finite in their result came in like that, and is met where it is used.
_MOVES = frozenset(
    (p.getitem, p.scatter, p.reshape, p.transpose, p.broadcast_to, p.concatenate, p.stack, p.detach)
)


def _digest(array: np.ndarray[Any, Any]) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(array).tobytes(), digest_size=16).digest()


def check_unchanged(node: Node, saved: Any, useful: set[Node] | None = None) -> None:
    """Raise where an array that the pass is about to use is not as it was when it was saved.

    Raises
    ------
    RuntimeError
        Where the library itself has changed it (`changes.mark_changed`).
    AnomalyError
        Where it was watched, and somebody else has changed it.
    """
    digests = saved.digests if thread.modes.watching and isinstance(saved, Watched) else None
    for i, (source, what, array) in enumerate(node.needed(saved)):
        if useful is not None and source is not None and source not in useful:
            continue
        change = changed_since(array, node.order)
        if change is not None:
            what += f", {change.name}" if change.name else ""
            raise RuntimeError(
                f"backward: {node.place()} needs {what}, of shape {array.shape}, as it was in the forward "
                f"pass, but {change.by} has changed it in place since; run the forward pass again, or go "
                "back before the change"
            )
        if digests is not None and _digest(array) != digests[i]:
            raise AnomalyError(
                f"backward: {node.place()} needs {what}, of shape {array.shape}, as it was in the forward "
                "pass, but it was changed in place since, as by x[:] = ... on an array that is used again; "
                "give each pass an array of its own"
            )


def check_result(primitive: Primitive, ans: np.ndarray[Any, Any], values: Sequence[Any]) -> None:
    """Raise where the result of an operation is not finite.

    Raises
    ------
    AnomalyError
    """
    if _finite(ans) or primitive in _MOVES:
        return
    scope = thread.modes.scope
    names = primitive.operands if len(primitive.operands) == len(values) else range(len(values))
    bad = [str(name) for name, value in zip(names, values) if not _finite(np.asarray(value))]
    raise AnomalyError(
        f"forward: '{primitive.name}'{scope.place() if scope is not None else ''} gave {_first(ans)}"
        + (f"; its operand {' and '.join(bad)} came in like that" if bad else "; its operands are finite")
    )


def check_part(node: Node, i: int, part: Any) -> None:
    """Raise where the gradient that an operation sends to its operand ``i`` is not finite.

    Raises
    ------
    AnomalyError
    """
    array = part if isinstance(part, (np.ndarray, np.generic)) else part.data
    if not _finite(array):
        operands = node.primitive.operands if node.primitive is not None else ()
        operand = operands[i] if i < len(operands) else i
        raise AnomalyError(
            f"backward: the gradient of {node.place()}, at its operand {operand}, of shape {array.shape}, is "
            f"{_first(array)}"
        )


def check_gradient(node: Node, g: Any) -> None:
    """Raise where the gradient that comes in to a record is not finite: it was given so, or is so as a sum.

    Raises
    ------
    AnomalyError
    """
    if isinstance(g, dict):  # of the outputs of a scan, each looked at before
        return
    array = g if isinstance(g, (np.ndarray, np.generic)) else g.data
    if not _finite(array):
        raise AnomalyError(
            f"backward: the gradient that comes in to {node.place()}, of shape {array.shape}, is "
            f"{_first(array)}"
        )


def _finite(array: Any) -> bool:
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())


def _first(array: Any) -> str:
    """Return the first value that is not finite, and where it stands."""
    place = [int(i) for i in np.argwhere(~np.isfinite(array))[0]]
    return f"{array[tuple(place)]}{f' at {place}' if place else ''}"
