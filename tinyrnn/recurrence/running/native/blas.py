"""NumPy's own BLAS: where its matrix products are, for code that calls them itself.

Two libraries of products have two sets of threads, and each keeps the cores for a while after a product,
waiting for the next: with SciPy's beside NumPy's, an LSTM of 128 units took six times as long on two cores.
So compiled code calls what NumPy calls.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import importlib
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np

# The names that the functions go by, and the bits of their integers: in NumPy's wheels, systems, Apple's.
_FORMS = (
    ("scipy_cblas_{}64_", 64), ("scipy_cblas_{}", 32), ("cblas_{}64_", 64), ("cblas_{}", 32),
    ("cblas_{}$NEWLAPACK$ILP64", 64), ("cblas_{}$NEWLAPACK", 32),
)  # fmt: skip
FUNCTIONS = ("sgemm", "dgemm", "sgemv", "dgemv")


@functools.cache
def found() -> tuple[dict[str, int], int]:
    """Return the addresses of the functions by name, and the bits of their integers; empty where unknown."""
    for library in _libraries():
        for form, bits in _FORMS:
            with contextlib.suppress(AttributeError):
                functions = {name: getattr(library, form.format(name)) for name in FUNCTIONS}
                return {n: ctypes.cast(f, ctypes.c_void_p).value or 0 for n, f in functions.items()}, bits
    return {}, 0


def _libraries() -> Generator[Any]:
    """Open the libraries in which they may be."""
    linked: Any = importlib.import_module("numpy._core._multiarray_umath")
    package = Path(np.__file__).parent
    # Where a library does not show what it is linked with (Windows), that lies beside the package.
    for path in (linked.__file__, *sorted((package.parent / f"{package.name}.libs").glob("*openblas*"))):
        with contextlib.suppress(OSError):
            yield ctypes.CDLL(str(path))
