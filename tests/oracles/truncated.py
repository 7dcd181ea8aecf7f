"""Truncated backpropagation through time, with k1 and k2, window by window.

Every k1 steps there is one update. The loss of a window counts its last k1 steps; the gradient flows back
k2 >= k1 steps, to a carry that is a constant. Where k2 > k1, the window's first part is run again under the
present parameters. The carry from which the next window starts is the one that the present window, the latest
run over it, came to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from . import bptt
from .bptt import Params
from .cells import Array, Cell, State


@dataclass
class Window:
    """Run steps [start, end), count the loss of [begin, end)."""

    start: int
    begin: int
    end: int


def windows(T: int, k1: int, k2: int) -> Iterator[Window]:
    for begin in range(0, T, k1):
        yield Window(max(0, begin + k1 - k2), begin, min(begin + k1, T))


@dataclass
class Result:
    window: Window
    ys: Array
    grads: Params
    g_x: Array
    params: Params


def run(
    cell: Cell,
    x: Array,
    state: State,
    params: Params,
    k1: int,
    k2: int,
    g_ys: Array,
    update: Callable[[Params, Params], Params] = lambda params, grads: params,
    resets: npt.NDArray[np.bool_] | None = None,
) -> Iterator[Result]:
    """For each window its counted outputs and the gradients of its loss, their ``sum(g_ys * ys)``.

    After each window ``update(params, grads)`` gives the parameters of the next. ``Result.params`` are those
    that the window's gradients were taken at.
    """
    T, B, _ = x.shape
    resets = np.zeros((T, B), bool) if resets is None else resets
    for w in windows(T, k1, k2):
        counted = g_ys[w.start : w.end].copy()
        counted[: w.begin - w.start] = 0
        zero = tuple(np.zeros_like(s) for s in state)
        span = slice(w.start, w.end)
        ys, _, cache = bptt.forward(cell, x[span], state, params, resets=resets[span])
        grads, g_x, _ = bptt.backward(cell, counted, zero, cache)
        yield Result(w, ys[w.begin - w.start :], grads, g_x, params)

        handed_on = slice(w.start, max(0, w.end + k1 - k2))
        _, state, _ = bptt.forward(cell, x[handed_on], state, params, resets=resets[handed_on])
        params = update(params, grads)
