"""Batches: some of the examples at a time, in order or shuffled anew at each turn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tinyrnn.autograd.arguments import COUNT, FLAG, INTEGER, RNG, Kind, checked
from tinyrnn.autograd.rng import generator, set_state
from tinyrnn.recurrence.tree import flatten

Rng = np.random.Generator | int | None
ARRAYS = Kind(
    "an array, or a tuple or dict of arrays",
    lambda value: isinstance(value, (tuple, list, dict)) or np.ndim(value) > 0,
)


class Shuffled:
    """What goes over examples in an order of its own: it says its length, and keeps the state of its rng.

    Parameters
    ----------
    count, size : int
        The examples, and how many of them make a batch.
    rng : Generator or int, optional
        None for the order in which they stand.
    """

    def __init__(self, where: str, count: int, size: int, rng: Rng, drop_last: bool = False) -> None:
        if count < (size if drop_last else 1):
            raise ValueError(f"{where}: there are {count} examples, which do not make one batch")
        self.count, self.size, self.drop_last = count, int(size), drop_last
        self.rng = None if rng is None else generator(rng)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.count} examples in {len(self)} batches of {self.size})"

    def __len__(self) -> int:
        """Return the number of batches."""
        return self.count // self.size if self.drop_last else -(-self.count // self.size)

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the generator, from which the next turn's order comes."""
        return {"rng": None if self.rng is None else self.rng.bit_generator.state}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned: the next turns go on as they would have."""
        if (state_dict["rng"] is None) != (self.rng is None):
            raise ValueError("batches: the state is of shuffled batches and these are not, or the reverse")
        if self.rng is not None:
            set_state(self.rng, state_dict["rng"])


class Batches(Shuffled):
    """What `batches` returns: can be gone over any number of times, and says its length.

    Parameters
    ----------
    x, y, size, rng, axis, drop_last
        As in `batches`.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> import numpy as np
    >>> batches = tr.data.batches(np.arange(10), np.arange(10), 4, rng=0)
    >>> len(batches), [x.size for x, _ in batches]
    (3, [4, 4, 2])
    """

    def __init__(self, x: Any, y: Any, size: int, rng: Rng, axis: int, drop_last: bool) -> None:
        leaves, tree = flatten((x, y))
        self._leaves, self._tree, self._axis = [np.asarray(leaf) for leaf in leaves], tree, axis
        counts: dict[str, int] = {}
        for leaf, path in zip(self._leaves, tree.paths("data"), strict=True):
            if not -leaf.ndim <= axis < leaf.ndim:
                raise ValueError(f"batches: {path} has shape {leaf.shape}; expected an axis {axis}")
            counts[path] = leaf.shape[axis]
        if len(set(counts.values())) != 1:
            raise ValueError(f"batches: the parts differ in their number of examples: {counts}")
        super().__init__("batches", next(iter(counts.values())), size, rng, drop_last)

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        order = np.arange(self.count) if self.rng is None else self.rng.permutation(self.count)
        for i in range(len(self)):
            chosen = order[i * self.size : (i + 1) * self.size]
            yield self._tree.unflatten(np.take(leaf, chosen, self._axis) for leaf in self._leaves)


@checked(x=ARRAYS, y=ARRAYS.or_none(), size=COUNT, rng=RNG, axis=INTEGER, drop_last=FLAG)
def batches(
    x: Any, y: Any = None, size: int = 32, rng: Rng = None, *, axis: int = 0, drop_last: bool = False
) -> Batches:
    """Go over examples in batches.

    Parameters
    ----------
    x, y : structure of ndarray
        Arrays, or tuples and dicts of them, with the examples along one axis.
    size : int
        Examples in a batch; the last one has what is left.
    rng : Generator or int, optional
        Shuffle with it, anew at each turn; None goes in order.
    axis : int
        The axis of the examples: 1 for sequences that are time-major.
    drop_last : bool
        Leave out a last batch that is not full.

    Returns
    -------
    Batches
        An iterable of ``(x, y)``, to be gone over any number of times; ``len`` is the number of batches.

    Raises
    ------
    ValueError
        Where the parts differ in length, or there is no example.

    Examples
    --------
    >>> for x, y in batches(np.arange(5), np.arange(5) ** 2, size=2):
    ...     print(x, y)
    [0 1] [0 1]
    [2 3] [4 9]
    [4] [16]
    >>> len(batches(np.arange(5), size=2, rng=0))
    3
    """
    return Batches(x, y, size, rng, axis, drop_last)
