"""A long series: cut in time, into windows, and into streams side by side."""

from __future__ import annotations

from collections.abc import Sized
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tinyrnn.autograd.arguments import COUNT, SEQUENCE, check, checked, count, instance, number
from tinyrnn.data.padding import Array


@checked(series=instance(Sized, "an array or another sequence"), look_back=count(0))
def split_in_time(series: Any, *fractions: float, look_back: int = 0) -> tuple[Any, ...]:
    """Split off the end of a series, or several stretches at its end, in the order of time.

    Nothing of a later part is in an earlier one. Means and scales that a model uses should come from the
    first part alone.

    Parameters
    ----------
    series : ndarray, shape (T, ...), or another sequence
    *fractions : float
        The share of each later part; the first part is the rest.
    look_back : int
        Each later part begins this many steps early, so that its first target, after ``look_back`` steps of
        input, is its first own step. Targets are still in one part only.

    Returns
    -------
    tuple of slices of ``series``
        One more than fractions.

    Raises
    ------
    ValueError
        Where the fractions are not between 0 and 1 in sum, or a part would have no step.

    Examples
    --------
    >>> train, held_out = split_in_time(np.arange(20), 0.1)
    >>> len(train), held_out
    (18, array([18, 19]))
    >>> [part.tolist() for part in split_in_time(np.arange(10), 0.2, 0.2, look_back=1)]
    [[0, 1, 2, 3, 4, 5], [5, 6, 7], [7, 8, 9]]
    """
    for fraction in fractions:
        check("split_in_time", "fractions", fraction, number(high=1.0))
    steps = len(series)
    if not fractions or min(fractions) <= 0 or sum(fractions) >= 1:
        raise ValueError(
            f"split_in_time: fractions are {fractions}; expected above 0, and less than 1 in sum"
        )
    stops = [steps - round(steps * sum(fractions[i:])) for i in range(len(fractions))] + [steps]
    starts = [0, *stops[:-1]]
    for start, stop in zip(starts, stops):
        if stop <= start:
            raise ValueError(f"split_in_time: {steps} steps are too few for the fractions {fractions}")
    if not 0 <= look_back <= stops[0]:
        raise ValueError(f"split_in_time: look_back is {look_back}; expected 0 to {stops[0]}, the first part")
    return tuple(series[max(0, start - look_back) : stop] for start, stop in zip(starts, stops))


@checked(series=SEQUENCE, look_back=COUNT, horizon=COUNT, stride=COUNT)
def windows_of(series: Any, look_back: int, horizon: int = 1, *, stride: int = 1) -> tuple[Array, Array]:
    """Cut a series into overlapping windows: what is seen, and what follows.

    Parameters
    ----------
    series : array_like, shape (T, ...)
    look_back : int
        Steps of input.
    horizon : int
        Steps that follow on them.
    stride : int
        Steps from the beginning of a window to that of the next.

    Returns
    -------
    x : ndarray, shape (look_back, N, ...)
        Time-major, N windows side by side; a read-only view, so that many windows take no memory.
    y : ndarray, shape (horizon, N, ...)

    Raises
    ------
    ValueError
        Where a number is below 1, or the series is shorter than one window.

    Examples
    --------
    >>> x, y = windows_of(np.arange(6), look_back=3, horizon=2)
    >>> x.T.tolist(), y.T.tolist()
    ([[0, 1, 2], [1, 2, 3]], [[3, 4], [4, 5]])
    """
    array = np.asarray(series)
    if not array.ndim or len(array) < look_back + horizon:
        raise ValueError(
            f"windows_of: the series has shape {array.shape}; expected at least look_back + horizon = "
            f"{look_back + horizon} steps"
        )
    seen = np.moveaxis(sliding_window_view(array, look_back + horizon, axis=0)[::stride], -1, 0)
    return seen[:look_back], seen[look_back:]


class Streams(NamedTuple):
    """A sequence as parallel streams, (T, B, ...): ``y`` is what follows on ``x``.

    Attributes
    ----------
    x : ndarray, shape (T, B, ...)
    y : ndarray, shape (T, B, ...)

    Examples
    --------
    >>> import tinyrnn as tr
    >>> streams = tr.data.streams(range(9), 2)
    >>> streams.x.T
    array([[0, 1, 2, 3],
           [4, 5, 6, 7]])
    >>> streams.y.T
    array([[1, 2, 3, 4],
           [5, 6, 7, 8]])
    """

    x: Array
    y: Array


@checked(sequence=SEQUENCE, batch=COUNT)
def streams(sequence: Any, batch: int) -> Streams:
    """Cut a sequence into ``batch`` stretches of equal length, to be read side by side.

    Up to ``batch`` steps at the end are left over.

    Parameters
    ----------
    sequence : array_like, shape (N, ...)
        One step after the other.
    batch : int
        How many stretches, B.

    Returns
    -------
    Streams
        ``x`` and ``y``, both (T, B, ...) with ``T = (N - 1) // B``; ``y`` is one step ahead of ``x``.

    Examples
    --------
    >>> x, y = streams(np.arange(7), batch=2)
    >>> x.T, y.T
    (array([[0, 1, 2], [3, 4, 5]]), array([[1, 2, 3], [4, 5, 6]]))
    """
    array = np.asarray(sequence)
    steps = (len(array) - 1) // batch
    if steps < 1:
        raise ValueError(f"streams: {len(array)} steps are too few for {batch} streams")
    x, y = (
        part[: steps * batch].reshape(batch, steps, *array.shape[1:]).swapaxes(0, 1).copy()
        for part in (array, array[1:])
    )
    return Streams(x, y)
