"""One schedule after another."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from tinyrnn.autograd.arguments import ITERABLE, checked
from tinyrnn.optim.hyperparameters import check_count
from tinyrnn.optim.optimizer import Optimizer
from tinyrnn.optim.scheduler import LRScheduler


class SequentialLR(LRScheduler):
    """Follow one schedule up to a milestone, then the next from its own epoch 0 and the first rates.

    Parameters
    ----------
    optimizer : Optimizer
        The one that all the schedules drive.
    schedulers : sequence of LRScheduler
        In their order; none that needs a metric.
    milestones : sequence of int
        The epochs at which the second, third, ... begin; rising, and one fewer than the schedules.

    Raises
    ------
    ValueError
        Where the schedules drive other optimisers, or the milestones do not fit.
    TypeError
        Where a schedule is not one of those that follow the count of epochs.

    Examples
    --------
    Two epochs of warm-up, then a decay:

    >>> import tinyrnn as tr
    >>> optimizer = tr.optim.SGD([tr.ones(2)], lr=1.0)
    >>> warmup = tr.optim.LinearLR(optimizer, start_factor=0.5, total_iters=2)
    >>> decay = tr.optim.ExponentialLR(optimizer, gamma=0.5)
    >>> schedule = tr.optim.SequentialLR(optimizer, [warmup, decay], milestones=[2])
    >>> for epoch in range(4):
    ...     print(optimizer.param_groups[0]["lr"])
    ...     schedule.step()
    0.5
    0.75
    1.0
    0.5
    """

    @checked(schedulers=ITERABLE, milestones=ITERABLE)
    def __init__(
        self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], milestones: Sequence[int]
    ) -> None:
        self._attach(optimizer)
        self._schedulers = list(schedulers)
        self._milestones = [check_count("SequentialLR", "a milestone", m) for m in milestones]
        for i, schedule in enumerate(self._schedulers):
            if type(schedule).step is not LRScheduler.step:
                raise TypeError(
                    f"SequentialLR: scheduler {i} is of type {type(schedule).__name__}; expected one that "
                    "follows the count of epochs, such as LinearLR"
                )
            if schedule.optimizer is not optimizer:
                raise ValueError(f"SequentialLR: scheduler {i} drives another optimizer")
        if len(self._schedulers) != len(self._milestones) + 1:
            raise ValueError(
                f"SequentialLR: got {len(self._milestones)} milestones, {len(self._schedulers)} schedulers; "
                "expected one milestone fewer"
            )
        if self._milestones != sorted(set(self._milestones)):
            raise ValueError(f"SequentialLR: milestones are {self._milestones}; expected rising numbers")
        self.last_epoch = 0
        self._start(0)

    def step(self) -> None:
        """Go to the next epoch, and set the learning rates."""
        self.last_epoch += 1
        i = bisect_right(self._milestones, self.last_epoch)
        if self.last_epoch in self._milestones:
            self._start(i)
        else:
            self._schedulers[i].step()
            self._last_lr = self._schedulers[i].get_last_lr()

    def _options(self) -> dict[str, Any]:
        return {"schedulers": self._schedulers, "milestones": self._milestones}

    def _start(self, i: int) -> None:
        self._schedulers[i]._restart()
        self._last_lr = self._schedulers[i].get_last_lr()

    def state_dict(self) -> dict[str, Any]:
        """Return everything but the optimiser, with the states of the schedules in a list."""
        return {
            **super().state_dict(),
            "_schedulers": [schedule.state_dict() for schedule in self._schedulers],
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned. Load the optimiser's state too: it has the rates."""
        schedulers = self._schedulers
        super().load_state_dict(state_dict)
        states, self._schedulers = self._schedulers, schedulers
        for schedule, state in zip(schedulers, states):
            schedule.load_state_dict(state)  # pyright: ignore[reportArgumentType]
