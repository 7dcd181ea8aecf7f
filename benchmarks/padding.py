"""What padding costs: one epoch over sequences of many lengths, padded in three ways. Time and memory.

    python benchmarks/padding.py [--quick]

The sequences are the sentences of Python's help topics, word by word; the model is an embedding, a GRU of 128
read both ways and a tag for each word, with the lengths given everywhere. The ways: all sentences padded to
the longest of all; batches at random, each padded to its own longest; and `tr.data.bucket_by_length`. Each
has processes of its own, in turn. Time is the processor's; memory is the peak over what the process held
before: as it is, where the memory of a batch is kept for the next one of about its size, and where nothing is
kept.
"""

import argparse
import json
import re
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import measure
import numpy as np

import tinyrnn as tr
from tinyrnn import text
from tinyrnn.recurrence.running import recycled

SIZE, HIDDEN, WORDS, TAGS = 32, 128, 5000, 10


def sentences() -> list[np.ndarray]:
    """Return each sentence as numbers below WORDS."""
    found = (re.findall(r"\w+", sentence) for sentence in re.split(r"[.:;]\s", text.read_text()))
    words = [sentence for sentence in found if sentence]
    numbers = {word: i % WORDS for i, word in enumerate(sorted({w for words in words for w in words}))}
    return [np.array([numbers[word] for word in sentence]) for sentence in words]


def all_to_the_longest(x: list[np.ndarray]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    padded, lengths = tr.data.pad_sequence(x)
    order = np.random.default_rng(0).permutation(len(x))
    for i in range(0, len(x), SIZE):
        yield padded[:, order[i : i + SIZE]], lengths[order[i : i + SIZE]]


def each_batch_to_its_longest(x: list[np.ndarray]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    order = np.random.default_rng(0).permutation(len(x))
    for i in range(0, len(x), SIZE):
        yield tr.data.pad_sequence([x[k] for k in order[i : i + SIZE]])


def by_length(x: list[np.ndarray]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for batch in tr.data.bucket_by_length(x, size=SIZE, rng=0):
        yield batch.x, batch.lengths


WAYS = {
    "all to the longest of all": all_to_the_longest,
    "random batches, each to its longest": each_batch_to_its_longest,
    "bucket_by_length": by_length,
}


class Tagger(tr.nn.Module):
    def __init__(self) -> None:
        self.embedding = tr.nn.Embedding(WORDS, 64)
        self.gru = tr.nn.GRU(64, HIDDEN, bidirectional=True)
        self.head = tr.nn.Linear(2 * HIDDEN, TAGS)

    def loss(self, x: np.ndarray, lengths: np.ndarray) -> tr.Tensor:
        scores = self.head(self.gru(self.embedding(x), lengths=lengths)[0])
        return tr.nn.cross_entropy(scores, x % TAGS, lengths=lengths)


def held(field: str) -> float:
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status[field].split()[0]) / 1e3


def epoch(way: str, count: int, keep: bool) -> dict[str, float]:
    """Go once over the data, forward, backward and an update, and say what it took."""
    x = sentences()[:count]
    model = Tagger()
    optimizer = tr.optim.Adam(model.parameters())

    def update(x: np.ndarray, lengths: np.ndarray) -> None:
        optimizer.zero_grad()
        model.loss(x, lengths).backward()
        optimizer.step()

    for _ in range(2):
        update(np.zeros((2, SIZE), int), np.full(SIZE, 2))  # compiled, and the optimiser's state made
    Path("/proc/self/clear_refs").write_text("5")  # sets VmHWM back to VmRSS
    base, places = held("VmRSS"), 0
    start = time.process_time()
    for padded, lengths in WAYS[way](x):
        update(padded, lengths)
        places += padded.size
        if not keep:
            recycled.clear()
    seconds = time.process_time() - start
    return {"padding": 1 - sum(map(len, x)) / places, "seconds": seconds, "MB": held("VmHWM") - base}


def main() -> None:
    parser = argparse.ArgumentParser(description="Time and memory of padding, and of bucketing.")
    parser.add_argument("--quick", action="store_true", help="a quarter of the data, once")
    parser.add_argument("--way", choices=WAYS, help="only this one, in this process, as JSON")
    parser.add_argument("--count", type=int, default=0, help="of sentences")
    parser.add_argument("--keep", type=int, default=1, help="whether memory is kept")
    given = parser.parse_args()
    if given.way:
        print(json.dumps(epoch(given.way, given.count, bool(given.keep))))
        return
    x = sentences()
    count, turns = (len(x) // 4, 1) if given.quick else (len(x), 3)
    lengths = [len(sentence) for sentence in x[:count]]
    print(
        f"{count:,} sentences of {min(lengths)} to {max(lengths)} words, {np.mean(lengths):.1f} in the mean\n"
    )
    runs: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for _ in range(turns):
        for way in WAYS:
            kept, bare = (
                measure.in_fresh_process(sys.argv[0], "--way", way, "--count", count, "--keep", keep)
                for keep in (1, 0)
            )
            runs[way].append(kept | {"bare MB": bare["MB"]})
    rows = []
    for way, found in runs.items():
        of = {name: statistics.median(run[name] for run in found) for name in found[0]}
        row = f"{of['padding']:.1%}", f"{of['seconds']:.2f}", f"{of['MB']:.0f}", f"{of['bare MB']:.0f}"
        rows.append([way, *row])
    print(measure.markdown(["batches", "padding", "s, an epoch", "MB", "MB, nothing kept"], rows))


if __name__ == "__main__":
    main()
