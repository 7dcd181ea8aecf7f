"""Draw the unrolled graphs of real models.

    python examples/draw_unrolled.py              # the two pictures of the docs, into docs/pictures
    python examples/draw_unrolled.py DIR --all    # all of them, into DIR

The pictures are the same, byte for byte, wherever this runs with the same version of the layout engine.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np

import tinyrnn as tr

ENGINE = "graphviz-pure"  # draws the same picture on every machine; in the extra tinyrnn[draw]


def tanh_rnn(level: str) -> tr.draw.Drawing:
    """A tanh RNN with a loss at each of four steps, in a loop written by hand."""
    rng = np.random.default_rng(0)
    cell = tr.nn.RNNCell(2, 3, rng=rng, dtype="float64")
    readout = tr.nn.Linear(3, 1, rng=rng, dtype="float64")
    x, target = rng.normal(size=(4, 1, 2)), rng.normal(size=(4, 1, 1))
    with tr.unrolled():
        h, loss = cell.initial_state(1), 0.0
        for t in range(4):
            with tr.scope("rnn", step=t):
                h = cell(tr.tensor(x[t], dtype="float64"), h)
            with tr.scope("readout", step=t):
                loss = loss + tr.mean((readout(h) - target[t]) ** 2)
    loss.backward()
    return tr.draw.unrolled(loss, level, engine=ENGINE)


def bidirectional_gru() -> tr.draw.Drawing:
    """Two layers that read the sequence both ways; a readout of every step."""
    rng = np.random.default_rng(1)
    gru = tr.nn.GRU(2, 3, num_layers=2, bidirectional=True, rng=rng, dtype="float64")
    readout = tr.nn.Linear(6, 1, rng=rng, dtype="float64")
    x = tr.tensor(rng.normal(size=(4, 1, 2)), dtype="float64")
    with tr.unrolled():
        outputs, _ = gru(x)
        with tr.scope("readout"):
            loss = tr.mean(readout(outputs) ** 2)
    loss.backward()
    return tr.draw.unrolled(loss, engine=ENGINE)


def lstm_loss(steps: int, hidden_size: int, seed: int) -> tr.Tensor:
    """Run an LSTM, with a loss at the last step, forward and back."""
    rng = np.random.default_rng(seed)
    lstm = tr.nn.LSTM(2, hidden_size, rng=rng, dtype="float64")
    readout = tr.nn.Linear(hidden_size, 1, rng=rng, dtype="float64")
    x = tr.tensor(rng.normal(size=(steps, 1, 2)), dtype="float64")
    with tr.unrolled():
        outputs, _ = lstm(x)
        with tr.scope("readout"):
            loss = tr.mean((readout(outputs[steps - 1]) - 1.0) ** 2)
    loss.backward()
    return loss


def long_lstm() -> tr.draw.Drawing:
    """A thousand steps with a loss at the last one: by the first, the gradient has vanished."""
    return tr.draw.unrolled(lstm_loss(1000, hidden_size=8, seed=2), engine=ENGINE)


def truncated() -> tr.draw.Drawing:
    """The third window of truncated BPTT with k1 = 5, k2 = 10: five steps replayed, five counted."""
    rng = np.random.default_rng(3)
    rnn = tr.nn.RNN(2, 3, rng=rng, dtype="float64")
    readout = tr.nn.Linear(3, 1, rng=rng, dtype="float64")
    x, y = rng.normal(size=(15, 1, 2)), rng.normal(size=(15, 1, 1))
    bptt = tr.TruncatedBPTT(k1=5, k2=10)
    drawing = None
    with tr.unrolled():
        for window in bptt.windows(x, y):
            outputs = window.run(rnn)
            with tr.scope("readout"):
                loss = tr.mean((readout(outputs) - window.y) ** 2)
            loss.backward()
            drawing = tr.draw.unrolled(loss, windows=[window], engine=ENGINE)
    assert drawing is not None
    return drawing


class MinimalGatedCell(tr.nn.Cell):
    """A cell of one's own: the minimal gated unit (Zhou et al. 2016), with its gate named for the picture."""

    def __init__(self, input_size: int, hidden_size: int, rng: np.random.Generator) -> None:
        self.hidden_size = hidden_size
        self.gate = tr.nn.Linear(input_size + hidden_size, hidden_size, rng=rng, dtype="float64")
        self.candidate = tr.nn.Linear(input_size + hidden_size, hidden_size, rng=rng, dtype="float64")

    def step(self, h: tr.Tensor, x: tr.Tensor) -> tuple[tr.Tensor, tr.Tensor]:
        """``h' = (1 - f) h + f tanh(W [x, f h])``, with the forget gate f."""
        f = tr.sigmoid(self.gate(tr.concatenate([x, h], axis=-1)))
        n = tr.tanh(self.candidate(tr.concatenate([x, f * h], axis=-1)))
        f.name, n.name = "f", "n"
        h = (1 - f) * h + f * n
        return h, h


def custom_cell() -> tr.draw.Drawing:
    """The cell above, gate by gate."""
    rng = np.random.default_rng(4)
    layer = tr.nn.Recurrent(MinimalGatedCell(2, 3, rng))
    x = tr.tensor(rng.normal(size=(3, 1, 2)), dtype="float64")
    with tr.unrolled():
        outputs, _ = layer(x)
        loss = tr.mean(outputs[2] ** 2)
    loss.backward()
    return tr.draw.unrolled(loss, "gate", engine=ENGINE)


def lstm_gates() -> tr.draw.Drawing:
    """Two steps of an LSTM, gate by gate: the cell state runs straight through."""
    return tr.draw.unrolled(lstm_loss(2, hidden_size=3, seed=5), "gate", engine=ENGINE)


COMMITTED: dict[str, Callable[[], tr.draw.Drawing]] = {
    "rnn_cell": lambda: tanh_rnn("cell"),
    "lstm_1000_steps": long_lstm,
}
OTHERS: dict[str, Callable[[], tr.draw.Drawing]] = {
    "rnn_op": lambda: tanh_rnn("op"),
    "rnn_gate": lambda: tanh_rnn("gate"),
    "rnn_layer": lambda: tanh_rnn("layer"),
    "rnn_rolled": lambda: tanh_rnn("rolled"),
    "gru_bidirectional": bidirectional_gru,
    "lstm_gates": lstm_gates,
    "truncated_k1_5_k2_10": truncated,
    "custom_cell": custom_cell,
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw the unrolled graphs of real models, as SVG.")
    parser.add_argument("directory", nargs="?", default="docs/pictures", help="where to (docs/pictures)")
    parser.add_argument(
        "--all", action="store_true", help="all pictures, not only the two that the docs show"
    )
    arguments = parser.parse_args()
    directory = Path(arguments.directory)
    for name, draw in (COMMITTED | OTHERS if arguments.all else COMMITTED).items():
        print(draw().render(directory / f"{name}.svg"))


if __name__ == "__main__":
    main()
