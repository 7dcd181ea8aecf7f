"""Matrix products: in tiles where they are small, by BLAS where they are large; of stacks, as loops."""

from __future__ import annotations

import dataclasses
import math

from tinyrnn.autograd.primitive import Shape
from tinyrnn.recurrence.running.native.nests import INDENT, VARIABLES, Access, merged
from tinyrnn.recurrence.running.native.places import Place

MOST_IN_TILES = 1 << 18  # multiplications: beyond, BLAS is as fast, and takes all cores


def in_tiles(shape: Shape, depth: int) -> bool:
    """Whether a product of this shape is a small one."""
    return 0 < math.prod(shape) * depth <= MOST_IN_TILES


def product(out: Access, a: Access, b: Access, dot: str) -> list[str]:
    """Write ``out = a @ b``; ``dot``: the function for their dtype, empty where BLAS does not know it."""
    if dot and len(a.place.shape) == len(b.place.shape) == len(out.place.shape) == 2:
        found = _tiles(out, a, b) or _blas(out, a, b, dot)
        if found:
            return [found]
    return _loops(out, a, b)


def _tiles(out: Access, a: Access, b: Access) -> str:
    """Write a product that is small; an empty string where neither of its axes has the memory's order."""
    if not in_tiles(out.place.shape, a.place.shape[1]):
        return ""
    forms = [(out, a, b), tuple(Access(x.array, x.place.transposed) for x in (out, b, a))]
    forms = [f for f in forms if all(x.place.strides[1] == 1 or x.place.shape[1] == 1 for x in (f[0], f[2]))]
    if not forms:
        return ""
    out, a, b = max(forms, key=lambda form: form[0].place.shape[1])
    places = ", ".join(x.start for x in (out, a, b))
    numbers = [*a.place.shape, b.place.shape[1], out.place.strides[0], *a.place.strides, b.place.strides[0]]
    return f"tiles({places}, {', '.join(map(str, numbers))})"


def _blas(out: Access, a: Access, b: Access, dot: str) -> str:
    """Write a product that BLAS takes; an empty string where elements lie apart."""
    rows, depth, columns = *a.place.shape, b.place.shape[1]
    if not out.place.in_rows:
        out, a, b = (Access(x.array, x.place.transposed) for x in (out, b, a))
    # A matrix times a vector is another function of BLAS, which looks along one axis only.
    vector = depth > 1 and (rows == 1) != (columns == 1)
    found = [_matrix(x, vector=vector and 1 in x.place.shape) for x in (a, b, out)]
    return f"{dot}({', '.join(found)})" if out.place.in_rows and all(found) else ""


def _matrix(x: Access, *, vector: bool) -> str:
    """Write a matrix as BLAS takes it; an empty string where its elements lie apart."""
    rows, columns = x.place.shape
    if x.place.in_rows:
        return x.part("vector", rows * columns) if vector else x.part("matrix", rows, columns)
    return f"{x.part('matrix', columns, rows)}.T" if x.place.transposed.in_rows else ""


def _loops(out: Access, a: Access, b: Access) -> list[str]:
    """Write a product of stacks of matrices as loops; the innermost goes along the memory of the result."""
    places = [x.place for x in (out, a, b)]
    rows, columns = len(places[1].shape) > 1, len(places[2].shape) > 1
    a_place = places[1] if rows else with_axis(places[1], 0)
    b_place = places[2] if columns else with_axis(places[2], 1)
    o_place = places[0]
    if not columns:
        o_place = with_axis(o_place, len(o_place.shape))
    if not rows:
        o_place = with_axis(o_place, len(o_place.shape) - 1)
    depth, full = a_place.shape[-1], o_place.shape
    left = a_place.spread((*full[:-1], depth))
    right = b_place.spread((*full[:-2], depth, full[-1]))
    none = 0
    loops = merged(
        full,
        [(*left.strides[:-1], none), (*right.strides[:-2], none, right.strides[-1]), o_place.strides],
    )
    along = (left.strides[-1], right.strides[-2])
    return _written(out, a, b, (o_place, left, right), loops, depth, along)


def _written(
    out: Access,
    a: Access,
    b: Access,
    places: tuple[Place, Place, Place],
    loops: list[tuple[int, tuple[int, ...]]],
    depth: int,
    along: tuple[int, int],
) -> list[str]:
    o, x, y = (Access(access.array, place) for access, place in zip((out, a, b), places))
    names = [name for name in VARIABLES if name != "k"][: len(loops)]
    outer = list(zip(names, loops))[:-1]
    text: list[str] = []
    indent = ""
    for name, (length, _) in outer:
        text.append(f"{indent}for {name} in range({length}):")
        indent += INDENT

    def at(k: int, inside: bool) -> list[tuple[str, int]]:
        chosen = list(zip(names, loops)) if inside else outer
        return [(name, strides[k]) for name, (_, strides) in chosen]

    zero = f"{o.index(at(2, True))} = 0"
    last = loops[-1] if loops else (1, (0, 0, 0))
    name = names[-1] if loops else "i"
    head = f"for {name} in range({last[0]}):"
    text += [f"{indent}{head}", f"{indent}{INDENT}{zero}"]
    text.append(f"{indent}for k in range({depth}):")
    deeper = indent + INDENT
    left = x.index([*at(0, True), ("k", along[0])])
    right = y.index([*at(1, True), ("k", along[1])])
    total = o.index(at(2, True))
    text += [f"{deeper}{head}", f"{deeper}{INDENT}{total} = multiply_add({total}, {left}, {right})"]
    return text


def with_axis(place: Place, axis: int) -> Place:
    """Return a place with one more axis, of length 1."""
    shape, strides = list(place.shape), list(place.strides)
    shape.insert(axis, 1)
    strides.insert(axis, 0)
    return dataclasses.replace(place, shape=tuple(shape), strides=tuple(strides))
