"""`tinyrnn draw`: a picture from the command line, for who wants no Python."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyrnn.draw import layout
from tinyrnn.draw.drawing import format_of
from tinyrnn.draw.unrolled import unrolled

__all__ = ["CELLS", "draw_command", "small_model"]

CELLS = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU"}
SUFFIXES = (*layout.FORMATS, "dot")


def small_model(
    cell: str = "rnn",
    steps: int = 6,
    *,
    layers: int = 1,
    bidirectional: bool = False,
    hidden_size: int = 4,
    input_size: int = 2,
    seed: int = 0,
) -> Any:
    """Return the loss of a small network on random numbers, recorded with values and gradients.

    Parameters
    ----------
    cell : {"rnn", "lstm", "gru"}
    steps : int
        The number of time steps.
    layers : int
    bidirectional : bool
    hidden_size, input_size, seed : int

    Returns
    -------
    Tensor
        The mean square of a linear readout of the last step's output, after ``backward()``.

    Raises
    ------
    ValueError
        The cell is none of these, or a number is not positive.
    """
    import tinyrnn as tr

    if cell not in CELLS:
        raise ValueError(f"draw: cell is {cell!r}; expected one of {', '.join(CELLS)}")
    sizes = {"steps": steps, "layers": layers, "hidden size": hidden_size, "input size": input_size}
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"draw: {name} is {size}; expected at least 1")
    rng = np.random.default_rng(seed)
    kind = getattr(tr.nn, CELLS[cell])
    model = kind(input_size, hidden_size, num_layers=layers, bidirectional=bidirectional, rng=rng)
    readout = tr.nn.Linear(hidden_size * (2 if bidirectional else 1), 1, rng=rng)
    x = tr.tensor(rng.normal(size=(steps, 1, input_size)), dtype=model.weight_ih_l0.dtype)
    with tr.unrolled():
        outputs, _ = model(x)
        with tr.scope("readout"):
            loss = tr.mean((readout(outputs[steps - 1]) - 1.0) ** 2)
    loss.backward()
    return loss


def draw_command(
    output: str,
    *,
    cell: str = "rnn",
    steps: int = 6,
    level: str = "cell",
    layers: int = 1,
    bidirectional: bool = False,
    hidden_size: int = 4,
    theme: str = "light",
    weights: str = "alias",
    seed: int = 0,
    engine: str | None = None,
) -> str:
    """Draw a small network and write the picture; the suffix of `output` gives the format.

    Parameters
    ----------
    output : str
        Ends in .svg, .png, .pdf, or .dot for the text, which needs no layout engine.
    cell, steps, layers, bidirectional, hidden_size, seed
        As in `small_model`.
    level, theme, weights, engine
        As in `unrolled`.

    Returns
    -------
    str
        The path that was written.

    Raises
    ------
    ValueError, LayoutError, OSError
        With a message of one line, to be shown to the user.
    """
    suffix = format_of("draw", output, SUFFIXES)
    loss = small_model(
        cell, steps, layers=layers, bidirectional=bidirectional, hidden_size=hidden_size, seed=seed
    )
    drawing = unrolled(loss, level, theme=theme, weights=weights, engine=engine)
    return drawing.save(output) if suffix == "dot" else drawing.render(output)
