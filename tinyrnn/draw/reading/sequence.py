"""Whole sequences taken apart: which records outside of the loop belong to one time step after all.

Around a loop over time, models index sequences (``x[t]``), stack what the steps gave, and sum the losses.
Drawn as they are recorded, these would tie all steps together. Here ``stack(...)[t]`` becomes the edge that
it means, ``x[t]`` becomes the input of step t, and a running sum of losses becomes one total.
"""

from __future__ import annotations

import numpy as np

from tinyrnn.autograd.tape import Node
from tinyrnn.draw.reading.model import ELEMENTWISE, Record

VIEWS = {"transpose", "reshape", "getitem", "broadcast_to", "astype"}

__all__ = ["assign_steps", "bridge_sequences", "find_losses", "prune"]


def prune(records: list[Record], roots: set[Record]) -> list[Record]:
    """Return the records from which a root is reached, and drop all others from the users."""
    needed = set(roots)
    for record in reversed(records):
        if record in needed:
            needed.update(record.sources)
    for record in needed:
        record.users = [user for user in record.users if user in needed]
    return [record for record in records if record in needed]


def bridge_sequences(records: list[Record]) -> None:
    """Let a record that takes step t out of a stack use what was stacked at t."""
    for record in records:
        if not record.cuts and not any(source.op == "getitem" for source in record.sources):
            continue
        sources: list[Record] = []
        slots: list[int] = []
        for source, slot in record.edges():
            if source.op == "getitem":
                origins = _indexed(source)
            else:
                origins = _gathered(source, record.node.inputs[slot]) if slot in record.cuts else None
            for origin in origins or [source]:
                sources.append(origin)
                slots.append(slot)
            if origins:
                source.users.remove(record)
                for origin in origins:
                    origin.users.append(record)
                record.cuts |= {slot} if source.cuts else frozenset()
        record.sources, record.slots = sources, slots


def _indexed(record: Record) -> list[Record] | None:
    """Return what ``sequence[t]`` is made from, where the sequence was stacked step by step; else None."""
    index = record.node.params.get("index", ())
    if not index or not isinstance(index[0], int) or any(item != slice(None) for item in index[1:]):
        return None
    return _entry(record.sources[0], index[0], 0)


def _gathered(state: Record, detached: Node | None) -> list[Record] | None:
    """Return the state that was cut, where it was gathered with those of other layers before it was cut."""
    value = None if detached is None else detached.value
    start = state
    while value is not None and state.step is None and state.op in ("reshape", "stack"):
        same = [s for s in state.sources if s.shape == value.shape and s.value is not None]
        same = [s for s in same if np.array_equal(s.value, value, equal_nan=True)]  # pyright: ignore[reportArgumentType]
        if not same:
            break
        state = same[0]
    return None if state is start else [state]


def _entry(sequence: Record, t: int, axis: int) -> list[Record] | None:
    """Return the records that entry `t` along `axis` of a sequence is made from."""
    params = sequence.node.params
    if sequence.step is not None or not sequence.sources or axis >= len(sequence.shape):
        return None
    if sequence.op == "stack" and params["axis"] == axis:
        return [sequence.sources[t]] if len(sequence.sources) == len(sequence.node.inputs) else None
    if sequence.op == "reshape" and axis == 0 and sequence.shape == (1, *sequence.sources[0].shape):
        return [sequence.sources[0]]  # a stack of one
    if sequence.op == "transpose":
        return _entry(sequence.sources[0], t, params["axes"][axis])
    if sequence.op == "concatenate" and params["axis"] != axis:
        parts = [_entry(source, t, axis) for source in sequence.sources]
        return [entry for part in parts if part for entry in part] if all(parts) else None
    if sequence.op in ELEMENTWISE:  # such as a dropout mask
        parts = [_entry(source, t, axis) for source in sequence.sources if source.shape == sequence.shape]
        return next((part for part in parts if part), None)
    return None


def assign_steps(records: list[Record]) -> None:
    """Give a step to the records outside of the loop that belong to a single one.

    ``x[t]`` belongs to the step that alone uses it; a readout or a loss belongs to the step that alone it is
    made from.
    """
    for record in records:
        if record.op in VIEWS and record.sources[0].role == "weight" and len(record.sources) == 1:
            record.role = "weight"  # such as W.T, in a step or outside
        if record.step is not None or not record.sources:
            continue
        if all(source.role in ("weight", "constant") for source in record.sources):
            steps = {user.step for user in record.users}
            if record.op == "getitem" and len(steps) == 1 and None not in steps:
                (record.step,) = steps
                record.role = "input"
            elif all(source.role == "weight" for source in record.sources):
                record.role = "weight"  # such as a transposed or normalised weight
            continue
        steps = {source.step for source in record.sources if source.role not in ("weight", "constant")}
        sequence = record.op == "stack" and all(user.step is None for user in record.users)
        if len(steps) == 1 and not sequence:
            (record.step,) = steps
            outer = {source.outer for source in record.sources if source.step is not None}
            record.outer = record.outer or min(outer, default="")
    for record in records:
        if record.role == "constant" and record.step is None:
            steps = {user.step for user in record.users}
            record.step = steps.pop() if len(steps) == 1 else None


def find_losses(root: Record) -> None:
    """Mark the sum of the losses as ``total``, and what is summed as ``loss``, where the root is a number."""
    if root.node.shape not in ((), (1,)) or root.role == "weight":
        return
    chain: set[Record] = set()
    terms: list[Record] = []
    stack = [root]
    while stack:
        record = stack.pop()
        if record in chain or record.role in ("weight", "constant"):
            continue
        if _sums(record):
            chain.add(record)
            stack += record.sources
        else:
            terms.append(record)
    if not chain:
        root.role = "loss" if root.step is not None else "total"
        return
    for record in chain:
        record.role, record.step = "total", None
    for term in terms:
        if term.step is not None:
            term.role = "loss"


def _sums(record: Record) -> bool:
    """Whether a record only adds up, or scales, numbers that are sums themselves."""
    if record.node.shape not in ((), (1,)):
        return record.op in ("stack", "concatenate") and all(
            source.node.shape in ((), (1,)) for source in record.sources
        )
    while True:
        parts = [source for source in record.sources if source.role not in ("weight", "constant")]
        if (
            record.op == "add"
            and len(record.sources) == 2
            and all(s.node.shape in ((), (1,)) for s in record.sources)
        ):
            return True
        if record.op in ("sum", "mean") and record.sources[0].op in ("stack", "concatenate"):
            return _sums(record.sources[0])
        if (
            record.op not in ("multiply", "divide", "negative", "sum", "mean", "reshape", "astype")
            or len(parts) != 1
        ):
            return False
        record = parts[0]
        if record.node.shape not in ((), (1,)):
            return False
