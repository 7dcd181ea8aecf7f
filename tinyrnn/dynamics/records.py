"""The states in a recorded graph, step by step, and gradients that are sent back through it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterable
from typing import Any

import numpy as np

from tinyrnn.autograd.backward import backpropagate
from tinyrnn.autograd.mapped import Array
from tinyrnn.autograd.tape import Node
from tinyrnn.draw.reading.unroll import Unrolled


def address(name: str, layers: Iterable[str]) -> tuple[str, str]:
    """Take the name of a state apart, into its layer's and its own."""
    layer = max((known for known in layers if name.startswith(f"{known}.")), key=len, default="")
    return layer, name.removeprefix(f"{layer}.") if layer else name


def one_recorded(where: str, name: str, loss: Any) -> None:
    """Refuse a loss that is more than one number, or that no gradient can come from."""
    if getattr(loss, "size", 0) != 1:
        shape = getattr(loss, "shape", None)
        raise ValueError(f"{where}: {name} has shape {shape}; expected one recorded number")
    if getattr(loss, "node", None) is None:
        raise ValueError(
            f"{where}: {name} is not recorded; expected one recorded number, made of something that requires "
            "grad, and outside of no_grad()"
        )


def states_of(recorded: Unrolled) -> dict[str, list[tuple[int, Node]]]:
    """Return the records of each state, in the order in which its layer goes over the steps."""
    found: dict[str, list[tuple[int, Node]]] = {}
    for layer in recorded.layers:
        for carry in dict.fromkeys(layer.carries.values()):
            nodes = [
                (r.step, r.node)
                for r in recorded.records
                if r.unit == layer.name and r.carry == carry and r.role != "state" and r.step is not None
            ]
            nodes.sort(key=lambda pair: pair[0], reverse=layer.reverse)
            found[f"{layer.name}.{carry}" if layer.name else carry] = nodes
    return found


@contextlib.contextmanager
def gradients_restored(nodes: Iterable[Node]) -> Generator[None]:
    """Put back the gradients that a pass leaves where values are kept."""
    before = [(node, node.grad) for node in nodes]
    try:
        yield
    finally:
        for node, grad in before:
            node.grad = grad


def sent_back(
    where: str, seed: dict[Node, Any], targets: set[Node], observer: Callable[..., None] | None = None
) -> dict[Node, Any]:
    """Send gradients back to some records, and keep the graph; ``where`` is what an error names."""
    try:
        return backpropagate(dict(seed), targets=targets, retain=True, observer=observer)
    except RuntimeError as error:
        raise RuntimeError(
            f"{where}: the graph was freed; call {where}(loss) before loss.backward(), or that with "
            "retain_graph=True"
        ) from error


def size_of(g: Any) -> float:
    """Return the Euclidean norm, in float64, without overflow on the way."""
    return float(sizes_of(np.asarray(g)[None])[0])


def sizes_of(g: Array) -> Array:
    """Return the norm of each of the arrays along the first axis."""
    g = g.reshape((len(g), -1))
    with np.errstate(all="ignore"):
        sizes = np.sqrt(np.einsum("ij,ij->i", g, g)).astype(np.float64)
        odd = np.flatnonzero(~((sizes > 1e-15) & (sizes < 1e15)))  # whose squares may not be what they should
        if len(odd) and g.shape[1]:
            rest = g[odd]
            largest = np.maximum(rest.max(axis=1), -rest.min(axis=1))
            scale = np.where((largest > 0) & np.isfinite(largest), largest, 1).astype(g.dtype)
            rest = rest / scale[:, None]
            sizes[odd] = scale * np.sqrt(np.einsum("ij,ij->i", rest, rest)).astype(np.float64)
    return sizes
