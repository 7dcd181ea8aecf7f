"""No alignment given: lines of three to nine handwritten digits are read, column by column of pixels, by CTC.

    python examples/handwriting.py [--quick] [--seed N] [--out DIR]

Data: the images of `digit_images` side by side, with gaps of 0 to 3 columns, each up to 2 pixels higher or
lower, and noise. The network is told which digits a line has, and not where they stand. Baseline: the best
frame by frame: a network that names each column from 7 of them, learnt from lines of which *every column* is
named.
"""

import digit_images
import numpy as np
import task

import tinyrnn as tr

HEIGHT, NOISE, AROUND = 12, 0.15, 3
BLANK = 0  # the digit d is the label d + 1


def line(images, digits, rng):
    """Return a line (T, HEIGHT), its labels, and the label of each column: blank but for a digit's middle."""
    chosen = rng.integers(len(images), size=rng.integers(3, 10))
    columns, named = [], []
    for image, label in zip(images[chosen], digits[chosen] + 1, strict=True):
        gap, top = rng.integers(4), rng.integers(HEIGHT - 8 + 1)
        columns.append(np.zeros((gap, HEIGHT)))
        columns.append(np.pad(image.T, ((0, 0), (top, HEIGHT - 8 - top))))
        named.append([BLANK] * (gap + 2) + [label] * 4 + [BLANK] * 2)
    pixels = np.concatenate(columns)
    return pixels + NOISE * rng.standard_normal(pixels.shape), digits[chosen] + 1, np.concatenate(named)


def lines(images, digits, rng, count):
    """Return padded pixels (T, B, HEIGHT), their lengths, the labels of lines, and those of columns."""
    rows = [line(images, digits, rng) for _ in range(count)]
    pixels, lengths = tr.data.pad_sequence([row[0].astype(np.float32) for row in rows])
    return pixels, lengths, [row[1] for row in rows], tr.data.pad_sequence([row[2] for row in rows])[0]


class Reader(tr.nn.Module):
    """Reads both ways, two columns at a step; gives log probabilities of the ten digits and the blank."""

    def __init__(self):
        self.seen = tr.nn.Conv1d(HEIGHT, 48, 6, stride=2, padding=2)
        self.gru = tr.nn.GRU(48, 64, bidirectional=True)
        self.head = tr.nn.Linear(128, 11)

    def forward(self, pixels, lengths):
        y = tr.relu(self.seen(pixels.transpose(1, 2, 0))).transpose((2, 0, 1))  # along time, and back
        return tr.log_softmax(self.head(self.gru(y, lengths=lengths // 2)[0])), lengths // 2

    def loss(self, pixels, lengths, labels, _):
        log_probs, lengths = self(pixels, lengths)
        return tr.nn.ctc_loss(log_probs, np.concatenate(labels), lengths, [len(row) for row in labels])


class ColumnByColumn(tr.nn.Module):
    """Names each column from what stands next to it, and from nothing else."""

    def __init__(self):
        self.seen = tr.nn.Conv1d(HEIGHT, 128, 2 * AROUND + 1, padding=AROUND)
        self.head = tr.nn.Linear(128, 11)

    def forward(self, pixels, lengths):
        y = tr.relu(self.seen(pixels.transpose(1, 2, 0))).transpose((2, 0, 1))
        return tr.log_softmax(self.head(y)), lengths

    def loss(self, pixels, lengths, _, columns):
        return tr.nn.nll_loss(self(pixels, lengths)[0], columns, lengths=lengths)


def error_rate(model, decode, pixels, lengths, labels):
    with tr.no_grad():
        return 100 * tr.nn.error_rate(decode(*model(pixels, lengths)), labels)


def beam(log_probs, lengths):
    return [found[0][0] for found in tr.nn.ctc_beam_decode(log_probs, lengths)]


def main():
    given = task.arguments(__doc__)
    x, y, x_test, y_test = digit_images.load()
    rng = np.random.default_rng(given.seed)
    *test, _ = lines(x_test, y_test, np.random.default_rng(1), 100 if given.quick else 500)
    updates, epochs = (40, 5) if given.quick else (100, 40)
    columns, reader = ColumnByColumn(), Reader()
    for model in (columns, reader):
        fresh = task.Fresh(lambda: lines(x, y, rng, 16), updates)
        task.train(model, fresh, epochs, lr=1e-2)
    with tr.unrolled():
        loss = reader.loss(test[0][:10, :2], np.array([10, 10]), [row[:2] for row in test[2][:2]], None)
    task.draw(loss, given.out, "handwriting")
    greedy = tr.nn.ctc_greedy_decode
    task.conclude(
        f"digits put in, left out or wrong, % of those in {len(test[1])} lines",
        {
            "column by column": error_rate(columns, greedy, *test),
            "this network": error_rate(reader, greedy, *test),
            "this network, beam search": error_rate(reader, beam, *test),
        },
        model="this network",
    )


if __name__ == "__main__":
    main()
