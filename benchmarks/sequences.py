"""What stands around a recurrence, beside PyTorch: the CTC loss, and convolutions. Forward and backward.

    python benchmarks/sequences.py [SECTION ...] [--quick]

Sections: ctc, convolution. Both if none is named. PyTorch comes with ``pip install "tinyrnn[bench]"``.
"""

import argparse
from collections.abc import Callable

import measure
import numpy as np
import torch

import tinyrnn as tr


def pairs(title: str, rows: dict[str, tuple[measure.Run, measure.Run]], turns: int, seconds: float) -> None:
    """Print a table of our time beside PyTorch's."""
    print(
        f"\n## {title}\n\nms, forward and backward; the ratio is tinyrnn's time as a multiple of PyTorch's.\n"
    )
    table = []
    for name, (ours, theirs) in rows.items():
        times = measure.interleaved({"ours": ours, "theirs": theirs}, turns=turns, seconds=seconds)
        ratio = f"{times['ours'] / times['theirs']:.2f}"
        table.append([name, *map(measure.milliseconds, times.values()), ratio])
    print(measure.markdown(["", "tinyrnn", "PyTorch", "ratio"], table))


def ctc(turns: int, seconds: float) -> None:
    """Print the CTC loss through a log-softmax, all rows of one length, and of many."""
    T, B, C, L = 150, 16, 29, 30
    rng = np.random.default_rng(0)
    z, targets = rng.standard_normal((T, B, C)).astype(np.float32), rng.integers(1, C, (B, L))

    def case(lengths: np.ndarray, counts: np.ndarray) -> tuple[measure.Run, measure.Run]:
        x, x_theirs = tr.tensor(z, requires_grad=True), torch.tensor(z, requires_grad=True)
        given = [torch.tensor(a) for a in (targets, lengths, counts)]

        def ours() -> None:
            x.grad = None
            tr.nn.ctc_loss(tr.log_softmax(x), targets, lengths, counts).backward()

        def theirs() -> None:
            x_theirs.grad = None
            torch.nn.functional.ctc_loss(x_theirs.log_softmax(-1), *given).backward()

        return ours, theirs

    rows = {
        f"(T,B,C,L) = {T, B, C, L}": case(np.full(B, T), np.full(B, L)),
        "lengths 75 to 150, 15 to 30": case(rng.integers(75, T + 1, B), rng.integers(15, L + 1, B)),
    }
    pairs("CTC loss", rows, turns, seconds)


def convolution(turns: int, seconds: float) -> None:
    """Print convolutions and pooling of (32, 8, 28, 28)."""
    z = np.random.default_rng(0).standard_normal((32, 8, 28, 28)).astype(np.float32)

    def case(make: Callable) -> tuple[measure.Run, measure.Run]:
        a, b = make(tr.nn), make(torch.nn)
        x, x_theirs = tr.tensor(z, requires_grad=True), torch.tensor(z, requires_grad=True)
        g = np.random.default_rng(1).standard_normal(a(x).shape).astype(np.float32)
        g_theirs = torch.tensor(g)

        def ours() -> None:
            x.grad = None
            a.zero_grad()
            a(x).backward(g)

        def theirs() -> None:
            x_theirs.grad = None
            b.zero_grad()
            b(x_theirs).backward(g_theirs)

        return ours, theirs

    rows = {
        "Conv2d(8, 16, 3)": case(lambda nn: nn.Conv2d(8, 16, 3)),
        "Conv2d(8, 16, 3, padding=1)": case(lambda nn: nn.Conv2d(8, 16, 3, padding=1)),
        "Conv2d(8, 16, 5, stride=2)": case(lambda nn: nn.Conv2d(8, 16, 5, stride=2)),
        "MaxPool2d(2)": case(lambda nn: nn.MaxPool2d(2)),
        "AvgPool2d(2)": case(lambda nn: nn.AvgPool2d(2)),
    }
    pairs("Convolution and pooling of (32, 8, 28, 28)", rows, turns, seconds)


SECTIONS = {"ctc": ctc, "convolution": convolution}


def main() -> None:
    parser = argparse.ArgumentParser(description="Time what stands around a recurrence.")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--quick", action="store_true", help="fewer turns: a look, not a measurement")
    given = parser.parse_args()
    unknown = [name for name in given.sections if name not in SECTIONS]
    if unknown:
        parser.error(f"no section {unknown[0]}; there are {', '.join(SECTIONS)}")
    turns, seconds = (2, 0.05) if given.quick else (7, 0.3)
    for name in given.sections or SECTIONS:
        SECTIONS[name](turns, seconds)


if __name__ == "__main__":
    main()
