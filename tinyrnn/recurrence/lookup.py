"""From a step to its compiled form: trace it, look the trace up, compile it where it is new."""

from __future__ import annotations

import collections
import threading
from typing import Any, NamedTuple

import numpy as np

from tinyrnn.autograd.state import thread
from tinyrnn.recurrence.compiled import CompiledScan
from tinyrnn.recurrence.compiler.side_by_side import side_by_side
from tinyrnn.recurrence.loop import Step
from tinyrnn.recurrence.record import apply_scan
from tinyrnn.recurrence.running import recycled
from tinyrnn.recurrence.running.idle import idle
from tinyrnn.recurrence.traced import Structure, Traced, Untraceable, trace_step


class CacheInfo(NamedTuple):
    """How the compiled scans are kept: how many there are, how many there may be, how many were compiled."""

    size: int
    max_size: int
    compiled: int


_CACHE_SIZE = 256
_cache: collections.OrderedDict[Any, CompiledScan] = collections.OrderedDict()
_lock = threading.Lock()
_compiled = 0


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
        Where the step cannot be written down as a program, or anything fails on the way from there: the
        recorded loop then gives the result, or the error where it is the step's own.
    """
    operands: list[Any] = list(xs.leaves)
    if lengths is not None:
        operands.append(np.arange(steps)[:, None] < lengths)
    try:
        traced = trace_step(step, carry, xs, None if lengths is None else lengths.shape)
        outputs = apply_scan(
            look_up(traced),
            list(traced.trace.closed.values()),
            carry.leaves,
            operands,
            steps,
            reverse=reverse,
            segment=segment,
        )
    except (Untraceable, MemoryError):
        raise
    except Exception as error:
        raise Untraceable(f"of {type(error).__name__} in the compiler: {error}") from error
    count = len(carry.leaves)
    return carry.tree.unflatten(outputs[:count]), traced.y_tree.unflatten(outputs[count:])


def look_up(traced: Traced) -> CompiledScan:
    """Return the compiled form of a step; compile it where it is new."""
    key = traced.key
    with _lock:
        found = _cache.get(key)
        if found is not None and thread.modes.compiled is None:  # a plan wants the names of this very step
            _cache.move_to_end(key)
            return found
    traced.check()
    compiled = CompiledScan(side_by_side(traced.program()), found)
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
    """Forget all compiled scans, and give the memory of their buffers back to the system."""
    with _lock:
        _cache.clear()
    recycled.clear()
    idle.clear()
