"""Which operation of one step is which of another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping

from tinyrnn.draw.reading.records import Record

__all__ = ["numbers"]


def numbers(places: Mapping[Record, tuple[Hashable, Hashable, Hashable]]) -> dict[Record, int]:
    """Count the operations of a kind within each step of a loop, so that the same one has the same number.

    ``places`` are the loop, step and kind of each record, in the order in which they ran. At its end a step
    may lack what nobody uses. The first step may lack operations at its beginning: what they make of
    constants, such as an initial state, is not recorded.
    """
    count = Counter(places.values())
    first: dict[Hashable, Hashable] = {}
    most: dict[tuple[Hashable, Hashable], int] = {}
    for (loop, step, kind), n in count.items():
        first.setdefault(loop, step)
        most[loop, kind] = max(n, most.get((loop, kind), 0))
    seen: Counter[Hashable] = Counter()
    found: dict[Record, int] = {}
    for record, place in places.items():
        loop, step, kind = place
        found[record] = seen[place] + (most[loop, kind] - count[place] if step == first[loop] else 0)
        seen[place] += 1
    return found
