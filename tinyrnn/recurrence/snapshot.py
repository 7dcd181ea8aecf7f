"""What a step may change, as it was: compared after a trace, and put back.

A trace runs the step's own Python, and must leave no mark: the loop that runs instead, where the step is not
compiled, begins with what the step would have found.
"""

from __future__ import annotations

import random
import types
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

_NOTHING = object()


class Globals(NamedTuple):
    """The names of a module that a function uses."""

    space: dict[str, Any]
    names: list[str]


class Slots(NamedTuple):
    """The attributes of an object that it keeps in slots."""

    owner: Any
    names: list[str]


class Snapshot:
    """The states of generators of random numbers, and the contents of lists, dicts, cells and arrays."""

    def __init__(self, generators: Iterable[Any], holders: Iterable[Any]) -> None:
        self._generators = [(generator, _state(generator)) for generator in generators]
        self._holders = [(holder, _contents(holder)) for holder in holders]

    def drawn(self) -> list[tuple[Any, Any]]:
        """Return the generators that have moved on, with the states from which they did."""
        return [(g, state) for g, state in self._generators if not _same_state(state, _state(g))]

    def changed(self) -> list[tuple[Any, Any]]:
        """Return what holds something else by now, with what it held."""
        return [(h, old) for h, old in self._holders if not _same_contents(h, _contents(h), old)]

    def put_back(self) -> str:
        """Undo all of it; return what there was to undo, in words, or nothing."""
        drawn, changed = self.drawn(), self.changed()
        for generator, state in drawn:
            _set_state(generator, state)
        for holder, contents in changed:
            _set_contents(holder, contents)
        if drawn:
            return "it draws random numbers, which are to differ from step to step"
        if changed:
            return "it changes what it finds again in the next step (a counter, a list, an attribute)"
        return ""


def _contents(holder: Any) -> Any:
    if isinstance(holder, np.ndarray):
        return holder.copy()
    if isinstance(holder, types.CellType):
        try:
            return holder.cell_contents
        except ValueError:  # a name that has no value yet
            return _NOTHING
    if isinstance(holder, Globals):
        return [holder.space.get(name, _NOTHING) for name in holder.names]
    if isinstance(holder, Slots):
        return [getattr(holder.owner, name, _NOTHING) for name in holder.names]
    return [part for item in holder.items() for part in item] if isinstance(holder, dict) else list(holder)


def _same_contents(holder: Any, now: Any, before: Any) -> bool:
    if isinstance(holder, np.ndarray):
        return now.tobytes() == before.tobytes()
    if isinstance(holder, types.CellType):
        return now is before
    return len(now) == len(before) and all(a is b for a, b in zip(now, before, strict=True))


def _set_contents(holder: Any, contents: Any) -> None:
    if isinstance(holder, np.ndarray):
        holder[...] = contents
    elif isinstance(holder, types.CellType):
        if contents is _NOTHING:
            del holder.cell_contents
        else:
            holder.cell_contents = contents
    elif isinstance(holder, Globals):
        for name, value in zip(holder.names, contents, strict=True):
            if value is _NOTHING:
                holder.space.pop(name, None)
            else:
                holder.space[name] = value
    elif isinstance(holder, Slots):
        for name, value in zip(holder.names, contents, strict=True):
            if value is not _NOTHING:
                setattr(holder.owner, name, value)
            elif hasattr(holder.owner, name):
                delattr(holder.owner, name)
    else:
        holder.clear()
        if isinstance(holder, dict):
            holder.update(zip(contents[::2], contents[1::2], strict=True))
        elif isinstance(holder, set):
            holder.update(contents)
        else:
            holder.extend(contents)


def _state(generator: Any) -> Any:
    """Return the state of a generator of random numbers, in a form that can be compared and given back."""
    if isinstance(generator, random.Random):
        return generator.getstate()
    if isinstance(generator, np.random.RandomState):
        return generator.get_state(legacy=False)
    return getattr(generator, "bit_generator", generator).state


def _set_state(generator: Any, state: Any) -> None:
    if isinstance(generator, random.Random):
        generator.setstate(state)
    elif isinstance(generator, np.random.RandomState):
        generator.set_state(state)
    else:
        getattr(generator, "bit_generator", generator).state = state


def _same_state(a: Any, b: Any) -> bool:
    """Whether two states are equal; those of NumPy hold arrays."""
    if isinstance(a, dict):
        return all(_same_state(value, b[key]) for key, value in a.items())
    return bool(np.array_equal(a, b)) if isinstance(a, np.ndarray) else a == b
