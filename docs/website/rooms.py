"""The public rooms of the library, and where each public name is at home."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import tinyrnn as tr
from tinyrnn.autograd import functions

__all__ = ["Name", "Room", "homes", "rooms", "summary"]


@dataclass
class Name:
    """A public name: what it is called in full, and what it stands for."""

    path: str
    value: Any

    @property
    def short(self) -> str:
        """The name without its room."""
        return self.path.rpartition(".")[2]


@dataclass
class Room:
    """A public room: its title, its module, and its public names."""

    title: str
    module: ModuleType
    names: list[Name]


def rooms() -> list[Room]:
    """Return the rooms as one meets them: `tinyrnn` itself, its functions, and the others."""
    return list(_rooms("tinyrnn", tr))


def _rooms(path: str, module: ModuleType) -> Iterator[Room]:
    found = {name: getattr(module, name) for name in module.__all__}
    names = [Name(f"{path}.{name}", value) for name, value in found.items() if not inspect.ismodule(value)]
    if module is tr:  # the functions of arrays are many, and a room of their own
        theirs = [name for name in names if name.short in functions.__all__]
        names = [name for name in names if name.short not in functions.__all__]
        yield Room(path, module, names)
        yield Room(f"{path}: functions", functions, theirs)
    else:
        yield Room(path, module, names)
    for name, value in sorted(found.items()):
        if inspect.ismodule(value):
            yield from _rooms(f"{path}.{name}", value)


def homes() -> dict[int, str]:
    """Return the public name under which a value is described, by the value's id.

    Of several it is the one that it calls itself, or the first.
    """
    found: dict[int, str] = {}
    for own in (True, False):
        for room in rooms():
            for name in room.names:
                if not own or getattr(name.value, "__name__", "") == name.short:
                    found.setdefault(id(name.value), name.path)
    return found


def summary(value: Any) -> str:
    """Return the first paragraph of a docstring, in one line."""
    return " ".join((inspect.getdoc(value) or "").partition("\n\n")[0].split())


def defined_in(value: Any) -> ModuleType:
    """Return the module that defines a value."""
    return sys.modules[getattr(value, "__module__", None) or type(value).__module__]
