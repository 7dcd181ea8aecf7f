"""The small print in boxes: shapes and types always, values and gradients where they were kept."""

from __future__ import annotations

from collections.abc import Collection

from tinyrnn.autograd.tape import Constant, Leaf
from tinyrnn.draw.choices import LEVELS
from tinyrnn.draw.reading.records import Record
from tinyrnn.draw.reading.unroll import Unrolled
from tinyrnn.draw.reading.view import Box, View
from tinyrnn.draw.text import TYPES, matrix, number, summary, type_of

__all__ = ["add_captions", "missing", "operation_lines", "speakers"]


def add_captions(
    view: View,
    unrolled: Unrolled,
    values: str,
    gradients: bool,
    expand: frozenset[int] = frozenset(),
    types: Collection[str] = TYPES,
    *,
    narrow: bool = False,
    bare: bool = False,
) -> None:
    """Write the lines of all boxes.

    Parameters
    ----------
    view : View
    unrolled : Unrolled
    values : {"summary", "full", "none"}
    gradients : bool
    expand : frozenset of int
    types : collection of str
        What is written of a type: "shapes", "dtypes".
    narrow : bool
        Whether to write a value in two short lines rather than in one.
    bare : bool
        Whether to say nothing of what a box is and is made of.
    """
    roots = set(unrolled.roots)
    for box in view.boxes.values():
        if box.kind == "fold":
            continue
        shown = speakers(box, roots)
        if not bare and box.kind in ("cell", "module") and view.level != "op" and box.unit in unrolled.units:
            unit = unrolled.units[box.unit]
            said = {box.title.split(" ")[0], "cell"}
            whole = len(box.key) and view.level != "gate"
            box.lines += [word for word in (unit.name, unit.kind) if whole and word and word not in said][:1]
        if unrolled.steps and view.level in LEVELS[3:] and box.kind not in ("state", "bar"):
            steps = sorted({r.step for r in box.members if r.step is not None})
            box.lines += [text for r in shown[:1] if (text := type_of(r.shape, r.dtype, types))]
            if len(steps) > 1:
                box.lines.append(f"{len(steps)} steps")
            elif steps and view.level == "layer" and len(unrolled.steps) > 1:
                box.lines.append(f"at step {steps[0]}")
            continue
        many = len(shown) > 1
        for record in shown:
            word = f"{record.carry} " if many and record.carry else ""
            origin = _origin(record) if box.kind == "state" else ""
            box.lines += [origin] if origin else []
            fine = view.level in ("op", "gate")
            lines = operation_lines(
                record,
                "none" if origin == "zero" else values,
                gradients and (fine or box.kind not in ("cell", "constant")) and record not in roots,
                split=fine or narrow or record.step in expand,
                types=types,
            )
            box.lines += [word + line for line in lines[:1]] + lines[1:]
        if box.kind == "op" and len(box.members) == 1 and box.title in ("+", "−", "×", "÷", "power"):
            _with_number(box)
        if (
            not bare
            and box.kind in ("gate", "product", "cell")
            and view.level == "gate"
            and len(box.members) > 1
        ):
            box.lines.insert(0, _made_of(box))
        if box.kind == "loss" and len(box.members) > 1 and box.id == "loss":
            terms = {s.id for r in box.members for s in r.sources if s.role == "loss"}
            if len(terms) > 1:
                box.title = "L = Σ L"
                box.index = "t"
        box.faded = _ended(box)


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
            if record.op == "power":
                box.title = f"( )^{word}"
            else:
                box.title = f"{word} {box.title}" if slot == 0 else f"{box.title} {word}"


def _made_of(box: Box) -> str:
    counts: dict[str, int] = {}
    for record in box.members:
        counts[record.op] = counts.get(record.op, 0) + 1
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
