"""What the code of a loop calls, as Numba's compiler takes it: instructions, written straight away.

Compiled from Python, these would take longer than all the rest of an LSTM's loop. Arrays are pointers to
memory that somebody else keeps; of those that are multiplied, the shape is known beside it.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array, populate_array

from tinyrnn.recurrence.running.native import blas
from tinyrnn.recurrence.running.native.machine_code import SYMBOL
from tinyrnn.recurrence.running.native.tiles import tiles

_ROWS, _PLAIN, _TRANSPOSED = 101, 111, 112  # of CBLAS: the order of all matrices, and how one is taken


def _part(pointer: Any, ndim: int) -> Any:
    """Return the type and the writer of an array of ``ndim`` axes somewhere behind a pointer."""
    kind = types.Array(pointer.dtype, ndim, "C")

    def write(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        base, start, *shape = args
        itemsize = context.get_constant(types.intp, context.get_abi_sizeof(base.type.pointee))
        strides = [itemsize]
        for length in shape[:0:-1]:
            strides.insert(0, builder.mul(strides[0], length))
        array = make_array(kind)(context, builder)
        data = builder.gep(base, [start])
        populate_array(array, data=data, shape=shape, strides=strides, itemsize=itemsize, meminfo=None)
        return array._getvalue()

    return kind(pointer, *[types.intp] * (ndim + 1)), write


@intrinsic
def vector(typing: Any, of: Any, start: Any, length: Any) -> Any:
    """As `functions.vector`."""
    return _part(of, 1)


@intrinsic
def matrix(typing: Any, of: Any, start: Any, rows: Any, columns: Any) -> Any:
    """As `functions.matrix`."""
    return _part(of, 2)


def _dot(letter: str) -> Any:
    """Return ``np.dot(a, b, out)`` of arrays without gaps, by the functions that begin with a letter."""
    bits = blas.found()[1] or 64
    length, option, pointer = ir.IntType(bits), ir.IntType(32), cgutils.voidptr_t
    number = ir.FloatType() if letter == "s" else ir.DoubleType()

    def write(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = signature.args
        arrays = [make_array(kind)(context, builder, x) for kind, x in zip(kinds, args)]
        a, b, out = (builder.bitcast(array.data, pointer) for array in arrays)
        sizes = [
            [builder.trunc(n, length) if bits < 64 else n for n in cgutils.unpack_tuple(builder, array.shape)]
            for array in arrays
        ]

        def call(name: str, *values: Any) -> None:
            kind = ir.FunctionType(ir.VoidType(), [value.type for value in values])
            function = cgutils.get_or_insert_function(builder.module, kind, SYMBOL.format(letter + name))
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

    @intrinsic
    def dot(typing: Any, a: Any, b: Any, out: Any) -> Any:
        return types.void(a, b, out), write

    return dot


NAMES = {"vector": vector, "matrix": matrix, "tiles": tiles, "dot32": _dot("s"), "dot64": _dot("d")}
