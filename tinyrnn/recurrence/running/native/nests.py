"""Nests of loops over the elements of values: as few loops as the places of the values allow."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from tinyrnn.autograd.primitive import Shape
from tinyrnn.recurrence.running.native.places import Place

INDENT = "    "
VARIABLES = ("i", "j", "k", "l", "m", "n", "i6", "i7", "i8", "i9")  # of loops, from the outermost


@dataclasses.dataclass(frozen=True)
class Access:
    """An array of the code, and where a value is in it."""

    array: str
    place: Place

    def index(self, loops: Sequence[tuple[str, int]]) -> str:
        """Write the place of an element; ``loops`` are a variable and a stride each."""
        return f"{self.array}[{self._place(loops)}]"

    @property
    def start(self) -> str:
        """The array, and where in it a step begins."""
        return f"{self.array}, {self._place()}"

    def part(self, kind: str, *shape: int) -> str:
        """Write the elements of one step, which lie without gaps, as a "vector" or a "matrix"."""
        return f"{kind}({self.start}, {', '.join(map(str, shape))})"

    def _place(self, loops: Sequence[tuple[str, int]] = ()) -> str:
        terms = [_times("t", self.place.lead), str(self.place.offset or "")]
        terms += [_times(name, stride) for name, stride in loops]
        return " + ".join(term for term in terms if term) or "0"


def _times(name: str, stride: int) -> str:
    return "" if stride == 0 else name if stride == 1 else f"{name}*{stride}"


def nest(
    shape: Shape,
    reads: dict[str, Access],
    code: Sequence[str],
    stores: Sequence[tuple[Access, str]],
    order: tuple[int, ...] | None = None,
) -> list[str]:
    """Write loops over a shape, in which values are read, worked out, and stored.

    Axes are in the order in which the last value that is stored lies in memory (or in that of the strides
    ``order``), the last one innermost; two that are one in the memory of all values become one loop.
    """
    accesses = [*reads.values(), *(access for access, _ in stores)]
    axes = merged(shape, [access.place.strides for access in accesses], order)
    variables = VARIABLES[: len(axes)]
    lines = [f"{INDENT * n}for {variables[n]} in range({length}):" for n, (length, _) in enumerate(axes)]
    inside = INDENT * len(axes)

    def at(k: int) -> list[tuple[str, int]]:
        return [(variables[n], strides[k]) for n, (_, strides) in enumerate(axes)]

    lines += [f"{inside}{name} = {access.index(at(k))}" for k, (name, access) in enumerate(reads.items())]
    lines += [f"{inside}{line}" for line in code]
    lines += [
        f"{inside}{access.index(at(len(reads) + k))} = {value}" for k, (access, value) in enumerate(stores)
    ]
    return lines


def merged(
    shape: Shape, strides: Sequence[tuple[int, ...]], order: tuple[int, ...] | None = None
) -> list[tuple[int, tuple[int, ...]]]:
    """Return the loops over a shape, from the outermost: each its length, and the stride of each value."""
    leading = strides[-1] if order is None else order
    axes = [n for n in range(len(shape)) if shape[n] != 1]
    axes.sort(key=lambda n: -abs(leading[n]))
    loops: list[tuple[int, tuple[int, ...]]] = []
    for n in axes:
        here = tuple(s[n] for s in strides)
        if loops:
            length, outer = loops[-1]
            if all(a == b * shape[n] for a, b in zip(outer, here)):
                loops[-1] = (length * shape[n], here)
                continue
        loops.append((shape[n], here))
    return loops
