"""Over blocks: which operations can run over many steps in one call, and with which parameters.

A block of values has time as its first axis. What is not listed here runs step by step, which is always
right.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinyrnn.autograd import primitives as p
from tinyrnn.recurrence.compiler.program import FIXED, Line

Rule = Callable[[Line, list[Line]], dict[str, Any] | None]


def in_blocks(line: Line, lines: list[Line]) -> dict[str, Any] | None:
    """Return the parameters of an operation when a time axis stands before all others.

    None where it cannot run so.
    """
    rule = _RULES.get(line.primitive)
    if rule is not None:
        return rule(line, lines)
    return line.params if line.primitive is not None and line.primitive.elementwise else None


def _unchanged(line: Line, lines: list[Line]) -> dict[str, Any]:
    return line.params


def _reduced(line: Line, lines: list[Line]) -> dict[str, Any]:
    """Shift the axes that are taken away, or along which values are normalised; None stands for all."""
    ndim, axis = len(lines[line.args[0]].shape), line.params.get("axis")
    axes = (
        range(ndim) if axis is None or ndim == 0 else (axis,) if isinstance(axis, (int, np.integer)) else axis
    )
    return {**line.params, "axis": tuple(int(a) % ndim + 1 for a in axes)}


def _along_one(line: Line, lines: list[Line]) -> dict[str, Any] | None:
    if line.params.get("axis") is None or not lines[line.args[0]].shape:
        return None
    (axis,) = _reduced(line, lines)["axis"]
    return {**line.params, "axis": axis}


def _matmul(line: Line, lines: list[Line]) -> dict[str, Any] | None:
    return line.params if all(len(lines[a].shape) >= 2 for a in line.args) else None


def _indexed(line: Line, lines: list[Line]) -> dict[str, Any] | None:
    if len(line.args) == 1:
        return {**line.params, "index": (slice(None), *line.params["index"])}
    # The look-up of an embedding: rows of a table that is the same at every step.
    table = line.primitive is p.getitem and lines[line.args[0]].level == FIXED
    return line.params if table and len(line.params["index"]) == 1 else None


def _convolved(line: Line, lines: list[Line]) -> dict[str, Any] | None:
    """By kernels that are the same at every step."""
    return line.params if lines[line.args[1]].level == FIXED else None


def _kernels(line: Line, lines: list[Line]) -> dict[str, Any] | None:
    """Keep the gradients of the kernels of each step apart."""
    if any(lines[a].level == FIXED for a in line.args):
        return None
    return {**line.params, "keep": line.params["keep"] + 1}


def _joined(line: Line, lines: list[Line]) -> dict[str, Any]:
    return {**line.params, "axis": line.params["axis"] + 1}


_RULES: dict[Any, Rule] = {
    **dict.fromkeys((p.reshape, p.broadcast_to, p.unfold, p.fold), _unchanged),
    # Of one operand, on its last axes, as NumPy's own functions for matrices.
    **dict.fromkeys(
        (p.tril, p.triu, p.cumsum, p.norm, p.argsort, p.inv, p.pinv, p.det, p.cofactors), _unchanged
    ),
    **dict.fromkeys((p.logabsdet, p.sign_of_det, p.cholesky, p.eigh, p.gaps, p.svd), _unchanged),
    **dict.fromkeys(
        (p.sum, p.mean, p.max, p.min, p.all, p.any, p.logsumexp, p.softmax, p.log_softmax), _reduced
    ),
    p.argmax: _along_one,
    p.argmin: _along_one,
    p.matmul: _matmul,
    p.getitem: _indexed,
    p.scatter: _indexed,
    p.conv: _convolved,
    p.conv_transpose: _convolved,
    p.conv_weight: _kernels,
    p.concatenate: _joined,
    p.stack: _joined,
    p.transpose: lambda line, lines: {"axes": (0, *(a + 1 for a in line.params["axes"]))},
}
