"""What the library has changed in place, and when: what a backward pass must not take for the old value.

Records and changes are counted by one counter. A record that is older than a change of an array that it saved
would go back with a value that it never saw, so `changed_since` tells the backward pass, which refuses.
Changes are rare (an optimiser's step) and are noted by the array that owns the memory, so that views such as
``W.T`` are found; a pass over records that are all newer than the last change asks nothing.
"""

from __future__ import annotations

import itertools
import weakref
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

count = itertools.count().__next__  # of records and of changes


class Change:
    """The last change of an array: its place in the count, who made it, and the name of what was changed."""

    __slots__ = ("by", "name", "order", "owner")

    def __init__(self, owner: weakref.ref[Array]) -> None:
        self.owner = owner
        self.order = -1
        self.by = self.name = ""


_changes: dict[int, Change] = {}  # by the id of the owner
_latest = -1


def _owner(array: Any) -> Any:
    """Return the array whose memory this is a view of."""
    owner = base = array
    while base is not None:  # on the way there can be others that hold an array, as of stride tricks
        owner = base if isinstance(base, np.ndarray) else owner
        base = getattr(base, "base", None)
    return owner


def mark_changed(array: Array, by: str, name: str = "") -> None:
    """Note that an array is being changed in place; a pass that needs what it was before then raises.

    Parameters
    ----------
    array : ndarray
        A parameter's, or a view of it.
    by : str
        What changes it, such as ``Adam.step``.
    name : str
        What the changed value is called.
    """
    global _latest
    owner = array if array.base is None else _owner(array)
    change = _changes.get(id(owner))
    if change is None or change.owner() is not owner:
        change = _changes[id(owner)] = _watched(owner)
    change.order = _latest = count()
    change.by, change.name = by, name


def _watched(owner: Array) -> Change:
    """Return a change of an array, which is forgotten with it."""
    key = id(owner)

    def forget(gone: Any) -> None:
        if key in _changes and _changes[key].owner is gone:  # ids are used again
            del _changes[key]

    return Change(weakref.ref(owner, forget))


def mark_mode() -> None:
    """Note that a module is in another mode: what is bound to it is to be bound anew."""
    global _latest
    _latest = count()


def latest_change() -> int:
    """Return the count at the last change of anything."""
    return _latest


def changed_since(array: Any, order: int) -> Change | None:
    """Return the last change of an array, where it was after a place in the count."""
    owner = _owner(array)
    change = _changes.get(id(owner))
    return change if change is not None and change.owner() is owner and change.order > order else None
