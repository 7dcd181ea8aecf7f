"""Connected: which inputs of a scan the gradient reaches, from the outputs that have one.

The gradient's scan works with zeros where there is no gradient. In the recorded form such a path does not
exist: a parameter that the loss does not depend on has no gradient, rather than one of zeros, or of 0 * NaN.
"""

from __future__ import annotations

from collections.abc import Iterable

from tinyrnn.recurrence.compiler.scan_program import ScanProgram


def connected(scan: ScanProgram, outputs: Iterable[int], steps: int) -> set[int]:
    """Return the inputs that the gradient reaches.

    Parameters
    ----------
    scan : ScanProgram
    outputs : iterable of int
        Which outputs have a gradient, by their positions among the carry, the ys and the sums.
    steps : int
        T: through a chain of carries the gradient gets as far as there are steps.

    Returns
    -------
    set of int
        Lines of the program: consts, xs, and those of the carry whose first value is reached.
    """
    used = set(outputs)
    every_step = [i for n, i in enumerate(scan.outputs[len(scan.carry) :], len(scan.carry)) if n in used]
    carried = frozenset(k for k in range(len(scan.carry)) if k in used)
    found: set[int] = set()
    seen: dict[frozenset[int], int] = {}
    order: list[frozenset[int]] = []
    while carried not in seen and len(order) < steps:
        seen[carried] = len(order)
        order.append(carried)
        reached = _reached(scan, [*every_step, *(scan.carry_out[k] for k in carried)])
        found |= reached
        carried = frozenset(k for k, i in enumerate(scan.carry) if i in reached)
    if len(order) < steps:  # from here on it goes round
        first = seen[carried]
        carried = order[first + (steps - first) % (len(order) - first)]
    return found.difference(scan.carry) | {scan.carry[k] for k in carried}


def _reached(scan: ScanProgram, roots: list[int]) -> set[int]:
    """Return the lines that the gradient reaches within a step."""
    lines = scan.program.lines
    found = {i for i in roots if lines[i].dtype.kind == "f"}
    stack = list(found)
    while stack:
        line = lines[stack.pop()]
        for position, i in enumerate(line.args):
            carries = line.primitive is not None and line.primitive.rule(position) is not None
            if carries and i not in found and lines[i].dtype.kind == "f":
                found.add(i)
                stack.append(i)
    return found
