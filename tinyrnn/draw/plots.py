"""Companion plots, with matplotlib: how the gradient fades over time.

Both read a recorded computation (see `tinyrnn.unrolled`). Matplotlib is imported when something is plotted;
it comes with the extra ``tinyrnn[plot]``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tinyrnn.autograd.backward import backpropagate
from tinyrnn.draw.reading.records import Record
from tinyrnn.draw.reading.unroll import Unrolled, unroll
from tinyrnn.draw.style import BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION
from tinyrnn.draw.text import norm

__all__ = ["gradient_map", "gradient_norms", "plot_gradient_map", "plot_gradient_norms"]

LINES = (
    (BLUE, "-", "o"),
    (ORANGE, "--", "s"),
    (GREEN, "-.", "^"),
    (VERMILION, ":", "D"),
    (PURPLE, "-", "v"),
    (SKY, "--", "x"),
)


def gradient_norms(
    loss: Any, layer: str | None = None, carry: str | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return ‖∂L/∂h_t‖ of each step, after ``backward()``.

    Parameters
    ----------
    loss : Tensor
        Computed inside ``tr.unrolled()``.
    layer, carry : str, optional
        Which state; the first layer's, and ``h`` where there is one, by default.

    Returns
    -------
    steps : ndarray of int, shape (T,)
    norms : ndarray of float, shape (T,)
        NaN where no gradient came to a step.

    Raises
    ------
    ValueError
        The graph has no such state, or no gradients.
    """
    states = _states(unroll(loss, "gradient_norms"), layer, carry)
    if all(record.node.grad is None for record in states.values()):
        raise ValueError(
            "gradient_norms: there are no gradients; compute inside `with tr.unrolled():` and call backward()"
        )
    steps = np.array(sorted(states))
    return steps, np.array([np.nan if states[t].grad is None else norm(states[t].grad) for t in steps])  # pyright: ignore


def gradient_map(losses: Mapping[int, Any], layer: str | None = None, carry: str | None = None) -> np.ndarray:
    """Return ‖∂L_s/∂h_t‖ for the loss of each step s and the state of each step t.

    Each loss is sent back on its own, without touching any ``.grad``, so this takes as many passes as there
    are losses. Compute them inside ``tr.unrolled()`` and call this before ``backward()``, or call that with
    ``retain_graph=True``.

    Parameters
    ----------
    losses : mapping of int to Tensor
        The loss of each step. Each is a single number.
    layer, carry : str, optional
        As in `gradient_norms`.

    Returns
    -------
    ndarray, shape (T, T)
        Rows are s, columns t. NaN where no gradient comes to h_t: after s, across a cut, or where there is no
        loss.

    Raises
    ------
    ValueError
        There is no loss, or no such state.
    """
    if not losses:
        raise ValueError("gradient_map: got no losses; expected {step: loss}")
    recorded = unroll(list(losses.values()), "gradient_map")
    states = _states(recorded, layer, carry)
    size = max(*states, *losses) + 1
    table = np.full((size, size), np.nan)
    nodes = {record.node: t for t, record in states.items()}
    before = [(record.node, record.node.grad) for record in recorded.records]
    try:
        for s, loss in losses.items():
            if loss.size != 1 or loss.node is None:
                raise ValueError(
                    f"gradient_map: the loss of step {s} has shape {loss.shape}; expected one recorded number"
                )
            seed = {loss.node: np.ones(loss.shape, loss.dtype)}
            for node, grad in backpropagate(seed, targets=set(nodes), retain=True).items():
                table[s, nodes[node]] = norm(grad)
    finally:
        for node, grad in before:  # the pass has left its own where values are kept
            node.grad = grad
    return table


def plot_gradient_norms(
    runs: Any, *, layer: str | None = None, carry: str | None = None, axes: Any = None
) -> Any:
    """Plot ‖∂L/∂h_t‖ against t, with a logarithmic axis.

    Parameters
    ----------
    runs : Tensor, or mapping of str to Tensor
        The loss of one run, or of several by name.
    layer, carry : str, optional
        As in `gradient_norms`.
    axes : matplotlib Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ImportError
        Matplotlib is not installed.
    """
    axes = new_axes(axes)
    runs = runs if isinstance(runs, Mapping) else {"": runs}
    for (name, loss), (colour, line, mark) in zip(
        runs.items(), [LINES[i % len(LINES)] for i in range(len(runs))]
    ):
        steps, norms = gradient_norms(loss, layer, carry)
        every = max(len(steps) // 12, 1)
        shown = np.where(norms > 0, norms, np.nan)  # a logarithmic axis has no place for 0
        axes.plot(steps, shown, line, color=colour, marker=mark, markevery=every, label=name or None)
        for marked, symbol, word in ((norms == 0, "x", "exactly 0"), (np.isinf(norms), "*", "infinite")):
            if marked.any():
                height = np.full(marked.sum(), 0.02 if symbol == "x" else 0.98)
                axes.plot(
                    steps[marked], height, symbol, color=colour, transform=axes.get_xaxis_transform(),
                    label=f"{name} {word}".strip(),
                )  # fmt: skip
    axes.set_yscale("log")
    axes.set_xlabel("time step t")
    axes.set_ylabel("‖∂L/∂h_t‖")
    if axes.get_legend_handles_labels()[1]:
        axes.legend()
    return axes


def plot_gradient_map(
    losses: Mapping[int, Any], *, layer: str | None = None, carry: str | None = None, axes: Any = None
) -> Any:
    """Plot the lower triangle of ‖∂L_s/∂h_t‖: truncation shows as missing blocks, vanishing as a fade.

    Parameters
    ----------
    losses : mapping of int to Tensor
    layer, carry : str, optional
        As in `gradient_map`.
    axes : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ImportError
        Matplotlib is not installed.
    """
    axes = new_axes(axes)
    table = gradient_map(losses, layer, carry)
    with np.errstate(all="ignore"):
        logs = np.where(table > 0, np.log10(table), np.nan)
    axes.set_facecolor("#DDDDDD")
    image = axes.imshow(logs, cmap="viridis", interpolation="nearest")
    zeros = np.argwhere(table == 0)
    if len(zeros):
        axes.plot(zeros[:, 1], zeros[:, 0], "x", color="#1A1A1A", markersize=3, label="exactly 0")
        axes.legend()
    axes.set_xlabel("state of step t")
    axes.set_ylabel("loss of step s")
    axes.figure.colorbar(image, ax=axes, label="log₁₀ ‖∂L_s/∂h_t‖ (grey: no gradient)")
    return axes


def _states(unrolled: Unrolled, layer: str | None, carry: str | None) -> dict[int, Record]:
    """Return the record of one state at each step."""
    names = [found.name for found in unrolled.layers]
    if not names:
        raise ValueError("gradients over time: the graph has no state that passes from step to step")
    layer = names[0] if layer is None else layer
    if layer not in names:
        raise ValueError(f"gradients over time: there is no layer {layer!r}; expected one of {names}")
    carries = sorted(set(next(found for found in unrolled.layers if found.name == layer).carries.values()))
    carry = ("h" if "h" in carries else carries[0]) if carry is None else carry
    if carry not in carries:
        raise ValueError(
            f"gradients over time: layer {layer!r} has no state {carry!r}; expected one of {carries}"
        )
    records = unrolled.records
    return {
        r.step: r
        for r in records
        if r.unit == layer and r.carry == carry and r.role != "state" and r.step is not None
    }


def new_axes(axes: Any) -> Any:
    if axes is not None:
        return axes
    try:
        from matplotlib.figure import Figure  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise ImportError("plots need matplotlib: pip install 'tinyrnn[plot]'") from None
    return Figure(figsize=(6, 4), layout="constrained").add_subplot()
