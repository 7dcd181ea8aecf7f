"""Ranges: between which numbers a value lies, whatever the inputs. Rewrites of floats ask for them as proofs.

Interval arithmetic (Moore 1966) over the lines of a program. NaN stands outside: where a value is NaN, so is
every result that the rewrites make of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tinyrnn.autograd import primitives as p
from tinyrnn.recurrence.compiler.program import CARRY_GRAD, Line, Program

Range = tuple[float, float]
EVERYTHING: Range = (-math.inf, math.inf)
UNIT: Range = (0.0, 1.0)


def magnitude(program: Program, i: int) -> float:
    """Return a number that no absolute value of a line exceeds; infinity where none is known."""
    low, high = value_range(program, i)
    return max(-low, high)


def value_range(program: Program, i: int) -> Range:
    """Return the least and the greatest value that a line can have."""
    known = program.ranges
    for j in program.needed([i], given=known):
        line = program.lines[j]
        rule = _RULES.get(line.primitive)
        low, high = _given(line) if rule is None else rule(line, *(known[a] for a in line.args))
        # A sum of infinities of either sign says nothing.
        known[j] = EVERYTHING if math.isnan(low) or math.isnan(high) else (low, high)
    return known[i]


def is_absorbed(program: Program, i: int) -> bool:
    """Whether a value, added to any finite one, gives a finite one.

    Less than half an ulp of the largest number carries nothing over. A number that stands alone takes the
    dtype of what it meets; the smallest one is looked at.
    """
    line = program.lines[i]
    info = np.finfo(line.dtype if line.dtype.kind == "f" and line.literal is None else np.float16)
    return magnitude(program, i) <= float(info.max) * float(info.eps) / 8


def terms_meet(program: Program, k1: int, k2: int) -> bool:
    """Whether ``u + (k1 + k2)`` may stand for ``(u + k1) + k2``: the known sum overflows nowhere."""
    return is_absorbed(program, k1) or is_absorbed(program, k2)


def factors_meet(program: Program, u: int, k1: int, k2: int) -> bool:
    """Whether ``u * (k1 * k2)`` may stand for ``(u * k1) * k2``: neither makes anything larger.

    Then ``k1 * k2`` overflows nowhere, nor did ``u * k1``, and what underflows in it is lost beside ``u``.
    Of a gradient it is enough that one of the two is such, as long as neither is a number that somebody
    wrote: those may undo each other (``h * 1e-30 * 1e30``).
    """
    sizes = sorted((magnitude(program, k1), magnitude(program, k2)))
    number = any(program.lines[k].literal is not None for k in (k1, k2))
    gradient = program.lines[u].level == CARRY_GRAD
    return sizes[0 if gradient and not number else 1] <= 1


def _given(line: Line) -> Range:
    """Return what is known of a value by its kind alone."""
    if line.literal is not None:
        return float(line.literal), float(line.literal)
    if line.primitive is None and line.dtype.kind == "f":
        return -line.bound, line.bound
    if line.dtype.kind == "b":
        return UNIT
    if line.dtype.kind in "iu":
        return float(np.iinfo(line.dtype).min), float(np.iinfo(line.dtype).max)
    return EVERYTHING


def _product(line: Line, a: Range, b: Range) -> Range:
    # 0 * infinity is a bound times a value that is finite: 0.
    ends = [x * y if x and y else 0.0 for x in a for y in b]
    if len(line.args) == 2 and line.args[0] == line.args[1]:
        return 0.0, max(ends)
    return min(ends), max(ends)


def _union(line: Line, *ranges: Range) -> Range:
    return min(low for low, _ in ranges), max(high for _, high in ranges)


def _same(line: Line, x: Range, *_: Range) -> Range:
    return x


def _floating(rule: Callable[..., Range]) -> Callable[..., Range]:
    """Let a rule hold for floats only: integers wrap around."""
    return lambda line, *ranges: rule(line, *ranges) if line.dtype.kind == "f" else _given(line)


_RULES: dict[Any, Callable[..., Range]] = {
    p.add: _floating(lambda line, a, b: (a[0] + b[0], a[1] + b[1])),
    p.subtract: _floating(lambda line, a, b: (a[0] - b[1], a[1] - b[0])),
    p.multiply: _floating(_product),
    p.negative: _floating(lambda line, x: (-x[1], -x[0])),
    **dict.fromkeys((p.tanh, p.sin, p.cos, p.erf), _floating(lambda line, x: (-1.0, 1.0))),
    p.sigmoid: _floating(lambda line, x: UNIT),
    p.softmax: _floating(lambda line, x: UNIT),
    p.relu: _floating(lambda line, x: (0.0, max(x[1], 0.0))),
    p.maximum: _floating(lambda line, a, b: (max(a[0], b[0]), max(a[1], b[1]))),
    p.minimum: _floating(lambda line, a, b: (min(a[0], b[0]), min(a[1], b[1]))),
    p.where: _floating(lambda line, condition, a, b: _union(line, a, b)),
    p.concatenate: _floating(_union),
    p.stack: _floating(_union),
    p.astype: _floating(_same),
    **dict.fromkeys(
        (p.reshape, p.transpose, p.broadcast_to, p.getitem, p.detach, p.mean, p.max, p.min), _floating(_same)
    ),
}
