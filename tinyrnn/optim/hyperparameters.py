"""The numbers that steer training, and what they must be."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any


def check_number(where: str, name: str, value: Any, low: float = 0.0, below: float = math.inf) -> float:
    """Return a hyperparameter as a float, or say what it should have been.

    Raises
    ------
    TypeError
        Where it is not a real number.
    ValueError
        Where it is not finite, or lies outside ``low <= value < below``.
    """
    if not isinstance(value, Real):
        raise TypeError(f"{where}: {name} is {value!r} ({type(value).__name__}); expected a number")
    number = float(value)
    if not (math.isfinite(number) and low <= number < below):
        upper = f" and below {below:g}" if below < math.inf else ""
        raise ValueError(f"{where}: {name} is {value!r}; expected a finite number, at least {low:g}{upper}")
    return number


def check_count(where: str, name: str, value: Any, low: int = 1) -> int:
    """Return a hyperparameter that counts as an int, or say what it should have been.

    Raises
    ------
    TypeError
        Where it is not an integer.
    ValueError
        Where it is below ``low``.
    """
    if not isinstance(value, Integral):
        raise TypeError(f"{where}: {name} is {value!r} ({type(value).__name__}); expected an int")
    if value < low:
        raise ValueError(f"{where}: {name} is {value!r}; expected an int, at least {low}")
    return int(value)
