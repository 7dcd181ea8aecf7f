"""How many random cells show each of the faults that commit 3c71701 had: is the generator wide enough?

It runs on the code of that commit, with this folder copied into it::

    git archive 3c71701 | tar x -C old && cp -r tests/random_cells old/tests/ && cd old
    python -m tests.random_cells.faults --cells 5000 --seed 0

A fault has a patch that mends it, and nothing else, there. A cell shows a fault where compiled and recorded
differ as the code stands, and do not differ in that way once that fault alone is mended. Where one is told
by the error that it raises, the error's text is asked for. A cell can show several faults, and may hide one
behind another, so each count is a lower bound.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import importlib
import warnings
from collections.abc import Callable, Generator
from typing import Any

from . import compare
from .cell import Cell
from .compare import Verdict, judge
from .generate import generate

Patch = tuple[Any, str, Any]  # of a module or class, a name, its new value


def module(name: str) -> Any:
    """A module of the library as it was then."""
    return importlib.import_module(f"tinyrnn.recurrence.{name}")


@contextlib.contextmanager
def rounded_once() -> Generator[None]:
    """Run a cell with each set of other roundings once only: they have nothing to do with the compiler."""
    kept = compare.another
    known: dict[int, Any] = {}

    def another(cell: Cell, seed: int) -> Any:
        if seed not in known:
            known[seed] = kept(cell, seed)
        return known[seed]

    try:
        compare.another = another
        yield
    finally:
        compare.another = kept


@contextlib.contextmanager
def mended(patches: list[Patch]) -> Generator[None]:
    """Put patches in place, and forget what was compiled without them."""
    kept = [(owner, name, getattr(owner, name)) for owner, name, _ in patches]
    try:
        for owner, name, value in patches:
            setattr(owner, name, value)
        module("lookup").cache_clear()
        yield
    finally:
        for owner, name, value in kept:
            setattr(owner, name, value)
        module("lookup").cache_clear()


# --- the patches ------------------------------------------------------------------------------------------
def no_shared_places() -> list[Patch]:
    """Old and new carry have each an array of their own."""
    allocate = module("buffers").allocate

    def outputs(runner: Any, carry: Any, steps: int, reverse: bool, saved: Any) -> list[Any]:
        lines, ys = runner.lines, runner.scan.ys
        major = [False] * (len(ys) - len(saved)) + [*saved]
        return [allocate(steps, lines[i].shape, lines[i].dtype, m) for i, m in zip(ys, major)]

    return [(module("runner").Runner, "_outputs", outputs)]


def dtypes_in(program: Any, args: tuple[int, ...]) -> str:
    """Whether a rewrite looks at values of one float dtype, at integers only, or at a mixture."""
    lines = [program.lines[i] for i in args]
    lines += [program.lines[i] for line in lines for i in line.args]
    found = {line.dtype for line in lines if line.literal is None}
    floats = [dtype.kind == "f" for dtype in found]
    return "floats" if all(floats) and len(found) <= 1 else "mixed" if any(floats) else "integers"


def without(rules: tuple[str, ...], dtypes: str, primitive: str = "") -> Callable[[], list[Patch]]:
    """Rewrites are not applied where they look at such dtypes, in such an operation."""

    def patches() -> list[Patch]:
        rewrites, lower = module("rewrites"), module("lower")

        def guarded(rule: Any) -> Any:
            def careful(program: Any, which: Any, args: Any, params: Any) -> Any:
                if which.name.startswith(primitive) and dtypes_in(program, args) == dtypes:
                    return None
                return rule(program, which, args, params)

            return careful if rule.__name__ in rules else rule

        table = tuple(guarded(rule) for rule in rewrites.REWRITES)
        places = (rewrites, lower, *map(module, ("lookup", "differentiate", "side_by_side")))
        found: list[Patch] = [(place, "REWRITES", table) for place in places]
        if dtypes != "floats":
            found.append((lower, "_simpler", guarded(lower._simpler)))
        return found

    return patches


def normalise_step_by_step() -> list[Patch]:
    """Softmax over all axes or several is not run over blocks."""
    parts, simpler = module("partition"), module("partition")._in_blocks

    def in_blocks(line: Any, lines: Any) -> bool:
        several = line.params.get("axis") is None or isinstance(line.params["axis"], tuple)
        return not (several and line.primitive.name in ("softmax", "log_softmax")) and simpler(line, lines)

    return [(parts, "_in_blocks", in_blocks)]


def record_what_draws(cell: Cell) -> list[Patch]:
    """A step that meets a generator or counts its calls is not compiled."""
    lookup = module("lookup")

    def refuse(*_: Any, **__: Any) -> Any:
        raise lookup.Untraceable("it draws")

    return [(lookup, "_trace", refuse)] if any(t.name != "s0" for t in cell.seen) else []


ALL = ("known_together", "known_factor", "mixture", "_simpler")
MENDS: dict[str, Callable[[], list[Patch]]] = {
    "1.1 carries passed on, delayed, swapped": no_shared_places,
    "1.2 rewrites of mixed dtypes": without(ALL, "mixed"),
    "1.3 (1-z)*a + z*b": without(("mixture",), "floats"),
    "1.3 products regrouped": without(("known_together",), "floats", "multiply"),
    "1.3 sums regrouped": without(("known_together",), "floats", "add"),
    "1.3 u*k1 + u*k2": without(("known_factor",), "floats", "add"),
    "1.4 softmax over several axes": normalise_step_by_step,
    "2 rewrites of integers and booleans": without(ALL, "integers"),
}
SAID = {
    "2 constant outputs and gradients": "'float' object has no attribute 'shape'",
    "2 booleans negated or subtracted": "numpy boolean",
    "2 values written into another dtype": "Cannot cast",
}


def shown(cell: Cell, verdict: Verdict) -> set[str]:
    """The faults that a cell shows, given that its forms differ."""
    said = {fault for fault, text in SAID.items() if text in verdict.detail}
    if said:
        return said
    other = str(cell.new_form) != str(cell.carry_form)
    if other and verdict.kind in ("structure", "accepts what is refused"):
        return {"1.6 form of the carry"}
    if "it returned [" in verdict.detail:  # the recorded form refuses what is handed on unchanged
        return {"2 keys of dicts"}
    drawing = record_what_draws(cell)
    with mended([]):
        alone = judge(cell).kind
    if not alone:
        return {"1.5 randomness" if drawing else "else: what ran before"}
    if drawing:
        with mended(drawing):
            if judge(cell).kind != alone:
                return {"1.5 randomness"}
    found: set[str] = set()
    for fault, patches in MENDS.items():
        with mended(patches()):
            if judge(cell).kind != alone:
                found.add(fault)
    return found or {f"else: {alone}"}


def main() -> None:
    """Run cells and print a tally."""
    parser = argparse.ArgumentParser(prog="python -m tests.random_cells.faults", description=__doc__)
    parser.add_argument("--cells", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="the number of the first cell")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    cells: dict[str, list[int]] = collections.defaultdict(list)
    differ = 0
    for n in range(given.first, given.first + given.cells):
        cell = generate([given.seed, n])
        verdict = judge(cell)
        if verdict.kind:
            differ += 1
            with rounded_once():
                for fault in shown(cell, verdict):
                    cells[fault].append(n)
    print(f"{given.cells} cells of seed {given.seed}: {differ} differ")
    for fault, numbers in sorted(cells.items()):
        print(f"{len(numbers):6d}  {fault[:90]:42s} cells {', '.join(map(str, numbers[:6]))}")


if __name__ == "__main__":
    main()
