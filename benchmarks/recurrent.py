"""The layers RNN, LSTM and GRU beside PyTorch's and beside a scan in JAX; and what they cost in other ways.

    python benchmarks/recurrent.py [SECTION ...] [--quick] [--cells ...] [--sizes ...] [--only PEER ...]

Sections: training (the table of training steps), floor (the matrix products of a pass alone), forward (with
and without no_grad), streaming, memory, long (T = 100,000), binding (a new shape). All if none is named. A
peer that is not installed is left out (``pip install "tinyrnn[bench]"`` has them all).
"""

import argparse
import os
import sys
from collections.abc import Callable

import costs
import measure
import peers
from costs import Options


def training(options: Options) -> None:
    """Print the table of training steps."""
    print(
        "\n## Training step\n\nms; in brackets, what tinyrnn takes as a multiple of the peer's time: by calls"
    )
    print("of NumPy, and by the loop compiled by Numba where that is measured too.\n")
    rows = []
    for size in options.sizes:
        for cell in options.cells:
            arrays = peers.make_arrays(cell, *peers.SIZES[size])
            steps = {name: peers.PEERS[name](cell, arrays) for name in options.peers}
            problem = peers.disagreement(steps)
            if problem:
                sys.exit(f"{cell} at {size}: {problem}; their times would compare nothing")
            times = measure.interleaved(steps, turns=options.turns, seconds=options.seconds)
            cells = [measure.milliseconds(times[name]) for name in options.peers]
            ours = [times[name] for name in options.peers if name.startswith("tinyrnn")]
            for i, name in enumerate(options.peers):
                if ours and not name.startswith("tinyrnn"):
                    cells[i] += f" ({', '.join(f'{own / times[name]:.2f}' for own in ours)})"
            rows.append([f"{size} {peers.SIZES[size]}", cell, *cells])
    print(measure.markdown(["(T,B,I,H)", "cell", *options.peers], rows))


SECTIONS: dict[str, Callable[[Options], None]] = {
    "training": training,
    "floor": costs.floor,
    "forward": costs.forward,
    "streaming": costs.streaming,
    "memory": costs.memory,
    "long": costs.long,
    "binding": costs.binding,
}


def installed(names: list[str]) -> list[str]:
    present = []
    for name in names:
        try:
            peers.PEERS[name]("RNN", peers.make_arrays("RNN", 1, 1, 1, 1))
            present.append(name)
        except ImportError as error:
            print(f"{name} is left out: {error}")
    return present


def main() -> None:
    os.environ.setdefault("TINYRNN_BACKEND", "numpy")  # what is not said to be another one
    parser = argparse.ArgumentParser(description="Time the recurrent layers.")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--quick", action="store_true", help="fewer turns: a look, not a measurement")
    parser.add_argument("--cells", nargs="+", choices=list(peers.GATES), default=list(peers.GATES))
    parser.add_argument("--sizes", nargs="+", choices=list(peers.SIZES), default=list(peers.SIZES))
    parser.add_argument("--only", nargs="+", choices=list(peers.PEERS), default=list(peers.PEERS))
    given = parser.parse_args()
    unknown = [name for name in given.sections if name not in SECTIONS]
    if unknown:
        parser.error(f"no section {unknown[0]}; there are {', '.join(SECTIONS)}")
    turns, seconds = (2, 0.05) if given.quick else (7, 0.5)
    options = Options(given.cells, given.sizes, installed(given.only), turns, seconds)
    for name in given.sections or SECTIONS:
        SECTIONS[name](options)


if __name__ == "__main__":
    main()
