"""RNN, LSTM, GRU: the textbook cells in layers and directions, with PyTorch's arguments, shapes and keys."""

from __future__ import annotations

from typing import Literal

import numpy.typing as npt

from tinyrnn.autograd.arguments import NUMBER, checked, one_of
from tinyrnn.autograd.rng import generator
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.nn.cells import GRUCell, LSTMCell, LSTMState, RNNCell
from tinyrnn.nn.stacked import LAYER, Rng, Stacked


class RNN(Stacked[Tensor]):
    """Layers of `RNNCell`, ``h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh)``, as ``torch.nn.RNN``.

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

    @checked(**LAYER, nonlinearity=one_of("tanh", "relu"))
    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: Literal["tanh", "relu"] = "tanh",
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


class LSTM(Stacked[LSTMState]):
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

    @checked(**LAYER, forget_bias=NUMBER.or_none())
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


class GRU(Stacked[Tensor]):
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

    @checked(**LAYER)
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
