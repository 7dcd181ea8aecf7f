"""What linear algebra accepts: matrices of floats."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyrnn.autograd.functions.elementwise import astype
from tinyrnn.autograd.operands import operand


def floats(x: Any) -> Any:
    """Return an operand, integers as floats."""
    x = operand(x)
    return x if x.dtype.kind == "f" else astype(x, np.float64)


def matrix(name: str, x: Any, *, square: bool = True) -> Any:
    """Return an operand that is a matrix, or a stack of them.

    Raises
    ------
    LinAlgError
        Where it is not, or is not square and should be.
    """
    x = floats(x)
    if x.ndim < 2 or (square and x.shape[-1] != x.shape[-2]):
        raise np.linalg.LinAlgError(
            f"{name}: the operand has shape {x.shape}; expected {'(..., N, N)' if square else '(..., M, N)'}"
        )
    return x
