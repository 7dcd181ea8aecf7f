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


def left_over(a: Array, b: Array, out: Array) -> None:
    """Multiply the stacks of matrices of a block by one stack: its steps are rows of one product each."""
    steps, n = len(a), out.shape[-1]
    rows = in_one_product(np.moveaxis(a, 0, -3), -3)
    product = rows @ b
    np.copyto(out, np.moveaxis(product.reshape(*product.shape[:-2], steps, a.shape[-2], n), -3, 0))


def right_over(a: Array, b: Array, out: Array) -> None:
    """Multiply one stack of matrices by those of a block: its steps are columns of one product each."""
    steps, n = len(b), out.shape[-1]
    columns = in_one_product(np.moveaxis(b, 0, -2), -2)
    product = a @ columns
    np.copyto(out, np.moveaxis(product.reshape(*product.shape[:-1], steps, n), -2, 0))


def in_one_product(x: Array, axis: int) -> Array:
    """Return stacks of matrices with an axis and the next one as one, in memory that BLAS can read."""
    shape = list(x.shape)
    shape[axis : axis + 2 or None] = [shape[axis] * shape[axis + 1]]
    x = x.reshape(shape)
    return x if x.itemsize in x.strides[-2:] else np.ascontiguousarray(x)


def one_step(function: Callable[..., Any], args: list[Any]) -> Call:
    """Return the call over a block of a single step, as the plain product where it is one."""
    if function is product_over and args[2][0].flags.c_contiguous:
        return np.dot, (args[0][0], args[1], args[2][0])
    if function is left_over:
        return np.matmul, (args[0][0], args[1], args[2][0])
    if function is right_over:
        return np.matmul, (args[0], args[1][0], args[2][0])
    return function, tuple(args)
