"""What an operation accepts: operands made arrays, brought to one dtype, or refused by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

import numpy as np

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.arguments import ARRAY, ITERABLE, misused, shown
from tinyrnn.autograd.primitive import Primitive, Value, broadcast_shape

# Arrays that mean more than their numbers, or something else; known by name, since numpy.ma is seldom loaded.
_REFUSED = {
    "MaskedArray": "its mask would be dropped; use .filled(value), and tr.where for what is masked",
    "matrix": "its * is a product of matrices, and a Tensor's is not; use np.asarray(...), and @",
}


def plain_array(what: str, x: Any) -> np.ndarray[Any, Any]:
    """Return anything array-like as a plain array; ``what`` it is begins an error.

    Raises
    ------
    TypeError
        Where it is a masked array or a `numpy.matrix`, of which a plain array would lose the meaning, or no
        array of anything that NumPy knows.
    ValueError
        Where it is a list of rows that differ in length.
    """
    if isinstance(x, np.ndarray) and type(x) is not np.ndarray:
        for kind in type(x).__mro__:
            if kind.__name__ in _REFUSED and kind.__module__.startswith("numpy"):
                raise TypeError(f"{what} is a numpy {kind.__name__}: {_REFUSED[kind.__name__]}")
    try:
        array = np.asarray(x)
    except ValueError as error:  # NumPy's own words do not say who asked
        raise ValueError(
            f"{what} is a {type(x).__name__} whose parts differ in shape; expected rows of one length"
        ) from error
    if array.dtype.kind == "O":
        raise TypeError(f"{what} is {shown(x)}; expected real numbers")
    return array


def operand(x: Any) -> Any:
    """Return a Value or a plain array as it is, all else as an array; a list that holds Values is stacked.

    Raises
    ------
    TypeError, ValueError
        Where it is nothing that has numbers; the message names the argument.
    """
    if isinstance(x, Value) or (type(x) is np.ndarray and x.dtype.kind in "fiub"):
        return x
    if isinstance(x, (list, tuple)) and _holds_values(x):
        parts = [operand(item) for item in x]
        if len({part.shape for part in parts}) > 1:
            raise ValueError(
                f"a list holds Tensors of shapes {[part.shape for part in parts]}; expected one shape"
            )
        return p.stack(*parts, axis=0)
    if not ARRAY.of_type(x):
        raise misused(x, ARRAY.expected)
    return plain_array("an operand", x)


def _holds_values(x: Any) -> bool:
    return any(
        isinstance(item, Value) or (isinstance(item, (list, tuple)) and _holds_values(item)) for item in x
    )


def alike(a: Any, b: Any) -> tuple[Any, Any]:
    """Return two operands, with a plain array of floats in the dtype of a Tensor of floats."""
    a, b = operand(a), operand(b)
    for x, other in ((a, b), (b, a)):
        if isinstance(x, Value) and isinstance(other, np.ndarray) and x.dtype.kind == other.dtype.kind == "f":
            return (a, b.astype(x.dtype)) if x is a else (a.astype(x.dtype), b)
    return a, b


def several(arrays: Any) -> Any:
    """Return what holds several arrays as it is.

    Raises
    ------
    TypeError
        Where it holds nothing; the message names the argument.
    """
    if type(arrays) is list or type(arrays) is tuple:
        return arrays
    numbers = not isinstance(arrays, np.ndarray) or arrays.dtype.kind in "fiub"
    if not numbers or not ITERABLE.of_type(arrays) or isinstance(arrays, (bytes, Mapping, Set)):
        raise misused(arrays, "a list or tuple")
    return arrays


def coerced(primitive: Primitive, args: tuple[Any, ...], values: list[Any]) -> list[Any]:
    """Bring plain operands to the dtype of the Tensors among them, so that float32 stays float32."""
    values = [
        v
        if isinstance(v, (int, float)) and type(v) is not np.float64
        else plain_array(f"{primitive.name}: an operand", v)
        for v in values
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
    options = "".join(f", {name}={value!r}" for name, value in params.items())
    text = f"{primitive.name}: {error}; got operands of shape {got}{options}"
    if isinstance(error, ValueError):
        try:
            primitive.shape(*shapes, **params)
        except ValueError as by_rule:
            if primitive.shape is broadcast_shape:
                text = f"{primitive.name}: the operands have shapes {got}; expected shapes that broadcast"
            elif str(by_rule).startswith(primitive.name):
                text = str(by_rule)
    kinds = (np.linalg.LinAlgError, np.exceptions.AxisError, IndexError, TypeError, ValueError)
    return next((kind for kind in kinds if isinstance(error, kind)), RuntimeError)(text)
