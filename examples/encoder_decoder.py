"""A GRU that reads both ways, and a decoder that looks at what it wrote: for any pair of languages."""

from collections.abc import Sequence
from typing import Any

import numpy as np

import tinyrnn as tr
from tinyrnn.data import Vocabulary


class EncoderDecoder(tr.nn.Module):
    """From sequences of tokens to sequences of tokens."""

    def __init__(self, source: Vocabulary, target: Vocabulary, embedding: int, hidden: int) -> None:
        self.vocabularies = source, target
        self.embedding = tr.nn.Embedding(len(source), embedding)
        self.encoder = tr.nn.GRU(embedding, hidden, bidirectional=True)
        self.bridge = tr.nn.Linear(2 * hidden, hidden)  # from the ends of both directions to the decoder
        self.decoder = tr.nn.Decoder(
            tr.nn.Embedding(len(target), embedding),
            tr.nn.GRUCell(embedding, hidden),
            tr.nn.Linear(3 * hidden, len(target)),
            tr.nn.DotAttention(hidden, 2 * hidden),
        )

    def encode(self, x: Any, lengths: Any) -> Any:
        """Return the decoder's first state."""
        keys, ends = self.encoder(self.embedding(x), lengths=lengths)
        carry = tr.tanh(self.bridge(tr.concatenate([ends[0], ends[1]], axis=-1)))
        return self.decoder.begin(carry, keys, lengths)

    def loss(self, x: Any, y: Any, lengths: Any, y_lengths: Any) -> tr.Tensor:
        """Cross entropy of the targets, each after the true tokens before it."""
        logits, _ = self.decoder(y[:-1], self.encode(x, lengths))
        return tr.nn.cross_entropy(logits, y[1:], lengths=y_lengths - 1)

    def translate(self, x: Sequence[Any], width: int = 1, length: int = 40) -> list[list[str]]:
        """Find the tokens for each source by beam search."""
        target, found = self.vocabularies[1], []
        order = np.argsort([len(row) for row in x], kind="stable")  # of about one length side by side
        for some in np.array_split(order, -(-len(x) // 200)):
            padded, lengths = tr.data.pad_sequence([x[i] for i in some])
            with tr.no_grad():
                state = self.encode(padded, lengths)
            begin = np.full((1, len(some)), target.begin)
            found += tr.beam_search(self.decoder, begin, state, width=width, length=length, end=target.end)
        results: list[list[str]] = [[]] * len(x)
        for i, hypotheses in zip(order, found):
            results[i] = target.split(hypotheses[0].tokens)
        return results


def encode_pairs(
    pairs: Sequence[tuple[Any, Any]], source: Vocabulary, target: Vocabulary
) -> tuple[list, list]:
    """Number both sides; the targets get their marks."""
    return [source.encode(x) for x, _ in pairs], [target.encode(y, marks=True) for _, y in pairs]


def unrolled_loss(model: EncoderDecoder, x: Any, y: Any) -> tr.Tensor:
    """Record one pair, step by step, for a drawing."""
    model.zero_grad()
    with tr.unrolled():
        return model.loss(*next(iter(tr.data.bucket_by_length([x], [y], 1))))
