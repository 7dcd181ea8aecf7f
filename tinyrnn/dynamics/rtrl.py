"""Real-time recurrent learning: the gradient carried forward beside the state, with no look back."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from tinyrnn.autograd.arguments import COUNT, ITERABLE, checked, instance
from tinyrnn.autograd.creation import as_tensor
from tinyrnn.autograd.jacobians import joined
from tinyrnn.autograd.mapped import Array
from tinyrnn.autograd.state import enable_grad, unrolled
from tinyrnn.autograd.tape import reachable
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.dynamics.given import ARRAYS, check_form, in_the_step, inputs_of, one_cell
from tinyrnn.dynamics.sensitivity import jacobian_of_all, jacobian_of_rows, sent_to, state_size
from tinyrnn.dynamics.steps import record_step
from tinyrnn.recurrence.tree import Tree, flatten


class RTRL:
    """Real-time recurrent learning (Williams and Zipser 1989), for any cell.

    Beside the state c_t it carries the sensitivities ``M_t = ∂c_t/∂θ`` from step to step::

        M_t = J_t M_{t-1} + D_t,    J_t = ∂c_t/∂c_{t-1},    D_t = ∂c_t/∂θ with c_{t-1} held still

    and the gradient of a loss at step t is ``∂L_t/∂c_{t-1} M_{t-1}``, plus what the step itself contributes.
    Both J and D are rows of VJPs of the record of one step, so the cell is any that can be recorded. With the
    parameters held still, the sum over t is the gradient of backpropagation through time; where they are
    updated at each step, M lags behind them a little, as in the paper.

    **Cost**: with S state numbers in all rows of the batch and P parameters, M has ``S P`` numbers, whatever
    the length of the sequence; a step costs ``O(S² P)`` (``O(B S² P)`` for B independent rows of S each). For
    a tanh RNN with H units that is H³ numbers and H⁴ operations. So it is for small cells; what would not
    fit is refused.

    Parameters
    ----------
    cell : cell or callable
        Anything with ``step(carry, x) -> (carry, y)``: a cell, a layer of one cell, or the step itself.
    parameters : iterable of Tensor, optional
        The θ: leaves that require grad. Those of the cell by default; a mere step has to name them.
    memory_limit : int, optional
        How many bytes the sensitivities may take; half of the machine's memory by default.

    Attributes
    ----------
    carry : structure of Tensor
        The state after the latest step, as constants.

    Raises
    ------
    MemoryError
        At `start`, where the sensitivities would take more than the limit; the message says how many bytes.

    Notes
    -----
    R. J. Williams and D. Zipser (1989), "A learning algorithm for continually running fully recurrent neural
    networks", Neural Computation 1(2), 270-280. A gradient of the carry that is held back inside of the step
    (``detach``) is held back here too.

    Examples
    --------
    h_t = w h_{t-1} + x_t at w = 1/2, with the loss h_t at each step: the gradients are ∂h_t/∂w.

    >>> import tinyrnn as tr
    >>> w = tr.tensor(0.5, requires_grad=True)
    >>> def step(h, x):
    ...     h = w * h + x
    ...     return h, h
    >>> rtrl = tr.RTRL(step, [w])
    >>> rtrl.start(tr.zeros(()))
    >>> for _ in range(3):
    ...     w.grad = None
    ...     h = rtrl.step(tr.ones(()))
    ...     rtrl.backward(h)
    ...     print(h.item(), w.grad.item())
    1.0 0.0
    1.5 1.0
    1.75 2.0
    """

    _instead = "tr.dynamics.SnAp1, tr.dynamics.UORO, or "  # what needs less memory

    @checked(parameters=ITERABLE.or_none(), memory_limit=COUNT.or_none())
    def __init__(
        self, cell: Any, parameters: Iterable[Tensor] | None = None, *, memory_limit: int | None = None
    ) -> None:
        where = type(self).__name__
        self._cell = one_cell(where, cell)
        if parameters is None and not hasattr(self._cell, "parameters"):
            raise TypeError(f"{where}: a step alone has no parameters; name them: {where}(step, [w, b])")
        given = list(self._cell.parameters() if parameters is None else parameters)
        for i, parameter in enumerate(given):
            if not isinstance(parameter, Tensor) or not parameter.is_leaf:
                raise TypeError(f"{where}: parameter {i} is {parameter!r}; expected a leaf Tensor")
        self._parameters = list({id(p): p for p in given if p.requires_grad}.values())  # each of them once
        if not self._parameters:
            raise ValueError(f"{where}: none of the {len(given)} parameters requires grad")
        self._limit = _half_of_memory() if memory_limit is None else memory_limit
        self._tree: Tree | None = None
        self._carry: list[Tensor] = []
        self._before: list[Tensor] = []  # the state that the latest step began from, as leaves
        self._first = 0  # the number of the first record of a state
        self._steps, self._rows = 0, 1
        self._mixes = False  # whether a row's state was seen to depend on another's
        self._sensitivities: Any = None
        self._incoming: Any = None  # those of the state that the latest step began from

    def __repr__(self) -> str:
        cell = self._cell
        name = (
            type(cell).__name__ if hasattr(cell, "step") else getattr(cell, "__name__", type(cell).__name__)
        )
        count = sum(p.size for p in self._parameters)
        where = "not started" if self._tree is None else f"at step {self._steps:,}"
        return f"{type(self).__name__}({name}, {count:,} parameters, {where})"

    # --- the state ------------------------------------------------------------------------------------------
    @checked(carry=ARRAYS.or_none(), batch=COUNT.or_none())
    def start(self, carry: Any = None, *, batch: int | None = None) -> None:
        """Begin a sequence.

        Parameters
        ----------
        carry : structure of Tensor, optional
            The first state: the cell's ``initial_state(batch)`` by default, with its sensitivity to a learned
            one. A state that is handed in counts as computed from the parameters where it was.
        batch : int, optional
            The number of rows, for the cell's own first state; None for a single row without a batch axis.

        Raises
        ------
        ValueError
            Where a carry has another form than the cell's own, or other rows than ``batch``.
        """
        if carry is None:
            if not hasattr(self._cell, "initial_state"):
                raise TypeError(f"{type(self).__name__}: the step has no initial_state; hand in the carry")
            with enable_grad(), unrolled():
                carry = self._cell.initial_state(batch)
        else:
            rows = () if batch is None else (batch,)
            check_form(type(self).__name__, self._cell, carry, rows)
            shapes = [np.shape(leaf) for leaf in flatten(carry)[0]]
            if batch is not None and any(shape[0] != batch for shape in shapes if len(shape) > 1):
                raise ValueError(
                    f"{type(self).__name__}: carry has the shapes {shapes}; expected batch = {batch} rows"
                )
        leaves, self._tree = flatten(carry)
        leaves = [as_tensor(leaf) for leaf in leaves]
        floating = [leaf for leaf in leaves if leaf.dtype.kind == "f"]
        if not floating:
            raise TypeError(f"{type(self).__name__}: the carry has no part of a floating dtype")
        sizes = sum(leaf.size for leaf in floating), sum(p.size for p in self._parameters)
        self._check_memory(*sizes, np.result_type(*(leaf.dtype for leaf in floating)))
        counts = {leaf.shape[0] if leaf.ndim > 1 else 1 for leaf in floating}
        self._rows = counts.pop() if len(counts) == 1 else 1
        self._carry = [Tensor(leaf.data) for leaf in leaves]
        self._before, self._steps, self._mixes = [], 0, False
        self._begin(floating)

    @property
    def carry(self) -> Any:
        """The state after the latest step, as constants."""
        return self._started().unflatten(self._carry)

    @checked(x=ARRAYS)
    def step(self, x: Any) -> Any:
        """Take one step, and carry the sensitivities on.

        Parameters
        ----------
        x : structure of Tensor or array_like, each of shape (B, ...)
            The input at this time. Plain arrays of floats get the dtype of the cell's parameters.

        Returns
        -------
        structure of Tensor
            The step's output, recorded: compute a loss of it, and hand that to `backward` before the next
            step.
        """
        tree = self._started()
        where = f"{type(self).__name__}.step"
        xs, x_tree = inputs_of(where, "x", self._cell, x), flatten(x)[1]
        with in_the_step(where, self._carry, xs):
            before, after, y = record_step(self._cell_step, self._carry, tree, xs, x_tree, self._steps)
        self._before, self._incoming = before, self._sensitivities
        if self._first == 0:
            self._first = min((leaf.node.order for leaf in self._before if leaf.node is not None), default=0)
        self._advance([leaf for leaf in after if leaf.dtype.kind == "f"])
        self._carry = [Tensor(leaf.data) for leaf in after]
        self._steps += 1
        return y

    @checked(loss=instance(Tensor, "a Tensor"))
    def backward(self, loss: Tensor) -> None:
        """Add the gradient of a loss of the latest step to each parameter's ``.grad``.

        Leaves behind the cell, such as a readout's weights, get theirs too, as by ``loss.backward()``.

        Parameters
        ----------
        loss : Tensor
            A single number, computed from what the latest `step` returned.

        Raises
        ------
        RuntimeError
            Where there is no step yet, or the loss is of an earlier one: its sensitivities are gone.
        """
        if not self._before:
            raise RuntimeError(f"{type(self).__name__}: there is no step yet; call start() and step(x) first")
        floating = [leaf for leaf in self._before if leaf.node is not None]
        latest = min((leaf.node.order for leaf in floating if leaf.node is not None), default=0)
        known = {parameter.node for parameter in self._parameters}
        for node in reachable([] if loss.node is None else [loss.node]):
            if node.primitive is None and self._first <= node.order < latest and node not in known:
                raise RuntimeError(
                    f"{type(self).__name__}: the loss depends on an earlier step; expected the latest, "
                    "with backward() before the next step"
                )
        loss.backward()
        grads = [None if leaf.grad is None else leaf.grad.data[None, None] for leaf in floating]
        for leaf in floating:
            leaf.grad = None
        if all(g is None for g in grads):
            return
        total = self._gradient(joined(grads, floating, (1, 1), self._rows)[0, :, 0])
        start = 0
        for parameter in self._parameters:
            part = total[start : start + parameter.size].reshape(parameter.shape).astype(parameter.dtype)
            parameter.grad = Tensor(part if parameter.grad is None else parameter.grad.data + part)
            start += parameter.size

    # --- the sensitivities: what the approximations replace -------------------------------------------------
    def _begin(self, leaves: list[Tensor]) -> None:
        """Take the sensitivities of the first state: M, of shape (B, S, P)."""
        self._sensitivities = self._to_parameters(leaves)

    def _advance(self, after: list[Tensor]) -> None:
        """Carry the sensitivities over the step that was just recorded."""
        self._sensitivities = self._through(after) + self._to_parameters(after)

    def _gradient(self, g: Array) -> Array:
        """Return ``g M`` for the gradient g at the state before the latest step, (B, S), as (P,)."""
        return np.einsum("bs,bsp->p", g, self._incoming)

    # --- parts ----------------------------------------------------------------------------------------------
    def _through(self, after: list[Tensor]) -> Array:
        """Return ``J M``, (B, S, P)."""
        M = self._sensitivities
        J = self._jacobian(after)
        if J.shape[0] == self._rows:
            return J @ M
        return (J[0] @ M.reshape((-1, M.shape[-1]))).reshape(M.shape)

    def _jacobian(self, after: list[Tensor]) -> Array:
        """Return J, (B, S, S) where the rows are independent, else that of all of them, (1, BS, BS)."""
        before = [leaf for leaf in self._before if leaf.node is not None]
        if self._rows > 1 and not self._mixes:
            found = jacobian_of_rows(before, after, self._rows)
            if found is not None:
                return found
            self._mixes = True
        return jacobian_of_all(before, after, self._rows)[None]

    def _to_parameters(self, leaves: list[Tensor]) -> Array:
        """Return the derivatives of a state by the parameters, as recorded: D, (B, S, P)."""
        size = state_size(leaves)
        seeds = np.eye(size).reshape((size, self._rows, -1))
        return sent_to(self._parameters, leaves, seeds).reshape((self._rows, size // self._rows, -1))

    # --- checks ---------------------------------------------------------------------------------------------
    def _bytes(self, states: int, parameters: int, itemsize: int) -> int:
        """Return how many bytes are needed at once: M, J M, D and its parts."""
        return 4 * states * parameters * itemsize

    def _check_memory(self, states: int, parameters: int, dtype: np.dtype[Any]) -> None:
        need = self._bytes(states, parameters, dtype.itemsize)
        if need > self._limit:
            raise MemoryError(
                f"{type(self).__name__}: {states:,} state numbers by {parameters:,} parameters in {dtype} "
                f"need {need:,} bytes; expected at most memory_limit = {self._limit:,}. Use a smaller cell "
                f"or batch, fewer parameters, {self._instead}tr.TruncatedBPTT"
            )

    @property
    def _cell_step(self) -> Any:
        return self._cell.step if hasattr(self._cell, "step") else self._cell

    def _started(self) -> Tree:
        if self._tree is None:
            raise RuntimeError(f"{type(self).__name__}: not started; call start() first")
        return self._tree


def _half_of_memory() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, ValueError, OSError):  # not on every system
        return 1 << 32
