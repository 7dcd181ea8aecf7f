"""CTC by its definition: every alignment written out, and those counted that stand for the labels."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import Any

import numpy as np


def collapse(alignment: tuple[int, ...], blank: int) -> tuple[int, ...]:
    return tuple(label for label, _ in itertools.groupby(alignment) if label != blank)


def log_probabilities(log_probs: Any, blank: int = 0) -> dict[tuple[int, ...], float]:
    """The log probability of all labels that (T, C) frames can stand for."""
    steps, classes = log_probs.shape
    found: dict[tuple[int, ...], list[float]] = defaultdict(list)
    for alignment in itertools.product(range(classes), repeat=steps):
        found[collapse(alignment, blank)].append(sum(log_probs[t, c] for t, c in enumerate(alignment)))
    return {labels: float(np.logaddexp.reduce(ways)) for labels, ways in found.items()}
