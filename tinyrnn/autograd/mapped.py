"""Mapped: a Value that stands for a grid of arrays, so that one call does an operation for all of them.

The time steps of a sequence are a grid, once its states are known: no step waits for another. The seeds of a
Jacobian are one too: each row of it is a VJP of the same record. A `Mapped` has both as its first two axes,
``(steps, seeds)``, of which either may have length 1 and then broadcasts; its ``shape`` is that of one array.
It is a fourth reader of the table of operations, beside arrays, Tensors and symbols. A step runs on it as it
is; a VJP gets it as its ``g``, and whatever the VJP makes of it is mapped too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from tinyrnn.autograd import forwards
from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.backward import backpropagate
from tinyrnn.autograd.operands import coerced
from tinyrnn.autograd.operators import Operators
from tinyrnn.autograd.primitive import Primitive, Shape, Value
from tinyrnn.autograd.shapes import ARRAY, Axis, normalize_axis, reduced_shape, same_shape
from tinyrnn.autograd.state import TraceError, no_grad, thread
from tinyrnn.autograd.tape import Node
from tinyrnn.autograd.tensor import Tensor

Array = np.ndarray[Any, Any]
GRID = 2  # how many axes of `array` are the grid's
_ALL = (slice(None),) * GRID


class Mapped(Operators):
    """A grid of arrays of one shape.

    Parameters
    ----------
    array : ndarray, shape (steps, seeds, *shape)
    node : Node, optional
        The record, of the shape of one array.

    Examples
    --------
    >>> x = Mapped(np.arange(6.0).reshape(3, 1, 2))  # three steps, one seed
    >>> x.shape, x.sum().array[:, 0]
    ((2,), array([1., 5., 9.]))
    """

    __slots__ = ("array", "node")

    def __init__(self, array: Array, node: Node | None = None) -> None:
        self.array = array
        self.node = node

    @property
    def shape(self) -> Shape:
        """The shape of one array of the grid."""
        return self.array.shape[GRID:]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the elements."""
        return self.array.dtype

    @property
    def name(self) -> str:
        """What the step calls the value; empty where it has no record."""
        return "" if self.node is None else self.node.name

    @name.setter
    def name(self, value: str) -> None:
        if self.node is not None:
            self.node.name = value

    @property
    def requires_grad(self) -> bool:
        """Whether operations on it are recorded."""
        return self.node is not None

    @property
    def data(self) -> Array:
        """The whole grid, for the backward pass; a step may not ask for it."""
        if thread.modes.tracing:
            self._concrete()
        return self.array

    def _concrete(self, *_: Any, **__: Any) -> NoReturn:
        raise TraceError("it asks for the value of a Tensor that depends on the time step")

    item = numpy = tolist = __bool__ = __float__ = __int__ = __index__ = __array__ = _concrete

    def detach(self) -> Mapped:
        """Return the same values as constants."""
        return Mapped(self.array)

    def _apply(self, primitive: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Mapped:
        """Do an operation for the whole grid, and record it where an operand carries a gradient."""
        mapped = [isinstance(arg, Mapped) for arg in args]
        operands = [
            arg.array if isinstance(arg, Mapped) else arg.data if isinstance(arg, Tensor) else arg
            for arg in args
        ]
        if not all(isinstance(arg, Value) for arg in args):
            operands = coerced(primitive, args, operands)
        result = Mapped(np.asarray(_rule(primitive)(primitive, operands, mapped, params)))
        modes = thread.modes
        if modes.recording:
            inputs = [getattr(arg, "node", None) for arg in args]
            values = [arg if m else operand for arg, operand, m in zip(args, operands, mapped)]
            saved = primitive.collect(result, values, params, inputs)
            if saved is not None:
                result.node = Node(primitive, inputs, saved, params, result.shape, result.dtype, modes.scope)
                result.node.value = Mapped(result.array) if modes.keeping else None
        return result

    def __repr__(self) -> str:
        return f"<{self.array.shape[:GRID]} arrays of shape {self.shape} {self.dtype}>"


# --- what an operation does with a grid ---------------------------------------------------------------------
# rule(primitive, operands, mapped, params): arrays, and which of them have the axes of the grid.
Rule = Callable[[Primitive, list[Array], list[bool], dict[str, Any]], Any]


def _rule(primitive: Primitive) -> Rule:
    if primitive in RULES:
        return RULES[primitive]
    if primitive.elementwise or primitive.shape is same_shape:
        return _elementwise
    return _reduction if primitive.shape is reduced_shape else _one_by_one


def _grid(operands: list[Array], mapped: list[bool]) -> Shape:
    return np.broadcast_shapes(*(a.shape[:GRID] for a, m in zip(operands, mapped) if m))


def _padded(a: Array, mapped: bool, ndim: int) -> Array:
    """Put axes of length 1 behind the grid's, so that the arrays broadcast as those of one place do."""
    if not mapped or a.ndim == GRID + ndim:
        return a
    return a.reshape(a.shape[:GRID] + (1,) * (GRID + ndim - a.ndim) + a.shape[GRID:])


def _spread(a: Array, mapped: bool, grid: Shape) -> Array:
    return np.broadcast_to(a, grid + (a.shape[GRID:] if mapped else a.shape))


def _elementwise(primitive: Primitive, operands: list[Array], mapped: list[bool], params: Any) -> Any:
    ndim = max(np.ndim(a) - GRID * m for a, m in zip(operands, mapped))
    return primitive.forward(*(_padded(a, m, ndim) for a, m in zip(operands, mapped)), **params)


def _from_end(axis: Axis, ndim: int) -> tuple[int, ...]:
    return tuple(a - ndim for a in normalize_axis(axis, ndim))


def _reduction(primitive: Primitive, operands: list[Array], mapped: list[bool], params: Any) -> Any:
    (x,) = operands
    return primitive.forward(x, **{**params, "axis": _from_end(params.get("axis"), x.ndim - GRID)})


def _along_one_axis(primitive: Primitive, operands: list[Array], mapped: list[bool], params: Any) -> Any:
    (x,) = operands
    if params["axis"] is None:  # argmax counts in the flattened array
        return primitive.forward(x.reshape((*x.shape[:GRID], -1)), axis=-1)
    return primitive.forward(x, axis=_from_end(params["axis"], x.ndim - GRID)[0])


def _matmul(primitive: Primitive, operands: list[Array], mapped: list[bool], params: Any) -> Any:
    (a, b), (a_mapped, b_mapped) = operands, mapped
    a_ndim, b_ndim = a.ndim - GRID * a_mapped, b.ndim - GRID * b_mapped
    if not a_mapped and (a_ndim, b_ndim) == (2, 1):
        return forwards.matmul(b, a.T)  # one product for the grid
    a = a[..., None, :] if a_ndim == 1 else a
    b = b[..., None] if b_ndim == 1 else b
    ndim = max(a_ndim, b_ndim, 2)
    c = forwards.matmul(_padded(a, a_mapped, ndim), _padded(b, b_mapped, ndim))
    c = c[..., 0] if b_ndim == 1 else c
    if a_ndim == 1:
        c = c[..., 0] if b_ndim == 1 else c[..., 0, :]
    return c


def _concatenate(primitive: Primitive, operands: list[Array], mapped: list[bool], params: Any) -> Any:
    grid = _grid(operands, mapped)
    spread = [_spread(a, m, grid) for a, m in zip(operands, mapped)]
    join = np.stack if primitive is p.stack else np.concatenate
    return join(spread, axis=params["axis"] + GRID)


def _broadcast_to(primitive: Primitive, operands: list[Array], mapped: list[bool], params: Any) -> Any:
    (x,), shape = operands, tuple(params["shape"])
    return np.broadcast_to(_padded(x, True, len(shape)), x.shape[:GRID] + shape)


def _getitem(primitive: Primitive, operands: list[Array], mapped: list[bool], params: Any) -> Any:
    x, *arrays = operands
    index = params["index"]
    if not any(mapped[1:]) and _stays(index):
        return x[_ALL + forwards.full_index(index, arrays)]
    if not mapped[0] and index[:1] == (ARRAY,) and _stays(index):  # rows looked up, as in an embedding
        ndim = max(a.ndim - GRID * m for a, m in zip(arrays, mapped[1:]))
        return x[forwards.full_index(index, [_padded(a, m, ndim) for a, m in zip(arrays, mapped[1:])])]
    return _one_by_one(primitive, operands, mapped, params)


def _scatter(primitive: Primitive, operands: list[Array], mapped: list[bool], params: Any) -> Any:
    g, *arrays = operands
    index = params["index"]
    if any(mapped[1:]) or not _stays(index):
        return _one_by_one(primitive, operands, mapped, params)
    total = np.zeros(g.shape[:GRID] + tuple(params["shape"]), g.dtype)
    return forwards.scatter_add(total, g, arrays, (*_ALL, *index))


def _stays(index: tuple[Any, ...]) -> bool:
    """Whether the axes that index arrays make stay at their place when axes are put in front."""
    if ARRAY not in index:
        return True
    places = [i for i, item in enumerate(index) if item is ARRAY or isinstance(item, int)]
    return places == list(range(places[0], places[-1] + 1))


def _one_by_one(primitive: Primitive, operands: list[Array], mapped: list[bool], params: Any) -> Any:
    """Go over the grid: right for any operation."""
    grid = _grid(operands, mapped)
    if not math.prod(grid):
        raise TraceError(f"{primitive.name}: there is no step or no seed")
    spread = [_spread(a, True, grid) if m else a for a, m in zip(operands, mapped)]
    results = [
        primitive.forward(*(a[place] if m else a for a, m in zip(spread, mapped)), **params)
        for place in np.ndindex(grid)
    ]
    return np.stack(results).reshape(grid + np.shape(results[0]))


def _refuse(primitive: Primitive, *_: Any) -> Any:
    raise TraceError("a compiled scan stands in it")


RULES: dict[Primitive, Rule] = {
    p.softmax: _along_one_axis,
    p.log_softmax: _along_one_axis,
    p.argmax: _along_one_axis,
    p.argmin: _along_one_axis,
    p.matmul: _matmul,
    p.reshape: lambda _, ops, __, params: ops[0].reshape(ops[0].shape[:GRID] + tuple(params["shape"])),
    p.transpose: lambda _, ops, __, params: ops[0].transpose(
        (*range(GRID), *(a + GRID for a in params["axes"]))
    ),
    p.broadcast_to: _broadcast_to,
    p.concatenate: _concatenate,
    p.stack: _concatenate,
    p.getitem: _getitem,
    p.scatter: _scatter,
}


def pull_back(
    outputs: Sequence[Node | None], seeds: Sequence[Array], targets: Sequence[Node]
) -> list[Array | None]:
    """Send many gradients back along the same records in one pass.

    Parameters
    ----------
    outputs : sequence of Node or None
        The records to begin from; None for a constant.
    seeds : sequence of ndarray, each of shape (steps or 1, seeds, *shape)
        The gradients at each output.
    targets : sequence of Node
        Where they are wanted. Their records are kept for another pass.

    Returns
    -------
    list of ndarray of shape (steps or 1, seeds, *shape), or None
        The gradient at each target; None where none comes to it.
    """
    gradients: dict[Node, Any] = {}
    with no_grad():
        for node, seed in zip(outputs, seeds, strict=True):
            if node is not None:
                g = Mapped(seed)
                gradients[node] = gradients[node] + g if node in gradients else g
        found = backpropagate(gradients, targets=set(targets), retain=True, wrap=_wrap)
    return [found[node].array if node in found else None for node in targets]


def _wrap(value: Any, node: Node | None) -> Any:
    """Leave saved values as they are, and make a gradient that is handed out mapped."""
    return Mapped(value) if node is None else value
