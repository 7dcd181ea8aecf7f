"""Tracing: run a step once on symbols, and write down what it does.

This happens at every call of `scan`, so that a parameter that was replaced, or a Python number that changed,
is always seen. It is cheap (some microseconds a line), because nothing is worked out here: shapes only
where the step asks for one. What was written down is the key under which the compiled form is kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.operands import operand
from tinyrnn.autograd.primitive import Primitive, Shape, Value
from tinyrnn.autograd.state import Scope, TraceError, moved, thread
from tinyrnn.autograd.tape import Node
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.recurrence.compiler.program import FIXED, Line, Program, Symbol, freeze, result_dtype


class Trace:
    """What a step did, line by line.

    An input is written down as (shape, dtype, bound), an operation as (primitive, operands, params), where an
    operand is the index of a line, or a 1-tuple that holds a number. `Line` says more, and takes longer to
    make than this whole entry.

    Parameters
    ----------
    inputs : iterable of (tuple of int, dtype)
        First the carry, then the inputs.

    Attributes
    ----------
    inputs : int
        How many inputs there are; they are the first lines.
    closed : dict
        The arrays that the step closes over, Tensors or ndarrays, by the line at which each was met.
    """

    def __init__(self, inputs: Iterable[tuple[Shape, np.dtype[Any]]]) -> None:
        self.entries: list[Any] = [(shape, dtype, math.inf) for shape, dtype in inputs]
        self.inputs = len(self.entries)
        self.closed: dict[int, Any] = {}
        self.names: dict[int, str] = {}
        self.scopes: list[Any] = [None] * self.inputs
        self._recording = thread.modes.recording
        self._outside = thread.modes.scope
        self._closed_at: dict[int, int] = {}
        self._shapes: dict[int, Shape] = {}
        self._dtypes: dict[int, np.dtype[Any]] = {}

    def record(self, primitive: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Symbol:
        """Write down an operation; return the symbol of its value."""
        modes = thread.modes
        if not modes.tracing:
            raise TraceError("a Tensor that was kept from inside a step of a compiled scan has no value")
        if modes.recording is not self._recording:
            raise TraceError("it turns recording off or on inside the step (no_grad, enable_grad)")
        operands = [
            arg.index
            if type(arg) is Symbol and arg.owner is self
            else self._constant(arg, i, args, primitive)
            for i, arg in enumerate(args)
        ]
        self.entries.append((primitive, tuple(operands), params))
        self.scopes.append(modes.scope)
        return Symbol(self, len(self.entries) - 1)

    def _constant(self, value: Any, position: int, args: tuple[Any, ...], primitive: Primitive) -> Any:
        if not isinstance(value, Tensor):
            if isinstance(value, (int, float)) and not isinstance(value, np.generic):
                return (value,)
            if isinstance(value, Value):
                raise TraceError("it uses a Tensor that was kept from another step")
            value = operand(value)
            if primitive.rule(position) is not None and value.dtype.kind in "fiu":  # an index stays as it is
                floating = [a.dtype for a in args if isinstance(a, Value) and a.dtype.kind == "f"]
                if floating:  # a plain operand takes the dtype of the Tensors
                    value = value.astype(np.result_type(*floating), copy=False)
                elif value.dtype.kind == "f":  # and beside integers NumPy's
                    carrying = [a for i, a in enumerate(args) if primitive.rule(i) is not None]
                    dtypes = [a.dtype for a in carrying if isinstance(a, (Value, np.ndarray))]
                    value = value.astype(np.result_type(value, *dtypes), copy=False)
        return self.close_over(value)

    def close_over(self, value: Tensor | np.ndarray[Any, Any]) -> int:
        """Return the line of an array that the step closes over."""
        index = self._closed_at.get(id(value))
        if index is None:
            index = len(self.entries)
            data = value.data if isinstance(value, Tensor) else value
            self.entries.append((data.shape, data.dtype, _bound(data)))
            self.scopes.append(None)
            self.closed[index] = value
            self._closed_at[id(value)] = index
        return index

    def shape_of(self, index: int) -> Shape:
        """Work out the shape of a line."""
        for i in self._unknown(index, self._shapes):
            primitive, args, params = self.entries[i]
            shapes = [() if type(a) is tuple else self._shape(a) for a in args]
            self._shapes[i] = primitive.shape(*shapes, **params)
        return self._shape(index)

    def dtype_of(self, index: int) -> np.dtype[Any]:
        """Work out the dtype of a line."""
        for i in self._unknown(index, self._dtypes):
            primitive, args, params = self.entries[i]
            self._dtypes[i] = result_dtype(primitive, [self._operand(a) for a in args], params)
        return self._dtype(index)

    def _shape(self, index: int) -> Shape:
        entry = self.entries[index]
        return entry[0] if _is_input(entry) else self._shapes[index]

    def _dtype(self, index: int) -> np.dtype[Any]:
        entry = self.entries[index]
        return entry[1] if _is_input(entry) else self._dtypes[index]

    def _unknown(self, index: int, known: dict[int, Any]) -> list[int]:
        """Return the operations that a line is made by, as far as they are not known, operands first."""
        if index in known or _is_input(self.entries[index]):
            return []
        found, todo = {index}, [index]
        while todo:
            for a in self.entries[todo.pop()][1]:
                if type(a) is int and a not in found and a not in known and not _is_input(self.entries[a]):
                    found.add(a)
                    todo.append(a)
        return sorted(found)

    def _operand(self, a: Any) -> Line:
        if isinstance(a, tuple):
            return Line(None, (), {}, (), np.asarray(a[0]).dtype, FIXED, literal=a[0])
        return Line(None, (), {}, self.shape_of(a), self._dtype(a), FIXED)

    def key(self) -> Any:
        """Return what was written down in a form that can be compared."""
        found: list[Any] = []
        for entry in self.entries:
            if not _is_input(entry):
                primitive, args, params = entry
                if tuple in map(type, args):
                    # A number by its text, which tells 1 from 1.0 from True, and 0.0 from -0.0.
                    args = tuple(repr(a[0]) if isinstance(a, tuple) else a for a in args)
                entry = primitive, args, freeze(params) if params else ()
            found.append(entry)
        return tuple(found)

    def write(self, program: Program, levels: list[int], names: list[str]) -> dict[int, int]:
        """Write the trace into a program; return where each line went.

        Levels and names are those of the inputs, in their order.
        """
        at: dict[int, int] = {}
        names = [*names, *(name_of(value) or f"const{k}" for k, value in enumerate(self.closed.values()))]
        inputs = dict(zip([*range(len(levels)), *self.closed], names, strict=True))
        inside: dict[int, Scope | None] = {id(self._outside): None}
        for index, entry in enumerate(self.entries):
            if _is_input(entry):
                shape, dtype, bound = entry
                level = levels[index] if index < len(levels) else FIXED
                at[index] = program.input(shape, dtype, level, inputs[index], bound)
            else:
                primitive, args, params = entry
                operands = tuple(program.literal(a[0]) if isinstance(a, tuple) else at[a] for a in args)
                at[index] = program.emit(primitive, operands, params, moved(self.scopes[index], inside))
            if index in self.names:
                program.names.setdefault(at[index], self.names[index])
        return at


def _is_input(entry: tuple[Any, Any, Any]) -> bool:
    return type(entry[0]) is tuple


_BOUND = 2.0**60


def _bound(data: np.ndarray[Any, Any]) -> float:
    """Return a bound of what the step closes over, which decides how its sums may be regrouped.

    Only of what is added in a step, such as a bias: numbers and vectors. It is one bound for all that are of
    ordinary size, so that a parameter that is trained keeps its compiled form.
    """
    if data.ndim > 1 or data.dtype.kind != "f" or data.dtype.itemsize < 4:
        return math.inf
    with np.errstate(over="ignore", invalid="ignore"):
        return _BOUND if np.dot(data, data) <= _BOUND**2 else math.inf


def name_of(value: Tensor | np.ndarray[Any, Any]) -> str:
    """Return the name of what a step closes over: a parameter's, or how it was just made of parameters."""
    return _name_of(value.node) if isinstance(value, Tensor) else ""


def _name_of(node: Node | None) -> str:
    if node is None or node.name or node.primitive is None:
        return node.name if node is not None else ""
    names = [inner.name if inner is not None else "" for inner in node.inputs]
    if not all(names):
        return ""
    if node.primitive is p.transpose:
        return f"{names[0]}.T"
    return f"({' + '.join(names)})" if node.primitive is p.add else ""
