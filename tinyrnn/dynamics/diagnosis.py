"""A verdict in words: what is wrong with the gradients of a model, by how much, and what is usually done."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tinyrnn.autograd.arguments import FUNCTION, checked, instance
from tinyrnn.autograd.gradient import grad
from tinyrnn.autograd.state import enable_grad, no_grad, probing
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.dynamics.findings import OFTEN, REMEDIES, Finding, judged, non_finite
from tinyrnn.dynamics.flow import GradientFlow, gradient_flow
from tinyrnn.dynamics.probed import Probes
from tinyrnn.dynamics.records import size_of
from tinyrnn.dynamics.watch import BOUND, Watch
from tinyrnn.nn.class_losses import cross_entropy
from tinyrnn.nn.elementwise_losses import mse_loss


class Diagnosis(NamedTuple):
    """What `diagnose` found; printed, it is the verdict. Nothing wrong prints as one line.

    Attributes
    ----------
    findings : list of Finding
    flow : GradientFlow or None
        What they were read from.
    unmeasured : str
        Why nothing could be measured; empty where something was.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> import numpy as np
    >>> found = tr.dynamics.diagnose(tr.nn.Linear(2, 1, rng=0), (np.ones((4, 2)), np.zeros((4, 1))))
    >>> print(found)
    nothing was measured: no state passes from step to step on the way to the loss
    >>> found.findings
    []
    """

    findings: list[Finding]
    flow: GradientFlow | None = None
    unmeasured: str = ""

    def __str__(self) -> str:
        lines = [f"{f.kind}, {f.where}: {f.figure}.\n    {f.remedy}" for f in self.findings]
        if self.unmeasured:
            lines.insert(0, f"nothing was measured: {self.unmeasured}")
        return "\n".join(lines) or "nothing is wrong with the gradients"


NOT_RECORDED = "nothing that the loss was made from requires grad"
NO_STATE = "no state passes from step to step on the way to the loss"
NO_SCAN = "no scan ran inside of the block (diagnose(model, batch) sees loops by hand too)"


@checked(model=FUNCTION, loss=FUNCTION.or_none(), max_norm=BOUND, baseline=BOUND)
def diagnose(
    model: Any,
    batch: Any,
    loss: Callable[[Any, Any], Tensor] | None = None,
    *,
    max_norm: float | None = None,
    baseline: float | None = None,
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
    baseline : float, optional
        The loss of who has learnt nothing. By default that of the mean of the outputs, over rows and steps,
        in place of each; without a target there is no default.

    Returns
    -------
    Diagnosis

    Notes
    -----
    Vanishing: of a random gradient at a layer's last state, in all parts of its carry, less than a thousandth
    is left at the first step that the loss depends on. Exploding: it grows a hundred-fold on the way. Shut
    and saturated: 90% of a gate's units are below 0.1, or of a tanh at one of its ends, on average over time.
    The random gradient shows what the recurrence *can* carry, whatever this loss asks of it: a loss that
    looks at the latest input only sends little back through a network that would carry much, and that is no
    fault. It does not show whether the task *needs* more than is carried. No gradient does: a network that
    has rightly learnt to forget has small Jacobians too. So where the loss is below a tenth of the baseline,
    that is, where there is hardly anything left to learn, none of these is reported. Above, the figure says
    how far the loss is; a loss that is high because its targets are noise looks like one that waits for
    gradients. And where the loss has shorter ways to the first step, by a loss of each step or by attention
    over all of them, the figure says so: whether those are the ways that matter, gradients do not tell.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> class Last(tr.nn.Module):
    ...     def __init__(self):
    ...         self.rnn = tr.nn.RNN(2, 8, rng=0)
    ...     def forward(self, x):
    ...         return self.rnn(x)[0][-1]
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.normal(size=(50, 4, 2)), rng.normal(size=(4, 8))
    >>> print(tr.dynamics.diagnose(Last(), (x, y)))
    vanishing, rnn.l0: of a gradient at the last of 50 steps, ... is left at the first, 1% after ...
        Usual, where the task needs more than that: gates that begin open ...
    """
    x, target = batch if isinstance(batch, (tuple, list)) and len(batch) == 2 else (batch, None)
    probes = Probes()
    with enable_grad(), probing(probes.scan):
        output = model(x)
        output = output[0] if isinstance(output, tuple) else output
        if target is not None:
            loss = loss or _usual_loss(target)
            value = loss(output, target)
            baseline = _of_the_mean(output, lambda mean: loss(mean, target)) if baseline is None else baseline
        else:
            value = output
    if not isinstance(value, Tensor) or value.size != 1:
        raise ValueError(
            f"diagnose: the loss has shape {getattr(value, 'shape', None)}; expected one number. Hand in "
            "(x, target), or a model that returns its loss"
        )
    flow, clipped = None, []
    if value.node is not None:
        flow = _flow(value, probes)
        if max_norm is not None and hasattr(model, "parameters"):
            clipped = _far_above(max_norm, value, [p for p in model.parameters() if p.requires_grad])
    if flow is None:
        return Diagnosis(clipped, None, NOT_RECORDED if value.node is None else NO_STATE)
    return Diagnosis([*judged(flow, value.item(), baseline), *clipped], flow)


@checked(watched=instance(Watch, "a Watch"))
def diagnose_watch(watched: Watch) -> Diagnosis:
    """Say what was wrong at the latest update that was watched, and how often gradients were clipped.

    The rules are those of `diagnose`. Nobody shows a watch the targets: its baseline is the loss of the first
    update watched, unless it was given one.

    Parameters
    ----------
    watched : Watch

    Returns
    -------
    Diagnosis

    Examples
    --------
    >>> import tinyrnn as tr
    >>> import numpy as np
    >>> model = tr.nn.GRU(2, 3, rng=0)
    >>> watched = tr.dynamics.watch(model, every=1)
    >>> with watched:
    ...     (model(np.ones((10, 4, 2)))[0][-1] ** 2).mean().backward()
    >>> print(tr.dynamics.diagnose_watch(watched))
    nothing is wrong with the gradients
    """
    clipped: list[Finding] = []
    if watched.clipped > OFTEN:
        figure = (
            f"{watched.clipped:.0%} of {len(watched.norms)} updates were at max_norm = {watched.max_norm:g}"
        )
        clipped.append(Finding("clipped", "all parameters", figure, REMEDIES["clipped"]))
    flow = watched.flows[-1] if watched.flows else None
    if flow is None:
        return Diagnosis(clipped, None, "no update was watched yet")
    if math.isnan(watched.losses[-1]) and not non_finite(flow):
        return Diagnosis(clipped, flow, "backward() was not called inside of the block")
    if not flow.states:
        return Diagnosis(clipped, flow, NO_SCAN)
    return Diagnosis([*judged(flow, watched.losses[-1], watched.baseline), *clipped], flow)


def _flow(value: Tensor, probes: Probes) -> GradientFlow | None:
    """Return how the gradient flows, as a watch sees it; by the records where no scan ran."""
    zeros = probes.zeros()
    if zeros:
        for zero, g in zip(zeros, grad(value, zeros, retain_graph=True, allow_unused=True), strict=True):
            zero.grad = g
        return probes.flow()
    try:
        return gradient_flow(value)
    except ValueError:  # no state
        return None


def _far_above(max_norm: float, value: Tensor, parameters: list[Tensor]) -> list[Finding]:
    """Say by how much a gradient is going to be clipped, where that is much."""
    found = grad(value, parameters, retain_graph=True, allow_unused=True)
    norm = size_of([size_of(g.data) for g in found if g is not None])
    if norm <= 10 * max_norm:
        return []
    figure = f"the gradient's norm is {norm:.3g}, {norm / max_norm:.3g} times max_norm = {max_norm:g}"
    return [Finding("clipped", "all parameters", figure, REMEDIES["clipped"])]


def _of_the_mean(output: Any, loss: Callable[[Tensor], Tensor]) -> float | None:
    """Return the loss of the outputs' mean, over rows and steps, in place of each."""
    if not isinstance(output, Tensor) or output.dtype.kind != "f":
        return None
    mean = output.data.mean(axis=tuple(range(max(1, output.ndim - 1))), dtype=np.float64, keepdims=True)
    with no_grad():
        value = loss(Tensor(np.broadcast_to(mean, output.shape).astype(output.dtype)))
    return float(value.data) if isinstance(value, Tensor) and value.size == 1 else None


def _usual_loss(target: Any) -> Callable[[Any, Any], Tensor]:
    dtype = target.dtype if hasattr(target, "dtype") else np.asarray(target).dtype
    if dtype.kind not in "iu":
        return mse_loss
    return lambda output, y: cross_entropy(
        output.reshape((-1, output.shape[-1])), np.reshape(y.data if isinstance(y, Tensor) else y, -1)
    )
