"""From the logits of the next token to a token of each row."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tinyrnn.generation.largest import largest

Array = np.ndarray[Any, Any]
Choose = Callable[[Array], Array]


def chooser(temperature: float, top_k: int | None, top_p: float | None, rng: np.random.Generator) -> Choose:
    """Return a function from logits (B, C) to tokens (B,); the arguments are those of `generate`, checked."""
    scale = 1 / max(temperature, 1e-25)  # below that only the likeliest is left anyway, and nothing overflows
    if temperature == 0 or top_k == 1:
        return _likeliest
    draw = _Draw(scale, top_p, rng)
    row, rows = (
        (draw.row, draw.rows) if top_k is None else (_among(top_k, draw.row), _among(top_k, draw.rows))
    )
    # A single row, the usual stream, is a vector: of the few microseconds that this takes it saves a third.
    return lambda logits: np.array([row(logits[0])]) if len(logits) == 1 else rows(logits)


def _likeliest(logits: Array) -> Array:
    peaks(logits)
    return logits.argmax(-1)


class _Draw:
    """Draws from the odds of each token, scaled by the temperature; with ``top_p`` from the nucleus.

    Nothing is sorted for that: what falls outside of the nucleus is drawn again.
    """

    def __init__(self, scale: float, top_p: float | None, rng: np.random.Generator) -> None:
        self.scale = scale
        self.top_p = top_p
        self.random = rng.random

    def row(self, logits: Array) -> int:
        """Draw a token; logits (C,)."""
        peak = logits.max()
        _check(float(peak))
        odds = self._odds(logits, peak)
        sums = np.add.accumulate(odds)
        total = sums[-1]
        while True:
            chosen = int(sums.searchsorted(self.random() * total, "right"))
            if self.top_p is None or not _outside(odds, chosen, self.top_p * total):
                return chosen

    def rows(self, logits: Array) -> Array:
        """Draw a token of each row; logits (B, C)."""
        odds = self._odds(logits, peaks(logits))
        sums = np.add.accumulate(odds, -1)
        # The odds of a row stand side by side, and one number falls on one of them.
        chosen = (sums > self.random((len(sums), 1)) * sums[:, -1:]).argmax(-1)
        if self.top_p is not None:
            limits = self.top_p * sums[:, -1]
            own = odds[np.arange(len(odds)), chosen]
            likelier = np.einsum("bc,bc->b", odds, odds >= own[:, None]) - own
            for b in np.flatnonzero(likelier >= limits):  # few, and ties among them are inside after all
                while _outside(odds[b], chosen[b], limits[b]):
                    chosen[b] = sums[b].searchsorted(self.random() * sums[b, -1], "right")
        return chosen

    def _odds(self, logits: Array, peak: Any) -> Array:
        below = logits - peak
        return np.exp(below if self.scale == 1 else below * self.scale).astype(np.float64)


def _outside(odds: Array, chosen: int, limit: float) -> bool:
    """Whether all that is likelier than what was chosen comes to the limit; of equals the first is."""
    own = odds[chosen]
    if np.dot(odds, odds >= own) - own < limit:  # with all that is equal, and not even so
        return False
    return odds[odds > own].sum() + own * np.count_nonzero(odds[:chosen] == own) >= limit


def _among(k: int, draw: Callable[[Array], Any]) -> Callable[[Array], Any]:
    """Return a draw among the ``k`` likeliest."""

    def draw_from_top(logits: Array) -> Any:
        if logits.ndim == 1:
            order = largest(logits[None], min(k, len(logits)))[0]
            return order[draw(logits[order])]
        order, rows = largest(logits, min(k, logits.shape[-1])), np.arange(len(logits))
        return order[rows, draw(logits[rows[:, None], order])]

    return draw_from_top


def peaks(logits: Array) -> Array:
    """Return the largest of each row, (B, 1); raise where there is a NaN or +inf, or nothing but -inf."""
    found = logits.max(-1, keepdims=True)
    _check(float(found.sum()))
    return found


def _check(total: float) -> None:
    if not math.isfinite(total):
        raise ValueError(
            f"generate: the largest logits of the rows sum up to {total}; expected numbers, and -inf only "
            "for tokens that must not come"
        )
