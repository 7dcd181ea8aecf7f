"""One window of truncated backpropagation through time: the plain loop over its pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple, TypeVar

import numpy as np

from tinyrnn.autograd.creation import as_tensor
from tinyrnn.autograd.functions import concatenate, where
from tinyrnn.autograd.state import steps_from
from tinyrnn.recurrence.tree import flatten
from tinyrnn.recurrence.truncation.sources import Chunk, sliced

Y = TypeVar("Y")


class Window:
    """The steps of one update. `TruncatedBPTT` makes it.

    Attributes
    ----------
    replay_start, start, stop : int
        Steps of the whole stream, counted from 0. The loss counts ``[start, stop)``; the gradient flows back
        to ``replay_start``.
    next_replay_start : int
        Where the next window is going to begin.
    x, y : structure of array or Tensor, each of shape (stop - start, ...)
        The data of the counted steps.
    carry : structure of Tensor, or None
        The constant from which the window begins; None where it begins from the initial state.
    """

    def __init__(
        self,
        chunk: Chunk,
        replay_start: int,
        start: int,
        next_replay_start: int,
        carry: Any,
        beginning: Beginning,
    ) -> None:
        self.replay_start = replay_start
        self.start = start
        self.stop = replay_start + chunk.steps
        self.next_replay_start = next_replay_start
        self.x = sliced(chunk.x, start - replay_start, chunk.steps)
        self.y = sliced(chunk.y, start - replay_start, chunk.steps)
        self.carry = carry
        self._inputs = chunk.x
        masks = () if chunk.resets is None else chunk.resets
        self._resets = {replay_start + i: mask for i, mask in enumerate(masks) if mask.any()}
        self._beginning = beginning
        self._carries: tuple[Any, Any] | None = None

    def run(self, model: Callable[[Any, Any], tuple[Y, Any]]) -> Y:
        """Run the model over the window, and keep the carry that the next window begins from.

        May be called more than once, as in a line search; the last call is the one whose carry goes on.

        Parameters
        ----------
        model : callable
            ``model(x, carry) -> (outputs, carry)``, time first: a layer such as `nn.GRU`, or any function. It
            gets the window piece by piece.

        Returns
        -------
        structure of Tensor, each of shape (stop - start, ...)
            The outputs of the counted steps.

        Raises
        ------
        TypeError
            Where the model does not return a pair.
        ValueError
            Where the first axis of an output is not time, or a reset does not fit the carry.
        """
        initial = self._beginning.state() if self.carry is None or self._resets else None
        carry = initial if self.carry is None else self.carry
        next_carry = self.carry  # stays where the next window begins where this one did, at step 0
        outputs: list[Any] = []
        for first, stop in self.pieces():
            if first in self._resets:
                carry = self._beginning.reset(carry, initial, self._resets[first], first)
            with steps_from(first):
                x = sliced(self._inputs, first - self.replay_start, stop - self.replay_start)
                ys, carry = pair(model(x, carry))
            if first >= self.start:
                outputs.append(ys)
            if stop == self.next_replay_start:
                next_carry = constant(carry)
        self._carries = next_carry, constant(carry)
        return joined(outputs, self.stop - self.start)

    def pieces(self) -> Iterator[tuple[int, int]]:
        """Go over the pieces ``[first, stop)`` of the window, cut wherever something happens."""
        cuts = sorted({self.replay_start, self.start, self.next_replay_start, self.stop, *self._resets})
        return pairwise(cuts)

    @property
    def next_carry(self) -> Any:
        """The carry at ``next_replay_start``, a constant, as the latest `run` came to it."""
        return self._ran()[0]

    @property
    def final_carry(self) -> Any:
        """The carry after the last step, a constant, as the latest `run` came to it."""
        return self._ran()[1]

    def _ran(self) -> tuple[Any, Any]:
        if self._carries is None:
            raise RuntimeError(
                f"TruncatedBPTT: the window of the steps {self.start} to {self.stop - 1} was not run, so "
                "there is no carry to go on from; call window.run(model)"
            )
        return self._carries

    def __repr__(self) -> str:
        return f"Window(replay_start={self.replay_start}, start={self.start}, stop={self.stop})"


class Beginning(NamedTuple):
    """What a document begins from, and which axis of the carry has the documents."""

    initial_state: Any
    batch_axis: int

    def state(self) -> Any:
        """Return the initial state, computed afresh where it is given as a function."""
        state = self.initial_state() if callable(self.initial_state) else self.initial_state
        leaves, tree = flatten(state)
        leaves = [as_tensor(leaf) for leaf in leaves]
        for leaf, path in zip(leaves, tree.paths("initial_state"), strict=True):
            if not (leaf.is_leaf or callable(self.initial_state)):
                raise ValueError(
                    f"TruncatedBPTT: {path} was computed, and its graph serves one backward pass; expected a "
                    "constant, a parameter, or a function that computes it for each window (lambda: "
                    "cell.initial_state(batch))"
                )
        return tree.unflatten(leaves)

    def reset(self, carry: Any, initial: Any, mask: np.ndarray[Any, Any], step: int) -> Any:
        """Replace the carry by the initial state, in the rows where the mask is true."""
        if initial is None:
            raise ValueError(
                "TruncatedBPTT: resets need initial_state=, the state that a new document begins from"
            )
        old, tree = flatten(carry)
        new, new_tree = flatten(initial, like=tree)
        if tree != new_tree or [leaf.shape for leaf in old] != [leaf.shape for leaf in new]:
            raise ValueError(
                f"TruncatedBPTT: at the reset before step {step} the carry is {tree.paths('carry')} of "
                f"shapes {[leaf.shape for leaf in old]}; expected the form of initial_state, "
                f"{new_tree.paths('carry')} of shapes {[leaf.shape for leaf in new]}"
            )
        if mask.all():
            return initial
        masks = [
            self._rows(mask, leaf.shape, path) for leaf, path in zip(old, tree.paths("carry"), strict=True)
        ]
        return tree.unflatten(where(m, n, o) for m, n, o in zip(masks, new, old, strict=True))

    def _rows(self, mask: np.ndarray[Any, Any], shape: tuple[int, ...], path: str) -> np.ndarray[Any, Any]:
        """Give the mask the axes of a leaf of the carry."""
        axis = self.batch_axis + len(shape) if self.batch_axis < 0 else self.batch_axis
        if not 0 <= axis < len(shape) or shape[axis] != len(mask):
            raise ValueError(
                f"TruncatedBPTT: resets has {len(mask)} rows, but {path} has shape {shape}; expected "
                f"{len(mask)} at batch_axis = {self.batch_axis}"
            )
        return mask.reshape((-1,) + (1,) * (len(shape) - axis - 1))


def constant(carry: Any) -> Any:
    """Cut the gradient of each leaf of a carry."""
    leaves, tree = flatten(carry)
    return tree.unflatten(as_tensor(leaf).detach() for leaf in leaves)


def pair(returned: Any) -> tuple[Any, Any]:
    """Return what a model returned, where it is (outputs, carry)."""
    if not isinstance(returned, tuple) or len(returned) != 2:
        got = f"a tuple of {len(returned)}" if isinstance(returned, tuple) else type(returned).__name__
        raise TypeError(f"TruncatedBPTT: the model returned {got}; expected the pair (outputs, carry)")
    return returned


def joined(pieces: list[Any], steps: int) -> Any:
    """Put the outputs of the pieces together, leaf by leaf."""
    parts = [flatten(piece)[0] for piece in pieces]
    tree = flatten(pieces[0])[1]
    leaves = [
        columns[0] if len(columns) == 1 else concatenate(list(columns))
        for columns in zip(*parts, strict=True)
    ]
    for leaf, path in zip(leaves, tree.paths("outputs"), strict=True):
        if np.shape(leaf)[:1] != (steps,):
            raise ValueError(
                f"TruncatedBPTT: {path} has shape {np.shape(leaf)}; expected time as its first axis, here "
                f"{steps} steps"
            )
    return tree.unflatten(leaves)
