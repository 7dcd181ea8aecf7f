"""Callbacks of `fit`: called with the `Run` after each epoch. Any function will do; these have a state."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from tinyrnn.autograd.arguments import COUNT, TEXT, checked, number, one_of
from tinyrnn.training.run import Run

MODE = one_of("min", "max")


class _Best:
    """Knows whether the latest epoch is the best so far.

    Parameters
    ----------
    metric : str
        A column of the history.
    mode : {"min", "max"}
        Whether small or large values are good.
    """

    def __init__(self, metric: str, mode: str) -> None:
        self.metric, self.sign = metric, 1.0 if mode == "min" else -1.0
        self.best = math.inf

    def __repr__(self) -> str:
        mode = "min" if self.sign > 0 else "max"
        return f"{type(self).__name__}(metric={self.metric!r}, mode={mode!r})"

    def improved(self, run: Run, by: float = 0.0) -> bool:
        """Compare the latest value with the best, and remember it where it is better."""
        value = self.sign * float(run.history[self.metric][-1])
        if value < self.best - by:  # a NaN is no improvement
            self.best = value
            return True
        return False


class EarlyStopping(_Best):
    """End the run where a metric has not improved for some epochs.

    Parameters
    ----------
    patience : int
        How many epochs without improvement end it.
    metric : str
        A column of the history.
    mode : {"min", "max"}
    min_delta : float
        An improvement must be larger than this.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(64, 3))
    >>> model = tr.nn.Linear(3, 1, rng=0)
    >>> data = tr.data.batches(x, x.sum(1, keepdims=True), size=16, rng=0)
    >>> loss = lambda model, b: tr.nn.mse_loss(model(b[0]), b[1])
    >>> still = tr.optim.SGD(model.parameters(), lr=0.0)
    >>> callbacks = [tr.training.EarlyStopping(2, "loss")]
    >>> len(tr.fit(model, loss, data, still, epochs=30, callbacks=callbacks)) < 30
    True
    """

    @checked(patience=COUNT, metric=TEXT, mode=MODE, min_delta=number())
    def __init__(
        self,
        patience: int,
        metric: str = "validation",
        mode: Literal["min", "max"] = "min",
        min_delta: float = 0.0,
    ) -> None:
        super().__init__(metric, mode)
        self.patience, self.min_delta, self.waited = patience, min_delta, 0

    def __call__(self, run: Run) -> None:
        """Count the epochs without improvement."""
        self.waited = 0 if self.improved(run, self.min_delta) else self.waited + 1
        run.stop = run.stop or self.waited >= self.patience

    def state_dict(self) -> dict[str, Any]:
        """Return the best value, and how many epochs it has stood."""
        return {"best": self.best, "waited": self.waited}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        self.best, self.waited = float(state_dict["best"]), int(state_dict["waited"])


class BestWeights(_Best):
    """Keep the weights of the best epoch, and give them back to the model where the run ends.

    Parameters
    ----------
    metric : str
        A column of the history.
    mode : {"min", "max"}

    Examples
    --------
    >>> import tinyrnn as tr
    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(64, 3))
    >>> model = tr.nn.Linear(3, 1, rng=0)
    >>> data = tr.data.batches(x, x.sum(1, keepdims=True), size=16, rng=0)
    >>> loss = lambda model, b: tr.nn.mse_loss(model(b[0]), b[1])
    >>> optimizer, best = tr.optim.Adam(model.parameters(), lr=0.1), tr.training.BestWeights("loss")
    >>> history = tr.fit(model, loss, data, optimizer, epochs=5, callbacks=[best])
    """

    @checked(metric=TEXT, mode=MODE)
    def __init__(self, metric: str = "validation", mode: Literal["min", "max"] = "min") -> None:
        super().__init__(metric, mode)
        self.weights: dict[str, Any] = {}

    def __call__(self, run: Run) -> None:
        """Copy the weights, where they are the best so far."""
        if self.improved(run):
            self.weights = run.model.state_dict()

    def end(self, run: Run) -> None:
        """Load the best weights; also where the run ends by an error or is interrupted."""
        if self.weights:
            run.model.load_state_dict(self.weights)

    def state_dict(self) -> dict[str, Any]:
        """Return the best value and its weights."""
        return {"best": self.best, "weights": dict(self.weights)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        self.best, self.weights = float(state_dict["best"]), dict(state_dict["weights"])
