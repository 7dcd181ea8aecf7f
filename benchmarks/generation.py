"""What `tr.generate` and `tr.beam_search` cost beside the bare streaming steps of the same model.

    python benchmarks/generation.py [--quick]

The bare loop calls the model on one token after another (T = 1, no_grad) and does nothing with the logits:
what is above 1 is the price of choosing. Beam search of width W is beside bare steps of B * W rows.
"""

import argparse
from itertools import islice

import measure
import numpy as np

import tinyrnn as tr

STEPS = 200
SIZES = {"demo": (1, 96, 64, 128), "batch": (32, 96, 64, 128), "words": (8, 5000, 128, 256)}  # B, C, E, H


class Model(tr.nn.Module):
    """Tokens to the logits of those that follow."""

    def __init__(self, classes: int, embedding: int, hidden: int) -> None:
        self.embedding = tr.nn.Embedding(classes, embedding)
        self.recurrent = tr.nn.GRU(embedding, hidden)
        self.head = tr.nn.Linear(hidden, classes)

    def forward(self, tokens, state=None):
        y, state = self.recurrent(self.embedding(tokens), state)
        return self.head(y), state


def bare(model: Model, batch: int, steps: int) -> measure.Run:
    token = np.zeros((1, batch), int)

    def run() -> None:
        state = None
        for _ in range(steps):
            with tr.no_grad():
                _, state = model(token, state)

    return run


def generated(model: Model, batch: int, steps: int, **options) -> measure.Run:
    token = np.zeros((1, batch), int)

    def run() -> None:
        for _ in islice(tr.generate(model, token, rng=0, **options), steps):
            pass

    return run


def searched(model: Model, batch: int, steps: int, width: int) -> measure.Run:
    token = np.zeros((1, batch), int)
    return lambda: tr.beam_search(model, token, width=width, length=steps)


CHOICES = {
    "greedy": {"temperature": 0},
    "temperature": {"temperature": 0.8},
    "top-k": {"top_k": 10},
    "nucleus": {"top_p": 0.9},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer turns")
    quick = parser.parse_args().quick
    tr.manual_seed(0)
    rows = []
    for name, (batch, classes, embedding, hidden) in SIZES.items():
        model = Model(classes, embedding, hidden)
        runs = {"bare": bare(model, batch, STEPS)}
        runs |= {kind: generated(model, batch, STEPS, **options) for kind, options in CHOICES.items()}
        times = measure.interleaved(runs, turns=3 if quick else 9, seconds=0.1 if quick else 0.5)
        steps = STEPS // 5
        beam = {"bare": bare(model, batch * 4, steps), "beam": searched(model, batch, steps, 4)}
        beams = measure.interleaved(beam, turns=3 if quick else 9, seconds=0.1 if quick else 0.5)
        ratios = [f"{times[kind] / times['bare']:.2f}" for kind in CHOICES]
        step = f"{times['bare'] / STEPS * 1e6:.0f}"
        rows.append([f"{name} {SIZES[name]}", step, *ratios, f"{beams['beam'] / beams['bare']:.2f}"])
    print("Time of a token, as a multiple of the bare streaming step's\n")
    print(measure.markdown(["(B, C, E, H)", "bare, µs", *CHOICES, "beam of 4"], rows))


if __name__ == "__main__":
    main()
