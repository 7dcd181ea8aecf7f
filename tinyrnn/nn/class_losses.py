"""Losses of classes. The classes are on the last axis, whatever the number of axes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyrnn.autograd.arguments import ARRAY, INTEGER, PROBABILITY, checked
from tinyrnn.autograd.functions import log_softmax, logsumexp
from tinyrnn.autograd.primitive import Value
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.nn.inputs import as_array, as_floating, as_input, as_integers, expect_range
from tinyrnn.nn.masks import Mask, as_mask, cleaned, spread
from tinyrnn.nn.reduction import REDUCTION, Reduction, reduced


@checked(weight=ARRAY.or_none(), ignore_index=INTEGER, reduction=REDUCTION, label_smoothing=PROBABILITY)
def cross_entropy(
    input: npt.ArrayLike,
    target: npt.ArrayLike,
    weight: npt.ArrayLike | None = None,
    *,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
    label_smoothing: float = 0.0,
    lengths: npt.ArrayLike | None = None,
    mask: npt.ArrayLike | None = None,
) -> Tensor:
    """Cross entropy of classes, from logits: ``-log softmax(input)[target]``.

    **The classes are on the last axis** (PyTorch: on the second). The logits of a sequence are (T, batch, C)
    and their targets (T, batch), as layers give them. For (N, C) and (N,) the two rules are the same.

    Parameters
    ----------
    input : Tensor or array_like, shape (..., C)
        Logits.
    target : array_like of int, shape (...), or of float, shape (..., C)
        Class indices, or the probability of each class.
    weight : array_like, shape (C,), optional
        A factor for each class. With class indices, the mean then divides by the sum of the targets' weights.
    ignore_index : int
        Targets of this value count nothing: they add no loss and no gradient (not even as NaN), and the mean
        does not count them. Mark padding with it.
    reduction : {"mean", "sum", "none"}
        Over all targets.
    label_smoothing : float
        Mix the targets with this much of a uniform distribution, 0 to 1 (Szegedy et al. 2016).
    lengths : array_like of int, shape (B,), optional
        The true lengths of padded rows, where input is (T, B, ..., C): padding counts nothing, whatever its
        targets.
    mask : array_like of bool, optional
        The same for any targets: True where they are real. Its shape is the first axes of the targets'.

    Returns
    -------
    Tensor
        A number; with ``reduction="none"`` of shape (...).

    Raises
    ------
    ValueError
        Where a shape does not fit, or where the mean is asked for and every target is ignored.
    IndexError
        Where a class index is outside 0 to C - 1; the message names its place.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> logits = tr.zeros((5, 2, 4), requires_grad=True)
    >>> tr.nn.functional.cross_entropy(logits, np.full((5, 2), 3)).item()
    1.3862943649291992
    """
    name = "cross_entropy"
    input = _class_scores(name, input)
    factors = _class_weight(name, weight, input)
    if (target if isinstance(target, Value) else np.asarray(target)).dtype.kind == "f":
        odds = _probabilities(name, input, target)
        real = as_mask(name, input.shape[:-1], lengths, mask)
        odds = cleaned(odds, real)
        if isinstance(odds, Tensor):  # no symbol; a sum of probabilities may be 1 but for rounding
            expect_range(name, "target", odds.data.round(3), 0.0, 1.0)
        loss = _soft(cleaned(input, real), odds, factors, label_smoothing)
        count = None if real is None else real.sum() * math.prod(loss.shape[real.ndim :])
        return reduced(name, cleaned(loss, real), reduction, count)
    real = as_mask(name, input.shape[:-1], lengths, mask)
    classes, kept = _indices(name, input, target, ignore_index, real)
    input = cleaned(input, kept)
    if label_smoothing:
        one_hot = np.eye(input.shape[-1], dtype=input.dtype)[classes]
        loss = _soft(input, one_hot, factors, label_smoothing)
    else:
        loss = logsumexp(input, axis=-1) - _picked(input, classes)
        loss = loss if factors is None else loss * factors[classes]
    return _reduced(name, loss, classes, kept, factors, reduction)


@checked(weight=ARRAY.or_none(), ignore_index=INTEGER, reduction=REDUCTION)
def nll_loss(
    input: npt.ArrayLike,
    target: npt.ArrayLike,
    weight: npt.ArrayLike | None = None,
    *,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
    lengths: npt.ArrayLike | None = None,
    mask: npt.ArrayLike | None = None,
) -> Tensor:
    """Negative log likelihood of classes, from log probabilities: ``-input[target]``.

    Parameters
    ----------
    input : Tensor or array_like, shape (..., C)
        Log probabilities, such as `tinyrnn.log_softmax` gives. The classes are on the last axis (PyTorch: the
        second).
    target : array_like of int, shape (...)
        Class indices.
    weight, ignore_index, reduction, lengths, mask
        As in `cross_entropy`.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.functional.nll_loss(tr.log(tr.tensor([[0.5, 0.5], [0.25, 0.75]])), [0, 1])
    tensor(0.49041462)
    """
    name = "nll_loss"
    input = _class_scores(name, input)
    factors = _class_weight(name, weight, input)
    real = as_mask(name, input.shape[:-1], lengths, mask)
    classes, kept = _indices(name, input, target, ignore_index, real)
    loss = -_picked(cleaned(input, kept), classes)
    loss = loss if factors is None else loss * factors[classes]
    return _reduced(name, loss, classes, kept, factors, reduction)


# --- the losses of single targets ---------------------------------------------------------------------------
def _picked(input: Any, target: np.ndarray[Any, Any]) -> Any:
    """Return ``input[..., target]``: of each row the entry of its class."""
    rows = input.reshape((target.size, input.shape[-1]))
    return rows[np.arange(target.size), target.reshape(-1)].reshape(target.shape)


def _soft(input: Any, target: Any, weight: Any, label_smoothing: float) -> Any:
    """Return ``-sum_c w_c q_c log softmax(input)_c``, with the targets q smoothed."""
    if label_smoothing:
        target = target * (1 - label_smoothing) + label_smoothing / input.shape[-1]
    target = target if weight is None else target * weight
    return -(target * log_softmax(input, axis=-1)).sum(axis=-1)


def _reduced(name: str, loss: Any, target: Any, kept: Any, weight: Any, reduction: str) -> Any:
    """Reduce over the targets that are kept; the mean counts each with the weight of its class."""
    loss = cleaned(loss, kept)
    if kept is None and weight is None:
        return reduced(name, loss, reduction)
    counts = np.ones(target.shape) if weight is None else weight[target]
    return reduced(name, loss, reduction, counts.sum() if kept is None else counts[kept].sum())


# --- arguments ----------------------------------------------------------------------------------------------
def _class_scores(name: str, input: Any) -> Tensor:
    input = as_floating(name, "input", input)
    if not input.shape or not input.shape[-1]:
        raise ValueError(f"{name}: input has shape {input.shape}; expected (..., C), with the C classes last")
    return input


def _class_weight(name: str, weight: Any, input: Any) -> np.ndarray[Any, Any] | None:
    if weight is None:
        return None
    array = as_array(weight).astype(input.dtype, copy=False)
    if array.shape != input.shape[-1:]:
        raise ValueError(f"{name}: weight has shape {array.shape}; expected (C,) = {input.shape[-1:]}")
    if (array < 0).any():
        raise ValueError(f"{name}: weight has {array.min()} in it; expected 0 or more for each class")
    return array


def _indices(
    name: str, input: Any, target: Any, ignore_index: int, real: Mask | None
) -> tuple[np.ndarray[Any, Any], Mask | None]:
    """Return class indices, with 0 for those ignored, and the mask of those kept (None where all are)."""
    target = as_integers(name, "target", target, "class indices")
    if target.shape != input.shape[:-1]:
        pytorch = len(input.shape) > 2 and target.shape == (input.shape[0], *input.shape[2:])
        raise ValueError(
            f"{name}: target has shape {target.shape}; expected that of input without its last axis, "
            f"which is the classes: {input.shape[:-1]}"
            + "; if the classes are on axis 1, as in PyTorch, move them: input.swapaxes(1, -1)"
            * pytorch
        )
    kept = target != ignore_index
    if real is not None:
        kept &= spread(real, target.shape)
    if kept.all():
        expect_range(name, "target", target, 0, input.shape[-1] - 1)
        return target, None
    target = np.where(kept, target, 0)
    expect_range(name, "target", target, 0, input.shape[-1] - 1, f", or ignore_index = {ignore_index}")
    return target, kept


def _probabilities(name: str, input: Any, target: Any) -> Tensor:
    target = as_input(name, "target", target, input.dtype)
    if target.shape != input.shape:
        raise ValueError(
            f"{name}: target has shape {target.shape} and dtype {target.dtype}; expected probabilities of "
            f"the shape of input, {input.shape}, or class indices (integers) of shape {input.shape[:-1]}"
        )
    return target
