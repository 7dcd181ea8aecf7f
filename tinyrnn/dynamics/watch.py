"""Watching a training run: the gradient at every state, now and then, at a small part of the cost."""

from __future__ import annotations

import contextlib
from typing import Any, NamedTuple

import numpy as np

from tinyrnn.autograd.arguments import COUNT, Kind, checked, number
from tinyrnn.autograd.creation import as_tensor
from tinyrnn.autograd.state import probing, thread
from tinyrnn.autograd.tape import reachable
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.dynamics.flow import GradientFlow, StateFlow, size_of, sizes_of
from tinyrnn.dynamics.gates import GateShares, named_gates, over_steps
from tinyrnn.dynamics.jacobians import carry_parts
from tinyrnn.dynamics.mapped import Array, pull_back
from tinyrnn.dynamics.steps import Recorded, Run, recorded_steps
from tinyrnn.recurrence.scan import scan
from tinyrnn.recurrence.tree import flatten

_ROWS = 8  # of the batch, whose gates are looked at


MODEL = Kind("a Module", lambda value: hasattr(value, "named_parameters"))
BOUND = number(np.finfo(float).tiny, words="a number above 0").or_none()


class Watch:
    """Record how the gradient flows, at every so many updates of a training run.

    ``with watched:`` stands around each update. At most of them it does nothing. At each ``every``-th, zeros
    are added to the states and outputs of all recurrences (all that run by `scan`, as layers do), and their
    gradients after ``backward()`` are those of the states: the computation stays compiled, and its numbers
    stay the same. The values of the gates are those of the first rows of the batch.

    Parameters
    ----------
    model : Module
        Whose parameters' gradients are measured.
    every : int
        Watch one of so many updates.
    max_norm : float, optional
        The bound to which the gradients are clipped inside of the block, so as to count how often they are.

    Attributes
    ----------
    flows : list of GradientFlow
        One for each update watched; without ``reach``, shares of weights, and pairs.
    gradients : list of dict of str to float
        The norm of each parameter's gradient.
    norms : list of float
        Their norm together, as the block leaves them.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> model = tr.nn.GRU(2, 3, rng=0)
    >>> watched = tr.dynamics.watch(model, every=2)
    >>> for _ in range(4):
    ...     model.zero_grad()
    ...     with watched:
    ...         y, _ = model(np.ones((10, 4, 2), np.float32))
    ...         (y[-1] ** 2).mean().backward()
    >>> [flow.states["l0.h"].norm.shape for flow in watched.flows]
    [(10,), (10,)]
    """

    @checked(model=MODEL, every=COUNT, max_norm=BOUND)
    def __init__(self, model: Any, every: int = 20, *, max_norm: float | None = None) -> None:
        self.model, self.every, self.max_norm = model, every, max_norm
        self.flows: list[GradientFlow] = []
        self.gradients: list[dict[str, float]] = []
        self.norms: list[float] = []
        self._updates = 0
        self._scans: list[_Probed] = []
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> None:
        if self._updates % self.every == 0:
            self._scans = []
            self._stack.enter_context(probing(self._probe))

    def __exit__(self, kind: Any, *_: object) -> None:
        self._stack.close()
        watched = self._updates % self.every == 0
        self._updates += 1
        if watched and kind is None:
            self._measure()
        self._scans = []

    @property
    def clipped(self) -> float:
        """The share of the updates watched whose gradients were at the bound, and so had been clipped."""
        if self.max_norm is None or not self.norms:
            return 0.0
        return float(np.mean([norm > 0.999 * self.max_norm for norm in self.norms]))

    def _probe(self, step: Any, carry: Any, xs: Any, **options: Any) -> Any:
        """Run a scan with zeros added to its states and outputs."""
        modes = thread.modes
        with probing(None):
            if modes.tracing or not modes.recording or options["length"] is not None or xs is None:
                return scan(step, carry, xs, **options)
            probed = _Probed.of(step, carry, xs, options)
            result = probed.run()
        self._scans.append(probed)
        return result

    def _measure(self) -> None:
        flow = GradientFlow({})
        for probed in self._scans:
            probed.measure(flow)
        self.flows.append(flow)
        found = {
            name: size_of(p.grad.data)
            for name, p in self.model.named_parameters()
            if p.requires_grad and p.grad is not None
        }
        self.gradients.append(found)
        self.norms.append(size_of(list(found.values())))


@checked(model=MODEL, every=COUNT, max_norm=BOUND)
def watch(model: Any, every: int = 20, *, max_norm: float | None = None) -> Watch:
    """Return a `Watch` over a training run; its arguments are those of the class."""
    return Watch(model, every, max_norm=max_norm)


class _Probed(NamedTuple):
    """A scan with what was added to it."""

    run_of: Run
    options: dict[str, Any]
    name: str
    state_probes: list[Tensor | None]  # (T, ...) for each leaf of the carry; None for integers
    output_probes: list[Tensor | None]
    states: list[Array]  # those that the scan came to, filled in when it has run

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
        return cls(run, options, scope.path() if scope is not None else "", probes, [], [])

    def run(self) -> tuple[Any, Any]:
        run = self.run_of

        def step(carry: Any, inputs: Any) -> Any:
            x, probes = inputs
            new, y = run.step(carry, x)
            leaves, tree = flatten(new)
            added = [n if e is None else n + e for n, e in zip(leaves, _spread(probes, self.state_probes))]
            return tree.unflatten(added), (y, leaves)

        step.__qualname__ = getattr(run.step, "__qualname__", type(run.step).__name__)
        xs = (run.x_tree.unflatten(run.xs), [probe for probe in self.state_probes if probe is not None])
        carry, (y, states) = scan(step, run.carry_tree.unflatten(run.carry), xs, **self.options)
        self.states.extend(leaf.data for leaf in states)
        leaves, tree = flatten(y)
        for i, leaf in enumerate(leaves):
            probe = _zeros(leaf.shape, leaf.dtype) if leaf.dtype.kind == "f" else None
            self.output_probes.append(probe)
            leaves[i] = leaf if probe is None else leaf + probe
        return carry, tree.unflatten(leaves)

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
        for recorded in recorded_steps(run, states, 1, given=True):
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
        prefix = f"{self.name}." if self.name else ""
        for name, found in zip(carry_parts(run.carry_tree.unflatten(run.carry)), norms, strict=True):
            flow.states[_free(f"{prefix}{name}", flow.states)] = StateFlow(
                np.arange(run.steps)[order], np.concatenate(found)
            )
        for name, values in gates.items():
            flow.gates[_free(f"{prefix}{name}", flow.gates)] = GateShares.of(
                np.concatenate(values), signed=signed[name]
            )


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
    probe = Tensor(np.zeros(shape, dtype))
    probe.requires_grad = True
    return probe


def _gradient(probe: Tensor) -> Array:
    return np.zeros(probe.shape, probe.dtype) if probe.grad is None else probe.grad.data


def _spread(probes: list[Any], like: list[Any]) -> list[Any]:
    """Put None where a leaf has no probe."""
    rest = iter(probes)
    return [None if e is None else next(rest) for e in like]


def _free(name: str, taken: dict[str, Any]) -> str:
    """Number a name that is taken: a layer that is called twice."""
    count = 2
    free = name
    while free in taken:
        free, count = f"{name}_{count}", count + 1
    return free
