"""NumPy calls: how a line becomes ``function(*args)`` that writes into an array which is there already."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinyrnn.recurrence.compiler.program import Line
from tinyrnn.recurrence.running.views import Array

Call = tuple[Callable[..., Any], tuple[Any, ...]]

# These two take ``out`` only by its name.
_BY_NAME: dict[Any, Callable[..., Any]] = {
    np.maximum: lambda a, b, out: np.maximum(a, b, out=out),
    np.minimum: lambda a, b, out: np.minimum(a, b, out=out),
}


def ufunc(line: Line) -> Callable[..., Any]:
    """Return the function of an elementwise line: ``function(*operands, out)``."""
    assert line.primitive is not None
    return _BY_NAME.get(line.primitive.forward, line.primitive.forward)


def into(line: Line, params: dict[str, Any] | None = None) -> Callable[..., None]:
    """Return a function that works out any line, and copies it into place: ``function(out, *operands)``."""
    assert line.primitive is not None
    forward = line.primitive.forward
    chosen = line.params if params is None else params

    def compute(out: Array, *args: Any) -> None:
        out[...] = forward(*args, **chosen)

    return compute


def joining(axis: int, offsets: tuple[int, ...]) -> Callable[..., None]:
    """Return a function that writes parts side by side into its first argument."""

    def join(out: Array, *parts: Array) -> None:
        for part, low, high in zip(parts, offsets, offsets[1:], strict=False):
            out[(slice(None),) * axis + (slice(low, high),)] = part

    return join


def product_over(a: Array, b: Array, out: Array) -> None:
    """Multiply the (B, K) matrices of a block by one (K, N) matrix."""
    if out.flags.c_contiguous:
        rows = np.ascontiguousarray(a).reshape(-1, a.shape[-1])
        np.dot(rows, b, out.reshape(len(rows), b.shape[1]))
    else:
        np.matmul(b.T, a.transpose(0, 2, 1), out.transpose(0, 2, 1))


def one_step(function: Callable[..., Any], args: list[Any]) -> Call:
    """Return the call over a block of a single step, as the plain product where it is one."""
    if function is product_over:
        a, b, out = args[0][0], args[1], args[2][0]
        if out.flags.c_contiguous:
            return np.dot, (a, b, out)
    return function, tuple(args)
