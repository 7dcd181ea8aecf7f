"""Differentiation: from the program of a scan to that of its gradient, itself a scan, run in reverse.

Given the values of the forward pass, the backward step is linear in the gradients that come in: its carry is
the gradient of the carry, and the gradient of what the step closes over is a sum over time.
"""

from __future__ import annotations

import dataclasses

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.backward import fit
from tinyrnn.recurrence.compiler.program import CARRY_GRAD, OUTPUT_GRAD, Program, Symbol
from tinyrnn.recurrence.compiler.rewrites import REWRITES
from tinyrnn.recurrence.compiler.saving import saved_values
from tinyrnn.recurrence.compiler.scan_program import ScanProgram, rewrite
from tinyrnn.recurrence.compiler.zeros import is_zero, zeros


@dataclasses.dataclass(frozen=True, eq=False)
class Derivative:
    """A scan that also gives what its gradient needs, and the scan that is its gradient.

    Attributes
    ----------
    forward : ScanProgram
        The scan, with the saved values as further ``ys``.
    saved : int
        How many.
    backward : ScanProgram
        To be run the other way. Its consts are those of the scan, then the gradients of its sums; its xs are
        those of the scan, then the saved values, then the gradients of its ys; its carry is the gradient of
        the carry. It gives the gradients of the first carry, as ys those of the xs wanted, as sums those of
        the consts wanted.
    wanted_consts, wanted_xs : list of int
        Which consts and xs, by position, get a gradient.
    """

    forward: ScanProgram
    saved: int
    backward: ScanProgram
    wanted_consts: list[int]
    wanted_xs: list[int]


def differentiate(scan: ScanProgram, wanted_consts: list[int], wanted_xs: list[int]) -> Derivative:
    """Derive the gradient of a scan, and part the work in what the forward pass can do and what must wait."""
    scan = rewrite(scan, REWRITES)
    program, lines = scan.program, scan.program.lines

    def gradient_inputs(outputs: list[int], level: int) -> list[int]:
        return [program.input(lines[i].shape, lines[i].dtype, level, f"d{lines[i].name}") for i in outputs]

    carry_grads = gradient_inputs(scan.carry, CARRY_GRAD)
    y_grads = gradient_inputs(scan.ys, OUTPUT_GRAD)
    # Those of the sums are known from the first step on, but not in the forward pass.
    sum_grads = gradient_inputs(scan.sums, OUTPUT_GRAD)
    targets = [*scan.carry, *(scan.consts[i] for i in wanted_consts), *(scan.xs[i] for i in wanted_xs)]
    incoming = zip(scan.outputs, [*carry_grads, *y_grads, *sum_grads], strict=True)
    found = _backpropagate(program, list(incoming), targets)

    def gradient(i: int) -> int:
        return found[i] if i in found else zeros(program, lines[i].shape, lines[i].dtype)

    carry_out = [gradient(i) for i in scan.carry]
    sums = [gradient(scan.consts[i]) for i in wanted_consts]
    ys = [gradient(scan.xs[i]) for i in wanted_xs]

    saved = saved_values(program, [*carry_out, *sums, *ys], {*scan.consts, *scan.xs, *sum_grads})
    for n, i in enumerate(saved):  # both programs call them the same
        program.names.setdefault(i, lines[i].name or f"k{n}")
    forward = dataclasses.replace(scan, ys=[*scan.ys, *saved], saving=len(saved))
    backward = ScanProgram(
        program,
        consts=[*scan.consts, *sum_grads],
        carry=carry_grads,
        xs=[*scan.xs, *saved, *y_grads],
        carry_out=carry_out,
        ys=ys,
        sums=sums,
        saved=scan.saved | {len(scan.xs) + n for n in range(len(saved))},
    )
    for i in (*backward.consts, *backward.carry, *backward.xs):  # as inputs they keep their names
        lines[i] = lines[i]._replace(name=program.names.get(i, lines[i].name))
    return Derivative(
        forward=rewrite(forward, REWRITES),
        saved=len(saved),
        backward=rewrite(backward, REWRITES),
        wanted_consts=wanted_consts,
        wanted_xs=wanted_xs,
    )


def _backpropagate(program: Program, incoming: list[tuple[int, int]], targets: list[int]) -> dict[int, int]:
    """Write the reverse pass over the lines written so far; return the line of each gradient."""
    lines = program.lines
    found: dict[int, int] = {}

    def add(i: int, g: int) -> None:
        found[i] = program.emit(p.add, (found[i], g), {}) if i in found else g

    for output, g in incoming:
        if lines[output].dtype.kind == "f":
            add(output, g)
    useful = set(targets)
    order = program.needed([output for output, _ in incoming])
    for i in order:
        if not useful.isdisjoint(lines[i].args):
            useful.add(i)
    for i in reversed(order):
        line = lines[i]
        if i not in found or i not in useful or line.primitive is None or is_zero(program, found[i]):
            continue
        args = program.symbols(line.args)
        for position, source in enumerate(line.args):
            rule = line.primitive.rule(position)
            if rule is None or source not in useful or lines[source].dtype.kind != "f":
                continue
            kept = rule.pick(Symbol(program, i), args, line.params)
            part = rule.vjp(Symbol(program, found[i]), *kept)
            if part.shape != lines[source].shape:
                part = fit(part, lines[source].shape)
            add(source, part.astype(lines[source].dtype).index)
    return {i: g for i, g in found.items() if i in useful}
