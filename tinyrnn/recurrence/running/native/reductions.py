"""Reductions, and what normalises along axes, as loops. Sums add in the order of the memory."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from tinyrnn.autograd import primitives as p
from tinyrnn.recurrence.compiler.program import Line
from tinyrnn.recurrence.running.native.expressions import DTYPES
from tinyrnn.recurrence.running.native.nests import INDENT, VARIABLES, Access, nest

_LARGER = "{x} if ({x} > {top}) | ({x} != {x}) else {top}"
_SMALLER = "{x} if ({x} < {top}) | ({x} != {x}) else {top}"


def reduces(line: Line, lines: list[Line]) -> bool:
    """Whether a line is a reduction that can be written as loops."""
    if line.primitive not in _WRITERS or line.dtype not in DTYPES or line.dtype.kind == "b":
        return False
    x = lines[line.args[0]]
    counts = line.primitive is p.sum and line.dtype.kind == "i" and x.dtype.kind in "ib"
    return x.dtype in DTYPES and bool(x.shape) and (counts or (x.dtype == line.dtype and x.dtype.kind == "f"))


def reduction(line: Line, out: Access, x: Access) -> list[str]:
    """Write a reduction of ``x``."""
    ndim, axis = len(x.place.shape), line.params.get("axis")
    axes = range(ndim) if axis is None else (axis,) if isinstance(axis, (int, np.integer)) else axis
    taken = tuple(sorted(int(a) % ndim for a in axes))
    return _WRITERS[line.primitive](_Reduction(out, x, taken, DTYPES[line.dtype]))


@dataclasses.dataclass(frozen=True)
class _Reduction:
    out: Access
    x: Access
    axes: tuple[int, ...]
    dtype: str

    @property
    def kept(self) -> Access:
        """The result with the shape of ``x``: all elements that are reduced are in one place."""
        place, shape = self.out.place, self.x.place.shape
        strides = list(place.strides)
        if len(place.shape) == len(shape):  # with the reduced axes, of length 1
            strides = [0 if a in self.axes else s for a, s in enumerate(strides)]
        else:
            for a in self.axes:
                strides.insert(a, 0)
        return Access(self.out.array, dataclasses.replace(place, shape=shape, strides=tuple(strides)))

    def fold(self, start: str, step: str) -> list[str]:
        """Write ``out = start``, and for each element ``out = step``."""
        fill = nest(self.out.place.shape, {}, [], [(self.out, start)])
        # The order of the loops is that of the last access: the memory of x.
        total = self.kept
        text = nest(
            self.x.place.shape,
            {"total": total, "x": self.x},
            [f"total = {step}"],
            [(total, "total")],
            order=self.x.place.strides,
        )
        return fill + text

    def rows(self, body: Callable[[Callable[[Access], str]], list[tuple[str, bool]]]) -> list[str]:
        """Write loops over the axes that stay, and inside them lines, some of them loops along the others.

        ``body(at)`` returns lines, and whether each is for all elements of a row; ``at(access)`` is one of
        these.
        """
        shape = self.x.place.shape
        outer = [a for a in range(len(shape)) if a not in self.axes]
        names = dict(zip([*outer, *self.axes], VARIABLES))

        def at(access: Access) -> str:
            return access.index([(names[a], s) for a, s in enumerate(access.place.strides)])

        text = [f"{INDENT * n}for {names[a]} in range({shape[a]}):" for n, a in enumerate(outer)]
        indent = INDENT * len(outer)
        for line, along in body(at):
            deeper = indent
            if along:
                for a in self.axes:
                    text.append(f"{deeper}for {names[a]} in range({shape[a]}):")
                    deeper += INDENT
            text.append(deeper + line)
        return text


def _sum(r: _Reduction) -> list[str]:
    return r.fold(f"{r.dtype}(0)", f"total + {r.dtype}(x)" if r.dtype == "int64" else "total + x")


def _mean(r: _Reduction) -> list[str]:
    count = int(np.prod([r.x.place.shape[a] for a in r.axes]))
    share = nest(r.out.place.shape, {"total": r.out}, [], [(r.out, f"total / {r.dtype}({count})")])
    return _sum(r) + share


def _max(r: _Reduction) -> list[str]:
    return r.fold("-inf", _LARGER.format(x="x", top="total"))


def _min(r: _Reduction) -> list[str]:
    return r.fold("inf", _SMALLER.format(x="x", top="total"))


def _top(r: _Reduction, at: Callable[[Access], str]) -> list[tuple[str, bool]]:
    return [(f"top = {r.dtype}(-inf)", False), (f"top = {_LARGER.format(x=at(r.x), top='top')}", True)]


def _softmax(r: _Reduction) -> list[str]:
    bits = r.dtype[-2:]

    def body(at: Callable[[Access], str]) -> list[tuple[str, bool]]:
        x, y = at(r.x), at(r.out)
        return [
            *_top(r, at),
            (f"{y} = exp{bits}({x} - top)", True),
            (f"total = {r.dtype}(0)", False),
            (f"total = total + {y}", True),
            (f"{y} = {y} / total", True),
        ]

    return r.rows(body)


def _log_sum(r: _Reduction, at: Callable[[Access], str]) -> list[tuple[str, bool]]:
    """Write the logarithm of the sum of exponentials, as `forwards.logsumexp` does."""
    return [
        *_top(r, at),
        (f"top = top if abs(top) < inf else {r.dtype}(0)", False),
        (f"total = {r.dtype}(0)", False),
        (f"total = total + exp{r.dtype[-2:]}({at(r.x)} - top)", True),
        ("total = np.log(total) + top", False),
    ]


def _log_softmax(r: _Reduction) -> list[str]:
    return r.rows(lambda at: [*_log_sum(r, at), (f"{at(r.out)} = {at(r.x)} - total", True)])


def _logsumexp(r: _Reduction) -> list[str]:
    return r.rows(lambda at: [*_log_sum(r, at), (f"{at(r.kept)} = total", False)])


_WRITERS: dict[Any, Callable[[_Reduction], list[str]]] = {
    p.sum: _sum,
    p.mean: _mean,
    p.max: _max,
    p.min: _min,
    p.softmax: _softmax,
    p.log_softmax: _log_softmax,
    p.logsumexp: _logsumexp,
}
