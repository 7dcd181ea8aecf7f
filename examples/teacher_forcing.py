"""What a decoder reads while it learns: the truth, its own words, or the one and then the other.

    python examples/teacher_forcing.py [--quick] [--points N] [--seed N] [--out DIR]

The task is that of `spelling_to_sound.py`, with 9,000 words to learn from. Three networks begin alike and see
the same batches. Teacher forcing reads the true phoneme before each; free running reads the one that the
network itself found likeliest; scheduled sampling (Bengio et al. 2015) goes from one to the other, by an
inverse sigmoid. Every so many updates each writes the phonemes of held-out words on its own, as it will be
used: what is measured is the share that is wrong. The three curves are drawn as `teacher_forcing.png`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import task
from encoder_decoder import EncoderDecoder, encode_pairs, unrolled_loss
from spelling_to_sound import lexicon_of, one_phone_a_letter, phoneme_error_rate

import tinyrnn as tr

LONGEST = 20  # phonemes that are written for a word
STYLES = {"teacher forcing": "-", "scheduled sampling": "--", "free running": ":"}


def written(model: EncoderDecoder, x: list) -> list[list[str]]:
    """Let the decoder run freely, and return what it wrote up to the end mark."""
    target = model.vocabularies[1]
    padded, lengths = tr.data.pad_sequence(x)
    begin = np.full((LONGEST, len(x)), target.begin)
    with tr.no_grad():
        logits, _ = model.decoder(begin, model.encode(padded, lengths), forced=np.zeros(LONGEST, bool))
    return [target.split(row) for row in logits.numpy().argmax(-1).T]


def learning_curve(
    model: EncoderDecoder,
    batches: Any,
    truth: Callable[[int], float],
    points: int,
    each: int,
    measure: Callable[[Any], float],
    lr: float,
    seed: int,
) -> list[float]:
    """Train, reading the true token with probability ``truth(update)``; measure every ``each`` updates."""
    rng, updates = np.random.default_rng(seed), 0

    def loss(model: EncoderDecoder, batch: Any) -> tr.Tensor:
        nonlocal updates
        x, y, lengths, y_lengths = batch
        epsilon, updates = truth(updates), updates + 1
        forced = None if epsilon == 1 else tr.nn.scheduled_sampling(epsilon, len(y) - 1, y.shape[1], rng)
        logits, _ = model.decoder(y[:-1], model.encode(x, lengths), forced=forced)
        return tr.nn.cross_entropy(logits, y[1:], lengths=y_lengths - 1)

    endless = (batch for _ in iter(int, 1) for batch in batches)
    optimizer = tr.optim.Adam(model.parameters(), lr=lr)
    history = tr.fit(
        model,
        loss,
        task.Fresh(lambda: next(endless), each),
        optimizer,
        epochs=points,
        validate=measure,
        clip=1.0,
        schedule=tr.optim.CosineAnnealingLR(optimizer, T_max=points),
    )
    optimizer.zero_grad()
    return list(history["validation"])


def plot(curves: dict[str, list[float]], baseline: float, each: int, path: Any) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    for name, errors in curves.items():
        axes.plot(each * (1 + np.arange(len(errors))), errors, STYLES[name], label=name)
    axes.axhline(baseline, color="0.6", linewidth=0.8, label="one phone a letter")
    axes.set(xlabel="updates", ylabel="phonemes wrong when it writes on its own, %", ylim=(0, 75))
    axes.legend()
    figure.savefig(path, dpi=100)


def main() -> None:
    given = task.arguments(__doc__, points=30)
    rng = np.random.default_rng(given.seed)
    lexicon = lexicon_of(longest=9 if given.quick else 12)
    words = sorted(lexicon)
    rng.shuffle(words)
    held_out, learnt = words[:500], [(word, lexicon[word][0]) for word in words[500:9500]]
    letters = tr.data.Vocabulary(letter for word in words for letter in word)
    phones = tr.data.Vocabulary((p for _, sounds in learnt for p in sounds), begin="<", end=">")
    pairs, possible = [(word, lexicon[word][0]) for word in held_out], [lexicon[word] for word in held_out]
    x, y = encode_pairs(pairs, letters, phones)
    points, each, hidden = (4, 35, 48) if given.quick else (given.points, 70, 64)
    middle = points * each / 3  # where scheduled sampling reads as much of the truth as of its own
    k = next(k for k in range(2, 10_000) if k * np.log(k) >= middle)
    kinds = {
        "teacher forcing": lambda update: 1.0,
        "scheduled sampling": lambda update: tr.nn.inverse_sigmoid_decay(update, k),
        "free running": lambda update: 0.0,
    }
    curves, model = {}, None
    for name, truth in kinds.items():
        tr.manual_seed(given.seed)
        model = EncoderDecoder(letters, phones, 32, hidden)
        measure = lambda model: 100 * phoneme_error_rate(written(model, x), possible)  # noqa: E731
        batches = tr.data.bucket_by_length(*encode_pairs(learnt, letters, phones), size=64, rng=given.seed)
        curves[name] = learning_curve(model, batches, truth, points, each, measure, 5e-3, given.seed)
        print(f"{name:20}", *(f"{error:5.1f}" for error in curves[name]), flush=True)
    short = next(i for i in range(len(x)) if len(x[i]) == 4)
    task.draw(unrolled_loss(model, x[short], y[short]), given.out, "teacher_forcing")
    baseline = 100 * phoneme_error_rate(one_phone_a_letter(learnt, pairs), possible)
    plot(curves, baseline, each, given.out / "teacher_forcing.png")
    last = {name: errors[-1] for name, errors in curves.items()}
    task.conclude(
        f"phoneme error rate, % ({len(held_out)} held-out words, after {points * each} updates)",
        {"one phone a letter": baseline, **last},
        model="teacher forcing",
    )


if __name__ == "__main__":
    main()
