"""Module: a part of a model, with its parameters and its parts found by name.

A module is a plain object. Its parameters and its parts are those of its attributes that are a `Parameter` or
a `Module`, in the order in which they were set; there is no other register.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, ParamSpec, Protocol, Self, TypeVar

import numpy as np

from tinyrnn.autograd.arguments import FLAG, MAPPING, checked
from tinyrnn.autograd.changes import mark_changed, mark_mode
from tinyrnn.autograd.html import table
from tinyrnn.autograd.state import Scope, thread
from tinyrnn.nn.parameter import Parameter

P = ParamSpec("P")
R = TypeVar("R", covariant=True)


class LoadedKeys(NamedTuple):
    """What `Module.load_state_dict` did not find, and what it did not use."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class _Forward(Protocol[P, R]):
    """What calling a module passes on, so that an editor knows a call by the signature of ``forward``."""

    _scope: str

    def forward(self, *args: P.args, **kwargs: P.kwargs) -> R: ...


class Module:
    """A part of a model. Derive from it, set parameters and parts as attributes, and write ``forward``.

    Attributes
    ----------
    training : bool
        Whether dropout is on; see `train` and `eval`.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> class Tagger(tr.nn.Module):
    ...     def __init__(self):
    ...         self.rnn = tr.nn.GRU(8, 16)
    ...         self.out = tr.nn.Linear(16, 5)
    ...     def forward(self, x):
    ...         y, _ = self.rnn(x)
    ...         return self.out(y)
    >>> tagger = Tagger()
    >>> tagger(tr.zeros((7, 2, 8))).shape
    (7, 2, 5)
    >>> [name for name, _ in tagger.named_parameters()][:2]
    ['rnn.weight_ih_l0', 'rnn.weight_hh_l0']
    >>> tagger
    Tagger(  # 1,333 parameters
      (rnn): GRU(8, 16)  # 1,248
      (out): Linear(16, 5)  # 85
    )
    """

    training: bool = True
    _path: str = ""  # its key in the outermost module that holds it
    _scope: str = ""  # its name in the scope of the module that calls it

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output; what calling the module does."""
        raise NotImplementedError(f"{type(self).__name__} has no forward; write `def forward(self, x): ...`")

    def __call__(self: _Forward[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run `forward`, in a scope of this module's name."""
        # as `with tr.scope(self._scope, owner=self)`, at half of its cost
        modes = thread.modes
        outer = modes.scope
        modes.scope = Scope(outer, self._scope, None, self)
        try:
            return self.forward(*args, **kwargs)
        finally:
            modes.scope = outer

    # --- parts and parameters -------------------------------------------------------------------------------
    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(self.__dict__.get(name), Parameter) and not isinstance(value, Parameter | None):
            raise TypeError(
                f"{type(self).__name__}.{name} is a Parameter, and got {type(value).__name__}; assign an "
                f"nn.Parameter, or change its value in place: module.{name}.data[...] = value"
            )
        if isinstance(value, (list, tuple, dict)):
            items: Iterable[Any] = value.values() if isinstance(value, dict) else value
            if any(isinstance(item, (Module, Parameter)) for item in items):
                raise TypeError(
                    f"{type(self).__name__}.{name} is a {type(value).__name__} that holds modules or "
                    "parameters, which would not be found and not be trained; use nn.ModuleList([...]), or "
                    "an attribute for each"
                )
        object.__setattr__(self, name, value)
        if isinstance(value, (Module, Parameter)):
            self._tell_names()

    def _tell_names(self) -> None:
        """Tell all parts and parameters below where they stand, for scopes and drawings."""
        for path, module in self.named_modules(self._path):
            module._path = path
            for name, child in module.named_children():
                child._scope = module._scope_of(name)
        for path, parameter in self.named_parameters(self._path):
            parameter.name = path

    def _scope_of(self, child: str) -> str:
        """Return the scope of a part; overridden by containers that are not called themselves."""
        return child

    def _key_of(self, child: str, key: str) -> str:
        """Return the key, in this module, of what has the given key in a part."""
        return f"{child}.{key}"

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yield each direct part with its name."""
        for name, value in vars(self).items():
            if isinstance(value, Module):
                yield name, value

    def children(self) -> Iterator[Module]:
        """Yield each direct part."""
        for _, child in self.named_children():
            yield child

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """Yield this module and everything below with its path, parents first, each once."""
        seen: set[int] = set()
        todo: list[tuple[str, Module]] = [(prefix, self)]
        while todo:
            path, module = todo.pop()
            if id(module) not in seen:
                seen.add(id(module))
                yield path, module
                below = [
                    (f"{path}.{name}" if path else name, child) for name, child in module.named_children()
                ]
                todo += reversed(below)

    def modules(self) -> Iterator[Module]:
        """Yield this module and everything below, each once."""
        for _, module in self.named_modules():
            yield module

    def _keyed_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Yield the parameters with their keys; one that stands in two places comes twice."""
        for name, value in vars(self).items():
            if isinstance(value, Parameter):
                yield name, value
            elif isinstance(value, Module):
                for key, parameter in value._keyed_parameters():
                    yield self._key_of(name, key), parameter

    def named_parameters(self, prefix: str = "") -> Iterator[tuple[str, Parameter]]:
        """Yield the parameters of this module and everything below, with their keys, each once."""
        seen: set[int] = set()
        for key, parameter in self._keyed_parameters():
            if id(parameter) not in seen:
                seen.add(id(parameter))
                yield f"{prefix}.{key}" if prefix else key, parameter

    def parameters(self) -> Iterator[Parameter]:
        """Yield the parameters of this module and everything below, each once."""
        for _, parameter in self.named_parameters():
            yield parameter

    # --- modes ----------------------------------------------------------------------------------------------
    @checked(mode=FLAG)
    def train(self, mode: bool = True) -> Self:
        """Turn the training mode on (or off), here and below."""
        for module in self.modules():
            if module.training != mode:
                module.training = mode
                mark_mode()
        return self

    def eval(self) -> Self:
        """Turn the training mode off, here and below: dropout then does nothing."""
        return self.train(False)

    @checked(requires_grad=FLAG)
    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Freeze all parameters (False), or let them learn again (True)."""
        for parameter in self.parameters():
            parameter.requires_grad = requires_grad
        return self

    def zero_grad(self) -> None:
        """Clear the gradient of each parameter: its ``.grad`` becomes None."""
        for parameter in self.parameters():
            if parameter.requires_grad:
                parameter.grad = None

    # --- the values of the parameters -----------------------------------------------------------------------
    def state_dict(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return copies of all parameters' values, by key."""
        return {key: parameter.data.copy() for key, parameter in self._keyed_parameters()}

    @checked(state_dict=MAPPING, strict=FLAG)
    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> LoadedKeys:
        """Copy values into the parameters, cast to their dtypes. Nothing is changed where anything is wrong.

        Parameters
        ----------
        state_dict : mapping of str to array_like
            Arrays, Tensors, or anything with ``.numpy()``, such as the state dict of a PyTorch module.
        strict : bool
            Whether missing and unexpected keys are errors. Wrong shapes always are.

        Returns
        -------
        LoadedKeys
            ``(missing_keys, unexpected_keys)``.

        Raises
        ------
        ValueError
            Lists all keys that are missing, unexpected, or of another shape or kind.
        """
        own = dict(self._keyed_parameters())
        missing = [key for key in own if key not in state_dict]
        unexpected = [key for key in state_dict if key not in own]
        problems = [f"missing: {key}, {own[key].shape}" for key in missing] if strict else []
        problems += [f"unexpected: {key}" for key in unexpected] if strict else []
        values: dict[str, np.ndarray[Any, Any]] = {}
        for key, parameter in own.items():
            if key in state_dict:
                value = _array(state_dict[key])
                if value.dtype.kind not in "fiub":
                    problems.append(f"unreadable: {key} is {_kind(state_dict[key])}; expected real numbers")
                elif value.shape != parameter.shape:
                    problems.append(f"misshapen: {key} has shape {value.shape}; expected {parameter.shape}")
                values[key] = value
        if problems:
            raise ValueError(
                f"{type(self).__name__}: the state dict does not fit:\n  " + "\n  ".join(problems)
            )
        for key, value in values.items():
            mark_changed(own[key].data, "load_state_dict", key)
            own[key].data[...] = value
        return LoadedKeys(missing, unexpected)

    # --- text -----------------------------------------------------------------------------------------------
    def extra_repr(self) -> str:
        """Return what `repr` shows between the brackets, such as ``16, 5``."""
        return ""

    def __repr__(self) -> str:
        return self._text(" parameters")

    def _text(self, unit: str = "") -> str:
        count = sum(p.size for p in self.parameters())
        comment = f"  # {count:,}{unit}" if count else ""
        parts = [f"({name}): {child._text()}".replace("\n", "\n  ") for name, child in self._shown_children()]
        extra = self.extra_repr()
        head = f"{type(self).__name__}({extra}"
        if not parts:
            return f"{head}){comment}"
        return "\n  ".join([f"{head}{', ' if extra else ''}{comment}".rstrip(), *parts]) + "\n)"

    def _repr_html_(self) -> str:
        """Show the parameters in a notebook, as a table."""
        of = dict(self.named_modules())
        rows: list[list[str]] = []
        for key, parameter in self.named_parameters():
            path = key.rpartition(".")[0]
            grad = parameter.grad
            rows.append(
                [
                    key,
                    type(of.get(path, self)).__name__,
                    str(parameter.shape),
                    str(parameter.dtype),
                    f"{parameter.size:,}",
                    f"{np.linalg.norm(parameter.data):.4g}",
                    "" if grad is None else f"{np.linalg.norm(grad.data):.4g}",
                ]
            )
        count = sum(p.size for p in self.parameters())
        head = ["parameter", "of", "shape", "dtype", "numbers", "norm", "norm of the gradient"]
        return table(rows, head, f"{type(self).__name__}({self.extra_repr()}): {count:,} parameters")

    def _shown_children(self) -> Iterator[tuple[str, Module]]:
        return self.named_children()


def _array(value: Any) -> np.ndarray[Any, Any]:
    """Return the values as an array; one of no numbers where that cannot be."""
    try:
        value = value.detach() if hasattr(value, "detach") else value
        return np.asarray(value.numpy() if hasattr(value, "numpy") else value)
    except (TypeError, ValueError, RuntimeError):
        return np.asarray(None)


def _kind(value: Any) -> str:
    return f"{type(value).__name__} of {value.dtype}" if hasattr(value, "dtype") else repr(value)[:40]
