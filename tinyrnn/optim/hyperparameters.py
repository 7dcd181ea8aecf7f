"""The numbers that steer training, and what they must be."""

from __future__ import annotations

import math
from typing import Any

from tinyrnn.autograd.arguments import check, count, number


def check_number(where: str, name: str, value: Any, low: float = 0.0, below: float = math.inf) -> float:
    """Return a hyperparameter as a float, or say what it should have been.

    Raises
    ------
    TypeError
        Where it is not a real number.
    ValueError
        Where it is not finite, or lies outside ``low <= value < below``.
    """
    return float(check(where, name, value, number(low, below=below)))


def check_count(where: str, name: str, value: Any, low: int = 1) -> int:
    """Return a hyperparameter that counts as an int, or say what it should have been.

    Raises
    ------
    TypeError
        Where it is not an integer.
    ValueError
        Where it is below ``low``.
    """
    return int(check(where, name, value, count(low)))
