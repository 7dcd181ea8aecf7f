"""A `Unit`: what a box at the level of cells stands for; and `Units`, by their names."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

__all__ = ["Unit", "Units"]


@dataclass
class Unit:
    """One unit of the rolled graph.

    Its role is ``cell``, ``module``, ``loss`` (of one step), ``total``, ``input``, ``ops``, or ``moves`` for
    what only puts together, or takes apart, what the steps gave.
    """

    name: str  # the path that the user gave: of attributes, or of scopes; unique
    kind: str = ""  # the class of the module, if it is one
    role: str = "ops"
    reverse: bool = False  # whether its loop goes from the last step to the first
    nth: int = 0  # of an input: which of those that a step reads
    row: int = 0  # from below, along the flow of data
    begins: bool = False  # it leads to nothing but an initial state: it stands before the first column
    groups: set[str] = field(default_factory=set[str])  # in whose columns, or over which, it stands
    # From the key of a carry's record to the name of the carry, such as ``h``.
    carries: dict[tuple[object, ...], str] = field(default_factory=dict[tuple[object, ...], str])


class Units:
    """The units of a picture, ``found`` by name."""

    def __init__(self) -> None:
        self.found: dict[str, Unit] = {}
        self._of: dict[Hashable, str] = {}

    def named(self, key: Hashable, name: str, kind: str, role: str, reverse: bool = False) -> str:
        """Return the name of the unit that a key stands for: a new one, where it is first met."""
        if key not in self._of:
            own, n = name, 1
            while own in self.found:
                n += 1
                own = f"{name}_{n}"
            self._of[key] = own
            self.found[own] = Unit(own, kind, role, reverse)
        return self._of[key]
