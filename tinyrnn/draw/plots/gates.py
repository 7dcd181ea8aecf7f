"""Plots of gates: their values, how many units are shut or open, and what passes back through each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tinyrnn.autograd.arguments import checked
from tinyrnn.draw.plots.axes import (
    ARRAYS,
    AXES,
    LINES,
    ROW,
    THEME,
    by_name,
    legend,
    log10,
    log_line,
    measured,
    name_rows,
    new_axes,
    over_powers,
    over_steps,
    row_of,
    value_table,
)
from tinyrnn.draw.plots.jacobians import BLACK, jacobians_of, norms_of

GATES = by_name(measured("signed", "GateShares"), "GateShares")


@checked(values=ARRAYS, row=ROW.or_none(), axes=AXES)
def plot_gate_values(values: Mapping[str, Any], *, row: int | None = 0, axes: Any = None) -> Any:
    """Plot the value of each unit of each gate at each step, the gates below each other.

    Parameters
    ----------
    values : mapping of str to ndarray, each of shape (T, B, ...)
        As `dynamics.gate_values` returns them.
    row : int, optional
        Which row of the batch; None where there is no batch axis.
    axes : matplotlib Axes, optional

    Examples
    --------
    >>> import tinyrnn as tr
    >>> import numpy as np
    >>> values = tr.dynamics.gate_values(tr.nn.GRUCell(3, 4, rng=0), np.ones((5, 2, 3)))
    >>> tr.draw.plot_gate_values(values, row=1).get_xlabel()
    'step'
    """
    where = "plot_gate_values"
    _some(where, values)
    tables: list[Any] = []
    for given in values.values():
        found = np.asarray(given)
        if row is not None:
            if found.ndim < 2:
                raise ValueError(
                    f"{where}: a gate has shape {found.shape}; expected (T, B, ...), or row=None"
                )
            found = found[:, row_of(where, row, found.shape[1])]
        tables.append(found.reshape((len(found), -1)).T)
    low = -1.0 if any((table < 0).any() for table in tables) else 0.0
    axes = value_table(np.concatenate(tables), (low, 1.0), "value of the gate", axes)
    name_rows(axes, list(values), [len(table) for table in tables])
    return axes


@checked(gates=GATES, axes=AXES)
def plot_gates(gates: Mapping[str, Any], *, axes: Any = None) -> Any:
    """Plot the share of the units of each gate that are open and shut (a tanh: above .9, below -.9).

    Parameters
    ----------
    gates : mapping of str to GateShares
        As in ``GradientFlow.gates``.
    axes : matplotlib Axes, optional

    Examples
    --------
    >>> import tinyrnn as tr
    >>> import numpy as np
    >>> y, _ = tr.nn.GRU(2, 3, rng=0)(np.ones((20, 4, 2)))
    >>> flow = tr.dynamics.gradient_flow((y[-1] ** 2).mean())
    >>> list(flow.gates)
    ['l0.r', 'l0.z', 'l0.n']
    >>> tr.draw.plot_gates(flow.gates).get_xlabel()
    'step'
    """
    _some("plot_gates", gates)
    names: list[str] = []
    shares: list[Any] = []
    for name, gate in gates.items():
        names += [f"{name} > .9", f"{name} < -.9"] if gate.signed else [f"{name} open", f"{name} shut"]
        shares += [gate.high, gate.low]
    axes = value_table(np.stack(shares), (0.0, 1.0), "share of the units", axes)
    name_rows(axes, names)
    return axes


@checked(parts=ARRAYS, row=ROW, axes=AXES)
def plot_gate_jacobians(parts: Mapping[str, Any], *, row: int = 0, axes: Any = None) -> Any:
    """Plot log10 of the norm of what passes through each gate, and of the whole ∂h_t/∂h_{t-1}.

    Parameters
    ----------
    parts : mapping of str to ndarray, each of shape (T, B, S, S)
        As `dynamics.gate_jacobians` returns them.
    row : int
        Which row of the batch.
    axes : matplotlib Axes, optional

    Examples
    --------
    >>> import tinyrnn as tr
    >>> import numpy as np
    >>> parts = tr.dynamics.gate_jacobians(tr.nn.GRUCell(3, 4, rng=0), np.ones((5, 2, 3)))
    >>> tr.draw.plot_gate_jacobians(parts).get_xlabel()
    'step'
    """
    _some("plot_gate_jacobians", parts)
    found = {name: jacobians_of("plot_gate_jacobians", part, row) for name, part in parts.items()}
    whole: Any = sum(found.values())
    axes, steps = new_axes(axes), np.arange(1, len(whole) + 1)
    for i, (name, matrices) in enumerate(found.items()):
        log_line(axes, steps, log10(norms_of(matrices)), LINES[i % len(LINES)], label=name)
    log_line(axes, steps, log10(norms_of(whole)), (BLACK, "-"), label="all together")
    axes.axhline(0, color=THEME.border, linewidth=0.8)
    over_powers(axes, "log₁₀ ‖∂hₜ/∂hₜ₋₁‖ by gate")
    over_steps(axes)
    legend(axes)
    return axes


def _some(where: str, gates: Mapping[str, Any]) -> None:
    if not gates:
        raise ValueError(
            f"{where}: there are no gates: the step has none, or its values were not kept (they are inside "
            "of tr.unrolled() and by a watch)"
        )
