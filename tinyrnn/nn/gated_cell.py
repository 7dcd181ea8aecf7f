"""GatedCell: what the textbook cells share."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from tinyrnn.autograd.arguments import COUNT, FLAG, FLOATING, RNG, checked
from tinyrnn.autograd.creation import zeros
from tinyrnn.autograd.functions import broadcast_to
from tinyrnn.autograd.rng import generator
from tinyrnn.autograd.state import get_default_dtype
from tinyrnn.nn.cell import Cell
from tinyrnn.nn.inputs import as_input, expect_shape
from tinyrnn.nn.parameter import Parameter

S = TypeVar("S")


class GatedCell(Cell, Generic[S]):
    """What the textbook cells share: the weights and biases of input and state, and how a state is checked.

    Parameters
    ----------
    input_size, hidden_size : int
    gates : int
        How many blocks of ``hidden_size`` rows the weights stack.
    bias : bool
        Whether there are ``bias_ih`` and ``bias_hh``.
    learn_initial_state : bool
        Whether the initial state is a parameter (``h0``, and ``c0`` where there is a cell state), zero at
        first.
    rng : Generator or int, optional
        Where the first values come from: U(-1/√H, 1/√H), as in PyTorch.
    dtype : dtype_like, optional
    """

    states: ClassVar[tuple[str, ...]] = ("h0",)
    weight_ih: Parameter
    weight_hh: Parameter
    bias_ih: Any = 0.0  # without biases, so that the equations are the same
    bias_hh: Any = 0.0

    @checked(
        input_size=COUNT, hidden_size=COUNT, bias=FLAG, learn_initial_state=FLAG, rng=RNG, dtype=FLOATING
    )
    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        gates: int,
        bias: bool,
        learn_initial_state: bool,
        rng: np.random.Generator | int | None,
        dtype: npt.DTypeLike | None,
    ) -> None:
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        self.learn_initial_state = learn_initial_state
        rng, bound = generator(rng), 1 / math.sqrt(hidden_size)
        dtype = get_default_dtype() if dtype is None else np.dtype(dtype)
        rows = gates * hidden_size
        shapes = {"weight_ih": (rows, input_size), "weight_hh": (rows, hidden_size)}
        if bias:
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
        for name, shape in shapes.items():
            setattr(self, name, Parameter(rng.uniform(-bound, bound, shape), dtype=dtype))
        if learn_initial_state:
            for name in self.states:
                setattr(self, name, Parameter(np.zeros(hidden_size), dtype=dtype))

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the parameters, and of what the cell computes."""
        return self.weight_ih.dtype

    def join_state(self, parts: list[Any]) -> S:
        """Return the parts of a state, in the order of ``states``, as the carry of this cell."""
        return parts[0]

    def split_state(self, where: str, state: Any) -> list[Any]:
        """Return the parts of a state that a user gave; the reverse of `join_state`."""
        return [state]

    def initial_state(self, batch: int | None = None) -> S:
        """Return the first state: zeros, or what was learnt. Each part is (batch, hidden_size)."""
        shape = (self.hidden_size,) if batch is None else (batch, self.hidden_size)
        if self.learn_initial_state:
            return self.join_state([broadcast_to(getattr(self, name), shape) for name in self.states])
        return self.join_state([zeros(shape, dtype=self.dtype) for _ in self.states])

    def forward(self, x: npt.ArrayLike, state: Any = None) -> S:
        """Take one step.

        Parameters
        ----------
        x : Tensor or array_like, shape (batch, input_size) or (input_size,)
        state : optional
            The state before, each part (batch, hidden_size) or (hidden_size,); `initial_state` by default.

        Returns
        -------
        The new state.
        """
        where = type(self).__name__
        x = as_input(where, "x", x, self.dtype)
        if len(x.shape) not in (1, 2) or x.shape[-1] != self.input_size:
            raise ValueError(
                f"{where}: x has shape {x.shape}; expected (batch, input_size) or (input_size,), "
                f"with input_size = {self.input_size}"
            )
        if state is None:
            state = self.initial_state(*x.shape[:-1])
        else:
            parts = self.split_state(where, state)
            parts = [as_input(where, name, part, self.dtype) for name, part in zip(self.states, parts)]
            words = "hidden_size," if len(x.shape) == 1 else "batch, hidden_size"
            for name, part in zip(self.states, parts):
                expect_shape(where, name, part.shape, (*x.shape[:-1], self.hidden_size), words)
            state = self.join_state(parts)
        return self._named(self.step(state, x)[0])

    def extra_repr(self) -> str:
        """Return the sizes, and what differs from the defaults."""
        off = "" if self.bias else ", bias=False"
        return (
            f"{self.input_size}, {self.hidden_size}{off}"
            + ", learn_initial_state=True" * self.learn_initial_state
        )
