"""Scans with zeros added to their states and outputs: the gradients of the zeros are those of the states.

The computation stays compiled, and its numbers stay the same. Right after the forward pass a random gradient
is sent back from the last state of each scan as well: what the recurrence itself lets pass, whatever the loss
asks of it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tinyrnn.autograd.creation import as_tensor
from tinyrnn.autograd.gradient import grad
from tinyrnn.autograd.mapped import Array, pull_back
from tinyrnn.autograd.rng import generator
from tinyrnn.autograd.state import detect_anomaly, probing, thread
from tinyrnn.autograd.tape import reachable
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.dynamics.flow import GradientFlow, StateFlow
from tinyrnn.dynamics.gates import GateShares, named_gates, over_steps
from tinyrnn.dynamics.given import Run
from tinyrnn.dynamics.jacobians import carry_parts
from tinyrnn.dynamics.records import gradients_restored, sizes_of
from tinyrnn.dynamics.steps import Recorded, recorded_steps
from tinyrnn.recurrence.scan import scan
from tinyrnn.recurrence.tree import flatten

_ROWS = 8  # of the batch, whose gates are looked at
_BLOCKS = 8  # into which the steps are parted, as if there were so many seeds: they stay in the cache


class Probes:
    """The scans that ran while `scan` stood in for the library's, with what was added to each."""

    def __init__(self) -> None:
        self._scans: list[_Probed] = []

    def scan(self, step: Any, carry: Any, xs: Any, **options: Any) -> Any:
        """Run a scan with zeros added to its states and outputs."""
        modes = thread.modes
        with probing(None):
            if modes.tracing or not modes.recording or options["length"] is not None or xs is None:
                return scan(step, carry, xs, **options)
            probed = _Probed.of(step, carry, xs, options)
            result = probed.run()
        self._scans.append(probed)
        return result

    def zeros(self) -> list[Tensor]:
        """Return all that was added, leaves whose ``.grad`` `flow` reads."""
        added = [e for probed in self._scans for e in (*probed.state_probes, *probed.output_probes)]
        return [e for e in added if e is not None]

    def flow(self) -> GradientFlow:
        """Return what the gradients of the zeros say."""
        flow = GradientFlow({})
        for probed in self._scans:
            probed.measure(flow)
        return flow


class _Probed(NamedTuple):
    """A scan with what was added to it."""

    run_of: Run
    options: dict[str, Any]
    name: str
    state_probes: list[Tensor | None]  # (T, ...) for each leaf of the carry; None for integers
    # What follows is filled in when the scan has run.
    output_probes: list[Tensor | None]  # None also for an output that is a part of the new state
    states: list[Array]  # those that the scan came to
    carried: list[Array]  # one array

    @classmethod
    def of(cls, step: Any, carry: Any, xs: Any, options: dict[str, Any]) -> _Probed:
        carry_leaves, carry_tree = flatten(carry)
        x_leaves, x_tree = flatten(xs)
        run = Run(
            step, list(map(as_tensor, carry_leaves)), carry_tree, list(map(as_tensor, x_leaves)), x_tree
        )
        probes = [
            _zeros((run.steps, *leaf.shape), leaf.dtype) if leaf.dtype.kind == "f" else None
            for leaf in run.carry
        ]
        scope = thread.modes.scope
        return cls(run, options, scope.path() if scope is not None else "", probes, [], [], [])

    def run(self) -> tuple[Any, Any]:
        run = self.run_of

        def step(carry: Any, inputs: Any) -> Any:
            x, probes = inputs
            new, y = run.step(carry, x)
            (leaves, tree), (outputs, output_tree) = flatten(new), flatten(y)
            added = [n if e is None else n + e for n, e in zip(leaves, _spread(probes, self.state_probes))]
            of_state = {id(n): k for k, (n, a) in enumerate(zip(leaves, added)) if a is not n}
            handed_on.update(
                (i, of_state[id(leaf)]) for i, leaf in enumerate(outputs) if id(leaf) in of_state
            )
            outputs = [added[handed_on[i]] if i in handed_on else leaf for i, leaf in enumerate(outputs)]
            apart = [leaf for k, leaf in enumerate(leaves) if k not in handed_on.values() or padded]
            return tree.unflatten(added), (output_tree.unflatten(outputs), apart)

        handed_on: dict[int, int] = {}  # the outputs that are parts of the new state, and which
        padded = self.options["lengths"] is not None  # outputs are 0 there, and states are not
        step.__qualname__ = getattr(run.step, "__qualname__", type(run.step).__name__)
        xs = (run.x_tree.unflatten(run.xs), [probe for probe in self.state_probes if probe is not None])
        carry, (y, rest) = scan(step, run.carry_tree.unflatten(run.carry), xs, **self.options)
        leaves, tree = flatten(y)
        handed = {} if padded else {k: leaves[i] for i, k in handed_on.items()}
        rest = iter(rest)
        self.states.extend((handed[k] if k in handed else next(rest)).data for k in range(len(run.carry)))
        self.carried.append(self._carried(flatten(carry)[0]))
        for i, leaf in enumerate(leaves):
            apart = leaf.dtype.kind == "f" and i not in handed_on
            probe = _zeros(leaf.shape, leaf.dtype) if apart else None
            self.output_probes.append(probe)
            leaves[i] = leaf if probe is None else leaf + probe
        return carry, tree.unflatten(leaves)

    def _carried(self, last: list[Any]) -> Array:
        """Return ‖ν ∂c_T/∂c_t‖ / ‖ν‖ by the lag T - t, for a random ν at the last state c_T.

        Rows that have ended hold their state; the lag of each counts from its own end.
        """
        T, reverse, lengths = self.run_of.steps, self.options["reverse"], self.options["lengths"]
        rng = generator(0)
        ends = [leaf for leaf in last if leaf.dtype.kind == "f" and leaf.node is not None]
        seeds = [rng.standard_normal(leaf.shape).astype(leaf.dtype) for leaf in ends]
        probes = [probe for probe in self.state_probes if probe is not None]
        records = reachable([leaf.node for leaf in ends]) if thread.modes.keeping else []
        with gradients_restored(records), detect_anomaly(check_nan=False):
            found = grad(ends, probes, seeds, retain_graph=True, allow_unused=True)
        lags, whole = np.zeros(T), np.zeros(T)
        for g in found:
            if g is not None:
                lags = np.hypot(lags, _sizes_by_lag(g.data, lengths, reverse=reverse))
        for seed in seeds:  # where rows end, those that have so many steps
            held = np.broadcast_to(seed, (1 if lengths is None else T, *seed.shape))
            whole = np.hypot(whole, _sizes_by_lag(held, lengths, reverse=reverse))
        return np.divide(lags, whole, out=np.zeros(T), where=whole > 0)

    def measure(self, flow: GradientFlow) -> None:
        """Add the gradients at the states, and the gates, to a flow."""
        order = slice(None, None, -1 if self.options["reverse"] else 1)
        run = self.run_of._replace(xs=[Tensor(x.data[order]) for x in self.run_of.xs])
        states = [np.concatenate([c.data[None], s[order]]) for c, s in zip(run.carry, self.states)]
        from_later = [_gradient(e)[order] for e in self.state_probes if e is not None]
        from_outputs = [None if e is None else _gradient(e)[order] for e in self.output_probes]
        norms: list[list[Array]] = [[] for _ in from_later]
        gates: dict[str, list[Array]] = {}
        signed: dict[str, bool] = {}
        for recorded in recorded_steps(run, states, _BLOCKS, given=True):
            part = slice(recorded.first, recorded.stop)
            totals = _totals(
                recorded, [g[part] for g in from_later], [g if g is None else g[part] for g in from_outputs]
            )
            for found, total in zip(norms, totals, strict=True):
                found.append(sizes_of(total))
            nodes = reachable([leaf.node for leaf in recorded.floating if leaf.node is not None])[::-1]
            for name, (node, has_sign) in named_gates(nodes).items():
                gates.setdefault(name, []).append(over_steps(node, recorded)[:, :_ROWS])
                signed[name] = has_sign
        layer = _free(self.name, flow.carried)
        prefix = f"{layer}." if layer else ""
        flow.carried[layer] = self.carried[0]
        for name, found in zip(carry_parts(run.carry_tree.unflatten(run.carry)), norms, strict=True):
            flow.states[f"{prefix}{name}"] = StateFlow(np.arange(run.steps)[order], np.concatenate(found))
        for name, values in gates.items():
            flow.gates[f"{prefix}{name}"] = GateShares.of(np.concatenate(values), signed=signed[name])


def _totals(recorded: Recorded, from_later: list[Array], from_outputs: list[Any]) -> list[Array]:
    """Return the gradient at each new state: what came to it from later steps, and by the step's outputs.

    A part of the state may be made of another one, as the h of an LSTM is of its c; so what came to one is
    sent on to the other.
    """
    roots = [leaf.node for leaf in recorded.floating]
    seeds = list(from_later)
    for output, g in zip(recorded.outputs, from_outputs, strict=True):
        if g is not None:
            roots.append(getattr(output, "node", None))
            seeds.append(g)
    targets = [leaf.node for leaf in recorded.floating]
    nodes = list(dict.fromkeys(node for node in targets if node is not None))
    found = dict(zip(nodes, pull_back(roots, [g[:, None] for g in seeds], nodes), strict=True))
    totals: list[Array] = []
    for node, g in zip(targets, from_later, strict=True):
        total = found.get(node) if node is not None else None
        totals.append(g if total is None else np.broadcast_to(total[:, 0], g.shape))
    return totals


def _zeros(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Tensor:
    probe = Tensor(np.broadcast_to(np.zeros((), dtype), shape))  # no memory of its own
    probe.requires_grad = True
    return probe


def _gradient(probe: Tensor) -> Array:
    return np.zeros(probe.shape, probe.dtype) if probe.grad is None else probe.grad.data


def _sizes_by_lag(g: Array, lengths: Any, *, reverse: bool) -> Array:
    """Return the norms of the steps of (T, ...) by their lag behind the last, each row's own."""
    if lengths is None:
        return sizes_of(g)[:: 1 if reverse else -1]
    ends = np.asarray(lengths.data if isinstance(lengths, Tensor) else lengths)
    lag = np.arange(len(g))[:, None]
    there = lag < ends
    place = lag + 0 * ends if reverse else np.maximum(ends - 1 - lag, 0)
    return sizes_of(g[place, np.arange(len(ends))] * there.reshape(there.shape + (1,) * (g.ndim - 2)))


def _spread(probes: list[Any], like: list[Any]) -> list[Any]:
    """Put None where a leaf has no probe."""
    rest = iter(probes)
    return [None if e is None else next(rest) for e in like]


def _free(name: str, taken: dict[str, Any]) -> str:
    """Number a name that is taken: a layer that is called twice."""
    count = 2
    free = name
    while free in taken:
        free, count = f"{name}_{count}".lstrip("_"), count + 1
    return free
