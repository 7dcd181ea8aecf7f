"""The loss of each step against the state of each: ‖∂L_s/∂h_t‖, where truncation shows as missing blocks."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import Any

import numpy as np

from tinyrnn.autograd.mapped import Array
from tinyrnn.draw.reading.unroll import unroll
from tinyrnn.dynamics.records import gradients_restored, one_recorded, sent_back, size_of, states_of


def gradient_pairs(losses: Mapping[int, Any]) -> dict[str, Array]:
    """Return ``‖∂L_s/∂h_t‖`` for each state, rows s, columns t; NaN where no gradient comes.

    Each loss is sent back on its own, without touching any ``.grad``: as many passes as there are losses.
    """
    for s, loss in losses.items():
        if not isinstance(s, Integral):
            raise TypeError(f"gradient_flow: losses has the key {s!r}; expected the number of a step, an int")
        one_recorded("gradient_flow", f"the loss of step {s}", loss)
    recorded = unroll(list(losses.values()), "gradient_flow")
    if not {loss.node for loss in losses.values()} <= {record.node for record in recorded.records}:
        raise ValueError("gradient_flow: compute the losses of the steps inside of tr.unrolled()")
    states = states_of(recorded)
    size = max((t for nodes in states.values() for t, _ in nodes), default=-1) + 1
    for s in losses:
        if not 0 <= s < size:
            raise ValueError(
                f"gradient_flow: losses has the key {s}; expected 0 to {size - 1}, the steps of the states, "
                "which count from 0"
            )
    tables = {name: np.full((size, size), np.nan) for name in states}
    targets = {node for nodes in states.values() for _, node in nodes}
    with gradients_restored(record.node for record in recorded.records):
        for s, loss in losses.items():
            found = sent_back("gradient_flow", {loss.node: np.ones(loss.shape, loss.dtype)}, targets)
            for name, nodes in states.items():
                for t, node in nodes:
                    if node in found:
                        tables[name][s, t] = size_of(found[node])
    return tables
