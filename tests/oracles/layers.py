"""Several layers and both directions, from single layers, with PyTorch's names and order.

The parameters of layer k are ``weight_ih_l{k}``, ...; of its backward direction ``weight_ih_l{k}_reverse``.
Each array of the state is (num_layers * directions, B, H), in the order layer 0, layer 0 reverse, layer 1.

``resets`` and ``since`` are for a stack of one direction: they mean a time, the same in every layer.
"""

from __future__ import annotations

import numpy as np

from . import bptt
from .bptt import Cache, Lengths, Params, Resets
from .cells import Array, Cell, State

NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
SUFFIXES = ("", "_reverse")


def reverse_rows(x: Array, lengths: Lengths) -> Array:
    """Each row's real steps in reverse order; the padding stays where it is."""
    y = x.copy()
    for b, n in enumerate(lengths):
        y[:n, b] = x[:n, b][::-1]
    return y


def forward(
    cell: Cell,
    x: Array,
    state: State,
    params: Params,
    num_layers: int = 1,
    directions: int = 1,
    lengths: Lengths | None = None,
    resets: Resets | None = None,
    fresh: State | None = None,
) -> tuple[Array, State, list[Cache]]:
    ends = [x.shape[0]] * x.shape[1] if lengths is None else lengths
    final = tuple(np.zeros_like(s) for s in state)
    caches: list[Cache] = []
    for layer in range(num_layers):
        outputs: list[Array] = []
        for d in range(directions):
            k = layer * directions + d
            own = {name: params[f"{name}_l{layer}{SUFFIXES[d]}"] for name in NAMES}
            read = reverse_rows(x, ends) if d == 1 else x
            own_fresh = None if fresh is None else tuple(s[k] for s in fresh)
            start = tuple(s[k] for s in state)
            ys, lasts, cache = bptt.forward(cell, read, start, own, ends, resets, own_fresh)
            outputs.append(reverse_rows(ys, ends) if d == 1 else ys)
            caches.append(cache)
            for f, last in zip(final, lasts, strict=True):
                f[k] = last
        x = np.concatenate(outputs, axis=-1)
    return x, final, caches


def backward(
    cell: Cell,
    g_ys: Array,
    g_final: State,
    caches: list[Cache],
    num_layers: int = 1,
    directions: int = 1,
    since: int = 0,
    g_fresh: State | None = None,
) -> tuple[Params, Array, State]:
    lengths = caches[0].lengths
    grads: Params = {}
    g_initial = tuple(np.zeros_like(g) for g in g_final)
    for layer in reversed(range(num_layers)):
        g_outputs = np.split(g_ys, directions, axis=-1)
        g_inputs = np.zeros_like(caches[layer * directions].x)
        for d in range(directions):
            k = layer * directions + d
            g_y = reverse_rows(g_outputs[d], lengths) if d == 1 else g_outputs[d]
            own_g_fresh = None if g_fresh is None else tuple(g[k] for g in g_fresh)
            end = tuple(g[k] for g in g_final)
            own, g_x, g_starts = bptt.backward(cell, g_y, end, caches[k], since, own_g_fresh)
            grads |= {f"{name}_l{layer}{SUFFIXES[d]}": g for name, g in own.items()}
            g_inputs += reverse_rows(g_x, lengths) if d == 1 else g_x
            for g, start in zip(g_initial, g_starts, strict=True):
                g[k] = start
        g_ys = g_inputs
    return grads, g_ys, g_initial
