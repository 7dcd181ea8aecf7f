"""Module: a part of a model, with its parameters and its parts found by name.

A module is a plain object. Its parameters and its parts are those of its attributes that are a `Parameter` or
a `Module`, in the order in which they were set; there is no other register.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, Self, TypeVar

import numpy as np
import numpy.typing as npt

from tinyrnn.autograd.arguments import FLAG, FUNCTION, TEXT, checked, instance
from tinyrnn.autograd.changes import mark_mode
from tinyrnn.autograd.elsewhere import MODULE_NAMES, instead, of_call
from tinyrnn.autograd.state import Scope, thread
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.nn.buffer import Buffer
from tinyrnn.nn.hooks import Handle, Hooks
from tinyrnn.nn.parameter import Parameter
from tinyrnn.nn.state_dict import LoadedKeys, load
from tinyrnn.nn.summary import html, text

STATE_DICT = instance(Mapping, "a mapping from keys to arrays (of a file: tr.load(path, model=...))")
P = ParamSpec("P")
R = TypeVar("R", covariant=True)


class _Forward(Protocol[P, R]):
    """What calling a module passes on, so that an editor knows a call by the signature of ``forward``."""

    _scope: str
    _hooks: Hooks | None

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
    _hooks: Hooks | None = None

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
            if self._hooks is not None:
                return self._hooks.call(self, args, kwargs)
            return self.forward(*args, **kwargs)
        except TypeError as error:
            if (ours := of_call(error, type(self).forward, self, kwargs)) is error:
                raise
            raise ours from None
        finally:
            modes.scope = outer

    if not TYPE_CHECKING:  # to whom all names would seem to be there

        def __getattr__(self, name: str) -> Any:
            raise AttributeError(instead(type(self).__name__, name, MODULE_NAMES))

    # --- parts and parameters -------------------------------------------------------------------------------
    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__.get(name)
        if isinstance(own, Parameter):
            self._check_replacement(name, own, value)
        elif isinstance(own, Buffer) and isinstance(value, (Tensor, np.ndarray)):
            value = value if isinstance(value, Buffer) else Buffer(value, own.persistent)
        if isinstance(value, (list, tuple, dict)):
            items: Iterable[Any] = value.values() if isinstance(value, dict) else value
            if any(isinstance(item, (Module, Parameter)) for item in items):
                raise TypeError(
                    f"{type(self).__name__}.{name} is a {type(value).__name__} that holds modules or "
                    "parameters, which would not be found and not be trained; use nn.ModuleList([...]), or "
                    "an attribute for each"
                )
        object.__setattr__(self, name, value)
        if isinstance(value, (Module, Parameter, Buffer)):
            self._tell_names()

    def _check_replacement(self, name: str, own: Parameter, value: Any) -> None:
        where = f"{type(self).__name__}.{name}"
        if not isinstance(value, Parameter | None):
            raise TypeError(
                f"{where} is a Parameter, and got {type(value).__name__}; assign an nn.Parameter, or change "
                f"its value in place: module.{name}.data[...] = value"
            )
        if value is not None and value.shape != own.shape:
            raise ValueError(
                f"{where} has shape {own.shape}, and got a Parameter of shape {value.shape}; where another "
                f"shape is meant, say so first: module.{name} = None"
            )

    def _tell_names(self) -> None:
        """Tell all parts and parameters below where they stand, for scopes and drawings."""
        for path, module in self.named_modules(self._path):
            module._path = path
            for name, child in module.named_children():
                child._scope = module._scope_of(name)
        for key, tensor in self._keyed(Parameter, Buffer):
            tensor.name = f"{self._path}.{key}" if self._path else key

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

    def _keyed(self, *kinds: type[Tensor]) -> Iterator[tuple[str, Any]]:
        """Yield the Tensors of a kind with their keys; one that stands in two places comes twice."""
        for name, value in vars(self).items():
            if isinstance(value, kinds):
                yield name, value
            elif isinstance(value, Module):
                for key, tensor in value._keyed(*kinds):
                    yield self._key_of(name, key), tensor

    def _keyed_state(self) -> Iterator[tuple[str, Tensor]]:
        """Yield what is saved."""
        for key, tensor in self._keyed(Parameter, Buffer):
            if not (isinstance(tensor, Buffer) and not tensor.persistent):
                yield key, tensor

    def named_parameters(self, prefix: str = "") -> Iterator[tuple[str, Parameter]]:
        """Yield the parameters of this module and everything below, with their keys, each once."""
        yield from _once(self._keyed(Parameter), prefix)

    def parameters(self) -> Iterator[Parameter]:
        """Yield the parameters of this module and everything below, each once."""
        for _, parameter in self.named_parameters():
            yield parameter

    def named_buffers(self, prefix: str = "") -> Iterator[tuple[str, Buffer]]:
        """Yield the buffers of this module and everything below, with their keys, each once."""
        yield from _once(self._keyed(Buffer), prefix)

    def buffers(self) -> Iterator[Buffer]:
        """Yield the buffers of this module and everything below, each once."""
        for _, buffer in self.named_buffers():
            yield buffer

    @checked(name=TEXT, persistent=FLAG)
    def register_buffer(self, name: str, tensor: npt.ArrayLike, persistent: bool = True) -> None:
        """Set an attribute as a `Buffer`: ``self.mean = nn.Buffer(mean)`` in PyTorch's older words."""
        setattr(self, name, Buffer(tensor, persistent))

    # --- hooks ----------------------------------------------------------------------------------------------
    @checked(hook=FUNCTION)
    def register_forward_pre_hook(self, hook: Callable[..., Any]) -> Handle:
        """Call ``hook(module, args)`` before each `forward`; what it returns, if not None, are the args.

        A step that calls a module with hooks is not compiled: `tinyrnn.scan` says so, and runs it as a loop.
        """
        return Handle(self._own_hooks().before, hook)

    @checked(hook=FUNCTION)
    def register_forward_hook(self, hook: Callable[..., Any]) -> Handle:
        """Call ``hook(module, args, output)`` after each `forward`; what it returns replaces the output.

        Returns
        -------
        Handle
            ``remove()`` takes the hook away, and so does the end of a ``with``.

        Examples
        --------
        >>> import tinyrnn as tr
        >>> linear = tr.nn.Linear(3, 2)
        >>> with linear.register_forward_hook(lambda module, args, y: print(args[0].shape, y.shape)):
        ...     y = linear(tr.zeros((4, 3)))
        (4, 3) (4, 2)
        """
        return Handle(self._own_hooks().after, hook)

    @checked(hook=FUNCTION)
    def register_full_backward_hook(self, hook: Callable[..., Any]) -> Handle:
        """Call ``hook(module, grad_input, grad_output)`` when gradients have come back through a call.

        Both are tuples with a gradient for each Tensor of the arguments and of the output, None for what does
        not require grad. What the hook returns, if not None, replaces ``grad_input``.
        """
        return Handle(self._own_hooks().backward, hook)

    def _own_hooks(self) -> Hooks:
        if self._hooks is None:
            self._hooks = Hooks()
        return self._hooks

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

    @checked(set_to_none=FLAG)
    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clear the gradient of each parameter: it becomes None, or (``set_to_none=False``) zeros."""
        for parameter in self.parameters():
            if set_to_none and parameter.requires_grad:
                parameter.grad = None
            elif parameter.grad is not None:
                parameter.grad = Tensor(np.zeros_like(parameter.grad.data))

    # --- the values of the parameters -----------------------------------------------------------------------
    def state_dict(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return copies of the values of all parameters and buffers, by key."""
        return {key: tensor.data.copy() for key, tensor in self._keyed_state()}

    @checked(state_dict=STATE_DICT, strict=FLAG)
    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> LoadedKeys:
        """Copy values into the parameters and buffers, cast to their dtypes.

        Nothing is changed where anything is wrong.

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
        return load(type(self).__name__, dict(self._keyed_state()), state_dict, strict)

    # --- text -----------------------------------------------------------------------------------------------
    def extra_repr(self) -> str:
        """Return what `repr` shows between the brackets, such as ``16, 5``."""
        return ""

    def __repr__(self) -> str:
        return text(self, " parameters")

    def _repr_html_(self) -> str:
        """Show the parameters in a notebook, as a table."""
        return html(self)

    def _shown_children(self) -> Iterator[tuple[str, Module]]:
        return self.named_children()


def _once(keyed: Iterator[tuple[str, Any]], prefix: str) -> Iterator[tuple[str, Any]]:
    """Yield each Tensor the first time that it comes."""
    seen: set[int] = set()
    for key, tensor in keyed:
        if id(tensor) not in seen:
            seen.add(id(tensor))
            yield f"{prefix}.{key}" if prefix else key, tensor
