"""The schedule that follows a metric instead of the count of epochs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, SupportsFloat

from tinyrnn.autograd.tensor import Tensor
from tinyrnn.optim.hyperparameters import check_count, check_number
from tinyrnn.optim.optimizer import Optimizer
from tinyrnn.optim.scheduler import LRScheduler


class ReduceLROnPlateau(LRScheduler):
    """Reduce the learning rate by ``factor`` when a metric has not improved for over ``patience`` epochs.

    Parameters
    ----------
    optimizer : Optimizer
        Whose learning rates are reduced.
    mode : {"min", "max"}
        Whether less or more is better.
    factor : float
        Below 1.
    patience : int
        Epochs without improvement that are borne.
    threshold, threshold_mode : float, {"rel", "abs"}
        By how much the best so far must be beaten: as a share of it, or as such. In mode "min" and "rel" a
        metric is better below ``best * (1 - threshold)``.
    cooldown : int
        Epochs after a reduction that do not count.
    min_lr : float or list of float
        The lower bound, for all groups or one for each.
    eps : float
        A reduction by no more than this is left out.

    Raises
    ------
    ValueError, TypeError
        As `LRScheduler` says.

    Notes
    -----
    A metric that is NaN counts as no improvement, as in PyTorch.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> optimizer = tr.optim.SGD([tr.ones(2)], lr=1.0)
    >>> schedule = tr.optim.ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    >>> for loss in [3.0, 2.0, 2.0, 2.0, 2.0]:
    ...     schedule.step(loss)
    ...     print(optimizer.param_groups[0]["lr"])
    1.0
    1.0
    1.0
    0.5
    0.5
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: Literal["min", "max"] = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: Literal["rel", "abs"] = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0,
        eps: float = 1e-8,
    ) -> None:
        where = "ReduceLROnPlateau"
        self._attach(optimizer)
        if mode not in ("min", "max"):
            raise ValueError(f"{where}: mode is {mode!r}; expected 'min' or 'max'")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"{where}: threshold_mode is {threshold_mode!r}; expected 'rel' or 'abs'")
        groups = len(optimizer.param_groups)
        min_lrs = list(min_lr) if isinstance(min_lr, Sequence) else [min_lr] * groups
        if len(min_lrs) != groups:
            raise ValueError(
                f"{where}: min_lr has {len(min_lrs)} entries; expected {groups}, one for each group"
            )
        self.mode = mode
        self.factor = check_number(where, "factor", factor, below=1.0)
        self.patience = check_count(where, "patience", patience, low=0)
        self.threshold = check_number(where, "threshold", threshold)
        self.threshold_mode = threshold_mode
        self.cooldown = check_count(where, "cooldown", cooldown, low=0)
        self.min_lrs = [check_number(where, "min_lr", low) for low in min_lrs]
        self.eps = check_number(where, "eps", eps)
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = 0
        self.cooldown_counter = 0
        self.last_epoch = 0
        self._last_lr = [float(group["lr"]) for group in optimizer.param_groups]

    def step(self, metrics: SupportsFloat) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Take note of the metric of an epoch, and reduce the learning rates where it is time.

        Parameters
        ----------
        metrics : float
            Such as the loss on validation data; a Tensor of one number serves.
        """
        metric = float(metrics.item() if isinstance(metrics, Tensor) else metrics)
        self.last_epoch += 1
        if self._is_better(metric):
            self.best = metric
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        lrs = [float(group["lr"]) for group in self.optimizer.param_groups]
        if self.num_bad_epochs > self.patience:
            lower = [max(lr * self.factor, low) for lr, low in zip(lrs, self.min_lrs)]
            lrs = [new if lr - new > self.eps else lr for lr, new in zip(lrs, lower)]
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
        self._set(lrs)

    def _options(self) -> dict[str, Any]:
        return {**super()._options(), "min_lr": self.min_lrs}

    def _is_better(self, metric: float) -> bool:
        sign = -1.0 if self.mode == "min" else 1.0
        if self.threshold_mode == "abs":
            return sign * metric > sign * self.best + self.threshold
        return sign * metric > sign * self.best * (1 + sign * self.threshold)
