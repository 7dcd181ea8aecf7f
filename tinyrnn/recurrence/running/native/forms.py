"""The forms of a loop: what it takes to call one, and the source as plain Python."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from tinyrnn.recurrence.running.native import functions
from tinyrnn.recurrence.running.views import Array


class Loop(Protocol):
    """A loop that can be called: ``loop(steps, *arguments)``, with an argument for each array."""

    def argument(self, array: Array) -> Any:
        """Return what it takes in the place of an array, which has one axis and no gaps."""
        ...

    def __call__(self, steps: int, *arguments: Any) -> None:
        """Run the loop."""
        ...


class PythonLoop:
    """A source as plain Python: slow, to be read and stepped through."""

    def __init__(self, text: str) -> None:
        space: dict[str, Any] = {**functions.NAMES}
        exec(compile(text, "<loop>", "exec"), space)
        self._loop = space["loop"]

    def argument(self, array: Array) -> Array:
        """Return the array."""
        return array

    def __call__(self, steps: int, *arguments: Any) -> None:
        """Run the loop."""
        with np.errstate(all="ignore"):  # as compiled code, which warns of nothing
            self._loop(steps, *arguments)
