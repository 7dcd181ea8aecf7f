"""Scheduled sampling: from reading the truth to reading one's own words (Bengio et al. 2015).

With probability ε a decoder reads the true token while it learns, and otherwise its own; ε falls while it
learns. The draws are made here, and handed to the decoder as an input.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np

from tinyrnn.autograd.arguments import COUNT, NUMBER, PROBABILITY, RNG, checked, number, one_of
from tinyrnn.autograd.rng import generator


@checked(update=number(), slope=NUMBER, start=PROBABILITY, floor=PROBABILITY)
def linear_decay(update: int, slope: float, start: float = 1.0, floor: float = 0.0) -> float:
    """Return ``max(floor, start - slope * update)``.

    Parameters
    ----------
    update : int
        How many updates there have been.
    slope : float
        What each takes away.
    start, floor : float
        The first probability and the last.

    Examples
    --------
    >>> [linear_decay(i, slope=0.25, floor=0.5) for i in range(4)]
    [1.0, 0.75, 0.5, 0.5]
    """
    return max(floor, start - slope * update)


@checked(update=number(), k=number(below=1.0))
def exponential_decay(update: int, k: float) -> float:
    """Return ``k ** update``, for k below 1.

    Parameters
    ----------
    update : int
        How many updates there have been.
    k : float
        Below 1.

    Examples
    --------
    >>> exponential_decay(2, k=0.5)
    0.25
    """
    return k**update


@checked(update=number(), k=number(1.0))
def inverse_sigmoid_decay(update: int, k: float) -> float:
    """Return ``k / (k + exp(update / k))``, for k of at least 1: near 1 for a while, then down.

    Parameters
    ----------
    update : int
        How many updates there have been.
    k : float
        At least 1; half is reached after ``k log k`` updates.

    Examples
    --------
    >>> [round(inverse_sigmoid_decay(i, k=10), 3) for i in (0, 23, 100, 100_000)]
    [0.909, 0.501, 0.0, 0.0]
    """
    return 0.5 + 0.5 * math.tanh((math.log(k) - update / k) / 2)  # the same, and cannot overflow


@checked(probability=PROBABILITY, steps=COUNT, batch=COUNT, rng=RNG, per=one_of("step", "update"))
def scheduled_sampling(
    probability: float,
    steps: int,
    batch: int,
    rng: np.random.Generator | int | None = None,
    *,
    per: Literal["step", "update"] = "step",
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Draw where a decoder reads the true token.

    Parameters
    ----------
    probability : float
        Of the true token.
    steps, batch : int
    rng : Generator or int, optional
        The library's generator by default.
    per : {"step", "update"}
        Whether each token of each row has a draw of its own, or one draw holds for all of them.

    Returns
    -------
    ndarray of bool, shape (steps, batch)
        For `Decoder`'s ``forced``. The first row is True: there is nothing of its own to read yet.

    Examples
    --------
    >>> scheduled_sampling(0.5, 3, 4, rng=1).astype(int)
    array([[1, 1, 1, 1],
           [1, 1, 0, 1],
           [0, 1, 0, 0]])
    """
    draws = generator(rng).random((steps, batch) if per == "step" else (1, 1)) < probability
    draws = np.broadcast_to(draws, (steps, batch)).copy()
    draws[0] = True
    return draws
