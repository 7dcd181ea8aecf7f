"""`unrolled` and `graph`: the pictures, from a Tensor to a `Drawing`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from tinyrnn.autograd.arguments import COUNT, FLAG, ITERABLE, TEXT, Kind, check, checked, number, one_of
from tinyrnn.autograd.primitive import Value
from tinyrnn.draw.choices import (
    LEVELS,
    SHOWN,
    STYLES,
    THEME_NAMES,
    VALUES,
    WEIGHTS,
    Level,
    Options,
    Shown,
    Style,
    ThemeName,
    Values,
    Weights,
)
from tinyrnn.draw.composing import compose, has_columns
from tinyrnn.draw.drawing import SECONDS, Drawing
from tinyrnn.draw.exploring.behind import behind_boxes, behind_records, unchanged
from tinyrnn.draw.reading.unroll import uncollected, unroll
from tinyrnn.draw.style import theme_of
from tinyrnn.draw.writing.dot import dot_of
from tinyrnn.draw.writing.plain import plain_dot

__all__ = ["graph", "options_of", "unrolled"]


OPTIONS: dict[str, Kind] = {
    "values": one_of(*VALUES),
    "gradients": FLAG,
    "theme": one_of(*THEME_NAMES),
    "max_nodes": COUNT,
    "engine": TEXT.or_none(),
    "timeout": SECONDS,
}


CENTIMETRES = number(1.0, words="a width in centimetres, 1 or more")

# What is in them is looked at where it is read.
GRAPH = Kind(
    "a Tensor, or tuples, lists and dicts of Tensors",
    lambda value: isinstance(value, (Value, tuple, list, Mapping)),
)


@checked(
    outputs=GRAPH, level=one_of(*LEVELS), style=one_of(*STYLES), expand=ITERABLE,
    weights=one_of(*WEIGHTS), show=ITERABLE.or_none(), width=CENTIMETRES.or_none(),
    dpi=COUNT.or_none(), **OPTIONS,
)  # fmt: skip
def unrolled(
    outputs: Any,
    level: Level = "cell",
    *,
    style: Style = "boxes",
    expand: Collection[int] = (),
    weights: Weights = "alias",
    values: Values = "summary",
    gradients: bool = True,
    theme: ThemeName = "light",
    max_nodes: int = 400,
    windows: Any = None,
    show: Collection[Shown] | None = None,
    width: float | None = None,
    dpi: int | None = None,
    engine: str | None = None,
    timeout: float = 30.0,
) -> Drawing:
    """Draw the graph of a recurrent model, unrolled in time.

    Time runs from left to right, layers from bottom to top. A solid arrow is a value, the dashed one beside
    it the gradient that came back, wider and stronger in colour the larger its norm (on a logarithmic scale).
    The number on a recurrent arrow is ‖∂L/∂h‖ of the state that it carries.

    Parameters
    ----------
    outputs : Tensor, or tuples, lists and dicts of Tensors
        What the model computed: a loss, or outputs. Values are shown where it was computed inside
        ``with tr.unrolled():``, gradients after ``backward()`` too.
    level : {"op", "gate", "cell", "layer", "rolled"}
        One box for each operation; for each gate; for each cell at each step; for each layer; or the loop
        before it is unrolled.
    style : {"boxes", "textbook"}
        As a textbook prints it: ⊙, +, σ and tanh in circles, weights by name, h_t along the top, in black,
        white and greys; of the structure alone, unless `show` says more.
    expand : collection of int
        Steps to show operation by operation, by the numbers in the picture: the first step is 1.
    weights : {"alias", "tray"}
        Shared weights as a small copy at each use, or once each in a tray, with the size of what each step
        adds to the gradient.
    values : {"summary", "full", "none"}
        Norm, smallest and largest element; small arrays (up to 8 x 8) in full; or shape and dtype only.
    gradients : bool
        Whether to show them.
    theme : {"light", "dark"}
    max_nodes : int
        With more boxes than this, weights' aliases included, the next coarser level is drawn, and a note says
        so.
    windows : TruncatedBPTT, or list of windows, optional
        Windows of truncated backpropagation through time to shade: what `tinyrnn.TruncatedBPTT.windows` gave,
        or triples ``(replay_start, start, stop)``. From a TruncatedBPTT itself the windows follow by its k1
        and k2.
    show : collection of str, optional
        What is written: any of "weights", "shapes", "dtypes", "values" and "gradients"; without any of them,
        the structure alone. All of them, if not given.
    width : float, optional
        How wide the picture is, in centimetres, for print. No letter is smaller than 7 points: what would
        make it so wraps into rows of fewer steps, and where a single step is too wide, the next coarser
        level is drawn, and a note says so.
    dpi : int, optional
        Dots per inch of a PNG; 96 if not given.
    engine, timeout
        As in `Drawing`.

    Returns
    -------
    Drawing

    Raises
    ------
    ValueError
        Nothing was recorded, or an option is not one of those above.
    TypeError
        `outputs` holds something that is not a Tensor.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> w, h = tr.tensor(0.5, requires_grad=True), tr.tensor(1.0)
    >>> with tr.unrolled():
    ...     for t in range(3):
    ...         with tr.scope("rnn", step=t):
    ...             h = tr.tanh(w * h)
    >>> drawing = tr.draw.unrolled(h)
    >>> '"t3.rnn.cell"' in drawing.source
    True
    """
    options = options_of(
        "unrolled", level, expand=expand, weights=weights, values=values, gradients=gradients,
        max_nodes=max_nodes, windows=windows, show=show, width=width, style=style,
    )  # fmt: skip
    colours = theme_of(theme, style)
    with uncollected():
        recorded = unroll(outputs)
        if has_columns(recorded, level):
            source = dot_of(*compose(recorded, options), colours, width)
            behind = unchanged(recorded, lambda: behind_boxes(recorded, options, colours))
        else:
            source = plain_dot(recorded, colours, options.values, options.gradients, max_nodes, hint=True)
            behind = unchanged(recorded, lambda: behind_records(recorded, max_nodes))
    return Drawing(source, engine=engine, timeout=timeout, dpi=dpi, behind=behind)


def options_of(
    where: str,
    level: Level,
    *,
    style: Style,
    values: Values,
    gradients: bool,
    show: Collection[Shown] | None,
    **more: Any,
) -> Options:
    """Return what is asked of a picture."""
    if show is None:
        show = () if style == "textbook" else SHOWN
    for word in show:
        check(where, "show", word, one_of(*SHOWN))
    shown = frozenset(show)
    values, gradients = values if "values" in shown else "none", gradients and "gradients" in shown
    return Options(level, style=style, values=values, gradients=gradients, shown=shown, **more)


@checked(tensor=GRAPH, **OPTIONS)
def graph(
    tensor: Any,
    *,
    values: Values = "summary",
    gradients: bool = True,
    theme: ThemeName = "light",
    max_nodes: int = 400,
    engine: str | None = None,
    timeout: float = 30.0,
) -> Drawing:
    """Draw the graph of any computation, operation by operation, with no regard to time.

    Parameters
    ----------
    tensor : Tensor, or tuples, lists and dicts of Tensors
    values, gradients, theme, engine, timeout
        As in `unrolled`.
    max_nodes : int
        Of a larger graph only the newest operations are drawn, and a note says so.

    Returns
    -------
    Drawing

    Raises
    ------
    ValueError, TypeError
        As `unrolled`.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> x = tr.tensor([1.0, 2.0], requires_grad=True)
    >>> print(graph((x * x).sum(), values="none").source.splitlines()[0])
    digraph "graph" {
    """
    recorded = unroll(tensor, "graph")
    source = plain_dot(recorded, theme_of(theme), values, gradients, max_nodes)
    behind = unchanged(recorded, lambda: behind_records(recorded, max_nodes))
    return Drawing(source, engine=engine, timeout=timeout, behind=behind)
