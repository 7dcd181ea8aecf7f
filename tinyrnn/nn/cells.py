"""The textbook cells: RNNCell, LSTMCell, GRUCell. Each ``step`` is its equations, and all that there is of it.

Shapes, gate order and names are PyTorch's: ``weight_ih`` is (gates * H, I), ``weight_hh`` (gates * H, H), the rows of
the gates one after the other. ``x @ W_ih.T + b`` is kept apart from ``h @ W_hh.T``: the first needs no state, so that
`scan` does it for all steps in one product.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from tinyrnn.autograd.creation import zeros
from tinyrnn.autograd.functions import broadcast_to, relu, sigmoid, split, tanh
from tinyrnn.autograd.rng import generator
from tinyrnn.autograd.state import get_default_dtype
from tinyrnn.nn.cell import Cell
from tinyrnn.nn.inputs import as_input, expect_shape
from tinyrnn.nn.parameter import Parameter


class LSTMState(NamedTuple):
    """The state of an LSTM: the hidden state ``h`` and the cell state ``c``."""

    h: Any
    c: Any


class GatedCell(Cell):
    """What the textbook cells share: weights and biases of the input and of the state, and how a state is checked.

    Parameters
    ----------
    input_size, hidden_size : int
    gates : int
        How many blocks of ``hidden_size`` rows the weights stack.
    bias : bool
        Whether there are ``bias_ih`` and ``bias_hh``.
    learn_initial_state : bool
        Whether the initial state is a parameter (``h0``, and ``c0`` where there is a cell state), zero at first.
    rng : Generator or int, optional
        Where the first values come from: U(-1/√H, 1/√H), as in PyTorch.
    dtype : dtype_like, optional
    """

    states: ClassVar[tuple[str, ...]] = ("h0",)
    weight_ih: Parameter
    weight_hh: Parameter
    bias_ih: Parameter
    bias_hh: Parameter

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
        for name, size in (("input_size", input_size), ("hidden_size", hidden_size)):
            if size < 1:
                raise ValueError(f"{type(self).__name__}: {name} is {size}; expected at least 1")
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

    def _from_input(self, x: Any) -> Any:
        """``x @ W_ih.T + b_ih``: the part of the gates that needs no state."""
        u = x @ self.weight_ih.T
        return u + self.bias_ih if self.bias else u

    def _from_state(self, h: Any) -> Any:
        """``h @ W_hh.T + b_hh``."""
        v = h @ self.weight_hh.T
        return v + self.bias_hh if self.bias else v

    def join_state(self, parts: list[Any]) -> Any:
        """Return the parts of a state, in the order of ``states``, as the carry of this cell."""
        return parts[0]

    def split_state(self, where: str, state: Any) -> list[Any]:
        """Return the parts of a state that a user gave; the reverse of `join_state`."""
        return [state]

    def initial_state(self, batch: int | None = None) -> Any:
        """Return the state before the first step: zeros, or what was learnt. Each part is (batch, hidden_size)."""
        shape = (self.hidden_size,) if batch is None else (batch, self.hidden_size)
        if self.learn_initial_state:
            return self.join_state([broadcast_to(getattr(self, name), shape) for name in self.states])
        return self.join_state([zeros(shape, dtype=self.dtype) for _ in self.states])

    def forward(self, x: Any, state: Any = None) -> Any:
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
                f"{where}: x has shape {x.shape}; expected (batch, input_size) or (input_size,) with input_size = "
                f"{self.input_size}"
            )
        if state is None:
            state = self.initial_state(*x.shape[:-1])
        else:
            parts = self.split_state(where, state)
            parts = [as_input(where, name, part, self.dtype) for name, part in zip(self.states, parts)]
            words = ", ".join(["batch", "hidden_size"][-len(x.shape) :])
            for name, part in zip(self.states, parts):
                expect_shape(where, name, part.shape, (*x.shape[:-1], self.hidden_size), words)
            state = self.join_state(parts)
        return self.step(state, x)[0]

    def extra_repr(self) -> str:
        """Return the sizes, and what differs from the defaults."""
        off = "" if self.bias else ", bias=False"
        return (
            f"{self.input_size}, {self.hidden_size}{off}"
            + ", learn_initial_state=True" * self.learn_initial_state
        )


class RNNCell(GatedCell):
    """The simple recurrence of Elman (1990): ``h' = tanh(W_ih x + b_ih + W_hh h + b_hh)``.

    Parameters
    ----------
    input_size, hidden_size : int
    bias : bool
    nonlinearity : {"tanh", "relu"}
    learn_initial_state, rng, dtype
        As in `GatedCell`.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> cell = tr.nn.RNNCell(3, 4)
    >>> cell(tr.zeros((2, 3))).shape
    (2, 4)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        *,
        learn_initial_state: bool = False,
        rng: np.random.Generator | int | None = None,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(
                f"{type(self).__name__}: nonlinearity is {nonlinearity!r}; expected 'tanh' or 'relu'"
            )
        self.nonlinearity = nonlinearity
        super().__init__(input_size, hidden_size, 1, bias, learn_initial_state, rng, dtype)

    def step(self, h: Any, x: Any) -> tuple[Any, Any]:
        """``h' = tanh(W_ih x + b_ih + W_hh h + b_hh)``, or relu; the output is ``h'``."""
        f = tanh if self.nonlinearity == "tanh" else relu
        h = f(self._from_input(x) + self._from_state(h))
        return h, h

    def extra_repr(self) -> str:
        """Return the sizes, and what differs from the defaults."""
        return super().extra_repr() + (", nonlinearity='relu'" if self.nonlinearity == "relu" else "")


class LSTMCell(GatedCell):
    """Long short-term memory (Hochreiter and Schmidhuber 1997; the forget gate of Gers et al. 2000).

    With the gates' rows in the order i, f, g, o::

        i, f, o = sigmoid(W_ih x + b_ih + W_hh h + b_hh)      (each its own rows)
        g       = tanh(W_ih x + b_ih + W_hh h + b_hh)
        c' = f * c + i * g
        h' = o * tanh(c')

    Parameters
    ----------
    input_size, hidden_size : int
    bias : bool
    forget_bias : float, optional
        Start the forget gate's bias at this value (``bias_ih`` holds it, ``bias_hh`` 0); 1 keeps the memory open at
        first (Jozefowicz et al. 2015). By default as random as the others.
    learn_initial_state, rng, dtype
        As in `GatedCell`.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> cell = tr.nn.LSTMCell(3, 4, forget_bias=1.0)
    >>> h, c = cell(tr.zeros((2, 3)))
    >>> h.shape, c.shape
    ((2, 4), (2, 4))
    """

    states: ClassVar[tuple[str, ...]] = ("h0", "c0")

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        *,
        forget_bias: float | None = None,
        learn_initial_state: bool = False,
        rng: np.random.Generator | int | None = None,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, 4, bias, learn_initial_state, rng, dtype)
        if forget_bias is not None:
            if not bias:
                raise ValueError(f"{type(self).__name__}: forget_bias is {forget_bias}, but bias is False")
            f = slice(hidden_size, 2 * hidden_size)
            self.bias_ih.data[f], self.bias_hh.data[f] = forget_bias, 0.0

    def step(self, state: LSTMState, x: Any) -> tuple[LSTMState, Any]:
        """``c' = f * c + i * g`` and ``h' = o * tanh(c')``; the output is ``h'``."""
        h, c = state
        H = self.hidden_size
        z = self._from_input(x) + self._from_state(h)
        i, f, _, o = split(sigmoid(z), 4, axis=-1)  # one sigmoid over all is cheaper than three over parts
        g = tanh(z[..., 2 * H : 3 * H])
        i.name, f.name, g.name, o.name = "i", "f", "g", "o"
        c = f * c + i * g
        h = o * tanh(c)
        return LSTMState(h, c), h

    def join_state(self, parts: list[Any]) -> LSTMState:
        """Return ``LSTMState(h, c)``."""
        return LSTMState(*parts)

    def split_state(self, where: str, state: Any) -> list[Any]:
        """Return h and c of a state that a user gave."""
        if not isinstance(state, (tuple, list)) or len(state) != 2:
            got = (
                f"{type(state).__name__} of {len(state)}"
                if isinstance(state, (tuple, list))
                else type(state).__name__
            )
            raise TypeError(f"{where}: the state is a {got}; expected a pair (h0, c0)")
        return list(state)


class GRUCell(GatedCell):
    """Gated recurrent unit (Cho et al. 2014), in PyTorch's form: the reset gate acts after the product.

    With the gates' rows in the order r, z, n::

        r, z = sigmoid(W_ih x + b_ih + W_hh h + b_hh)          (each its own rows)
        n    = tanh(W_in x + b_in + r * (W_hn h + b_hn))
        h' = (1 - z) * n + z * h

    Parameters
    ----------
    input_size, hidden_size : int
    bias : bool
    learn_initial_state, rng, dtype
        As in `GatedCell`.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> cell = tr.nn.GRUCell(3, 4)
    >>> cell(tr.zeros((2, 3))).shape
    (2, 4)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        *,
        learn_initial_state: bool = False,
        rng: np.random.Generator | int | None = None,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        super().__init__(input_size, hidden_size, 3, bias, learn_initial_state, rng, dtype)

    def step(self, h: Any, x: Any) -> tuple[Any, Any]:
        """``h' = (1 - z) * n + z * h``; the output is ``h'``."""
        H = self.hidden_size
        u, v = self._from_input(x), self._from_state(h)
        r, z = split(sigmoid(u[..., : 2 * H] + v[..., : 2 * H]), 2, axis=-1)
        n = tanh(u[..., 2 * H :] + r * v[..., 2 * H :])
        r.name, z.name, n.name = "r", "z", "n"
        h = n + z * (h - n)  # (1 - z) * n + z * h, with one operation fewer
        return h, h
