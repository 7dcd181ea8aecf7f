"""What records keep for drawings, inside `unrolled`: values, and a record for every constant."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.primitive import NONE
from tinyrnn.autograd.tape import Constant, Leaf, Node


def keep(node: Node, ans: Any, args: tuple[Any, ...]) -> None:
    """Hold on to the value of a record, and to those of its operands; give constants a record.

    A constant that was cut from a computed value (it has an ``origin``) is recorded as a "detach" of it.
    """
    node.value = ans
    inputs = list(node.inputs)
    for i, arg in enumerate(args):
        known = inputs[i]
        if known is not None:
            if known.value is None or isinstance(known, Leaf):  # made outside, or its array replaced since
                known.value = arg.data
            continue
        value = arg.data if hasattr(arg, "node") else np.asarray(arg)
        origin = getattr(arg, "origin", None)
        if origin is not None:
            record = Node(p.detach, [origin], [None], NONE, value.shape, value.dtype, node.scope)
        else:
            record = Constant(value, getattr(arg, "name", ""))
        record.value = value
        inputs[i] = record
    node.inputs = inputs
