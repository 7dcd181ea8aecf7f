"""Central differences, in float64."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .cells import Array


def central_differences(f: Callable[[], float], at: Array, step: float = 1e-5) -> Array:
    """The gradient of ``f`` with respect to ``at``, each element of which is moved in place and put back.

    Elements that are not finite are left alone; their gradient is given as zero.
    """
    gradient = np.zeros_like(at)
    for i in np.ndindex(at.shape):
        value = at[i]
        if not np.isfinite(value):
            continue
        at[i] = value + step
        above = f()
        at[i] = value - step
        below = f()
        at[i] = value
        gradient[i] = (above - below) / (2 * step)
    return gradient
