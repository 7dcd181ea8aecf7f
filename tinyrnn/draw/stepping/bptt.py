"""A step of backpropagation through time, as textbooks write it: δ_t = ∂L_t/∂h_t + (∂h_{t+1}/∂h_t)ᵀ δ_{t+1}.

The state of a recurrence at step t is all that it hands on: h, or h and c, or whatever a cell carries. δ_t is
the gradient that comes to the state as it is handed on, and falls into what comes through the next state and
what comes otherwise: from losses, and from layers that read this one. How c_t acts on h_t within one step is
inside of that step's Jacobian. All of it follows from the tape: between two states of a recurrence lies the
part of the graph that leads from one to the other, whatever module, loop or hand has made it.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.jacobians import jacobian, rows_mix
from tinyrnn.autograd.mapped import pull_back
from tinyrnn.autograd.tape import Leaf, Node
from tinyrnn.draw.reading.unroll import Unrolled
from tinyrnn.draw.stepping.replay import Pass
from tinyrnn.graded import GradedProduct

__all__ = ["MOST_UNITS", "Spread", "Step", "steps_of"]

Array = np.ndarray[Any, np.dtype[Any]]
MOST_UNITS = 128  # of a state larger than this the Jacobians are not worked out: they are hard to read, too


@dataclass(frozen=True)
class Spread:
    """A Jacobian, or a product of them, of one row of the batch.

    Attributes
    ----------
    matrix : ndarray, shape (S, S)
    largest, smallest : float
        Decimal logarithms of the singular values, -inf for 0.
    """

    matrix: Array
    largest: float
    smallest: float


@dataclass(frozen=True)
class Step:
    """One step of one recurrence on the way back.

    Attributes
    ----------
    unit : str
        The recurrence.
    state, following : list of Node
        The parts of its state, and those of the next one; nothing follows the last.
    direct, through, beyond, delta : list of ndarray
        For each part the gradient: what comes otherwise, through the next state, through later ones without
        the next (a connection that skips steps), and the sum of them.
    rows : int
        How many independent rows the state has; the matrices are those of the first.
    cut : bool
        Nothing comes back from the next state, though there is one: a `detach` stands between.
    jacobian : Spread or None
        Of the next state with respect to this one.
    product : Spread or None
        Of the last state with respect to this one: the product of the Jacobians from there to here.
    """

    unit: str
    state: list[Node]
    following: list[Node]
    direct: list[Array]
    through: list[Array]
    beyond: list[Array]
    delta: list[Array]
    rows: int
    cut: bool
    jacobian: Spread | None
    product: Spread | None


def steps_of(run: Pass, graph: Unrolled) -> list[Step]:
    """Return the steps of all recurrences, each from its last to its first.

    A recurrence of which a rule cannot be sent many gradients at once has none.
    """
    reached = run.gradients()
    found: list[Step] = []
    for layer in graph.layers:
        blocks: dict[int, dict[str, Node]] = {}
        for r in graph.records:
            mine = r.unit == layer.name and r.carry and r.role != "state"
            if mine and r.step is not None and r.dtype.kind == "f":
                blocks.setdefault(r.step, {})[r.carry] = r.node
        names = list(dict.fromkeys(layer.carries.values()))  # h before c
        states = [
            [block[name] for name in names if name in block]
            for block in blocks.values()
            if reached.keys() & block.values()
        ]
        states.sort(key=lambda nodes: min(node.order for node in nodes))
        try:
            found += _Recurrence(run, layer.name, states).steps() if states else []
        except Exception:  # a rule of the user's may look at numbers, which many seeds at once have not
            continue
    return found


class _Recurrence:
    """The states of one recurrence in their order, and the parts of the graph between them."""

    def __init__(self, run: Pass, unit: str, states: list[list[Node]]) -> None:
        self.run, self.unit, self.states = run, unit, states
        self.block = {node: i for i, nodes in enumerate(states) for node in nodes}
        self.leading: set[Node] = set()  # what is made of some state
        for node in run.nodes:
            if node.primitive is not p.detach and any(
                s in self.block or s in self.leading for s in node.inputs
            ):
                self.leading.add(node)

    def region(self, roots: list[Node], inside: int | None) -> tuple[dict[Node, Node], dict[Node, Node]]:
        """Copy what leads from states of other steps to some records.

        Returns
        -------
        copies, leaves : dict of Node to Node
            The leaves stand for the states.
        """
        copies: dict[Node, Node] = {}
        leaves: dict[Node, Node] = {}
        stack = list(roots)
        wanted = set(stack)
        while stack:
            node = stack.pop()
            for source in node.inputs if node in self.leading else ():
                if source is None or source in wanted or self.block.get(source, inside) != inside:
                    continue
                if source in self.leading or source in self.block:
                    wanted.add(source)
                    stack.append(source)
        for node in sorted(wanted, key=lambda node: node.order):
            inputs: list[Node | None] = []
            for source in node.inputs if node in self.leading else ():
                if source is not None and self.block.get(source, inside) != inside and source not in leaves:
                    leaves[source] = _leaf(source)
                inputs.append(leaves.get(source) or copies.get(source) if source is not None else None)
            saved = self.run.saved.get(node) if node in self.leading else None
            primitive = node.primitive if node in self.leading else None
            copy = Node(primitive, inputs, saved, node.params, node.shape, node.dtype, node.scope)
            copies[node] = copy
        return copies, leaves

    def steps(self) -> list[Step]:
        """Go back from the last state to the first."""
        root = self.run.root
        arriving: dict[Node, Array] = {}
        if root not in self.block:
            copies, leaves = self.region([root], None)
            arriving = _sent(copies, {root: self.run.seed}, leaves)
        else:
            arriving[root] = self.run.seed
        direct = [[_or_zero(arriving.get(node), node) for node in nodes] for nodes in self.states]
        through = [[np.zeros_like(g) for g in parts] for parts in direct]
        beyond = [[np.zeros_like(g) for g in parts] for parts in direct]
        found: list[Step] = []
        last = len(self.states) - 1
        rows = self.rows()
        size = sum(math.prod(node.shape) for node in self.states[-1]) // rows
        product = GradedProduct(1, size) if size <= MOST_UNITS else None
        matrix = np.eye(size)
        spread: Spread | None = None
        for k in range(last, -1, -1):
            delta = [(d + t) + b for d, t, b in zip(direct[k], through[k], beyond[k])]
            following = self.states[k + 1] if k < last else []
            total = None
            if spread is not None and product is not None and math.isfinite(float(np.sum(spread.matrix))):
                product.multiply(spread.matrix.astype(np.float64).T[None])
                matrix = matrix @ spread.matrix
                logs = product.log_singular_values()[0] / math.log(10.0)
                total = Spread(matrix.astype(spread.matrix.dtype), float(logs[0]), float(logs[-1]))
            else:
                product = None if k < last else product
            cut = bool(following) and not self.follows
            found.append(
                Step(
                    self.unit, self.states[k], following, direct[k], through[k], beyond[k], delta, rows, cut,
                    spread, total,
                )
            )  # fmt: skip
            if k == 0:
                break
            copies, leaves = self.region(self.states[k], k)
            sent = _sent(copies, dict(zip(self.states[k], delta)), leaves)
            for node, g in sent.items():
                i = self.block[node]
                j = self.states[i].index(node)
                place = through if i == k - 1 else beyond
                place[i][j] = place[i][j] + g
            before = [leaves.get(node) or _leaf(node) for node in self.states[k - 1]]
            self.follows = any(node in leaves for node in self.states[k - 1])
            spread = self.spread([copies[node] for node in self.states[k]], before, rows)
        return found

    follows = True  # whether the last region came from the state just before

    def rows(self) -> int:
        """Return how many independent rows all states have: 1 where a step mixes them, or has no batch."""
        counts = Counter(node.shape[0] if len(node.shape) > 1 else 1 for node in self.block)
        rows = next(iter(counts)) if len(counts) == 1 else 1
        if rows > 1:
            for k in range(len(self.states) - 1, 0, -1):
                copies, leaves = self.region(self.states[k], k)
                before = [leaves[node] for node in self.states[k - 1] if node in leaves]
                if before and rows_mix([copies[node] for node in self.states[k]], before, rows):
                    return 1
        return rows

    def spread(self, after: list[Node], before: list[Node], rows: int) -> Spread | None:
        """Return the Jacobian of the first row, where it is not too large."""
        size = sum(math.prod(node.shape) for node in after) // rows
        if size > MOST_UNITS or size != sum(math.prod(node.shape) for node in before) // rows:
            return None
        matrix = jacobian(after, before, after, rows)[0, 0]
        with np.errstate(all="ignore"):
            if not np.isfinite(matrix).all():
                return Spread(matrix, math.nan, math.nan)
            values = np.log10(np.linalg.svd(matrix.astype(np.float64), compute_uv=False))
        return Spread(matrix, float(values[0]), float(values[-1]))


def _leaf(node: Node) -> Node:
    return Leaf(node, node.name)


def _or_zero(g: Array | None, node: Node) -> Array:
    return np.zeros(node.shape, node.dtype) if g is None else g


def _sent(copies: dict[Node, Node], seeds: dict[Node, Array], leaves: dict[Node, Node]) -> dict[Node, Array]:
    """Send gradients back from some records to the states that lead to them."""
    outputs, given = [copies[node] for node in seeds], [g[None, None] for g in seeds.values()]
    found = pull_back(outputs, given, list(leaves.values()))
    return {node: g[0, 0] for node, g in zip(leaves, found) if g is not None}
