"""How far a training run has come: a bar in a terminal, a plain line every so often elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

SECONDS = 5.0  # between plain lines


class Progress:
    """Shows loss, gradient norm (before clipping) and characters a second, on stderr.

    The bar is tqdm's, from the extra ``demo``. Without it, or where stderr is no terminal, there are plain
    lines.

    Parameters
    ----------
    steps : int
        The number of updates to come.

    Examples
    --------
    >>> with Progress(steps=2) as progress:
    ...     progress.update(loss=4.6, gradient_norm=0.5, characters=1024)
    """

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.done = 0
        self.characters = 0
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

    def update(self, loss: float, gradient_norm: float, characters: int) -> None:
        """Tell of one update.

        Parameters
        ----------
        loss : float
            In bits per character.
        gradient_norm : float
            Before clipping.
        characters : int
            How many the update has read.
        """
        self.done += 1
        self.characters += characters
        now = time.perf_counter()
        rate = self.characters / (now - self.started)
        told = f"loss {loss:.2f} bits, grad norm {gradient_norm:.2f}, {rate:,.0f} char/s"
        if self.bar is not None:
            self.bar.set_postfix_str(told, refresh=False)
            self.bar.update()
        elif now - self.written > SECONDS or self.done in (1, self.steps):
            self.written = now
            print(f"step {self.done}/{self.steps}: {told}", file=sys.stderr, flush=True)
