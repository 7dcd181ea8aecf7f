"""History: what a training run measured, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tinyrnn.extras import matplotlib


class History:
    """A table with a row for each epoch.

    Examples
    --------
    >>> history = History()
    >>> history.append({"loss": 2.0})
    >>> history.append({"loss": 1.0, "validation": 1.5})
    >>> len(history), history[-1]
    (2, {'loss': 1.0, 'validation': 1.5})
    >>> history["validation"]
    array([nan, 1.5])
    """

    def __init__(self) -> None:
        self.rows: list[dict[str, float]] = []

    def append(self, row: Mapping[str, float]) -> None:
        """Add an epoch."""
        self.rows.append({name: float(value) for name, value in row.items()})

    @property
    def names(self) -> list[str]:
        """The columns, in the order in which they first came."""
        return list(dict.fromkeys(name for row in self.rows for name in row))

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, float]]:
        return iter(self.rows)

    def __getitem__(self, which: str | int) -> Any:
        """Return a column (by name) as an array, with NaN where it was not measured; or a row (by number)."""
        if isinstance(which, str):
            if which not in self.names:
                raise KeyError(f"history has no {which!r}; it has {self.names}")
            return np.array([row.get(which, math.nan) for row in self.rows])
        return self.rows[which]

    def plot(self, *names: str, ax: Any = None) -> Any:
        """Plot columns over epochs with matplotlib, from the extra ``tinyrnn[plot]``.

        Parameters
        ----------
        *names : str
            ``loss`` and what `fit` validated, by default.
        ax : matplotlib Axes, optional
            Where to plot; a new figure by default.

        Returns
        -------
        matplotlib Axes
        """
        if ax is None:
            ax = matplotlib("figure").Figure(figsize=(6, 3.5), layout="constrained").subplots()
        for name in names or [name for name in self.names if name not in ("lr", "gradient_norm")]:
            ax.plot(np.arange(1, len(self) + 1), self[name], marker=".", label=name)
        ax.set_xlabel("epoch")
        ax.legend()
        return ax

    def __repr__(self) -> str:
        last = ", ".join(f"{name} {value:.4g}" for name, value in self.rows[-1].items()) if self.rows else ""
        return f"History({len(self)} epochs{': ' if last else ''}{last})"

    def state_dict(self) -> dict[str, Any]:
        """Return the rows."""
        return {"rows": [dict(row) for row in self.rows]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        self.rows = [{str(name): float(value) for name, value in row.items()} for row in state_dict["rows"]]
