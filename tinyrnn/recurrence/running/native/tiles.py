"""Small matrix products as instructions: a tile of the result at a time, whose numbers stay in registers.

A call of BLAS costs half a microsecond before it multiplies, for it may be asked for any shape, and it copies
both matrices to where it wants them. Here all shapes are known when the code is written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

_INDEX, _LANE = ir.IntType(64), ir.IntType(32)


def _registers() -> tuple[int, int]:
    """Return the bytes of a vector register, and how many of them a tile may fill."""
    can = llvm.get_host_cpu_features()
    return (64, 24) if can.get("avx512f") else (32, 12) if can.get("avx2") else (16, 12)


class _Writer:
    """Writes instructions on elements of memory."""

    def __init__(self, builder: Any, number: Any) -> None:
        self.builder = builder
        self.number = number
        self.size = 4 if isinstance(number, ir.FloatType) else 8

    def loop(self, times: int, body: Callable[[Any, list[Any]], list[Any]], values: list[Any]) -> list[Any]:
        """Write a loop of at least one round.

        ``body`` takes the round and ``values``, and returns what they are in the next one.
        """
        builder, before = self.builder, self.builder.block
        if times == 1:
            return body(_INDEX(0), values)
        head, end = builder.append_basic_block(), builder.append_basic_block()
        builder.branch(head)
        builder.position_at_end(head)
        n, *current = (builder.phi(kind) for kind in [_INDEX, *(value.type for value in values)])
        found = body(n, current)
        following = builder.add(n, _INDEX(1))
        for phi, first, last in zip([n, *current], [_INDEX(0), *values], [following, *found]):
            phi.add_incoming(first, before)
            phi.add_incoming(last, builder.block)
        builder.cbranch(builder.icmp_unsigned("<", following, _INDEX(times)), head, end)
        builder.position_at_end(end)
        return found

    def index(self, *terms: tuple[Any, int]) -> Any:
        """Write a sum of products with numbers."""
        total = _INDEX(0)
        for value, times in terms:
            total = self.builder.add(total, self.builder.mul(value, _INDEX(times)))
        return total

    def vector(self, base: Any, index: Any, lanes: int) -> Any:
        """Write the address of as many elements."""
        kind = ir.VectorType(self.number, lanes)
        return self.builder.bitcast(self.builder.gep(base, [index]), kind.as_pointer())

    def repeated(self, value: Any, lanes: int) -> Any:
        """Write a vector of which each element is a value."""
        nothing = ir.Constant(ir.VectorType(self.number, lanes), ir.Undefined)
        first = self.builder.insert_element(nothing, value, _LANE(0))
        return self.builder.shuffle_vector(first, nothing, ir.Constant(ir.VectorType(_LANE, lanes), None))

    def multiply_add(self, a: Any, b: Any, total: Any) -> Any:
        """Write ``total + a * b``, rounded once where the processor can."""
        name = f"llvm.fmuladd.v{a.type.count}f{8 * self.size}"
        function = cgutils.get_or_insert_function(
            self.builder.module, ir.FunctionType(a.type, [a.type] * 3), name
        )
        return self.builder.call(function, [a, b, total])


def _write(builder: Any, places: Sequence[Any], shape: tuple[int, ...], strides: tuple[int, ...]) -> None:
    """Write ``out[i*so + j] = sum over k of a[i*si + k*sk] * b[k*sb + j]``, from left to right."""
    (out, a, b), (rows, depth, columns), (so, si, sk, sb) = places, shape, strides
    write = _Writer(builder, out.type.pointee)
    size, most = _registers()

    def tile(row: Any, rows: int, column: Any, lanes: int, vectors: int) -> None:
        starts = [builder.add(row, _INDEX(r)) for r in range(rows)]
        across = [builder.add(column, _INDEX(v * lanes)) for v in range(vectors)]

        def step(k: Any, totals: list[Any]) -> list[Any]:
            right = [write.vector(b, write.index((k, sb), (j, 1)), lanes) for j in across]
            right = [builder.load(address, align=write.size) for address in right]
            found: list[Any] = []
            for i in starts:
                left = builder.load(builder.gep(a, [write.index((i, si), (k, sk))]))
                left = write.repeated(left, lanes)
                found += [write.multiply_add(left, x, totals[len(found) + v]) for v, x in enumerate(right)]
            return found

        nothing = ir.Constant(ir.VectorType(write.number, lanes), None)
        totals = iter(write.loop(depth, step, [nothing] * (rows * vectors)))
        for i in starts:
            for j in across:
                place = write.vector(out, write.index((i, so), (j, 1)), lanes)
                builder.store(next(totals), place, align=write.size)

    def panel(column: Any, lanes: int, vectors: int) -> None:
        high = min(rows, most // vectors)
        full, rest = divmod(rows, high)
        write.loop(full, lambda n, _: tile(write.index((n, high)), high, column, lanes, vectors) or [], [])
        if rest:
            tile(_INDEX(full * high), rest, column, lanes, vectors)

    first, lanes = 0, size // write.size
    while first < columns:
        while lanes > columns - first:
            lanes //= 2
        vectors = min(max(2, most // rows), (columns - first) // lanes)
        width = lanes * vectors
        times = (columns - first) // width

        def panels(n: Any, _: Any, at: tuple[int, ...] = (first, width, lanes, vectors)) -> list[Any]:
            panel(builder.add(write.index((n, at[1])), _INDEX(at[0])), *at[2:])
            return []

        write.loop(times, panels, [])
        first += width * times


@intrinsic(prefer_literal=True)
def tiles(
    typing: Any, out: Any, start: Any, a: Any, a_start: Any, b: Any, b_start: Any,
    rows: Any, depth: Any, columns: Any, so: Any, si: Any, sk: Any, sb: Any,
) -> Any:  # fmt: skip
    """As `functions.tiles`."""
    literals = rows, depth, columns, so, si, sk, sb
    numbers = [value.literal_value for value in literals]

    def write(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        places = [builder.gep(base, [at]) for base, at in zip(args[0:6:2], args[1:6:2])]
        _write(builder, places, tuple(numbers[:3]), tuple(numbers[3:]))
        return context.get_dummy_value()

    # Numba keeps what is written by these types, so the numbers stand among them.
    return types.void(out, types.intp, a, types.intp, b, types.intp, *literals), write
