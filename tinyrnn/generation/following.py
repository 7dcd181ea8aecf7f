"""A model that is asked for one token after another: compiled where it can be, and otherwise called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinyrnn.autograd.creation import as_tensor
from tinyrnn.autograd.state import no_grad
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.recurrence.loop import Step
from tinyrnn.recurrence.stepper import BoundStep, watched
from tinyrnn.recurrence.traced import Structure, Untraceable
from tinyrnn.recurrence.tree import LEAF, Tree, flatten

Array = np.ndarray[Any, Any]
Model = Callable[[Any, Any], tuple[Any, Any]]


class Following:
    """What comes after a prompt, token by token.

    The model sees the prompt as it is. What it does with one more token is compiled, and bound to its
    parameters, as in `Stepper`; but nothing is said of a model that cannot be compiled.

    Attributes
    ----------
    logits : ndarray, shape (B, C)
        The scores of the next token.
    """

    def __init__(self, where: str, model: Model, prompt: Array, state: Any) -> None:
        self._where = where
        self._model = model
        self._step = _one_token(where, model)
        self._bound: BoundStep | None = None
        self._compiles = True
        self._state = state
        # Leaves of the state that the model hands back as they came, in each call so far.
        self._kept: set[int] | None = None
        self._call(prompt)
        if flatten(self._state)[1] != flatten(state)[1]:  # these leaves have come only now
            self._kept = None

    def read(self, tokens: Array) -> None:
        """Read the next token of each row, (B,)."""
        bound = self._bound
        if bound is None or bound.stale:
            bound = self._bind(tokens)
        if bound is not None:
            try:
                self.logits = bound([tokens])
                return
            except Exception:  # the model says better what is wrong, with a token for example
                self._unbind()
        self._call(tokens[None])

    def _call(self, tokens: Array) -> None:
        old, form = flatten(self._state)
        with no_grad():  # not around the whole: between two tokens the caller is at work
            given = self._model(tokens, self._state)
        logits, self._state = _checked(self._where, tokens.shape, given)
        self.logits = (logits.data if isinstance(logits, Tensor) else logits)[-1]
        new, now = flatten(self._state)
        kept = {i for i in range(len(old)) if new[i] is old[i]} if now == form else set[int]()
        self._kept = kept if self._kept is None else self._kept & kept

    def _bind(self, tokens: Array) -> BoundStep | None:
        self._unbind()
        leaves, tree = flatten(self._state)
        known = self._kept is not None and all(isinstance(leaf, Tensor) for leaf in leaves)
        if known and self._compiles and not watched():
            try:
                carry, xs = Structure(leaves, tree), Structure([Tensor(tokens)], LEAF)
                self._bound = BoundStep(self._step, carry, xs, self._kept or ())
            except Untraceable:
                self._compiles = False
        return self._bound

    def _unbind(self) -> None:
        if self._bound is not None:
            self._state, self._bound = self._bound.carry, None

    # --- rows, for beams ------------------------------------------------------------------------------------
    def repeat(self, width: int, axis: int) -> None:
        """Make ``width`` rows of each: of the logits, and of all parts of the state along an axis of these.

        Raises
        ------
        ValueError
            Where a part of the state has no such rows.
        """
        order = np.repeat(np.arange(len(self.logits)), width)
        leaves, tree = flatten(self._state)
        self._state = tree.unflatten(self._rows(leaves, tree, order, axis))
        self.logits = self.logits[order]

    def reorder(self, order: Array, axis: int) -> None:
        """Give each row the state of another one.

        A part that the model has handed back as it came, each time, is the same in all rows that are one
        another's, and stays.
        """
        if self._bound is not None:
            self._bound.reorder(order, axis)
            return
        leaves, tree = flatten(self._state)
        found, kept = self._rows(leaves, tree, order, axis), self._kept or ()
        self._state = tree.unflatten([leaves[i] if i in kept else new for i, new in enumerate(found)])

    def _rows(self, leaves: list[Any], tree: Tree, order: Array, axis: int) -> list[Tensor]:
        found: list[Tensor] = []
        for leaf, path in zip(map(as_tensor, leaves), tree.paths("state"), strict=True):
            if not -leaf.ndim <= axis < leaf.ndim or leaf.shape[axis] != len(self.logits):
                raise ValueError(
                    f"{self._where}: {path} has shape {leaf.shape}; expected {len(self.logits)} rows at "
                    f"batch_axis = {axis}"
                )
            found.append(Tensor(leaf.data.take(order, axis)))
        return found


def _one_token(where: str, model: Model) -> Step:
    """Return the model as a step, from one token of each row."""

    def step(state: Any, tokens: Any) -> tuple[Any, Any]:
        logits, state = _checked(where, (1, *tokens.shape), model(tokens[None], state))
        return state, logits[0]

    return step


def _checked(where: str, shape: tuple[int, ...], given: Any) -> tuple[Any, Any]:
    """Return the logits, an array of whatever kind, and the state that a model gave for tokens of a shape."""
    if not isinstance(given, tuple) or len(given) != 2:
        raise TypeError(f"{where}: the model returned {type(given).__name__}; expected (logits, state)")
    logits, state = given
    logits = logits if hasattr(logits, "shape") else np.asarray(logits)
    if len(logits.shape) != 3 or logits.shape[:2] != shape:
        raise ValueError(
            f"{where}: for tokens of shape {shape} the model gave logits of shape {logits.shape}; expected "
            "(T, B, C)"
        )
    return logits, state
