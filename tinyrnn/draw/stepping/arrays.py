"""Arrays for a page: small ones in full, of large ones what matters, and none twice.

The numbers go as bytes, in base64: half the room that their digits would take, and exact.
"""

from __future__ import annotations

import base64
import math
from typing import Any

import numpy as np

__all__ = ["Array", "ArrayTable"]

Array = np.ndarray[Any, np.dtype[Any]]
SIDE = 8  # rows and columns that are shown of a large array
LINE, FLAT = 12, 4  # columns of an array with few rows, and how many these are


class ArrayTable:
    """The arrays of a page, each written once.

    Examples
    --------
    >>> table = ArrayTable()
    >>> table.add(np.ones(2)), table.add(np.arange(2.0)), table.add(np.ones(2))
    (0, 1, 0)
    >>> table.combine("+", 0, 1, np.array([1.0, 2.0]))
    2
    >>> table.packed()["entries"]
    [0, 1, ['+', 2, 1]]
    """

    def __init__(self) -> None:
        self.forms: list[dict[str, Any]] = []
        self.entries: list[Any] = []
        self._streams = {"float32": bytearray(), "float64": bytearray()}
        self._forms: dict[str, int] = {}
        self._known: dict[tuple[int, bytes], int] = {}
        self._whole: dict[int, Array] = {}  # those that are written in full, by number
        self._same: dict[int, tuple[Array, int]] = {}  # by id, which is its own while it is held

    def add(self, array: Array) -> int:
        """Return the number of an array."""
        if id(array) not in self._same:
            self._same[id(array)] = array, self._number(np.asarray(array))
        return self._same[id(array)][1]

    def combine(self, sign: str, left: int, right: int, result: Array) -> int:
        """Return the number of a result that the page can work out itself, to the last bit, by + or *."""
        found = self._found(*self._described(np.asarray(result)))
        if found is not None or id(result) in self._same:
            return self.add(result)
        a, b = self._whole.get(left), self._whole.get(right)
        if a is None or b is None or result.dtype.itemsize < 4:  # no half precision in a browser
            return self.add(result)
        with np.errstate(all="ignore"):
            made = a + b if sign == "+" else a * b
        same = made.shape == result.shape and made.dtype == result.dtype
        if not same or a.shape != b.shape or made.tobytes() != result.tobytes():
            return self.add(result)
        here = len(self.entries)
        return self._enter([sign, here - left, here - right], self._described(result), result)

    def packed(self) -> dict[str, Any]:
        """Return all of it as JSON can hold it.

        Returns
        -------
        dict
            ``entries``: for each array its form, or how it follows from others, ``["+", 3, 8]`` or
            ``["T", 1]``, counted back from where it stands.
            ``forms``: shape and dtype, and ``all`` (one number stands everywhere), or, of a large array,
            ``rows`` and ``columns``, those that are written, and three numbers behind them: norm, min, max.
            ``float32``, ``float64``: the numbers of all entries in their order, little-endian.
        """
        streams = {name: base64.b64encode(bytes(raw)).decode() for name, raw in self._streams.items()}
        return {"forms": self.forms, "entries": self.entries, **streams}

    def _number(self, array: Array) -> int:
        described = self._described(array)
        found = self._found(*described)
        if found is not None:
            return found
        turned = self._turned(array, described[0])
        entry = described[0] if turned is None else ["T", len(self.entries) - turned]
        return self._enter(entry, described, array)

    def _turned(self, array: Array, form: int) -> int | None:
        """Return the number of the array's transpose, where that shows the same numbers."""
        if array.ndim != 2 or min(array.shape) < 2:
            return None
        known = len(self.forms)
        described = self._described(np.ascontiguousarray(array.T))
        if len(self.forms) > known:  # no array of this form was written yet
            del self._forms[str(self.forms.pop())]
            return None
        mine, other = self.forms[form], self.forms[described[0]]
        same = mine.get("rows") == other.get("columns") and mine.get("columns") == other.get("rows")
        return self._found(*described) if same else None

    def _found(self, form: int, raw: bytes) -> int | None:
        return self._known.get((form, raw))

    def _enter(self, entry: Any, described: tuple[int, bytes], array: Array) -> int:
        form, raw = described
        number = self._known[described] = len(self.entries)
        self.entries.append(entry)
        if entry == form:
            self._streams[self.forms[form]["dtype"]] += raw
        if "rows" not in self.forms[form]:
            self._whole[number] = array
        return number

    def _described(self, array: Array) -> tuple[int, bytes]:
        """Return the form of an array and its bytes."""
        exact = array.dtype.kind == "f" and array.dtype.itemsize <= 4
        numbers = array.astype("<f4" if exact else "<f8")
        form: dict[str, Any] = {"shape": list(array.shape), "dtype": "float32" if exact else "float64"}
        # The page joins the axes before the last into one.
        table = numbers.reshape((-1, array.shape[-1]) if array.ndim and array.size else (1, array.size))
        wide = LINE if table.shape[0] <= FLAT else SIDE
        if array.size > 1 and (table == table.flat[0]).all():
            form["all"] = True
            numbers = numbers.ravel()[:1]
        elif table.shape[0] > SIDE or table.shape[1] > wide:
            form["rows"], form["columns"] = _telling(table, SIDE), _telling(table.T, wide)
            with np.errstate(all="ignore"):
                sizes = [_norm(table), float(np.min(table)), float(np.max(table))]
                exact = exact and bool(np.isfinite(np.float32(sizes[0])))  # the norm may be too large for one
            form["dtype"] = "float32" if exact else "float64"
            shown = table[np.ix_(form["rows"], form["columns"])].astype(np.float64)
            numbers = np.concatenate([shown.ravel(), sizes]).astype("<f4" if exact else "<f8")
        key = str(form)
        if key not in self._forms:
            self._forms[key] = len(self.forms)
            self.forms.append(form)
        return self._forms[key], numbers.tobytes()


def _telling(table: Array, room: int) -> list[int]:
    """Return which rows to show: the first ones, or where one of those is zero, those with most in them."""
    if len(table) <= room:
        return list(range(len(table)))
    with np.errstate(all="ignore"):
        size = np.nan_to_num(np.abs(table.astype(np.float64)), nan=np.inf).max(axis=1, initial=0.0)
    if size[:room].all():
        return list(range(room))
    return sorted(int(i) for i in np.argsort(-size, kind="stable")[:room])


def _norm(table: Array) -> float:
    with np.errstate(all="ignore"):
        return math.sqrt(float(np.square(table.astype(np.float64)).sum()))
