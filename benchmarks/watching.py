"""What `tr.dynamics.watch` costs a training run that it looks at every 20 updates, in time of the processor.

python benchmarks/watching.py [--turns N]
"""

import argparse
import statistics
import time
from collections.abc import Callable

import measure
import numpy as np

import tinyrnn as tr

SIZES = {"tiny": (50, 16, 32, 32), "charlm": (100, 32, 64, 128), "long": (500, 4, 16, 32)}
EVERY = 20


def seconds(run: Callable[[], None]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description="What watching a training run costs.")
    parser.add_argument("--turns", type=int, default=9)
    arguments = parser.parse_args()
    rows = []
    for size, (T, B, I, H) in SIZES.items():
        for cell in ("RNN", "LSTM", "GRU"):
            rng = np.random.default_rng(0)
            model = getattr(tr.nn, cell)(I, H, rng=rng)
            optimizer = tr.optim.Adam(model.parameters())
            x = rng.normal(size=(T, B, I)).astype(np.float32)
            watched = tr.dynamics.watch(model, every=1)

            def update(model=model, optimizer=optimizer, x=x) -> None:
                loss = (model(x)[0] ** 2).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()

            def watching(update=update, watched=watched) -> None:
                with watched:
                    update()

            update()
            watching()
            plain, looked = zip(*((seconds(update), seconds(watching)) for _ in range(arguments.turns)))
            once, more = statistics.median(plain), statistics.median(looked)
            cost = (more - once) / (EVERY * once)
            rows.append([f"{size} {SIZES[size]}", cell, measure.milliseconds(once), f"{cost:+.1%}"])
    print(measure.markdown(["(T,B,I,H)", "cell", "ms an update", f"watched every {EVERY}"], rows))


if __name__ == "__main__":
    main()
