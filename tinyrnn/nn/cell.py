"""Cell: one step of a recurrence, to be derived from."""

from __future__ import annotations

from typing import Any

from tinyrnn.autograd.creation import zeros
from tinyrnn.autograd.state import thread
from tinyrnn.autograd.tensor import followed
from tinyrnn.nn.module import Module
from tinyrnn.recurrence.loop import name_values
from tinyrnn.recurrence.tree import flatten


class Cell(Module):
    """One step of a recurrence. Derive from it, set ``hidden_size`` and the parameters, and write `step`.

    A carry that is more than one array of shape (batch, hidden_size) needs an `initial_state` too. The carry
    may be a Tensor, or tuples, named tuples, lists and dicts of Tensors. Write `step` in tensor code whose
    course does not depend on values; `scan` then compiles it to run as fast as the cells of the library.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> class Leaky(tr.nn.Cell):
    ...     def __init__(self, input_size, hidden_size):
    ...         self.hidden_size = hidden_size
    ...         self.W = tr.nn.Linear(input_size + hidden_size, hidden_size)
    ...     def step(self, h, x):
    ...         h = 0.9 * h + 0.1 * tr.tanh(self.W(tr.concatenate([x, h], axis=-1)))
    ...         return h, h
    >>> y, h = tr.nn.Recurrent(Leaky(3, 4))(tr.zeros((5, 2, 3)))
    >>> y.shape, h.shape
    ((5, 2, 4), (2, 4))
    """

    hidden_size: int

    def step(self, carry: Any, x: Any, /) -> tuple[Any, Any]:
        """Take one step.

        Parameters
        ----------
        carry : structure of Tensor
            The state that the step before left, of the form of `initial_state`.
        x : Tensor, shape (batch, ...)
            The input at this time.

        Returns
        -------
        carry : structure of Tensor
            The new state, of the same structure, shapes and dtypes.
        y : Tensor, shape (batch, ...)
            The output at this time; often the state itself.
        """
        raise NotImplementedError(f"{type(self).__name__} has no step; write `def step(self, carry, x): ...`")

    def initial_state(self, batch: int | None = None) -> Any:
        """Return the first state: zeros of shape (batch, hidden_size), of the parameters' dtype.

        Parameters
        ----------
        batch : int, optional
            The number of rows; None for a single row without a batch axis.
        """
        if not hasattr(self, "hidden_size"):
            raise AttributeError(
                f"{type(self).__name__} has neither hidden_size nor initial_state(batch); set one, "
                "or hand in the first state"
            )
        shape = (self.hidden_size,) if batch is None else (batch, self.hidden_size)
        return zeros(shape, dtype=next((p.dtype for p in self.parameters()), None))

    def forward(self, x: Any, state: Any = None) -> Any:
        """Take one step and return the new state, as PyTorch's cells do; `step` returns the output too."""
        state = self.initial_state(*x.shape[:1]) if state is None else state
        if thread.modes.keeping:
            leaves, tree = flatten(state)
            state = tree.unflatten(map(followed, leaves))
        state, _ = self.step(state, x)
        return self._named(state)

    def _named(self, state: Any) -> Any:
        """Name the parts of a state for drawings, as `scan` does."""
        if thread.modes.keeping:
            leaves, tree = flatten(state)
            name_values(tree, leaves, [])
        return state
