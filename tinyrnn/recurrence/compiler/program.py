"""A program: the straight-line code of one time step, as a list of lines that each apply one primitive."""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterable
from typing import Any, NamedTuple, Self

import numpy as np

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.operators import Operators
from tinyrnn.autograd.primitive import NONE, Primitive, Shape
from tinyrnn.autograd.state import Scope, TraceError

# What a line depends on, in rising order. A line has the highest level of its operands.
FIXED, INPUT, CARRY, OUTPUT_GRAD, CARRY_GRAD = range(5)


class Line(NamedTuple):
    """One line: an operation on earlier lines, or an input.

    Attributes
    ----------
    primitive : Primitive or None
        None for an input or a literal.
    args : tuple of int
        The lines that are its operands.
    params : dict
        The static parameters of the operation.
    shape, dtype
        Of the value at one time step.
    level : int
        What it depends on: FIXED (parameters only), INPUT, CARRY, and in a backward program their gradients.
    literal : float or int or None
        The number, of a literal.
    name : str
        For plans: the input's name, or the name that the step gave to the value.
    scope : Scope or None
        Where in the step it was made.
    bound : float
        Of an input: no absolute value in it exceeds this number.
    """

    primitive: Primitive | None
    args: tuple[int, ...]
    params: dict[str, Any]
    shape: Shape
    dtype: np.dtype[Any]
    level: int
    literal: float | int | None = None
    name: str = ""
    scope: Scope | None = None
    bound: float = math.inf

    @property
    def elementwise(self) -> bool:
        """Whether it is one NumPy ufunc, which may write over its operand."""
        forward = self.primitive.forward if self.primitive is not None else None
        return isinstance(forward, np.ufunc) and forward.signature is None


def freeze(value: Any) -> Any:
    """Make a parameter hashable."""
    if isinstance(value, slice):
        return ("slice", value.start, value.stop, value.step)
    if isinstance(value, dict):
        return tuple((key, freeze(item)) for key, item in value.items())
    if isinstance(value, tuple):
        return tuple(freeze(item) for item in value)
    return value


class Symbol(Operators):
    """Stands for the value of a line while code runs; an operation on it writes another line."""

    __slots__ = ("index", "owner")

    def __init__(self, owner: Any, index: int) -> None:
        self.owner = owner
        self.index = index

    def _apply(self, primitive: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Symbol:
        return self.owner.record(primitive, args, params)

    @property
    def shape(self) -> Shape:
        """The shape of the value at one step."""
        return self.owner.shape_of(self.index)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the value."""
        return self.owner.dtype_of(self.index)

    @property
    def name(self) -> str:
        """What plans and drawings call the value; often empty."""
        return self.owner.names.get(self.index, "")

    @name.setter
    def name(self, value: str) -> None:
        self.owner.names[self.index] = value

    def _concrete(self, *_: Any, **__: Any) -> Any:
        raise TraceError("it asks for the value of a Tensor that depends on the time step")

    data = property(_concrete)
    item = numpy = tolist = __bool__ = __float__ = __int__ = __index__ = __array__ = _concrete

    def _recorded(self) -> Any:
        raise TraceError("it asks how a Tensor is recorded, which is not known before the scan is")

    requires_grad = is_leaf = node = grad = property(_recorded)

    def detach(self) -> Self:
        """Return the same value, cut from the gradient."""
        return self._apply(p.detach, (self,), NONE)  # pyright: ignore[reportReturnType]

    def backward(self, *_: Any, **__: Any) -> None:
        """Refuse: there are no values yet."""
        raise TraceError("it calls backward() inside the step")

    def __repr__(self) -> str:
        return f"<symbol {self.index} {self.shape} {self.dtype}>"


Rewrite = Callable[["Program", Primitive, tuple[int, ...], dict[str, Any]], int | None]


class Program:
    """Lines under construction. Equal lines are written once, and rewrites apply as lines are written.

    Parameters
    ----------
    rewrites : sequence of callable
        Each is asked, before a line is written, for the index of an equal but simpler one.
    """

    def __init__(self, rewrites: Iterable[Rewrite] = ()) -> None:
        self.lines: list[Line] = []
        self.names: dict[int, str] = {}
        self.ranges: dict[int, tuple[float, float]] = {}  # what `ranges` has found so far
        self._rewrites = tuple(rewrites)
        self._scope: Scope | None = None
        self._known: dict[Any, int] = {}

    def shape_of(self, index: int) -> Shape:
        """Return the shape of a line."""
        return self.lines[index].shape

    def dtype_of(self, index: int) -> np.dtype[Any]:
        """Return the dtype of a line."""
        return self.lines[index].dtype

    def input(
        self, shape: Shape, dtype: np.dtype[Any], level: int, name: str = "", bound: float = math.inf
    ) -> int:
        """Write down an input; return its index."""
        self.lines.append(Line(None, (), {}, shape, np.dtype(dtype), level, name=name, bound=bound))
        return len(self.lines) - 1

    def literal(self, value: float | int | bool) -> int:
        """Write down a number; return its index."""
        key = ("literal", type(value), repr(value))
        if key not in self._known:
            self.lines.append(Line(None, (), {}, (), np.asarray(value).dtype, FIXED, literal=value))
            self._known[key] = len(self.lines) - 1
        return self._known[key]

    def record(self, primitive: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Symbol:
        """Write an operation on symbols and numbers."""
        return Symbol(self, self.emit(primitive, tuple(self.index(arg) for arg in args), params))

    def index(self, value: Any) -> int:
        """Return the line of a symbol or number."""
        if isinstance(value, Symbol):
            return value.index
        if np.ndim(value):
            raise TraceError("an array constant met a program that is already traced")
        return self.literal(value.item() if isinstance(value, (np.ndarray, np.generic)) else value)

    def emit(
        self, primitive: Primitive, args: tuple[int, ...], params: dict[str, Any], scope: Scope | None = None
    ) -> int:
        """Write a line, or find it; return its index."""
        outer, self._scope = self._scope, scope or self._scope  # a rewrite's lines are where its own was
        try:
            for rewrite in self._rewrites:
                found = rewrite(self, primitive, args, params)
                if found is not None:
                    return found
        finally:
            scope, self._scope = self._scope, outer
        key = (primitive, args, freeze(params))
        index = self._known.get(key)
        if index is None:
            operands = [self.lines[i] for i in args]
            shape = primitive.shape(*(line.shape for line in operands), **params)
            dtype = result_dtype(primitive, operands, params)
            level = max((line.level for line in operands), default=FIXED)
            self.lines.append(Line(primitive, args, params, shape, dtype, level, scope=scope))
            index = self._known[key] = len(self.lines) - 1
        return index

    def symbols(self, indices: Iterable[int]) -> list[Symbol]:
        """Return symbols of lines, with which to write further ones."""
        return [Symbol(self, i) for i in indices]

    def needed(self, roots: Iterable[int], given: Container[int] = ()) -> list[int]:
        """Return the roots and the lines that they are made from, in order; what is given needs nothing."""
        found = {i for i in roots if i not in given}
        stack = list(found)
        while stack:
            for i in self.lines[stack.pop()].args:
                if i not in found and i not in given:
                    found.add(i)
                    stack.append(i)
        return sorted(found)


def result_dtype(primitive: Primitive, operands: list[Line], params: dict[str, Any]) -> np.dtype[Any]:
    """Return the dtype that an operation gives; numbers do not widen it."""
    if primitive.dtype is not None:
        return primitive.dtype(*(line.dtype for line in operands), **params)
    carrying = [line for i, line in enumerate(operands) if primitive.rule(i) is not None] or operands
    arrays = [line.dtype for line in carrying if line.literal is None]
    floats = [dtype for dtype in arrays if dtype.kind == "f"]
    if floats:
        return np.result_type(*floats)
    # Of integers and booleans NumPy makes many things (a mean is a float); ask it.
    ones = [np.ones(o.shape, o.dtype) if o.literal is None else o.literal for o in operands]
    return np.asarray(primitive.forward(*(ones if arrays else map(np.asarray, ones)), **params)).dtype
