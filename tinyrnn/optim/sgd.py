"""Gradient descent, with momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinyrnn.autograd.arguments import FLAG, checked, number
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.optim.gradients import Array
from tinyrnn.optim.optimizer import Group, Optimizer, State


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum, dampening, Nesterov's form and weight decay.

    With ``d = g + weight_decay * p``, and ``v`` the momentum buffer (``v = d`` at the first step)::

        v = momentum * v + (1 - dampening) * d
        p = p - lr * v                        (Nesterov: p - lr * (d + momentum * v))

    Parameters
    ----------
    params : iterable of Tensor, or iterable of dict
        The parameters, or groups of them with options of their own.
    lr : float
        The learning rate.
    momentum, dampening : float
        How much of the buffer stays, and how much of the gradient does not go in.
    weight_decay : float
        Times the parameter, added to the gradient.
    nesterov : bool
        Look ahead along the buffer. Needs a momentum, and no dampening.
    maximize : bool
        Climb instead.

    Raises
    ------
    ValueError, TypeError
        As `Optimizer` says, and for Nesterov's form without a momentum or with dampening.

    Notes
    -----
    PyTorch's formula: the buffer holds gradients, not steps, so that a change of ``lr`` takes effect at once
    (Sutskever et al., 2013, put ``lr`` into the buffer).

    Examples
    --------
    >>> import tinyrnn as tr
    >>> w = tr.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = tr.optim.SGD([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.8, 1.6], requires_grad=True)
    """

    @checked(
        lr=number(),
        momentum=number(),
        dampening=number(),
        weight_decay=number(),
        nesterov=FLAG,
        maximize=FLAG,
    )
    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def slots(self, group: Group) -> tuple[str, ...]:
        """Return the name of the momentum buffer, where there is one."""
        return ("momentum_buffer",) if group["momentum"] else ()

    def update(self, p: Array, g: Array, state: State, group: Group) -> None:
        """Change ``p`` in place."""
        direction, spare = self.spare(p)
        momentum = float(group["momentum"])
        step = self.descent(p, g, group, out=direction)
        if momentum:
            v = state.get("momentum_buffer")
            if v is None:
                v = state["momentum_buffer"] = np.array(step, dtype=p.dtype)
            else:
                v *= momentum
                v += np.multiply(step, 1 - float(group["dampening"]), out=spare)
            if group["nesterov"]:
                np.multiply(v, momentum, out=spare)
                step = np.add(spare, step, out=spare)
            else:
                step = v
        p -= np.multiply(step, float(group["lr"]), out=spare)

    def _check(self, group: Group, i: int) -> None:
        super()._check(group, i)
        if group["nesterov"] and (not group["momentum"] or group["dampening"]):
            raise ValueError(
                f"SGD: nesterov with momentum {group['momentum']} and dampening {group['dampening']}; "
                "expected a momentum above 0 and a dampening of 0"
            )
