"""The reference: a page for each public room, with every public name from its docstring."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from typing import Any

from website.rooms import Name, Room, defined_in, homes, rooms, summary

__all__ = ["pages"]


def pages() -> dict[str, str]:
    """Return the pages of the reference by their names, as reStructuredText, in the order of the rooms."""
    known = homes()
    return {room.title.replace(": ", "."): "\n".join(_page(room, known)) for room in rooms()}


def _page(room: Room, known: dict[int, str]) -> Iterator[str]:
    here = [name for name in room.names if known[id(name.value)] == name.path]
    elsewhere = [name for name in room.names if known[id(name.value)] != name.path]
    yield from _heading(room.title, "=")
    yield from (inspect.getdoc(room.module) or "", "")
    if elsewhere:
        links = (f":py:obj:`{name.short} <{known[id(name.value)]}>`" for name in elsewhere)
        yield from (f"Also here, and described under another name: {', '.join(links)}.", "")
    if here:
        yield from _table(
            (f":py:obj:`{name.short} <{name.path}>`", _inline(summary(name.value))) for name in here
        )
    groups = _groups(here)
    yield from (line for names in groups.values() if len(names) == 1 for line in _entry(names[0], known))
    for title, names in groups.items():
        if len(names) == 1:
            continue
        yield from _heading(title, "-")
        for name in names:
            yield from _entry(name, known)


def _inline(text: str) -> str:
    """Keep a star in a summary from beginning an emphasis."""
    return text if "``" in text else text.replace("*", r"\*")


def _heading(text: str, line: str) -> Iterator[str]:
    yield from ("", text, line * len(text), "")


def _table(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield from (".. list-table::", "   :class: names", "   :widths: auto", "")
    for first, *others in rows:
        yield from (f"   * - {first}", *(f"     - {other}" for other in others))
    yield ""


def _groups(names: list[Name]) -> dict[str, list[Name]]:
    """Put together what one file of the library defines: its first line is their title."""
    found: dict[str, list[Name]] = {}
    for name in names:
        title = summary(defined_in(name.value)).rstrip(".").replace("``", "").replace("`", "")
        found.setdefault(title, []).append(name)
    return found


def _described(kind: type, known: dict[int, str]) -> list[str]:
    """Return the bases whose members are described elsewhere: public ones, with theirs, and Python's."""
    public = [base for base in kind.__mro__[1:] if id(base) in known or not _is_ours(base)]
    return list(dict.fromkeys(base.__name__ for each in public for base in each.__mro__))


def _is_ours(kind: type) -> bool:
    return kind.__module__.partition(".")[0] == "tinyrnn"


def _entry(name: Name, known: dict[int, str]) -> Iterator[str]:
    value: Any = name.value
    if inspect.isclass(value):
        yield from (f".. autoclass:: {name.path}", "   :members:")
        yield from (f"   :inherited-members: {', '.join(_described(value, known))}", "")
    elif callable(value):
        yield from (f".. autofunction:: {name.path}", "")
        for attribute in getattr(value, "__dict__", {}):
            if not attribute.startswith("_"):  # such as scan.plan
                yield from (f".. autofunction:: {name.path}.{attribute}", "")
    else:
        yield from (f".. autodata:: {name.path}", "   :no-value:", "")
