"""How far a training run has come: a bar in a terminal, a plain line every so often elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

SECONDS = 5.0  # between plain lines


class Progress:
    """Shows what it is told at each update, and how fast it goes, on stderr.

    The bar is tqdm's, from the extra ``demo``. Without it, or where stderr is no terminal, there are plain
    lines.

    Parameters
    ----------
    steps : int, optional
        The number of updates to come, where it is known.
    unit : str
        What is counted for the rate.

    Examples
    --------
    >>> with Progress(steps=2, unit="char") as progress:
    ...     progress.update("loss 4.60", count=1024)
    """

    def __init__(self, steps: int | None, unit: str = "update") -> None:
        self.steps = steps
        self.unit = unit
        self.done = 0
        self.counted = 0
        self.started = self.written = time.perf_counter()
        self.bar: Any = None
        if sys.stderr.isatty():
            try:
                from tqdm import tqdm
            except ImportError:
                return
            layout = "{n_fmt}/{total_fmt} {bar} {remaining}{postfix}"
            self.bar = tqdm(total=steps, bar_format=layout, dynamic_ncols=True, file=sys.stderr)

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.bar is not None:
            self.bar.close()

    def expect(self, steps: int) -> None:
        """Say how many updates there are to be in all, where it comes to be known."""
        self.steps = steps
        if self.bar is not None:
            self.bar.total = steps

    def update(self, told: str, count: int = 1) -> None:
        """Tell of one update, which has gone over ``count`` of the unit."""
        self.done += 1
        self.counted += count
        now = time.perf_counter()
        told = f"{told}, {self.counted / max(now - self.started, 1e-9):,.0f} {self.unit}/s"
        if self.bar is not None:
            self.bar.set_postfix_str(told, refresh=False)
            self.bar.update()
        elif now - self.written > SECONDS or self.done in (1, self.steps):
            self.written = now
            of = "" if self.steps is None else f"/{self.steps}"
            print(f"step {self.done}{of}: {told}", file=sys.stderr, flush=True)
