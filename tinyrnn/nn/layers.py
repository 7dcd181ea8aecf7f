"""RNN, LSTM, GRU: the textbook cells in layers and directions, with PyTorch's arguments, shapes and keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyrnn.autograd.functions import stack
from tinyrnn.autograd.rng import generator
from tinyrnn.nn.cells import GatedCell, GRUCell, LSTMCell, RNNCell
from tinyrnn.nn.inputs import as_input, expect_shape
from tinyrnn.nn.recurrent import Lengths, Recurrent

Rng = np.random.Generator | int | None


class _Layers(Recurrent):
    """What RNN, LSTM and GRU share: states in and out as (num_layers * directions, batch, hidden_size).

    Parameters
    ----------
    cell : callable
        ``cell(input_size)`` makes the cell of one layer and direction.
    """

    def __init__(
        self,
        cell: Callable[[int], GatedCell],
        input_size: int,
        hidden_size: int,
        num_layers: int,
        batch_first: bool,
        dropout: float,
        bidirectional: bool,
        rng: Rng,
    ) -> None:
        if num_layers < 1:
            raise ValueError(f"{type(self).__name__}: num_layers is {num_layers}; expected at least 1")
        directions = 2 if bidirectional else 1
        sizes = [input_size, *[hidden_size * directions] * (num_layers - 1)]
        cells = [cell(size) for size in sizes for _ in range(directions)]
        super().__init__(
            cells, bidirectional=bidirectional, dropout=dropout, batch_first=batch_first, rng=rng
        )
        self.input_size = input_size
        self.hidden_size = hidden_size

    def forward(
        self, x: Any, state: Any = None, *, lengths: Lengths = None, segment: int | str | None = None
    ) -> tuple[Any, Any]:
        """Run over a sequence.

        Parameters
        ----------
        x : Tensor or array_like, shape (T, batch, input_size)
            The inputs; (batch, T, input_size) with ``batch_first``, and (T, input_size) for a single sequence without a
            batch axis. Plain arrays are cast to the parameters' dtype.
        state : optional
            The first state, of shape (num_layers * directions, batch, hidden_size), or (num_layers * directions,
            hidden_size) without a batch axis; a pair ``(h0, c0)`` of them for an LSTM. Zeros by default, or what was learnt.
        lengths : array_like of int, shape (batch,), optional
            The true length of each row. Outputs past a row's end are zero, its final state is that after its last real
            step (in reverse: after its first), and what stands in the padding has no influence, not even as NaN.
        segment : int or "auto", optional
            Trade time for memory; see `tinyrnn.scan`.

        Returns
        -------
        y : Tensor, shape (T, batch, directions * hidden_size)
            The hidden states of the last layer at each step; (batch, T, ...) with ``batch_first``.
        state
            The final state, in the shape of the first one; `LSTMState` for an LSTM.

        Raises
        ------
        ValueError, TypeError
            Where a shape, dtype or length does not fit; the message names it, with what was expected.
        """
        where = type(self).__name__
        first: GatedCell = self.l0
        x = as_input(where, "x", x, first.dtype)
        if len(x.shape) not in (2, 3) or x.shape[-1] != self.input_size:
            axes = self._axes.strip("()")
            raise ValueError(
                f"{where}: x has shape {x.shape}; expected ({axes}, input_size) or (T, input_size) with input_size = "
                f"{self.input_size}"
            )
        batched = len(x.shape) == 3
        if not batched:
            x = x.reshape((x.shape[0], 1, x.shape[1]))
        elif self.batch_first:
            x = x.swapaxes(0, 1)
        batch = x.shape[1]
        if state is None:
            carries = [cell.initial_state(batch) for cell in self.cells]
        else:
            parts = self._checked_state(first, state, batch if batched else None)
            carries = [first.join_state([part[k] for part in parts]) for k in range(len(self._names))]
        y, carries = self._run(x, carries, self._checked_lengths(lengths, x), segment)
        split = [first.split_state(where, carry) for carry in carries]
        parts = [_joined(list(part)) for part in zip(*split, strict=True)]
        if not batched:
            y = y.reshape((y.shape[0], y.shape[2]))
            parts = [part.reshape((part.shape[0], part.shape[2])) for part in parts]
        elif self.batch_first:
            y = y.swapaxes(0, 1)
        return y, first.join_state(parts)

    def _checked_state(self, first: GatedCell, state: Any, batch: int | None) -> list[Any]:
        """Return the parts of a state that a user gave, each with a batch axis."""
        where, count, hidden = type(self).__name__, len(self._names), self.hidden_size
        parts: list[Any] = []
        for name, part in zip(first.states, first.split_state(where, state), strict=True):
            part = as_input(where, name, part, first.dtype)
            if batch is None:
                expect_shape(where, name, part.shape, (count, hidden), "num_layers * directions, hidden_size")
                part = part.reshape((count, 1, hidden))
            else:
                words = "num_layers * directions, batch, hidden_size"
                expect_shape(where, name, part.shape, (count, batch, hidden), words)
            parts.append(part)
        return parts

    def extra_repr(self) -> str:
        """Return the sizes, and what differs from the defaults."""
        layers = f", num_layers={self.num_layers}" if self.num_layers > 1 else ""
        options = super().extra_repr()
        return (
            self.l0.extra_repr().replace(str(self.l0.input_size), str(self.input_size), 1)
            + layers
            + (f", {options}" if options else "")
        )

    def _shown_children(self) -> Any:
        return iter(())  # the line of the layer says it all


def _joined(parts: list[Any]) -> Any:
    """Stack along a new first axis; of a single part it is only a new shape."""
    return parts[0].reshape((1, *parts[0].shape)) if len(parts) == 1 else stack(parts)


class RNN(_Layers):
    """Layers of the simple recurrence ``h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh)``, as ``torch.nn.RNN``.

    Parameters
    ----------
    input_size, hidden_size : int
    num_layers : int
    nonlinearity : {"tanh", "relu"}
    bias : bool
    batch_first : bool
        Whether inputs and outputs are (batch, T, features). States never are.
    dropout : float
        Probability of dropout on the outputs between layers, in training.
    bidirectional : bool
    learn_initial_state : bool
        Whether the initial states are parameters (``h0_l0``, ...), zero at first.
    rng : Generator or int, optional
        Where the first values and the masks of dropout come from; the library's generator by default.
    dtype : dtype_like, optional

    Examples
    --------
    >>> import tinyrnn as tr
    >>> rnn = tr.nn.RNN(3, 4, num_layers=2, bidirectional=True)
    >>> y, h = rnn(tr.zeros((7, 2, 3)))
    >>> y.shape, h.shape
    ((7, 2, 8), (4, 2, 4))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        learn_initial_state: bool = False,
        rng: Rng = None,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        rng = None if rng is None else generator(rng)

        def cell(size: int) -> RNNCell:
            return RNNCell(
                size,
                hidden_size,
                bias,
                nonlinearity,
                learn_initial_state=learn_initial_state,
                rng=rng,
                dtype=dtype,
            )

        super().__init__(cell, input_size, hidden_size, num_layers, batch_first, dropout, bidirectional, rng)


class LSTM(_Layers):
    """Layers of `LSTMCell`, as ``torch.nn.LSTM``; a state dict of the latter loads unchanged.

    Parameters
    ----------
    input_size, hidden_size : int
    num_layers : int
    bias : bool
    batch_first : bool
        Whether inputs and outputs are (batch, T, features). States never are.
    dropout : float
        Probability of dropout on the outputs between layers, in training.
    bidirectional : bool
    forget_bias : float, optional
        Start the forget gates' biases at this value; see `LSTMCell`.
    learn_initial_state : bool
        Whether the initial states are parameters (``h0_l0``, ``c0_l0``, ...), zero at first.
    rng : Generator or int, optional
        Where the first values and the masks of dropout come from; the library's generator by default.
    dtype : dtype_like, optional

    Examples
    --------
    >>> import tinyrnn as tr
    >>> lstm = tr.nn.LSTM(3, 4)
    >>> y, state = lstm(tr.zeros((7, 2, 3)))
    >>> y.shape, state.h.shape, state.c.shape
    ((7, 2, 4), (1, 2, 4), (1, 2, 4))
    >>> y, (h, c) = lstm(tr.zeros((7, 2, 3)), state, lengths=[7, 3])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        forget_bias: float | None = None,
        learn_initial_state: bool = False,
        rng: Rng = None,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        rng = None if rng is None else generator(rng)

        def cell(size: int) -> LSTMCell:
            return LSTMCell(
                size,
                hidden_size,
                bias,
                forget_bias=forget_bias,
                learn_initial_state=learn_initial_state,
                rng=rng,
                dtype=dtype,
            )

        super().__init__(cell, input_size, hidden_size, num_layers, batch_first, dropout, bidirectional, rng)


class GRU(_Layers):
    """Layers of `GRUCell`, as ``torch.nn.GRU``.

    Parameters
    ----------
    input_size, hidden_size : int
    num_layers : int
    bias : bool
    batch_first : bool
        Whether inputs and outputs are (batch, T, features). States never are.
    dropout : float
        Probability of dropout on the outputs between layers, in training.
    bidirectional : bool
    learn_initial_state : bool
        Whether the initial states are parameters (``h0_l0``, ...), zero at first.
    rng : Generator or int, optional
        Where the first values and the masks of dropout come from; the library's generator by default.
    dtype : dtype_like, optional

    Examples
    --------
    >>> import tinyrnn as tr
    >>> y, h = tr.nn.GRU(3, 4, batch_first=True)(tr.zeros((2, 7, 3)))
    >>> y.shape, h.shape
    ((2, 7, 4), (1, 2, 4))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        learn_initial_state: bool = False,
        rng: Rng = None,
        dtype: npt.DTypeLike | None = None,
    ) -> None:
        rng = None if rng is None else generator(rng)

        def cell(size: int) -> GRUCell:
            return GRUCell(
                size, hidden_size, bias, learn_initial_state=learn_initial_state, rng=rng, dtype=dtype
            )

        super().__init__(cell, input_size, hidden_size, num_layers, batch_first, dropout, bidirectional, rng)
