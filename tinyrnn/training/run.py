"""Run: a training run as its callbacks and its checkpoints see it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinyrnn.autograd.rng import get_rng_state, set_rng_state, set_state
from tinyrnn.nn.module import Module
from tinyrnn.training.history import History
from tinyrnn.training.saving import load, save


class Run:
    """Where a training run stands.

    Attributes
    ----------
    model, optimizer, schedule, batches, callbacks
        What `fit` was given.
    epoch : int
        How many epochs are done.
    history : History
    stop : bool
        A callback sets it, to make this epoch the last.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(64, 3))
    >>> model = tr.nn.Linear(3, 1, rng=0)
    >>> data = tr.data.batches(x, x.sum(1, keepdims=True), size=16, rng=0)
    >>> loss = lambda model, b: tr.nn.mse_loss(model(b[0]), b[1])
    >>> def three_epochs(run):
    ...     run.stop = run.epoch == 3
    >>> optimizer = tr.optim.Adam(model.parameters(), lr=0.1)
    >>> len(tr.fit(model, loss, data, optimizer, epochs=30, callbacks=[three_epochs]))
    3
    """

    def __init__(
        self, model: Module, optimizer: Any, schedule: Any, batches: Any, callbacks: Sequence[Any]
    ) -> None:
        self.model = model
        self.optimizer = optimizer
        self.schedule = schedule
        self.batches = batches
        self.callbacks = callbacks
        self.epoch = 0
        self.stop = False
        self.history = History()

    # --- checkpoints ----------------------------------------------------------------------------------------
    def _parts(self) -> dict[str, Any]:
        parts = {"model": self.model, "optimizer": self.optimizer, "schedule": self.schedule, "run": self}
        return {name: part for name, part in parts.items() if part is not None}

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write all that the run needs to go on bit for bit."""
        return save(path, **self._parts())

    def load(self, path: str | os.PathLike[str]) -> None:
        """Go on from where `save` was called; nothing is changed where the file does not fit."""
        load(path, **self._parts())

    def _generators(self) -> Iterator[tuple[str, np.random.Generator]]:
        """Yield the generators that parts of the model draw from, as for dropout."""
        for path, module in self.model.named_modules():
            for name, value in vars(module).items():
                if isinstance(value, np.random.Generator):
                    yield f"{path}.{name}", value

    def state_dict(self) -> dict[str, Any]:
        """Return the epoch, the history, and the states of callbacks, batches and all generators."""
        return {
            "epoch": self.epoch,
            "stop": self.stop,
            "history": self.history.state_dict(),
            "callbacks": [[type(c).__name__, _state(c)] for c in self.callbacks],
            "batches": _state(self.batches),
            "rng": get_rng_state(),
            "generators": {name: rng.bit_generator.state for name, rng in self._generators()},
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        generators = dict(self._generators())
        for what, saved, own in (
            (
                "callbacks",
                [name for name, _ in state_dict["callbacks"]],
                [type(c).__name__ for c in self.callbacks],
            ),
            ("generators", sorted(state_dict["generators"]), sorted(generators)),
        ):
            if saved != own:
                raise ValueError(f"the run has the {what} {own}; the file is of one with {saved}")
        for callback, (_, state) in zip(self.callbacks, state_dict["callbacks"]):
            if state is not None:
                callback.load_state_dict(state)
        if state_dict["batches"] is not None:
            self.batches.load_state_dict(state_dict["batches"])
        for name, state in state_dict["generators"].items():
            set_state(generators[name], state)
        set_rng_state(state_dict["rng"])
        self.history.load_state_dict(state_dict["history"])
        self.epoch, self.stop = int(state_dict["epoch"]), bool(state_dict["stop"])


def _state(part: Any) -> Any:
    return part.state_dict() if hasattr(part, "state_dict") else None
