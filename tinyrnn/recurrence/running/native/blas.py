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
    """Return ``dot32`` and ``dot64``, ``np.dot(a, b, out)`` of contiguous arrays, for compiled code."""
    numba = importlib.import_module("numba")
    addresses, bits = found()
    if not addresses:
        by_scipy = numba.njit(np_dot)
        return {"dot32": by_scipy, "dot64": by_scipy}
    for name, address in addresses.items():
        importlib.import_module("llvmlite.binding").add_symbol(f"tinyrnn_{name}", address)
    return {"dot32": _dot("s", bits), "dot64": _dot("d", bits)}


def np_dot(a: Any, b: Any, out: Any) -> None:
    """Write a product into an array."""
    np.dot(a, b, out)


def _dot(letter: str, bits: int) -> Any:
    """Return a product as Numba's compiler takes it: the call of a function, written straight away.

    Compiled from Python, it would take longer than all the rest of an LSTM's loop.
    """
    extending, cgutils, ir, types = map(
        importlib.import_module, ("numba.extending", "numba.core.cgutils", "llvmlite.ir", "numba.core.types")
    )
    length, option, pointer = ir.IntType(bits), ir.IntType(32), cgutils.voidptr_t
    number = ir.FloatType() if letter == "s" else ir.DoubleType()

    def write(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = signature.args
        arrays = [context.make_array(kind)(context, builder, x) for kind, x in zip(kinds, args)]
        a, b, out = (builder.bitcast(array.data, pointer) for array in arrays)
        sizes = [
            [builder.trunc(n, length) if bits < 64 else n for n in cgutils.unpack_tuple(builder, array.shape)]
            for array in arrays
        ]

        def call(name: str, *values: Any) -> None:
            kinds = [value.type for value in values]
            function = cgutils.get_or_insert_function(
                builder.module, ir.FunctionType(ir.VoidType(), kinds), f"tinyrnn_{letter}{name}"
            )
            builder.call(function, values)

        def taken(k: int, flip: bool = False) -> tuple[Any, Any]:
            """Return how BLAS takes a matrix, by rows or by columns, and how far these are apart."""
            in_rows = kinds[k].layout == "C"
            return option(_PLAIN if in_rows != flip else _TRANSPOSED), sizes[k][1 if in_rows else 0]

        def stored(k: int) -> list[Any]:
            return sizes[k] if kinds[k].layout == "C" else sizes[k][::-1]

        rows, one, zero, step = option(_ROWS), number(1), number(0), length(1)
        if kinds[1].ndim == 1:
            how, lead = taken(0)
            call("gemv", rows, how, *stored(0), one, a, lead, b, step, zero, out, step)
        elif kinds[0].ndim == 1:
            how, lead = taken(1, flip=True)
            call("gemv", rows, how, *stored(1), one, b, lead, a, step, zero, out, step)
        else:
            (how_a, lead_a), (how_b, lead_b) = taken(0), taken(1)
            (m, k), (_, n) = sizes[0], sizes[1]
            call("gemm", rows, how_a, how_b, m, n, k, one, a, lead_a, b, lead_b, zero, out, n)
        return context.get_dummy_value()

    @extending.intrinsic
    def dot(typing: Any, a: Any, b: Any, out: Any) -> Any:
        return types.void(a, b, out), write

    return dot
