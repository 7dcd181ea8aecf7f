"""Values as a notebook shows them: plain tables, in the colours of the page that they stand on."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

__all__ = ["array_table", "escaped", "table"]

MOST = 8  # rows and columns of an array that are shown; of more, the ends
_SIDE_BY_SIDE = "display:inline-table;vertical-align:top;margin-right:2em;white-space:nowrap"


def escaped(text: str) -> str:
    """Return a text as HTML shows it."""
    return escape(text)


def table(
    rows: Sequence[Sequence[str]], head: Sequence[str] = (), caption: str = "", style: str = "text-align:left"
) -> str:
    """Return a table; what stands in it is text, and never HTML.

    Examples
    --------
    >>> table([["1", "<2>"]], caption="numbers")
    '<table style="text-align:left"><caption>numbers</caption><tr><td>1</td><td>&lt;2&gt;</td></tr></table>'
    """
    parts = [f'<table style="{style}">']
    if caption:
        parts.append(f"<caption>{escape(caption)}</caption>")
    for tag, lines in (("th", [head] if head else []), ("td", rows)):
        for line in lines:
            parts.append("<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in line) + "</tr>")
    return "".join([*parts, "</table>"])


def array_table(array: np.ndarray[Any, Any], title: str) -> str:
    """Return a small array as a table, of a large one the ends; of more than two axes, as text.

    Parameters
    ----------
    array : ndarray
    title : str
        What stands before the shape and the dtype.
    """
    caption = f"{title} {array.shape} {array.dtype}"
    if array.ndim > 2 or array.size == 0:
        text = np.array2string(array, precision=4, threshold=MOST**2, edgeitems=2)
        inside = f"{escape(caption)}<pre>{escape(text)}</pre>"
        return f'<div style="{_SIDE_BY_SIDE};display:inline-block">{inside}</div>'
    matrix = array.reshape(1, -1) if array.ndim < 2 else array
    rows = [
        ["…" if i is None or j is None else _number(matrix[i, j]) for j in _ends(matrix.shape[1])]
        for i in _ends(matrix.shape[0])
    ]
    return table(rows, caption=caption, style=_SIDE_BY_SIDE)


def _ends(size: int) -> list[int | None]:
    """Return the indices to show, and None where some are left out."""
    if size <= MOST:
        return list(range(size))
    half = MOST // 2
    return [*range(half), None, *range(size - half, size)]


def _number(value: Any) -> str:
    return f"{value:.4g}" if value.dtype.kind == "f" else str(value)
