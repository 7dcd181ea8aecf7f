"""Values into a module: a state dict is held against what is there, whole, before anything is changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from tinyrnn.autograd.changes import mark_changed
from tinyrnn.autograd.tensor import Tensor


class LoadedKeys(NamedTuple):
    """What `Module.load_state_dict` did not find, and what it did not use."""

    missing_keys: list[str]
    unexpected_keys: list[str]


def load(where: str, own: dict[str, Tensor], given: Mapping[str, Any], strict: bool) -> LoadedKeys:
    """Copy the given values into a module's own; raise where they do not fit, and change nothing then."""
    missing = [key for key in own if key not in given]
    unexpected = [key for key in given if key not in own]
    problems = [f"missing: {key}, {own[key].shape}" for key in missing] if strict else []
    problems += [f"unexpected: {key}" for key in unexpected] if strict else []
    values: dict[str, np.ndarray[Any, Any]] = {}
    for key, tensor in own.items():
        if key in given:
            value = _array(given[key])
            if value.dtype.kind not in "fiub":
                problems.append(f"unreadable: {key} is {_kind(given[key])}; expected real numbers")
            elif value.shape != tensor.shape:
                problems.append(f"misshapen: {key} has shape {value.shape}; expected {tensor.shape}")
            values[key] = value
    if problems:
        raise ValueError(f"{where}: the state dict does not fit:\n  " + "\n  ".join(problems))
    for key, value in values.items():
        mark_changed(own[key].data, "load_state_dict", key)
        own[key].data[...] = value
    return LoadedKeys(missing, unexpected)


def _array(value: Any) -> np.ndarray[Any, Any]:
    """Return the values as an array; one of no numbers where that cannot be."""
    try:
        value = value.detach() if hasattr(value, "detach") else value
        return np.asarray(value.numpy() if hasattr(value, "numpy") else value)
    except (TypeError, ValueError, RuntimeError):
        return np.asarray(None)


def _kind(value: Any) -> str:
    return f"{type(value).__name__} of {value.dtype}" if hasattr(value, "dtype") else repr(value)[:40]
