"""The data of a page in little room: columns instead of rows, and each text once for all time steps.

``h₇ = tanh(a₇)`` differs from step to step in its indices only. A text is written as its pieces and, between
them, how far each index is from the time step of its row. The page puts them together again (``unpack.js``).
"""

from __future__ import annotations

import re
from typing import Any

from tinyrnn.draw.stepping.labels import SUBSCRIPTS

__all__ = ["pack"]

DIGITS = {chr(subscript): chr(digit) for digit, subscript in SUBSCRIPTS.items()}
INDEX = re.compile("[₀-₉]+")
COUNTS = (
    "value",
    "node",
    "part",
    "local",
    "product",
    "upstream",
    "after",
    "main",
)  # they rise and fall evenly
NEAR = 1  # steps; further away an index is hardly one of time


def pack(data: dict[str, Any]) -> dict[str, Any]:
    """Return what `page_data` gave with ``nodes``, ``records`` and parts as columns, and ``texts`` for all.

    A column holds "" where a row has nothing; one of numbers that mostly rise or fall evenly holds the
    differences.

    Examples
    --------
    >>> rows = [{"label": "h₇", "time": 7}, {"label": "h₈", "time": 8}, {"label": "W"}]
    >>> packed = pack({"nodes": rows, "records": []})
    >>> packed["texts"], packed["nodes"]
    ([['h', 0, ''], 'W'], {'label': [0, 0, 1], 'time': [7, 8, '']})
    """
    texts: dict[Any, int] = {}
    times = [node.get("time") for node in data["nodes"]]
    nodes = _columns(data["nodes"], times, texts)
    records = _columns(data["records"], [times[record["node"]] for record in data["records"]], texts)
    levels = [
        {**level, "parts": _columns(level["parts"], [part.get("time") for part in level["parts"]], texts)}
        for level in data.get("levels", [])
    ]
    listed = [list(text) if isinstance(text, tuple) else text for text in texts]
    return {**data, "nodes": nodes, "records": records, "levels": levels, "texts": listed}


def _columns(
    rows: list[dict[str, Any]], times: list[int | None], texts: dict[Any, int]
) -> dict[str, list[Any]]:
    keys = dict.fromkeys(key for row in rows for key in row)
    columns: dict[str, list[Any]] = {key: [] for key in keys}
    for row, time in zip(rows, times, strict=True):
        for key, column in columns.items():
            value = row.get(key, "")
            if isinstance(value, str) and key in row:
                value = texts.setdefault(_relative(value, time), len(texts))
            column.append(value)
    for key in keys:
        if key in COUNTS:
            columns[key] = _differences(columns[key])
    return columns


def _differences(column: list[Any]) -> list[Any]:
    last = 0
    found: list[Any] = []
    for value in column:
        found.append(value if value == "" else value - last)
        last = last if value == "" else value
    return found


def _relative(text: str, time: int | None) -> Any:
    """Return a text in pieces, with the distance from the time step between them; or as it is."""
    if time is None:
        return text
    pieces: list[Any] = [""]
    end = 0
    for match in INDEX.finditer(text):
        distance = int("".join(DIGITS[digit] for digit in match[0])) - time
        if abs(distance) <= NEAR and str(time + distance).translate(SUBSCRIPTS) == match[0]:
            pieces[-1] += text[end : match.start()]
            pieces += [distance, ""]
            end = match.end()
    pieces[-1] += text[end:]
    return text if len(pieces) == 1 else tuple(pieces)
