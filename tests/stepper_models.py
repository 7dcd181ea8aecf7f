"""Small recurrent models for the tests of the stepper: the loss, and the weights by name."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

import tinyrnn as tr

Model = tuple[tr.Tensor, dict[str, tr.Tensor]]


def by_hand(
    T: int = 4, H: int = 3, *, detach: Collection[int] = (), prefix: str = "", seed: int = 0
) -> Model:
    """A tanh RNN as a learner writes it, a loss at each step; the state is cut before the steps `detach`."""
    rng = np.random.default_rng(seed)
    shapes = {"W_ih": (2, H), "W_hh": (H, H), "bias": (H,), "W_hy": (H, 1)}
    weights = {name: tr.tensor(rng.normal(size=shape), requires_grad=True) for name, shape in shapes.items()}
    for name, weight in weights.items():
        weight.name = prefix + name
    x, target = rng.normal(size=(T, 1, 2)), rng.normal(size=(T, 1, 1))
    with tr.unrolled():
        h, loss = tr.zeros((1, H), dtype="float64"), tr.zeros((), dtype="float64")
        for t in range(T):
            with tr.scope("rnn", step=t):
                if t in detach:
                    h = h.detach()
                h = tr.tanh(x[t] @ weights["W_ih"] + h @ weights["W_hh"] + weights["bias"])
                h.name = prefix + "h"
                error = h @ weights["W_hy"] - target[t]
                loss = loss + (error * error).sum()
    return loss, weights


def by_module(
    kind: str = "LSTM", T: int = 4, H: int = 3, B: int = 2, *, layers: int = 1, bidirectional: bool = False,
    lengths: list[int] | None = None, seed: int = 0,
) -> Model:  # fmt: skip
    """A recurrent layer of the library with a readout over all steps."""
    rng = np.random.default_rng(seed)
    net = getattr(tr.nn, kind)(2, H, num_layers=layers, bidirectional=bidirectional, rng=seed)
    head = tr.nn.Linear(H * (1 + bidirectional), 1, rng=seed)
    x, target = rng.normal(size=(T, B, 2)), rng.normal(size=(T, B, 1))
    x, target = x.astype(np.float32), target.astype(np.float32)
    with tr.unrolled():
        y, _ = net(x, lengths=lengths)
        error = head(y) - target
        loss = (error * error).mean()
    weights = dict(net.named_parameters()) | {f"head.{k}": v for k, v in head.named_parameters()}
    return loss, weights
