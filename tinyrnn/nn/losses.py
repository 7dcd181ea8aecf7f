"""Losses as modules: the functions of `tinyrnn.nn.functional` with their options kept."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from tinyrnn.autograd.arguments import ARRAY, FLAG, INTEGER, PROBABILITY, checked, count, number
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.nn import functional as F
from tinyrnn.nn.module import Module
from tinyrnn.nn.reduction import REDUCTION, Reduction


class _Loss(Module):
    """A loss with its options."""

    def __init__(self, **options: Any) -> None:
        self.options = options

    def extra_repr(self) -> str:
        """Return the options."""
        return ", ".join(f"{name}={value!r}" for name, value in self.options.items() if value is not None)


class MSELoss(_Loss):
    """Mean squared error; see `tinyrnn.nn.functional.mse_loss`.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}
        Over all that is counted.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.MSELoss()(tr.tensor([1.0, 2.0]), [0.0, 4.0])
    tensor(2.5)
    """

    @checked(reduction=REDUCTION)
    def __init__(self, reduction: Reduction = "mean") -> None:
        super().__init__(reduction=reduction)

    def forward(
        self,
        input: npt.ArrayLike,
        target: npt.ArrayLike,
        *,
        lengths: npt.ArrayLike | None = None,
        mask: npt.ArrayLike | None = None,
    ) -> Tensor:
        """Compare input and target, which have one shape."""
        return F.mse_loss(input, target, lengths=lengths, mask=mask, **self.options)


class L1Loss(_Loss):
    """Mean absolute error; see `tinyrnn.nn.functional.l1_loss`.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}
        Over all that is counted.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.L1Loss()(tr.tensor([1.0, 2.0]), [0.0, 4.0])
    tensor(1.5)
    """

    @checked(reduction=REDUCTION)
    def __init__(self, reduction: Reduction = "mean") -> None:
        super().__init__(reduction=reduction)

    def forward(
        self,
        input: npt.ArrayLike,
        target: npt.ArrayLike,
        *,
        lengths: npt.ArrayLike | None = None,
        mask: npt.ArrayLike | None = None,
    ) -> Tensor:
        """Compare input and target, which have one shape."""
        return F.l1_loss(input, target, lengths=lengths, mask=mask, **self.options)


class HuberLoss(_Loss):
    """Squared error that grows along a line from ``delta`` on; see `tinyrnn.nn.functional.huber_loss`.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}
        Over all that is counted.
    delta : float
        Where the square goes over into a line.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.HuberLoss(reduction="sum")(tr.tensor([1.0, 2.0]), [0.5, 5.0])
    tensor(2.625)
    """

    @checked(reduction=REDUCTION, delta=number())
    def __init__(self, reduction: Reduction = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction, delta=delta)

    def forward(
        self,
        input: npt.ArrayLike,
        target: npt.ArrayLike,
        *,
        lengths: npt.ArrayLike | None = None,
        mask: npt.ArrayLike | None = None,
    ) -> Tensor:
        """Compare input and target, which have one shape."""
        return F.huber_loss(input, target, lengths=lengths, mask=mask, **self.options)


class CrossEntropyLoss(_Loss):
    """Cross entropy of classes, from logits with the classes last; see `tinyrnn.nn.functional.cross_entropy`.

    Parameters
    ----------
    weight : array_like, shape (C,), optional
        Of each class.
    ignore_index : int
        Targets that do not count.
    reduction : {"mean", "sum", "none"}
        Over all that is counted.
    label_smoothing : float
        Between 0 and 1: the share of the target that is spread over all classes.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.CrossEntropyLoss(ignore_index=-1)(tr.zeros((3, 2)), [0, 1, -1])
    tensor(0.6931472)
    """

    @checked(weight=ARRAY.or_none(), ignore_index=INTEGER, reduction=REDUCTION, label_smoothing=PROBABILITY)
    def __init__(
        self,
        weight: npt.ArrayLike | None = None,
        *,
        ignore_index: int = -100,
        reduction: Reduction = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(
            weight=weight, ignore_index=ignore_index, reduction=reduction, label_smoothing=label_smoothing
        )

    def forward(
        self,
        input: npt.ArrayLike,
        target: npt.ArrayLike,
        *,
        lengths: npt.ArrayLike | None = None,
        mask: npt.ArrayLike | None = None,
    ) -> Tensor:
        """Compare logits, (..., C), with class indices, (...), or probabilities, (..., C)."""
        return F.cross_entropy(input, target, lengths=lengths, mask=mask, **self.options)


class NLLLoss(_Loss):
    """Negative log likelihood of classes, from log probabilities; see `tinyrnn.nn.functional.nll_loss`.

    Parameters
    ----------
    weight : array_like, shape (C,), optional
        Of each class.
    ignore_index : int
        Targets that do not count.
    reduction : {"mean", "sum", "none"}
        Over all that is counted.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.NLLLoss()(tr.log(tr.tensor([[0.5, 0.5], [0.25, 0.75]])), [0, 1])
    tensor(0.49041462)
    """

    @checked(weight=ARRAY.or_none(), ignore_index=INTEGER, reduction=REDUCTION)
    def __init__(
        self, weight: npt.ArrayLike | None = None, *, ignore_index: int = -100, reduction: Reduction = "mean"
    ) -> None:
        super().__init__(weight=weight, ignore_index=ignore_index, reduction=reduction)

    def forward(
        self,
        input: npt.ArrayLike,
        target: npt.ArrayLike,
        *,
        lengths: npt.ArrayLike | None = None,
        mask: npt.ArrayLike | None = None,
    ) -> Tensor:
        """Compare log probabilities, (..., C), with class indices, (...)."""
        return F.nll_loss(input, target, lengths=lengths, mask=mask, **self.options)


class BCEWithLogitsLoss(_Loss):
    """Cross entropy of yes-or-no questions; see `tinyrnn.nn.functional.binary_cross_entropy_with_logits`.

    Parameters
    ----------
    weight : array_like, optional
        Of each question; it broadcasts.
    reduction : {"mean", "sum", "none"}
        Over all that is counted.
    pos_weight : array_like, optional
        Of the answer yes; it broadcasts.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.BCEWithLogitsLoss()(tr.tensor([0.0, 100.0]), [1.0, 1.0])
    tensor(0.3465736)
    """

    @checked(weight=ARRAY.or_none(), reduction=REDUCTION, pos_weight=ARRAY.or_none())
    def __init__(
        self,
        weight: npt.ArrayLike | None = None,
        reduction: Reduction = "mean",
        pos_weight: npt.ArrayLike | None = None,
    ) -> None:
        super().__init__(weight=weight, reduction=reduction, pos_weight=pos_weight)

    def forward(
        self,
        input: npt.ArrayLike,
        target: npt.ArrayLike,
        *,
        lengths: npt.ArrayLike | None = None,
        mask: npt.ArrayLike | None = None,
    ) -> Tensor:
        """Compare logits with probabilities of the same shape."""
        return F.binary_cross_entropy_with_logits(input, target, lengths=lengths, mask=mask, **self.options)


class CTCLoss(_Loss):
    """Connectionist temporal classification, from log probabilities; see `tinyrnn.nn.functional.ctc_loss`.

    Parameters
    ----------
    blank : int
        The class that stands for no label.
    reduction : {"mean", "sum", "none"}
        Over all that is counted.
    zero_infinity : bool
        Take 0 where no alignment is possible, instead of infinity.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> log_probs = tr.log_softmax(tr.zeros((2, 1, 3)))
    >>> tr.nn.CTCLoss()(log_probs, [[1]], [2], [1])
    tensor(1.0986...)
    """

    @checked(blank=count(0), reduction=REDUCTION, zero_infinity=FLAG)
    def __init__(self, blank: int = 0, reduction: Reduction = "mean", zero_infinity: bool = False) -> None:
        super().__init__(blank=blank, reduction=reduction, zero_infinity=zero_infinity)

    def forward(
        self,
        log_probs: npt.ArrayLike,
        targets: npt.ArrayLike,
        input_lengths: npt.ArrayLike,
        target_lengths: npt.ArrayLike,
    ) -> Tensor:
        """Compare log probabilities of frames, (T, B, C), with labels, (B, L)."""
        return F.ctc_loss(log_probs, targets, input_lengths, target_lengths, **self.options)
