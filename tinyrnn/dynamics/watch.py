"""Watching a training run: the gradient at every state, now and then, at a small part of the cost."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np

from tinyrnn.autograd.arguments import COUNT, Kind, checked, number
from tinyrnn.autograd.state import probing
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.dynamics.flow import GradientFlow
from tinyrnn.dynamics.probed import Probes
from tinyrnn.dynamics.records import size_of

MODEL = Kind("a Module", lambda value: hasattr(value, "named_parameters"))
BOUND = number(np.finfo(float).tiny, words="a number above 0").or_none()


class Watch:
    """Record how the gradient flows, at every so many updates of a training run.

    ``with watched:`` stands around each update, with its ``backward()``. At most of them it does nothing. At
    each ``every``-th, zeros are added to the states and outputs of all recurrences (all that run by `scan`,
    as layers do; a loop by hand is not seen), and their gradients after ``backward()`` are those of the
    states: the computation stays compiled, and its numbers stay the same. One more pass, back from the last
    states, shows what the recurrences let pass. The values of the gates are those of the first rows of the
    batch.

    Parameters
    ----------
    model : Module
        Whose parameters' gradients are measured.
    every : int
        Watch one of so many updates.
    max_norm : float, optional
        The bound to which the gradients are clipped inside of the block, so as to count how often they are.
    baseline : float, optional
        The loss of who has learnt nothing, for `diagnose_watch`; by default that of the first update watched,
        which is too low where the run goes on with a model that has been trained.

    Attributes
    ----------
    flows : list of GradientFlow
        One for each update watched; without ``reach``, shares of weights, and pairs.
    losses : list of float
        What ``backward()`` was called on, summed where there were several calls; NaN where there was none.
    gradients : list of dict of str to float
        The norm of each parameter's gradient.
    norms : list of float
        Their norm together, as the block leaves them.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> model = tr.nn.GRU(2, 3, rng=0)
    >>> watched = tr.dynamics.watch(model, every=2)
    >>> for _ in range(4):
    ...     model.zero_grad()
    ...     with watched:
    ...         y, _ = model(np.ones((10, 4, 2), np.float32))
    ...         (y[-1] ** 2).mean().backward()
    >>> [flow.states["l0.h"].norm.shape for flow in watched.flows]
    [(10,), (10,)]
    """

    @checked(model=MODEL, every=COUNT, max_norm=BOUND, baseline=BOUND)
    def __init__(
        self, model: Any, every: int = 20, *, max_norm: float | None = None, baseline: float | None = None
    ) -> None:
        self.model, self.every, self.max_norm = model, every, max_norm
        self.flows: list[GradientFlow] = []
        self.losses: list[float] = []
        self.gradients: list[dict[str, float]] = []
        self.norms: list[float] = []
        self._baseline = baseline
        self._updates = 0
        self._probes = Probes()
        self._told: list[float] = []
        self._stack = contextlib.ExitStack()

    def __repr__(self) -> str:
        return f"Watch({type(self.model).__name__}, every={self.every}: {len(self.flows)} updates watched)"

    def __enter__(self) -> None:
        if self._updates % self.every == 0:
            self._probes, self._told = Probes(), []
            self._stack.enter_context(probing(self._probes.scan, self._tell))

    def __exit__(self, kind: Any, *_: object) -> None:
        self._stack.close()
        watched = self._updates % self.every == 0
        self._updates += 1
        if watched and kind is None:
            self._measure()
        self._probes = Probes()

    @property
    def clipped(self) -> float:
        """The share of the updates watched whose gradients were at the bound, and so had been clipped."""
        if self.max_norm is None or not self.norms:
            return 0.0
        return float(np.mean([norm > 0.999 * self.max_norm for norm in self.norms]))

    @property
    def baseline(self) -> float | None:
        """The loss of who has learnt nothing; None where no loss was seen yet."""
        return next(filter(np.isfinite, self.losses), None) if self._baseline is None else self._baseline

    def _tell(self, loss: Tensor) -> None:
        self._told.append(float(np.sum(loss.data)))

    def _measure(self) -> None:
        self.flows.append(self._probes.flow())
        self.losses.append(sum(self._told) if self._told else float("nan"))
        found = {
            name: size_of(p.grad.data)
            for name, p in self.model.named_parameters()
            if p.requires_grad and p.grad is not None
        }
        self.gradients.append(found)
        self.norms.append(size_of(list(found.values())))


@checked(model=MODEL, every=COUNT, max_norm=BOUND, baseline=BOUND)
def watch(
    model: Any, every: int = 20, *, max_norm: float | None = None, baseline: float | None = None
) -> Watch:
    """Return a `Watch` over a training run; its arguments are those of the class.

    Parameters
    ----------
    model, every, max_norm, baseline
        As in `Watch`.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> import numpy as np
    >>> model = tr.nn.GRU(2, 3, rng=0)
    >>> watched = tr.dynamics.watch(model, every=10)
    >>> for _ in range(20):
    ...     model.zero_grad()
    ...     with watched:
    ...         (model(np.ones((10, 4, 2)))[0][-1] ** 2).mean().backward()
    >>> len(watched.flows)
    2
    """
    return Watch(model, every, max_norm=max_norm, baseline=baseline)
