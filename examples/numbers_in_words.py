"""English to French: numbers in words, by an encoder-decoder with attention.

    python examples/numbers_in_words.py [--quick] [--picture numbers.svg]

The data is num2words, the measure is how many of the numbers that were held out come out right to the letter.
French counts in twenties and plurals (quatre-vingt-dix-neuf, deux cents, but deux cent un), so that a dictionary
of words is not enough.
"""

import re

import numpy as np
from comparing import run
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


def example(quick: bool) -> tuple[dict[str, float], tr.Tensor]:
    rng = tr.manual_seed(0)
    largest, count, epochs = (9_999, 2_500, 7) if quick else (999_999, 12_000, 12)
    numbers = rng.choice(largest + 1, size=count + 500, replace=False).tolist()
    pairs = [(words(num2words(n)), words(num2words(n, lang="fr"))) for n in numbers]
    learnt, held_out = pairs[:count], pairs[count:]
    english = tr.data.Vocabulary(word for source, _ in learnt for word in source)
    french = tr.data.Vocabulary((word for _, target in learnt for word in target), begin="<", end=">")
    model = EncoderDecoder(english, french, embedding=32, hidden=64)
    batches = tr.data.bucket_by_length(*encode_pairs(learnt, english, french), size=32, rng=rng)
    print(f"{count} pairs of up to {largest:,}; {batches.padding:.1%} of the batches is padding")
    optimizer = tr.optim.Adam(model.parameters(), lr=5e-3)
    schedule = tr.optim.CosineAnnealingLR(optimizer, T_max=epochs * len(batches))
    tr.fit(
        model,
        lambda model, batch: model.loss(batch),
        batches,
        optimizer,
        epochs=epochs,
        clip=1.0,
        schedule=schedule,
        schedule_each="update",
    )
    x, y = encode_pairs(held_out, english, french)
    expected = [target for _, target in held_out]
    found = model.translate(x, width=3)
    for i in range(3):
        print(f"  {' '.join(held_out[i][0])} -> {' '.join(found[i]).replace(' - ', '-')}")
    results = {
        "baseline: word by word": np.mean([word_by_word(source) == target for source, target in held_out]),
        "model: GRU, attention, beam of 3": np.mean([a == b for a, b in zip(found, expected)]),
        "best possible": 1.0,
    }
    short = next(i for i in range(len(x)) if len(x[i]) == 3)
    return results, unrolled_loss(model, x[short], y[short])


if __name__ == "__main__":
    run("share of held-out numbers that are right to the letter", example, larger=True)
