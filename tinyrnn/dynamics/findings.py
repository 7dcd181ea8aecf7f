"""The rules by which a gradient's flow is judged: what counts as wrong, with its figure."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from tinyrnn.dynamics.flow import GradientFlow, StateFlow
from tinyrnn.dynamics.records import address

VANISHED = 1e-3  # of a gradient at the last state, at the far end of the sequence
EXPLODED = 1e2  # times that gradient, anywhere on the way
STUCK = 0.9  # of the units of a gate, on average over time
OFTEN = 0.5  # of the updates
LEARNT = 0.1  # of the loss of who has learnt nothing


class Finding(NamedTuple):
    """One thing that is wrong.

    Attributes
    ----------
    kind : str
        One of ``non-finite``, ``zero``, ``vanishing``, ``exploding``, ``shut``, ``saturated`` and
        ``clipped``.
    where : str
        The layer, state, gate or parameter.
    figure : str
        What was measured.
    remedy : str
        What is usually done about it.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> import numpy as np
    >>> class Last(tr.nn.Module):
    ...     def __init__(self):
    ...         self.rnn = tr.nn.RNN(2, 8, rng=0)
    ...     def forward(self, x):
    ...         return self.rnn(x)[0][-1]
    >>> found = tr.dynamics.diagnose(Last(), (np.ones((100, 4, 2)), np.zeros((4, 8))))
    >>> found.findings[0].kind, found.findings[0].where
    ('vanishing', 'rnn.l0')
    """

    kind: str
    where: str
    figure: str
    remedy: str


REMEDIES = {
    "vanishing": "Usual, where the task needs more than that: gates that begin open (in an LSTM a forget "
    "bias of 1 to 3, in a GRU as much on the bias of z); in a plain RNN an orthogonal or identity start, or "
    "gates; a loss nearer to what matters, or attention over all steps.",
    "exploding": "Usual: tr.optim.clip_grad_norm_; a smaller start of the recurrent weights, with a spectral "
    "norm near 1; a lower learning rate; normalised inputs.",
    "non-finite": "Usual: a lower learning rate; clipping; looking for the place with tr.detect_anomaly().",
    "zero": "Usual: finding the detach(), the dead relu, or the output that the loss does not use.",
    "shut": "Usual: a higher bias of this gate at the start; smaller inputs; a lower learning rate.",
    "saturated": "Usual: smaller or normalised inputs; a smaller start; a lower learning rate.",
    "clipped": "Usual: a lower learning rate, or a bound near the typical norm: where each step is clipped, "
    "the bound sets its length and the gradient does not.",
}


def judged(flow: GradientFlow, loss: float, baseline: float | None) -> list[Finding]:
    """Apply the rules that `diagnose` gives in its notes."""
    share = loss / baseline if baseline is not None and baseline > 0 else math.nan
    found = non_finite(flow)
    if not math.isfinite(loss):
        found.insert(0, Finding("non-finite", "the loss", f"it is {loss:g}", REMEDIES["non-finite"]))
    if found:
        return found
    return [] if share < LEARNT else [*_zero(flow), *_over_time(flow, share), *_of_gates(flow)]


def non_finite(flow: GradientFlow) -> list[Finding]:
    """Say at which states the gradient is not finite."""
    found: list[Finding] = []
    for name, state in flow.states.items():
        bad = np.flatnonzero(~np.isfinite(state.norm))
        if len(bad):
            figure = f"the gradient is not finite at {len(bad)} of {len(state.norm)} steps"
            found.append(Finding("non-finite", name, figure, REMEDIES["non-finite"]))
    return found


def _zero(flow: GradientFlow) -> list[Finding]:
    found: list[Finding] = []
    for layer, states in _by_layer(flow).items():
        if not any(state.norm.any() for state in states):
            figure = f"the gradient is exactly 0 at each of {len(states[0].norm)} steps"
            found.append(Finding("zero", layer or "the recurrence", figure, REMEDIES["zero"]))
    return found


def _by_layer(flow: GradientFlow) -> dict[str, list[StateFlow]]:
    layers: dict[str, list[StateFlow]] = {}
    for name, state in flow.states.items():
        layers.setdefault(address(name, flow.carried)[0], []).append(state)
    return layers


def _over_time(flow: GradientFlow, share: float) -> list[Finding]:
    """Judge what each layer carries over the steps that the loss depends on."""
    found: list[Finding] = []
    for layer, states in _by_layer(flow).items():
        steps = max(
            (int(np.flatnonzero(state.norm)[-1]) + 1 for state in states if state.norm.any()), default=0
        )
        carried = flow.carried[layer][:steps]
        if steps < 2:
            continue
        left, most = carried[-1], carried.max()
        of_baseline = "" if math.isnan(share) else f", and the loss is at {share:.0%} of its baseline"
        if left < VANISHED:
            figure = (
                f"of a gradient at the last of {steps} steps, {_text(left)} is left at the first, "
                f"1% after {_steps(np.argmax(carried < 0.01))}{of_baseline}{_directly(states)}"
            )
            found.append(Finding("vanishing", layer or "the recurrence", figure, REMEDIES["vanishing"]))
        if not most <= EXPLODED:
            figure = (
                f"on its way back over {steps} steps a gradient grows {_text(most)} times, "
                f"{_steps(np.argmax(carried == most))} before the last"
            )
            found.append(Finding("exploding", layer or "the recurrence", figure, REMEDIES["exploding"]))
    return found


def _directly(states: list[StateFlow]) -> str:
    """Say where the loss has shorter ways to the first step than all the steps in between."""
    ratio = max(state.norm[0] / (state.norm.max() or 1.0) for state in states)
    return "" if ratio < VANISHED else ", which reaches the first by shorter ways too"


def _steps(count: Any) -> str:
    return "1 step" if count == 1 else f"{count} steps"


def _text(number: float) -> str:
    return "nothing" if number == 0 else f"{number:.1e}" if math.isfinite(number) else "infinitely many"


def _of_gates(flow: GradientFlow) -> list[Finding]:
    found: list[Finding] = []
    for name, shares in flow.gates.items():
        low, high = float(shares.low.mean()), float(shares.high.mean())
        if shares.signed and low + high > STUCK:
            figure = f"{low + high:.0%} of the units are beyond ±0.9, on average over time"
            found.append(Finding("saturated", name, figure, REMEDIES["saturated"]))
        elif not shares.signed and low > STUCK:
            figure = f"{low:.0%} of the units are below 0.1, on average over time"
            found.append(Finding("shut", name, figure, REMEDIES["shut"]))
        elif not shares.signed and low + high > STUCK and low > 1 - STUCK and high > 1 - STUCK:
            figure = f"{low:.0%} of the units are below 0.1 and {high:.0%} above 0.9, on average over time"
            found.append(Finding("saturated", name, figure, REMEDIES["saturated"]))
    return found
