"""Cells as a user writes them, beside the layer whose matrix products they have: a training step each.

    python benchmarks/own_cells.py [--sizes ...] [--quick]

A peephole LSTM, one with layer normalisation, and one that attends to 20 places, beside `nn.LSTM`; a minimal
gated unit beside `nn.GRU`. Where a cell has more multiplications than its layer, or fewer, the ratio is by
multiplication.
"""

import argparse
import functools
from collections.abc import Callable
from typing import Any

import measure
import numpy as np
import peers

import tinyrnn as tr

SOURCE = 20  # places that the decoder attends to


class Cell(tr.nn.Module):
    """Parameters drawn as those of the layers; ``products`` counts multiplications of a row in a step."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.products = 0
        self.make(inputs, hidden)

    def weight(self, rows: int, columns: int) -> tr.nn.Parameter:
        self.products += rows * columns
        return tr.nn.Parameter(tr.randn(rows, columns) / np.sqrt(self.hidden))

    def vector(self, size: int) -> tr.nn.Parameter:
        return tr.nn.Parameter(tr.randn(size) / np.sqrt(self.hidden))

    def start(self, batch: int) -> Any:
        return tr.zeros((batch, self.hidden)), tr.zeros((batch, self.hidden))


class Peephole(Cell):
    """Gers and Schmidhuber (2000)."""

    def make(self, I: int, H: int) -> None:
        self.w, self.u, self.b = self.weight(I, 4 * H), self.weight(H, 4 * H), self.vector(4 * H)
        self.pi, self.pf, self.po = self.vector(H), self.vector(H), self.vector(H)

    def step(self, state: Any, x: Any) -> Any:
        h, c = state
        i, f, g, o = tr.split(x @ self.w + h @ self.u + self.b, 4, axis=-1)
        i, f = tr.sigmoid(i + self.pi * c), tr.sigmoid(f + self.pf * c)
        c = f * c + i * tr.tanh(g)
        h = tr.sigmoid(o + self.po * c) * tr.tanh(c)
        return (h, c), h


class LayerNorm(Cell):
    """Ba et al. (2016)."""

    def make(self, I: int, H: int) -> None:
        self.w, self.u, self.b = self.weight(I, 4 * H), self.weight(H, 4 * H), self.vector(4 * H)
        self.gx, self.gh, self.gc = self.vector(4 * H), self.vector(4 * H), self.vector(H)

    @staticmethod
    def norm(z: Any, gain: Any) -> Any:
        z = z - z.mean(-1, keepdims=True)
        return z / tr.sqrt((z * z).mean(-1, keepdims=True) + 1e-5) * gain

    def step(self, state: Any, x: Any) -> Any:
        h, c = state
        z = self.norm(x @ self.w, self.gx) + self.norm(h @ self.u, self.gh) + self.b
        i, f, g, o = tr.split(z, 4, axis=-1)
        c = tr.sigmoid(f) * c + tr.sigmoid(i) * tr.tanh(g)
        h = tr.sigmoid(o) * tr.tanh(self.norm(c, self.gc))
        return (h, c), h


class MinimalGatedUnit(Cell):
    """Zhou et al. (2016)."""

    def make(self, I: int, H: int) -> None:
        self.wf, self.uf, self.bf = self.weight(I, H), self.weight(H, H), self.vector(H)
        self.w, self.u, self.b = self.weight(I, H), self.weight(H, H), self.vector(H)

    def start(self, batch: int) -> Any:
        return tr.zeros((batch, self.hidden))

    def step(self, h: Any, x: Any) -> Any:
        f = tr.sigmoid(x @ self.wf + h @ self.uf + self.bf)
        n = tr.tanh(x @ self.w + (f * h) @ self.u + self.b)
        h = (1 - f) * h + f * n
        return h, h


class Attention(Cell):
    """Luong et al. (2015), dot score, with the context joined to the state."""

    def make(self, I: int, H: int) -> None:
        self.w, self.u, self.b = self.weight(I, 4 * H), self.weight(H, 4 * H), self.vector(4 * H)
        self.joined = self.weight(2 * H, H)
        self.products += 2 * SOURCE * H

    def start(self, batch: int) -> Any:
        self.memory = tr.randn(batch, SOURCE, self.hidden)
        return super().start(batch)

    def step(self, state: Any, x: Any) -> Any:
        h, c = state
        i, f, g, o = tr.split(x @ self.w + h @ self.u + self.b, 4, axis=-1)
        c = tr.sigmoid(f) * c + tr.sigmoid(i) * tr.tanh(g)
        h = tr.sigmoid(o) * tr.tanh(c)
        weights = tr.softmax((self.memory @ h.unsqueeze(-1)).squeeze(-1), axis=-1)
        context = (weights.unsqueeze(1) @ self.memory).squeeze(1)
        return (h, c), tr.tanh(tr.concatenate([h, context], axis=-1) @ self.joined)


CELLS: dict[str, tuple[type[Cell], str]] = {
    "peephole LSTM": (Peephole, "LSTM"),
    "layer-norm LSTM": (LayerNorm, "LSTM"),
    "minimal gated unit": (MinimalGatedUnit, "GRU"),
    "LSTM with attention": (Attention, "LSTM"),
}


def scanned(cell: Cell, start: Any, x: Any) -> Any:
    return tr.scan(cell.step, start, x)[1]


def called(layer: Any, x: Any) -> Any:
    return layer(x)[0]


def training_step(run: Callable[[], Any], parameters: list[Any], g: Any, backend: str) -> measure.Run:
    def step() -> None:
        with tr.backend(backend):
            for p in parameters:
                p.grad = None
            run().backward(g)

    return step


def main() -> None:
    parser = argparse.ArgumentParser(description="Cells of one's own beside the layers with their products.")
    parser.add_argument("--sizes", nargs="+", choices=peers.SIZES, default=["tiny", "charlm", "medium"])
    parser.add_argument("--quick", action="store_true", help="one short turn of each")
    given = parser.parse_args()
    turns, seconds = (1, 0.0) if given.quick else (5, 0.3)
    rows = []
    for size in given.sizes:
        T, B, I, H = peers.SIZES[size]
        x, g = tr.randn(T, B, I), tr.randn(T, B, H) / np.sqrt(T * B)
        for name, (kind, layer_name) in CELLS.items():
            cell, layer = kind(I, H), getattr(tr.nn, layer_name)(I, H)
            start = cell.start(B)
            runs = {
                f"{what}, {backend}": training_step(run, list(module.parameters()), g, backend)
                for backend in ("numpy", "numba")
                for what, module, run in (
                    ("cell", cell, functools.partial(scanned, cell, start, x)),
                    ("layer", layer, functools.partial(called, layer, x)),
                )
            }
            times = measure.interleaved(runs, turns=turns, seconds=seconds)
            more = cell.products / (peers.GATES[layer_name] * H * (I + H))
            ratios = [times[f"cell, {b}"] / times[f"layer, {b}"] / more for b in ("numpy", "numba")]
            shown = [measure.milliseconds(times[key]) for key in runs]
            shown += [f"{ratio:.2f}" for ratio in ratios]
            rows.append([f"{size} {peers.SIZES[size]}", name, layer_name, *shown])
    print("ms of a training step, by calls of NumPy and by the loop compiled by Numba\n")
    header = ["cell, NumPy", "layer, NumPy", "cell, Numba", "layer, Numba", "ratio, NumPy", "ratio, Numba"]
    print(measure.markdown(["(T,B,I,H)", "cell", "layer", *header], rows))


if __name__ == "__main__":
    main()
