"""Streaming: an endless sensor, learnt online while it is predicted, in constant memory.

    python examples/streaming_sensor.py [--quick] [--seed N] [--out DIR]

The sensor is a wave with overtones whose frequency wanders and which, once in a while, changes its form,
under noise that remembers (an autoregression). Every prediction is of a value that the model has not
seen, and is counted before the model learns from it. Since the noise is ours, the error below which
nobody can go is known.
"""

import sys
from collections.abc import Iterator
from itertools import islice

import numpy as np
import task

import tinyrnn as tr

SIGMA = 0.1  # of what is new in the noise at each step


def sensor(rng: np.random.Generator, chunk: int = 1000) -> Iterator[np.float32]:
    """Give value after value, without end."""
    phase, noise, overtones = 0.0, 0.0, rng.normal(size=3) / [1, 2, 3]
    frequency = 0.15
    while True:
        draws = rng.normal(size=(3, chunk))
        for new, drift, change in draws.T.tolist():
            frequency = min(max(frequency + 2e-4 * drift, 0.08), 0.25)
            phase += frequency
            if change > 3.7:  # once in ten thousand steps
                overtones = rng.normal(size=3) / [1, 2, 3]
            noise = 0.8 * noise + SIGMA * new
            yield np.float32(np.sin(phase) + overtones @ np.sin([2 * phase, 3 * phase, 4 * phase]) + noise)


def steps_of(values: Iterator[np.float32]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pair each value with the one that follows, as (B, features) = (1, 1)."""
    last = next(values)
    for value in values:
        yield np.array([[last]]), np.array([[value]])
        last = value


class Predictor(tr.nn.Module):
    """Says by how much the next value differs."""

    def __init__(self, hidden: int) -> None:
        self.rnn = tr.nn.GRU(1, hidden)
        self.head = tr.nn.Linear(hidden, 1)

    def forward(self, x, carry=None):
        """Map values (T, 1, 1) to those that follow, and go on from the carry."""
        x = tr.as_tensor(x)
        y, carry = self.rnn(x, carry)
        return x + self.head(y), carry


def memory() -> float:
    """Return the largest memory that this process has had, in MB."""
    import resource

    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest / (1e6 if sys.platform == "darwin" else 1e3)


def main() -> None:
    given = task.arguments(__doc__)
    rng = np.random.default_rng(given.seed)
    steps = 40_000 if given.quick else 1_000_000
    model = Predictor(16)
    optimizer = tr.optim.Adam(model.parameters(), lr=3e-3)
    model_error = persistence = 0.0
    counted, early = 0, 0.0
    for window in tr.TruncatedBPTT(k1=16, k2=32).stream(islice(steps_of(sensor(rng)), steps)):
        predicted = window.run(model)
        loss = tr.nn.mse_loss(predicted, window.y)
        optimizer.zero_grad()
        loss.backward()
        tr.optim.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if window.stop > steps // 2:  # what was said before this update
            model_error += loss.item() * window.y.size
            persistence += float(((window.x - window.y) ** 2).sum())
            counted += window.y.size
        if not early and window.stop > steps // 10:
            early = memory()
    print(
        f"{steps:,} steps; the most memory used: {early:.1f} MB after a tenth, {memory():.1f} MB at the end"
    )
    model.zero_grad()
    few = [(window.x[i], window.y[i]) for i in range(5)]
    with tr.unrolled():
        for window in tr.TruncatedBPTT(k1=2, k2=4).stream(few):
            loss = tr.nn.mse_loss(window.run(model), window.y)
    task.draw(loss, given.out, "streaming_sensor")
    task.conclude(
        "mean squared error of the next value, in variances of the noise, over the second half",
        {
            "persistence": persistence / counted / SIGMA**2,
            "GRU, online": model_error / counted / SIGMA**2,
            "best possible": 1.0,
        },
        model="GRU, online",
    )


if __name__ == "__main__":
    main()
