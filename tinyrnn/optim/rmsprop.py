"""RMSprop."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np

from tinyrnn.autograd.arguments import FLAG, checked, number
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.optim.gradients import Array
from tinyrnn.optim.optimizer import Group, Optimizer, State


class RMSprop(Optimizer):
    """RMSprop (Hinton's lecture 6), centred as in Graves (2013) if wished, and with momentum.

    With ``d = g + weight_decay * p``::

        v = alpha * v + (1 - alpha) * d**2
        a = alpha * a + (1 - alpha) * d              (centred; otherwise a = 0)
        s = d / (sqrt(v - a**2) + eps)
        b = momentum * b + s                         (without momentum: b = s)
        p = p - lr * b

    Parameters
    ----------
    params : iterable of Tensor, or iterable of dict
        The parameters, or groups of them with options of their own.
    lr : float
        The learning rate.
    alpha : float
        How much of the running means stays; below 1.
    eps : float
        Keeps the division from a root near zero.
    weight_decay : float
        Times the parameter, added to the gradient.
    momentum : float
        How much of the buffer stays.
    centered : bool
        Divide by the spread of the gradient rather than its root mean square.
    maximize : bool
        Climb instead.

    Raises
    ------
    ValueError, TypeError
        As `Optimizer` says.

    Notes
    -----
    PyTorch's formula, but for one thing: rounding can bring ``v - a**2`` below zero where a gradient stays
    the same for long. It is taken as zero here, where PyTorch's root gives NaN.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> w = tr.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = tr.optim.RMSprop([w], lr=0.1, alpha=0.75)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.8, -1.8], requires_grad=True)
    """

    below: ClassVar[dict[str, float]] = {"alpha": 1.0}

    @checked(
        lr=number(), eps=number(), momentum=number(), weight_decay=number(), centered=FLAG, maximize=FLAG
    )
    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def slots(self, group: Group) -> tuple[str, ...]:
        """Return the names of the count, the running means and the buffer."""
        momentum = ("momentum_buffer",) if group["momentum"] else ()
        return ("step", "square_avg") + momentum + (("grad_avg",) if group["centered"] else ())

    def update(self, p: Array, g: Array, state: State, group: Group) -> None:
        """Change ``p`` in place."""
        direction, spare = self.spare(p)
        alpha, momentum = float(group["alpha"]), float(group["momentum"])
        state["step"] = state.get("step", 0) + 1
        d = self.descent(p, g, group, out=direction)

        v = self.moment(p, state, "square_avg")
        v *= alpha
        np.multiply(d, d, out=spare)
        v += np.multiply(spare, 1 - alpha, out=spare)
        if group["centered"]:
            a = self.moment(p, state, "grad_avg")
            a *= alpha
            a += np.multiply(d, 1 - alpha, out=spare)
            np.multiply(a, a, out=spare)
            np.subtract(v, spare, out=spare)
            np.maximum(spare, 0, out=spare)
            np.sqrt(spare, out=spare)
        else:
            np.sqrt(v, out=spare)
        np.add(spare, float(group["eps"]), out=spare)
        s = np.divide(d, spare, out=spare)
        if momentum:
            b = self.moment(p, state, "momentum_buffer")
            b *= momentum
            b += s
            s = b
        p -= np.multiply(s, float(group["lr"]), out=spare)
