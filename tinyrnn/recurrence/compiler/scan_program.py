"""A scan as a program: what goes in, the lines of one step, what comes out."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from tinyrnn.recurrence.compiler.program import CARRY, FIXED, INPUT, Program, Rewrite


@dataclasses.dataclass(frozen=True, eq=False)
class ScanProgram:
    """The program of a scan. All fields but the first are lines of the program.

    Attributes
    ----------
    program : Program
    consts : list of int
        What the step closes over: the same at every step.
    carry : list of int
        The carry at the beginning of the step.
    xs : list of int
        The inputs of the step.
    carry_out : list of int
        The carry at its end.
    ys : list of int
        The outputs of the step, stacked over time.
    sums : list of int
        The outputs of the step that are summed over time.
    saved : frozenset of int
        Which of the xs, by position, another scan has saved for this one, as this one wants them in memory.
    saving : int
        How many of the last ys are saved for another scan.
    """

    program: Program
    consts: list[int]
    carry: list[int]
    xs: list[int]
    carry_out: list[int]
    ys: list[int]
    sums: list[int]
    saved: frozenset[int] = frozenset()
    saving: int = 0

    @property
    def outputs(self) -> list[int]:
        """All outputs, in the order in which a record numbers them."""
        return [*self.carry_out, *self.ys, *self.sums]

    def begin(self, target: Program) -> dict[int, int]:
        """Write the scan's inputs into another program; return where each stands there."""
        at: dict[int, int] = {}
        for level, inputs in ((FIXED, self.consts), (CARRY, self.carry), (INPUT, self.xs)):
            for i in inputs:
                line = self.program.lines[i]
                at[i] = target.input(line.shape, line.dtype, level, line.name, line.bound)
        return at

    def finish(self, target: Program, at: dict[int, int]) -> ScanProgram:
        """Write what is not there yet of another program, of which ``at`` says where each line stands."""
        emit_lines(self.program, target, self.outputs, at)

        def there(part: list[int]) -> list[int]:
            return [at[i] for i in part]

        return dataclasses.replace(
            self,
            program=target,
            consts=there(self.consts),
            carry=there(self.carry),
            xs=there(self.xs),
            carry_out=there(self.carry_out),
            ys=there(self.ys),
            sums=there(self.sums),
        )


def rewrite(source: ScanProgram, rules: Iterable[Rewrite]) -> ScanProgram:
    """Write a scan's program once more, under other rewrites; what is not needed is left out."""
    target = Program(rules)
    return source.finish(target, source.begin(target))


def emit_lines(source: Program, target: Program, roots: Iterable[int], at: dict[int, int]) -> None:
    """Write what the roots need into another program; ``at`` says where lines stand there, and grows."""
    for i in source.needed(roots, at):
        line = source.lines[i]
        if line.primitive is not None:
            at[i] = target.emit(line.primitive, tuple(at[a] for a in line.args), line.params, line.scope)
        elif line.literal is not None:
            at[i] = target.literal(line.literal)
        if i in source.names:
            target.names.setdefault(at[i], source.names[i])
