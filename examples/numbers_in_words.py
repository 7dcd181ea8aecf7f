"""English to French: numbers in words, by an encoder-decoder with attention.

    python examples/numbers_in_words.py [--quick] [--seed N] [--out DIR]

The data is num2words, the measure is how many held-out numbers come out right to the letter. French counts
in twenties and has plurals (quatre-vingt-dix-neuf, deux cents, but deux cent un): a dictionary is not enough.
"""

import re

import numpy as np
import task
from encoder_decoder import EncoderDecoder, encode_pairs, unrolled_loss
from num2words import num2words

import tinyrnn as tr


def words(text: str) -> list[str]:
    """Cut at spaces; a hyphen is a word of its own."""
    return re.findall(r"-|[^\s,-]+", text)


def word_by_word(english: list[str]) -> list[str]:
    """Look each word up."""
    singles = [*range(21), *range(30, 100, 10)]
    dictionary = {num2words(n): words(num2words(n, lang="fr")) for n in singles}
    dictionary |= {"hundred": ["cent"], "thousand": ["mille"], "and": [], "-": ["-"]}
    return [french for word in english for french in dictionary[word]]


def main() -> None:
    given = task.arguments(__doc__)
    rng = np.random.default_rng(given.seed)
    largest, count, epochs = (9_999, 2_500, 7) if given.quick else (999_999, 12_000, 12)
    numbers = rng.choice(largest + 1, size=count + 500, replace=False).tolist()
    pairs = [(words(num2words(n)), words(num2words(n, lang="fr"))) for n in numbers]
    learnt, held_out = pairs[:count], pairs[count:]
    english = tr.data.Vocabulary(word for source, _ in learnt for word in source)
    french = tr.data.Vocabulary((word for _, target in learnt for word in target), begin="<", end=">")
    model = EncoderDecoder(english, french, embedding=32, hidden=64)
    batches = tr.data.bucket_by_length(*encode_pairs(learnt, english, french), size=32, rng=rng)
    print(f"{count} pairs of up to {largest:,}; {batches.padding:.1%} of the batches is padding")
    task.train(model, batches, epochs, lr=5e-3)
    x, y = encode_pairs(held_out, english, french)
    found = model.translate(x, width=3)
    for i in range(3):
        print(f"  {' '.join(held_out[i][0])} -> {' '.join(found[i]).replace(' - ', '-')}")
    short = min(range(len(x)), key=lambda i: len(x[i]))
    task.draw(unrolled_loss(model, x[short], y[short]), given.out, "numbers_in_words")
    right = [word_by_word(source) == target for source, target in held_out]
    task.conclude(
        f"held-out numbers that are right to the letter, % of {len(held_out)}",
        {
            "word by word": 100 * np.mean(right),
            "GRU, attention, beam of 3": 100
            * np.mean([said == target for said, (_, target) in zip(found, held_out)]),
            "best possible": 100.0,
        },
        model="GRU, attention, beam of 3",
        lower=False,
    )


if __name__ == "__main__":
    main()
