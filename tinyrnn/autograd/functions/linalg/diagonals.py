"""Diagonals of stacks of matrices: of the last two axes, where `tinyrnn.diagonal` takes the first two."""

from __future__ import annotations

from typing import Any

from tinyrnn.autograd.arguments import WHOLE, checked
from tinyrnn.autograd.functions import diagonals as of_arrays
from tinyrnn.autograd.signatures import of_one

__all__ = ["diagonal", "trace"]


@of_one
@checked(offset=WHOLE)
def diagonal(x: Any, *, offset: int = 0) -> Any:
    """Return the diagonal of each matrix of a stack, (..., M, N), along a new last axis.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.linalg.diagonal(tr.ones((5, 3, 4))).shape
    (5, 3)
    """
    return of_arrays.diagonal(x, offset, -2, -1)


@of_one
@checked(offset=WHOLE)
def trace(x: Any, *, offset: int = 0) -> Any:
    """Sum of the diagonal of each matrix of a stack; see `diagonal`.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.linalg.trace(tr.ones((5, 3, 3))).shape
    (5,)
    """
    return of_arrays.trace(x, offset, -2, -1)
