"""Matrix products, of which all other products are made."""

from __future__ import annotations

import math
from typing import Any

from tinyrnn.autograd import forwards
from tinyrnn.autograd.primitive import Primitive
from tinyrnn.autograd.shapes import matmul_shape


def _matmul_vjp_a(g: Any, a_shape: Any, b: Any) -> Any:
    if b.ndim == 2 and len(a_shape) > 1:
        return matmul(g, forwards.transposed(b))
    if b.ndim == 1:
        return g.reshape((*g.shape, 1)) * b
    if len(a_shape) == 1:  # its gradient is that of a row
        row = g.reshape((*g.shape[:-1], 1, g.shape[-1])) @ b.swapaxes(-1, -2)
        return row.reshape((*row.shape[:-2], row.shape[-1]))
    return g @ b.swapaxes(-1, -2)


def _matmul_vjp_b(g: Any, a: Any, b_shape: Any) -> Any:
    if len(b_shape) == 2 and a.ndim == 2:
        return matmul(a.T, g)
    if len(b_shape) == 1:
        return a * (g if a.ndim == 1 else g.reshape((*g.shape, 1)))
    if a.ndim == 1:
        return a.reshape((-1, 1)) * g.reshape((*g.shape[:-1], 1, g.shape[-1]))
    if len(b_shape) == 2:  # a stack of rows times one matrix: one product over all rows
        rows = math.prod(a.shape[:-1])
        return a.reshape((rows, a.shape[-1])).T @ g.reshape((rows, g.shape[-1]))
    return a.swapaxes(-1, -2) @ g


matmul = Primitive("matmul", forwards.matmul, shape=matmul_shape, a=_matmul_vjp_a, b=_matmul_vjp_b)
