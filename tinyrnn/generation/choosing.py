"""From the logits of the next token to a token of each row."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Choose = Callable[[Array], Array]


def chooser(temperature: float, top_k: int | None, top_p: float | None, rng: np.random.Generator) -> Choose:
    """Return a function from logits (B, C) to tokens (B,); the arguments are those of `generate`, checked."""
    scale = 1 / max(temperature, 1e-25)  # below that only the likeliest is left anyway, and nothing overflows

    def greedy(logits: Array) -> Array:
        peaks(logits)
        return logits.argmax(-1)

    def draw(logits: Array) -> Array:
        # The odds stand in a row, and one number falls on one of them.
        odds = np.exp((logits - peaks(logits)) * scale).astype(np.float64)
        sums = odds.cumsum(-1)
        total = sums[:, -1:]
        chosen = (sums > rng.random(total.shape) * total).argmax(-1)
        if top_p is not None:  # nothing needs to be sorted: what falls outside of the nucleus is drawn again
            while (outside := _mass_before(odds, chosen) >= top_p * total[:, 0]).any():
                again = (sums > rng.random(total.shape) * total).argmax(-1)
                chosen = np.where(outside, again, chosen)
        return chosen

    def draw_from_top(logits: Array) -> Array:
        assert top_k is not None
        k = min(top_k, logits.shape[-1])
        order = np.argpartition(logits, -k)[:, -k:]
        rows = np.arange(len(logits))
        return order[rows, draw(logits[rows[:, None], order])]

    if temperature == 0 or top_k == 1:
        return greedy
    return draw if top_k is None else draw_from_top


def _mass_before(odds: Array, chosen: Array) -> Array:
    """Return the odds of all that is likelier than what was chosen; of equals the first is likelier."""
    own = odds[np.arange(len(odds)), chosen][:, None]
    before = odds > own
    if ((odds == own).sum(-1) > 1).any():
        before |= (odds == own) & (np.arange(odds.shape[-1]) < chosen[:, None])
    return (odds * before).sum(-1)


def peaks(logits: Array) -> Array:
    """Return the largest of each row, (B, 1); raise where there is a NaN or +inf, or nothing but -inf."""
    largest = logits.max(-1, keepdims=True)
    if not math.isfinite(total := largest.sum()):
        raise ValueError(
            f"generate: the largest logits of the rows sum up to {total}; expected numbers, and -inf only "
            "for tokens that must not come"
        )
    return largest
