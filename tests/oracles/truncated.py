"""Truncated backpropagation through time, with k1 and k2, window by window, over a stack of layers.

Every k1 steps there is one update. The loss of a window counts its last k1 steps; the gradient flows back
k2 >= k1 steps, to a carry that is a constant. Where k2 > k1, the window's first part is run again under the
present parameters. The carry from which the next window starts is the one that the present window, the latest
run over it, came to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from . import layers
from .bptt import Params, Resets
from .cells import Array, Cell, State


@dataclass
class Window:
    """Run steps [start, end), count the loss of [begin, end)."""

    start: int
    begin: int
    end: int


def windows(T: int, k1: int, k2: int) -> Iterator[Window]:
    """The last one may count fewer steps than k1. It replays as many as others, or all if k2 reaches them."""
    for begin in range(0, T, k1):
        end = min(begin + k1, T)
        yield Window(0 if end <= k2 else begin + k1 - k2, begin, end)


@dataclass
class Result:
    window: Window
    ys: Array
    grads: Params
    g_x: Array
    g_initial: State
    params: Params
    final: State


def run(
    cell: Cell,
    x: Array,
    initial: State,
    params: Params,
    k1: int,
    k2: int,
    g_ys: Array,
    update: Callable[[Params, Params], Params] = lambda params, grads: params,
    resets: Resets | None = None,
    num_layers: int = 1,
) -> Iterator[Result]:
    """For each window its counted outputs and the gradients of its loss, their ``sum(g_ys * ys)``.

    After each window ``update(params, grads)`` gives the parameters of the next. ``Result.params`` are those
    that the window's gradients were taken at. ``Result.g_initial`` is what flows to the initial state, at
    step 0 and at resets: zero in a window that has neither.
    """
    T, B, _ = x.shape
    resets = np.zeros((T, B), bool) if resets is None else resets
    state = initial
    for w in windows(T, k1, k2):
        if w.start == 0:
            state = initial
        counted = g_ys[w.start : w.end].copy()
        counted[: w.begin - w.start] = 0
        no_final = tuple(np.zeros_like(s) for s in initial)
        g_initial = tuple(np.zeros_like(s) for s in initial)
        span = slice(w.start, w.end)
        ys, final, caches = layers.forward(
            cell, x[span], state, params, num_layers, resets=resets[span], fresh=initial
        )
        grads, g_x, g_state = layers.backward(cell, counted, no_final, caches, num_layers, g_fresh=g_initial)
        if w.start == 0:
            g_initial = tuple(a + b for a, b in zip(g_initial, g_state, strict=True))
        yield Result(w, ys[w.begin - w.start :], grads, g_x, g_initial, params, final)

        handed_on = slice(w.start, max(0, w.end + k1 - k2))
        _, state, _ = layers.forward(
            cell, x[handed_on], state, params, num_layers, resets=resets[handed_on], fresh=initial
        )
        params = update(params, grads)
