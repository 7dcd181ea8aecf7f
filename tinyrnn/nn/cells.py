"""The textbook cells: RNNCell, LSTMCell, GRUCell. Each ``step`` is its equations, and nothing else.

Shapes, gate order and names are PyTorch's: ``weight_ih`` is (gates * H, I), ``weight_hh`` (gates * H, H), the
rows of the gates one after the other. ``x @ W_ih.T + b`` stands apart from ``h @ W_hh.T``: it needs no state,
so that `scan` does it for all steps in one product.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from tinyrnn.autograd.arguments import NUMBER, checked, one_of
from tinyrnn.autograd.functions import relu, sigmoid, split, tanh
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.nn.gated_cell import GatedCell
from tinyrnn.nn.inputs import kind_of


class LSTMState(NamedTuple):
    """The state of an LSTM: the hidden state ``h`` and the cell state ``c``.

    Attributes
    ----------
    h, c : Tensor, shape (B, hidden_size) of a cell, (num_layers * directions, B, hidden_size) of a layer

    Examples
    --------
    >>> import tinyrnn as tr
    >>> y, state = tr.nn.LSTM(2, 3)(tr.zeros((5, 4, 2)))
    >>> state.h.shape, state.c.shape
    ((1, 4, 3), (1, 4, 3))
    >>> h, c = state.detach()  # for the next window of a long sequence
    """

    h: Tensor
    c: Tensor

    def detach(self) -> LSTMState:
        """Return the state as constants, at which the gradient ends; it shares its memory."""
        return LSTMState(self.h.detach(), self.c.detach())


class RNNCell(GatedCell[Tensor]):
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

    @checked(nonlinearity=one_of("tanh", "relu"))
    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: Literal["tanh", "relu"] = "tanh",
        *,
        learn_initial_state: bool = False,
        rng: np.random.Generator | int | None = None,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        self.nonlinearity = nonlinearity
        super().__init__(input_size, hidden_size, 1, bias, learn_initial_state, rng, dtype)

    def step(self, h: Tensor, x: Tensor, /) -> tuple[Tensor, Tensor]:
        """``h' = tanh(W_ih x + b_ih + W_hh h + b_hh)``, or relu; the output is ``h'``."""
        z = x @ self.weight_ih.T + (self.bias_ih + self.bias_hh) + h @ self.weight_hh.T
        h = tanh(z) if self.nonlinearity == "tanh" else relu(z)
        return h, h

    def extra_repr(self) -> str:
        """Return the sizes, and what differs from the defaults."""
        return super().extra_repr() + (", nonlinearity='relu'" if self.nonlinearity == "relu" else "")


class LSTMCell(GatedCell[LSTMState]):
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
        Start the forget gate's bias at this value (``bias_ih`` holds it, ``bias_hh`` 0); 1 keeps the memory
        open at first (Jozefowicz et al. 2015). By default as random as the others.
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

    @checked(forget_bias=NUMBER.or_none())
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

    def step(self, state: LSTMState, x: Tensor, /) -> tuple[LSTMState, Tensor]:
        """``c' = f * c + i * g`` and ``h' = o * tanh(c')``; the output is ``h'``."""
        h, c = state
        z = x @ self.weight_ih.T + (self.bias_ih + self.bias_hh) + h @ self.weight_hh.T
        i, f, g, o = split(z, 4, axis=-1)
        i, f, g, o = sigmoid(i), sigmoid(f), tanh(g), sigmoid(o)
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
            raise TypeError(f"{where}: the state is a {kind_of(state)}; expected a pair (h0, c0)")
        for name, part in zip(self.states, state):
            if part is None:
                raise TypeError(
                    f"{where}: {name} is None; expected both parts of the state, (h0, c0), or no state at all"
                )
        return list(state)


class GRUCell(GatedCell[Tensor]):
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

    def step(self, h: Tensor, x: Tensor, /) -> tuple[Tensor, Tensor]:
        """``h' = (1 - z) * n + z * h``; the output is ``h'``."""
        H = self.hidden_size
        u = x @ self.weight_ih.T + self.bias_ih
        v = h @ self.weight_hh.T + self.bias_hh
        rz = sigmoid(u[..., : 2 * H] + v[..., : 2 * H])
        r, z = rz[..., :H], rz[..., H:]
        n = tanh(u[..., 2 * H :] + r * v[..., 2 * H :])
        r.name, z.name, n.name = "r", "z", "n"
        h = n + z * (h - n)  # (1 - z) * n + z * h, with one operation fewer
        return h, h
