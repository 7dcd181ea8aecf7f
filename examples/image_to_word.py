"""One to many: the image of a digit becomes its name, letter by letter, in the language asked for.

    python examples/image_to_word.py [--quick] [--seed N] [--out DIR]

Data: the images of `digit_images`, and the names of the digits in ten languages from num2words. Baseline:
letters by how often they come. For comparison: the digit whose mean image is nearest, and a list of names.
"""

import digit_images
import numpy as np
import task
from num2words import num2words

import tinyrnn as tr

LANGUAGES = ("en", "fr", "de", "es", "it", "nl", "pl", "pt", "sv", "fi")
NAMES = [[num2words(digit, lang=language) for digit in range(10)] for language in LANGUAGES]
LETTERS = tr.data.Vocabulary("".join(map("".join, NAMES)), begin="<", end=">")


class Speller(tr.nn.Module):
    """What is seen, and the language, are the first state of a GRU that writes letters."""

    def __init__(self):
        self.conv = tr.nn.Conv2d(1, 16, 3, padding=1)
        self.pool = tr.nn.MaxPool2d(2)
        self.dropout = tr.nn.Dropout(0.3)
        self.seen = tr.nn.Linear(16 * 4 * 4, 96)
        self.language = tr.nn.Embedding(len(LANGUAGES), 96)
        self.embedding = tr.nn.Embedding(len(LETTERS), 32)
        self.gru = tr.nn.GRU(32, 96)
        self.head = tr.nn.Linear(96, len(LETTERS))

    def first_state(self, images, languages):
        seen = self.pool(tr.relu(self.conv(images[:, None]))).reshape((len(images), -1))
        return tr.tanh(self.seen(self.dropout(seen)) + self.language(languages))[None]

    def forward(self, letters, state):
        y, state = self.gru(self.embedding(letters), state)
        return self.head(y), state

    def loss(self, images, languages, letters, lengths):
        logits, _ = self(letters[:-1], self.first_state(images, languages))
        return tr.nn.cross_entropy(logits, letters[1:], lengths=lengths - 1)


def words(digits, languages):
    """Return names as letters (T, B), with their marks, and their lengths."""
    names = (NAMES[language][digit] for digit, language in zip(digits, languages, strict=True))
    return tr.data.pad_sequence([LETTERS.encode(name, marks=True) for name in names])


def spelled(model, images, languages):
    """Let the network write what it finds most probable."""
    prompt = np.full((1, len(images)), LETTERS.begin)
    with tr.no_grad():
        state = model.first_state(images, languages)
    written = tr.generate(model, prompt, state, length=12, temperature=0, end=LETTERS.end)
    return [LETTERS.decode(row) for row in np.stack(list(written), axis=1)]


def main():
    given = task.arguments(__doc__)
    x, y, x_test, y_test = digit_images.load()
    rng = np.random.default_rng(given.seed)

    def batch():
        chosen, languages = rng.integers(len(x), size=32), rng.integers(len(LANGUAGES), size=32)
        return x[chosen], languages, *words(y[chosen], languages)

    model = Speller()
    updates, epochs = (100, 6) if given.quick else (100, 20)
    task.train(model, task.Fresh(batch, updates), epochs)

    languages = np.random.default_rng(1).integers(len(LANGUAGES), size=len(x_test))
    letters, lengths = words(y_test, languages)
    with tr.no_grad():
        bits = model.loss(x_test, languages, letters, lengths).item() / np.log(2)
    with tr.unrolled():
        loss = model.loss(x_test[:1], languages[:1], *words(y_test[:1], languages[:1]))
    task.draw(loss, given.out, "image_to_word")

    known = np.concatenate([LETTERS.encode(name, marks=True)[1:] for names in NAMES for name in names])
    odds = np.bincount(known, minlength=len(LETTERS)) / len(known)
    counted = tr.nn.mask(lengths - 1, len(letters) - 1)
    task.conclude(
        "bits per letter",
        {"letters by how often they come": -np.log2(odds[letters[1:][counted]]).mean(), "this network": bits},
        model="this network",
    )
    means = np.stack([x[y == digit].mean(0) for digit in range(10)])
    nearest = ((x_test[:, None] - means) ** 2).sum((2, 3)).argmin(1)
    written = spelled(model, x_test, languages)
    wrong = [a != NAMES[k][digit] for a, k, digit in zip(written, languages, y_test, strict=True)]
    task.conclude(
        f"names with a wrong letter, % of {len(wrong)}",
        {
            "letters by how often they come": 100.0,
            "this network": 100 * np.mean(wrong),
            "nearest mean, and a list": 100 * np.mean(nearest != y_test),
        },
        model="this network",
    )
    print("\n" + ", ".join(f"{y_test[i]} ({LANGUAGES[languages[i]]}) {written[i]}" for i in range(8)))


if __name__ == "__main__":
    main()
