"""Tracing: run a step once on symbols, and write down what it does.

This happens at every call of `scan`, so that a parameter that was replaced, or a Python number that changed,
is always seen. It is cheap (some microseconds a line), because nothing is worked out here: shapes only
where the step asks for one. What was written down is the key under which the compiled form is kept.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.operands import operand
from tinyrnn.autograd.primitive import Primitive, Value
from tinyrnn.autograd.state import Scope, TraceError, moved, thread
from tinyrnn.autograd.tape import Node
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.recurrence.compiler.program import FIXED, Line, Program, Symbol, freeze, result_dtype


class Trace:
    """What a step did, line by line. An operand is the index of a line, or a 1-tuple that holds a number.

    Attributes
    ----------
    inputs : list of Line
        First the carry, then the inputs.
    closed : dict
        The arrays that the step closes over, Tensors or ndarrays, by the line at which each was met.
    """

    def __init__(self, inputs: list[Line]) -> None:
        self.inputs = inputs
        self.entries: list[Any] = list(inputs)
        self.closed: dict[int, Any] = {}
        self.names: dict[int, str] = {}
        self.scopes: list[Any] = [None] * len(inputs)
        self._recording = thread.modes.recording
        self._outside = thread.modes.scope
        self._closed_at: dict[int, int] = {}
        self._lines: dict[int, Line] = {}

    def record(self, primitive: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Symbol:
        """Write down an operation; return the symbol of its value."""
        if not thread.modes.tracing:
            raise TraceError("a Tensor that was kept from inside a step of a compiled scan has no value")
        if thread.modes.recording is not self._recording:
            raise TraceError("it turns recording off or on inside the step (no_grad, enable_grad)")
        operands = tuple(
            arg.index
            if type(arg) is Symbol and arg.owner is self
            else self._constant(arg, i, args, primitive)
            for i, arg in enumerate(args)
        )
        self.entries.append((primitive, operands, params))
        self.scopes.append(thread.modes.scope)
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
            name = describe(value.node) if isinstance(value, Tensor) else ""
            name = name or f"const{len(self.closed)}"
            self.entries.append(
                Line(None, (), {}, data.shape, data.dtype, FIXED, name=name, bound=_bound(data))
            )
            self.scopes.append(None)
            self.closed[index] = value
            self._closed_at[id(value)] = index
        return index

    def line(self, index: int) -> Line:
        """Work out the shape and dtype of a line."""
        entry = self.entries[index]
        if isinstance(entry, Line):
            return entry
        found = self._lines.get(index)
        if found is None:
            primitive, args, params = entry
            operands = [self._literal(arg[0]) if isinstance(arg, tuple) else self.line(arg) for arg in args]
            shape = primitive.shape(*(line.shape for line in operands), **params)
            found = Line(primitive, (), params, shape, result_dtype(primitive, operands, params), FIXED)
            self._lines[index] = found
        return found

    @staticmethod
    def _literal(value: Any) -> Line:
        return Line(None, (), {}, (), np.asarray(value).dtype, FIXED, literal=value)

    def key(self) -> Any:
        """Return what was written down in a form that can be compared."""
        return tuple(
            (entry.shape, entry.dtype, entry.bound)
            if isinstance(entry, Line)
            else (
                entry[0],
                # A number by its text, which tells 1 from 1.0 from True, and 0.0 from -0.0.
                tuple(repr(a[0]) if isinstance(a, tuple) else a for a in entry[1]),
                freeze(entry[2]),
            )
            for entry in self.entries
        )

    def write(self, program: Program, levels: list[int]) -> dict[int, int]:
        """Write the trace into a program; return where each line went."""
        at: dict[int, int] = {}
        inside: dict[int, Scope | None] = {id(self._outside): None}
        for index, entry in enumerate(self.entries):
            if isinstance(entry, Line):
                level = levels[index] if index < len(levels) else FIXED
                at[index] = program.input(entry.shape, entry.dtype, level, entry.name, entry.bound)
            else:
                primitive, args, params = entry
                operands = tuple(program.literal(a[0]) if isinstance(a, tuple) else at[a] for a in args)
                at[index] = program.emit(primitive, operands, params, moved(self.scopes[index], inside))
            if index in self.names:
                program.names.setdefault(at[index], self.names[index])
        return at


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


def describe(node: Node | None) -> str:
    """Return the name of what a step closes over: a parameter's, or how it was just made of parameters."""
    if node is None or node.name or node.primitive is None:
        return node.name if node is not None else ""
    names = [inner.name if inner is not None else "" for inner in node.inputs]
    if not all(names):
        return ""
    if node.primitive is p.transpose:
        return f"{names[0]}.T"
    return f"({' + '.join(names)})" if node.primitive is p.add else ""
