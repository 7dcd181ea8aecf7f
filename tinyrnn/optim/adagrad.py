"""Adagrad."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from tinyrnn.autograd.arguments import FLAG, checked, number
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.optim.gradients import Array
from tinyrnn.optim.optimizer import Group, Optimizer, State


class Adagrad(Optimizer):
    """Adagrad (Duchi, Hazan, Singer 2011): a learning rate for each number, falling with what it has moved.

    With ``d = g + weight_decay * p``, at step ``t``::

        s = s + d**2                                   (at first initial_accumulator_value)
        p = p - lr / (1 + (t - 1) * lr_decay) * d / (sqrt(s) + eps)

    Parameters
    ----------
    params : iterable of Tensor, or iterable of dict
        The parameters, or groups of them with options of their own.
    lr : float
        The learning rate.
    lr_decay : float
        How fast it falls with the steps.
    weight_decay : float
        Times the parameter, added to the gradient.
    initial_accumulator_value : float
        What the sums of squares begin from.
    eps : float
        Keeps the division from a root near zero.
    maximize : bool
        Climb instead.

    Raises
    ------
    ValueError, TypeError
        As `Optimizer` says.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> w = tr.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = tr.optim.Adagrad([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.9, -1.9], requires_grad=True)
    """

    @checked(
        lr=number(),
        lr_decay=number(),
        weight_decay=number(),
        initial_accumulator_value=number(),
        eps=number(),
        maximize=FLAG,
    )
    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def slots(self, group: Group) -> tuple[str, ...]:
        """Return the names of the count and the sums."""
        return ("step", "sum")

    def update(self, p: Array, g: Array, state: State, group: Group) -> None:
        """Change ``p`` in place."""
        direction, spare = self.spare(p)
        if "sum" not in state:
            self.moment(p, state, "sum").fill(float(group["initial_accumulator_value"]))
        state["step"] = state.get("step", 0) + 1
        d = self.descent(p, g, group, out=direction)
        s = self.moment(p, state, "sum")
        s += np.multiply(d, d, out=spare)
        np.sqrt(s, out=spare)
        np.add(spare, float(group["eps"]), out=spare)
        np.divide(d, spare, out=spare)
        rate = float(group["lr"]) / (1 + (state["step"] - 1) * float(group["lr_decay"]))
        p -= np.multiply(spare, rate, out=spare)
