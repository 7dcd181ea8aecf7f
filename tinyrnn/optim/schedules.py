"""Schedules of the learning rate that follow the count of epochs (or of steps: of calls).

A schedule is one formula, `LRScheduler.decay`: the factor of the learning rate at epoch ``t``.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tinyrnn.autograd.arguments import ITERABLE, check, shown
from tinyrnn.optim.hyperparameters import check_count, check_number
from tinyrnn.optim.optimizer import Optimizer
from tinyrnn.optim.scheduler import LRScheduler


class StepLR(LRScheduler):
    """Multiply by ``gamma`` every ``step_size`` epochs: ``gamma ** (t // step_size)``.

    Parameters
    ----------
    optimizer : Optimizer
    step_size : int
        In epochs: calls of ``step()``.
    gamma : float
    last_epoch : int
        -1 to begin; otherwise the epoch from which to go on.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> optimizer = tr.optim.SGD([tr.ones(2)], lr=1.0)
    >>> schedule = tr.optim.StepLR(optimizer, step_size=2, gamma=0.5)
    >>> for epoch in range(4):
    ...     print(optimizer.param_groups[0]["lr"])
    ...     schedule.step()
    1.0
    1.0
    0.5
    0.5
    """

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.step_size = check_count("StepLR", "step_size", step_size)
        self.gamma = check_number("StepLR", "gamma", gamma)
        super().__init__(optimizer, last_epoch)

    def decay(self, epoch: int) -> float:
        """Return ``gamma ** (epoch // step_size)``."""
        return self.gamma ** (epoch // self.step_size)


class MultiStepLR(LRScheduler):
    """Multiply by ``gamma`` at each milestone; at one that stands there twice, twice.

    Parameters
    ----------
    optimizer : Optimizer
    milestones : sequence of int
        In epochs: calls of ``step()``.
    gamma : float
    last_epoch : int
        -1 to begin; otherwise the epoch from which to go on.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> optimizer = tr.optim.SGD([tr.ones(2)], lr=1.0)
    >>> schedule = tr.optim.MultiStepLR(optimizer, milestones=[1, 3], gamma=0.5)
    >>> for epoch in range(4):
    ...     print(optimizer.param_groups[0]["lr"])
    ...     schedule.step()
    1.0
    0.5
    0.5
    0.25
    """

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        where = "MultiStepLR"
        check(where, "milestones", milestones, ITERABLE)
        self.milestones = sorted(check_count(where, "a milestone", epoch, low=0) for epoch in milestones)
        self.gamma = check_number(where, "gamma", gamma)
        super().__init__(optimizer, last_epoch)

    def decay(self, epoch: int) -> float:
        """Return ``gamma`` to the number of milestones up to the epoch."""
        return self.gamma ** bisect_right(self.milestones, epoch)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned; of PyTorch's, the milestones may be counts."""
        given = state_dict.get("milestones") if isinstance(state_dict, Mapping) else None
        if isinstance(given, Mapping):
            state_dict = {**state_dict, "milestones": sorted(Counter(given).elements())}
        super().load_state_dict(state_dict)


class ExponentialLR(LRScheduler):
    """Multiply by ``gamma`` every epoch: ``gamma ** t``.

    Parameters
    ----------
    optimizer : Optimizer
    gamma : float
    last_epoch : int
        As in `StepLR`.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> optimizer = tr.optim.SGD([tr.ones(2)], lr=1.0)
    >>> schedule = tr.optim.ExponentialLR(optimizer, gamma=0.5)
    >>> for epoch in range(3):
    ...     print(optimizer.param_groups[0]["lr"])
    ...     schedule.step()
    1.0
    0.5
    0.25
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = check_number("ExponentialLR", "gamma", gamma)
        super().__init__(optimizer, last_epoch)

    def decay(self, epoch: int) -> float:
        """Return ``gamma ** epoch``."""
        return self.gamma**epoch


class CosineAnnealingLR(LRScheduler):
    """Go down to ``eta_min`` along half a cosine in ``T_max`` epochs (Loshchilov, Hutter, 2017, eq. 5).

    The learning rate is ``eta_min + (first - eta_min) * (1 + cos(pi * t / T_max)) / 2``; after ``T_max`` it
    rises again, as PyTorch's does.

    Parameters
    ----------
    optimizer : Optimizer
    T_max : int
        Epochs down.
    eta_min : float
        The least learning rate.
    last_epoch : int
        As in `StepLR`.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> optimizer = tr.optim.SGD([tr.ones(2)], lr=1.0)
    >>> schedule = tr.optim.CosineAnnealingLR(optimizer, T_max=4)
    >>> for epoch in range(5):
    ...     print(round(optimizer.param_groups[0]["lr"], 3))
    ...     schedule.step()
    1.0
    0.854
    0.5
    0.146
    0.0
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_max = check_count("CosineAnnealingLR", "T_max", T_max)
        self.eta_min = check_number("CosineAnnealingLR", "eta_min", eta_min)
        super().__init__(optimizer, last_epoch)

    def decay(self, epoch: int) -> float:
        """Return ``(1 + cos(pi * epoch / T_max)) / 2``."""
        return (1 + math.cos(math.pi * epoch / self.T_max)) / 2


class LinearLR(LRScheduler):
    """Warm up along a line from ``start_factor`` to ``end_factor`` in ``total_iters`` epochs; then stay.

    Parameters
    ----------
    optimizer : Optimizer
    start_factor, end_factor : float
        What the learning rate is multiplied by, at the beginning and at the end.
    total_iters : int
        In epochs: calls of ``step()``.
    last_epoch : int
        -1 to begin; otherwise the epoch from which to go on.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> optimizer = tr.optim.SGD([tr.ones(2)], lr=1.0)
    >>> schedule = tr.optim.LinearLR(optimizer, start_factor=0.5, total_iters=2)
    >>> for epoch in range(4):
    ...     print(optimizer.param_groups[0]["lr"])
    ...     schedule.step()
    0.5
    0.75
    1.0
    1.0
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        self.start_factor = check_number("LinearLR", "start_factor", start_factor)
        self.end_factor = check_number("LinearLR", "end_factor", end_factor)
        if not (0 < start_factor <= 1 and end_factor <= 1):
            raise ValueError(
                f"LinearLR: start_factor is {start_factor} and end_factor {end_factor}; "
                "expected 0 < start_factor <= 1 and 0 <= end_factor <= 1"
            )
        self.total_iters = check_count("LinearLR", "total_iters", total_iters)
        super().__init__(optimizer, last_epoch)

    def decay(self, epoch: int) -> float:
        """Return ``start_factor + (end_factor - start_factor) * min(epoch / total_iters, 1)``."""
        return self.start_factor + (self.end_factor - self.start_factor) * min(epoch / self.total_iters, 1.0)


class LambdaLR(LRScheduler):
    """Set the learning rate to the first one times ``lr_lambda(t)``.

    It sets rather than multiplies, as in PyTorch: before others in a chain, not after them.

    Parameters
    ----------
    optimizer : Optimizer
        Whose learning rates are set.
    lr_lambda : callable, or list of callable
        From the epoch to the factor, for all groups or one for each. Not part of the `state_dict`.
    last_epoch : int
        As in `LRScheduler`.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> optimizer = tr.optim.SGD([tr.ones(2)], lr=1.0)
    >>> schedule = tr.optim.LambdaLR(optimizer, lambda t: 1 / (1 + t))
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        groups = len(getattr(optimizer, "param_groups", [None]))
        if not callable(lr_lambda) and not isinstance(lr_lambda, Sequence):
            raise TypeError(
                f"LambdaLR: lr_lambda is {shown(lr_lambda)}; expected a function, or one for each group"
            )
        lambdas = [lr_lambda] * groups if callable(lr_lambda) else list(lr_lambda)
        if len(lambdas) != groups or not all(callable(f) for f in lambdas):
            raise ValueError(
                f"LambdaLR: lr_lambda is {lr_lambda!r}; expected a function, or {groups}, one for each group"
            )
        self._lambdas = tuple(lambdas)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Compute the learning rate of each group for the present epoch."""
        return [base * f(self.last_epoch) for base, f in zip(self.base_lrs, self._lambdas)]

    def _options(self) -> dict[str, Any]:
        names = [getattr(f, "__qualname__", type(f).__name__) for f in self._lambdas]
        return {"lr_lambda": names[0] if len(set(names)) == 1 else names}

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimiser and the functions."""
        return {name: value for name, value in super().state_dict().items() if name != "_lambdas"}
