"""From log probabilities of frames to labels: the best alignment, or a search for the best labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyrnn.autograd.arguments import COUNT, checked, count
from tinyrnn.nn.ctc.arguments import read_frames, read_lengths

Labels = np.ndarray[Any, np.dtype[np.intp]]
Prefix = tuple[int, ...]


@checked(blank=count(0))
def ctc_greedy_decode(log_probs: Any, input_lengths: Any = None, blank: int = 0) -> list[Labels]:
    """Read the labels off the best class of each frame: repeats are merged, then blanks dropped.

    That is the best single alignment. The best labels may be others, since many alignments add up to them;
    `ctc_beam_decode` looks for those.

    Parameters
    ----------
    log_probs : Tensor or array_like, shape (T, B, C), or (T, C) for a single row
        Log probabilities; anything that grows with them, such as logits, gives the same labels.
    input_lengths : array_like of int, shape (B,), optional
        The number of frames of each row; T by default.
    blank : int
        The class that is the blank.

    Returns
    -------
    list of ndarray of int
        The labels of each row.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> frames = np.eye(3)[[1, 1, 0, 1, 2, 2]]
    >>> tr.nn.ctc_greedy_decode(frames)
    [array([1, 1, 2])]
    """
    found: list[Labels] = []
    for scores in _rows("ctc_greedy_decode", log_probs, input_lengths, blank):
        best = scores.argmax(axis=1)
        first = np.ones(len(best), bool)  # not a repeat of the frame before
        first[1:] = best[1:] != best[:-1]
        found.append(best[first & (best != blank)])
    return found


@checked(blank=count(0), beam_width=COUNT)
def ctc_beam_decode(
    log_probs: Any, input_lengths: Any = None, blank: int = 0, beam_width: int = 16
) -> list[list[tuple[Labels, float]]]:
    """Search for the most probable labels, by their beginnings.

    After each frame the ``beam_width`` most probable beginnings are kept, each with the probability of *all*
    alignments of the frames so far that stand for it, those that end in a blank apart from the others: only
    after a blank can a label be repeated (Graves 2012, section 7.5.3; Hannun et al. 2014). A beam that loses
    nothing makes the search exact.

    Parameters
    ----------
    log_probs, input_lengths, blank
        As in `ctc_greedy_decode`; here they must be log probabilities.
    beam_width : int
        How many beginnings are kept.

    Returns
    -------
    list of list of (ndarray of int, float)
        For each row up to ``beam_width`` candidates, each with its log probability, the best first.

    Examples
    --------
    In each of two frames the blank is the most probable class, yet "1" is more probable than nothing:

    >>> import tinyrnn as tr
    >>> log_probs = np.log([[0.6, 0.4], [0.6, 0.4]])
    >>> tr.nn.ctc_greedy_decode(log_probs)
    [array([], dtype=int64)]
    >>> [(labels.tolist(), f"{np.exp(p):.2f}") for labels, p in tr.nn.ctc_beam_decode(log_probs)[0]]
    [([1], '0.64'), ([], '0.36')]
    """
    rows = _rows("ctc_beam_decode", log_probs, input_lengths, blank)
    with np.errstate(invalid="ignore"):
        return [_search(scores.astype(np.float64), blank, beam_width) for scores in rows]


def _search(scores: np.ndarray[Any, Any], blank: int, width: int) -> list[tuple[Labels, float]]:
    """Search in one row of frames, (T, C)."""
    prefixes: list[Prefix] = [()]
    ends_blank, ends_label = np.zeros(1), np.full(1, -np.inf)
    for frame in scores:
        either = np.logaddexp(ends_blank, ends_label)
        last = np.array([prefix[-1] if prefix else blank for prefix in prefixes], np.intp)
        at = np.arange(len(prefixes))
        # A prefix stays what it is by a blank, or by its last label once more.
        stay_blank = either + frame[blank]
        stay_label = np.where(last == blank, -np.inf, ends_label + frame[last])
        # It grows by any label; by its last one only from a blank.
        grown = either[:, None] + frame
        grown[at, last] = ends_blank + frame[last]
        grown[:, blank] = -np.inf
        # What grows into a prefix that is kept already is the same prefix.
        where = {prefix: i for i, prefix in enumerate(prefixes)}
        for i, prefix in enumerate(prefixes):
            parent = where.get(prefix[:-1]) if prefix else None
            if parent is not None:
                stay_label[i] = np.logaddexp(stay_label[i], grown[parent, prefix[-1]])
                grown[parent, prefix[-1]] = -np.inf
        total = np.concatenate([np.logaddexp(stay_blank, stay_label), grown.reshape(-1)])
        kept = np.argsort(-total, kind="stable")[:width]
        kept = kept[total[kept] > -np.inf]
        stayed, new = kept[kept < len(prefixes)], kept[kept >= len(prefixes)] - len(prefixes)
        origins, labels = np.divmod(new, len(frame))
        prefixes = [prefixes[i] for i in stayed] + [
            (*prefixes[i], int(c)) for i, c in zip(origins, labels, strict=True)
        ]
        ends_blank = np.concatenate([stay_blank[stayed], np.full(len(new), -np.inf)])
        ends_label = np.concatenate([stay_label[stayed], grown.reshape(-1)[new]])
    total = np.logaddexp(ends_blank, ends_label)
    return [(np.array(prefixes[i], np.intp), float(total[i])) for i in np.argsort(-total, kind="stable")]


def _rows(where: str, log_probs: Any, lengths: Any, blank: int) -> list[np.ndarray[Any, Any]]:
    """Return the real frames of each row."""
    frames, _ = read_frames(where, log_probs, blank)
    array = frames.data
    steps, size = array.shape[:2]
    lengths = read_lengths(
        where, "input_lengths", np.full(size, steps) if lengths is None else lengths, size, steps
    )
    return [array[:n, b] for b, n in enumerate(lengths)]
