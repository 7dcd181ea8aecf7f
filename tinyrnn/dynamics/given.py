"""What a function of this room is given, checked: a cell, its inputs and its first state."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from typing import Any, NamedTuple

import numpy as np

from tinyrnn.autograd.arguments import ARRAY, Kind, check
from tinyrnn.autograd.creation import as_tensor
from tinyrnn.autograd.state import no_grad
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.recurrence.loop import Step
from tinyrnn.recurrence.tree import LEAF, Tree, flatten

CELL = Kind(
    "an object with step(carry, x), a layer of one such cell, or that step",
    lambda value: not isinstance(value, type) and (hasattr(value, "step") or callable(value)),
)
ARRAYS = Kind(
    "an array, or a structure of arrays",
    lambda value: all(ARRAY.of_type(leaf) for leaf in flatten(value)[0]),
)


class Run(NamedTuple):
    """A step with what it is to run on, leaves as `flatten` gives them; ``where`` is what errors name."""

    step: Step
    carry: list[Tensor]
    carry_tree: Tree
    xs: list[Tensor]
    x_tree: Tree
    where: str = "scan"

    @property
    def steps(self) -> int:
        """T, the number of steps."""
        return self.xs[0].shape[0]


def run_of(where: str, cell: Any, xs: Any, carry: Any) -> Run:
    """Check what a function of this room was given.

    Parameters
    ----------
    where : str
        The function that errors name.
    cell : cell or callable
        Anything with ``step(carry, x) -> (carry, y)``, a layer of one such cell, or the step itself.
    xs : structure of Tensor or array_like, each of shape (T, ...)
        Of a layer, as it reads them: (batch, T, ...) with ``batch_first``.
    carry : structure of Tensor or array_like, or None
        The first state; None for the cell's ``initial_state``.

    Raises
    ------
    TypeError, ValueError
        Where the cell is no cell or has no first state, or where there are no steps.
    """
    layer, cell = cell, one_cell(where, cell)
    check(where, "xs", xs, ARRAYS)
    check(where, "carry", carry, ARRAYS.or_none())
    step = cell.step if hasattr(cell, "step") else cell
    _, x_tree = flatten(xs)
    x_leaves = [_over_time(layer, leaf) for leaf in inputs_of(where, "xs", cell, xs, 1)]
    counts = {leaf.shape[:1] for leaf in x_leaves}
    if len(counts) != 1 or counts & {(), (0,)}:
        raise ValueError(f"{where}: xs has {_shapes(x_leaves)}; expected (T, ...), T of at least 1")
    if carry is None:
        if not hasattr(cell, "initial_state"):
            raise TypeError(f"{where}: the step has no initial_state(batch); hand in the first carry")
        with no_grad():
            carry = cell.initial_state(*_batch(x_leaves[0]))
    check_form(where, cell, carry, _batch(x_leaves[0]))
    leaves, tree = flatten(carry)
    leaves = [as_tensor(leaf).detach() for leaf in leaves]
    if not any(leaf.dtype.kind == "f" for leaf in leaves):
        raise TypeError(f"{where}: the carry has no part of a floating dtype, so it has no derivative")
    if not all(leaf.size for leaf in leaves):
        raise ValueError(f"{where}: the carry has {_shapes(leaves)}; expected at least one row and one unit")
    return Run(step, leaves, tree, [leaf.detach() for leaf in x_leaves], x_tree, where)


def one_cell(where: str, cell: Any) -> Any:
    """Return the cell of a layer, or the cell or step itself."""
    cells = [] if hasattr(cell, "step") or isinstance(cell, type) else getattr(cell, "cells", [])
    if len(cells) > 1:
        raise ValueError(
            f"{where}: {type(cell).__name__} is a stack of {len(cells)} cells; expected one, such as "
            "layer.l0, with the inputs that it reads"
        )
    return cells[0] if cells else check(where, "cell", cell, CELL)


def check_form(where: str, cell: Any, carry: Any, rows: tuple[int, ...] = ()) -> None:
    """Refuse a first carry of other parts or shapes than the cell's own, of as many rows or of none.

    ``rows`` is ``(B,)`` where the inputs have that many rows, to say what was expected.
    """
    given, tree = flatten(carry)
    shapes = [np.shape(leaf) for leaf in given]
    if not hasattr(cell, "initial_state") or not shapes:
        return
    own: list[Any] = []
    for batch in dict.fromkeys((rows or shapes[0][:1], shapes[0][:1], ())):
        with no_grad(), contextlib.suppress(Exception):  # a cell of one's own may take no batch, or only one
            own.append(flatten(cell.initial_state(*batch)))
    if own and all(shapes != [leaf.shape for leaf in leaves] for leaves, _ in own):
        leaves, own_tree = own[0]
        raise ValueError(
            f"{where}: {_parts(tree, given)}; expected {_parts(own_tree, leaves)} (a layer's state has its "
            "layers in front: hand in state[0])"
        )


def _parts(tree: Tree, leaves: list[Any]) -> str:
    """Name the parts of a carry with their shapes."""
    paths = tree.paths("carry")
    return ", ".join(f"{path} of shape {np.shape(leaf)}" for path, leaf in zip(paths, leaves, strict=True))


def _shapes(leaves: list[Any]) -> str:
    """Say the shapes of some leaves, or of the first of them where there are many."""
    shapes = [np.shape(leaf) for leaf in leaves]
    if len(shapes) > _MANY:
        return f"{len(shapes)} parts of shapes {shapes[:2]}, ... (lists and tuples are structures of arrays)"
    return f"the shapes {shapes}"


_MANY = 8


def _batch(x: Tensor) -> tuple[int, ...]:
    """Return (B,), or () where the inputs are single rows: floats of shape (T, features), or numbers (T,)."""
    return x.shape[1:2] if x.ndim > 2 or x.dtype.kind != "f" else ()


def _over_time(layer: Any, x: Tensor) -> Tensor:
    """Return an input in the order in which a layer goes over it: time first, from where it begins."""
    if getattr(layer, "batch_first", False) and _batch(x):
        x = x.swapaxes(0, 1)
    return x[::-1] if getattr(layer, "reverse", False) and x.ndim else x


def inputs_of(where: str, name: str, cell: Any, x: Any, axes: int = 0) -> list[Tensor]:
    """Return the leaves of an input as Tensors; plain arrays of floats get the parameters' dtype.

    Where the cell says its ``input_size``, the last axis is held against it; ``axes`` stand before the batch.
    """
    leaves, tree = flatten(x)
    dtype = next((p.dtype for p in cell.parameters()), None) if hasattr(cell, "parameters") else None
    found = [_cast(leaf, dtype) for leaf in leaves]
    size = getattr(cell, "input_size", None)
    if tree == LEAF and isinstance(size, int) and found[0].dtype.kind == "f" and found[0].ndim > axes:
        shape = found[0].shape
        if shape[-1] != size:
            time = "T, " * axes
            raise ValueError(
                f"{where}: {name} has shape {shape}; expected ({time}batch, input_size) or "
                f"({time}input_size{'' if axes else ','}), with input_size = {size}"
            )
    return found


def _cast(leaf: Any, dtype: np.dtype[Any] | None) -> Tensor:
    if not isinstance(leaf, Tensor) and dtype is not None:
        leaf = np.asarray(leaf)
        leaf = leaf.astype(dtype) if leaf.dtype.kind == "f" else leaf
    return as_tensor(leaf)


@contextlib.contextmanager
def in_the_step(where: str, carry: list[Tensor], xs: list[Any]) -> Generator[None]:
    """Note on whatever a step raises who ran it, and on what: it names only its own operations."""
    try:
        yield
    except Exception as error:
        error.add_note(f"{where}: in the step, on a carry of {_shapes(carry)} and an input of {_shapes(xs)}")
        raise
