"""Schedules of the learning rate that follow the count of epochs (or of steps: of calls).

A schedule is one formula, `LRScheduler.decay`: the factor of the learning rate at epoch ``t``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from typing import Any

from tinyrnn.autograd.arguments import MAPPING, checked, shown
from tinyrnn.optim.hyperparameters import check_count, check_number
from tinyrnn.optim.optimizer import Optimizer

# What PyTorch's state has besides: notes of its own, or copies of what the rest says.
_PYTORCH_ONLY = frozenset(
    {
        "_step_count",
        "_is_initial",
        "_get_lr_called_within_step",
        "verbose",
        "lr_lambdas",
        "default_min_lr",
        "mode_worse",
    }
)


class LRScheduler:
    """The base of schedules: subclass it with a `decay`.

    Making one sets the learning rates for epoch 0. Call ``step()`` once an epoch, after ``optimizer.step()``.

    A step multiplies by ``decay(t) / decay(t - 1)``, rather than set ``decay(t)`` times the first learning
    rate. So several schedules can drive one optimiser, each ``step()`` called in turn, and what a user does
    to ``group["lr"]`` between steps stays.

    Parameters
    ----------
    optimizer : Optimizer
        Its groups each begin at their own learning rate.
    last_epoch : int
        -1 to begin; otherwise the epoch that was the last of an earlier run, whose optimiser state has been
        loaded.

    Attributes
    ----------
    last_epoch : int
        The epoch that the learning rates now belong to.
    base_lrs : list of float
        The learning rate of each group at the beginning.

    Raises
    ------
    TypeError
        Where ``optimizer`` is not an `Optimizer`.
    ValueError
        Where ``last_epoch`` is not -1, and the optimiser was not under a schedule before; in subclasses,
        where a number is out of its range.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> class InverseRoot(tr.optim.LRScheduler):
    ...     def decay(self, epoch):
    ...         return (1 + epoch) ** -0.5
    >>> optimizer = tr.optim.SGD([tr.ones(2)], lr=1.0)
    >>> schedule = InverseRoot(optimizer)
    >>> for epoch in range(3):
    ...     optimizer.step()
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    eta_min: float = 0.0  # the learning rate that a decay to 0 leads to

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        where = type(self).__name__
        self._attach(optimizer)
        self.last_epoch = check_count(where, "last_epoch", last_epoch, low=-1)
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise ValueError(
                    f"{where}: last_epoch is {last_epoch}, but group {i} has no 'initial_lr'; load the "
                    "optimizer's state from the earlier run first"
                )
        self.base_lrs: list[float] = [float(group["initial_lr"]) for group in optimizer.param_groups]
        self._last_lr: list[float] = []
        self.step()

    def _attach(self, optimizer: Optimizer) -> None:
        if not isinstance(optimizer, Optimizer):
            where, got = type(self).__name__, type(optimizer).__name__
            raise TypeError(f"{where}: optimizer is of type {got}; expected an Optimizer")
        self.optimizer = optimizer

    def decay(self, epoch: int) -> float:
        """Return the factor of the learning rate at an epoch."""
        raise NotImplementedError

    def get_lr(self) -> list[float]:
        """Compute the learning rate of each group for the present epoch from that of the last one."""
        groups = self.optimizer.param_groups
        now, before = (
            self.decay(self.last_epoch),
            self.decay(self.last_epoch - 1) if self.last_epoch > 0 else 1.0,
        )
        if before == 0:  # from nothing there is no factor that leads back
            return [self.eta_min + (base - self.eta_min) * now for base in self.base_lrs]
        ratio = now / before
        return [self.eta_min + (group["lr"] - self.eta_min) * ratio for group in groups]

    def get_last_lr(self) -> list[float]:
        """Return the learning rate of each group, as this schedule last set it."""
        return self._last_lr

    def step(self) -> None:
        """Go to the next epoch, and set the learning rates."""
        self.last_epoch += 1
        self._set(self.get_lr())

    def _set(self, lrs: list[float]) -> None:
        where = type(self).__name__
        for i, (group, lr) in enumerate(zip(self.optimizer.param_groups, lrs)):
            group["lr"] = check_number(where, f"lr of group {i} at epoch {self.last_epoch}", lr)
        self._last_lr = list(lrs)

    def _restart(self) -> None:
        """Go back to epoch 0 and the first learning rates."""
        for group, base in zip(self.optimizer.param_groups, self.base_lrs):
            group["lr"] = base
        self.last_epoch = -1
        self.step()

    def _options(self) -> dict[str, Any]:
        """Return what the schedule was made with, by the names of its arguments."""
        names = [name for name in signature(type(self)).parameters if name not in ("optimizer", "last_epoch")]
        return {name: getattr(self, name) for name in names if hasattr(self, name)}

    def __repr__(self) -> str:
        options = ", ".join(f"{name}={value!r}" for name, value in self._options().items())
        rates = ", ".join(f"{lr:g}" for lr in self._last_lr)
        return f"<{type(self).__name__}({options}): epoch {self.last_epoch}, lr {rates}>"

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimiser (whose own state has the learning rates) and functions."""
        return {
            name: list(value) if isinstance(value, list) else value
            for name, value in vars(self).items()
            if name != "optimizer" and not callable(value)
        }

    @checked(state_dict=MAPPING)
    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned. Load the optimiser's state too: it has the learning rates.

        Raises
        ------
        ValueError
            Where the names, or the number of groups, are not those of this schedule.
        """
        where = f"{type(self).__name__}.load_state_dict"
        own = self.state_dict()
        state = {name: value for name, value in state_dict.items() if name not in _PYTORCH_ONLY}
        if state.keys() != own.keys():
            raise ValueError(f"{where}: got the names {sorted(state)}; expected {sorted(own)}")
        for name, value in own.items():
            if isinstance(value, list) and not isinstance(state[name], (list, tuple)):
                raise ValueError(f"{where}: '{name}' is {state[name]!r}; expected a list")
            if isinstance(value, list) and len(state[name]) != len(value):
                raise ValueError(f"{where}: '{name}' has {len(state[name])} entries; expected {len(value)}")
            if isinstance(value, (int, float)) and not isinstance(state[name], (int, float)):
                raise ValueError(f"{where}: '{name}' is {state[name]!r}; expected a number")
        vars(self).update({name: list(v) if isinstance(v, list) else v for name, v in state.items()})


class StepLR(LRScheduler):
    """Multiply by ``gamma`` every ``step_size`` epochs: ``gamma ** (t // step_size)``.

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


class ExponentialLR(LRScheduler):
    """Multiply by ``gamma`` every epoch: ``gamma ** t``."""

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
