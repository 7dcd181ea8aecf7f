"""What all plots share: axes, lines and tables of numbers over many powers of ten, and what they refuse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tinyrnn.autograd.arguments import ARRAY, INTEGER, Kind, instance
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.draw.style import BLUE, GREEN, ORANGE, PURPLE, SKY, THEMES, VERMILION, Scale
from tinyrnn.extras import matplotlib

COLOURS, DASHES = (BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY), ("-", "--", "-.", ":")
LINES = tuple((COLOURS[i % 6], DASHES[(i + i // 6) % 4]) for i in range(24))  # no two alike, in print either
THEME = THEMES["light"]
NONE = "#EEEEEE"  # where a table has no number
AXES = Kind("matplotlib Axes", lambda value: hasattr(value, "get_xlim")).or_none()
ROW = Kind("the number of a row", INTEGER.of_type)
TABLE = instance((np.ndarray, list, tuple, Tensor), "an array")


def measured(attribute: str, words: str) -> Kind:
    """Return the kind of a result, known by what it holds; ``draw`` does not know the classes."""
    return Kind(words, lambda value: not isinstance(value, type) and hasattr(value, attribute))


def by_name(kind: Kind, words: str) -> Kind:
    """Return the kind of mappings whose values are of a kind."""
    return Kind(
        f"a mapping of names to {words}",
        lambda value: isinstance(value, Mapping) and all(map(kind.of_type, value.values())),
    )


ARRAYS = by_name(ARRAY, "arrays")


def new_axes(axes: Any) -> Any:
    """Return the axes, or those of a new figure."""
    if axes is not None:
        return axes
    return matplotlib("figure").Figure(figsize=(6, 4), layout="constrained").add_subplot()


def row_of(where: str, row: int, rows: int) -> int:
    """Return the number of a row of the batch, checked."""
    if not -rows <= row < rows:
        raise ValueError(f"{where}: row is {row}; expected 0 to {rows - 1}, one of the rows of the batch")
    return row


def whole_numbers(axis: Any) -> None:
    """Let an axis that counts have ticks at whole numbers only."""
    axis.set_major_locator(matplotlib("ticker").MaxNLocator(integer=True, min_n_ticks=1))


def over_steps(axes: Any, label: str = "step") -> None:
    """Let the horizontal axis count steps."""
    whole_numbers(axes.xaxis)
    axes.set_xlabel(label)


def legend(axes: Any, handles: Any = None) -> None:
    """Put the names under the axes, outside of what is drawn; nothing where nothing has a name."""
    handles = axes.get_legend_handles_labels()[0] if handles is None else handles
    if handles:
        longest = max(len(handle.get_label()) for handle in handles)
        move = matplotlib("transforms").ScaledTranslation
        under = move(0, -36 / 72, axes.figure.dpi_scale_trans)  # the axis's labels
        axes.legend(
            handles=handles, loc="upper left", bbox_to_anchor=(0, 0), bbox_transform=axes.transAxes + under,
            ncols=max(1, min(len(handles), 44 // longest, 5)), frameon=False, fontsize="small",
            borderaxespad=0,
        )  # fmt: skip


def name_rows(axes: Any, names: list[str], heights: list[int] | None = None) -> None:
    """Name the rows of a table, or blocks of rows at their middle, with lines between them."""
    heights = heights or [1] * len(names)
    ends = np.cumsum(heights)
    size = "small" if len(names) <= 12 else "xx-small"
    axes.set_yticks([end - (height + 1) / 2 for end, height in zip(ends, heights)], names, fontsize=size)
    axes.tick_params(axis="y", length=0)
    for end in ends[:-1]:
        axes.axhline(end - 0.5, color="white", linewidth=1)


def over_powers(axes: Any, label: str) -> None:
    """Let the vertical axis count powers of ten; less than one of them should not look like vanishing."""
    low, high = axes.get_ylim()
    if high - low < 1:
        axes.set_ylim((low + high) / 2 - 0.5, (low + high) / 2 + 0.5)
    axes.set_ylabel(label)


def log_line(axes: Any, x: Any, logs: Any, style: Any, *, label: str = "", width: float = 1.5) -> None:
    """Draw decimal logarithms; what has none is marked at the edge: 0 below, infinity above."""
    x, logs = np.asarray(x), np.asarray(logs, np.float64)
    colour, line = style
    lone = "o" if np.isfinite(logs).sum() == 1 else None
    axes.plot(
        x, np.where(np.isfinite(logs), logs, np.nan), line, color=colour, linewidth=width, marker=lone,
        label=label or None,
    )  # fmt: skip
    edges = ((np.isneginf(logs), "x", 0.02, "exactly 0"), (np.isposinf(logs), "^", 0.98, "infinite"))
    for marked, mark, height, word in edges:
        if marked.any():
            axes.plot(
                x[marked], np.full(marked.sum(), height), mark, color=colour, markersize=4,
                transform=axes.get_xaxis_transform(), label=f"{label}: {word}" if label else word,
            )  # fmt: skip


def log10(values: Any) -> Any:
    """Return decimal logarithms, -inf for 0, without a warning."""
    with np.errstate(all="ignore"):
        return np.log10(np.asarray(values, np.float64))


def colour_map() -> Any:
    """Return the drawings' scale of gradients as a matplotlib colormap: from the smallest to the largest."""
    ramp = matplotlib("colors").LinearSegmentedColormap.from_list("tinyrnn", THEME.ramp)
    return ramp.with_extremes(under=THEME.faint, over=THEME.alarm, bad=NONE)


def shades(count: int) -> Any:
    """Return so many colours of the scale, from the largest to the smallest."""
    return colour_map()(np.linspace(1, 0, count))


def norm_table(table: Any, ends: tuple[float, float, float, float], label: str, axes: Any) -> Any:
    """Draw norms by the drawings' scale: logarithmic, with colours of their own for 0 and what is not finite.

    ``ends`` are the first and last of the columns and of the rows, whose centres they are.
    """
    axes = new_axes(axes)
    table = np.asarray(table, np.float64)
    scale = Scale(THEME, list(table.ravel()))
    logs = np.clip(log10(table), scale.low, scale.high)
    # Matplotlib has no place for an infinity: just outside of the scale.
    logs = np.where(table == 0, scale.low - 1, np.where(np.isinf(table), scale.high + 1, logs))
    image = _image(axes, logs, ends, scale.low, scale.high)
    axes.figure.colorbar(image, ax=axes, label=label)
    meanings = (
        (table == 0, THEME.faint, "exactly 0"), (np.isinf(table), THEME.alarm, "infinite"),
        (np.isnan(table), NONE, "none"),
    )  # fmt: skip
    patch = matplotlib("patches").Patch
    handles = [patch(facecolor=c, edgecolor=THEME.border, label=w) for there, c, w in meanings if there.any()]
    legend(axes, handles)
    return axes


def value_table(table: Any, ends: tuple[float, float], label: str, axes: Any) -> Any:
    """Draw values between two ends, a row for each, a column for each step from 1 on."""
    axes = new_axes(axes)
    image = _image(axes, np.asarray(table), (1, np.shape(table)[1], 0, len(table) - 1), *ends)
    axes.figure.colorbar(image, ax=axes, label=label)
    over_steps(axes)
    return axes


def _image(axes: Any, table: Any, ends: tuple[float, float, float, float], low: float, high: float) -> Any:
    rows, columns = table.shape
    left, right, top, bottom = ends
    dx = (right - left) / max(columns - 1, 1) / 2 or 0.5
    dy = (bottom - top) / max(rows - 1, 1) / 2 or 0.5
    return axes.imshow(
        table, cmap=colour_map(), vmin=low, vmax=high, interpolation="nearest", aspect="auto",
        extent=(left - dx, right + dx, bottom + dy, top - dy),
    )  # fmt: skip
