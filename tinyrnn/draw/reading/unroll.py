"""The unrolled graph of a model: the tape's records with steps, layers, carries, parts, and readable ids."""

from __future__ import annotations

import contextlib
import gc
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from tinyrnn.autograd.tape import Node
from tinyrnn.draw.reading.model import Record, records_of, roots_of
from tinyrnn.draw.reading.parts import find_parts
from tinyrnn.draw.reading.recurrence import Layer, find_layers
from tinyrnn.draw.reading.sequence import assign_steps, bridge_sequences, find_losses, prune
from tinyrnn.recurrence.opening import open_scans

__all__ = ["Unrolled", "uncollected", "unroll"]


@dataclass
class Unrolled:
    """A recorded computation, ready to be drawn or to be stepped through.

    Attributes
    ----------
    records : list of Record
        Each after its sources.
    roots : list of Record
        What it was asked to draw.
    layers : list of Layer
        Those that hand a state on, in the order in which they were computed first.
    steps : list of int
        The time steps, rising.
    kept : bool
        Whether values were kept (the computation ran inside `tinyrnn.unrolled`).
    """

    records: list[Record]
    roots: list[Record]
    layers: list[Layer]
    steps: list[int]
    kept: bool

    @property
    def differentiated(self) -> bool:
        """Whether a backward pass has left its gradients."""
        return any(root.node.grad is not None for root in self.roots)


def unroll(outputs: Any, where: str = "unrolled") -> Unrolled:
    """Read the tape behind a Tensor, or a structure of Tensors.

    Parameters
    ----------
    outputs : Tensor, or tuples, lists and dicts of Tensors
    where : str
        The function that an error names.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> w, h = tr.tensor(0.5, requires_grad=True), tr.tensor(1.0)
    >>> with tr.unrolled():
    ...     for t in range(3):
    ...         with tr.scope("rnn", step=t):
    ...             h = tr.tanh(w * h)
    >>> [record.id for record in unroll(h).records if record.op == "tanh"]
    ['t0.rnn.tanh', 't1.rnn.tanh', 't2.rnn.tanh']
    """
    nodes = open_scans(roots_of(outputs, where))
    with uncollected():
        return _read(nodes)


def _read(nodes: list[Node]) -> Unrolled:
    records = records_of(nodes)
    wanted = set(nodes)
    roots = [record for record in records if record.node in wanted]
    bridge_sequences(records)
    records = prune(records, set(roots))
    assign_steps(records)
    if len(roots) == 1:
        find_losses(roots[0])
    layers = find_layers(records)
    find_parts(records, {layer.name for layer in layers})
    _name(records)
    steps = sorted({record.step for record in records if record.step is not None})
    return Unrolled(
        records, roots, layers, steps, any(record.node.value is not None for record in records if record.op)
    )


@contextlib.contextmanager
def uncollected() -> Generator[None]:
    """Keep the garbage collector from going over a long graph again and again while its drawing is made."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def _name(records: list[Record]) -> None:
    taken: Counter[str] = Counter()
    for record in records:
        if record.role == "weight":
            own = record.name.rsplit(".", 1)[-1] or (record.op or "leaf")
        elif record.role == "state":
            own = f"{record.carry}0"
        elif record.role in ("input", "constant"):
            own = "x" if record.role == "input" else record.name or "const"
        else:
            own = record.op or record.name
        step = "" if record.step is None else f"t{record.step}"
        layer = "" if record.role == "input" or (record.role == "weight" and not step) else record.layer
        base = ".".join(filter(None, (step, layer, own)))
        base = "_".join(base.split())
        count = taken[base]
        taken[base] += 1
        record.id = f"{base}_{count}" if count else base
