"""What a record is a part of: a cell, a module below or between cells, the output y, or the loss.

Inside one time step, what leads to a carry is the cell of its layer. What leads to a cell but has no carry of
its own is a module (an embedding, say). Of the rest, what leads to a weight's use is the output ``y``, and
what follows after the last weight is the loss, if one is computed.
"""

from __future__ import annotations

import numpy as np

from tinyrnn.draw.reading.model import Record

__all__ = ["find_parts"]


def find_parts(records: list[Record], recurrent: set[str]) -> None:
    """Set ``part`` of what is computed, and tell inputs from other constants.

    Parameters
    ----------
    records : list of Record
        Each after its sources.
    recurrent : set of str
        The layers that have a carry.
    """
    judging = _leading_to_loss(records)
    weighing: set[Record] = set()  # from which a weight's use is reached, without passing a cell
    for record in reversed(records):
        if record.role not in ("op", "loss", "total"):
            continue
        users = [user for user in record.users if user.step == record.step]
        if record.carry or any(user.part == "cell" and user.layer == record.layer for user in users):
            record.part = "cell"
        elif record.op == "where" and record.layer in recurrent and record.sources[0].dtype.kind == "b":
            record.part = "cell"  # it blanks the outputs of rows that have ended
        elif record.step is not None and any(user.part in ("cell", "module") for user in users):
            record.part = "module"
        else:
            if any(source.role == "weight" for source in record.sources) or any(
                u in weighing for u in record.users
            ):
                weighing.add(record)
            record.part = "y" if record in weighing or record not in judging else "loss"
            if record.role == "total":
                record.part = "loss"
            elif record.part == "y" and any(u.part == "y" and u.layer != record.layer for u in users):
                record.part = "module"  # a layer below the readout, such as a backward direction of one step
    _find_inputs(records, recurrent)
    for record in records:
        if record.role in ("constant", "weight") and record.step is not None and record.users:
            record.layer, record.part = record.users[0].layer, record.users[0].part


def _leading_to_loss(records: list[Record]) -> set[Record]:
    found: set[Record] = set()
    for record in reversed(records):
        if record.role in ("loss", "total") or any(user in found for user in record.users):
            found.add(record)
    return found


def _find_inputs(records: list[Record], recurrent: set[str]) -> None:
    """Call a constant an input of its step where a cell or module computes with it and it is not fixed.

    Zeros in a layer that hands nothing on are the initial state of a cell that makes a single step.

    A number such as the 1 in ``1 - z`` is the same at all steps; the x_t of a network of one unit is not.
    """
    numbers: dict[tuple[object, ...], set[float]] = {}
    scalars: list[tuple[Record, tuple[object, ...]]] = []
    for record in records:
        if record.role != "constant" or record.step is None or record.users[0].part not in ("cell", "module"):
            continue
        if record.shape:
            value = record.value
            zeros = value is not None and not value.any() and record.users[0].layer not in recurrent
            record.role = "constant" if zeros or record.dtype.kind == "b" else "input"
            continue
        value = record.value
        user = record.users[0]
        slot = (*user.key, user.slots[user.sources.index(record)])
        scalars.append((record, slot))
        numbers.setdefault(slot, set()).add(np.nan if value is None else float(value))
    for record, slot in scalars:
        if len(numbers[slot]) > 1:
            record.role = "input"
