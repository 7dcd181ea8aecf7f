"""Plots of a training run that was watched, and of a verdict."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyrnn.autograd.arguments import TEXT, checked
from tinyrnn.draw.plots.axes import (
    AXES,
    LINES,
    THEME,
    legend,
    log10,
    log_line,
    measured,
    new_axes,
    norm_table,
    over_powers,
    over_steps,
    whole_numbers,
)

WATCH = measured("flows", "what watch returns")
DIAGNOSIS = measured("findings", "what diagnose returns")


@checked(watched=WATCH, state=TEXT.or_none(), axes=AXES)
def plot_watch(watched: Any, state: str | None = None, *, axes: Any = None) -> Any:
    """Plot log10 of ‖∂L/∂h_t‖ over a training run: a row for each update that was watched.

    Parameters
    ----------
    watched : Watch
    state : str, optional
        Which state, such as ``l0.h``; the first by default.
    axes : matplotlib Axes, optional

    Examples
    --------
    >>> import tinyrnn as tr
    >>> import numpy as np
    >>> model = tr.nn.GRU(2, 3, rng=0)
    >>> watched = tr.dynamics.watch(model, every=1)
    >>> for _ in range(3):
    ...     model.zero_grad()
    ...     with watched:
    ...         (model(np.ones((10, 4, 2)))[0][-1] ** 2).mean().backward()
    >>> tr.draw.plot_watch(watched).get_ylabel()
    'update'
    """
    flows = {1 + i * watched.every: flow for i, flow in enumerate(watched.flows) if flow.states}
    if not flows:
        raise ValueError("plot_watch: nothing was watched yet")
    known = list(dict.fromkeys(name for flow in flows.values() for name in flow.states))
    state = known[0] if state is None else state
    if state not in known:
        raise ValueError(f"plot_watch: state is {state!r}; expected one of {', '.join(map(repr, known))}")
    seen = {update: flow.states[state] for update, flow in flows.items() if state in flow.states}
    counts = {len(found.norm) for found in seen.values()}
    first, last = min(seen), max(seen)
    table = np.full(((last - first) // watched.every + 1, max(counts)), np.nan)
    for update, found in seen.items():
        norm = found.norm[np.argsort(found.steps)]
        table[(update - first) // watched.every, max(counts) - len(norm) :] = norm
    left, right = (1, max(counts)) if len(counts) == 1 else (1 - max(counts), 0)
    axes = norm_table(table, (left, right, first, last), "log₁₀ ‖∂L/∂hₜ‖", axes)
    axes.set_ylabel("update")
    if len(table) == 1:
        axes.set_yticks([first])
    else:
        whole_numbers(axes.yaxis)
    over_steps(axes, f"step, of {state}" if len(counts) == 1 else f"steps before the last, of {state}")
    return axes


@checked(diagnosis=DIAGNOSIS, axes=AXES)
def plot_diagnosis(diagnosis: Any, *, axes: Any = None) -> Any:
    """Plot what a verdict rests on: how much of a gradient each layer carries back, and what is too little.

    Parameters
    ----------
    diagnosis : Diagnosis
        As `dynamics.diagnose` and `dynamics.diagnose_watch` return it.
    axes : matplotlib Axes, optional

    Examples
    --------
    >>> import tinyrnn as tr
    >>> import numpy as np
    >>> class Last(tr.nn.Module):
    ...     def __init__(self):
    ...         self.rnn = tr.nn.RNN(2, 8, rng=0)
    ...     def forward(self, x):
    ...         return self.rnn(x)[0][-1]
    >>> found = tr.dynamics.diagnose(Last(), (np.ones((100, 4, 2)), np.zeros((4, 8))))
    >>> tr.draw.plot_diagnosis(found).get_xlabel()
    'steps back from the last'
    """
    if diagnosis.flow is None or not diagnosis.flow.carried:
        raise ValueError(f"plot_diagnosis: nothing was measured: {diagnosis.unmeasured}")
    axes = new_axes(axes)
    for i, (layer, carried) in enumerate(diagnosis.flow.carried.items()):
        label = layer or "the recurrence"
        log_line(axes, np.arange(len(carried)), log10(carried), LINES[i % len(LINES)], label=label)
    for height, word in ((-3, "vanishing"), (2, "exploding")):
        axes.axhline(height, color=THEME.alarm, linewidth=0.8)
        axes.annotate(
            word, (1, height), xycoords=("axes fraction", "data"), ha="right", va="bottom",
            color=THEME.alarm, fontsize="small",
        )  # fmt: skip
    over_powers(axes, "log₁₀ of what is left of a gradient")
    over_steps(axes, "steps back from the last")
    kinds = dict.fromkeys(f"{finding.kind}: {finding.where}" for finding in diagnosis.findings)
    verdict = list(kinds) if len(kinds) < 4 else [*list(kinds)[:3], f"and {len(kinds) - 3} more"]
    axes.set_title("; ".join(verdict) or "nothing is wrong with the gradients", fontsize="small", loc="left")
    legend(axes)
    return axes
