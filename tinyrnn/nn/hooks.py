"""Hooks: functions that see, and may change, what goes into a module, comes out of it, and comes back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinyrnn.autograd.creation import as_tensor
from tinyrnn.autograd.functions import concatenate
from tinyrnn.autograd.primitive import Primitive
from tinyrnn.autograd.state import TraceError, thread
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.recurrence.tree import flatten

Hook = Callable[..., Any]


class Handle:
    """What registering a hook returns. ``remove()`` takes the hook away; so does the end of a ``with``."""

    def __init__(self, hooks: list[Hook], hook: Hook) -> None:
        self._hooks, self._hook = hooks, hook
        hooks.append(hook)

    def remove(self) -> None:
        """Take the hook away. A second time does nothing."""
        self._hooks[:] = [hook for hook in self._hooks if hook is not self._hook]

    def __repr__(self) -> str:
        there = any(hook is self._hook for hook in self._hooks)
        return f"<hook {getattr(self._hook, '__qualname__', self._hook)}{'' if there else ', removed'}>"

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()


class Hooks:
    """The hooks of one module, in the order in which they came."""

    def __init__(self) -> None:
        self.before: list[Hook] = []
        self.after: list[Hook] = []
        self.backward: list[Hook] = []

    def call(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a module's ``forward`` between its hooks."""
        if thread.modes.tracing and (self.before or self.after or self.backward):
            raise TraceError(f"it calls {type(module).__name__}, which has hooks")
        for hook in self.before:
            changed = hook(module, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
        backward = list(self.backward)
        outward: list[tuple[Any, ...]] = [()]  # the gradients at the outputs, once they are there
        inputs = flatten(args)[0] if backward else []
        if backward:
            args = _watched(args, lambda found: _tell(backward, module, found, outward[0]))
        output = module.forward(*args, **kwargs)
        for hook in self.after:
            changed = hook(module, args, output)
            output = output if changed is None else changed
        if not backward:
            return output

        def came_back(found: list[Any]) -> None:
            outward[0] = tuple(found)
            if not any(_recorded(x) for x in inputs):  # nothing goes back any further
                _tell(backward, module, [None] * len(inputs), outward[0])

        return _watched(output, came_back)


def _recorded(x: Any) -> bool:
    return isinstance(x, Tensor) and x.requires_grad


def _tell(hooks: list[Hook], module: Any, found: list[Any], outward: tuple[Any, ...]) -> list[Any]:
    """Call the backward hooks, each on what the one before it made of the gradients at the inputs."""
    for hook in hooks:
        changed = hook(module, tuple(found), outward)
        if changed is not None:
            new = list(changed) if isinstance(changed, tuple) else [changed]
            got, expected = ([None if g is None else np.shape(g) for g in part] for part in (new, found))
            if len(got) != len(expected) or any(e not in (g, None) for g, e in zip(got, expected)):
                raise ValueError(
                    f"{type(module).__name__}: a backward hook returned gradients of the shapes {got}; "
                    f"expected those that it was given, {expected}"
                )
            found = [old if old is None else as_tensor(g) for g, old in zip(new, found)]
    return found


def _watched(structure: Any, told: Callable[[list[Any]], list[Any] | None]) -> Any:
    """Let the recorded Tensors of a structure through one record, which is told their gradients together.

    They are laid end to end for it: one record has one gradient, with zeros for what got none.
    """
    leaves, tree = flatten(structure)
    recorded = [i for i, leaf in enumerate(leaves) if _recorded(leaf)]
    if not recorded:
        return structure

    def vjp(g: Any) -> Any:
        parts: list[Any] = [None] * len(leaves)
        for i, start in zip(recorded, starts, strict=True):
            part = g[start : start + leaves[i].size].reshape(leaves[i].shape).astype(leaves[i].dtype)
            parts[i] = part if isinstance(part, Tensor) else Tensor(part)
        changed = told(parts)
        if changed is None:
            return g
        ends = [changed[i].reshape((-1,)).astype(g.dtype) for i in recorded]
        return concatenate(ends if isinstance(g, Tensor) else [end.data for end in ends])

    starts, end = [], 0
    for i in recorded:
        starts.append(end)
        end += leaves[i].size
    through = Primitive("hooks", lambda x: x, x=vjp)
    line = through(concatenate([leaves[i].reshape((-1,)) for i in recorded]))
    for i, start in zip(recorded, starts, strict=True):
        shape, dtype = leaves[i].shape, leaves[i].dtype
        leaves[i] = line[start : start + leaves[i].size].reshape(shape).astype(dtype)
    return tree.unflatten(leaves)
