"""`save` and `load`: a model, and all that a training run needs to go on, in one file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from tinyrnn.autograd.arguments import PATH, checked, instance
from tinyrnn.autograd.rng import set_state
from tinyrnn.training.formats import Arrays, FileError, read_arrays, write_arrays
from tinyrnn.training.packing import pack, unpack

MODEL = "model"  # the part whose arrays keep their keys


@checked(path=instance((str, os.PathLike), "a path, and then the parts: save(path, model=model)"))
def save(path: str | os.PathLike[str], **parts: Any) -> Path:
    """Write a model, and whatever goes with it, into one file; whole, or not at all.

    Parameters
    ----------
    path : path-like
        ``.safetensors`` (its library comes with the extra ``tinyrnn[io]``) or ``.npz`` (NumPy alone).
    **parts
        By name, each something with ``state_dict()`` (a module, an optimiser, a schedule, batches), a
        ``numpy.random.Generator``, or plain data: numbers, strings, arrays, Tensors, which come back as
        arrays, and lists, tuples and dicts of them.

    Returns
    -------
    Path

    Raises
    ------
    TypeError
        Where a part is none of these.

    Notes
    -----
    The arrays of the part named ``model`` stand in the file under the keys of its state dict, which are
    PyTorch's: ``safetensors.torch.load_file`` reads them. Those of other parts stand under ``part/...``. All
    else is text in the file's metadata. The file is written beside, and then renamed.

    Examples
    --------
    >>> import tempfile, tinyrnn as tr
    >>> model = tr.nn.Linear(3, 2)
    >>> optimizer = tr.optim.Adam(model.parameters())
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = tr.save(folder.name + "/run.npz", model=model, optimizer=optimizer, step=7)
    >>> tr.load(path, model=model, optimizer=optimizer)
    {'step': 7}
    >>> folder.cleanup()
    """
    arrays: Arrays = {}
    described: dict[str, Any] = {}
    if MODEL in parts:
        arrays = dict(_state(parts[MODEL]) if hasattr(parts[MODEL], "state_dict") else {})
        if not arrays or not all(isinstance(value, np.ndarray) for value in arrays.values()):
            raise TypeError(f"save: model is of type {type(parts[MODEL]).__name__}; expected a module")
        described[MODEL] = list(arrays)
    for name, part in parts.items():
        if name != MODEL:
            described[name] = pack(_state(part), f"{name}/", arrays)
    return write_arrays(path, arrays, json.dumps({"version": 1, "parts": described}))


@checked(path=PATH)
def load(path: str | os.PathLike[str], **parts: Any) -> dict[str, Any]:
    """Read what `save` wrote into the same kinds of parts.

    Parameters
    ----------
    path : path-like
    **parts
        What to load into, under the names under which they were saved: something with ``load_state_dict``, or
        a ``numpy.random.Generator``. A file with no text of ours, such as ``safetensors.torch.save_file``
        writes, is all ``model``.

    Returns
    -------
    dict
        All other parts of the file as they were saved: plain data as such, state dicts as dicts.

    Raises
    ------
    OSError
        Where there is no such file.
    ValueError
        Where the file is truncated or something else, lacks a part, or does not fit a part. **Nothing is
        changed then**, not even in the parts that did fit.
    TypeError
        Where a part is nothing to load into.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> import os, tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = os.path.join(folder.name, "run.safetensors")
    >>> _ = tr.save(path, model=tr.nn.GRU(2, 3), epoch=7)
    >>> tr.load(path, model=tr.nn.GRU(2, 3))
    {'epoch': 7}
    >>> folder.cleanup()
    """
    name = os.fspath(path)
    for key, part in parts.items():
        if not hasattr(part, "load_state_dict") and not isinstance(part, np.random.Generator):
            raise TypeError(
                f"load: {key} is of type {type(part).__name__}; expected something with load_state_dict, or "
                "a numpy.random.Generator. Plain data is in what load returns"
            )
    states = _states(name, *read_arrays(path))
    if missing := [key for key in parts if key not in states]:
        raise FileError(f"{name}: there is no {missing[0]!r} in the file, which has {sorted(states)}")
    before = {key: _state(part) for key, part in parts.items()}
    try:
        for key, part in parts.items():
            _restore(part, states.pop(key))
    except Exception as error:  # of whatever kind: the state dicts are a stranger's
        for key, state in before.items():
            _restore(parts[key], state)
        said = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        raise FileError(f"{name}: {said}") from None
    return states


def _states(name: str, arrays: Arrays, text: str | None) -> dict[str, Any]:
    """Return the state of each part of a file."""
    if text is None:
        return {MODEL: arrays}
    try:
        form = json.loads(text)
        if form["version"] != 1:
            raise ValueError(f"version {form['version']!r}; expected 1")
        parts: dict[str, Any] = {}
        for key, packed in form["parts"].items():
            if key == MODEL:
                parts[key] = {k: arrays[k] for k in packed}
            else:
                parts[key] = unpack(packed, arrays)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FileError(f"{name}: its description is damaged ({type(error).__name__}: {error})") from None
    return parts


def _state(part: Any) -> Any:
    if isinstance(part, np.random.Generator):
        return part.bit_generator.state
    return part.state_dict() if hasattr(part, "state_dict") else part


def _restore(part: Any, state: Any) -> None:
    if isinstance(part, np.random.Generator):
        set_state(part, state)
    else:
        part.load_state_dict(state)
