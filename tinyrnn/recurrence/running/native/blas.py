"""Matrix products of compiled code, by NumPy's own BLAS.

Numba's ``np.dot`` calls SciPy's. Two libraries have two sets of threads, and each keeps the cores for a while
after a product, waiting for the next: on two cores, an LSTM of 128 units then takes six times as long. So
compiled code calls the functions that NumPy calls, where they can be found.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import importlib
from typing import Any

import numpy as np

# The names that the functions go by, and the bits of their integers: in NumPy's wheels, systems, Apple's.
_FORMS = (
    ("scipy_cblas_{}64_", 64), ("scipy_cblas_{}", 32), ("cblas_{}64_", 64), ("cblas_{}", 32),
    ("cblas_{}$NEWLAPACK$ILP64", 64), ("cblas_{}$NEWLAPACK", 32),
)  # fmt: skip
_FUNCTIONS = ("sgemm", "dgemm", "sgemv", "dgemv")
_ROWS, _PLAIN, _TRANSPOSED = 101, 111, 112  # of CBLAS: the order of all matrices, and how one is taken


@functools.cache
def found() -> tuple[dict[str, int], int]:
    """Return the addresses of the functions by name, and the bits of their integers; empty where unknown."""
    with contextlib.suppress(OSError):
        linked: Any = importlib.import_module("numpy._core._multiarray_umath")
        library = ctypes.CDLL(linked.__file__)  # looks into what that is linked with, too
        for form, bits in _FORMS:
            with contextlib.suppress(AttributeError):
                functions = {name: getattr(library, form.format(name)) for name in _FUNCTIONS}
                return {n: ctypes.cast(f, ctypes.c_void_p).value or 0 for n, f in functions.items()}, bits
    return {}, 0


@functools.cache
def compiled() -> dict[str, Any]:
    """Return ``dot32`` and ``dot64``, the product of two matrices into a third, for compiled code."""
    numba = importlib.import_module("numba")
    addresses, bits = found()
    if not addresses:
        by_scipy = numba.njit(np_dot)
        return {"dot32": by_scipy, "dot64": by_scipy}
    for name, address in addresses.items():
        importlib.import_module("llvmlite.binding").add_symbol(f"tinyrnn_{name}", address)
    return {f"dot{size}": _dot(numba, letter, size, bits) for letter, size in (("s", 32), ("d", 64))}


def np_dot(a: Any, b: Any, out: Any) -> None:
    """Write the product of two matrices into a third."""
    np.dot(a, b, out)


def _dot(numba: Any, letter: str, size: int, bits: int) -> Any:
    t = numba.types
    length, option, place = t.int32 if bits == 32 else t.int64, t.int32, t.uintp
    number = t.float32 if size == 32 else t.float64
    array = (place, length)  # where it begins, and how far its rows or elements are apart

    def external(name: str, *arguments: Any) -> Any:
        return t.ExternalFunction(f"tinyrnn_{letter}{name}", t.void(option, option, *arguments))

    gemm = external("gemm", option, length, length, length, number, *array, *array, number, *array)
    gemv = external("gemv", length, length, number, *array, *array, number, *array)
    taken = numba.njit(_taken)
    bytes_each = size // 8

    @numba.njit(error_model="numpy")
    def dot(a: Any, b: Any, out: Any) -> None:
        m, k, n = a.shape[0], a.shape[1], b.shape[1]
        how_a, lead_a = taken(a)
        how_b, lead_b = taken(b)
        a_at, b_at, out_at = a.ctypes.data, b.ctypes.data, out.ctypes.data
        if n == 1:  # a matrix times a vector is another function
            step, out_step = b.strides[0] // bytes_each, out.strides[0] // bytes_each
            rows, columns = (m, k) if how_a == _PLAIN else (k, m)
            gemv(_ROWS, how_a, rows, columns, 1, a_at, lead_a, b_at, step, 0, out_at, out_step)
        elif m == 1:
            step, out_step = a.strides[1] // bytes_each, out.strides[1] // bytes_each
            how = _TRANSPOSED if how_b == _PLAIN else _PLAIN
            rows, columns = (k, n) if how_b == _PLAIN else (n, k)
            gemv(_ROWS, how, rows, columns, 1, b_at, lead_b, a_at, step, 0, out_at, out_step)
        else:
            lead = out.strides[0] // bytes_each
            gemm(_ROWS, how_a, how_b, m, n, k, 1, a_at, lead_a, b_at, lead_b, 0, out_at, lead)

    return dot


def _taken(x: Any) -> tuple[int, int]:
    """Return how a matrix lies in memory, as it is or transposed, and how far its rows are apart there."""
    rows, columns = x.shape
    if x.strides[1] == x.itemsize and (rows == 1 or x.strides[0] >= columns * x.itemsize):
        return _PLAIN, max(x.strides[0] // x.itemsize, columns)
    return _TRANSPOSED, max(x.strides[1] // x.itemsize, rows)
