"""Many to one: who speaks? Nine men say "ae"; a recurrent network tells them apart.

    python examples/speaker.py [--quick] [--seed N] [--out DIR]

Data: "Japanese Vowels" (Kudo, Toyama and Shimbo 1999) inside the package sktime: 270 utterances to learn from
and 370 for the test, each 7 to 29 frames of 12 numbers (linear prediction). Baselines: the most frequent
speaker, and the speaker of the nearest utterance by dynamic time warping. Published: 94 to 98% are right.
"""

import importlib.util
from pathlib import Path

import numpy as np
import task

import tinyrnn as tr

FOLDER = "datasets/data/JapaneseVowels"


def load(part):
    """Return utterances (T_i, 12) and their speakers, 0 to 8."""
    spec = importlib.util.find_spec("sktime")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit('the data are in a package that is not installed: pip install ".[examples]"')
    path = Path(spec.submodule_search_locations[0]) / FOLDER / f"JapaneseVowels_{part}.ts"
    rows = path.read_text(encoding="utf-8").split("@data")[1].split()
    parts = [row.split(":") for row in rows]
    utterances = [np.array([x.split(",") for x in row[:-1]], np.float32).T for row in parts]
    return utterances, np.array([int(row[-1]) - 1 for row in parts])


def warped_distances(known, asked):
    """Return the cost (asked, known) of the best way to walk through both, frame by frame (DTW)."""
    (a, a_lengths), (b, b_lengths) = tr.data.pad_sequence(asked), tr.data.pad_sequence(known)
    found = np.full((len(asked), len(known)), np.inf)
    before = np.full((len(b) + 1, *found.shape), np.inf)
    before[0] = 0
    for i, frames in enumerate(a):
        row = np.full_like(before, np.inf)
        for j, others in enumerate(b):
            cost = ((frames[:, None] - others) ** 2).sum(-1)
            row[j + 1] = cost + np.minimum(np.minimum(row[j], before[j + 1]), before[j])
            ended = (a_lengths == i + 1)[:, None] & (b_lengths == j + 1)
            found[ended] = row[j + 1][ended]
        before = row
    return found


class Listener(tr.nn.Module):
    """Reads both ways; the mean of what it made of the frames names the speaker."""

    def __init__(self, mean, scale, rng):
        self.mean, self.scale, self.rng = mean, scale, rng
        self.gru = tr.nn.GRU(12, 48, bidirectional=True)
        self.dropout = tr.nn.Dropout(0.4)
        self.head = tr.nn.Linear(96, 9)

    def forward(self, frames, lengths):
        x = (frames - self.mean) / self.scale
        if self.training:
            x = x + 0.3 * self.rng.standard_normal(x.shape)
        y, _ = self.gru(self.dropout(tr.as_tensor(x.astype(np.float32))), lengths=lengths)
        return self.head(self.dropout(y.sum(0) / lengths[:, None].astype(np.float32)))

    def loss(self, frames, speakers, lengths, _=None):
        return tr.nn.cross_entropy(self(frames, lengths), speakers, label_smoothing=0.1)


def main():
    given = task.arguments(__doc__)
    (x, y), (x_test, y_test) = load("TRAIN"), load("TEST")
    frames = np.concatenate(x)
    model = Listener(frames.mean(0), frames.std(0), np.random.default_rng(given.seed))
    task.train(model, tr.data.bucket_by_length(x, y, 16, rng=given.seed), 40 if given.quick else 200)
    test, lengths = tr.data.pad_sequence(x_test)
    with tr.no_grad():
        named = model(test, lengths).numpy().argmax(-1)
    with tr.unrolled():
        loss = model.loss(test[:5, :1], y_test[:1], np.array([5]))
    task.draw(loss, given.out, "speaker")

    nearest = y[warped_distances(x, x_test).argmin(1)]
    task.conclude(
        f"speakers named wrongly, % of {len(y_test)}",
        {
            "most frequent speaker": 100 * np.mean(y_test != np.bincount(y).argmax()),
            "nearest utterance by DTW": 100 * np.mean(y_test != nearest),
            "this network": 100 * np.mean(y_test != named),
        },
        model="this network",
    )


if __name__ == "__main__":
    main()
