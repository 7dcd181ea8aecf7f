"""From a step to its compiled form: trace it, look the trace up, compile it where it is new."""

from __future__ import annotations

import collections
import sys
import threading
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from tinyrnn.autograd.creation import as_tensor
from tinyrnn.autograd.primitive import Shape
from tinyrnn.autograd.state import TraceError, thread, tracing
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.recurrence.compiled import CompiledScan
from tinyrnn.recurrence.compiler.program import CARRY, FIXED, INPUT, Line, Program, Symbol
from tinyrnn.recurrence.compiler.rewrites import REWRITES
from tinyrnn.recurrence.compiler.scan_program import ScanProgram
from tinyrnn.recurrence.compiler.side_by_side import side_by_side
from tinyrnn.recurrence.compiler.trace import Trace
from tinyrnn.recurrence.loop import Step, check_carry, hold, silence, take_step
from tinyrnn.recurrence.record import apply_scan
from tinyrnn.recurrence.tree import Tree, flatten


class ScanFallbackWarning(UserWarning):
    """A step could not be compiled, and runs as a recorded loop: the same numbers, more slowly."""


class Untraceable(Exception):
    """Why a step cannot be compiled."""


class Structure(NamedTuple):
    """A nested structure of Tensors, taken apart."""

    leaves: list[Tensor]
    tree: Tree


class CacheInfo(NamedTuple):
    """How the compiled scans are kept: how many there are, how many there may be, how many were compiled."""

    size: int
    max_size: int
    compiled: int


class _Traced(NamedTuple):
    trace: Trace
    tree: Tree
    carry_out: list[int]
    ys: list[int]
    y_tree: Tree
    check: Callable[[], None]  # that the new carry fits; asks for shapes, so it runs for new traces only


_CACHE_SIZE = 256
_cache: collections.OrderedDict[Any, CompiledScan] = collections.OrderedDict()
_lock = threading.Lock()
_compiled = 0
_warned: set[Any] = set()


def compiled_scan(
    step: Step,
    carry: Structure,
    xs: Structure,
    steps: int,
    lengths: np.ndarray[Any, Any] | None,
    *,
    reverse: bool,
    segment: int | None,
) -> tuple[Any, Any]:
    """Run a scan in its compiled form; arguments as in `scan`, checked.

    Raises
    ------
    Untraceable
        Where the step cannot be written down as a program.
    """
    operands: list[Any] = list(xs.leaves)
    if lengths is not None:
        operands.append(np.arange(steps)[:, None] < lengths)
    traced = _trace(step, carry, xs, None if lengths is None else lengths.shape)
    scan = _look_up(traced, len(carry.leaves), len(operands))
    if _code(step) not in scan.steps:
        _check_repeats(traced, _trace(step, carry, xs, None if lengths is None else lengths.shape))
        scan.steps.add(_code(step))
    outputs = apply_scan(
        scan,
        list(traced.trace.closed.values()),
        carry.leaves,
        operands,
        steps,
        reverse=reverse,
        segment=segment,
    )
    count = len(carry.leaves)
    return carry.tree.unflatten(outputs[:count]), traced.y_tree.unflatten(outputs[count:])


def _trace(step: Step, carry: Structure, xs: Structure, masked: Shape | None) -> _Traced:
    """Run the step on symbols; ``masked`` is the shape of the mask over rows, where there is one."""
    lines = [
        Line(None, (), {}, leaf.shape, leaf.dtype, FIXED, name=path)
        for leaf, path in zip(carry.leaves, carry.tree.paths("carry"), strict=True)
    ]
    lines += [
        Line(None, (), {}, leaf.shape[1:], leaf.dtype, FIXED, name=path)
        for leaf, path in zip(xs.leaves, xs.tree.paths("x"), strict=True)
    ]
    if masked is not None:
        lines.append(Line(None, (), {}, masked, np.dtype(bool), FIXED, name="running"))
    trace = Trace(lines)
    symbols = [Symbol(trace, i) for i in range(len(lines))]
    old = carry.tree.unflatten(symbols[: len(carry.leaves)])
    x = xs.tree.unflatten(symbols[len(carry.leaves) :])
    with tracing():
        try:
            new, y = take_step(step, old, x)
        except Exception as error:
            # Whatever it is: where the recorded loop meets it too, that is where it will be raised.
            raise Untraceable(
                str(error) if isinstance(error, TraceError) else f"{type(error).__name__}: {error}"
            ) from None
        leaves, tree = flatten(new)
        new = tree.unflatten(_symbol(trace, leaf) for leaf in leaves)
        y_leaves, y_tree = flatten(y)
        y_leaves = [_symbol(trace, leaf) for leaf in y_leaves]

        def check(new: Any = new) -> None:
            check_carry(flatten(old), flatten(new), shapes=masked is not None)
            for path, before, after in zip(tree.paths("carry"), carry.leaves, flatten(new)[0], strict=True):
                if after.shape != before.shape:
                    raise Untraceable(f"it changes the shape of {path} from {before.shape} to {after.shape}")

        if masked is not None:
            check()
            new = hold(symbols[-1], new, old)
            y_leaves = silence(symbols[-1], y_leaves, y_tree.paths("y"))
    carry_out = [leaf.index for leaf in flatten(new)[0]]
    return _Traced(trace, tree, carry_out, [leaf.index for leaf in y_leaves], y_tree, check)


def _check_repeats(first: _Traced, second: _Traced) -> None:
    """Refuse a step that does something else each time that it is called, and so at each time step."""
    pairs = zip(first.trace.closed.values(), second.trace.closed.values())
    if first.trace.key() != second.trace.key() or not all(a is b or _equal(a, b) for a, b in pairs):
        raise Untraceable("it does something else each time it is called (random numbers, a counter)")


def _equal(a: Any, b: Any) -> bool:
    a, b = (x.data if isinstance(x, Tensor) else x for x in (a, b))
    return np.array_equal(a, b, equal_nan=True)


def _symbol(trace: Trace, value: Any) -> Symbol:
    if isinstance(value, Symbol):
        if value.owner is not trace:
            raise Untraceable("it returns a Tensor that was kept from another step")
        return value
    return Symbol(trace, trace.close_over(as_tensor(value)))


def _look_up(traced: _Traced, carry: int, xs: int) -> CompiledScan:
    trace = traced.trace
    key = (trace.key(), traced.tree, carry, xs, tuple(traced.carry_out), tuple(traced.ys))
    with _lock:
        found = _cache.get(key)
        if found is not None and thread.modes.compiled is None:  # a plan wants the names of this very step
            _cache.move_to_end(key)
            return found
    traced.check()
    program = Program(REWRITES)
    at = trace.write(program, [CARRY] * carry + [INPUT] * xs)

    def place(indices: Any) -> list[int]:
        return [at[i] for i in indices]

    scan = ScanProgram(
        program,
        consts=place(trace.closed),
        carry=place(range(carry)),
        xs=place(range(carry, carry + xs)),
        carry_out=place(traced.carry_out),
        ys=place(traced.ys),
        sums=[],
    )
    compiled = CompiledScan(side_by_side(scan))
    global _compiled
    with _lock:
        _compiled += 1
        _cache[key] = compiled
        while len(_cache) > _CACHE_SIZE:
            _cache.popitem(last=False)
    return compiled


def cache_info() -> CacheInfo:
    """Return how many compiled scans are kept, and how many were compiled since the program began.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> rnn, before = tr.nn.RNN(3, 4), tr.scan.cache_info()
    >>> for steps in (5, 6, 7):
    ...     y, h = rnn(tr.zeros((steps, 2, 3)))
    >>> tr.scan.cache_info().compiled - before.compiled <= 1
    True
    """
    with _lock:
        return CacheInfo(len(_cache), _CACHE_SIZE, _compiled)


def cache_clear() -> None:
    """Forget all compiled scans, and free their buffers."""
    with _lock:
        _cache.clear()


def _code(step: Step) -> Any:
    """Return what identifies a step from call to call, where it is a new closure each time."""
    return getattr(getattr(step, "__func__", step), "__code__", type(step))


def warn_once(step: Step, reason: str) -> None:
    """Say that a step runs as a recorded loop, once for each step and reason."""
    if (_code(step), reason) in _warned:
        return
    name = getattr(step, "__qualname__", type(step).__name__)
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("tinyrnn."):
        level, frame = level + 1, frame.f_back  # to the line of the user's program
    warnings.warn(
        f"scan: the step {name} cannot be compiled, because {reason}; it runs as a recorded loop, step by "
        "step",
        ScanFallbackWarning,
        stacklevel=level,
    )
    # Only now: a warning that is turned into an error is raised every time.
    _warned.add((_code(step), reason))
