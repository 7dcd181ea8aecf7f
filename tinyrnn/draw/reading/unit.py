"""A `Unit`: what a box at the level of cells stands for."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Unit"]


@dataclass
class Unit:
    """One unit of the rolled graph.

    Attributes
    ----------
    name : str
        The path that the user gave: of attributes, or of scopes. Unique.
    kind : str
        The class of the module, if it is one.
    role : str
        ``cell``, ``module``, ``loss`` (of one step), ``total``, ``input``, ``ops``, or ``moves`` for what
        only puts together, or takes apart, what the steps gave.
    reverse : bool
        Whether its loop goes from the last step to the first.
    nth : int
        Of an input: which of those that a step reads, 0 for the first.
    row : int
        Counted from below, along the flow of data.
    groups : set of str
        The groups in whose columns, or over which, it stands.
    carries : dict
        From the key of a carry's record to the name of the carry, such as ``h``.
    """

    name: str
    kind: str = ""
    role: str = "ops"
    reverse: bool = False
    nth: int = 0
    row: int = 0
    groups: set[str] = field(default_factory=set[str])
    carries: dict[tuple[object, ...], str] = field(default_factory=dict[tuple[object, ...], str])
