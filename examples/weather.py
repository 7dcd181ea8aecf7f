"""Predict tomorrow's weather from a look-back of 10, 100 and 1000 days, when the weather is noise.

    python examples/weather.py                       # all of it, with three figures
    python examples/weather.py --cells rnn lstm gru  # LSTM and GRU beside the RNN
    python examples/weather.py --beside-pytorch      # the time of 100 epochs at look-back 1000
    python examples/weather.py --quick               # ten epochs

A simulation that teaching texts use to show the vanishing gradient: 1,500 random days of three kinds,
one-hot; an RNN of 10 units that reads the last days, many to one; Adam at 0.01, cross-entropy, 100
epochs over all windows at once. The loss falls, and it looks like learning. But each day is drawn by
itself: on new days nothing is better than a third for each kind, a cross-entropy of ln 3 = 1.0986, and
whatever the loss loses below that is memorised. A validation curve on days that were drawn in the same
way shows it.
"""

import argparse
import math
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import tinyrnn as tr

KINDS = ("sunny", "cloudy", "rainy")
UNITS, LR, DAYS = 10, 0.01, 1500
Array = np.ndarray


class Windows(NamedTuple):
    """x, one-hot, (look-back, windows, 3), and the day that follows each, (windows,)."""

    x: Array
    y: Array


def windows(look_back: int, seed: int, days: int = DAYS) -> Windows:
    """Draw days, and cut a window before each that has enough of a past."""
    weather = np.random.default_rng(seed).integers(0, 3, days)
    past = np.lib.stride_tricks.sliding_window_view(weather, look_back)[:-1]
    return Windows(np.eye(3, dtype=np.float32)[past.T], weather[look_back:])


class Forecast(tr.nn.Module):
    """A recurrent layer, and three logits of its last state."""

    def __init__(self, cell: str, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.layer = {"rnn": tr.nn.RNN, "lstm": tr.nn.LSTM, "gru": tr.nn.GRU}[cell](3, UNITS, rng=rng)
        self.head = tr.nn.Linear(UNITS, 3, rng=rng)

    def forward(self, x: Array) -> tr.Tensor:
        """Return (windows, 3)."""
        y, _ = self.layer(x)
        return self.head(y[-1])


class Training(NamedTuple):
    """What `train` saw."""

    losses: list[float]
    validation: list[float]
    norms: dict[str, Array]  # of the gradient at each state, before the first epoch and after the last
    seconds: float  # for the epochs alone


def train(model: Forecast, data: Windows, new_days: Windows, epochs: int) -> Training:
    """Train on all windows at once, and watch the loss on new days."""
    optimizer = tr.optim.Adam(model.parameters(), lr=LR)
    losses: list[float] = []
    validation: list[float] = []
    norms = {"before training": gradient_norms(model, data)}
    seconds = 0.0
    for _ in range(epochs):
        start = time.perf_counter()
        loss = tr.nn.cross_entropy(model(data.x), data.y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        seconds += time.perf_counter() - start
        with tr.no_grad():
            validation.append(tr.nn.cross_entropy(model(new_days.x), new_days.y).item())
    norms[f"after {epochs} epochs"] = gradient_norms(model, data)
    return Training(losses, validation, norms, seconds)


def gradient_norms(model: Forecast, data: Windows) -> Array:
    """Return ‖∂L/∂h_t‖ for each day of the look-back, over the first 50 windows."""
    loss = tr.nn.cross_entropy(model(data.x[:, :50]), data.y[:50])
    states = tr.dynamics.gradient_flow(loss).states
    return next(flow.norm for name, flow in states.items() if name.endswith("h"))


def probabilities(model: Forecast, data: Windows) -> Array:
    """Return what the model gives each kind, (windows, 3)."""
    with tr.no_grad():
        return tr.softmax(model(data.x)).numpy()


# --- figures ------------------------------------------------------------------------------------------------
def panels(count: int, height: float = 3.4) -> tuple[Any, list[Any]]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4 * count, height), layout="constrained")
    return figure, list(figure.subplots(1, count, squeeze=False)[0])


def plot_losses(found: dict[tuple[str, int], Training], path: str) -> None:
    look_backs = sorted({look_back for _, look_back in found})
    figure, axes = panels(len(look_backs))
    for ax, look_back in zip(axes, look_backs):
        for (cell, of), training in found.items():
            if of == look_back:
                (line,) = ax.plot(training.losses, label=f"{cell}, the days it trains on")
                ax.plot(training.validation, ":", color=line.get_color(), label=f"{cell}, new days")
        ax.axhline(math.log(3), color="0.5", linewidth=0.8, label="ln 3, the best on new days")
        ax.set(title=f"look-back {look_back}", xlabel="epoch", ylabel="cross-entropy")
        ax.legend(fontsize="x-small")
    figure.savefig(path, dpi=100)


def plot_norms(found: dict[tuple[str, int], Training], path: str) -> None:
    look_backs = sorted({look_back for _, look_back in found})
    figure, axes = panels(len(look_backs))
    for ax, look_back in zip(axes, look_backs):
        cells = [(cell, training) for (cell, of), training in found.items() if of == look_back]
        for i, (cell, training) in enumerate(cells):
            for (when, norms), style in zip(training.norms.items(), (":", "-")):
                days, shown = np.arange(1, len(norms) + 1), np.where(norms > 0, norms, np.nan)
                ax.semilogy(days, shown, style, color=f"C{i}", label=f"{cell}, {when}")
        ax.set(title=f"look-back {look_back}", xlabel="day t of the look-back", ylabel="‖∂L/∂h_t‖")
        ax.legend(fontsize="x-small")
    figure.savefig(path, dpi=100)


def plot_predictions(found: dict[str, tuple[Array, Array]], path: str) -> None:
    """Plot what each kind is given on forty days, and what came: a panel for each name, two in a row."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 1.9 * (len(found) // 2) + 0.4), layout="constrained")
    axes = figure.subplots(len(found) // 2, 2, squeeze=False).ravel()
    for ax, (name, (given, y)) in zip(axes, found.items()):
        ax.imshow(given[:40].T, aspect="auto", cmap="Greys", vmin=0, vmax=1)
        right = given[:40].argmax(1) == y[:40]
        ax.plot(np.flatnonzero(right), y[:40][right], "o", color="#009E73", markersize=4, label="right")
        ax.plot(np.flatnonzero(~right), y[:40][~right], "x", color="#D55E00", markersize=4, label="wrong")
        share = (given.argmax(1) == y).mean()
        ax.set(title=f"{name}, {share:.0%} right", xlabel="day", yticks=range(3), yticklabels=KINDS)
        ax.title.set_fontsize("small")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower right", ncols=2, fontsize="x-small")
    figure.savefig(path, dpi=100)


# --- beside PyTorch -----------------------------------------------------------------------------------------
def beside_pytorch(look_back: int, epochs: int) -> tuple[float, float]:
    """Return the seconds of so many epochs, of tinyrnn and of PyTorch, five at a time in turn."""
    import torch

    data = windows(look_back, seed=42)
    model = Forecast("rnn", seed=0)
    optimizer = tr.optim.Adam(model.parameters(), lr=LR)

    def ours() -> None:
        loss = tr.nn.cross_entropy(model(data.x), data.y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    rnn, head = torch.nn.RNN(3, UNITS), torch.nn.Linear(UNITS, 3)
    theirs_optimizer = torch.optim.Adam([*rnn.parameters(), *head.parameters()], lr=LR)
    x, y = torch.from_numpy(data.x), torch.from_numpy(data.y)

    def theirs() -> None:
        loss = torch.nn.functional.cross_entropy(head(rnn(x)[0][-1]), y)
        theirs_optimizer.zero_grad()
        loss.backward()
        theirs_optimizer.step()

    seconds = [0.0, 0.0]
    steps: tuple[Callable[[], None], ...] = (ours, theirs)
    for step in steps:
        step()  # the first one compiles, and starts threads
    for _ in range(epochs // 5):
        for i, step in enumerate(steps):
            start = time.perf_counter()
            for _ in range(5):
                step()
            seconds[i] += time.perf_counter() - start
    return seconds[0], seconds[1]


def positive(text: str) -> int:
    """Read a number of the command line that is at least 1."""
    if (number := int(text)) < 1:
        raise ValueError
    return number


def main() -> None:
    parser = argparse.ArgumentParser(description="Predict a weather that is noise.")
    parser.add_argument("--look-backs", type=positive, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--cells", nargs="+", default=["rnn"], choices=["rnn", "lstm", "gru"])
    parser.add_argument("--epochs", type=positive, default=100)
    parser.add_argument("--quick", action="store_true", help="ten epochs, to see what it does")
    parser.add_argument("--beside-pytorch", action="store_true")
    parser.add_argument(
        "-o", "--output", default="weather", help="the figures' names begin with it (weather)"
    )
    arguments = parser.parse_args()
    if max(arguments.look_backs) >= DAYS:
        parser.error(
            f"a look-back is {max(arguments.look_backs)}; expected less than {DAYS}, the days there are"
        )
    epochs = min(arguments.epochs, 10) if arguments.quick else arguments.epochs
    if arguments.beside_pytorch:
        ours, theirs = beside_pytorch(max(arguments.look_backs), epochs)
        print(f"{epochs} epochs at look-back {max(arguments.look_backs)}, in turn with PyTorch:")
        print(f"tinyrnn {ours:.1f} s, PyTorch {theirs:.1f} s: {ours / theirs:.2f} of its time")
        return
    found: dict[tuple[str, int], Training] = {}
    predictions: dict[str, tuple[Array, Array]] = {}
    for look_back in arguments.look_backs:
        data, new_days = windows(look_back, seed=42), windows(look_back, seed=43)
        for cell in arguments.cells:
            model = Forecast(cell, seed=0)
            training = found[cell, look_back] = train(model, data, new_days, epochs)
            first, last = training.norms[f"after {epochs} epochs"][[0, -1]]
            print(
                f"{cell:4} look-back {look_back:4}: loss {training.losses[-1]:.4f}, on new days "
                f"{training.validation[-1]:.4f} (ln 3 = {math.log(3):.4f}); ‖∂L/∂h_t‖ {first:.1e} at the "
                f"first day, {last:.1e} at the last; {training.seconds:.1f} s",
                flush=True,
            )
            if cell == arguments.cells[0]:
                for days, name in ((data, "days it trained on"), (new_days, "new days")):
                    predictions[f"look-back {look_back}: {name}"] = probabilities(model, days), days.y
    plot_losses(found, f"{arguments.output}_losses.png")
    plot_norms(found, f"{arguments.output}_gradients.png")
    plot_predictions(predictions, f"{arguments.output}_predictions.png")


if __name__ == "__main__":
    main()
