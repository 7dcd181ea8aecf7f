"""``python -m tests.random_cells --cells 5000 --seed 0``: the long run."""

from __future__ import annotations

import argparse
import collections
import sys
import time

import tinyrnn as tr

from .compare import judge
from .execute import printed
from .generate import generate
from .shrink import shrink


def main() -> int:
    """Run cells; print each kind of difference as its smallest cell, and a tally."""
    parser = argparse.ArgumentParser(prog="python -m tests.random_cells", description=__doc__)
    parser.add_argument("--cells", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="the number of the first cell")
    parser.add_argument("--backend", default="numpy", help="what runs the compiled form: see tr.set_backend")
    parser.add_argument("--show", type=int, default=2, help="cells of each kind that are shrunk and printed")
    given = parser.parse_args()
    tr.set_backend(given.backend)
    kinds: collections.Counter[str] = collections.Counter()
    why: collections.Counter[str] = collections.Counter()
    refused = compared = 0
    start = time.perf_counter()
    for n in range(given.first, given.first + given.cells):
        cell = generate([given.seed, n])
        verdict = judge(cell)
        why.update(verdict.fallbacks)
        refused += bool(verdict.refused)
        compared += not verdict.refused
        if verdict.kind:
            kinds[verdict.kind] += 1
            if kinds[verdict.kind] <= given.show:
                small = shrink(cell, verdict.kind)
                print(f"# --- {verdict.kind} (cell {n} of seed {given.seed}): {judge(small).detail}")
                print(printed(small), flush=True)
    seconds = time.perf_counter() - start
    print(f"{given.cells} cells of seed {given.seed} in {seconds:.0f} s: {compared} compared, {refused} that")
    print(f"both forms refuse, {sum(kinds.values())} differences")
    for title, counts in (("differences", kinds), ("fallbacks", why)):
        print(f"{title}: {sum(counts.values())}")
        for text, count in counts.most_common(25):
            print(f"  {count:6d}  {text[:150]}")
    return 1 if kinds else 0


if __name__ == "__main__":
    sys.exit(main())
