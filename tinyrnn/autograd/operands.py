"""What an operation accepts: operands made arrays, brought to one dtype, or refused by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyrnn.autograd.primitive import Primitive, Value, broadcast_shape


def operand(x: Any) -> Any:
    """Return a Value or an array as it is, and anything else as an array."""
    return x if isinstance(x, (Value, np.ndarray)) else np.asarray(x)


def coerced(primitive: Primitive, args: tuple[Any, ...], values: list[Any]) -> list[Any]:
    """Bring plain operands to the dtype of the Tensors among them, so that float32 stays float32."""
    values = [
        v if isinstance(v, (int, float)) and type(v) is not np.float64 else np.asarray(v) for v in values
    ]
    for v in values:
        if isinstance(v, np.ndarray) and v.dtype.kind not in "fiub":
            what = repr(v.item()) if v.ndim == 0 else f"an array of dtype {v.dtype}"
            raise TypeError(f"{primitive.name}: an operand is {what}; expected real numbers")
    if not primitive.differentiable:
        return values
    carrying = [i for i in range(len(values)) if primitive.rule(i) is not None]
    floating = [args[i].dtype for i in carrying if isinstance(args[i], Value) and args[i].dtype.kind == "f"]
    if floating:
        dtype = np.result_type(*floating)
        for i in carrying:
            if isinstance(values[i], np.ndarray) and values[i].dtype.kind in "fiu":
                values[i] = values[i].astype(dtype, copy=False)
    return values


def refusal(
    primitive: Primitive, values: Sequence[Any], params: dict[str, Any], error: Exception
) -> Exception:
    """Return the error of a forward function with the name of the operation and the shapes that it got."""
    shapes = [np.shape(v) for v in values]
    got = " and ".join(map(str, shapes)) if len(shapes) < 3 else ", ".join(map(str, shapes))
    text = f"{primitive.name}: {error}; got operands of shape {got}"
    if isinstance(error, ValueError):
        try:
            primitive.shape(*shapes, **params)
        except ValueError as by_rule:
            if primitive.shape is broadcast_shape:
                text = f"{primitive.name}: the operands have shapes {got}; expected shapes that broadcast"
            elif str(by_rule).startswith(primitive.name):
                text = str(by_rule)
    kinds = (np.exceptions.AxisError, IndexError, TypeError, ValueError)
    return next((kind for kind in kinds if isinstance(error, kind)), RuntimeError)(text)
