"""Stacked: equal cells in layers and directions, with their states in one array, as PyTorch has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.arguments import COUNT, FLAG, FLOATING, PROBABILITY, RNG, checked
from tinyrnn.autograd.functions import stack
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.nn.gated_cell import GatedCell
from tinyrnn.nn.inputs import as_input, as_lengths, expect_shape
from tinyrnn.nn.module import Module
from tinyrnn.nn.parameter import Parameter
from tinyrnn.nn.recurrent import Lengths, Recurrent, Segment

S = TypeVar("S")
Rng = np.random.Generator | int | None
LAYER = {  # the arguments that all layers have
    "input_size": COUNT,
    "hidden_size": COUNT,
    "num_layers": COUNT,
    "bias": FLAG,
    "batch_first": FLAG,
    "dropout": PROBABILITY,
    "bidirectional": FLAG,
    "learn_initial_state": FLAG,
    "rng": RNG,
    "dtype": FLOATING,
}


class Stacked(Recurrent, Generic[S]):
    """What RNN, LSTM and GRU share: states in and out as (num_layers * directions, batch, hidden_size).

    Parameters
    ----------
    cell : callable
        ``cell(input_size)`` makes the cell of one layer and direction.
    """

    l0: GatedCell[S]
    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Parameter: ...  # weight_ih_l0, bias_hh_l1_reverse, ...

    def __init__(
        self,
        cell: Callable[[int], GatedCell[S]],
        input_size: int,
        hidden_size: int,
        num_layers: int,
        batch_first: bool,
        dropout: float,
        bidirectional: bool,
        rng: Rng,
    ) -> None:
        directions = 2 if bidirectional else 1
        sizes = [input_size, *[hidden_size * directions] * (num_layers - 1)]
        cells = [cell(size) for size in sizes for _ in range(directions)]
        super().__init__(
            cells, bidirectional=bidirectional, dropout=dropout, batch_first=batch_first, rng=rng
        )
        self.input_size = input_size
        self.hidden_size = hidden_size

    def forward(
        self, x: npt.ArrayLike, state: Any = None, *, lengths: Lengths = None, segment: Segment = None
    ) -> tuple[Tensor, S]:
        """Run over a sequence.

        Parameters
        ----------
        x : Tensor or array_like, shape (T, batch, input_size)
            The inputs; (batch, T, input_size) with ``batch_first``, and (T, input_size) for a single sequence
            without a batch axis. Plain arrays are cast to the parameters' dtype.
        state : optional
            The first state, of shape (num_layers * directions, batch, hidden_size), or (num_layers *
            directions, hidden_size) without a batch axis; a pair ``(h0, c0)`` of them for an LSTM. Zeros by
            default, or what was learnt.
        lengths : array_like of int, shape (batch,), optional
            The true length of each row. Outputs past a row's end are zero, its final state is that after its
            last real step (in reverse: after its first), and what stands in the padding has no influence, not
            even as NaN.
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
        first = self.l0
        dtype = first.dtype
        x = as_input(where, "x", x, dtype)
        shape = x.shape
        if len(shape) not in (2, 3) or shape[-1] != self.input_size:
            axes = self._axes.strip("()")
            raise ValueError(
                f"{where}: x has shape {shape}; expected ({axes}, input_size) or (T, input_size), "
                f"with input_size = {self.input_size}"
            )
        batched = len(shape) == 3
        if not batched:
            x = x.reshape((shape[0], 1, shape[1]))
        elif self.batch_first:
            x = x.swapaxes(0, 1)
        steps, batch = x.shape[:2]
        if state is None:
            carries = [cell.initial_state(batch) for cell in self.cells]
        else:
            parts = self._checked_state(first, dtype, state, batch if batched else None)
            carries = [first.join_state([part[k] for part in parts]) for k in range(len(self._names))]
        y, carries = self._run(x, carries, as_lengths(where, lengths, steps, batch), segment)
        parts = self._stacked_parts(carries)
        if not batched:
            y = y.reshape((y.shape[0], y.shape[2]))
            parts = [part.reshape((part.shape[0], part.shape[2])) for part in parts]
        elif self.batch_first:
            y = y.swapaxes(0, 1)
        return y, first.join_state(parts)

    @checked(batch=COUNT)
    def initial_state(self, batch: int) -> S:
        """Return the state from which `forward` begins by default, for ``batch`` rows."""
        return self.l0.join_state(self._stacked_parts([cell.initial_state(batch) for cell in self.cells]))

    def _stacked_parts(self, carries: list[Any]) -> list[Any]:
        """Return the parts of a state, each with the cells along its first axis."""
        split = [self.l0.split_state(type(self).__name__, carry) for carry in carries]
        return [_joined(list(part)) for part in zip(*split, strict=True)]

    def _checked_state(
        self, first: GatedCell[S], dtype: np.dtype[Any], state: Any, batch: int | None
    ) -> list[Any]:
        """Return the parts of a state that a user gave, each with a batch axis."""
        where, count, hidden = type(self).__name__, len(self._names), self.hidden_size
        parts: list[Any] = []
        for name, part in zip(first.states, first.split_state(where, state), strict=True):
            part = as_input(where, name, part, dtype)
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
        return self.l0.extra_repr() + layers + (f", {options}" if options else "")

    def _shown_children(self) -> Iterator[tuple[str, Module]]:
        return iter(())  # the line of the layer says it all


def _joined(parts: list[Any]) -> Any:
    """Stack along a new first axis; of a single part it is only a new shape."""
    return p.reshape(parts[0], shape=(1, *parts[0].shape)) if len(parts) == 1 else stack(parts)
