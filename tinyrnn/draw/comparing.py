"""`compare`: two runs in one picture."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from tinyrnn.autograd.arguments import COUNT, ITERABLE, SEVERAL, checked, one_of
from tinyrnn.draw.choices import LEVELS, STYLES, WEIGHTS, Level, Shown, Style, ThemeName, Values, Weights
from tinyrnn.draw.composing import compose, has_columns
from tinyrnn.draw.drawing import Drawing
from tinyrnn.draw.reading.unroll import uncollected, unroll
from tinyrnn.draw.style import theme_of
from tinyrnn.draw.unrolled import CENTIMETRES, GRAPH, OPTIONS, options_of
from tinyrnn.draw.writing.dot import stacked_dot

__all__ = ["compare"]


@checked(
    first=GRAPH, second=GRAPH, level=one_of(*LEVELS), names=SEVERAL, weights=one_of(*WEIGHTS),
    show=ITERABLE.or_none(),
    style=one_of(*STYLES), width=CENTIMETRES.or_none(), dpi=COUNT.or_none(), **OPTIONS,
)  # fmt: skip
def compare(
    first: Any,
    second: Any,
    level: Level = "cell",
    *,
    names: Collection[str] = ("first", "second"),
    style: Style = "boxes",
    weights: Weights = "alias",
    values: Values = "summary",
    gradients: bool = True,
    theme: ThemeName = "light",
    max_nodes: int = 400,
    show: Collection[Shown] | None = None,
    width: float | None = None,
    dpi: int | None = None,
    engine: str | None = None,
    timeout: float = 30.0,
) -> Drawing:
    """Draw two runs one above the other, their gradients on one scale: the same colour is the same norm.

    Such as a tanh RNN and an LSTM on the same data, or a model before and after it was trained. A model has
    one gradient for each weight: to compare it with itself at another time, run a copy (`copy.deepcopy`).

    Parameters
    ----------
    first, second : Tensor, or tuples, lists and dicts of Tensors
        As in `unrolled`; the first stands above.
    names : two of str
        What stands over them.
    level, style, weights, values, gradients, theme, max_nodes, show, width, dpi, engine, timeout
        As in `unrolled`, for both.

    Returns
    -------
    Drawing
        What is called ``t3.l0.cell`` in a picture of the first alone is ``1.t3.l0.cell`` here.

    Raises
    ------
    ValueError, TypeError
        As `unrolled`; or neither steps nor modules were found.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> x, losses = tr.ones((3, 1, 2)), []
    >>> for model in tr.nn.RNN(2, 4), tr.nn.LSTM(2, 4):
    ...     with tr.unrolled():
    ...         losses.append((model(x)[0][-1] ** 2).mean())
    ...     losses[-1].backward()
    >>> drawing = tr.draw.compare(*losses, names=("tanh RNN", "LSTM"))
    >>> '"2.t3.l0.cell"' in drawing.source
    True
    """
    if len(names) != 2 or not all(isinstance(name, str) for name in names):
        raise ValueError(f"compare: names is {names!r}; expected two of str")
    options = options_of(
        "compare", level, weights=weights, values=values, gradients=gradients, max_nodes=max_nodes, show=show,
        width=width, style=style,
    )  # fmt: skip
    pictures: list[Any] = []
    with uncollected():
        for name, outputs in zip(names, (first, second), strict=True):
            recorded = unroll(outputs, "compare")
            if not has_columns(recorded, level):
                raise ValueError(
                    f"compare: {name!r} has neither steps nor modules; with tr.scope(step=t) it has"
                )
            pictures.append((name, *compose(recorded, options)))
    return Drawing(
        stacked_dot(pictures, theme_of(theme, style), width), engine=engine, timeout=timeout, dpi=dpi
    )
