"""Learn online, one update a step, what lies further back than the gradient of truncated BPTT may look.

    python examples/online.py              # about two minutes; saves online.png
    python examples/online.py --quick      # a thousand steps

Each row of a stream shows a random sign at each step, and asks for the one of six steps ago. Truncated
backpropagation with k1 = 1 and k2 = 5 never sees both ends of that lag in one window and learns nothing; with
k2 = 20 it does, at the price of running 20 steps for each update. Real-time recurrent learning looks back at
nothing at all: it carries the sensitivities of the state forward.
"""

import argparse
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import tinyrnn as tr

LAG, HIDDEN, ROWS = 6, 12, 4


def signs(steps: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return x and the x of LAG steps before (0 at first), both (T, B, 1)."""
    x = np.random.default_rng(seed).choice([-1.0, 1.0], (steps, ROWS, 1)).astype(np.float32)
    return x, np.concatenate([np.zeros_like(x[:LAG]), x[:-LAG]])


class Learner:
    """A GRU cell with a readout, and their optimiser; equal for all that are compared."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.cell, self.head = tr.nn.GRUCell(1, HIDDEN, rng=rng), tr.nn.Linear(HIDDEN, 1, rng=rng)
        self.parameters = [*self.cell.parameters(), *self.head.parameters()]
        self.optimizer = tr.optim.Adam(self.parameters, lr=0.01)

    def update(self, loss: tr.Tensor, backward: Callable[[tr.Tensor], None]) -> float:
        """Take one step of the optimiser, and return the loss."""
        self.optimizer.zero_grad()
        backward(loss)
        tr.optim.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        return loss.item()


def forward_mode(
    rtrl: type[tr.RTRL], x: np.ndarray, y: np.ndarray, seed: int, **options: Any
) -> Iterator[float]:
    """Learn by carrying sensitivities forward: RTRL, or one of its approximations."""
    learner = Learner(seed)
    online = rtrl(learner.cell, **options)
    online.start(batch=ROWS)
    for x_t, y_t in zip(x, y):
        loss = tr.nn.mse_loss(learner.head(online.step(x_t)), y_t)
        yield learner.update(loss, online.backward)


def truncated(k2: int, x: np.ndarray, y: np.ndarray, seed: int) -> Iterator[float]:
    """Learn by going back k2 steps at each step."""
    learner = Learner(seed)
    layer = tr.nn.Recurrent(learner.cell)

    def model(x: Any, carry: Any) -> Any:
        outputs, carry = layer(x, carry)
        return learner.head(outputs), carry

    for window in tr.TruncatedBPTT(k1=1, k2=k2).windows(x, y):
        loss = tr.nn.mse_loss(window.run(model), window.y)
        yield learner.update(loss, lambda loss: loss.backward())


def learning_curves(steps: int, seed: int = 0, approximations: bool = False) -> dict[str, np.ndarray]:
    """Return the loss at each step, by name."""
    x, y = signs(steps, seed)
    runs = {
        "RTRL": forward_mode(tr.RTRL, x, y, seed),
        "truncated BPTT, k1 = 1, k2 = 5": truncated(5, x, y, seed),
        "truncated BPTT, k1 = 1, k2 = 20": truncated(20, x, y, seed),
    }
    if approximations:
        runs["SnAp-1"] = forward_mode(tr.dynamics.SnAp1, x, y, seed)
        runs["UORO"] = forward_mode(tr.dynamics.UORO, x, y, seed, rng=seed)
    return {name: np.array(list(run)) for name, run in runs.items()}


def smooth(losses: np.ndarray, width: int = 100) -> np.ndarray:
    """Return the means of so many losses in a row."""
    return losses[: len(losses) // width * width].reshape(-1, width).mean(axis=1)


def plot(curves: dict[str, np.ndarray], path: str) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    for (name, losses), line in zip(curves.items(), ("-", "--", "-.", ":", (0, (1, 3)))):
        axes.plot(100 * (1 + np.arange(len(losses) // 100)), smooth(losses), linestyle=line, label=name)
    axes.axhline(1.0, color="0.6", linewidth=0.8)
    axes.set(
        xlabel="step", ylabel="mean squared error (1: nothing is known)", title=f"the sign of {LAG} steps ago"
    )
    axes.legend()
    figure.savefig(path, dpi=110)


def positive(text: str) -> int:
    """Read a number of the command line that is at least 1."""
    if (number := int(text)) < 1:
        raise ValueError
    return number


def main() -> None:
    parser = argparse.ArgumentParser(description="Learn online what truncated BPTT cannot see.")
    parser.add_argument("--steps", type=positive, default=10000)
    parser.add_argument("--quick", action="store_true", help="a thousand steps, to see that it learns")
    parser.add_argument("--approximations", action="store_true", help="SnAp-1 and UORO too")
    parser.add_argument("-o", "--output", default="online.png", help="where the figure goes (online.png)")
    arguments = parser.parse_args()
    steps = min(arguments.steps, 1000) if arguments.quick else arguments.steps
    curves = learning_curves(steps, approximations=arguments.approximations)
    for name, losses in curves.items():
        print(f"{name:34}", *(f"{loss:.2f}" for loss in smooth(losses, max(1, steps // 10))))
    plot(curves, arguments.output)
    print(f"saved {arguments.output}")


if __name__ == "__main__":
    main()
