"""Which time steps are shown one by one, and which are folded into a box that says what is inside."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from tinyrnn.draw.reading.rolled import Group
from tinyrnn.draw.reading.unroll import Unrolled

__all__ = ["Column", "columns_of"]

ALL = 12  # sequences up to this length are shown in full
ENDS = 3  # of longer ones, so many steps at either end
MOST = 18  # and at most so many with something to see in between
CELLS = 16  # pieces of the strip in a folded box


@dataclass
class Column:
    """One shown step (``first == last``), or the folded steps from `first` to `last`, counted from 0."""

    first: int
    last: int
    folded: bool = False
    group: str = ""
    # Of each (unit, carry), the norms of ∂L/∂carry of the folded steps, in order of time.
    norms: dict[tuple[str, str], list[float]] = field(default_factory=dict[tuple[str, str], list[float]])
    losses: int = 0  # how many of the folded steps have a loss,
    cuts: int = 0  # or a cut before them

    @property
    def id(self) -> str:
        """``t3`` or ``t3..t996``, counted from 1; with the name of the group, but for the first one."""
        own = f"t{self.first + 1}..t{self.last + 1}" if self.folded else f"t{self.first + 1}"
        return f"{own}.{self.group}" if self.group else own

    @property
    def title(self) -> str:
        """What stands under it."""
        return f"t = {self.first + 1} … {self.last + 1}" if self.folded else f"t = {self.first + 1}"

    @property
    def finite(self) -> tuple[float, float] | None:
        """The smallest and the largest of the finite norms."""
        found = [n for norms in self.norms.values() for n in norms if math.isfinite(n)]
        return (min(found), max(found)) if found else None

    def strip(self, unit: str, carry: str) -> list[float]:
        """Return the norms of one carry in at most 16 pieces: the largest of each, or NaN."""
        return thinned(self.norms.get((unit, carry), []))


def thinned(norms: list[float]) -> list[float]:
    """Return norms in order of time in at most 16 pieces: the largest of each, or NaN."""
    pieces = min(CELLS, len(norms))
    bounds = [len(norms) * i // pieces for i in range(pieces + 1) if pieces]
    parts = [norms[a:b] for a, b in pairwise(bounds)]
    return [max(part) if all(map(math.isfinite, part)) else math.nan for part in parts]


def columns_of(
    unrolled: Unrolled,
    expand: Collection[int] = (),
    borders: Collection[int] = (),
    *,
    only_expand: bool = False,
    unfolded: Column | None = None,
) -> list[Column]:
    """Choose the steps to show.

    Up to 12 steps of a group all are shown. Of more, the first and last three, those in `expand`, and those
    with something to see: a gradient that is not finite, a cut, a loss, the border of what this backward pass
    came to, or of a window (`borders`). Where such steps follow on each other, as with a loss at every step,
    only the two ends of the run count, and where more than 18 are left, the outermost. Steps are counted from
    0. With `only_expand` no others are shown; of those in `unfolded`, a folded column, all up to 12, else the
    first and last six.
    """
    columns: list[Column] = []
    for group in unrolled.groups:
        shown = set(expand) | _inside(unfolded, group)
        columns += _columns(unrolled, group, shown, set(borders), only_expand)
    return columns


def _inside(column: Column | None, group: Group) -> set[int]:
    """Return the steps that are shown where a folded column of a group is opened."""
    if column is None or column.group != group.name:
        return set()
    steps = [t for t in group.columns if column.first <= t <= column.last]
    return set(steps if len(steps) <= ALL else steps[: ALL // 2] + steps[-ALL // 2 :])


def _columns(
    unrolled: Unrolled, group: Group, expand: set[int], borders: set[int], only_expand: bool
) -> list[Column]:
    steps = group.columns
    losses, cuts, begun = set[int](), set[int](), set[int]()
    norms: dict[int, dict[tuple[str, str], float]] = {step: {} for step in steps}
    for record in unrolled.records:
        run, step = record.run, record.step
        if record.group != group.name or step is None:
            continue
        before = [(source, slot) for source, slot in record.edges() if source.step != step]
        if record.role == "loss":
            losses.add(step)
        if any(slot in record.cuts for _, slot in before):
            cuts.add(step)
        if run is not None and any(s.carry and s.run not in (None, run) for s, _ in before):
            begun.add(step)  # a run begins here that goes on from another one
        size = record.size if record.carry else None
        if size is not None:
            norms[step][record.unit, record.carry] = size
    broken = {step for step, found in norms.items() if not all(map(math.isfinite, found.values()))}

    if only_expand:
        shown = set(expand)
    elif len(steps) <= ALL:
        shown = set(steps)
    else:
        place = {step: i for i, step in enumerate(steps)}
        sights = {
            steps[max(place[t] - d, 0)]
            for t in _ends(cuts, place) | begun | borders & set(steps)
            for d in (0, 1)
        }
        sights |= _ends(broken, place) | _ends(losses, place)
        sights -= {*steps[:ENDS], *steps[-ENDS:]}
        if len(sights) > MOST:
            ordered = sorted(sights)
            sights = {*ordered[: MOST // 2], *ordered[-MOST // 2 :]}
        shown = {*steps[:ENDS], *steps[-ENDS:], *sights, *expand}
        # A box that says of one step that it is folded takes the room of that step.
        shown |= {b for a, b, c in zip(steps, steps[1:], steps[2:]) if a in shown and c in shown}
    columns: list[Column] = []
    for step in steps:
        if step in shown:
            columns.append(Column(step, step, group=group.name))
            continue
        if not columns or not columns[-1].folded:
            columns.append(Column(step, step, True, group.name))
        column = columns[-1]
        column.last = step
        column.losses += step in losses
        column.cuts += step in cuts
        for key, value in norms[step].items():
            column.norms.setdefault(key, []).append(value)
    return columns


def _ends(steps: Iterable[int], place: dict[int, int]) -> set[int]:
    """Return the first and last step of each run of steps that follow on each other."""
    places = {place[step]: step for step in steps}
    return {step for at, step in places.items() if at - 1 not in places or at + 1 not in places}
