"""The small print in boxes: shapes and types always, values and gradients where they were kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from tinyrnn.autograd.tape import Constant, Leaf
from tinyrnn.draw.choices import LEVELS, Options
from tinyrnn.draw.reading.records import Record
from tinyrnn.draw.reading.unroll import Unrolled
from tinyrnn.draw.text import TYPES, matrix, number, summary, type_of
from tinyrnn.draw.viewing.view import Box, View

__all__ = ["add_captions", "missing", "operation_lines", "speakers"]

Unsaid = set[tuple[str, str]]  # boxes and carries


def add_captions(view: View, unrolled: Unrolled, options: Options, opened: frozenset[int]) -> None:
    """Write the lines of all boxes; ``opened`` are the steps that are shown operation by operation."""
    bare = options.style == "textbook"  # says nothing of what a box is and is made of
    roots = set(unrolled.roots)
    unsaid = _unsaid(view)
    for box in view.boxes.values():
        if box.kind == "fold":
            continue
        if not bare and box.kind in ("cell", "module") and view.level != "op" and box.unit in unrolled.units:
            unit = unrolled.units[box.unit]
            said = {"", box.title.split(" ")[0], "cell"}
            whole = len(box.key) and view.level != "gate"
            box.lines += [word for word in (unit.name, unit.kind) if whole and word not in said][:1]
        if unrolled.steps and view.level in LEVELS[3:] and box.kind != "state":
            _say_steps(box, view, unrolled, speakers(box, roots), options, unsaid)
            continue
        _say_values(box, view, roots, options, opened, unsaid)
        if box.kind == "op" and len(box.members) == 1 and box.title in ("+", "−", "×", "÷", "power"):
            _with_number(box)
        several = view.level == "gate" and len(box.members) > 1
        if not bare and several and box.kind in ("gate", "product", "cell"):
            box.lines.insert(0, _made_of(box))
        if box.kind == "loss" and len(box.members) > 1 and box.id == "loss":
            terms = {s.id for r in box.members for s in r.sources if s.role == "loss"}
            if len(terms) > 1:
                box.title, box.index = "L = Σ L", "t"
        box.faded = _ended(box)


def _unsaid(view: View) -> Unsaid:
    """Return the states that no lane takes away, where their number would stand: their boxes say it."""
    lanes = {(a.tail, a.carry) for a in view.arrows if a.carry and a.tail != a.head and not view.climbs(a)}
    return {(a.tail, a.carry) for a in view.arrows if a.carry and view.climbs(a)} - lanes


def _say_steps(
    box: Box, view: View, unrolled: Unrolled, shown: list[Record], options: Options, unsaid: Unsaid
) -> None:
    """Write of a box over all steps how many there are, or which is the only one."""
    steps = sorted({r.step for r in box.members if r.step is not None})
    box.lines += [text for r in shown[:1] if (text := type_of(r.shape, r.dtype, options.shown))]
    if len(steps) > 1:
        box.lines.append(f"{len(steps)} steps")
    elif steps and len(unrolled.steps) > 1:
        box.lines.append(f"at step {steps[0] + 1}")
    for record in shown if options.gradients else ():
        if (box.id, record.carry) in unsaid and record.size is not None and record.step is not None:
            box.lines.append(f"grad of {record.carry}, t = {record.step + 1}: {number(record.size)}")


def _say_values(
    box: Box, view: View, roots: set[Record], options: Options, opened: frozenset[int], unsaid: Unsaid
) -> None:
    shown = speakers(box, roots)
    fine = view.level in ("op", "gate")
    for record in shown:
        own = fine or box.kind not in ("cell", "constant") or (box.id, record.carry) in unsaid
        origin = _origin(record) if box.kind == "state" else ""
        lines = operation_lines(
            record,
            "none" if origin == "zero" else options.values,
            options.gradients and own and record not in roots,
            split=fine or options.width is not None or record.step in opened,
            types=options.shown,
        )
        if len(shown) > 1 and record.carry:
            lines[:1] = [f"{record.carry} {line}" for line in lines[:1]]
        box.lines += [origin, *lines] if origin else lines


def speakers(box: Box, roots: set[Record]) -> list[Record]:
    """Return the records whose values stand for the box: its carries, a root, or the last one."""
    carries = [r for r in box.members if r.carry]
    if carries and box.kind == "cell":
        return list({r.carry: r for r in carries}.values())
    named = [r for r in box.members if r in roots or r.role == "loss"]
    return (named or box.members)[-1:]


def _origin(record: Record) -> str:
    """Say where an initial state comes from."""
    if record.node.primitive is None and not isinstance(record.node, Leaf):
        return "not kept"
    if not isinstance(record.node, Constant):
        return "learned"
    return "not kept" if record.value is None else "given" if record.value.any() else "zero"


def _with_number(box: Box) -> None:
    """Write the number that an operation adds or multiplies by into its title: 1 − ·."""
    record = box.members[0]
    for source, slot in record.edges():
        if source.role == "constant" and not source.shape and source.value is not None:
            word = number(source.value.item())
            ordered = f"{word} {box.title}" if slot == 0 else f"{box.title} {word}"
            box.title = f"( )^{word}" if record.op == "power" else ordered


def _made_of(box: Box) -> str:
    counts = Counter(record.op for record in box.members)
    words = [op + (f" ×{n}" if n > 1 else "") for op, n in counts.items() if op != "getitem"]
    return ", ".join(words[:3]) + (", …" if len(words) > 3 else "")


def _ended(box: Box) -> bool:
    """Whether all rows of the batch had ended at this step; says so in the box where some had."""
    for record in box.members:
        if record.op != "where" or not record.carry:
            continue
        mask = next((s.value for s, slot in record.edges() if slot == 0), None)
        if mask is not None and mask.dtype.kind == "b" and not mask.all():
            box.lines.append(f"{int(mask.sum())} of {mask.size} rows run")
            return not mask.any()
    return False


def missing(unrolled: Unrolled, gradients: bool) -> list[str]:
    """Return the note on what the graph does not hold, if there is something."""
    if not unrolled.kept:
        return ["Values were not kept: compute inside `with tr.unrolled():` to see values and gradients."]
    if gradients and not unrolled.differentiated:
        return ["No gradients yet: call backward() to see them."]
    return []


def operation_lines(
    record: Record, values: str, gradients: bool, *, split: bool = True, types: Collection[str] = TYPES
) -> list[str]:
    """Return the small print of a single operation; its value in a line, or ``split`` in two."""
    lines = [text] if (text := type_of(record.shape, record.dtype, types)) else []
    if record.value is not None and values != "none":
        short = summary(record.value)
        lines += matrix(record.value) if values == "full" else short.split("  ") if split else [short]
    size = record.size if gradients else None
    if size is not None:
        lines.append(f"grad {number(size)}")
    return lines
