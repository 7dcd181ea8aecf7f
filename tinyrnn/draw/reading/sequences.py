"""Whole sequences taken apart: which records outside of the loop belong to one time step after all.

Around a loop over time, models index sequences (``x[t]``), stack what the steps gave, and sum the losses.
Drawn as they are recorded, these would tie all steps together. Here ``stack(...)[t]`` becomes the edge that
it means, ``x[t]`` becomes the input of step t, and a running sum of losses becomes one total.
"""

from __future__ import annotations

import numpy as np

from tinyrnn.autograd.tape import Node
from tinyrnn.draw.reading.records import ELEMENTWISE, Record

__all__ = ["bridge_sequences", "find_losses", "leaves_of", "looks_up", "mark_weights", "prune"]


def prune(records: list[Record], roots: set[Record]) -> list[Record]:
    """Return the records from which a root is reached, and drop all others from the users."""
    needed = set(roots)
    for record in reversed(records):
        if record in needed:
            needed.update(record.sources)
    for record in needed:
        record.users = [user for user in record.users if user in needed]
    return [record for record in records if record in needed]


def bridge_sequences(records: list[Record]) -> dict[Node, list[Node]]:
    """Let a record that takes step t out of a stack use what was stacked at t.

    Return these entries, each with what was stacked there; not those of a sequence that was changed as a
    whole.
    """
    entries: dict[Node, list[Node]] = {}
    for record in records:
        if not record.cuts and not any(source.op == "getitem" for source in record.sources):
            continue
        sources: list[Record] = []
        slots: list[int] = []
        for source, slot in record.edges():
            origins = _indexed(source) if source.op == "getitem" else None
            if not origins and slot in record.cuts:
                origins = _gathered(source, record.node.inputs[slot])
            if origins and source.op == "getitem" and _only_moved(source.sources[0]):
                entries[source.node] = [origin.node for origin in origins]
            for origin in origins or [source]:
                sources.append(origin)
                slots.append(slot)
            if origins:
                source.users.remove(record)
                for origin in origins:
                    origin.users.append(record)
                record.cuts |= {slot} if source.cuts else frozenset()
        record.sources, record.slots = sources, slots
    return entries


def _only_moved(sequence: Record) -> bool:
    """Whether a sequence holds the numbers of what was stacked as they are."""
    if sequence.op in ("transpose", "concatenate"):
        return all(map(_only_moved, sequence.sources))
    return sequence.op == "stack" or _is_stack_of_one(sequence)


def _indexed(record: Record) -> list[Record] | None:
    """Return what ``sequence[t]`` or ``batch[:, t]`` is made from, where it was stacked step by step."""
    index = record.node.params.get("index", ())
    axes = [i for i, item in enumerate(index) if not (isinstance(item, slice) and item == slice(None))]
    if len(axes) != 1 or not isinstance(index[axes[0]], int):
        return None
    return _entry(record.sources[0], index[axes[0]], axes[0])


def _gathered(state: Record, detached: Node | None) -> list[Record] | None:
    """Return the state that was cut, where it was gathered with those of other layers before it was cut."""
    value = None if detached is None else detached.value
    start = state
    while value is not None and (state.op in ("reshape", "stack") or _is_stack_of_one(state)):
        kept = ((s, s.value) for s in state.sources if s.shape == value.shape)
        same = (s for s, v in kept if v is not None and np.array_equal(v, value, equal_nan=True))
        found = next(same, None)
        if found is None:
            break
        state = found
    return None if state is start else [state]


def _entry(sequence: Record, t: int, axis: int) -> list[Record] | None:
    """Return the records that entry `t` along `axis` of a sequence is made from."""
    params = sequence.node.params
    if not sequence.sources or axis >= len(sequence.shape):
        return None
    if sequence.op == "stack" and params["axis"] == axis:
        return [sequence.sources[t]] if len(sequence.sources) == len(sequence.node.inputs) else None
    if _is_stack_of_one(sequence) and axis == 0:
        return [sequence.sources[0]]
    if sequence.op == "transpose":
        return _entry(sequence.sources[0], t, params["axes"][axis])
    given: list[Record] = []
    if sequence.op == "concatenate" and params["axis"] != axis:
        given = sequence.sources
    elif sequence.op in ELEMENTWISE:  # such as a dropout mask, or the sum of what two layers gave
        given = [s for s in sequence.sources if s.shape == sequence.shape and s.role != "constant"]
    parts = [_entry(source, t, axis) for source in given]
    return [entry for part in parts if part for entry in part] if parts and all(parts) else None


def _is_stack_of_one(record: Record) -> bool:
    """Whether a record is ``x[None]``."""
    moves = record.op in ("reshape", "getitem") and len(record.sources) == 1
    return moves and record.shape == (1, *record.sources[0].shape)


def mark_weights(records: list[Record], roots: set[Record]) -> None:
    """Call a weight what is made of weights alone, such as ``W.T``.

    Not so rows that are looked up in one, nor what an operation makes that elsewhere takes, beside one of the
    same weights, what is no weight: ``h0 @ W`` of a learned first state.
    """
    computing: set[tuple[object, ...]] = set()
    fixed = False
    while not fixed:
        fixed = True
        for record in records:
            if not record.op:
                continue
            weights = [record for record in record.sources if record.role == "weight"]
            alone = bool(weights) and len(weights) == len(record.sources) and record not in roots
            alone = alone and not any(_steps_on(record, source) for source in weights)
            uses = {
                (record.op, slot, s.op, *map(id, leaves_of(s))) for s, slot in record.edges() if s in weights
            }
            if alone and not looks_up(record) and (len(weights) == 1 or not uses & computing):
                record.role = "weight"
                continue
            fixed = fixed and uses <= computing and record.role == "op"
            record.role = "op"
            computing |= uses


def leaves_of(weight: Record) -> list[Record]:
    """Return the parameters that a weight, such as ``W.T``, is made from."""
    found: dict[Record, None] = {}
    stack = [weight]
    while stack:
        record = stack.pop()
        if record.sources:
            stack += reversed(record.sources)
        else:
            found[record] = None
    return list(found)


def _steps_on(record: Record, source: Record) -> bool:
    """Whether a record takes what another step has computed."""
    if record.depth is None or source.depth is None or not source.op:
        return False
    return record.scopes[record.depth] is not source.scopes[source.depth]


def looks_up(record: Record) -> bool:
    """Whether a record takes entries by their numbers, as an embedding does."""
    index = record.node.params.get("index", ())
    basic = (int, slice, type(None), type(...))
    return record.op == "getitem" and not all(isinstance(item, basic) for item in index)


def find_losses(root: Record) -> list[Record]:
    """Mark the sum of the losses as ``total``, where the root is a number, and return what is summed."""
    if not root.is_number or root.role == "weight":
        return []
    chain: set[Record] = set()
    terms: list[Record] = []
    stack = [root]
    while stack:
        record = stack.pop()
        if record in chain or record.role in ("weight", "constant"):
            continue
        if _sums(record) or _scales(record):
            chain.add(record)
            stack += record.sources
        else:
            terms.append(record)
    for record in chain:
        record.role = "total"
    return terms


def _scales(record: Record) -> bool:
    """Whether a record is a number times a constant."""
    parts = [source for source in record.sources if source.role != "constant"]
    return record.op in ("multiply", "divide", "negative") and len(parts) == 1 and parts[0].shape == ()


def _sums(record: Record) -> bool:
    """Whether a record only adds up, or scales, numbers that are sums themselves."""
    if record.op in ("stack", "concatenate") and not record.is_number:
        return all(source.is_number for source in record.sources)
    while record.is_number:
        if record.op == "add" and len(record.sources) == 2 and all(s.is_number for s in record.sources):
            return True
        if record.op in ("sum", "mean") and record.sources[0].op in ("stack", "concatenate"):
            return _sums(record.sources[0])
        parts = [source for source in record.sources if source.role not in ("weight", "constant")]
        scales = record.op in ("multiply", "divide", "negative", "sum", "mean", "reshape", "astype")
        if not scales or len(parts) != 1:
            return False
        record = parts[0]
    return False
