"""Many to one: the language of a name, from its letters.

    python examples/language_of_names.py [--quick] [--seed N] [--out DIR]

The surnames are faker's, of nine languages that share an alphabet (accents, which would tell, are taken
off). A name that several languages have counts for each of them, so that 100% cannot be reached. The
baselines are the language with most names, and a count of letter pairs (naive Bayes).
"""

import unicodedata
from collections import Counter, defaultdict

import numpy as np
import task
from faker import Faker

import tinyrnn as tr

LANGUAGES = ["cs_CZ", "de_DE", "en_GB", "es_ES", "fi_FI", "fr_FR", "hu_HU", "it_IT", "nl_NL"]


class Classifier(tr.nn.Module):
    """Reads a name, each letter with the one before it, and scores the languages."""

    def __init__(self, letters: int, hidden: int) -> None:
        self.letters = letters
        self.embedding = tr.nn.Embedding(letters * letters, hidden)
        self.embedding.weight.data *= 0.3
        self.rnn = tr.nn.GRU(hidden, hidden, bidirectional=True)
        self.drop = tr.nn.Dropout(0.4)
        self.head = tr.nn.Linear(2 * hidden, len(LANGUAGES))

    def forward(self, x, lengths):
        """Score the languages of each name, from letters (T, B)."""
        before = np.concatenate([np.zeros_like(x[:1]), x[:-1]])  # 0 is the mark of the beginning
        embedded = self.drop(self.embedding(before * self.letters + x))
        _, ends = self.rnn(embedded, lengths=lengths)
        return self.head(self.drop(tr.concatenate([ends[0], ends[1]], axis=-1)))

    def loss(self, x, y, lengths, _=None):
        """Cross entropy of the languages (B,)."""
        return tr.nn.cross_entropy(self(x, lengths), y)


def plain(name: str) -> str:
    """Take the accents off."""
    letters = unicodedata.normalize("NFKD", name.lower().replace("ł", "l").replace("ß", "ss"))
    return "".join(letter for letter in letters if letter.isascii() and letter.isalpha())


def surnames() -> list[tuple[str, int]]:
    """Return each different surname with its language."""
    found: list[tuple[str, int]] = []
    for label, language in enumerate(LANGUAGES):
        provider = next(p for p in Faker(language).get_providers() if hasattr(p, "last_names"))
        names = {plain(name) for name in provider.last_names}
        found += [(name, label) for name in sorted(names) if len(name) > 2]
    return found


def letter_pairs(learnt: list, held_out: list) -> np.ndarray:
    """Score the languages by how often each has each pair of letters, with one added to every count."""
    counts: dict[str, np.ndarray] = defaultdict(lambda: np.ones(len(LANGUAGES)))
    pairs_of = lambda name: [f" {name} "[i : i + 2] for i in range(len(name) + 1)]  # noqa: E731
    for name, label in learnt:
        for pair in pairs_of(name):
            counts[pair][label] += 1
    total = np.log(sum(counts.values()))
    prior = np.log(np.bincount([label for _, label in learnt]))
    scores = [prior + sum(np.log(counts[p]) - total for p in pairs_of(name)) for name, _ in held_out]
    return np.argmax(scores, axis=1)


def main() -> None:
    given = task.arguments(__doc__)
    rng = np.random.default_rng(given.seed)
    data = surnames()
    data = [data[i] for i in rng.permutation(len(data))]
    cut = len(data) // 5
    held_out, learnt = data[:cut], data[cut:]
    letters = tr.data.Vocabulary("abcdefghijklmnopqrstuvwxyz", begin="<", end=">")
    print(f"{len(data)} names: {dict(Counter(LANGUAGES[label] for _, label in data))}")
    model = Classifier(len(letters), 48)
    x, labels = ([letters.encode(name, marks=True)[1:] for name, _ in learnt], [label for _, label in learnt])
    batches = tr.data.bucket_by_length(x, labels, size=64, rng=rng)
    task.train(model, batches, epochs=14 if given.quick else 30, lr=5e-3)
    names, truth = [letters.encode(name, marks=True)[1:] for name, _ in held_out], [i for _, i in held_out]
    padded, lengths = tr.data.pad_sequence(names)
    with tr.no_grad():
        found = model(padded, lengths).numpy().argmax(-1)
    short = next(i for i in range(cut) if lengths[i] == 5)
    model.zero_grad()
    with tr.unrolled():
        loss = model.loss(names[short][:, None], truth[short : short + 1], [5])
    task.draw(loss, given.out, "language_of_names")
    languages = Counter(name for name, _ in data)  # a name may belong to several
    task.conclude(
        f"languages that are found, % of {cut:,} held-out names",
        {
            "the language with most names": 100 * np.mean(truth == np.bincount(labels).argmax()),
            "letter pairs, naive Bayes": 100 * np.mean(letter_pairs(learnt, held_out) == truth),
            "bidirectional GRU": 100 * np.mean(found == truth),
            "best possible: some have several": 100 * np.mean([1 / languages[name] for name, _ in held_out]),
        },
        model="bidirectional GRU",
        lower=False,
    )


if __name__ == "__main__":
    main()
