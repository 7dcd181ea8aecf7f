"""The decoder of an encoder-decoder: writes one sequence while it looks at another."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tinyrnn.autograd.arguments import ARRAY, FUNCTION, Kind, checked, instance
from tinyrnn.autograd.creation import as_tensor
from tinyrnn.autograd.functions import argmax, concatenate, where
from tinyrnn.autograd.operands import plain_array
from tinyrnn.autograd.state import get_default_dtype, scope
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.nn.inputs import as_input, as_integers, is_symbol
from tinyrnn.nn.masks import as_mask, cleaned
from tinyrnn.nn.module import Module
from tinyrnn.nn.seq2seq.attention import Attention
from tinyrnn.recurrence.scan import scan


class DecoderState(NamedTuple):
    """What a decoder goes on from; all but the carry stays as it is from step to step.

    Attributes
    ----------
    carry : structure of Tensor
        Of the cell.
    keys : Tensor, shape (S, B, K), or None
        What the encoder wrote.
    projected : Tensor, shape (S, B, ...), or None
        What attention needs of them, worked out once.
    real : Tensor of bool, shape (S, B, 1), or None
        Which keys are real.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> decoder = tr.nn.Decoder(tr.nn.Embedding(5, 4), tr.nn.GRUCell(4, 8), tr.nn.Linear(8, 5))
    >>> state = decoder.begin(tr.zeros((2, 8)))
    >>> logits, state = decoder([[0, 0], [2, 1]], state)
    >>> state.carry.shape, state.keys
    ((2, 8), None)
    """

    carry: Any
    keys: Any = None
    projected: Any = None
    real: Any = None


class Decoder(Module):
    """Reads a token, steps, looks at the encoder's outputs, and gives the scores of the token that follows.

    ``h = cell(carry, embedding(token))``, then ``logits = head([h, context])`` with the context that
    ``attention`` finds for h; without attention ``logits = head(h)``.

    Parameters
    ----------
    embedding : Module
        From tokens (...) to (..., E).
    cell : Cell
        Anything with ``step(carry, x) -> (carry, h)``.
    head : Module
        From (..., H + K) to the logits (..., C), or from (..., H) without attention.
    attention : DotAttention or AdditiveAttention, optional

    Examples
    --------
    >>> import tinyrnn as tr
    >>> encoder = tr.nn.GRU(3, 8)
    >>> decoder = tr.nn.Decoder(
    ...     tr.nn.Embedding(5, 4), tr.nn.GRUCell(4, 8), tr.nn.Linear(16, 5), tr.nn.DotAttention(8, 8)
    ... )
    >>> keys, h = encoder(tr.zeros((7, 2, 3)), lengths=[7, 4])
    >>> state = decoder.begin(h[0], keys, lengths=[7, 4])
    >>> logits, state = decoder([[0, 0], [2, 1], [3, 3]], state)  # teacher forcing
    >>> logits.shape
    (3, 2, 5)
    >>> logits, state = decoder([[0, 0]] * 3, state, forced=[True, False, False])  # free running
    """

    @checked(
        embedding=FUNCTION,
        cell=Kind("a cell, with step(carry, x)", lambda value: hasattr(value, "step")),
        head=FUNCTION,
        attention=instance(Attention, "an attention").or_none(),
    )
    def __init__(
        self, embedding: Module, cell: Any, head: Module, attention: Attention | None = None
    ) -> None:
        self.embedding = embedding
        self.cell = cell
        self.attention = attention
        self.head = head

    @checked(keys=ARRAY.or_none())
    def begin(
        self, carry: Any = None, keys: Any = None, lengths: Any = None, mask: Any = None
    ) -> DecoderState:
        """Return the state before the first token.

        Parameters
        ----------
        carry : structure of Tensor, optional
            The cell's first state, such as the encoder's last; its ``initial_state`` by default, where there
            are keys.
        keys : Tensor, shape (S, B, K), optional
            The outputs of the encoder; needed where there is attention, and only there.
        lengths, mask
            Which keys are real, as in `Attention.forward`.
        """
        if (keys is None) != (self.attention is None):
            raise ValueError(
                f"Decoder: got {'no keys' if keys is None else 'keys'}; expected "
                f"{'them, for there is an attention' if keys is None else 'none, for there is no attention'}"
            )
        if self.attention is None:
            if carry is None:
                raise ValueError("Decoder: got no carry; expected the first state of the cell")
            return DecoderState(carry)
        attention = self.attention
        dtype = next((p.dtype for p in self.parameters()), getattr(keys, "dtype", get_default_dtype()))
        keys = as_input("Decoder", "keys", keys, dtype)
        real = as_mask("Decoder", keys.shape[:2], lengths, mask)
        if real is not None and not real.any(0).all():
            raise ValueError(
                f"Decoder: row {int(real.any(0).argmin())} has no real key; expected at least one"
            )
        keys = cleaned(keys, real)
        carry = self.cell.initial_state(keys.shape[1]) if carry is None else carry
        seen = None if real is None else as_tensor(real[..., None])
        return DecoderState(carry, keys, attention.project(keys), seen)

    @checked(state=instance(DecoderState, "the state that begin, or the call before, gave"))
    def forward(
        self, tokens: npt.ArrayLike, state: DecoderState, *, forced: npt.ArrayLike | None = None
    ) -> tuple[Tensor, DecoderState]:
        """Write a sequence.

        Parameters
        ----------
        tokens : array_like of int, shape (T, B)
            What is read: the begin mark, then the target without its last token.
        state : DecoderState
            As `begin` or the call before gave it.
        forced : array_like of bool, shape (T,) or (T, B), optional
            True where the token of ``tokens`` is read (teacher forcing), False where the decoder reads its
            own most likely token of the step before (free running). The first step always reads ``tokens``.
            Random ones, such as `scheduled_sampling` draws, are an input like any other, so that it is one
            `scan` in all cases. All True by default.

        Returns
        -------
        logits : Tensor, shape (T, B, C)
        state : DecoderState
        """
        if not is_symbol(tokens):
            tokens = as_integers("Decoder", "tokens", tokens, "indices of tokens")
        if len(tokens.shape) != 2 or not tokens.shape[0]:
            raise ValueError(f"Decoder: tokens has shape {tokens.shape}; expected (T, B)")
        if forced is None:
            carry, logits = scan(self._step(state), state.carry, self.embedding(tokens))
            return logits, state._replace(carry=carry)
        draws = plain_array("Decoder: forced", forced)
        if draws.dtype != np.bool_ or draws.shape not in (tokens.shape, tokens.shape[:1]):
            raise ValueError(
                f"Decoder: forced has dtype {draws.dtype} and shape {draws.shape}; expected booleans of "
                f"shape {tokens.shape} or {tokens.shape[:1]}"
            )
        draws = np.broadcast_to(draws.reshape((len(draws), -1)), tokens.shape).copy()
        draws[0] = True
        step = self._step(state)

        def feed_back(carry: Any, x: Any) -> tuple[Any, Any]:
            inner, guess = carry
            token, draw = x
            inner, logits = step(inner, self.embedding(where(draw, token, guess)))
            return (inner, argmax(logits, axis=-1)), logits

        first = as_tensor(np.zeros(tokens.shape[1], np.intp))
        (carry, _), logits = scan(feed_back, (state.carry, first), (tokens.astype(np.intp), draws))
        return logits, state._replace(carry=carry)

    def _step(self, state: DecoderState) -> Any:
        """Return the step on embedded tokens: the one thing that all ways of feeding share."""
        real = None if state.real is None else state.real.data[..., 0]

        def step(carry: Any, x: Any) -> tuple[Any, Any]:
            with scope("cell", owner=self.cell):
                carry, h = self.cell.step(carry, x)
            if self.attention is not None:
                with scope("attention", owner=self.attention):
                    context, _ = self.attention.attend(h, state.keys, state.projected, real)
                h = concatenate([h, context], axis=-1)
            return carry, self.head(h)

        return step
