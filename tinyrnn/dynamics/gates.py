"""The gates of a cell: their values over time, and what passes through each on the way back."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import numpy as np

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.jacobians import joined, one_hot_seeds
from tinyrnn.autograd.mapped import Array, Mapped, pull_back
from tinyrnn.autograd.tape import Node, reachable
from tinyrnn.dynamics.given import run_of
from tinyrnn.dynamics.jacobians import independent_rows
from tinyrnn.dynamics.steps import Recorded, recorded_steps, trajectory

_VIEWS = (p.getitem, p.reshape, p.transpose, p.broadcast_to)


def gate_values(cell: Any, xs: Any, carry: Any = None) -> dict[str, Array]:
    """Return the values of each gate at each step.

    A gate is a sigmoid on the way from the old state to the new one, or a tanh that the step has named, or
    that is the new state (the ``h`` of a simple RNN). It goes by the name that the step gave it, or its
    parts: ``i``, ``f``, ``g``, ``o`` of an LSTM, ``r``, ``z``, ``n`` of a GRU.

    Parameters
    ----------
    cell, xs, carry
        As in `step_jacobians`.

    Returns
    -------
    dict of str to ndarray, each of shape (T, B, ...)

    Examples
    --------
    >>> import tinyrnn as tr
    >>> gates = tr.dynamics.gate_values(tr.nn.LSTMCell(3, 4, rng=0), np.zeros((5, 2, 3)))
    >>> {name: values.shape for name, values in gates.items()}
    {'i': (5, 2, 4), 'f': (5, 2, 4), 'g': (5, 2, 4), 'o': (5, 2, 4)}
    """
    run = run_of("gate_values", cell, xs, carry)
    found: dict[str, list[Array]] = {}
    for recorded in recorded_steps(run, trajectory(run), 1):
        for name, node in gates_of(recorded).items():
            found.setdefault(name, []).append(over_steps(node, recorded))
    return {name: np.concatenate(values) for name, values in found.items()}


def over_steps(node: Node, recorded: Recorded) -> Array:
    """Return the value of a record at each of the recorded steps."""
    value = node.value.array[:, 0] if isinstance(node.value, Mapped) else node.value[None]
    return np.broadcast_to(value, (recorded.stop - recorded.first, *value.shape[1:]))


def gates_of(recorded: Recorded) -> dict[str, Node]:
    """Return the records of the gates by name, in the order in which they are computed."""
    nodes = reachable([leaf.node for leaf in recorded.floating if leaf.node is not None])[::-1]
    return {name: node for name, (node, _) in named_gates(nodes).items()}


def named_gates(nodes: list[Node]) -> dict[str, tuple[Node, bool]]:
    """Return the gates among the records of one step, by name, and whether they have a sign (a tanh).

    Parameters
    ----------
    nodes : list of Node
        Each after its inputs.
    """
    source: dict[Node, Node] = {}  # what a view is a view of
    for node in nodes:
        if node.primitive in _VIEWS and node.inputs[0] is not None:
            source[node] = source.get(node.inputs[0], node.inputs[0])
    named = {node: origin for node, origin in source.items() if node.name}
    chosen = [
        (node, kind)
        for node in nodes
        for kind in [named[node].primitive if node in named else node.primitive]
        if (kind is p.sigmoid and node not in named.values()) or (kind is p.tanh and node.name)
    ]
    taken: Counter[str] = Counter()
    gates: dict[str, tuple[Node, bool]] = {}
    for node, kind in chosen:
        name = node.name or "sigmoid"
        taken[name] += 1
        gates[f"{name}_{taken[name]}" if taken[name] > 1 else name] = (node, kind is p.tanh)
    return gates


class GateShares(NamedTuple):
    """How many units of a gate are at one of its ends, where its slope is small, at each step.

    Attributes
    ----------
    low : ndarray, shape (T,)
        The share below 0.1 (of a tanh: below -0.9): shut.
    high : ndarray, shape (T,)
        The share above 0.9: open.
    signed : bool
        Whether it is a tanh.

    Notes
    -----
    The bounds are those of Karpathy, Johnson and Fei-Fei (2015), "Visualizing and understanding recurrent
    networks".

    Examples
    --------
    >>> import tinyrnn as tr
    >>> import numpy as np
    >>> y, _ = tr.nn.GRU(2, 3, rng=0)(np.ones((20, 4, 2)))
    >>> flow = tr.dynamics.gradient_flow((y[-1] ** 2).mean())
    >>> flow.gates["l0.z"].low.shape
    (20,)
    """

    low: Array
    high: Array
    signed: bool = False

    @classmethod
    def of(cls, values: Array, *, signed: bool) -> GateShares:
        """Count in the values of each step, (T, ...)."""
        rest = tuple(range(1, values.ndim))
        return cls((values < (-0.9 if signed else 0.1)).mean(rest), (values > 0.9).mean(rest), signed)


def gate_jacobians(cell: Any, xs: Any, carry: Any = None) -> dict[str, Array]:
    """Return the Jacobian of each step as a sum of what passes through each gate.

    ``∂h_t/∂h_{t-1}`` is a sum over all paths from the old state to the new one. A path belongs to the gate
    that it meets first; those that meet none are ``"direct"``. The sum over all is `step_jacobians`. Of an
    LSTM ``∂c_t/∂c_{t-1}`` is all direct, ``diag(f_t)``; of a GRU the direct part is ``diag(z_t)``.

    Parameters
    ----------
    cell, xs, carry
        As in `step_jacobians`.

    Returns
    -------
    dict of str to ndarray, each of shape (T, B, S, S)

    Notes
    -----
    Hochreiter and Schmidhuber (1997), "Long short-term memory", for the direct path; Gers et al. (2000) for
    the factor f on it.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> gru = tr.nn.GRUCell(3, 4, rng=0, dtype="float64")
    >>> x = np.ones((5, 2, 3))
    >>> parts, z = tr.dynamics.gate_jacobians(gru, x), tr.dynamics.gate_values(gru, x)["z"]
    >>> list(parts), np.allclose(np.diagonal(parts["direct"], axis1=2, axis2=3), z)
    (['direct', 'r', 'z', 'n'], True)
    """
    run = run_of("gate_jacobians", cell, xs, carry)
    states = trajectory(run)
    rows = independent_rows(run, states)
    size = sum(leaf.size for leaf in run.carry if leaf.dtype.kind == "f") // rows
    found: dict[str, list[Array]] = {}
    for recorded in recorded_steps(run, states, size):
        for name, part in _by_gate(recorded, rows).items():
            found.setdefault(name, []).append(part)
    return {name: np.concatenate(parts) for name, parts in found.items()}


def _by_gate(recorded: Recorded, rows: int) -> dict[str, Array]:
    gates = gates_of(recorded)
    after = recorded.floating
    seeds = one_hot_seeds(after, rows)
    ends = [leaf.node for leaf in after]
    grid = (recorded.stop - recorded.first, seeds[0].shape[1])
    at_gates = pull_back(ends, seeds, list(gates.values()))
    inputs = {node: node.inputs for node in gates.values()}
    for node in gates.values():  # the tape is ours alone, and may be cut
        node.inputs = (None,) * len(node.inputs)
    parts = {"direct": joined(pull_back(ends, seeds, recorded.leaves), after, grid, rows)}
    for (name, node), g in zip(gates.items(), at_gates, strict=True):
        node.inputs = inputs[node]
        found = [] if g is None else pull_back([node], [g], recorded.leaves)
        node.inputs = (None,) * len(node.inputs)
        parts[name] = joined(found or [None] * len(after), after, grid, rows)
    return parts
