"""Text in pictures: numbers made short, escapes, and how wide a line is."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

import numpy as np

__all__ = [
    "BADGE", "LINE", "TITLE", "TYPES", "Markup", "attribute", "attributes", "head", "html", "matrix", "norm",
    "number", "pretty", "summary", "type_of", "width",
]  # fmt: skip

TITLE, LINE, BADGE = 12.0, 8.0, 8.0  # sizes of letters, in points
WIDER = 1.16  # DejaVu Sans, which many machines show for Helvetica, is so much wider
TYPES = ("shapes", "dtypes")
FULL = 8  # an array of up to 8 x 8 is shown in full where that is asked for

# Widths of Helvetica in thousandths of the size, by groups of letters that share one.
_WIDTHS = {
    c: w
    for w, letters in {
        222: "ijl'|", 278: "fIt.,:;!/[]\\ ", 333: "r()-`*", 389: '"', 469: "^", 500: "cksvxyzJ",
        556: "abdeghnopquL0123456789_#$?", 584: "+<>=~", 611: "FTZ", 667: "ABEKPSVXY&", 722: "CDHNRUw",
        778: "GOQ", 833: "mM", 889: "%", 944: "W", 1015: "@",
    }.items()
    for c in letters
}  # fmt: skip


def width(line: str, size: float) -> float:
    """Return about how wide a line is, in points, in Helvetica or what is shown for it."""
    return sum(_WIDTHS.get(c, 640) for c in line) * size * WIDER / 1000


def number(x: float) -> str:
    """Write a number in about three digits.

    Examples
    --------
    >>> [number(x) for x in (0.0, 1.0, -0.25, 0.001234, 3e-9, 12345.0, float("nan"))]
    ['0', '1', '-0.25', '1.2e-3', '3e-9', '1.2e4', 'NaN']
    """
    x = float(x)
    if not math.isfinite(x):
        return "NaN" if math.isnan(x) else "inf" if x > 0 else "-inf"
    if x == 0 or 0.01 <= abs(x) < 1000:
        return f"{x:.3g}"
    mantissa, exponent = f"{x:.1e}".split("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent)}"


def pretty(name: str) -> str:
    """Write a parameter's name as the field does, without the module's path.

    Examples
    --------
    >>> pretty("encoder.weight_hh_l0"), pretty("bias_ih_l1_reverse"), pretty("gain")
    ('W_hh', 'b_ih', 'gain')
    """
    own = name.rsplit(".", 1)[-1]
    parts = own.split("_")
    if parts[0] not in ("weight", "bias"):
        return own
    rest = [part for part in parts[1:] if part != "reverse" and not (part[:1] == "l" and part[1:].isdigit())]
    return "_".join(["W" if parts[0] == "weight" else "b", *rest])


def type_of(shape: tuple[int, ...], dtype: np.dtype[Any], shown: Collection[str] = TYPES) -> str:
    """Write shape and dtype, or the one of them that is to be shown.

    Examples
    --------
    >>> type_of((2, 3), np.dtype("float32"))
    '(2, 3) f32'
    """
    kind = "bool" if dtype.kind == "b" else f"{dtype.kind}{dtype.itemsize * 8}"
    words = {"shapes": f"({', '.join(map(str, shape))}{',' * (len(shape) == 1)})", "dtypes": kind}
    return " ".join(word for part, word in words.items() if part in shown)


def norm(array: np.ndarray[Any, Any]) -> float:
    """Return the 2-norm of all elements, without overflow on the way."""
    flat = np.asarray(array, dtype=np.float64).ravel()
    with np.errstate(all="ignore"):
        square = float(flat @ flat)
        if 1e-280 < square < 1e280 or (square == 0 and not flat.any()):
            return math.sqrt(square)
        top = float(np.max(np.abs(flat), initial=0.0))
        return top if not math.isfinite(top) or top == 0 else top * float(np.linalg.norm(flat / top))


def summary(array: np.ndarray[Any, Any]) -> str:
    """Say what is in an array in one line: the number, or its norm and range."""
    if array.dtype.kind == "b":
        return f"{int(array.sum())} of {array.size} true"
    if array.size == 1:
        return number(array.item())
    if not array.size:
        return "empty"
    return f"norm {number(norm(array))}  [{number(array.min())}, {number(array.max())}]"


def matrix(array: np.ndarray[Any, Any]) -> list[str]:
    """Write an array of up to 8 x 8 in full, a line for each row; a larger one as its `summary`."""
    table = array.reshape(-1, array.shape[-1]) if array.ndim else array.reshape(1, 1)
    if table.shape[0] > FULL or table.shape[1] > FULL or not table.size:
        return [summary(array)]
    return ["  ".join(number(x) for x in row) for row in table]


def html(text: str) -> str:
    """Escape text for an HTML-like label. Control characters, which XML cannot hold, become spaces."""
    text = "".join(c if c.isprintable() else " " for c in text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


class Markup(str):
    """An HTML-like label, with what comes from the model escaped; other text is never taken for one."""

    __slots__ = ()


def attributes(pairs: dict[str, str]) -> str:
    """Write DOT attributes, ``[key="value", ...]``."""
    written = (f"{k}={v if isinstance(v, Markup) else attribute(v)}" for k, v in pairs.items())
    return "[" + ", ".join(written) + "]"


def head(name: str, graph: dict[str, str], node: dict[str, str], edge: dict[str, str]) -> list[str]:
    """Begin a directed graph, with what all of it, and of its nodes and edges, have."""
    kinds = {"graph": graph, "node": node, "edge": edge}
    return [f"digraph {attribute(name)} {{", *(f"  {kind} {attributes(its)}" for kind, its in kinds.items())]


def attribute(text: object) -> str:
    """Quote a DOT attribute or id."""
    text = "".join(c if c.isprintable() else " " for c in str(text))
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
