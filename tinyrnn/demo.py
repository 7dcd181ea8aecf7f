"""The demo: a model of characters or words learns a text by truncated backpropagation through time.

Everything that training takes stands here, in the open: the model, the loop, the measure.
"""

from __future__ import annotations

import math
from collections import Counter
from contextlib import AbstractContextManager, nullcontext
from itertools import count, islice
from pathlib import Path
from typing import Any

import numpy as np

import tinyrnn as tr
from tinyrnn import text
from tinyrnn.draw.layout import LayoutError
from tinyrnn.training.progress import Progress

LAYERS = {"rnn": tr.nn.RNN, "lstm": tr.nn.LSTM, "gru": tr.nn.GRU}

BATCH = 16  # streams side by side
K1 = 64  # characters, or words, from one update to the next
WORDS = 5000  # that are told apart; the others are all `UNKNOWN`
UNKNOWN = "<unk>"
EMBEDDING = 64
LEARNING_RATE = 5e-3
MAX_NORM = 1.0
DRAWN_STEPS = 6


class LanguageModel(tr.nn.Module):
    """Gives, for each character or word, the logits of the one that follows.

    Parameters
    ----------
    size : int
        Of the vocabulary.
    hidden_size : int
    cell : {"rnn", "lstm", "gru"}

    Examples
    --------
    >>> model = LanguageModel(size=50, hidden_size=8)
    >>> logits, state = model(np.zeros((5, 2), int))
    >>> logits.shape, state.shape
    ((5, 2, 50), (1, 2, 8))
    """

    def __init__(self, size: int, hidden_size: int = 128, cell: str = "gru") -> None:
        self.embedding = tr.nn.Embedding(size, EMBEDDING)
        self.recurrent = LAYERS[cell](EMBEDDING, hidden_size)
        self.head = tr.nn.Linear(hidden_size, size)

    def forward(self, x: Any, state: Any = None) -> tuple[Any, Any]:
        """Read tokens (T, B); return logits (T, B, size) and the state to go on from."""
        y, state = self.recurrent(self.embedding(x), state)
        return self.head(y), state


def train(model: LanguageModel, data: tr.data.Streams, steps: int, unit: str) -> None:
    """Train for a number of updates, epoch after epoch; each epoch begins from a state of zeros."""
    optimizer = tr.optim.Adam(model.parameters(), lr=LEARNING_RATE)
    schedule = tr.optim.CosineAnnealingLR(optimizer, T_max=steps)
    bptt = tr.TruncatedBPTT(k1=K1)
    windows = (window for _ in count() for window in bptt.windows(data.x, data.y))
    with Progress(steps, unit) as progress:
        for window in islice(windows, steps):
            logits = window.run(model)
            loss = tr.nn.cross_entropy(logits, window.y)
            optimizer.zero_grad()
            loss.backward()
            norm = tr.optim.clip_grad_norm_(model.parameters(), MAX_NORM)
            optimizer.step()
            schedule.step()
            progress.update(f"loss {loss.item() / math.log(2):.2f} bits, grad norm {norm:.2f}", window.y.size)


def bits_per_token(model: LanguageModel, data: tr.data.Streams) -> float:
    """Return the mean cross-entropy, in bits, over all of the data."""
    nats = 0.0
    with tr.no_grad():
        for window in tr.TruncatedBPTT(k1=256).windows(data.x, data.y):
            logits = window.run(model)
            nats += tr.nn.cross_entropy(logits, window.y, reduction="sum").item()
    return nats / math.log(2) / data.y.size


def one_blas_thread() -> AbstractContextManager[Any]:
    """Keep matrix products on one core, where threadpoolctl (of the extra ``demo``) is installed.

    Products as small as these gain next to nothing from a second core, and lose much where it is busy.
    """
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return nullcontext()
    return threadpool_limits(1)


def draw(model: LanguageModel, excerpt: np.ndarray[Any, Any], out: Path) -> None:
    """Draw the pass over a few characters: the unrolled graph, and a page to step through it."""
    with tr.unrolled():
        logits, _ = model(excerpt[:-1, None])
        loss = tr.nn.cross_entropy(logits, excerpt[1:, None])
        loss.backward()
    picture = tr.draw.unrolled(loss)
    written = [picture.save(out / "unrolled.dot"), tr.draw.stepper(loss).save(out / "bptt.html")]
    try:
        written.append(picture.render(out / "unrolled.svg"))
    except LayoutError as error:
        print(f"no picture besides the .dot: {error}")
    print("drawn:", ", ".join(map(str, written)))


def vocabulary_of(words: list[str]) -> tr.data.Vocabulary:
    """Return the words that come most often, and a mark for all others."""
    most = [word for word, _ in Counter(words).most_common(WORDS)]
    return tr.data.Vocabulary(most, unknown=UNKNOWN, separator=" ")


def run(
    contents: str,
    words: bool,
    steps: int,
    hidden_size: int,
    cell: str,
    seed: int,
    temperature: float,
    length: int,
    out: Path,
) -> None:
    """Train, measure, sample and draw, and print what comes of it.

    Parameters
    ----------
    contents : str
        The text.
    words : bool
        Whether to learn it word by word, rather than character by character.
    steps : int
        Updates.
    hidden_size : int
    cell : {"rnn", "lstm", "gru"}
    seed : int
        Of the first parameters and of the sample. The same seed gives the same result.
    temperature : float
        Of the sample.
    length : int
        Characters, or words, in the sample.
    out : Path
        The folder for the pictures.

    Raises
    ------
    TextError
        Where the text is not one to learn from.
    """
    tokens = text.split_words(contents) if words else list(contents)
    kind = "words and marks" if words else "characters"
    learnt, held_out = tr.data.split_in_time(tokens, 0.1)
    vocabulary = vocabulary_of(learnt) if words else tr.data.Vocabulary(tokens)
    learnt, held_out = vocabulary.encode(learnt), vocabulary.encode(held_out)
    out.mkdir(parents=True, exist_ok=True)

    tr.manual_seed(seed)
    model = LanguageModel(len(vocabulary), hidden_size, cell)
    print(f"{len(tokens):,} {kind}, {len(set(tokens)):,} of them different; the last tenth is for validation")
    if words:
        share = np.mean(held_out == vocabulary.unknown)
        print(f"{len(vocabulary):,} in the vocabulary; {share:.1%} of the validation counts as {UNKNOWN}")
    print(model, flush=True)
    with one_blas_thread():
        train(model, tr.data.streams(learnt, BATCH), steps, "word" if words else "char")
        bits = bits_per_token(model, tr.data.streams(held_out, BATCH))

    size = len(vocabulary)
    name, trigram = ("Witten-Bell", text.witten_bell_bits) if words else ("add-one", text.trigram_bits)
    results = {
        f"this model, {steps} updates": bits,
        f"trigram model, {name}": trigram(learnt, held_out, size),
        "unigram model": text.unigram_bits(learnt, held_out, size),
    }
    print("\nvalidation, " + ("perplexity per word" if words else "bits per character"))
    for name, value in results.items():
        print(f"  {name:<28}" + (f"{2**value:.1f}" if words else f"{value:.3f}"))

    never = np.zeros(size, np.float32)
    if words:
        never[vocabulary.unknown] = -np.inf  # a sample is to be read

    def writer(x: Any, state: Any) -> tuple[Any, Any]:
        logits, state = model(x, state)
        return logits + never, state

    drawn = tr.generate(writer, held_out[:64], length=length, temperature=temperature, rng=seed)
    written = vocabulary.split(list(drawn))
    print(f"\nsample at temperature {temperature:g}, seed {seed}")
    print(text.printable(text.join_words(written) if words else "".join(written)))
    print()
    draw(model, held_out[: 1 + DRAWN_STEPS], out)
