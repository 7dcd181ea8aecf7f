"""`tinyrnn draw` and `tinyrnn step`: a picture, or a page to step through, for who wants no Python."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from tinyrnn.draw.choices import Level, StepperLevel, Style, ThemeName, Values, Weights
from tinyrnn.draw.drawing import FORMATS, format_of
from tinyrnn.draw.stepping.page import MOST_RECORDS, stepper
from tinyrnn.draw.stepping.replay import replay
from tinyrnn.draw.unrolled import unrolled

__all__ = ["CELLS", "LOSSES", "PAGES", "PICTURES", "draw_command", "small_model", "step_command"]

CELLS = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU"}
LOSSES = ("last", "all")
PICTURES = FORMATS
PAGES = ("html",)
# Steps of all layers and directions, and numbers in all states: more takes longer than anyone waits.
MOST_DRAWN, MOST_STEPPED, MOST_NUMBERS = 10_000, 1_000, 10_000_000


def small_model(
    cell: str = "rnn",
    steps: int = 6,
    *,
    layers: int = 1,
    bidirectional: bool = False,
    batch: int = 1,
    hidden_size: int = 4,
    input_size: int = 2,
    loss: str = "last",
    windows: Any = None,
    seed: int = 0,
) -> Any:
    """Return the loss of a small network on random numbers, after ``backward()``, with values and gradients.

    The loss is the mean square of a linear readout of the last step's output, or of those of all steps. With
    ``windows``, a TruncatedBPTT, it goes over the steps window by window; the loss is that of the last one.

    Raises
    ------
    ValueError
        The cell or the loss is none of `CELLS` and `LOSSES`, or a number is not positive.
    """
    import tinyrnn as tr

    for name, value, known in (("cell", cell, CELLS), ("loss", loss, LOSSES)):
        if value not in known:
            raise ValueError(f"draw: {name} is {value!r}; expected one of {', '.join(known)}")
    sizes = {
        "steps": steps, "layers": layers, "batch": batch, "hidden size": hidden_size, "input size": input_size
    }  # fmt: skip
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"draw: {name} is {size}; expected at least 1")
    rng = np.random.default_rng(seed)
    kind = getattr(tr.nn, CELLS[cell])
    model = kind(input_size, hidden_size, num_layers=layers, bidirectional=bidirectional, rng=rng)
    readout = tr.nn.Linear(hidden_size * (2 if bidirectional else 1), 1, rng=rng)
    x = tr.tensor(rng.normal(size=(steps, batch, input_size)), dtype=model.weight_ih_l0.dtype)

    def loss_of(outputs: Any) -> Any:
        with tr.scope("readout"):
            found = tr.mean((readout(outputs if loss == "all" else outputs[-1]) - 1.0) ** 2)
        found.backward()
        return found

    with tr.unrolled():
        if windows is None:
            return loss_of(model(x)[0])
        return [loss_of(window.run(model)) for window in windows.windows(x)][-1]


def draw_command(
    output: str,
    *,
    level: Level = "cell",
    expand: Collection[int] = (),
    theme: ThemeName = "light",
    weights: Weights = "alias",
    values: Values = "summary",
    style: Style = "boxes",
    width: float | None = None,
    dpi: int | None = None,
    animate: bool = False,
    engine: str | None = None,
    **model: Any,
) -> str:
    """Draw a `small_model`, write the picture, and return its path; the suffix of `output` gives the format.

    The rest is as in `tinyrnn.draw.unrolled` and `Drawing.save`.

    Raises
    ------
    ValueError, LayoutError, OSError
        With a message of one line, to be shown to the user.
    """
    suffix = format_of("draw", output, PICTURES)
    for name, given, its in (("animate", animate, "svg"), ("dpi", dpi is not None, "png")):
        if given and suffix != its:
            raise ValueError(f"draw: --{name} is for .{its}; the output is {output!r}")
    _refuse_many(
        "draw", MOST_DRAWN, "a picture folds steps that are alike, so that 12 show the same", **model
    )
    drawing = unrolled(
        small_model(**model), level, expand=expand, theme=theme, weights=weights, values=values,
        windows=model.get("windows"), width=width, dpi=dpi, engine=engine, style=style,
    )  # fmt: skip
    return drawing.save(output, animate=animate)


def step_command(output: str, *, level: StepperLevel = "cell", **model: Any) -> str:
    """Write the page to step through a `small_model`, an .html that begins with a level; return its path.

    Raises
    ------
    ValueError, OSError
        With a message of one line, to be shown to the user.
    """
    format_of("step", output, PAGES)
    _refuse_many("step", MOST_STEPPED, "12 show the same", **model)
    steps, windows = model.get("steps", 6), model.get("windows")
    if windows is None and steps > 3:  # the number of records rises evenly: nobody waits to be refused
        two, three = (_records(**{**model, "steps": n}) for n in (2, 3))
        most = 3 + (MOST_RECORDS - three) // (three - two)
        if steps > most:
            raise ValueError(
                f"step: {steps} steps have {three + (steps - 3) * (three - two):,} records; expected at most "
                f"{MOST_RECORDS:,}, which are {most} steps; 12 show the same"
            )
    return stepper(small_model(**model), level=level).save(output)


def _refuse_many(
    command: str, most: int, advice: str, steps: int = 6, layers: int = 1, bidirectional: bool = False,
    batch: int = 1, hidden_size: int = 4, **_: Any,
) -> None:  # fmt: skip
    """Raise ValueError for a network that is too large, before anything is computed."""
    rows = layers * (2 if bidirectional else 1)
    if rows > most:
        raise ValueError(f"{command}: {layers} layers; expected at most {most // (rows // layers)}")
    if steps * rows > most:
        raise ValueError(f"{command}: {steps} steps; expected at most {most // rows}: {advice}")
    each = steps * rows * hidden_size
    if each > 0 and batch * each > MOST_NUMBERS:
        raise ValueError(f"{command}: a batch of {batch}; expected at most {MOST_NUMBERS // each}")


def _records(**model: Any) -> int:
    run = replay(small_model(**model))
    return len(run.nodes) + len(run.contributions)
