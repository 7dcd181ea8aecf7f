"""Batches of sequences of about one length, so that little of them is padding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from tinyrnn.autograd.arguments import COUNT, ITERABLE, REAL, RNG, checked
from tinyrnn.data.batches import Rng, Shuffled
from tinyrnn.data.padding import Array, pad_sequence


class PaddedBatch(NamedTuple):
    """Sequences side by side, (T, B, ...), with their lengths, (B,).

    ``y`` is padded too where the targets are sequences (``y_lengths`` is None where they are not).

    Attributes
    ----------
    x : ndarray, shape (T, B, ...)
    y : ndarray, or None
    lengths : ndarray of int, shape (B,)
    y_lengths : ndarray of int, shape (B,), or None

    Examples
    --------
    >>> import tinyrnn as tr
    >>> import numpy as np
    >>> (batch,) = tr.data.bucket_by_length([np.ones(3), np.ones(1)], None, 2, rng=0)
    >>> batch.x.shape, batch.lengths
    ((3, 2), array([1, 3]))
    """

    x: Array
    y: Any
    lengths: Array
    y_lengths: Array | None


class Buckets(Shuffled):
    """What `bucket_by_length` returns.

    Attributes
    ----------
    padding : float
        The share of all places, in x and in y, that is padding.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> import numpy as np
    >>> found = tr.data.bucket_by_length([np.ones(n) for n in (2, 9, 2, 8)], None, 2, rng=0)
    >>> len(found), round(found.padding, 3)
    (2, 0.045)
    """

    def __init__(self, x: Sequence[Any], y: Sequence[Any] | None, size: int, rng: Rng, value: float) -> None:
        self._x, self._value = [np.asarray(row) for row in x], value
        super().__init__("bucket_by_length", len(self._x), size, rng)
        self._y = None if y is None else [np.asarray(row) for row in y]
        if self._y is not None and len(self._y) != self.count:
            raise ValueError(f"bucket_by_length: got {len(self._y)} targets; expected {self.count}, one each")
        self._padded_y = self._y is not None and all(row.ndim for row in self._y)
        sides = [self._x, self._y] if self._y is not None and self._padded_y else [self._x]
        for name, side in zip("xy", sides):
            for i, row in enumerate(side):
                if row.ndim == 0 or not len(row):
                    raise ValueError(
                        f"bucket_by_length: {name}[{i}] has shape {row.shape}; expected a sequence of at "
                        "least one step"
                    )
        self._lengths = np.array([[len(row) for row in side] for side in sides])
        self._sorted = np.lexsort(self._lengths[::-1])  # by x, then by y
        places = real = 0
        for batch in self._cut(self._sorted):
            lengths = self._lengths[:, batch]
            places += int(lengths.max(1).sum()) * len(batch)
            real += int(lengths.sum())
        self.padding = 1 - real / places

    def _cut(self, order: Array) -> list[Array]:
        return [order[i : i + self.size] for i in range(0, self.count, self.size)]

    def __iter__(self) -> Iterator[PaddedBatch]:
        order = self._sorted
        if self.rng is not None:  # among equals, who goes with whom is drawn anew
            order = np.lexsort((self.rng.random(self.count), *self._lengths[::-1]))
        cut = self._cut(order)
        for i in range(len(cut)) if self.rng is None else self.rng.permutation(len(cut)):
            x, lengths = pad_sequence([self._x[k] for k in cut[i]], self._value)
            y: Any = None if self._y is None else [self._y[k] for k in cut[i]]
            y, y_lengths = pad_sequence(y, self._value) if self._padded_y else (y, None)
            yield PaddedBatch(x, np.stack(y) if isinstance(y, list) else y, lengths, y_lengths)


@checked(x=ITERABLE, y=ITERABLE.or_none(), size=COUNT, rng=RNG, value=REAL)
def bucket_by_length(
    x: Sequence[Any], y: Sequence[Any] | None = None, size: int = 32, rng: Rng = None, *, value: float = 0
) -> Buckets:
    """Sort sequences by length, and cut them into batches, each padded to its own longest.

    Parameters
    ----------
    x : sequence of array_like, each of shape (T_i, ...)
    y : sequence of array_like, optional
        One target for each: sequences, (U_i, ...), which are padded too, or single values.
    size : int
        Sequences in a batch.
    rng : Generator or int, optional
        Draws, anew at each turn, the order of the batches, and who goes together among sequences of one
        length. None goes from the shortest to the longest.
    value : number
        What stands in the padding.

    Returns
    -------
    Buckets
        An iterable of `PaddedBatch`; ``len`` is the number of batches, and ``padding`` the share of padding.

    Raises
    ------
    ValueError
        Where there are no sequences, one is empty, or x and y differ in number.

    Examples
    --------
    >>> buckets = bucket_by_length([[1, 2, 3], [4], [5, 6, 7], [8]], [0, 1, 0, 1], size=2)
    >>> buckets.padding
    0.0
    >>> for x, y, lengths, _ in buckets:
    ...     print(x.tolist(), y, lengths)
    [[4, 8]] [1 1] [1 1]
    [[1, 5], [2, 6], [3, 7]] [0 0] [3 3]
    """
    return Buckets(x, y, size, rng, value)
