"""The one-cycle schedule: up, down, and further down, the momentum the other way round."""

from __future__ import annotations

import math
from typing import Literal

from tinyrnn.autograd.arguments import COUNT, FLAG, PROBABILITY, checked, number, one_of
from tinyrnn.optim.hyperparameters import check_count, check_number
from tinyrnn.optim.optimizer import Group, Optimizer
from tinyrnn.optim.scheduler import LRScheduler


class OneCycleLR(LRScheduler):
    """Rise to ``max_lr`` from a ``div_factor``-th of it, and fall to a ``final_div_factor``-th of that.

    The policy of Smith and Topin (2018), as PyTorch has it. Call ``step()`` after each of ``total_steps``
    updates; the last call changes nothing. The momentum (of `Adam` the first of ``betas``) falls while the
    rate rises, and rises again.

    Parameters
    ----------
    optimizer : Optimizer
    max_lr : float or list of float
        The highest learning rate, or one for each group.
    total_steps : int, optional
        The updates of the whole cycle; ``epochs * steps_per_epoch`` by default.
    epochs, steps_per_epoch : int, optional
        Both, where ``total_steps`` is not given.
    pct_start : float
        The share of the steps in which the rate rises, between 0 and 1.
    anneal_strategy : {"cos", "linear"}
    cycle_momentum : bool
        Whether the momentum moves between ``max_momentum`` and ``base_momentum``.
    base_momentum, max_momentum : float
    div_factor, final_div_factor : float
    three_phase : bool
        Fall to the first rate as fast as it rose, and only then to the last one.
    last_epoch : int
        As in `LRScheduler`.

    Raises
    ------
    ValueError, TypeError
        Where a number is out of its range, the steps are not given, the optimiser has no momentum to cycle,
        or ``step()`` is called more often than ``total_steps``.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> optimizer = tr.optim.Adam([tr.ones(2)])
    >>> schedule = tr.optim.OneCycleLR(optimizer, max_lr=0.1, total_steps=5, pct_start=0.6)
    >>> for update in range(5):
    ...     print(f"{optimizer.param_groups[0]['lr']:.4f} {optimizer.param_groups[0]['betas'][0]:.3f}")
    ...     optimizer.step()
    ...     schedule.step()
    0.0040 0.950
    0.0520 0.900
    0.1000 0.850
    0.0500 0.900
    0.0000 0.950
    """

    @checked(
        epochs=COUNT.or_none(),
        steps_per_epoch=COUNT.or_none(),
        pct_start=PROBABILITY,
        anneal_strategy=one_of("cos", "linear"),
        cycle_momentum=FLAG,
        base_momentum=number(below=1.0),
        max_momentum=number(below=1.0),
        div_factor=number(low=1.0),
        final_div_factor=number(low=1.0),
        three_phase=FLAG,
    )
    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        cycle_momentum: bool = True,
        base_momentum: float = 0.85,
        max_momentum: float = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        where = "OneCycleLR"
        self._attach(optimizer)
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ValueError(f"{where}: expected total_steps, or both epochs and steps_per_epoch")
            total_steps = epochs * steps_per_epoch
        self.total_steps = check_count(where, "total_steps", total_steps)
        up = pct_start * self.total_steps
        last = float(self.total_steps - 1)
        # Each phase: its last step, and what rate and momentum go to.
        self._phases: list[tuple[float, str, str]] = [(up - 1, "max_lr", "base_momentum")]
        if three_phase:
            self._phases.append((2 * up - 2, "initial_lr", "max_momentum"))
        self._phases.append((last, "min_lr", "max_momentum"))
        self._anneal_func_type = anneal_strategy
        self.cycle_momentum = cycle_momentum
        groups = optimizer.param_groups
        rates = max_lr if isinstance(max_lr, (list, tuple)) else [max_lr] * len(groups)
        if len(rates) != len(groups):
            raise ValueError(
                f"{where}: got {len(rates)} max_lr; expected one, or {len(groups)}, a group each"
            )
        for group, rate in zip(groups, rates):
            if cycle_momentum and "betas" not in group and "momentum" not in group:
                raise ValueError(f"{where}: the optimizer has no momentum; expected cycle_momentum=False")
            if last_epoch == -1:
                group["max_lr"] = check_number(where, "max_lr", rate)
                group["initial_lr"] = group["max_lr"] / div_factor
                group["min_lr"] = group["initial_lr"] / final_div_factor
                group["max_momentum"], group["base_momentum"] = max_momentum, base_momentum
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Compute the learning rate of each group for the present step, and set its momentum."""
        if self.last_epoch > self.total_steps:
            raise ValueError(
                f"OneCycleLR: call {self.last_epoch} of step() in a cycle of {self.total_steps} updates; "
                "expected one for each update, or a larger total_steps"
            )
        t = min(self.last_epoch, self.total_steps - 1)  # after the last update nothing is left to change
        rates: list[float] = []
        for group in self.optimizer.param_groups:
            began, rate, momentum = 0.0, "initial_lr", "max_momentum"
            for ended, next_rate, next_momentum in self._phases:
                if t <= ended or ended == self._phases[-1][0]:
                    share = (t - began) / (ended - began) if ended > began else 1.0
                    rates.append(self._between(group[rate], group[next_rate], share))
                    if self.cycle_momentum:
                        _set_momentum(group, self._between(group[momentum], group[next_momentum], share))
                    break
                began, rate, momentum = ended, next_rate, next_momentum
        return rates

    def _between(self, start: float, end: float, share: float) -> float:
        if self._anneal_func_type == "cos":
            share = (1 - math.cos(math.pi * share)) / 2
        return start + (end - start) * share


def _set_momentum(group: Group, momentum: float) -> None:
    if "betas" in group:
        group["betas"] = (momentum, *group["betas"][1:])
    else:
        group["momentum"] = momentum
