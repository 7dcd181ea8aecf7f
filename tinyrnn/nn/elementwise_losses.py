"""Losses that compare two arrays of one shape, element by element."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyrnn.autograd.arguments import ARRAY, checked, number
from tinyrnn.autograd.functions import abs as absolute
from tinyrnn.autograd.functions import minimum, softplus
from tinyrnn.autograd.primitive import Value
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.nn.inputs import as_array, as_floating, as_input, expect_range
from tinyrnn.nn.masks import Mask, as_mask, cleaned
from tinyrnn.nn.reduction import REDUCTION, Reduction, reduced


@checked(reduction=REDUCTION)
def mse_loss(
    input: npt.ArrayLike,
    target: npt.ArrayLike,
    reduction: Reduction = "mean",
    *,
    lengths: npt.ArrayLike | None = None,
    mask: npt.ArrayLike | None = None,
) -> Tensor:
    """Mean squared error, ``(input - target)²``.

    Parameters
    ----------
    input, target : Tensor or array_like
        Of one shape; nothing is broadcast.
    reduction : {"mean", "sum", "none"}
    lengths : array_like of int, shape (B,), optional
        The true lengths of padded rows, where input is (T, B, ...). Padding adds no loss and no gradient (not
        even as NaN), and the mean does not count it.
    mask : array_like of bool, optional
        The same for any places: True where they are real. Its shape is the first axes of the input's.

    Raises
    ------
    ValueError
        Where the shapes differ.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.functional.mse_loss(tr.tensor([1.0, 2.0]), [0.0, 4.0])
    tensor(2.5)
    """
    input, target, real = _pair("mse_loss", input, target, lengths, mask)
    difference = input - target
    return _reduced("mse_loss", difference * difference, real, reduction)


@checked(reduction=REDUCTION)
def l1_loss(
    input: npt.ArrayLike,
    target: npt.ArrayLike,
    reduction: Reduction = "mean",
    *,
    lengths: npt.ArrayLike | None = None,
    mask: npt.ArrayLike | None = None,
) -> Tensor:
    """Mean absolute error, ``|input - target|``.

    Parameters
    ----------
    input, target : Tensor or array_like
        Of one shape; nothing is broadcast.
    reduction : {"mean", "sum", "none"}
    lengths : array_like of int, shape (B,), optional
        The true lengths of padded rows, where input is (T, B, ...). Padding adds no loss and no gradient (not
        even as NaN), and the mean does not count it.
    mask : array_like of bool, optional
        The same for any places: True where they are real. Its shape is the first axes of the input's.

    Raises
    ------
    ValueError
        Where the shapes differ.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.functional.l1_loss(tr.tensor([1.0, 2.0]), [0.0, 4.0])
    tensor(1.5)
    """
    input, target, real = _pair("l1_loss", input, target, lengths, mask)
    return _reduced("l1_loss", absolute(input - target), real, reduction)


@checked(reduction=REDUCTION, delta=number())
def huber_loss(
    input: npt.ArrayLike,
    target: npt.ArrayLike,
    reduction: Reduction = "mean",
    delta: float = 1.0,
    *,
    lengths: npt.ArrayLike | None = None,
    mask: npt.ArrayLike | None = None,
) -> Tensor:
    """Half the squared error up to ``delta``, and from there on a line (Huber 1964).

    With ``e = |input - target|``: ``e²/2`` where ``e < delta``, otherwise ``delta (e - delta/2)``.

    Parameters
    ----------
    input, target, reduction, lengths, mask
        As in `l1_loss`.
    delta : float
        Where the line begins.

    Raises
    ------
    ValueError
        Where the shapes differ.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.functional.huber_loss(tr.tensor([1.0, 2.0]), [0.5, 5.0], reduction="none")
    tensor([0.125, 2.5  ])
    """
    input, target, real = _pair("huber_loss", input, target, lengths, mask)
    error = absolute(input - target)
    near = minimum(error, delta)
    return _reduced("huber_loss", near * (error - 0.5 * near), real, reduction)


@checked(weight=ARRAY.or_none(), reduction=REDUCTION, pos_weight=ARRAY.or_none())
def binary_cross_entropy_with_logits(
    input: npt.ArrayLike,
    target: npt.ArrayLike,
    weight: npt.ArrayLike | None = None,
    reduction: Reduction = "mean",
    pos_weight: npt.ArrayLike | None = None,
    *,
    lengths: npt.ArrayLike | None = None,
    mask: npt.ArrayLike | None = None,
) -> Tensor:
    """Cross entropy of yes-or-no questions: ``-target log σ(input) - (1 - target) log σ(-input)``.

    Parameters
    ----------
    input : Tensor or array_like
        Logits; the loss of large ones does not overflow.
    target : Tensor or array_like, of the shape of ``input``
        Probabilities of yes, 0 to 1.
    weight : array_like, optional
        Factors on the loss of each element; broadcast to it.
    reduction : {"mean", "sum", "none"}
    pos_weight : array_like, optional
        Factors on the first term; broadcast to it.
    lengths, mask
        What is real; see `mse_loss`.

    Raises
    ------
    ValueError
        Where the shapes differ, or a target is outside 0 to 1.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.functional.binary_cross_entropy_with_logits(tr.tensor([0.0, 100.0]), [1.0, 1.0])
    tensor(0.3465736)
    """
    where = "binary_cross_entropy_with_logits"
    input, target, real = _pair(where, input, target, lengths, mask)
    if isinstance(target, Tensor):
        expect_range(where, "target", target.data, 0.0, 1.0)
    yes = target * softplus(-input) * _factor(where, "pos_weight", pos_weight, input)
    no = (1 - target) * softplus(input)
    return _reduced(where, (yes + no) * _factor(where, "weight", weight, input), real, reduction)


def _pair(where: str, input: Any, target: Any, lengths: Any, mask: Any) -> tuple[Tensor, Tensor, Mask | None]:
    """Return both in one dtype and clean of padding, and what is real; check that they have one shape."""
    if isinstance(target, Value) and not isinstance(input, Value):
        target = as_floating(where, "target", target)
        input = as_input(where, "input", input, target.dtype)
    input = as_floating(where, "input", input)
    if isinstance(target, Tensor) and target.dtype.kind in "iub":  # labels; they carry no gradient
        target = target.data
    target = as_input(where, "target", target, input.dtype)
    if target.shape != input.shape:
        raise ValueError(f"{where}: target has shape {target.shape}; expected that of input, {input.shape}")
    real = as_mask(where, input.shape, lengths, mask)
    return cleaned(input, real), cleaned(target, real), real


def _reduced(where: str, loss: Any, real: Mask | None, reduction: str) -> Any:
    """Reduce over what is real."""
    if real is None:
        return reduced(where, loss, reduction)
    return reduced(where, cleaned(loss, real), reduction, real.sum() * math.prod(loss.shape[real.ndim :]))


def _factor(where: str, name: str, value: Any, input: Any) -> Any:
    """Return a factor that broadcasts to the shape of the input, and does not make it larger."""
    if value is None:
        return 1.0
    array = as_array(value).astype(input.dtype, copy=False)
    if array.ndim > len(input.shape) or any(
        n not in (1, m) for n, m in zip(array.shape[::-1], input.shape[::-1], strict=False)
    ):
        raise ValueError(
            f"{where}: {name} has shape {array.shape}; expected one that broadcasts to {input.shape}"
        )
    return np.asarray(array)
