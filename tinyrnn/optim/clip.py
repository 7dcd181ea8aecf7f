"""Clipping: a bound on gradients, before the optimiser takes its step.

Pascanu et al. (2013), "On the difficulty of training recurrent neural networks", for clipping by norm.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable

import numpy as np

from tinyrnn.autograd.arguments import FLAG, checked
from tinyrnn.autograd.callers import users_line
from tinyrnn.autograd.changes import mark_changed
from tinyrnn.autograd.tape import Leaf
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.optim.gradients import Array, own_gradient, with_gradients
from tinyrnn.optim.hyperparameters import check_number


class NonFiniteGradientWarning(RuntimeWarning):
    """A gradient was NaN or infinite, could not be clipped, and was dropped with all others of that step.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> import warnings
    >>> w = tr.tensor([1.0], requires_grad=True)
    >>> (w * float("inf")).sum().backward()
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     norm = tr.optim.clip_grad_norm_([w], max_norm=1.0)
    >>> norm, caught[0].category.__name__, w.grad
    (inf, 'NonFiniteGradientWarning', None)
    """


@checked(error_if_nonfinite=FLAG)
def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float | str = 2.0,
    error_if_nonfinite: bool = False,
) -> float:
    """Scale all gradients by one factor, in place, where their norm as one long vector exceeds a bound.

    The factor is ``max_norm / (norm + 1e-6)``, as in PyTorch. A norm that does not exceed the bound changes
    nothing.

    Parameters
    ----------
    parameters : Tensor or iterable of Tensor
        Those without a gradient are passed over.
    max_norm : float
        The bound; ``inf`` only measures.
    norm_type : float
        1, 2, ``inf``, or any other order from 1 up.
    error_if_nonfinite : bool
        Raise where the norm is NaN or infinite, with all gradients as they were.

    Returns
    -------
    float
        The norm before clipping; 0 without any gradient. Computed in float64, and without overflow on the
        way: it is infinite only where a gradient is.

    Warns
    -----
    NonFiniteGradientWarning
        Where the norm is NaN or infinite. No factor can mend such gradients (PyTorch's makes them NaN, and
        the next step makes the parameters NaN), so they are all dropped: ``grad`` becomes None,
        ``optimizer.step()`` passes over these parameters, and training goes on with the next batch.

    Raises
    ------
    ValueError
        Where ``parameters`` is an iterator that was used up, the bound is negative or NaN, or the order below
        1; or for a norm that is not finite, if asked.
    TypeError
        Where a parameter is not a Tensor.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> w = tr.tensor([1.0, 1.0], requires_grad=True)
    >>> (w * [3.0, 4.0]).sum().backward()
    >>> tr.optim.clip_grad_norm_([w], max_norm=1.0)
    5.0
    >>> w.grad.data.round(3)
    array([0.6, 0.8], dtype=float32)
    """
    where = "clip_grad_norm_"
    max_norm = _bound(where, "max_norm", max_norm)
    order = (
        math.inf if norm_type in (math.inf, "inf") else check_number(where, "norm_type", norm_type, low=1.0)
    )
    found = with_gradients(where, parameters)
    norm = _norm([p.grad.data for _, p in found if p.grad is not None], order)
    if not math.isfinite(norm):
        reason = f"{where}: the gradients have the norm {norm}: {_culprits(found)}"
        if error_if_nonfinite:
            raise ValueError(f"{reason}; expected finite gradients")
        _drop(found, reason)
    elif norm > max_norm:
        factor = max_norm / (norm + 1e-6)
        for g in _own(where, found):
            np.multiply(g, factor, out=g)
        for _, p in found:
            _mark(p, 1 / factor if factor else math.inf)
    return norm


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Bring each element of the gradients, in place, into ``[-clip_value, clip_value]``.

    Parameters
    ----------
    parameters : Tensor or iterable of Tensor
        Those without a gradient are passed over.
    clip_value : float
        The bound. Infinite elements are brought to it as well.

    Warns
    -----
    NonFiniteGradientWarning
        Where an element is NaN, which has no nearest bound: all gradients are dropped, as in
        `clip_grad_norm_`.

    Raises
    ------
    ValueError
        Where ``parameters`` is an iterator that was used up, or the bound is negative or NaN.
    TypeError
        Where a parameter is not a Tensor.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> w = tr.tensor([1.0, 1.0], requires_grad=True)
    >>> (w * [3.0, -0.5]).sum().backward()
    >>> tr.optim.clip_grad_value_([w], 1.0)
    >>> w.grad
    tensor([ 1. , -0.5])
    """
    where = "clip_grad_value_"
    clip_value = _bound(where, "clip_value", clip_value)
    found = with_gradients(where, parameters)
    if any(np.isnan(p.grad.data).any() for _, p in found if p.grad is not None):
        _drop(found, f"{where}: a gradient is NaN: {_culprits(found)}")
        return
    before = [(p, float(np.linalg.norm(p.grad.data))) for _, p in found if p.grad is not None]
    for g in _own(where, found):
        np.clip(g, -clip_value, clip_value, out=g)
    for p, norm in before:
        now = 0.0 if p.grad is None else float(np.linalg.norm(p.grad.data))
        if now < norm:
            _mark(p, norm / now if now else math.inf)


def _bound(where: str, name: str, value: float) -> float:
    return math.inf if value == math.inf else check_number(where, name, value)


def _norm(arrays: list[Array], order: float) -> float:
    """Return the norm of all arrays as one vector."""
    # Divided by the largest element first, so that no square overflows (1e20 in float32) or vanishes.
    largest = max(
        (float(np.abs(g).max(initial=0)) for g in arrays), key=lambda x: (math.isnan(x), x), default=0.0
    )
    if order == math.inf or largest == 0 or not math.isfinite(largest):
        return largest
    total = 0.0
    for g in arrays:
        part = np.divide(g, largest, dtype=np.float64).ravel()
        if order == 2:
            total += float(part @ part)
        else:
            total += float((np.abs(part) ** order).sum())
    return largest * total ** (1 / order)


def _own(where: str, found: list[tuple[int, Tensor]]) -> list[Array]:
    """Return each array of gradients once, to be changed in place, so that none is scaled twice."""
    arrays = list({id(g): g for g in (own_gradient(p) for _, p in found)}.values())
    for g in arrays:
        mark_changed(g, where, "a gradient")
    return arrays


def _mark(p: Tensor, ratio: float) -> None:
    """Note, for drawings, how many times larger a gradient was before it was clipped."""
    if p.grad is not None and isinstance(p.node, Leaf):
        p.node.clipped = p.grad.data, ratio


def _culprits(found: list[tuple[int, Tensor]]) -> str:
    """Say where the gradients are not finite."""
    said: list[str] = []
    for i, p in found:
        assert p.grad is not None
        bad = int(np.size(p.grad.data) - np.isfinite(p.grad.data).sum())
        if bad:
            name = f" '{p.name}'" if p.name else ""
            said.append(f"parameter {i}{name} of shape {p.shape} ({bad} of {p.data.size} elements)")
    more = f" and {len(said) - 3} more" if len(said) > 3 else ""
    return "not finite in " + ", ".join(said[:3]) + more


def _drop(found: list[tuple[int, Tensor]], reason: str) -> None:
    # Warned first: who turns this warning into an error keeps the gradients to look at.
    message = (
        f"{reason}. All are dropped, so that the next optimizer.step() leaves these parameters as they are."
    )
    warnings.warn(message, NonFiniteGradientWarning, stacklevel=users_line())
    for _, p in found:
        p.grad = None
