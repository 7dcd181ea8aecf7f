"""`Recurrent`: any cell, run over time with `scan`; in layers, and in both directions."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from tinyrnn.autograd.arguments import COUNT, FLAG, PROBABILITY, RNG, checked
from tinyrnn.autograd.callers import users_line
from tinyrnn.autograd.creation import as_tensor
from tinyrnn.autograd.elsewhere import MODULE_NAMES, instead
from tinyrnn.autograd.functions import concatenate, expand_dims, squeeze
from tinyrnn.autograd.rng import generator
from tinyrnn.autograd.state import scope
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.nn.cell import Cell
from tinyrnn.nn.dropout import dropout
from tinyrnn.nn.inputs import as_input, as_lengths, kind_of
from tinyrnn.nn.module import Module
from tinyrnn.recurrence.scan import scan
from tinyrnn.recurrence.stepper import Stepper, as_array
from tinyrnn.recurrence.tree import LEAF, flatten

Lengths = npt.ArrayLike | None
Segment = int | Literal["auto"] | None


class Recurrent(Module):
    """Run a cell over time, or a stack of cells.

    Parameters
    ----------
    cell : cell, or sequence of cells
        Anything with ``step(carry, x) -> (carry, y)``, and with ``initial_state(batch)`` unless the first
        state is always handed in; see `Cell`. A sequence is a stack: the first cell reads the input, each
        further one the outputs of the one before. With ``bidirectional`` the cells come in pairs, forward and
        reverse, layer by layer.
    bidirectional : bool
        Whether each layer has a second cell that runs from the last step to the first. Both outputs are
        concatenated.
    reverse : bool
        Whether each layer runs from the last step to the first, and nothing runs forward.
    dropout : float
        Probability of dropout on the outputs between layers, in training.
    batch_first : bool
        Whether inputs and outputs are (batch, T, ...). States never are.
    rng : Generator or int, optional
        Where the masks of dropout come from; the library's generator by default.

    Notes
    -----
    The parameters of a cell have its keys with ``_l0``, ``_l0_reverse``, ``_l1``, ... behind them;
    the cells themselves are ``layer.l0``, ``layer.l0_reverse``, ...

    Warns
    -----
    UserWarning
        Where there is dropout and only one layer, so that it never acts.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> stack = tr.nn.Recurrent([tr.nn.GRUCell(3, 4), tr.nn.LSTMCell(4, 5)])
    >>> y, (h, lstm) = stack(tr.zeros((7, 2, 3)))
    >>> y.shape, h.shape, lstm.c.shape
    ((7, 2, 5), (2, 4), (2, 5))
    >>> list(stack.state_dict())[:2]
    ['weight_ih_l0', 'weight_hh_l0']
    """

    _names: tuple[str, ...] = ()

    @checked(bidirectional=FLAG, reverse=FLAG, dropout=PROBABILITY, batch_first=FLAG, rng=RNG)
    def __init__(
        self,
        cell: Any,
        *,
        bidirectional: bool = False,
        reverse: bool = False,
        dropout: float = 0.0,
        batch_first: bool = False,
        rng: np.random.Generator | int | None = None,
    ) -> None:
        where = type(self).__name__
        if not (hasattr(cell, "step") or isinstance(cell, Iterable)):
            raise TypeError(f"{where}: {kind_of(cell)} is no cell; expected an object with step(carry, x)")
        cells = [cell] if hasattr(cell, "step") else list(cell)
        directions = 2 if bidirectional else 1
        if not cells or len(cells) % directions:
            expected = "an even number, forward and reverse in turn" if bidirectional else "at least one"
            raise ValueError(f"{where}: got {len(cells)} cells; expected {expected}")
        if len({id(c) for c in cells}) < len(cells):
            raise ValueError(
                f"{where}: the same cell object stands in two places; make one for each layer and direction"
            )
        for c in cells:
            if isinstance(c, type):
                raise TypeError(
                    f"{where}: {c.__name__} is a class; expected a cell, such as {c.__name__}(...)"
                )
            if not hasattr(c, "step"):
                raise TypeError(f"{where}: {kind_of(c)} is no cell; expected an object with step(carry, x)")
        if reverse and bidirectional:
            raise ValueError(
                f"{where}: reverse and bidirectional are both True; expected one of them at most"
            )
        if dropout and len(cells) == directions:
            warnings.warn(
                f"{where}: dropout={dropout} acts between layers, and there is only one",
                stacklevel=users_line(),
            )
        self.num_layers = len(cells) // directions
        self.bidirectional = bidirectional
        self.reverse = reverse
        self.dropout = dropout
        self.batch_first = batch_first
        self.rng = None if rng is None else generator(rng)
        self._names = tuple(
            f"l{layer}{suffix}"
            for layer in range(self.num_layers)
            for suffix in ("", "_reverse")[:directions]
        )
        for name, c in zip(self._names, cells, strict=True):
            setattr(self, name, c)

    @property
    def cells(self) -> list[Any]:
        """The cells: layer by layer, and forward before reverse."""
        own = vars(self)
        return [own[name] for name in self._names]

    def forward(
        self, x: npt.ArrayLike, state: Any = None, *, lengths: Lengths = None, segment: Segment = None
    ) -> tuple[Tensor, Any]:
        """Run over a sequence.

        Parameters
        ----------
        x : Tensor or array_like, shape (T, batch, ...)
            The inputs; (batch, T, ...) with ``batch_first``. A plain array of floats is cast to the
            parameters' dtype.
        state : optional
            The first state: a carry as the cell has it. For a stack, or with ``bidirectional``, a sequence of
            them, one for each cell. The cells' ``initial_state`` by default.
        lengths : array_like of int, shape (batch,), optional
            The true length of each row. Outputs past a row's end are zero, its final state is that after its
            last real step (in reverse: after its first), and what stands in the padding has no influence.
        segment : int or "auto", optional
            Trade time for memory; see `tinyrnn.scan`.

        Returns
        -------
        y : Tensor, shape (T, batch, ...)
            The outputs of the last layer; (batch, T, ...) with ``batch_first``.
        state
            The final state, in the form of the first one.
        """
        where = type(self).__name__
        x = self._as_input(where, x)
        if len(x.shape) < 2:
            raise ValueError(f"{where}: x has shape {x.shape}; expected {self._axes} as its first axes")
        x = x.swapaxes(0, 1) if self.batch_first else x
        if not x.shape[0]:
            raise ValueError(f"{where}: x has 0 steps; expected at least 1")
        single = len(self._names) == 1
        if state is None:
            carries = [self._initial_state(cell, x.shape[1]) for cell in self.cells]
        elif single:
            carries = [self._as_carry(where, "state", self.cells[0], state, x.shape[1])]
        elif isinstance(state, (tuple, list)) and len(state) == len(self._names):
            carries = [
                self._as_carry(where, f"state[{k}]", cell, part, x.shape[1])
                for k, (cell, part) in enumerate(zip(self.cells, state, strict=True))
            ]
        else:
            raise TypeError(
                f"{where}: the state is a {kind_of(state)}; expected a sequence of "
                f"{len(self._names)} states, one for each of {', '.join(self._names)}"
            )
        y, carries = self._run(x, carries, as_lengths(where, lengths, *x.shape[:2]), segment)
        y = y.swapaxes(0, 1) if self.batch_first else y
        return y, carries[0] if single else tuple(carries)

    def _run(self, x: Any, carries: list[Any], lengths: Any, segment: Any) -> tuple[Any, list[Any]]:
        """Run the stack on time-major input, from one carry for each cell to one carry for each."""
        final: list[Any] = []
        todo = iter(zip(self._names, self.cells, carries, strict=True))
        for layer in range(self.num_layers):
            if layer and self.dropout:
                x = dropout(x, self.dropout, self.training, self.rng)
            outputs: list[Any] = []
            for reverse in (False, True) if self.bidirectional else (self.reverse,):
                name, cell, carry = next(todo)
                with scope(name, owner=cell):
                    carry, y = scan(cell.step, carry, x, lengths=lengths, reverse=reverse, segment=segment)
                final.append(carry)
                outputs.append(y)
            x = concatenate(outputs, axis=-1) if self.bidirectional else outputs[0]
        return x, final

    @checked(batch=COUNT)
    def initial_state(self, batch: int) -> Any:
        """Return the state from which `forward` begins by default, for ``batch`` rows."""
        carries = [self._initial_state(cell, batch) for cell in self.cells]
        return carries[0] if len(carries) == 1 else tuple(carries)

    @checked(batch=COUNT)
    def stepper(self, state: Any = None, *, batch: int = 1) -> Stepper:
        """Return what takes one step at a time and keeps the state, for streams and for use after training.

        A step takes an array of shape (batch, ...), without time, and returns one, (batch, ...): the outputs
        of the last layer. It is several times as fast as a call of this layer on a sequence of one step.

        Parameters
        ----------
        state : optional
            The first state, in the form of `forward`; `initial_state` by default.
        batch : int
            The number of rows, where no state is given.

        Returns
        -------
        Stepper

        Raises
        ------
        ValueError
            Where the layer reads from the last step to the first.

        Examples
        --------
        >>> import tinyrnn as tr
        >>> gru = tr.nn.GRU(3, 4)
        >>> x = tr.randn(10, 2, 3)
        >>> stepper = gru.stepper(batch=2)
        >>> outputs = [stepper(x_t) for x_t in x.data]
        >>> y, state = gru(x)
        >>> np.allclose(outputs, y.data, atol=1e-6), np.allclose(stepper.state.data, state.data, atol=1e-6)
        (True, True)
        """
        if self.bidirectional or self.reverse:
            raise ValueError(
                f"{type(self).__name__}: it reads from the last step to the first; expected a layer that "
                "goes forward, since a stream has no last step"
            )
        axis = 1 if self.batch_first else 0
        rows = batch if state is None else None

        def step(state: Any, x: Any) -> tuple[Any, Any]:
            if rows is not None and x.shape[:1] != (rows,):
                raise ValueError(
                    f"{type(self).__name__}.stepper: x has shape {x.shape}; expected {rows} rows, the batch "
                    "that it was made for: stepper(batch=...)"
                )
            y, state = self(expand_dims(x, axis), state)
            return state, squeeze(y, axis)

        for leaf in flatten(state)[0]:
            as_array(f"{type(self).__name__}: state", leaf)
        return Stepper(step, self.initial_state(batch) if state is None else state)

    # --- what comes in --------------------------------------------------------------------------------------
    @property
    def _axes(self) -> str:
        return "(batch, T)" if self.batch_first else "(T, batch)"

    @property
    def _dtype(self) -> np.dtype[Any] | None:
        """The dtype of the parameters; None where there are none."""
        return next((p.dtype for p in self.parameters()), None)

    def _as_input(self, where: str, x: Any) -> Tensor:
        """Return x as a Tensor: floats in the parameters' dtype, integers (such as indices) as they are."""
        dtype = x.dtype if hasattr(x, "dtype") else np.asarray(x if isinstance(x, list) else 0.0).dtype
        return as_input(where, "x", x, (self._dtype or dtype) if dtype.kind == "f" else dtype)

    def _as_carry(self, where: str, name: str, cell: Any, state: Any, batch: int) -> Any:
        """Return a state that a user gave in the form and the dtypes of the cell's own.

        A cell that has no state of its own gets floats in the parameters' dtype.
        """
        if getattr(type(cell), "initial_state", Cell.initial_state) is Cell.initial_state:
            leaves, tree = flatten(state)
            own = [self._dtype] * len(leaves)
        else:
            expected, form = flatten(cell.initial_state(batch))
            if form == LEAF:  # a list is an array, then
                return as_input(where, name, state, expected[0].dtype)
            leaves, tree = flatten(tuple(state) if isinstance(state, list) else state, like=form)
            if tree != form:
                raise TypeError(
                    f"{where}: {name} is a {kind_of(state)} with the parts {tree.paths(name)}; expected "
                    f"{form.paths(name)}, all of them, or no state at all"
                )
            own = [leaf.dtype for leaf in expected]
        return tree.unflatten(
            as_input(where, path, leaf, dtype) if dtype is not None and dtype.kind == "f" else as_tensor(leaf)
            for path, leaf, dtype in zip(tree.paths(name), leaves, own, strict=True)
        )

    def _initial_state(self, cell: Any, batch: int) -> Any:
        if not hasattr(cell, "initial_state"):
            raise TypeError(
                f"{type(self).__name__}: {type(cell).__name__} has no initial_state(batch), "
                "and no state was handed in"
            )
        return cell.initial_state(batch)

    # --- names: a parameter `key` of the cell `l0` is `key_l0` here -----------------------------------------
    def _key_of(self, child: str, key: str) -> str:
        return f"{key}_{child}" if child in self._names else super()._key_of(child, key)

    def _cell_and_key(self, name: str) -> tuple[Any, str]:
        key, _, end = name.rpartition("_l")
        return (vars(self).get(f"l{end}") if key and f"l{end}" in self._names else None), key

    def __getattr__(self, name: str) -> Any:
        cell, key = self._cell_and_key(name)
        if cell is None or not hasattr(cell, key):
            raise AttributeError(instead(type(self).__name__, name, MODULE_NAMES))
        return getattr(cell, key)

    def __setattr__(self, name: str, value: Any) -> None:
        cell, key = self._cell_and_key(name)
        if cell is None:
            super().__setattr__(name, value)
        else:
            setattr(cell, key, value)
            self._tell_names()

    def extra_repr(self) -> str:
        """Return what differs from the defaults."""
        options = {
            "bidirectional": self.bidirectional,
            "reverse": self.reverse,
            "dropout": self.dropout,
            "batch_first": self.batch_first,
        }
        return ", ".join(f"{name}={value}" for name, value in options.items() if value)
