"""A verdict in words: what is wrong with the gradients of a model, by how much, and what is usually done."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tinyrnn.autograd.arguments import FUNCTION, checked, instance
from tinyrnn.autograd.gradient import grad
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.dynamics.flow import GradientFlow, StateFlow, gradient_flow, size_of
from tinyrnn.dynamics.watch import BOUND, Watch
from tinyrnn.nn.class_losses import cross_entropy
from tinyrnn.nn.elementwise_losses import mse_loss

VANISHED = 1e-3  # of what the gradient began with, at the far end of the sequence
EXPLODED = 1e2  # times what it began with, anywhere on the way
STUCK = 0.9  # of the units of a gate, on average over time
OFTEN = 0.5  # of the updates


class Finding(NamedTuple):
    """One thing that is wrong.

    Attributes
    ----------
    kind : str
        One of ``non-finite``, ``vanishing``, ``exploding``, ``shut``, ``saturated`` and ``clipped``.
    where : str
        The layer, state, gate or parameter.
    figure : str
        What was measured.
    remedy : str
        What is usually done about it.
    """

    kind: str
    where: str
    figure: str
    remedy: str


class Diagnosis(NamedTuple):
    """What `diagnose` found; printed, it is the verdict. Nothing wrong prints as one line.

    Attributes
    ----------
    findings : list of Finding
    flow : GradientFlow or None
        What they were read from.
    """

    findings: list[Finding]
    flow: GradientFlow | None = None

    def __str__(self) -> str:
        if not self.findings:
            return "nothing is wrong with the gradients"
        return "\n".join(f"{f.kind}, {f.where}: {f.figure}.\n    {f.remedy}" for f in self.findings)


REMEDIES = {
    "vanishing": "Usual: an LSTM or GRU, with the forget gate's bias at 1 or more; an orthogonal or identity "
    "start; a loss nearer to what matters, or attention over all steps.",
    "exploding": "Usual: tr.optim.clip_grad_norm_; a smaller start of the recurrent weights, with a spectral "
    "norm near 1; a lower learning rate; normalised inputs.",
    "non-finite": "Usual: a lower learning rate; clipping; looking for the place in float64.",
    "shut": "Usual: a higher bias of this gate at the start; smaller inputs; a lower learning rate.",
    "saturated": "Usual: smaller or normalised inputs; a smaller start; a lower learning rate.",
    "clipped": "Usual: a lower learning rate, or a bound near the typical norm: where each step is clipped, "
    "the bound sets its length and the gradient does not.",
}


@checked(model=FUNCTION, loss=FUNCTION.or_none(), max_norm=BOUND)
def diagnose(
    model: Any,
    batch: Any,
    loss: Callable[[Any, Any], Tensor] | None = None,
    *,
    max_norm: float | None = None,
) -> Diagnosis:
    """Say what is wrong with the gradients of a model on a batch; nothing, where nothing is.

    Parameters
    ----------
    model : Module or callable
        Its first or only output goes to the loss.
    batch : (x, target), or x alone
        ``model(x)`` is called. Without a target the model returns the loss itself.
    loss : callable, optional
        ``loss(output, target)``, a single number. By default cross-entropy for integers (over all rows and
        steps) and the mean squared error for other targets.
    max_norm : float, optional
        The bound of clipping in use, to say where it acts. How often it does, a `watch` knows; see
        `diagnose_watch`.

    Returns
    -------
    Diagnosis

    Notes
    -----
    Vanishing: less than a thousandth of the gradient at a layer's last state is left at its first, in all of
    its states. Exploding: it grows a hundred-fold on the way. Shut and saturated: 90% of a gate's units are
    below 0.1, or of a tanh at one of its ends, on average over time.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> class Last(tr.nn.Module):
    ...     def __init__(self):
    ...         self.rnn = tr.nn.RNN(2, 8, rng=0)
    ...     def forward(self, x):
    ...         return self.rnn(x)[0][-1]
    >>> x, y = np.ones((50, 4, 2), np.float32), np.zeros((4, 8), np.float32)
    >>> print(tr.dynamics.diagnose(Last(), (x, y)))
    vanishing, l0: of the gradient at the last of 50 steps, 2.9e-14 is left at the first; 1% after 6 steps.
        Usual: an LSTM or GRU, ...
    """
    x, target = batch if isinstance(batch, (tuple, list)) and len(batch) == 2 else (batch, None)
    output = model(x)
    output = output[0] if isinstance(output, tuple) else output
    if target is not None:
        value = (loss or _usual_loss(target))(output, target)
    else:
        value = output
    if not isinstance(value, Tensor) or value.size != 1:
        raise ValueError(
            f"diagnose: the loss has shape {getattr(value, 'shape', None)}; expected one number. Hand in "
            "(x, target), or a model that returns its loss"
        )
    flow = gradient_flow(value)
    findings = _non_finite(flow) or [*_over_time(flow), *_of_gates(flow)]
    if max_norm is not None and hasattr(model, "parameters"):
        parameters = [p for p in model.parameters() if p.requires_grad]
        found = grad(value, parameters, retain_graph=True, allow_unused=True)
        norm = size_of([size_of(g.data) for g in found if g is not None])
        if norm > 10 * max_norm:
            figure = f"the gradient's norm is {norm:.3g}, {norm / max_norm:.0f} times max_norm = {max_norm:g}"
            findings.append(Finding("clipped", "all parameters", figure, REMEDIES["clipped"]))
    return Diagnosis(findings, flow)


@checked(watched=instance(Watch, "a Watch"))
def diagnose_watch(watched: Watch) -> Diagnosis:
    """Say what was wrong at the latest update that was watched, and how often gradients were clipped.

    Parameters
    ----------
    watched : Watch

    Returns
    -------
    Diagnosis
    """
    if not watched.flows:
        return Diagnosis([])
    flow = watched.flows[-1]
    findings = _non_finite(flow) or [*_over_time(flow), *_of_gates(flow)]
    if watched.clipped > OFTEN:
        figure = (
            f"{watched.clipped:.0%} of {len(watched.norms)} updates were at max_norm = {watched.max_norm:g}"
        )
        findings.append(Finding("clipped", "all parameters", figure, REMEDIES["clipped"]))
    return Diagnosis(findings, flow)


def _usual_loss(target: Any) -> Callable[[Any, Any], Tensor]:
    dtype = target.dtype if hasattr(target, "dtype") else np.asarray(target).dtype
    if dtype.kind not in "iu":
        return mse_loss
    return lambda output, y: cross_entropy(
        output.reshape((-1, output.shape[-1])), np.reshape(y.data if isinstance(y, Tensor) else y, -1)
    )


def _non_finite(flow: GradientFlow) -> list[Finding]:
    found: list[Finding] = []
    for name, state in flow.states.items():
        bad = np.flatnonzero(~np.isfinite(state.norm))
        if len(bad):
            figure = f"the gradient is not finite at {len(bad)} of {len(state.norm)} steps"
            found.append(Finding("non-finite", name, figure, REMEDIES["non-finite"]))
    return found


def _over_time(flow: GradientFlow) -> list[Finding]:
    """Judge each layer by the best of its states: what an LSTM forgets in h it may keep in c."""
    found: list[Finding] = []
    for layer, group in itertools.groupby(flow.states.items(), key=lambda item: item[0].rpartition(".")[0]):
        states = dict(group)
        reaches = {name: _reach(state) for name, state in states.items()}
        reaches = {name: reach for name, reach in reaches.items() if len(reach) > 1 and reach[-1] > 0}
        if not reaches:
            continue
        best = max(reaches, key=lambda name: reaches[name][0] / reaches[name][-1])
        reach = reaches[best]
        left, most = reach[0] / reach[-1], reach.max() / reach[-1]
        if left < VANISHED:
            figure = (
                f"of the gradient at the last of {len(reach)} steps, {_text(left)} is left at the first; "
                f"1% after {states[best].horizon()} steps"
            )
            found.append(Finding("vanishing", layer or best, figure, REMEDIES["vanishing"]))
        if most > EXPLODED:
            step = states[best].steps[int(reach.argmax())]
            figure = f"on its way back over {len(reach)} steps it grows {_text(most)} times, at step {step}"
            found.append(Finding("exploding", layer or best, figure, REMEDIES["exploding"]))
    return found


def _reach(state: StateFlow) -> Any:
    return state.norm if state.reach is None else state.reach


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
