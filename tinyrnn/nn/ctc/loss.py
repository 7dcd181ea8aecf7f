"""The loss of connectionist temporal classification (CTC): its forward recursion is a `scan`.

The network gives, for each frame, the log probabilities of the labels and of a *blank*. An alignment names
one of them for each frame, and stands for the labels that are left when repeats are merged and then blanks
are dropped: ``-aa--ab`` stands for ``aab``. The loss is ``-log`` of the probability of all alignments that
stand for the target (Graves et al., ICML 2006).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tinyrnn.autograd.arguments import FLAG, checked, count
from tinyrnn.autograd.functions import concatenate, exp, log, maximum, where
from tinyrnn.autograd.state import scope
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.nn.ctc.arguments import Batch, read_batch
from tinyrnn.nn.reduction import REDUCTION, Reduction, reduced
from tinyrnn.recurrence.scan import scan

# Stands for log 0. It is finite, so that no difference of two of them is NaN, and swallows what is added.
_NEVER = -1e30


@checked(blank=count(0), reduction=REDUCTION, zero_infinity=FLAG)
def ctc_loss(
    log_probs: npt.ArrayLike,
    targets: npt.ArrayLike,
    input_lengths: npt.ArrayLike,
    target_lengths: npt.ArrayLike,
    blank: int = 0,
    reduction: Reduction = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """Negative log probability of the targets, over all alignments with the frames.

    Parameters
    ----------
    log_probs : Tensor or array_like, shape (T, B, C), or (T, C) for a single row
        Log probabilities of the C classes at each frame, such as `tinyrnn.log_softmax` gives.
    targets : array_like of int, shape (B, L), or (the sum of target_lengths,)
        The labels, without blanks: a row each, whatever stands behind its end, or one row after the other.
    input_lengths : array_like of int, shape (B,)
        The number of frames of each row, 0 to T. What stands behind has no influence, not even as NaN.
    target_lengths : array_like of int, shape (B,)
        The number of labels of each row; it may be 0.
    blank : int
        The class that is the blank.
    reduction : {"mean", "sum", "none"}
        The mean is that of the rows' losses, each divided by its number of labels (by 1 where it has none).
    zero_infinity : bool
        Let rows whose target needs more frames than there are (repeated labels need a blank between them)
        have a loss of 0 instead of infinity.

    Returns
    -------
    Tensor
        A number; with ``reduction="none"`` of shape (B,).

    Raises
    ------
    ValueError, TypeError, IndexError
        Where a shape, length or label does not fit; the message names the row.

    Notes
    -----
    Let the states s = 0 ... 2L be the labels, with a blank before, between and after them, and ``alpha_t(s)``
    the log probability to have read t frames and be at s. Then ``alpha_t(s) = log(exp alpha_{t-1}(s) +
    exp alpha_{t-1}(s - 1) + exp alpha_{t-1}(s - 2)) + log_probs_t(label of s)``, without the last term where
    s is a blank or repeats the label before it. That is the step of the scan, and the backward recursion of
    the paper is the gradient of that scan.

    The gradient is that of the function above. PyTorch's differs by ``exp(log_probs)``, which goes to zero
    through the log-softmax that it takes for granted. A row whose loss is infinite gets no gradient
    (PyTorch: NaN).

    Examples
    --------
    Of two frames that give each of three classes a third, "a" has the alignments ``aa``, ``a-`` and ``-a``:

    >>> import tinyrnn as tr
    >>> log_probs = tr.log_softmax(tr.zeros((2, 1, 3)))
    >>> tr.exp(-tr.nn.ctc_loss(log_probs, [[1]], [2], [1]))
    tensor(0.33333...)
    """
    name = "ctc_loss"
    batch = read_batch(name, log_probs, targets, input_lengths, target_lengths, blank)
    reached = _log_probability(batch)
    impossible = reached < _NEVER / 2
    loss = where(impossible, 0.0 if zero_infinity else np.inf, -reached)
    if reduction == "mean":
        loss = loss / np.maximum(batch.target_lengths, 1).astype(loss.dtype)
    return reduced(name, loss if batch.batched else loss[0], reduction)


def _log_probability(batch: Batch) -> Any:
    """Return the log probability of each row's labels, of shape (B,); far below 0 where there is no way."""
    log_probs, labels, counts = batch.log_probs, batch.labels, batch.target_lengths
    size, number = len(labels), log_probs.dtype.type
    rows = np.arange(size)
    states = np.full((size, 2 * labels.shape[1] + 1), batch.blank)
    states[:, 1::2] = labels
    frames = maximum(log_probs[:, rows[:, None], states], number(_NEVER))
    # To s from s - 2, past a blank: not from a label to itself.
    skip = np.full(states.shape, _NEVER, number)
    skip[:, 3::2][labels[:, 1:] != labels[:, :-1]] = 0
    edge = np.full((size, 2), _NEVER, number)

    def step(alpha: Any, frame: Any) -> tuple[Any, None]:
        one = concatenate([edge[:, :1], alpha[:, :-1]], axis=1)
        two = concatenate([edge, alpha[:, :-2]], axis=1) + skip
        return _log_sum(alpha, one, two) + frame, None

    before = np.full(states.shape, _NEVER, number)  # any frame: as if at the first blank
    before[:, 0] = 0
    # No frames at all: one is run for scan's sake, and not looked at.
    with scope("ctc"):
        alpha, _ = scan(step, before, frames, lengths=np.maximum(batch.input_lengths, 1))
    ended = (batch.input_lengths > 0)[:, None]
    alpha = alpha if ended.all() else where(ended, alpha, before)
    last_label = where(counts > 0, alpha[rows, np.maximum(2 * counts - 1, 0)], number(_NEVER))
    return _log_sum(alpha[rows, 2 * counts], last_label)


def _log_sum(*terms: Any) -> Any:
    """Return the log of the sum of the exponentials.

    Written out, and not by `logsumexp`, whose gradient ``exp(x - ans)`` is as inexact as numbers of the size
    of ``ans`` are: here the weights add up to 1 however large the terms are, in a step as after 10,000.
    """
    top = terms[0]
    for term in terms[1:]:
        top = maximum(top, term)
    top = top.detach()  # it cancels: the gradient by it is zero
    total = exp(terms[0] - top)
    for term in terms[1:]:
        total = total + exp(term - top)
    return log(total) + top
