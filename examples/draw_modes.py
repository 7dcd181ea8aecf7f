"""Draw the five modes in which a recurrence is used, for docs/tasks.md.

    python examples/draw_modes.py              # into docs/pictures
    python examples/draw_modes.py DIR

The models are small, and those of the page's code. The pictures are the same, byte for byte, wherever this
runs with the same version of the layout engine.
"""

import argparse
from pathlib import Path

import numpy as np
from draw_unrolled import ENGINE

import tinyrnn as tr

BEGIN, LETTERS = 0, 5


def named(name: str, x: tr.Tensor) -> tr.Tensor:
    """Give an input the name that the picture shows."""
    x.name = name
    return x


def one_to_one() -> tr.Tensor:
    """An image is named: no time at all."""
    image = named("image", tr.randn(1, 6))
    network = tr.nn.Sequential(tr.nn.Linear(6, 4), tr.nn.Tanh(), tr.nn.Linear(4, 3))
    return tr.nn.cross_entropy(network(image), [2])


def one_to_many() -> tr.Tensor:
    """An image is the first state of a decoder, which reads what it wrote."""
    image, seen = named("image", tr.randn(1, 6)), tr.nn.Linear(6, 4)
    decoder = tr.nn.Decoder(tr.nn.Embedding(LETTERS, 3), tr.nn.GRUCell(3, 4), tr.nn.Linear(4, LETTERS))
    word = np.array([[BEGIN], [3], [1], [4]])
    logits, _ = decoder(word[:-1], decoder.begin(seen(image)))
    return tr.nn.cross_entropy(logits, word[1:])


def many_to_one() -> tr.Tensor:
    """The last state names the whole sequence."""
    x, gru, head = tr.randn(4, 1, 3), tr.nn.GRU(3, 4), tr.nn.Linear(4, 3)
    _, h = gru(x)
    return tr.nn.cross_entropy(head(h[-1]), [1])


def aligned() -> tr.Tensor:
    """A tag for each step, which both directions have seen."""
    x, gru, head = tr.randn(3, 1, 3), tr.nn.GRU(3, 4, bidirectional=True), tr.nn.Linear(8, 2)
    return tr.nn.cross_entropy(head(gru(x)[0]), [[0], [1], [0]])


def unaligned() -> tr.Tensor:
    """An encoder reads, and a decoder writes, looking back at all that was read."""
    x, encoder = tr.randn(3, 1, 3), tr.nn.GRU(3, 4)
    decoder = tr.nn.Decoder(
        tr.nn.Embedding(LETTERS, 3),
        tr.nn.GRUCell(3, 4),
        tr.nn.Linear(8, LETTERS),
        tr.nn.DotAttention(4, 4),
    )
    word = np.array([[BEGIN], [2], [4]])
    keys, h = encoder(x)
    logits, _ = decoder(word[:-1], decoder.begin(h[0], keys))
    return tr.nn.cross_entropy(logits, word[1:])


MODES = [one_to_one, one_to_many, many_to_one, aligned, unaligned]


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw the five modes in which a recurrence is used, as SVG.")
    parser.add_argument("directory", nargs="?", default="docs/pictures", help="where to (docs/pictures)")
    directory = Path(parser.parse_args().directory)
    tr.manual_seed(0)
    for mode in MODES:
        with tr.unrolled():
            loss = mode()
        loss.backward()
        print(tr.draw.unrolled(loss, engine=ENGINE).render(directory / f"mode_{mode.__name__}.svg"))


if __name__ == "__main__":
    main()
