"""Modules that hold modules: in a row, or only in a list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Self

import numpy.typing as npt

from tinyrnn.autograd.arguments import FUNCTION, ITERABLE, MAPPING, checked
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.nn.module import Module


class ModuleList(Module):
    """A list of modules, whose parameters are found. It is not called itself.

    Parameters
    ----------
    modules : iterable of Module
        Numbered from 0 in the names of their parameters.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> heads = tr.nn.ModuleList([tr.nn.Linear(4, 2), tr.nn.Linear(4, 3)])
    >>> [name for name, _ in heads.named_parameters()]
    ['0.weight', '0.bias', '1.weight', '1.bias']
    """

    @checked(modules=ITERABLE)
    def __init__(self, modules: Iterable[Module] = ()) -> None:
        for module in modules:
            self.append(module)

    def append(self, module: Module) -> Self:
        """Add a module at the end."""
        if not isinstance(module, Module):
            raise TypeError(f"{type(self).__name__}: got {type(module).__name__}; expected a Module")
        setattr(self, str(len(self)), module)
        return self

    def _scope_of(self, child: str) -> str:
        return f"{self._scope}.{child}" if self._scope else child

    def __len__(self) -> int:
        return sum(1 for _ in self.children())

    def __iter__(self) -> Iterator[Module]:
        return self.children()

    def __getitem__(self, index: int) -> Module:
        return list(self.children())[index]


class ModuleDict(Module):
    """Modules by name, whose parameters are found. It is not called itself.

    Parameters
    ----------
    modules : mapping of str to Module, optional
        The keys are the names of modules in those of their parameters: without a dot, and no attribute.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> heads = tr.nn.ModuleDict({"tag": tr.nn.Linear(4, 2)})
    >>> heads["word"] = tr.nn.Linear(4, 3)
    >>> list(heads), heads["word"](tr.zeros((5, 4))).shape
    (['tag', 'word'], (5, 3))
    """

    @checked(modules=MAPPING.or_none())
    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        self.update(modules or {})

    def update(self, modules: Mapping[str, Module]) -> None:
        """Add modules, or replace those of the same names."""
        for name, module in modules.items():
            self[name] = module

    def __setitem__(self, name: str, module: Module) -> None:
        where = type(self).__name__
        if not isinstance(module, Module):
            raise TypeError(f"{where}: {name!r} is of type {type(module).__name__}; expected a Module")
        if not isinstance(name, str) or not name or "." in name or hasattr(type(self), name):
            raise ValueError(f"{where}: {name!r} is no name for a part; expected a word that is no method")
        setattr(self, name, module)

    def __getitem__(self, name: str) -> Module:
        return dict(self.named_children())[name]

    def __delitem__(self, name: str) -> None:
        del vars(self)[next(key for key in self if key == name)]

    def __contains__(self, name: object) -> bool:
        return name in dict(self.named_children())

    def __len__(self) -> int:
        return sum(1 for _ in self.children())

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self.named_children())

    def keys(self) -> Iterator[str]:
        """Yield the names."""
        return iter(self)

    def values(self) -> Iterator[Module]:
        """Yield the modules."""
        return self.children()

    def items(self) -> Iterator[tuple[str, Module]]:
        """Yield the names and the modules."""
        return self.named_children()

    def _scope_of(self, child: str) -> str:
        return f"{self._scope}.{child}" if self._scope else child


class Function(Module):
    """A function as a part of a model, such as ``tr.tanh`` in a `Sequential`."""

    @checked(function=FUNCTION)
    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function

    def forward(self, x: Any) -> Any:
        """Call the function."""
        return self.function(x)

    def extra_repr(self) -> str:
        """Return its name."""
        return getattr(self.function, "__name__", type(self.function).__name__)


class Sequential(ModuleList):
    """Modules, or functions, that are called one after the other, each on the output of the one before.

    Parameters
    ----------
    *modules : Module or callable
        Numbered from 0 in the names of their parameters. The input has the shape that the first one takes.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> model = tr.nn.Sequential(tr.nn.Linear(4, 8), tr.tanh, tr.nn.Linear(8, 2))
    >>> model(tr.zeros((3, 4))).shape
    (3, 2)
    """

    def __init__(self, *modules: Module | Callable[[Any], Any]) -> None:
        super().__init__(modules)  # pyright: ignore[reportArgumentType]

    def append(self, module: Module | Callable[[Any], Any]) -> Self:
        """Add a module or a function at the end."""
        if not isinstance(module, (Module, type)) and callable(module):
            module = Function(module)
        return super().append(module)  # pyright: ignore[reportArgumentType]

    def forward(self, x: npt.ArrayLike) -> Tensor:
        """Call each module in turn."""
        y: Any = x
        for module in self:
            y = module(y)
        return y

    def _scope_of(self, child: str) -> str:
        return child
