"""Small recorded networks for the tests of drawings."""

import contextlib
from collections.abc import Collection
from typing import Any

import numpy as np

import tinyrnn as tr


def leaf(rng: np.random.Generator, *shape: int, name: str) -> Any:
    tensor = tr.tensor(rng.normal(size=shape) * 0.5, dtype="float64", requires_grad=True)
    tensor.name = name
    return tensor


def looped_rnn(
    steps: int,
    *,
    every: bool = True,
    cuts: Collection[int] = (),
    backward: bool = True,
    keep: bool = True,
    name: str = "rnn",
    scale: float = 1.0,
    poison: int | None = None,
) -> Any:
    """A tanh network in a loop written by hand; the loss of every step, or of the last."""
    rng = np.random.default_rng(0)
    w_ih, w_hh = leaf(rng, 3, 2, name="weight_ih"), leaf(rng, 3, 3, name="weight_hh")
    w_hy = leaf(rng, 1, 3, name="weight_hy")
    w_hh.data *= scale
    x = rng.normal(size=(steps, 1, 2))
    with tr.unrolled() if keep else contextlib.nullcontext():
        h, total = tr.zeros((1, 3), dtype="float64"), 0.0
        for t in range(steps):
            with tr.scope(name, step=t):
                if t in cuts:
                    h = h.detach()
                h = tr.tanh(x[t] @ w_ih.T + h @ w_hh.T)
                h.name = "h"
            if every or t == steps - 1:
                with tr.scope("readout", step=t):
                    error = ((h @ w_hy.T - 0.5) ** 2).mean()
                    total = total + (error * np.inf if t == poison else error)
    if backward:
        with np.errstate(all="ignore"):
            total.backward()
    return total


def layered(
    kind: str,
    steps: int,
    *,
    layers: int = 1,
    bidirectional: bool = False,
    lengths: Any = None,
    batch: int = 1,
) -> Any:
    """A layer of the library, and a linear readout of all its outputs."""
    rng = np.random.default_rng(1)
    model = getattr(tr.nn, kind)(
        2, 3, num_layers=layers, bidirectional=bidirectional, rng=rng, dtype="float64"
    )
    readout = tr.nn.Linear(3 * (2 if bidirectional else 1), 1, rng=rng, dtype="float64")
    x = tr.tensor(rng.normal(size=(steps, batch, 2)), dtype="float64")
    with tr.unrolled():
        outputs, _ = model(x, lengths=lengths) if lengths is not None else model(x)
        with tr.scope("readout"):
            loss = tr.mean(readout(outputs) ** 2)
    loss.backward()
    return loss
