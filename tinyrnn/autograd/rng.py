"""Where random numbers come from: one generator of the library's own, or the caller's ``rng=``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tinyrnn.autograd.arguments import MAPPING, checked, misused
from tinyrnn.autograd.state import TraceError, thread

_generator: np.random.Generator | None = (
    None  # made at the first draw, since importing numpy.random takes time
)


def manual_seed(seed: int) -> np.random.Generator:
    """Seed the library's own generator, and return it.

    Parameters
    ----------
    seed : int

    Returns
    -------
    Generator
        The generator itself, for code that wants one.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> a = tr.manual_seed(3).normal()
    >>> b = tr.manual_seed(3).normal()
    >>> a == b
    True
    """
    global _generator
    _generator = _new(seed)
    return _generator


def _new(seed: Any) -> np.random.Generator:
    try:
        return np.random.default_rng(seed)
    except (TypeError, ValueError) as error:
        raise misused(seed, "a numpy.random.Generator, or a seed: an int, at least 0", type(error)) from None


def generator(rng: np.random.Generator | int | None = None) -> np.random.Generator:
    """Return ``rng`` as a generator: itself, a new one from a seed, or the library's own where it is None."""
    if thread.modes.tracing:
        raise TraceError("it draws random numbers, which are to differ from step to step")
    global _generator
    if rng is None:
        if _generator is None:
            _generator = np.random.default_rng()
        return _generator
    if isinstance(rng, np.random.Generator):
        return rng
    return _new(rng)


def get_rng_state() -> dict[str, Any]:
    """Return the state of the library's own generator: plain numbers, which `set_rng_state` takes back.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> state = tr.get_rng_state()
    >>> a = tr.randn(3)
    >>> tr.set_rng_state(state)
    >>> bool((tr.randn(3) == a).numpy().all())
    True
    """
    return dict(generator().bit_generator.state)


@checked(state=MAPPING)
def set_rng_state(state: Mapping[str, Any]) -> None:
    """Bring the library's own generator to a state that `get_rng_state` returned.

    Parameters
    ----------
    state : mapping
        What `get_rng_state` returned.

    Raises
    ------
    ValueError
        Where it is no such state; nothing is changed then.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> state = tr.get_rng_state()
    >>> x = tr.randn(3)
    >>> tr.set_rng_state(state)
    >>> (tr.randn(3) == x).all()
    tensor(True)
    """
    set_state(generator(), state)


def set_state(rng: np.random.Generator, state: Mapping[str, Any]) -> None:
    """Bring a generator to the state of one of its kind, or raise a ValueError and change nothing."""
    before = rng.bit_generator.state
    try:
        rng.bit_generator.state = dict(state)
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        rng.bit_generator.state = before
        kind = type(rng.bit_generator).__name__
        raise ValueError(f"no state of a {kind} generator: {type(error).__name__}: {error}") from None
