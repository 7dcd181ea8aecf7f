"""The steps of a compiled scan run once more, one by one: to be drawn, to find a NaN, or as a last resort."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyrnn.autograd.functions import stack
from tinyrnn.autograd.state import Scope, moved, scope, thread
from tinyrnn.autograd.tensor import Tensor, followed
from tinyrnn.recurrence.compiler.scan_program import ScanProgram
from tinyrnn.recurrence.tree import state_names


def record_steps(
    scan: ScanProgram,
    outputs: int,
    operands: Sequence[Tensor],
    times: range,
    outer: Scope | None,
    *,
    name_values: bool = False,
) -> list[Tensor]:
    """Record the steps of a scan one by one.

    Parameters
    ----------
    scan : ScanProgram
        What is left out of it is values that were only saved for the gradient.
    outputs : int
        How many outputs it has without those.
    operands : sequence of Tensor
        The consts, the carry, and the xs of the steps in ``times``, in rising order of time.
    times : range
        The steps in the order in which they run.
    outer : Scope or None
        Where the scan itself was run.
    name_values : bool
        Name values as drawings want it.

    Returns
    -------
    list of Tensor
        The carry, the ys, the sums.
    """
    lines, names = scan.program.lines, scan.program.names
    first_carry, first_x = len(scan.consts), len(scan.consts) + len(scan.carry)
    fixed = dict(zip(scan.consts, operands[:first_carry], strict=True))
    carry, xs = [followed(each) for each in operands[first_carry:first_x]], operands[first_x:]
    ys_lines = scan.ys[: outputs - len(scan.carry_out) - len(scan.sums)]
    order = scan.program.needed([*scan.carry_out, *ys_lines, *scan.sums])
    words = [re.findall(r"[^\W\d]\w*", lines[i].name) for i in scan.carry]  # of "carry.h", say
    called = state_names(found[-1] if len(found) > 1 else "" for found in words)
    ys: list[list[Tensor]] = [[] for _ in ys_lines]
    sums: list[Any] = []
    first = min(times[0], times[-1])
    modes = thread.modes
    before = modes.scope
    try:
        modes.scope = outer
        for t in times:
            with scope(step=t), np.errstate(all="ignore"):
                inside: dict[int, Any] = {id(None): modes.scope}
                here: dict[int, Any] = {**fixed, **dict(zip(scan.carry, carry, strict=True))}
                here.update((i, x[t - first]) for i, x in zip(scan.xs, xs, strict=True) if i in order)
                for i in order:
                    primitive = lines[i].primitive
                    if lines[i].literal is not None:
                        here[i] = lines[i].literal
                    elif primitive is not None:
                        args = [here[a] for a in lines[i].args]
                        if not any(isinstance(arg, Tensor) for arg in args):
                            args = [np.asarray(arg) for arg in args]
                        modes.scope = moved(lines[i].scope, inside)
                        made = primitive(*args, **lines[i].params)
                        here[i] = made if isinstance(made, Tensor) else Tensor(np.asarray(made))
                        if name_values:
                            here[i].name = names.get(i, "") if i not in scan.carry_out else ""
                carry = [here[i] for i in scan.carry_out]
                if name_values:
                    for value, name in zip(carry, called, strict=True):
                        value.name = value.name or name
                    for i in ys_lines:
                        here[i].name = here[i].name or "y"
                for y, i in zip(ys, ys_lines, strict=True):
                    y.append(here[i])
                sums = (
                    [a + here[i] for a, i in zip(sums, scan.sums)] if sums else [here[i] for i in scan.sums]
                )
        stacked = [stack(y if times.step > 0 else y[::-1]) for y in ys]
    finally:
        modes.scope = before
    return [*carry, *stacked, *sums]
