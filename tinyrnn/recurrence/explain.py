"""`explain`: what the compiler made of a call, read off the programs that ran."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.arguments import FUNCTION, checked
from tinyrnn.autograd.state import thread
from tinyrnn.recurrence.backend import chosen_backend
from tinyrnn.recurrence.compiled import CompiledDerivative, CompiledScan
from tinyrnn.recurrence.compiler.partition import Stage, TimeSum
from tinyrnn.recurrence.plan import Plan, PlanLine, ProgramPlan, ScanPlan
from tinyrnn.recurrence.running.runner import Runner
from tinyrnn.recurrence.running.views import is_view

_INFIX = {p.add: "+", p.subtract: "-", p.multiply: "*", p.divide: "/", p.power: "**", p.matmul: "@"}


@checked(function=FUNCTION)
def explain(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Plan:
    """Call a model, and return the plan of every scan that it compiled.

    Parameters
    ----------
    function : callable
        A model, or any function that calls `scan`.
    *args, **kwargs
        What to call it with.

    Returns
    -------
    Plan
        ``print(plan)`` shows, for the forward and the backward program of each scan, what runs once, before,
        in and after the loop, what is saved, and the number of NumPy calls per step.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> print(tr.explain(tr.nn.RNN(2, 3), tr.zeros((5, 1, 2))).scans[0].forward)  # doctest: +ELLIPSIS
    forward: 3 NumPy calls per step
    ...
    """
    modes = thread.modes
    outer, modes.compiled = modes.compiled, []
    try:
        function(*args, **kwargs)
        return Plan([_scan_plan(*found) for found in modes.compiled])
    finally:
        modes.compiled = outer


def _scan_plan(derivative: CompiledDerivative, steps: int, reverse: bool, scope: Any) -> ScanPlan:
    forward, backward = derivative.forward.runner, derivative.backward.runner
    outputs = len(forward.scan.ys) - derivative.saved
    names = _Names(forward)
    saved = {names.of(i): forward.lines[i].shape for i in forward.scan.ys[outputs:]}
    size = sum(
        math.prod(forward.lines[i].shape) * forward.lines[i].dtype.itemsize for i in forward.scan.ys[outputs:]
    )
    return ScanPlan(
        scope=scope.path() if scope is not None else "",
        steps=steps,
        forward=_program_plan("forward", derivative.forward, outputs, reverse),
        backward=_program_plan("backward", derivative.backward, len(backward.scan.ys), not reverse),
        saved=saved,
        bytes_saved=size * steps,
    )


def _program_plan(title: str, compiled: CompiledScan, outputs: int, reverse: bool) -> ProgramPlan:
    runner = compiled.runner
    names = _Names(runner)
    block = runner.block(2, False)
    lines = []
    for stage in Stage:
        for i in runner.parted.lines(stage):
            line = runner.lines[i]
            view = is_view(line, runner.lines)
            if not (view and i not in names.given) and not (stage is Stage.ONCE and names.is_number(i)):
                calls = 0 if view else block.calls_of(i) if stage is Stage.LOOP else 1
                scope = line.scope.path() if line.scope is not None else ""
                lines.append(PlanLine(stage.value, names.of(i), names.code(i), line.shape, calls, scope))
    plan = ProgramPlan(
        title,
        lines,
        carry={
            names.of(a): names.of(b) for a, b in zip(runner.scan.carry, runner.scan.carry_out, strict=True)
        },
        outputs=[names.of(i) for i in runner.scan.ys[:outputs]],
        sums=[names.sum(s) for s in runner.parted.sums],
        calls_per_step=block.calls_per_step,
        source=compiled.code.source(reverse),
        runs=compiled.code.runs(chosen_backend(), reverse),
    )
    runner.release(block)
    return plan


class _Names:
    """What the values of a program are called, and how its lines are written."""

    def __init__(self, runner: Runner) -> None:
        self.lines = runner.lines
        self.given = runner.scan.program.names

    def is_number(self, i: int) -> bool:
        """Whether a line is a number, or an array of one number, known to the compiler."""
        line = self.lines[i]
        if line.primitive in (p.broadcast_to, p.astype, p.add, p.concatenate):
            return all(self.is_number(a) for a in line.args)
        return line.literal is not None

    def of(self, i: int) -> str:
        """Return a value's name; a view is written as what it looks at."""
        line = self.lines[i]
        if line.literal is not None:
            return f"{line.literal:g}"
        if line.primitive is None:
            return line.name or f"in{i}"
        if self.is_number(i):
            return self._number(i)
        if i not in self.given and is_view(line, self.lines):
            return self._view(i)
        return self.given.get(i) or f"v{i}"

    def _number(self, i: int) -> str:
        line = self.lines[i]
        if line.primitive is p.concatenate:
            return "[" + ", ".join(self._number(a) for a in line.args) + "]"
        if line.primitive is p.add:
            zero, number = (self._number(a) for a in line.args)
            return number if zero == "0" else zero
        return self._number(line.args[0]) if line.args else f"{line.literal:g}"

    def _view(self, i: int) -> str:
        line = self.lines[i]
        below = self.of(line.args[0])
        if line.primitive is p.transpose:
            return below[:-2] if below.endswith(".T") else f"{below}.T"
        if line.primitive is p.getitem:
            return f"{below}[{', '.join(_index(item) for item in line.params['index'])}]"
        return below

    def code(self, i: int) -> str:
        """Return the tensor code of a line."""
        line = self.lines[i]
        if is_view(line, self.lines):
            return self._view(i)
        args = [self.of(a) for a in line.args]
        if line.primitive in _INFIX:
            return f" {_INFIX[line.primitive]} ".join(args)
        assert line.primitive is not None
        if line.primitive is p.negative:
            return f"-{args[0]}"
        extra = [f"{k}={v}" for k, v in line.params.items() if k in ("axis", "keepdims", "shape", "dtype")]
        return f"{line.primitive.name}({', '.join([*args, *extra])})"

    def sum(self, part: TimeSum | int) -> str:
        """Return the code of a sum over time."""
        if isinstance(part, int):
            return self.of(part)
        if part.kind == "product":
            return f"{self.of(part.line)}.T @ {self.of(part.other)}"
        if part.kind == "rows":
            return f"rows of {self.of(part.line)}"
        if part.kind == "apply":
            below = [self.sum(b) for b in part.below]
            if part.primitive is p.transpose:
                return f"({below[0]}).T"
            return f"{part.primitive.name}({', '.join(below)})"
        return self.of(part.line)


def _index(item: Any) -> str:
    if isinstance(item, slice):
        return f"{'' if item.start is None else item.start}:{'' if item.stop is None else item.stop}"
    return "..." if item is Ellipsis else str(item)
