"""Zeros that the compiler writes itself, around the gradients of slices."""

from __future__ import annotations

from typing import Any

from tinyrnn.autograd import primitives as p
from tinyrnn.recurrence.compiler.program import Program


def zeros(program: Program, shape: Any, dtype: Any) -> int:
    """Write zeros of a shape."""
    zero = program.emit(p.astype, (program.literal(0.0),), {"dtype": dtype})
    return program.emit(p.broadcast_to, (zero,), {"shape": shape}) if shape else zero


def is_zero(program: Program, i: int) -> bool:
    """Whether a line is zero everywhere, whatever the input."""
    line = program.lines[i]
    if line.primitive in (p.broadcast_to, p.astype, p.reshape, p.negative):
        return is_zero(program, line.args[0])
    return line.literal is not None and line.literal == 0
