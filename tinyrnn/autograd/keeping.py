"""What records keep for drawings, inside `unrolled`: values, and a record for every constant."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.primitive import NONE
from tinyrnn.autograd.state import thread
from tinyrnn.autograd.tape import Constant, Leaf, Node


def keep(node: Node, ans: Any, args: tuple[Any, ...]) -> None:
    """Hold on to the value of a record, and to those of its operands; give constants a record."""
    node.value = ans
    inputs = list(node.inputs)
    for i, arg in enumerate(args):
        known = inputs[i]
        if known is not None:
            if known.value is None or isinstance(known, Leaf):  # made outside, or its array replaced since
                known.value = arg.data
            continue
        value = arg.data if hasattr(arg, "node") else np.asarray(arg)
        inputs[i] = getattr(arg, "record", None) or constant(value, getattr(arg, "name", ""))
    node.inputs = inputs


def constant(value: Any, name: str = "") -> Constant:
    """Return a record for a constant."""
    record = Constant(value, name)
    record.value = value
    return record


def cut(origin: Node | None, value: Any) -> Node:
    """Return a record for a constant that was cut from a computed value: a "detach" of it."""
    record = Node(p.detach, [origin], [None], NONE, value.shape, value.dtype, thread.modes.scope)
    record.value = value
    return record


def is_cut(record: Node) -> bool:
    """Whether a record is that of a constant that was cut."""
    return record.primitive is p.detach
