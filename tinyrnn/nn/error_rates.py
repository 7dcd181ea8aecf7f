"""How far sequences are from what they should be: edit distance, and the error rates made of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from tinyrnn.autograd.arguments import SEQUENCE, checked, instance

ITEMS = instance(Iterable, "a sequence")


@checked(a=ITEMS, b=ITEMS)
def edit_distance(a: Iterable[Any], b: Iterable[Any]) -> int:
    """Count the fewest insertions, deletions and substitutions that turn one sequence into the other.

    (Levenshtein 1965; by rows of the table of Wagner and Fischer 1974, each row in a few NumPy calls.)

    Parameters
    ----------
    a, b : iterable
        Strings, arrays or lists; of anything that can be hashed.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.edit_distance("kitten", "sitting")
    3
    >>> tr.nn.edit_distance("the cat sat".split(), "the bad cat sat".split())
    1
    """
    numbers: dict[Any, int] = {}
    x, y = (
        np.array([numbers.setdefault(item, len(numbers)) for item in _items(sequence)], int)
        for sequence in (a, b)
    )
    places = np.arange(len(y) + 1)
    row = places  # the distances of what is read of a to each beginning of b
    for i, item in enumerate(x, start=1):
        changed = np.append(i, np.minimum(row[1:] + 1, row[:-1] + (y != item)))
        row = np.minimum.accumulate(changed - places) + places  # or with insertions after a better place
    return int(row[-1])


@checked(predictions=SEQUENCE, targets=SEQUENCE)
def error_rate(predictions: Sequence[Iterable[Any]], targets: Sequence[Iterable[Any]]) -> float:
    """Return the edit distances of all pairs together, as a share of the targets' lengths together.

    Of strings it is the character error rate, of lists of words the word error rate, of lists of phonemes the
    phoneme error rate. It can be more than 1.

    Parameters
    ----------
    predictions, targets : sequence of sequences
        As many of one as of the other: strings, lists of words, or anything that can be compared.

    Raises
    ------
    ValueError
        Where there are not as many of one as of the other, or all targets are empty.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.nn.error_rate(["seven", "fife"], ["seven", "five"])
    0.1111111111111111
    """
    if len(predictions) != len(targets):
        raise ValueError(
            f"error_rate: there are {len(predictions)} predictions and {len(targets)} targets; "
            "expected as many of one as of the other"
        )
    pairs = [(_items(a), _items(b)) for a, b in zip(predictions, targets, strict=True)]
    length = sum(len(b) for _, b in pairs)
    if not length:
        raise ValueError("error_rate: the targets are empty; a share of nothing is not defined")
    return sum(edit_distance(a, b) for a, b in pairs) / length


def _items(sequence: Iterable[Any]) -> list[Any]:
    """Return what a sequence holds, numbers as Python has them."""
    return sequence.tolist() if hasattr(sequence, "tolist") else list(sequence)  # pyright: ignore
