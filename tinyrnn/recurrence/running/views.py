"""Views: lines that only look at their operand in another way, which costs nothing at run time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinyrnn.autograd import primitives as p
from tinyrnn.recurrence.compiler.program import Line

Array = np.ndarray[Any, Any]


def is_view(line: Line, lines: list[Line]) -> bool:
    """Whether a line only looks at its operand in another way, which takes no call."""
    if line.primitive is p.reshape:
        old = lines[line.args[0]].shape
        return [n for n in old if n != 1] == [n for n in line.shape if n != 1]
    return line.primitive in (p.getitem, p.transpose, p.broadcast_to) and len(line.args) == 1


def look(line: Line, params: dict[str, Any], x: Array, steps: int) -> Array:
    """Apply a view operation to a block of values; ``params`` are those that count time as the first axis."""
    if line.primitive is p.getitem:
        return x[params["index"]]
    if line.primitive is p.transpose:
        return x.transpose(params["axes"])
    if line.primitive is p.reshape:
        return x.reshape((steps, *line.shape))
    return np.broadcast_to(spread(x, len(line.shape)), (steps, *line.shape))


class Slice:
    """Stands in a call for the part of a long array that belongs to the block at hand."""

    __slots__ = ("line", "view")

    def __init__(self, line: int, view: Callable[[Array], Array] = lambda x: x) -> None:
        self.line = line
        self.view = view

    def then(self, view: Callable[[Array], Array]) -> Slice:
        """Return the same part, seen through another view as well."""
        return Slice(self.line, lambda x: view(self.view(x)))


def spread(x: Any, ndim: int) -> Any:
    """Insert axes of length 1 after time, until a block's values have ``ndim`` axes each."""
    if isinstance(x, Slice):
        return x.then(lambda a: spread(a, ndim))
    missing = ndim - (x.ndim - 1)
    return x[(slice(None), *(None,) * missing)] if missing > 0 else x
