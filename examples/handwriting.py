"""No alignment given: lines of three to nine handwritten digits are read, column by column of pixels, by CTC.

    python examples/handwriting.py [--quick] [--seed N] [--out DIR]

Data: the images of `digit_images` side by side, with gaps of 0 to 3 columns, each up to 2 pixels higher or
lower, and noise. The network is told which digits a line has, and not where they stand. Baseline: the best
frame by frame, which names each column from 7 of them, and learns from lines where *every column* is named.
"""

import ctc_reader
import digit_images
import numpy as np
import task

import tinyrnn as tr

HEIGHT, NOISE = 12, 0.15


def line(images, digits, rng):
    """Return a line (T, HEIGHT), its labels, and the label of each column: blank but for a digit's middle."""
    chosen = rng.integers(len(images), size=rng.integers(3, 10))
    columns, named = [], []
    for image, label in zip(images[chosen], digits[chosen] + 1, strict=True):
        gap, top = rng.integers(4), rng.integers(HEIGHT - 8 + 1)
        columns.append(np.zeros((gap, HEIGHT)))
        columns.append(np.pad(image.T, ((0, 0), (top, HEIGHT - 8 - top))))
        named.append([0] * (gap + 2) + [label] * 4 + [0] * 2)
    pixels = np.concatenate(columns)
    return pixels + NOISE * rng.standard_normal(pixels.shape), digits[chosen] + 1, np.concatenate(named)


def lines(images, digits, rng, count):
    """Return a batch as `ctc_reader` wants it."""
    rows = [line(images, digits, rng) for _ in range(count)]
    pixels, lengths = tr.data.pad_sequence([row[0].astype(np.float32) for row in rows])
    return pixels, lengths, [row[1] for row in rows], tr.data.pad_sequence([row[2] for row in rows])[0]


def main():
    given = task.arguments(__doc__)
    x, y, x_test, y_test = digit_images.load()
    rng = np.random.default_rng(given.seed)
    updates, epochs = (40, 5) if given.quick else (100, 20)
    test = lines(x_test, y_test, np.random.default_rng(1), 100 if given.quick else 500)
    ctc_reader.compare(lambda: lines(x, y, rng, 16), test, 3, updates, epochs, given, "handwriting")


if __name__ == "__main__":
    main()
