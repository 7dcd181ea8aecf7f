"""How far back do recurrent networks learn to look? Tasks that ask just that, and their baselines.

    python examples/long_lags.py adding            # the adding problem, T = 50 and 100
    python examples/long_lags.py copy              # the copy task, lag 20 and 50
    python examples/long_lags.py recall            # the longest lag over which a bit is remembered
    python examples/long_lags.py truncation        # what a window of k steps can and cannot learn

Each prints a table; docs/claims.md shows what was measured. --updates N sets
another budget, and --quick a small one.
"""

import argparse
import math
from collections.abc import Callable
from typing import Any

import numpy as np

import tinyrnn as tr

Array = np.ndarray
Batch = tuple[Array, Array]
HIDDEN = 64


# --- tasks --------------------------------------------------------------------------------------------------
def adding(rng: np.random.Generator, steps: int, batch: int) -> Batch:
    """Numbers, two of them marked; the target is the sum of the two (Le, Jaitly and Hinton 2015).

    Returns x, (T, B, 2), and y, (B, 1). Who always says 1 has a mean squared error of 1/6 = 0.167.
    """
    x = np.zeros((steps, batch, 2), np.float32)
    x[..., 0] = rng.uniform(size=(steps, batch))
    rows, half = np.arange(batch), steps // 2
    marks = rng.integers(0, half, batch), rng.integers(half, steps, batch)
    for mark in marks:
        x[mark, rows, 1] = 1
    return x, sum(x[mark, rows, :1] for mark in marks)


def copy(rng: np.random.Generator, lag: int, batch: int) -> Batch:
    """Ten of eight symbols, to be repeated after a pause (Arjovsky, Shah and Bengio 2016).

    Returns x, one-hot, (lag + 20, B, 10), and y, (lag + 20, B), of nine classes: the symbols, and blank (8).
    Who knows when to answer, but remembers nothing, has a cross-entropy of 10 ln 8 / (lag + 20).
    """
    symbols = rng.integers(0, 8, (10, batch))
    tokens = np.full((lag + 20, batch), 8)
    tokens[:10], tokens[lag + 9] = symbols, 9  # 9: now repeat
    answers = np.full((lag + 20, batch), 8)
    answers[lag + 10 :] = symbols
    return np.eye(10, dtype=np.float32)[tokens], answers


def recall(rng: np.random.Generator, lag: int, batch: int) -> Batch:
    """Random bits, the first of them marked: after so many others, say which one it was.

    Returns x, (lag + 1, B, 2), and y, (B,), of two classes. Who remembers nothing is right half of the time.
    """
    bits = rng.integers(0, 2, (lag + 1, batch))
    x = np.zeros((lag + 1, batch, 2), np.float32)
    x[..., 0], x[0, :, 1] = 2 * bits - 1, 1
    return x, bits[0]


# --- models -------------------------------------------------------------------------------------------------
class Reader(tr.nn.Module):
    """A recurrent layer and a readout, of the last step or of all."""

    def __init__(self, layer: tr.nn.Module, outputs: int, rng: np.random.Generator, last: bool) -> None:
        self.layer, self.last = layer, last
        self.head = tr.nn.Linear(HIDDEN, outputs, rng=rng)

    def forward(self, x: Array) -> tr.Tensor:
        """Return (B, outputs), or (T, B, outputs)."""
        y, _ = self.layer(x)
        return self.head(y[-1] if self.last else y)


def xavier_rnn(inputs: int, rng: np.random.Generator) -> tr.nn.Module:
    """A tanh RNN with Glorot and Bengio's weights (2010), and no bias at first."""
    rnn = tr.nn.RNN(inputs, HIDDEN, rng=rng)
    for name, parameter in rnn.named_parameters():
        if "weight" in name:
            tr.nn.init.xavier_uniform_(parameter, rng=rng)
        else:
            tr.nn.init.zeros_(parameter)
    return rnn


def identity_rnn(inputs: int, rng: np.random.Generator) -> tr.nn.Module:
    """IRNN: relu, the identity, inputs of N(0, 0.001²), and no bias at first (Le, Jaitly and Hinton 2015)."""
    rnn = tr.nn.RNN(inputs, HIDDEN, nonlinearity="relu", rng=rng)
    tr.nn.init.normal_(rnn.weight_ih_l0, std=0.001, rng=rng)
    tr.nn.init.identity_(rnn.weight_hh_l0)
    tr.nn.init.zeros_(rnn.bias_ih_l0)
    tr.nn.init.zeros_(rnn.bias_hh_l0)
    return rnn


Make = Callable[[int, np.random.Generator], tr.nn.Module]
MODELS: dict[str, Make] = {
    "RNN, Xavier": xavier_rnn,
    "IRNN": identity_rnn,
    "GRU": lambda inputs, rng: tr.nn.GRU(inputs, HIDDEN, rng=rng),
    "LSTM, forget bias 0": lambda inputs, rng: tr.nn.LSTM(inputs, HIDDEN, forget_bias=0.0, rng=rng),
    "LSTM, forget bias 1": lambda inputs, rng: tr.nn.LSTM(inputs, HIDDEN, forget_bias=1.0, rng=rng),
}


def train(
    model: tr.nn.Module,
    draw: Callable[[], Batch],
    loss_of: Callable[[tr.Tensor, Array], tr.Tensor],
    *,
    updates: int,
    goal: float = 0.0,
    lr: float = 3e-3,
    clip: float = 1.0,
) -> list[float]:
    """Train with Adam on a fresh batch at each update; stop where the mean loss of 50 is below the goal."""
    parameters = list(model.parameters())
    optimizer = tr.optim.Adam(parameters, lr=lr)
    curve: list[float] = []
    while len(curve) < updates and not (len(curve) >= 50 and np.mean(curve[-50:]) < goal):
        x, y = draw()
        loss = loss_of(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        tr.optim.clip_grad_norm_(parameters, clip)
        optimizer.step()
        curve.append(loss.item())
    return curve


def by_class(logits: tr.Tensor, y: Array) -> tr.Tensor:
    """Cross-entropy over all that is asked."""
    return tr.nn.cross_entropy(logits.reshape((-1, logits.shape[-1])), y.reshape(-1))


# --- what is measured ---------------------------------------------------------------------------------------
def solve_adding(name: str, steps: int, updates: int, seed: int = 0) -> tuple[float, int]:
    """Return the mean squared error on 1,000 new rows, and after how many updates."""
    rng = np.random.default_rng(seed)
    model = Reader(MODELS[name](2, rng), 1, rng, last=True)
    curve = train(model, lambda: adding(rng, steps, 50), tr.nn.mse_loss, updates=updates, goal=0.002)
    x, y = adding(rng, steps, 1000)
    with tr.no_grad():
        return tr.nn.mse_loss(model(x), y).item(), len(curve)


def solve_copy(name: str, lag: int, updates: int, seed: int = 0) -> tuple[float, float, int]:
    """Return cross-entropy and the share of right symbols on 1,000 new rows, and after how many updates."""
    rng = np.random.default_rng(seed)
    model = Reader(MODELS[name](10, rng), 9, rng, last=False)
    curve = train(model, lambda: copy(rng, lag, 50), by_class, updates=updates, goal=0.002)
    x, y = copy(rng, lag, 1000)
    with tr.no_grad():
        logits = model(x)
        right = (np.argmax(logits.numpy(), -1) == y)[-10:].mean()
        return by_class(logits, y).item(), float(right), len(curve)


def remembers(name: str, lag: int, updates: int, seed: int = 0) -> float:
    """Return the share of right answers on 1,000 new rows."""
    rng = np.random.default_rng(seed)
    model = Reader(MODELS[name](2, rng), 2, rng, last=True)
    train(model, lambda: recall(rng, lag, 50), by_class, updates=updates, goal=0.005)
    x, y = recall(rng, lag, 1000)
    with tr.no_grad():
        return float((np.argmax(model(x).numpy(), -1) == y).mean())


def longest_lag(name: str, lags: list[int], updates: int, seed: int = 0) -> int:
    """Return the longest of the lags up to the first that is not learnt; 0 where none is."""
    longest = 0
    for lag in lags:
        if remembers(name, lag, updates, seed) < 0.99:
            break
        longest = lag
    return longest


def delayed_copy(delay: int, k: int, *, frozen: bool = False, steps: int = 8000, seed: int = 0) -> float:
    """Learn ``y_t = x_{t-delay}``, x random signs, in windows of k steps; return the error at the end.

    Who knows nothing has a mean squared error of 1. The RNN has an orthogonal start; ``frozen`` trains the
    readout alone.
    """
    rng = np.random.default_rng(seed)
    x = rng.choice([-1.0, 1.0], (steps, 8, 1)).astype(np.float32)
    y = np.concatenate([np.zeros_like(x[:delay]), x[:-delay]])
    rnn, head = xavier_rnn(1, rng), tr.nn.Linear(HIDDEN, 1, rng=rng)
    tr.nn.init.orthogonal_(rnn.weight_hh_l0, rng=rng)
    tr.nn.init.normal_(rnn.weight_ih_l0, std=0.1, rng=rng)
    rnn.requires_grad_(not frozen)
    parameters = [*head.parameters(), *([] if frozen else rnn.parameters())]
    optimizer = tr.optim.Adam(parameters, lr=0.03 if frozen else 0.003)

    def model(x: Array, state: Any) -> Any:
        outputs, state = rnn(x, state)
        return head(outputs), state

    losses: list[float] = []
    for window in tr.TruncatedBPTT(k1=k).windows(x, y):
        loss = tr.nn.mse_loss(window.run(model), window.y)
        optimizer.zero_grad()
        loss.backward()
        tr.optim.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        losses.append(loss.item())
    return float(np.mean(losses[-max(1, 500 // k) :]))


def print_truncation(steps: int) -> None:
    print("delayed copy in windows of k steps: mean squared error at the end; knowing nothing has 1")
    for delay, k, frozen in ((3, 5, False), (8, 5, False), (8, 20, False), (8, 5, True)):
        error = delayed_copy(delay, k, frozen=frozen, steps=steps)
        print(f"delay {delay}, k = {k:2}{', readout alone' if frozen else '':15} {error:8.4f}", flush=True)


def print_adding(updates: int) -> None:
    print(
        "adding problem: mean squared error on new rows, updates; always saying 1 has 0.167, solved is 0.01"
    )
    for steps in (50, 100):
        for name in MODELS:
            error, count = solve_adding(name, steps, updates)
            print(
                f"T = {steps:3}  {name:20} {error:8.5f} {count:6}  {'solved' if error < 0.01 else ''}",
                flush=True,
            )


def print_copy(updates: int) -> None:
    print("copy task: cross-entropy on new rows, share of symbols that are right, updates")
    for lag in (20, 50):
        print(f"lag {lag}: without memory {10 * math.log(8) / (lag + 20):.4f}, and 1/8 of the symbols")
        for name in MODELS:
            loss, right, count = solve_copy(name, lag, updates)
            print(f"lag {lag:3}  {name:20} {loss:8.4f} {right:6.2f} {count:6}", flush=True)


def print_recall(updates: int) -> None:
    lags = [5, 10, 20, 40, 80, 160]
    print(f"recall: the longest of the lags {lags} learnt to 99% in {updates} updates, seeds 0 to 2")
    for name in MODELS:
        print(f"{name:20}", *(f"{longest_lag(name, lags, updates, seed):4}" for seed in range(3)), flush=True)


def positive(text: str) -> int:
    """Read a number of the command line that is at least 1."""
    if (number := int(text)) < 1:
        raise ValueError
    return number


def main() -> None:
    parser = argparse.ArgumentParser(description="How far back do recurrent networks learn to look?")
    parser.add_argument("task", choices=["adding", "copy", "recall", "truncation"])
    parser.add_argument("--updates", type=positive, help="the budget (truncation: steps of the stream)")
    parser.add_argument("--quick", action="store_true", help="a small part of the budget")
    arguments = parser.parse_args()
    show, updates, few = {
        "adding": (print_adding, 4000, 30),
        "copy": (print_copy, 1500, 20),
        "recall": (print_recall, 1000, 50),
        "truncation": (print_truncation, 8000, 1000),
    }[arguments.task]
    show(arguments.updates or (few if arguments.quick else updates))


if __name__ == "__main__":
    main()
