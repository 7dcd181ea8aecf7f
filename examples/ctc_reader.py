"""A network that reads lines of digits by CTC, and its baseline that names frame by frame.

A batch is (frames (T, B, features), lengths, the labels of each line, those of each frame (T, B)). The label
0 is the blank, the digit d is d + 1.
"""

import numpy as np
import task

import tinyrnn as tr

LABELS = 11


class Reader(tr.nn.Module):
    """Reads both ways, two frames at a step, and gives log probabilities of the ten digits and the blank."""

    def __init__(self, features):
        self.seen = tr.nn.Conv1d(features, 48, 6, stride=2, padding=2)
        self.gru = tr.nn.GRU(48, 64, bidirectional=True)
        self.head = tr.nn.Linear(128, LABELS)

    def forward(self, frames, lengths):
        y = tr.relu(self.seen(frames.transpose(1, 2, 0))).transpose((2, 0, 1))  # along time, and back
        return tr.log_softmax(self.head(self.gru(y, lengths=lengths // 2)[0])), lengths // 2

    def loss(self, frames, lengths, labels, _):
        log_probs, lengths = self(frames, lengths)
        return tr.nn.ctc_loss(log_probs, np.concatenate(labels), lengths, [len(row) for row in labels])


class FrameByFrame(tr.nn.Module):
    """Names each frame from itself and ``around`` on each side. It is told the label of every frame."""

    def __init__(self, features, around):
        self.seen = tr.nn.Conv1d(features, 128, 2 * around + 1, padding=around)
        self.head = tr.nn.Linear(128, LABELS)

    def forward(self, frames, lengths):
        y = tr.relu(self.seen(frames.transpose(1, 2, 0))).transpose((2, 0, 1))
        return tr.log_softmax(self.head(y)), lengths

    def loss(self, frames, lengths, _, named):
        return tr.nn.nll_loss(self(frames, lengths)[0], named, lengths=lengths)


def errors(model, decode, frames, lengths, labels, _):
    """Return the edit distances to the labels, in % of the labels."""
    with tr.no_grad():
        return 100 * tr.nn.error_rate(decode(*model(frames, lengths)), labels)


def steady(log_probs, lengths):
    """Read off the best label of the mean of five frames: single ones flicker, and each would be a digit."""
    smooth = tr.nn.AvgPool1d(5, stride=1, padding=2)(log_probs.transpose((1, 2, 0)))
    return tr.nn.ctc_greedy_decode(smooth.transpose((2, 0, 1)), lengths)


def beam(log_probs, lengths):
    return [found[0][0] for found in tr.nn.ctc_beam_decode(log_probs, lengths)]


def compare(batch, test, around, updates, epochs, given, name):
    """Train both on batches of ``batch()``, draw the reader, and print what it does in a test."""
    features = test[0].shape[-1]
    baseline, reader = FrameByFrame(features, around), Reader(features)
    for model in (baseline, reader):
        task.train(model, task.Fresh(batch, updates), epochs, lr=1e-2)
    with tr.unrolled():
        loss = reader.loss(test[0][:10, :2], np.array([10, 10]), [row[:2] for row in test[2][:2]], None)
    task.draw(loss, given.out, name)
    task.conclude(
        f"digits put in, left out or wrong, % of those in {len(test[1])} lines",
        {
            "frame by frame": errors(baseline, steady, *test),
            "this network": errors(reader, tr.nn.ctc_greedy_decode, *test),
            "this network, beam search": errors(reader, beam, *test),
        },
        model="this network",
    )
