"""Beam search: the likeliest sequences, of those that begin likely enough."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from tinyrnn.autograd.arguments import ARRAY, COUNT, FUNCTION, INTEGER, checked, count, number
from tinyrnn.generation.choosing import peaks
from tinyrnn.generation.following import Following, Model
from tinyrnn.generation.generate import read_prompt
from tinyrnn.generation.largest import largest

Array = np.ndarray[Any, Any]


class Hypothesis(NamedTuple):
    """A sequence that was found.

    Attributes
    ----------
    tokens : ndarray of int, shape (n,)
        What was written, without the prompt and without the end mark.
    score : float
        ``log_prob / length ** length_penalty``, by which they are ranked; the length counts the end mark.
    log_prob : float
        Of all that was written, the end mark too.
    ended : bool
        Whether it came to the end mark.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> import numpy as np
    >>> follow = np.log([[0.1, 0.6, 0.3], [0.2, 0.2, 0.6], [0.4, 0.3, 0.3]])  # 2 is the end mark
    >>> def step(tokens, state):
    ...     return follow[tokens], state
    >>> (found,) = tr.beam_search(step, [0], width=2, length=5, end=2)
    >>> found[0].tokens, found[0].ended
    (array([1]), True)
    """

    tokens: Array
    score: float
    log_prob: float
    ended: bool


@checked(
    model=FUNCTION,
    prompt=ARRAY,
    width=COUNT,
    length=COUNT,
    end=count(0).or_none(),
    length_penalty=number(),
    batch_axis=INTEGER,
)
def beam_search(
    model: Model,
    prompt: Any,
    state: Any = None,
    *,
    width: int,
    length: int,
    end: int | None = None,
    length_penalty: float = 1.0,
    batch_axis: int = -2,
) -> list[list[Hypothesis]]:
    """Find likely sequences: keep the ``width`` likeliest beginnings of each row, and go on from these.

    Parameters
    ----------
    model, prompt, state
        As in `generate`. A state whose leaves a call returns as they came (the same objects, such as the keys
        of a `DecoderState`) is not copied.
    width : int
        Beginnings that are kept. 1 is greedy.
    length : int
        How many tokens at most, the end mark counted.
    end : int, optional
        The token that ends a sequence.
    length_penalty : float
        The power of the length that log probabilities are divided by, so that short sequences are not
        preferred for being short: 0 for none, 1 for the mean over tokens.
    batch_axis : int
        The axis of the batch in the leaves of the state; -2 is right for (B, H), (layers, B, H) and
        (S, B, K).

    Returns
    -------
    list of list of Hypothesis
        For each row of the prompt the best, up to ``width``, best first. It is as if the search had been run
        for that row alone.

    Raises
    ------
    ValueError, TypeError
        Where an argument is out of its range, or the model gives something else than logits (T, B, C).

    Examples
    --------
    >>> import tinyrnn as tr
    >>> follow = np.log([[0.1, 0.5, 0.4], [0.4, 0.3, 0.3], [0.0, 0.1, 0.9]] + np.finfo(float).tiny)
    >>> def bigrams(tokens, state):
    ...     return follow[tokens], state
    >>> for found in beam_search(bigrams, [0], width=2, length=2)[0]:
    ...     print(found.tokens, round(np.exp(found.log_prob), 3))
    [2 2] 0.36
    [1 0] 0.2
    """
    tokens, _ = read_prompt("beam_search", prompt)
    beams = _Beams(tokens.shape[1], width, length, end, length_penalty)
    following = Following("beam_search", model, tokens, state)
    following.repeat(width, batch_axis)
    beams.step(following.logits)
    while not beams.done():
        following.reorder(beams.parent_rows(), batch_axis)
        following.read(beams.written[-1].ravel())
        beams.step(following.logits)
    return beams.results()


class _Beams:
    """What is alive and what has ended, of each row. Arrays are (B, W), the best first."""

    def __init__(self, batch: int, width: int, length: int, end: int | None, penalty: float) -> None:
        self.batch, self.width, self.length, self.end, self.penalty = batch, width, length, end, penalty
        self.rows = np.arange(batch)[:, None]
        self.scores = np.full((batch, width), -math.inf)
        self.scores[:, 0] = 0.0  # at first all beams are the same: only one of them counts
        self.written: list[Array] = []  # the last token of each beam, step by step
        self.parents: list[Array] = []  # the beam that it went on from
        self.ended: list[list[tuple[float, float, int, int]]] = [[] for _ in range(batch)]

    def step(self, logits: Array) -> None:
        """Go on by one token; ``logits`` is (B * W, C)."""
        B, W, size = self.batch, self.width, logits.shape[-1]
        below = logits - peaks(logits)
        before = self.scores - np.log(np.exp(below) @ np.ones(size, logits.dtype)).reshape((B, W))
        candidates = below.reshape((B, W, size)) + before[..., None]  # log probabilities, in float64
        candidates = candidates.reshape((B, -1))
        # Of the best 2 W at most W have ended, one for each beam: W are left to go on from.
        best = largest(candidates, min(2 * W, W * size))
        best.sort(-1)
        scores = candidates[self.rows, best]
        order = (-scores).argsort(-1, kind="stable")  # of equals the first
        best, scores = best[self.rows, order], scores[self.rows, order]
        parents, tokens = np.divmod(best, size)
        steps = len(self.written) + 1
        if self.end is not None and (ends := tokens == self.end).any():
            for b, k in np.argwhere(ends[:, :W] & (scores[:, :W] > -math.inf)):
                score = float(scores[b, k])
                self.ended[b].append((score / steps**self.penalty, score, steps - 1, int(parents[b, k])))
            scores = np.where(ends, -math.inf, scores)
            alive = np.argsort(ends, axis=-1, kind="stable")
            scores, tokens, parents = (part[self.rows, alive] for part in (scores, tokens, parents))
        self.scores = scores[:, :W]
        self.written.append(tokens[:, :W])
        self.parents.append(parents[:, :W])

    def parent_rows(self) -> Array:
        """Return for each of the B * W rows the one that it went on from."""
        return (self.parents[-1] + self.rows * self.width).ravel()

    def done(self) -> bool:
        """Whether no row can come to anything better."""
        if len(self.written) == self.length:
            return True
        # A log probability only falls, so this is the most that a beam can still come to.
        most = self.scores.max(-1) / self.length**self.penalty
        for b, found in enumerate(self.ended):
            if most[b] > -math.inf and (len(found) < self.width or sorted(found)[-self.width][0] < most[b]):
                return False
        return True

    def results(self) -> list[list[Hypothesis]]:
        """Return what was found, best first."""
        steps = len(self.written)
        best: list[list[tuple[float, float, int, int, bool]]] = []
        for b in range(self.batch):
            found = [(*candidate, True) for candidate in self.ended[b]]
            if steps == self.length:
                found += [
                    (score / steps**self.penalty, score, steps, k, False)
                    for k, score in enumerate(self.scores[b].tolist())
                    if score > -math.inf
                ]
            found.sort(key=lambda candidate: -candidate[0])
            best.append(found[: self.width])
        tokens = iter(
            self._read_back([(b, k, at) for b, found in enumerate(best) for _, _, at, k, _ in found])
        )
        return [
            [Hypothesis(next(tokens), score, log_prob, ended) for score, log_prob, _, _, ended in found]
            for found in best
        ]

    def _read_back(self, ends: list[tuple[int, int, int]]) -> list[Array]:
        """Return the tokens of sequences, each from its row, its last beam and its length: all at once."""
        if not ends:
            return []
        row, beam, length = np.array(ends).T
        tokens = np.empty((len(ends), length.max()), np.int64)
        for t in reversed(range(tokens.shape[1])):
            (here,) = np.nonzero(length > t)
            at = row[here], beam[here]
            tokens[here, t] = self.written[t][at]
            beam[here] = self.parents[t][at]
        return [line[:n] for line, n in zip(tokens, length, strict=True)]
