"""Whether a step does the same each time: what its Python code can see, and what it may change.

A trace is taken once and stands for all steps, so a step that draws random numbers or counts its calls must
not be compiled. Python cannot say that of a function in general. What can be said is which generators of
random numbers the code can reach, so that a draw shows in their state; and whether the code stores anything
outside of itself. Where it does not, one trace is proof; where it may, what it can store to must be the same
after the trace, and a second trace of the same call is compared.
"""

from __future__ import annotations

import builtins
import collections
import dis
import functools
import random
import types
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tinyrnn.autograd.tensor import Tensor
from tinyrnn.recurrence.snapshot import Globals, Slots

# What a step may meet that holds nothing further and does not change by being used.
_PLAIN = (
    Tensor, np.generic, np.dtype, np.ufunc, str, bytes, int, float, complex, slice, range,
    type(None), type(...), type(NotImplemented), types.WrapperDescriptorType, types.MethodDescriptorType,
    types.ClassMethodDescriptorType, types.GetSetDescriptorType, types.MemberDescriptorType,
)  # fmt: skip
_LIBRARIES = ("tinyrnn", "numpy", "math", "cmath", "operator", "builtins", "typing", "functools", "itertools")
_STORES = {"STORE_ATTR", "STORE_SUBSCR", "STORE_GLOBAL", "DELETE_ATTR", "DELETE_SUBSCR", "IMPORT_NAME"}
_MUTATORS = frozenset({
    "append", "appendleft", "extend", "extendleft", "insert", "pop", "popleft", "popitem", "remove",
    "discard", "clear", "add", "update", "setdefault", "sort", "reverse", "fill", "put", "send",
})  # fmt: skip
_IN_PLACE = frozenset({"out", "+=", "copyto", "put", "fill"})
_ADVANCES = frozenset({"next", "__next__", "send", "read", "readline", "readlines"})
_UNKNOWABLE = frozenset({
    "next", "iter", "eval", "exec", "open", "input", "setattr", "delattr", "getattr", "globals", "vars",
    "__import__", "id",
})  # fmt: skip
_MOST = 2000  # objects looked at; beyond, a second trace is cheaper


class Surroundings:
    """What a step can see.

    Attributes
    ----------
    generators : list
        The generators of random numbers within its reach.
    settled : bool
        Whether nothing in reach changes by being used, generators apart.
    holders : list
        What the code could change: lists, dicts (those of objects too), sets, cells, arrays, global names.
    refusal : str
        Why no trace could stand for the step, or nothing.
    """

    def __init__(self, step: Callable[..., Any]) -> None:
        self.generators: list[Any] = []
        self.settled = True
        self.holders: list[Any] = []
        self.refusal = ""
        self._names: set[str] = set()
        self._seen: set[int] = set()
        self._classes: list[type] = []
        self._modules: list[types.ModuleType] = []
        self._mutable = self._arrays = self._iterators = (
            False  # whether methods could change anything in reach
        )
        self._todo: list[Any] = [step]
        known = 0
        while self._todo:
            while self._todo:
                self._look_at(self._todo.pop())
            known, before = len(self._names) + len(self._classes) + len(self._modules), known
            if known != before:  # a name that is new may be that of a method
                for module in self._modules:
                    self._look_into(module)
                for kind in self._classes:
                    self._look_up_methods(kind)
        if (self._mutable and self._names & _MUTATORS) or (self._arrays and self._names & _IN_PLACE):
            self.settled = False
        if self._iterators and self._names & _ADVANCES:
            self.refusal = "it takes the next of an iterator, which is another one each time"
        elif Tensor.__name__ in self._names:
            self.refusal = "it asks what is a Tensor, and while it is compiled nothing is"

    def _look_at(self, value: Any) -> None:
        look = _way_to_look(type(value))
        if look is None or id(value) in self._seen:
            return
        self._seen.add(id(value))
        if len(self._seen) > _MOST:
            self.settled = False
            self._todo.clear()
        else:
            look(self, value)

    def _look_at_generator(self, generator: Any) -> None:
        self.generators.append(generator)

    def _look_at_array(self, array: np.ndarray[Any, Any]) -> None:
        if array.dtype.kind == "O":
            self._todo += array.ravel().tolist()
        elif array.flags.writeable:
            self._arrays = True
            self.holders.append(array)

    def _look_at_function(self, function: types.FunctionType) -> None:
        cells = function.__closure__ or ()
        self.holders += cells
        self._todo += _contents(cells)
        self._todo += function.__defaults__ or ()
        self._todo += (function.__kwdefaults__ or {}).values()
        if not _of_library(function):  # what draws in the library says so while it is traced
            names, stores = _read(function.__code__)
            self._names |= names
            self.settled = self.settled and not stores
            space = function.__globals__
            self.holders.append(Globals(space, [name for name in names if name in space]))
            for name in names:
                if name in space:
                    self._todo.append(space[name])
                elif name in _UNKNOWABLE and hasattr(builtins, name):
                    self.settled = False

    def _look_at_method(self, method: types.MethodType) -> None:
        self._todo += (method.__self__, method.__func__)

    def _look_at_builtin(self, function: Any) -> None:
        if not isinstance(function.__self__, types.ModuleType):
            self._names.add(function.__name__)
            self._todo.append(function.__self__)
        elif function.__name__ in _UNKNOWABLE:
            self.settled = False

    def _look_at_partial(self, partial: functools.partial[Any]) -> None:
        self._todo += (partial.func, *partial.args, *partial.keywords.values())

    def _look_at_items(self, items: Iterable[Any]) -> None:
        self._todo += items

    def _look_at_holder(self, holder: Any) -> None:
        self._mutable = True
        self.holders.append(holder)
        self._todo += holder.values() if isinstance(holder, dict) else holder

    def _look_at_module(self, module: types.ModuleType) -> None:
        self._modules.append(module)

    def _look_at_class(self, kind: type) -> None:
        if not _of_library(kind) and not hasattr(kind, "_fields"):
            self._classes.append(kind)
            self.settled = self.settled and "__init__" not in vars(kind)

    def _look_at_object(self, value: Any) -> None:
        if hasattr(type(value), "__next__"):
            self._iterators = True
            self.settled = False
        elif hasattr(value, "__dict__") or _slots(type(value)):
            inside = getattr(value, "__dict__", {})
            self.holders.append(inside)
            self._todo += inside.values()
            if not _all_of_library(type(value)):
                self._classes.append(type(value))
                names = _slots(type(value))
                self.holders.append(Slots(value, names))
                self._todo += (getattr(value, name) for name in names if hasattr(value, name))
        elif isinstance(value, types.MappingProxyType):
            self._todo += value.values()
        elif type(value).__module__.partition(".")[0] != "numpy":
            self.settled = False

    def _look_into(self, module: types.ModuleType) -> None:
        name = module.__name__.partition(".")[0]
        if name == "numpy":
            if "random" in self._names or module.__name__.startswith("numpy.random"):
                self._todo.append(np.random.mtrand._rand)
        elif name not in _LIBRARIES:
            space = vars(module)
            self._todo += (space[name] for name in self._names & space.keys())
            self.settled = self.settled and name not in ("time", "datetime", "os", "sys", "uuid", "secrets")

    def _look_up_methods(self, kind: type) -> None:
        for base in kind.__mro__:
            if _of_library(base):
                continue
            for name, value in vars(base).items():
                if name != "__init__" and (name in self._names or name[:2] == "__" or name in _ENTRIES):
                    self._todo += _functions(value)


_WAYS: tuple[tuple[Any, Callable[[Surroundings, Any], None]], ...] = (
    (
        (np.random.Generator, np.random.RandomState, np.random.BitGenerator, random.Random),
        Surroundings._look_at_generator,
    ),
    (np.ndarray, Surroundings._look_at_array),
    (types.FunctionType, Surroundings._look_at_function),
    (types.MethodType, Surroundings._look_at_method),
    ((types.BuiltinFunctionType, types.MethodWrapperType), Surroundings._look_at_builtin),
    (functools.partial, Surroundings._look_at_partial),
    ((tuple, frozenset), Surroundings._look_at_items),
    ((list, set, dict, collections.deque), Surroundings._look_at_holder),
    (types.ModuleType, Surroundings._look_at_module),
    (type, Surroundings._look_at_class),
    (object, Surroundings._look_at_object),
)


@functools.lru_cache(1024)
def _way_to_look(kind: type) -> Callable[[Surroundings, Any], None] | None:
    """Return how to look at what is of a class; None where there is nothing to see."""
    if issubclass(kind, _PLAIN):
        return None
    return next(look for classes, look in _WAYS if issubclass(kind, classes))


_ENTRIES = ("forward", "step")  # methods that the library calls


def _of_library(thing: Any) -> bool:
    return (getattr(thing, "__module__", None) or "").partition(".")[0] in _LIBRARIES


@functools.lru_cache(256)
def _all_of_library(kind: type) -> bool:
    return all(map(_of_library, kind.__mro__))


@functools.lru_cache(256)
def _slots(kind: type) -> list[str]:
    """Return the names that a class, not one of the library's, keeps in slots."""
    found = (item for base in kind.__mro__ if not _of_library(base) for item in vars(base).items())
    return [name for name, what in found if isinstance(what, types.MemberDescriptorType)]


def _functions(value: Any) -> Iterable[Any]:
    """Return what a class holds under a name, as far as it can run."""
    if isinstance(value, property):
        return [f for f in (value.fget,) if f is not None]
    if isinstance(value, (staticmethod, classmethod)):
        return [value.__func__]
    return [value]


def _contents(cells: Iterable[types.CellType]) -> list[Any]:
    found: list[Any] = []
    for cell in cells:
        try:
            found.append(cell.cell_contents)
        except ValueError:  # a name that has no value yet
            continue
    return found


@functools.lru_cache(1024)
def _read(code: types.CodeType) -> tuple[frozenset[str], bool]:
    """Return the names that code uses, and whether it stores anything outside of itself."""
    names, stores = set(code.co_names), False
    for instruction in dis.get_instructions(code):
        stores = stores or instruction.opname in _STORES
        stores = stores or (instruction.opname == "STORE_DEREF" and instruction.argval in code.co_freevars)
        if instruction.argrepr[-1:] == "=" and instruction.opname == "BINARY_OP":
            names.add("+=")  # whichever it is
    for constant in code.co_consts:
        if isinstance(constant, tuple) and "out" in constant:  # the names of arguments
            names.add("out")
        if isinstance(constant, types.CodeType):
            inner, more = _read(constant)
            names |= inner
            stores = stores or more
    return frozenset(names), stores
