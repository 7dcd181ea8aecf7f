"""Arrays for a page: small ones in full, large ones as a corner with their size, and none twice."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

__all__ = ["ArrayTable", "encode"]

SIDE = 8  # rows and columns that are shown in full
LINE = 16  # the same of an array with one axis


class ArrayTable:
    """The arrays of a page, each written once. A gradient that is handed on unchanged takes no space.

    Examples
    --------
    >>> table = ArrayTable()
    >>> table.add(np.ones(2)), table.add(np.arange(2.0)), table.add(np.ones(2))
    (0, 1, 0)
    """

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        self._known: dict[str, int] = {}
        self._same: dict[
            int, tuple[np.ndarray[Any, Any], int]
        ] = {}  # by id, which is its own while it is held

    def add(self, array: np.ndarray[Any, Any]) -> int:
        """Return the number of an array."""
        if id(array) not in self._same:
            entry = encode(array)
            key = json.dumps(entry)
            if key not in self._known:
                self._known[key] = len(self.entries)
                self.entries.append(entry)
            self._same[id(array)] = array, self._known[key]
        return self._same[id(array)][1]


def encode(array: np.ndarray[Any, Any]) -> dict[str, Any]:
    """Return an array as it is written into a page.

    Returns
    -------
    dict
        ``shape``, and either ``all`` (the one number that stands everywhere), or ``rows``: all numbers, or
        of a large array the first 8 x 8 at four digits, with ``norm``, ``min`` and ``max`` of the whole.
        Axes before the last are joined into one.

    Examples
    --------
    >>> encode(np.array([[1.0, 2.5]]))
    {'shape': [1, 2], 'rows': [[1.0, 2.5]]}
    >>> sorted(encode(np.arange(100.0)))
    ['max', 'min', 'norm', 'rows', 'shape']
    """
    array = np.asarray(array)
    entry: dict[str, Any] = {"shape": list(array.shape)}
    if array.size > 1 and (array == array.flat[0]).all():
        return entry | {"all": _number(array.flat[0])}
    table = array.reshape((-1, array.shape[-1]) if array.ndim and array.size else (1, array.size))
    wide = LINE if table.shape[0] == 1 else SIDE
    if table.shape[0] <= SIDE and table.shape[1] <= wide:
        return entry | {"rows": [[_number(x) for x in row] for row in table]}
    with np.errstate(all="ignore"):
        whole = array.astype(np.float64)
        size = {"norm": np.sqrt(np.square(whole).sum()), "min": np.min(whole), "max": np.max(whole)}
    corner = table[:SIDE, :SIDE]
    return (
        entry
        | {"rows": [[_number(x, 4) for x in row] for row in corner]}
        | {k: _number(v, 6) for k, v in size.items()}
    )


def _number(x: Any, digits: int | None = None) -> float | int | str:
    """Return a number as JSON can hold it: with the digits that its dtype has, or fewer, and NaN as text."""
    if np.asarray(x).dtype.kind != "f":
        return int(x)
    if not np.isfinite(x):
        return "NaN" if np.isnan(x) else "∞" if x > 0 else "-∞"
    return float(str(x) if digits is None else f"{x:.{digits}g}")
