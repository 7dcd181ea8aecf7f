"""From what was recorded to a placed picture: which level, which steps, which rows fit."""

from __future__ import annotations

from tinyrnn.autograd.arguments import WHOLE, check
from tinyrnn.draw.arranging.geometry import Layout
from tinyrnn.draw.arranging.place import place
from tinyrnn.draw.arranging.wrap import wrapped
from tinyrnn.draw.choices import LEVELS, Level, Options
from tinyrnn.draw.reading.unroll import Unrolled
from tinyrnn.draw.text import BADGE
from tinyrnn.draw.viewing.captions import add_captions, missing
from tinyrnn.draw.viewing.fold import Column, columns_of
from tinyrnn.draw.viewing.levels import view_of
from tinyrnn.draw.viewing.textbook import as_textbook
from tinyrnn.draw.viewing.tray import add_weights
from tinyrnn.draw.viewing.view import View
from tinyrnn.draw.viewing.windows import windows_of
from tinyrnn.draw.writing.dot import MARGIN

__all__ = ["compose", "has_columns"]

LETTERS = 7.0  # the smallest letters at a given width, in points


def has_columns(recorded: Unrolled, level: Level) -> bool:
    """Whether there are steps, or modules to be drawn as boxes; else there are operations alone."""
    modules = any(unit.role == "module" for unit in recorded.units.values())
    return bool(recorded.steps) or (modules and level != "op")


def compose(recorded: Unrolled, options: Options, unfolded: Column | None = None) -> tuple[View, Layout]:
    """Choose what is shown, and place it.

    Of the steps in ``unfolded``, a folded column, all of a few are shown, else the first and last of them.

    Raises
    ------
    ValueError
        A step to expand is none, or no level is so narrow.
    """
    opened = _opened(recorded, options)
    shades = windows_of(options.windows, recorded.steps)
    borders = {t for window in shades for t in window} - {0}

    def made(level: Level) -> View:
        view = _within(recorded, level, opened, borders, options, unfolded)
        view.shades = shades
        view.notes += missing(recorded, options.gradients)
        add_captions(view, recorded, options, opened)
        add_weights(view, recorded, options)
        if options.style == "textbook":
            view = as_textbook(view, recorded)
        if not options.gradients:
            for arrow in view.arrows:
                arrow.gradient = None
            for column in view.columns:
                column.norms = {}
        if "weights" not in options.shown:
            for box in view.boxes.values():
                box.badges = []
            view.tray = []
        return view

    if options.width is None:
        view = made(options.level)
        return view, place(view)
    limit = options.width / 2.54 * 72 * BADGE / LETTERS - 2 * MARGIN
    for coarser in LEVELS[LEVELS.index(options.level) :]:
        view = made(coarser)
        found = wrapped(view, limit)
        if found is not None:
            if view.level != options.level:
                found[0].notes.append(
                    f"Drawn at level {view.level}: a step at level {options.level} is wider than "
                    f"{options.width:g} cm."
                )
            return found
    raise ValueError(
        f"unrolled: width is {options.width:g} cm; no level of this graph is so narrow in letters of 7 points"
    )


def _opened(recorded: Unrolled, options: Options) -> frozenset[int]:
    """Return the steps to show operation by operation, counted from 0."""
    for t in options.expand:
        check("unrolled", "expand", t, WHOLE)
    opened = frozenset(int(t) - 1 for t in options.expand)
    unknown = sorted(opened - {t for group in recorded.groups for t in group.columns})
    if unknown:
        raise ValueError(
            f"unrolled: expand has step {unknown[0] + 1}; the graph has "
            + (f"steps {recorded.steps[0] + 1} to {recorded.steps[-1] + 1}" if recorded.steps else "no steps")
        )
    if opened and options.level == "rolled":
        raise ValueError(
            "unrolled: expand opens single steps, and level='rolled' has none; use another level"
        )
    return opened


def _within(
    recorded: Unrolled,
    level: Level,
    opened: frozenset[int],
    borders: set[int],
    options: Options,
    unfolded: Column | None,
) -> View:
    """Make the view of a level, or of the finest coarser one that keeps within the number of boxes."""
    asked, most = level, options.max_nodes
    if not recorded.steps:  # without time a module is one box at every level
        level = asked = "layer"
    while True:
        # A layer has no steps to open: with some to open, they are shown between folded ones.
        single = level == "layer" and bool(opened)
        columns = columns_of(recorded, opened, borders, only_expand=single, unfolded=unfolded)
        shown, bare = "cell" if single else level, options.style == "textbook"
        view = view_of(recorded, shown, columns, opened, options.weights, bare=bare)
        count = len(view.boxes) + sum(len(box.badges) for box in view.boxes.values())
        if count <= most or level == LEVELS[-1]:
            break
        level = LEVELS[LEVELS.index(level) + 1]
        opened = frozenset() if level == "layer" else opened
    if level != asked:
        view.notes.append(f"Drawn at level {level}: level {asked} has more than max_nodes = {most} boxes.")
    return view
