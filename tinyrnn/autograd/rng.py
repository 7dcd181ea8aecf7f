"""Where random numbers come from: one generator of the library's own, or the caller's ``rng=``."""

from __future__ import annotations

import numpy as np

from tinyrnn.autograd.state import TraceError, thread

_generator: np.random.Generator | None = (
    None  # made at the first draw, since importing numpy.random takes time
)


def manual_seed(seed: int) -> np.random.Generator:
    """Seed the library's own generator, and return it.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> a = tr.manual_seed(3).normal()
    >>> b = tr.manual_seed(3).normal()
    >>> a == b
    True
    """
    global _generator
    _generator = np.random.default_rng(seed)
    return _generator


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
    return np.random.default_rng(rng)
