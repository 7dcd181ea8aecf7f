"""The base of schedules of the learning rate: a formula of the epoch, applied as a factor."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from typing import Any

from tinyrnn.autograd.arguments import MAPPING, checked
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
