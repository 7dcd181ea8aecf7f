"""Modules that hold modules: in a row, or only in a list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Self

import numpy.typing as npt

from tinyrnn.autograd.arguments import ITERABLE, checked
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.nn.module import Module


class ModuleList(Module):
    """A list of modules, whose parameters are found. It is not called itself.

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


class Sequential(ModuleList):
    """Modules that are called one after the other, each on the output of the one before.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> model = tr.nn.Sequential(tr.nn.Linear(4, 8), tr.nn.LayerNorm(8), tr.nn.Linear(8, 2))
    >>> model(tr.zeros((3, 4))).shape
    (3, 2)
    """

    def __init__(self, *modules: Module) -> None:
        super().__init__(modules)

    def forward(self, x: npt.ArrayLike) -> Tensor:
        """Call each module in turn."""
        y: Any = x
        for module in self:
            y = module(y)
        return y

    def _scope_of(self, child: str) -> str:
        return child
