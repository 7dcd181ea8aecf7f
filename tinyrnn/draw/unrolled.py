"""`unrolled` and `graph`: the pictures, from a Tensor to a `Drawing`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from tinyrnn.autograd.arguments import (
    COUNT,
    FLAG,
    ITERABLE,
    TEXT,
    WHOLE,
    Kind,
    check,
    checked,
    number,
    one_of,
)
from tinyrnn.autograd.primitive import Value
from tinyrnn.draw.arranging.place import place
from tinyrnn.draw.arranging.wrap import wrapped
from tinyrnn.draw.drawing import SECONDS, Drawing
from tinyrnn.draw.reading.captions import add_captions, missing
from tinyrnn.draw.reading.fold import columns_of
from tinyrnn.draw.reading.levels import LEVELS, view_of
from tinyrnn.draw.reading.tray import add_weights
from tinyrnn.draw.reading.unroll import Unrolled, uncollected, unroll
from tinyrnn.draw.reading.view import View
from tinyrnn.draw.reading.windows import windows_of
from tinyrnn.draw.style import THEMES, Theme, theme_of
from tinyrnn.draw.text import BADGE
from tinyrnn.draw.writing.dot import MARGIN, dot_of
from tinyrnn.draw.writing.plain import plain_dot

__all__ = ["graph", "unrolled"]


_OPTIONS: dict[str, Kind] = {
    "values": one_of("summary", "full", "none"),
    "gradients": FLAG,
    "theme": one_of(*THEMES),
    "max_nodes": COUNT,
    "engine": TEXT.or_none(),
    "timeout": SECONDS,
}


SHOWN = ("weights", "shapes", "dtypes", "values", "gradients")
CENTIMETRES = number(1.0, words="a width in centimetres, 1 or more")
LETTERS = 7.0  # the smallest letters at a given width, in points

# What is in them is looked at where it is read.
GRAPH = Kind(
    "a Tensor, or tuples, lists and dicts of Tensors",
    lambda value: isinstance(value, (Value, tuple, list, Mapping)),
)


@checked(
    outputs=GRAPH, level=one_of(*LEVELS), expand=ITERABLE, weights=one_of("alias", "tray"), show=ITERABLE,
    width=CENTIMETRES.or_none(), dpi=COUNT.or_none(), **_OPTIONS,
)  # fmt: skip
def unrolled(
    outputs: Any,
    level: str = "cell",
    *,
    expand: Collection[int] = (),
    weights: str = "alias",
    values: str = "summary",
    gradients: bool = True,
    theme: str = "light",
    max_nodes: int = 400,
    windows: Any = None,
    show: Collection[str] = SHOWN,
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
    show : collection of str
        What is written: any of "weights", "shapes", "dtypes", "values" and "gradients"; without any of them,
        the structure alone.
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
    colours = theme_of(theme)
    shown = _shown(show)
    values, gradients = (values if "values" in shown else "none"), gradients and "gradients" in shown
    with uncollected():
        recorded = unroll(outputs)
        modules = any(unit.role == "module" for unit in recorded.units.values())
        if recorded.steps or (modules and level != "op"):
            source = _source(
                recorded, level, expand, weights, values, gradients, colours, max_nodes, windows, shown, width
            )
        else:
            source = plain_dot(recorded, colours, values, gradients, max_nodes, hint=True)
    return Drawing(source, engine=engine, timeout=timeout, dpi=dpi)


def _shown(show: Collection[str]) -> frozenset[str]:
    for word in show:
        check("unrolled", "show", word, one_of(*SHOWN))
    return frozenset(show)


def _source(
    recorded: Unrolled,
    level: str,
    expand: Collection[int],
    weights: str,
    values: str,
    gradients: bool,
    colours: Theme,
    max_nodes: int,
    windows: Any,
    shown: frozenset[str],
    width: float | None,
) -> str:
    for t in expand:
        check("unrolled", "expand", t, WHOLE)
    opened = frozenset(int(t) - 1 for t in expand)
    unknown = sorted(opened - {t for group in recorded.groups for t in group.columns})
    if unknown:
        raise ValueError(
            f"unrolled: expand has step {unknown[0] + 1}; the graph has "
            + (f"steps {recorded.steps[0] + 1} to {recorded.steps[-1] + 1}" if recorded.steps else "no steps")
        )
    if opened and level == "rolled":
        raise ValueError(
            "unrolled: expand opens single steps, and level='rolled' has none; use another level"
        )
    shades = windows_of(windows, recorded.steps)
    borders = {t for replay, start, stop in shades for t in (replay, start, stop)} - {0}

    def made(level: str) -> View:
        view = _within(recorded, level, opened, borders, weights, max_nodes)
        view.shades = shades
        view.notes += missing(recorded, gradients)
        add_captions(view, recorded, values, gradients, opened, shown, narrow=width is not None)
        add_weights(view, recorded, weights == "tray", gradients, shown)
        if not gradients:
            _drop_gradients(view)
        if "weights" not in shown:
            _drop_weights(view)
        return view

    if width is None:
        view = made(level)
        return dot_of(view, place(view), colours)
    limit = width / 2.54 * 72 * BADGE / LETTERS - 2 * MARGIN
    for coarser in LEVELS[LEVELS.index(level) :]:
        view = made(coarser)
        found = wrapped(view, limit)
        if found is not None:
            if view.level != level:
                found[0].notes.append(
                    f"Drawn at level {view.level}: a step at level {level} is wider than {width:g} cm."
                )
            return dot_of(*found, colours, width)
    raise ValueError(
        f"unrolled: width is {width:g} cm; no level of this graph is so narrow in letters of 7 points"
    )


@checked(tensor=GRAPH, **_OPTIONS)
def graph(
    tensor: Any,
    *,
    values: str = "summary",
    gradients: bool = True,
    theme: str = "light",
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
    source = plain_dot(unroll(tensor, "graph"), theme_of(theme), values, gradients, max_nodes)
    return Drawing(source, engine=engine, timeout=timeout)


def _within(
    recorded: Unrolled, level: str, opened: frozenset[int], borders: set[int], weights: str, most: int
) -> View:
    """Make the view of a level, or of the finest coarser one that keeps within the number of boxes."""
    asked = level
    if not recorded.steps:  # without time a module is one box at every level
        level = asked = "layer"
    while True:
        # A layer has no steps to open: with some to open, they are shown between folded ones.
        single = level == "layer" and bool(opened)
        shown = "cell" if single else level
        columns = columns_of(recorded, opened, borders, only_expand=single)
        view = view_of(recorded, shown, columns, opened, weights)
        count = len(view.boxes) + sum(len(box.badges) for box in view.boxes.values())
        if count <= most or level == LEVELS[-1]:
            break
        level = LEVELS[LEVELS.index(level) + 1]
        if level == "layer" and opened:
            opened = frozenset()
    if level != asked:
        view.notes.append(f"Drawn at level {level}: level {asked} has more than max_nodes = {most} boxes.")
    return view


def _drop_gradients(view: View) -> None:
    for arrow in view.arrows:
        arrow.gradient = None
    for column in view.columns:
        column.norms = {}


def _drop_weights(view: View) -> None:
    for box in view.boxes.values():
        box.badges = []
    view.tray = []
