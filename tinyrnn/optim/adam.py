"""Adam, and Adam with the weight decay kept apart from the gradient."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np

from tinyrnn.autograd.arguments import FLAG, checked, number
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.optim.gradients import Array
from tinyrnn.optim.optimizer import Group, Optimizer, State


class Adam(Optimizer):
    """Adam (Kingma and Ba, 2015), with AMSGrad (Reddi et al., 2018) as an option.

    With ``d = g + weight_decay * p``, at step ``t = 1, 2, ...``::

        m = beta1 * m + (1 - beta1) * d
        v = beta2 * v + (1 - beta2) * d**2
        p = p - lr * (m / (1 - beta1**t)) / (sqrt(v / (1 - beta2**t)) + eps)

    AMSGrad takes the largest ``v`` so far in place of ``v`` in the last line.

    Parameters
    ----------
    params : iterable of Tensor, or iterable of dict
        The parameters, or groups of them with options of their own.
    lr : float
        The learning rate.
    betas : tuple of float
        ``(beta1, beta2)``, how much of each running mean stays; below 1.
    eps : float
        Keeps the division from a root near zero.
    weight_decay : float
        Times the parameter, added to the gradient.
    amsgrad : bool
        Use the largest ``v`` so far.
    maximize : bool
        Climb instead.
    decoupled_weight_decay : bool
        Decay as `AdamW` does.

    Raises
    ------
    ValueError, TypeError
        As `Optimizer` says.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> w = tr.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = tr.optim.Adam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.data.round(3)
    array([ 0.9, -1.9], dtype=float32)
    """

    below: ClassVar[dict[str, float]] = {"betas": 1.0}
    pairs: ClassVar[tuple[str, ...]] = ("betas",)

    @checked(
        lr=number(),
        eps=number(),
        weight_decay=number(),
        amsgrad=FLAG,
        maximize=FLAG,
        decoupled_weight_decay=FLAG,
    )
    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def slots(self, group: Group) -> tuple[str, ...]:
        """Return the names of the count and of the running means."""
        return ("step", "exp_avg", "exp_avg_sq") + (("max_exp_avg_sq",) if group["amsgrad"] else ())

    def update(self, p: Array, g: Array, state: State, group: Group) -> None:
        """Change ``p`` in place."""
        direction, spare = self.spare(p)
        lr, (beta1, beta2) = float(group["lr"]), map(float, group["betas"])
        t = state["step"] = state.get("step", 0) + 1
        if group["decoupled_weight_decay"]:
            p *= 1 - lr * float(group["weight_decay"])
            d = np.negative(g, out=direction) if group["maximize"] else g
        else:
            d = self.descent(p, g, group, out=direction)

        m = self.moment(p, state, "exp_avg")
        m *= beta1
        m += np.multiply(d, 1 - beta1, out=spare)
        v = self.moment(p, state, "exp_avg_sq")
        v *= beta2
        np.multiply(d, d, out=spare)
        v += np.multiply(spare, 1 - beta2, out=spare)
        if group["amsgrad"]:
            largest = self.moment(p, state, "max_exp_avg_sq")
            v = np.maximum(largest, v, out=largest)

        # Both corrections for the start at zero go into scalars (Kingma and Ba, the end of their section 2).
        root = math.sqrt(1 - beta2**t)
        np.sqrt(v, out=spare)
        np.add(spare, float(group["eps"]) * root, out=spare)
        np.divide(m, spare, out=spare)
        p -= np.multiply(spare, lr * root / (1 - beta1**t), out=spare)


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2019).

    The parameter first shrinks, ``p = p * (1 - lr * weight_decay)``; then comes the step of `Adam` with ``d =
    g``, so the decay is not divided by the root of ``v``.

    Parameters
    ----------
    params, lr, betas, eps, amsgrad, maximize
        As in `Adam`.
    weight_decay : float
        Times the learning rate, the share of the parameter that goes at each step.

    Raises
    ------
    ValueError, TypeError
        As `Optimizer` says.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> w = tr.tensor([1.0, -2.0], requires_grad=True)
    >>> optimizer = tr.optim.AdamW([w], lr=0.1, weight_decay=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.85, -1.8 ], requires_grad=True)
    """

    @checked(lr=number(), eps=number(), weight_decay=number(), amsgrad=FLAG, maximize=FLAG)
    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize, decoupled_weight_decay=True
        )
