"""One layer over time: forward, and backpropagation through time.

Shapes, time-major: ``x`` (T, B, I); each array of the state (B, H); outputs (T, B, H). The parameters are
``weight_ih`` (gates * H, I), ``weight_hh`` (gates * H, H), ``bias_ih`` and ``bias_hh`` (gates * H,).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .cells import Array, Cell, State

Params = dict[str, Array]
Lengths = Sequence[int]
Resets = npt.NDArray[np.bool_]


@dataclass
class Cache:
    """What the backward pass needs: for each (t, row) the state before the step and what the cell saved."""

    x: Array
    params: Params
    lengths: Lengths
    resets: Resets
    steps: dict[tuple[int, int], tuple[State, Any]]


def forward(
    cell: Cell,
    x: Array,
    state: State,
    params: Params,
    lengths: Lengths | None = None,
    resets: Resets | None = None,
    fresh: State | None = None,
) -> tuple[Array, State, Cache]:
    """Run the cell over each row up to its length; return all outputs, the final state, and the cache.

    Outputs past a row's end are zero, and its final state is that of its last real step. Where
    ``resets[t, b]``, row b's state before step t is ``fresh``, zero where that is not given.
    """
    T, B, _ = x.shape
    H = params["weight_hh"].shape[1]
    ends = [T] * B if lengths is None else lengths
    resets = np.zeros((T, B), bool) if resets is None else resets
    fresh = tuple(np.zeros((B, H)) for _ in state) if fresh is None else fresh
    ys = np.zeros((T, B, H))
    final = tuple(np.zeros((B, H)) for _ in state)
    cache = Cache(x, params, ends, resets, {})
    for b in range(B):
        row: State = tuple(s[b] for s in state)
        for t in range(ends[b]):
            if resets[t, b]:
                row = tuple(s[b] for s in fresh)
            u = params["weight_ih"] @ x[t, b] + params["bias_ih"]
            v = params["weight_hh"] @ row[0] + params["bias_hh"]
            next_row, saved = cell.step(u, v, row)
            cache.steps[t, b] = row, saved
            row = next_row
            ys[t, b] = row[0]
        for f, s in zip(final, row, strict=True):
            f[b] = s
    return ys, final, cache


def backward(
    cell: Cell, g_ys: Array, g_final: State, cache: Cache, since: int = 0, g_fresh: State | None = None
) -> tuple[Params, Array, State]:
    """The gradients of the parameters, of the inputs and of the initial state.

    ``g_ys`` and ``g_final`` are the gradients that come in at each output and at the final state. Nothing
    flows to steps before ``since``: that is truncation, the terms cut away by ending the loop.
    What flows to the state of resets is added into ``g_fresh``, where it is given.
    """
    x, params = cache.x, cache.params
    B, H = x.shape[1], params["weight_hh"].shape[1]
    grads = {name: np.zeros_like(p) for name, p in params.items()}
    g_x = np.zeros_like(x)
    g_initial = tuple(np.zeros((B, H)) for _ in g_final)
    for b in range(B):
        g_row: State = tuple(g[b] for g in g_final)
        for t in reversed(range(since, cache.lengths[b])):
            state, saved = cache.steps[t, b]
            g_row = (g_row[0] + g_ys[t, b], *g_row[1:])
            g_u, g_v, g_row = cell.step_backward(g_row, state, saved)
            grads["weight_ih"] += np.outer(g_u, x[t, b])
            grads["weight_hh"] += np.outer(g_v, state[0])
            grads["bias_ih"] += g_u
            grads["bias_hh"] += g_v
            g_x[t, b] = params["weight_ih"].T @ g_u
            g_row = (g_row[0] + params["weight_hh"].T @ g_v, *g_row[1:])
            if cache.resets[t, b]:
                for g, row in zip(g_fresh or (), g_row, strict=False):
                    g[b] += row
                g_row = tuple(np.zeros(H) for _ in g_row)
        for g, row in zip(g_initial, g_row, strict=True):
            g[b] = row
    return grads, g_x, g_initial
