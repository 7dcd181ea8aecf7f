"""What is said where a scan does not run in its compiled form."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from tinyrnn.autograd.callers import users_line

_warned: set[Any] = set()


class ScanFallbackWarning(UserWarning):
    """A step could not be compiled, and runs as a recorded loop: the same numbers, more slowly.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> import warnings
    >>> def step(h, x):
    ...     return (h + x if x.item() > 0 else h), h
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     total, _ = tr.scan(step, tr.zeros(()), tr.tensor([1.0, -2.0, 3.0]))
    >>> total.item(), caught[0].category.__name__
    (4.0, 'ScanFallbackWarning')
    """


def warn_of_step(step: Callable[..., Any], reason: str) -> None:
    """Say that a step runs as a recorded loop, once for each step and reason."""
    # A step is often a new closure at each call: its code is what stays.
    code = getattr(getattr(step, "__func__", step), "__code__", type(step))
    name = getattr(step, "__qualname__", type(step).__name__)
    _warn_once(
        (code, reason),
        f"scan: the step {name} cannot be compiled, because {reason}; it runs as a recorded loop, step by "
        "step",
    )


def warn_of_gradient(where: str, error: Exception) -> None:
    """Say that a compiled scan goes back along its recorded steps, once for each place and error."""
    reason = f"{type(error).__name__}: {error}"
    _warn_once(
        (where, reason),
        f"scan: the compiled gradient{f' of {where}' if where else ''} failed ({reason}); it is made step by "
        "step",
    )


def _warn_once(key: Any, message: str) -> None:
    if key in _warned:
        return
    warnings.warn(message, ScanFallbackWarning, stacklevel=users_line())
    # Only now: a warning that is turned into an error is raised every time.
    _warned.add(key)
