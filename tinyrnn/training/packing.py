"""Packing: nested states as one flat dict of arrays, and text that says where each belongs.

The text is JSON, so that reading it runs no code. Numbers, strings, None and lists stand for themselves; what
JSON has no form for is a dict of one key: ``{"array": its key}``, ``{"tuple": [...]}``, ``{"dict": pairs}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tinyrnn.autograd.tensor import Tensor

Arrays = dict[str, np.ndarray[Any, Any]]


def pack(value: Any, path: str, arrays: Arrays) -> Any:
    """Return what JSON can hold; the arrays go into ``arrays``, under keys that begin with ``path``.

    Raises
    ------
    TypeError
        Names the part that is neither array, number, text, nor list, tuple or dict of them.
    """
    if isinstance(value, np.generic):
        value = value.item()
    value = value.data if isinstance(value, Tensor) else value
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
        while path in arrays:  # as where a name has a dot in it
            path += "_"
        arrays[path] = value
        return {"array": path}
    below = path if path.endswith("/") else f"{path}."
    if isinstance(value, Mapping) and all(isinstance(key, (str, int)) for key in value):
        return {"dict": [[key, pack(item, f"{below}{key}", arrays)] for key, item in value.items()]}
    if isinstance(value, (list, tuple)):
        items = [pack(item, f"{below}{i}", arrays) for i, item in enumerate(value)]
        return {"tuple": items} if isinstance(value, tuple) else items
    raise TypeError(
        f"save: {path} is of type {type(value).__name__}; expected Tensors, arrays of numbers, numbers, "
        "strings, None, and lists, tuples and dicts of them"
    )


def unpack(packed: Any, arrays: Mapping[str, np.ndarray[Any, Any]]) -> Any:
    """Return what was packed.

    Raises
    ------
    ValueError
        Where it is nothing that `pack` gives.
    """
    if packed is None or isinstance(packed, (bool, int, float, str)):
        return packed
    if isinstance(packed, list):
        return [unpack(item, arrays) for item in packed]
    if isinstance(packed, dict) and len(packed) == 1:
        ((kind, inner),) = packed.items()
        if kind == "array" and isinstance(inner, str) and inner in arrays:
            return arrays[inner]
        if kind == "tuple" and isinstance(inner, list):
            return tuple(unpack(item, arrays) for item in inner)
        if kind == "dict" and isinstance(inner, list):
            pairs = [unpack(pair, arrays) for pair in inner]
            if all(isinstance(p, list) and len(p) == 2 and isinstance(p[0], (str, int)) for p in pairs):
                return dict(pairs)
    raise ValueError(f"no packed state: {str(packed)[:60]}")
