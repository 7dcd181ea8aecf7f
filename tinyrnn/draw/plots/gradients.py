"""Plots of where gradients go: over time and states, from each loss to each state, into the weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tinyrnn.autograd.arguments import TEXT, Kind, checked, one_of
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.draw.plots.axes import (
    ARRAYS,
    AXES,
    LINES,
    TABLE,
    legend,
    log10,
    log_line,
    measured,
    name_rows,
    new_axes,
    norm_table,
    over_powers,
    over_steps,
    value_table,
    whole_numbers,
)

FLOW = measured("states", "what gradient_flow returns")
STATE = measured("norm", "a state of what gradient_flow returns")
RUNS = Kind(
    "a StateFlow, such as gradient_flow(loss).states['l0.h'], or a mapping of them",
    lambda value: all(
        STATE.of_type(run) for run in (value.values() if isinstance(value, Mapping) else [value])
    ),
)


@checked(runs=RUNS, axes=AXES)
def plot_gradient_norms(runs: Any, *, axes: Any = None) -> Any:
    """Plot log10 of ‖∂L/∂h_t‖ against the step, a line for each run.

    Parameters
    ----------
    runs : StateFlow, or mapping of str to StateFlow
        A state of what `dynamics.gradient_flow` returns; several by name, of one run or of many.
    axes : matplotlib Axes, optional

    Examples
    --------
    >>> import tinyrnn as tr
    >>> import numpy as np
    >>> y, _ = tr.nn.GRU(2, 3, rng=0)(np.ones((20, 4, 2)))
    >>> flow = tr.dynamics.gradient_flow((y[-1] ** 2).mean())
    >>> tr.draw.plot_gradient_norms(flow.states["l0.h"]).get_xlabel()
    'step'
    """
    axes = new_axes(axes)
    runs = runs if isinstance(runs, Mapping) else {"": runs}
    for i, (name, state) in enumerate(runs.items()):
        order = np.argsort(state.steps)
        norms = np.asarray(state.norm)[order]
        log_line(axes, state.steps[order] + 1, log10(norms), LINES[i % len(LINES)], label=name)
    over_powers(axes, "log₁₀ ‖∂L/∂hₜ‖")
    over_steps(axes)
    legend(axes)
    return axes


@checked(
    flow=FLOW,
    layer=TEXT.or_none(),
    direction=one_of("forward", "reverse").or_none(),
    axes=AXES,
)
def plot_gradient_flow(
    flow: Any, *, layer: str | None = None, direction: str | None = None, axes: Any = None
) -> Any:
    """Plot log10 of ‖∂L/∂h_t‖, the gradient map: a row for each state of each layer, a column for each step.

    Where a layer goes both ways, an arrow behind a row's name says which way its states go.

    Parameters
    ----------
    flow : GradientFlow
        As `dynamics.gradient_flow` returns it.
    layer : str, optional
        The rows of one layer only, such as ``"l0"``, in both directions; or of one state, ``"l0.h"``.
    direction : {"forward", "reverse"}, optional
        The rows that go over the steps this way only.
    axes : matplotlib Axes, optional

    Raises
    ------
    ValueError
        There is no such row.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> import numpy as np
    >>> y, _ = tr.nn.GRU(2, 3, rng=0)(np.ones((20, 4, 2)))
    >>> flow = tr.dynamics.gradient_flow((y[-1] ** 2).mean())
    >>> tr.draw.plot_gradient_flow(flow).get_xlabel()
    'step'
    """
    ways = {name: "reverse" if _falls(state.steps) else "forward" for name, state in flow.states.items()}
    chosen = {
        name: state
        for name, state in flow.states.items()
        if (layer is None or _belongs(name, layer)) and direction in (None, ways[name])
    }
    if not flow.states:
        raise ValueError("plot_gradient_flow: the flow has no state")
    if not chosen:
        known = ", ".join(f"{name} ({way})" for name, way in ways.items())
        raise ValueError(
            f"plot_gradient_flow: no state has layer={layer!r}, direction={direction!r}; expected of {known}"
        )
    last = max(int(state.steps.max()) for state in chosen.values())
    table = np.full((len(chosen), last + 1), np.nan)
    for k, state in enumerate(chosen.values()):
        table[k, state.steps] = state.norm
    axes = norm_table(table, (1, last + 1, 0, len(table) - 1), "log₁₀ ‖∂L/∂hₜ‖", axes)
    arrows = {"forward": " →", "reverse": " ←"} if len(set(ways.values())) > 1 else {}
    name_rows(axes, [name + arrows.get(ways[name], "") for name in chosen])
    over_steps(axes)
    return axes


def _falls(steps: Any) -> bool:
    """Whether a layer goes from the last step to the first."""
    return len(steps) > 1 and bool(steps[1] < steps[0])


def _belongs(name: str, layer: str) -> bool:
    """Whether a state is this one, or one of this layer, whose other direction is called ``_reverse``."""
    return name == layer or name.startswith((f"{layer}.", f"{layer}_reverse."))


@checked(table=TABLE, axes=AXES)
def plot_gradient_table(table: Any, *, axes: Any = None) -> Any:
    """Plot log10 of a table of gradient norms, rows s and columns t, such as ‖∂L_s/∂h_t‖.

    Truncation shows as missing blocks, vanishing as a fade.

    Parameters
    ----------
    table : ndarray, shape (T, T)
        As in ``GradientFlow.pairs``.
    axes : matplotlib Axes, optional

    Examples
    --------
    >>> import tinyrnn as tr
    >>> import numpy as np
    >>> tr.draw.plot_gradient_table(np.tril(np.full((5, 5), 0.1))).get_xlabel()
    'state of step'
    """
    table = np.asarray(table.data if isinstance(table, Tensor) else table)
    if table.ndim != 2 or not table.size:
        raise ValueError(f"plot_gradient_table: table has shape {table.shape}; expected (T, T)")
    rows, columns = table.shape
    axes = norm_table(table, (1, columns, 1, rows), "log₁₀ of the norm", axes)
    axes.set_ylabel("loss of step")
    whole_numbers(axes.yaxis)
    over_steps(axes, "state of step")
    return axes


@checked(weights=ARRAYS, axes=AXES)
def plot_weight_shares(weights: Mapping[str, Any], *, axes: Any = None) -> Any:
    """Plot the share of the uses at each step in each weight's gradient.

    Parameters
    ----------
    weights : mapping of str to ndarray, each of shape (T,)
        As in ``GradientFlow.weights``.
    axes : matplotlib Axes, optional

    Examples
    --------
    >>> import tinyrnn as tr
    >>> import numpy as np
    >>> y, _ = tr.nn.GRU(2, 3, rng=0)(np.ones((20, 4, 2)))
    >>> flow = tr.dynamics.gradient_flow((y[-1] ** 2).mean())
    >>> tr.draw.plot_weight_shares(flow.weights).get_xlabel()
    'step'
    """
    if not weights:
        raise ValueError("plot_weight_shares: there are no weights")
    table = np.stack([np.asarray(shares, np.float64) for shares in weights.values()])
    ends = min(0.0, float(table.min())), float(table.max())
    axes = value_table(table, ends, "share in the weight's gradient", axes)
    name_rows(axes, list(weights))
    return axes
