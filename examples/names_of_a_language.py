"""One to many: names are made up, letter by letter, in the language that is asked for.

    python examples/names_of_a_language.py [--quick] [--seed N] [--out DIR]

The surnames are faker's, of the nine languages of `language_of_names.py`. The language is read with every
letter, and otherwise the network reads what it wrote. Baselines: letters by how often they come, and letters
by the one before, in that language. Whether the made-up names are of their language is judged by a count of
letter pairs, which finds the language of two real names in three.
"""

import numpy as np
import task
from language_of_names import LANGUAGES, letter_pairs, surnames

import tinyrnn as tr

LETTERS = tr.data.Vocabulary("abcdefghijklmnopqrstuvwxyz", begin="<", end=">")


class Writer(tr.nn.Module):
    """Reads the language with every letter; its state is the language and what the GRU remembers."""

    def __init__(self, hidden: int) -> None:
        self.language = tr.nn.Embedding(len(LANGUAGES), 16)
        self.letter = tr.nn.Embedding(len(LETTERS), 32)
        self.gru = tr.nn.GRU(48, hidden)
        self.drop = tr.nn.Dropout(0.3)
        self.head = tr.nn.Linear(hidden, len(LETTERS))

    def forward(self, letters, state):
        """Score what follows each letter (T, B), and give the state to go on from."""
        language, h = state
        asked = language + tr.zeros((len(letters), 1, 1))
        y, h = self.gru(self.drop(tr.concatenate([self.letter(letters), asked], axis=-1)), h)
        return self.head(self.drop(y)), (language, h)

    def loss(self, names, languages, lengths, _=None):
        """Cross entropy of the letters of names (T, B) with both marks, each after those before it."""
        logits, _ = self(names[:-1], (self.language(languages), None))
        return tr.nn.cross_entropy(logits, names[1:], lengths=lengths - 1)

    def write(self, languages, rng):
        """Draw a name for each language."""
        prompt = np.full((1, len(languages)), LETTERS.begin)
        state = self.language(languages), None
        drawn = tr.generate(self, prompt, state, length=20, end=LETTERS.end, rng=rng)
        return [LETTERS.decode(name) for name in np.stack(list(drawn), axis=1)]


def counted_bits(learnt: list, held_out: list) -> tuple[float, float]:
    """Return the bits per letter by how often it comes, and by how often after another in its language."""
    one = np.ones(len(LETTERS))
    two = np.ones((len(LANGUAGES), len(LETTERS), len(LETTERS)))
    for name, language in learnt:
        np.add.at(one, name[1:], 1)
        np.add.at(two[language], (name[:-1], name[1:]), 1)
    one, two = np.log2(one.sum() / one), np.log2(two.sum(-1, keepdims=True) / two)
    pairs = [two[language, name[:-1], name[1:]] for name, language in held_out]
    return np.concatenate([one[name[1:]] for name, _ in held_out]).mean(), np.concatenate(pairs).mean()


def letters_by_chance(learnt: list, count: int, rng: np.random.Generator) -> list[str]:
    """Make up names whose lengths and letters come as often as in names."""
    letters = list("".join(name for name, _ in learnt))
    return ["".join(rng.choice(letters, len(learnt[i][0]))) for i in rng.integers(len(learnt), size=count)]


def main() -> None:
    given = task.arguments(__doc__)
    rng = np.random.default_rng(given.seed)
    data = surnames()
    data = [data[i] for i in rng.permutation(len(data))]
    cut = len(data) // 5
    held_out, learnt = data[:cut], data[cut:]
    coded = [(LETTERS.encode(name, marks=True), language) for name, language in data]
    model = Writer(96)
    batches = tr.data.bucket_by_length(*zip(*coded[cut:]), size=64, rng=rng)
    task.train(model, batches, epochs=8 if given.quick else 25, lr=5e-3)

    names, lengths = tr.data.pad_sequence([name for name, _ in coded[:cut]])
    with tr.no_grad():
        bits = model.loss(names, [language for _, language in held_out], lengths).item() / np.log(2)
    short = next(i for i in range(cut) if lengths[i] == 6)
    with tr.unrolled():
        loss = model.loss(names[:6, short : short + 1], [held_out[short][1]], lengths[short : short + 1])
    task.draw(loss, given.out, "names_of_a_language")

    asked = np.tile(np.arange(len(LANGUAGES)), 100)
    written = model.write(asked, rng)
    for language, name in enumerate(LANGUAGES):
        print(f"  {name[:2]}: {', '.join(written[language : 6 * len(LANGUAGES) : len(LANGUAGES)])}")
    known = {name for name, _ in learnt}
    print(f"{np.mean([name in known for name in written]):.0%} of {len(written)} are names to learn from")
    unigram, pairs = counted_bits(coded[cut:], coded[:cut])
    task.conclude(
        f"bits per letter of {cut:,} held-out names, given their language",
        {"letters by how often they come": unigram, "letters by the one before": pairs, "GRU": bits},
        model="GRU",
    )

    def judged(names: list[str], languages: np.ndarray) -> float:
        found = letter_pairs(learnt, list(zip(names, languages)))
        return 100 * np.mean(found == languages)

    task.conclude(
        "made-up names that are found to be of the language asked for, %",
        {
            "letters by how often they come": judged(letters_by_chance(learnt, len(asked), rng), asked),
            "GRU": judged(written, asked),
            "held-out real names": judged(*map(np.array, zip(*held_out))),
        },
        model="GRU",
        lower=False,
    )


if __name__ == "__main__":
    main()
