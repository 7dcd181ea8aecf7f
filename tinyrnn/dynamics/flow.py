"""Where the gradient of a loss goes: over time, through the gates, and into the weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinyrnn.autograd.arguments import MAPPING, PROBABILITY, checked, instance
from tinyrnn.autograd.mapped import Array
from tinyrnn.autograd.rng import generator
from tinyrnn.autograd.tape import Leaf, Node
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.draw.reading.unroll import Unrolled, unroll
from tinyrnn.dynamics.gates import GateShares, named_gates
from tinyrnn.dynamics.pairs import gradient_pairs
from tinyrnn.dynamics.records import address, gradients_restored, one_recorded, sent_back, size_of, states_of


@dataclass
class StateFlow:
    """The gradient at one state of one layer, at each step.

    Attributes
    ----------
    steps : ndarray of int, shape (T,)
        The steps at which the layer has a state, in the order in which it goes over them.
    norm : ndarray, shape (T,)
        ``‖∂L/∂h_t‖``; 0 where no gradient comes to a step.
    reach : ndarray, shape (T,), or None
        ``‖g ∂h_T/∂h_t‖`` for the gradient g at the last state: what is left of it alone, t steps from the
        beginning. Where there is a loss at each step, ``norm`` adds fresh gradients on the way, and this does
        not.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> import numpy as np
    >>> y, _ = tr.nn.GRU(2, 3, rng=0)(np.ones((20, 4, 2)))
    >>> flow = tr.dynamics.gradient_flow((y[-1] ** 2).mean())
    >>> state = flow.states["l0.h"]
    >>> state.steps[:3], state.norm.shape, bool(state.norm[0] < state.norm[-1])
    (array([0, 1, 2]), (20,), True)
    """

    steps: Array
    norm: Array
    reach: Array | None = None

    @checked(share=PROBABILITY)
    def horizon(self, share: float = 0.01) -> int:
        """Return over how many steps ``reach`` stays at or above a share of what it began with.

        Of a flow that was watched, which has no ``reach``, ``norm`` serves.
        """
        back = (self.norm if self.reach is None else self.reach)[::-1]
        low = np.flatnonzero(~(back >= share * back[0])) if back[0] > 0 else np.array([0])
        return int(low[0]) if len(low) else len(back)


@dataclass
class GradientFlow:
    """What `gradient_flow` found.

    Attributes
    ----------
    states : dict of str to StateFlow
        By layer and state, such as ``l0.h``; ``h`` where the one layer has no name.
    gates : dict of str to GateShares
        How many units of each gate are shut or open, at each step; empty where no values were kept.
    weights : dict of str to ndarray, each of shape (T,)
        The share of the uses at each step in each weight's gradient G: ``<g_t, G> / <G, G>``. They sum to 1;
        a step that pulls the other way has a negative one.
    pairs : dict of str to ndarray, each of shape (T, T)
        ``‖∂L_s/∂h_t‖``, rows s, where the losses of the steps were given. NaN where no gradient comes to
        h_t: after s, across a cut, or where there is no loss.
    carried : dict of str to ndarray, each of shape (T,)
        By layer and lag, what the recurrence lets pass whatever the loss asks: ``‖ν ∂c_T/∂c_{T-lag}‖ / ‖ν‖``
        for a random ν at all parts of the last state, an estimate of the root mean square of the singular
        values. Where rows have lengths of their own, the lag counts from the end of each.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> import numpy as np
    >>> y, _ = tr.nn.GRU(2, 3, rng=0)(np.ones((20, 4, 2)))
    >>> flow = tr.dynamics.gradient_flow((y[-1] ** 2).mean())
    >>> list(flow.states), list(flow.weights)
    (['l0.h'], ['bias_hh_l0', 'bias_ih_l0', 'weight_hh_l0', 'weight_ih_l0'])
    """

    states: dict[str, StateFlow]
    gates: dict[str, GateShares] = field(default_factory=dict[str, GateShares])
    weights: dict[str, Array] = field(default_factory=dict[str, Array])
    pairs: dict[str, Array] = field(default_factory=dict[str, Array])
    carried: dict[str, Array] = field(default_factory=dict[str, Array])


@checked(loss=instance(Tensor, "a Tensor"), losses=MAPPING.or_none())
def gradient_flow(loss: Any, losses: Mapping[int, Any] | None = None) -> GradientFlow:
    """Measure how the gradient of a loss flows back through a recurrence.

    Call it before ``backward()``, or after ``backward(retain_graph=True)``. Compiled scans are written out
    step by step for it, which costs several times a training step; `watch` is cheaper. No ``.grad`` changes.

    Parameters
    ----------
    loss : Tensor
        A single number.
    losses : mapping of int to Tensor, optional
        The loss of each step, for ``pairs``, by the number of the step from 0, as in `StateFlow.steps`;
        computed inside of ``tr.unrolled()``.

    Returns
    -------
    GradientFlow

    Raises
    ------
    ValueError
        Where the loss is not a single number, no state passes from step to step, or a key of the losses is
        no step of a state.
    RuntimeError
        Where the graph was freed by ``backward()``.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> rnn = tr.nn.RNN(2, 3, rng=0)
    >>> y, _ = rnn(np.ones((20, 4, 2)))
    >>> flow = tr.dynamics.gradient_flow((y[-1] ** 2).mean())
    >>> flow.states["l0.h"].norm.shape, flow.states["l0.h"].horizon()  # steps until 1% is left
    ((20,), 4)
    >>> round(float(flow.weights["weight_hh_l0"].sum()), 3)
    1.0
    """
    one_recorded("gradient_flow", "the loss", loss)
    recorded = unroll(loss, "gradient_flow")
    states = states_of(recorded)
    if not states:
        raise ValueError("gradient_flow: the graph has no state that passes from step to step")
    root = recorded.roots[0].node
    seed = {root: np.ones(root.shape, root.dtype)}
    with gradients_restored(record.node for record in recorded.records):
        found = sent_back("gradient_flow", seed, {node for nodes in states.values() for _, node in nodes})
        flows = {name: _state_flow(nodes, found) for name, nodes in states.items()}
        weights = _weight_shares(recorded, seed)
        layers: dict[str, list[list[tuple[int, Node]]]] = {layer.name: [] for layer in recorded.layers}
        for name, nodes in states.items():
            layers[address(name, layers)[0]].append(nodes)
        carried = {name: _carried(group) for name, group in layers.items()}
    pairs = gradient_pairs(losses) if losses else {}
    return GradientFlow(flows, _gate_shares(recorded), weights, pairs, carried)


def _state_flow(nodes: list[tuple[int, Node]], found: dict[Node, Any]) -> StateFlow:
    norm = np.array([size_of(found[node]) if node in found else 0.0 for _, node in nodes])
    last = int(np.flatnonzero(norm)[-1]) if norm.any() else len(nodes) - 1
    reach = np.zeros(len(nodes))
    if norm[last]:
        end = nodes[last][1]
        alone = sent_back("gradient_flow", {end: found[end]}, {node for _, node in nodes[: last + 1]})
        reach = np.array([size_of(alone[node]) if node in alone else 0.0 for _, node in nodes])
    return StateFlow(np.array([t for t, _ in nodes]), norm, reach[: last + 1] if norm[last] else reach)


def _carried(states: list[list[tuple[int, Node]]]) -> Array:
    """Return what of a random gradient at the last of some states is left at those before, by the lag."""
    rng = generator(0)
    records = [[node for _, node in nodes] for nodes in states if nodes[-1][1].dtype.kind == "f"]
    seeds = {nodes[-1]: rng.standard_normal(nodes[-1].shape).astype(nodes[-1].dtype) for nodes in records}
    found = sent_back("gradient_flow", seeds, {node for nodes in records for node in nodes})
    total = np.zeros(max(map(len, records), default=0))
    for nodes in records:
        sizes = np.array([size_of(found[node]) if node in found else 0.0 for node in nodes[::-1]])
        total[: len(sizes)] = np.hypot(total[: len(sizes)], sizes)
    return total / total[0] if total.any() else total


def _gate_shares(recorded: Unrolled) -> dict[str, GateShares]:
    """Sort the values of the gates by layer and step."""
    layers = {layer.name for layer in recorded.layers}
    by_step: dict[tuple[str, int], list[Node]] = {}
    for record in recorded.records:
        if record.unit in layers and record.step is not None and record.op and record.value is not None:
            by_step.setdefault((record.unit, record.step), []).append(record.node)
    values: dict[str, dict[int, tuple[Array, bool]]] = {}
    for (layer, step), nodes in by_step.items():
        for name, (node, signed) in named_gates(nodes).items():
            key = f"{layer}.{name}" if layer else name
            values.setdefault(key, {})[step] = (np.asarray(getattr(node.value, "data", node.value)), signed)
    return {
        name: GateShares.of(np.stack([steps[t][0] for t in sorted(steps)]), signed=steps[min(steps)][1])
        for name, steps in values.items()
    }


def _weight_shares(recorded: Unrolled, seed: dict[Node, Any]) -> dict[str, Array]:
    """Return the share of each step's uses in the gradient of each parameter.

    What leaves the steps on its way to a parameter is noted where it leaves them, step by step, and sent on
    from there: a weight may be transposed, or added to another, before the steps use it.
    """
    steps = {record.node: record.step for record in recorded.records}
    parameters: list[Node] = [
        record.node
        for record in recorded.records
        if type(record.node) is Leaf and record.role == "weight" and record.node.dtype.kind == "f"
    ]
    timeless: set[Node | None] = {None}  # what is made of parameters alone
    for node in sorted(steps, key=lambda node: node.order):
        if steps[node] is None and timeless.issuperset(node.inputs):
            timeless.add(node)
    names: dict[Node, str] = {}
    for i, node in enumerate(parameters):
        name = node.name or f"weight{i}"
        names[node] = name if name not in names.values() else f"{name}_{i}"
    leaving: dict[int, dict[Node, Array]] = {}

    def observe(node: Node, i: int, g: Any, part: Any, before: Any) -> None:
        source, step = node.inputs[i], steps.get(node)
        if source is not None and step is not None and source in timeless:
            there = leaving.setdefault(step, {})
            there[source] = there[source] + part if source in there else np.array(part)

    targets = set(parameters)
    if not targets:
        return {}
    whole = sent_back("gradient_flow", seed, targets, observe)
    axis = sorted({t for t in steps.values() if t is not None})
    shares: dict[str, Array] = {}
    for k, t in enumerate(axis):
        parts = sent_back("gradient_flow", leaving[t], targets) if t in leaving else {}
        for node, g in parts.items():
            total = float(np.sum(np.square(whole[node], dtype=np.float64)))
            product = float(np.sum(np.multiply(g, whole[node], dtype=np.float64)))
            shares.setdefault(names[node], np.zeros(len(axis)))[k] = product / (total or 1.0)
    return shares
