"""Where the steps of a window come from: arrays that are cut, or a stream of which a few steps are held."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from tinyrnn.autograd.creation import as_tensor
from tinyrnn.autograd.functions import stack
from tinyrnn.autograd.operands import plain_array
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.recurrence.tree import flatten


class Chunk(NamedTuple):
    """Some steps: ``x`` and ``y`` with time as their first axis, and ``resets``, (steps,) or (steps, B)."""

    steps: int
    x: Any
    y: Any
    resets: np.ndarray[Any, Any] | None


class Source(Protocol):
    """Where the steps come from. From call to call ``stop`` and ``first`` do not fall."""

    def read(self, stop: int) -> int:
        """Read up to the step ``stop``, or to the end of the data, and return where that is."""
        ...

    def since(self, first: int) -> Chunk:
        """Return the steps from ``first`` to where reading has come to; those before are not needed again."""
        ...


def sliced(data: Any, first: int, stop: int) -> Any:
    """Cut each leaf of a structure along time."""
    leaves, tree = flatten(data)
    return tree.unflatten(leaf[first:stop] for leaf in leaves)


def check_resets(resets: npt.ArrayLike, axes: tuple[int, ...], expected: str) -> np.ndarray[Any, Any]:
    """Return the resets as an array of booleans with one of the numbers of axes."""
    array = plain_array("TruncatedBPTT: resets", resets)
    if array.dtype != np.bool_ or array.ndim not in axes:
        raise ValueError(
            f"TruncatedBPTT: resets has dtype {array.dtype} and shape {array.shape}; expected booleans, "
            f"shape {expected}"
        )
    return array


class ArraySource:
    """Cuts arrays, without a copy."""

    def __init__(self, x: Any, y: Any, resets: npt.ArrayLike | None) -> None:
        if isinstance(x, Iterator):
            raise TypeError(
                "TruncatedBPTT.windows: x is an iterator; expected arrays. stream(steps) goes over iterators"
            )
        self.resets = None if resets is None else check_resets(resets, (1, 2), "(T,) or (T, B)")
        self.x, self.y, self.steps, self.stop = x, y, -1, 0
        for name in ("x", "y"):
            leaves, tree = flatten(getattr(self, name))
            leaves = [leaf if hasattr(leaf, "shape") else as_tensor(leaf).data for leaf in leaves]
            setattr(self, name, tree.unflatten(leaves))
            for leaf, path in zip(leaves, tree.paths(name), strict=True):
                self._check_steps(leaf.shape, path)
        if self.resets is not None:
            self._check_steps(self.resets.shape, "resets")

    def _check_steps(self, shape: tuple[int, ...], path: str) -> None:
        if not shape or shape[0] == 0:
            raise ValueError(
                f"TruncatedBPTT: {path} has shape {shape}; expected (T, ...) with at least one step"
            )
        self.steps = shape[0] if self.steps < 0 else self.steps
        if shape[0] != self.steps:
            raise ValueError(
                f"TruncatedBPTT: {path} has {shape[0]} steps (its first axis); expected {self.steps}, as x "
                "has"
            )

    def read(self, stop: int) -> int:
        """Return ``stop``, or the end of the data where that comes first."""
        self.stop = min(stop, self.steps)
        return self.stop

    def since(self, first: int) -> Chunk:
        """Cut the steps from ``first`` on."""
        x, y, resets = sliced((self.x, self.y, self.resets), first, self.stop)
        return Chunk(self.stop - first, x, y, resets)


class StreamSource:
    """Reads single steps from an iterator, and holds those that are going to be run again."""

    def __init__(self, steps: Iterable[tuple[Any, ...]]) -> None:
        self.steps = iter(steps)
        self.held: deque[tuple[Any, Any, Any]] = deque()
        self.first = 0

    def read(self, stop: int) -> int:
        """Take steps from the iterator."""
        for item in islice(self.steps, stop - self.first - len(self.held)):
            if not isinstance(item, tuple) or len(item) not in (2, 3):
                got = f"a tuple of {len(item)}" if isinstance(item, tuple) else type(item).__name__
                raise TypeError(f"TruncatedBPTT.stream: a step is {got}; expected (x, y) or (x, y, reset)")
            x, y, reset = item if len(item) == 3 else (*item, None)
            reset = False if reset is None else check_resets(reset, (0, 1), "() or (B,) at each step")
            self.held.append((_copied(x), _copied(y), np.array(reset)))
        return self.first + len(self.held)

    def since(self, first: int) -> Chunk:
        """Forget the steps before ``first``, and stack the others."""
        while self.first < first:
            self.held.popleft()
            self.first += 1
        xs, ys, resets = zip(*self.held, strict=True)
        return Chunk(len(xs), _stacked(xs, "x"), _stacked(ys, "y"), np.stack(np.broadcast_arrays(*resets)))


def _copied(item: Any) -> Any:
    """Copy what a step is made of: a stream may yield one buffer again and again, filled anew each time."""
    leaves, tree = flatten(item)
    return tree.unflatten(
        leaf
        if isinstance(leaf, Tensor) and leaf.requires_grad
        else Tensor(leaf.data.copy())
        if isinstance(leaf, Tensor)
        else np.array(leaf)
        for leaf in leaves
    )


def _stacked(items: tuple[Any, ...], name: str) -> Any:
    """Stack the structures of single steps over time, leaf by leaf."""
    parts, trees = zip(*map(flatten, items), strict=True)
    shapes = [[np.shape(leaf) for leaf in leaves] for leaves in parts]
    for tree, shape in zip(trees, shapes, strict=True):
        if tree != trees[0] or shape != shapes[0]:
            raise ValueError(
                f"TruncatedBPTT.stream: the steps' {name} differ: {trees[0].paths(name)} of shapes "
                f"{shapes[0]}, then {tree.paths(name)} of shapes {shape}"
            )
    return trees[0].unflatten(stack(list(leaves)) for leaves in zip(*parts, strict=True))
