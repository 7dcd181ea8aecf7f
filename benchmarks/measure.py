"""How things are measured: peers in turn in one process, on two cores, medians; memory in a process each.

Imported before NumPy, PyTorch and JAX: each sizes its threads by the cores that it sees when it is loaded.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence

if hasattr(os, "sched_setaffinity"):  # Linux; elsewhere the libraries take what there is
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])

Run = Callable[[], object]


def interleaved(runs: dict[str, Run], *, turns: int, seconds: float) -> dict[str, float]:
    """Median seconds of one call of each, taken in turn, so that a slow moment of the machine hits all alike.

    Each turn of a peer is about `seconds` of timed calls, at least one, after one that is not timed: it shall
    not pay for the threads and caches that the peer before it left behind.
    """
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(turns):
        for name, run in runs.items():
            run()
            end = time.perf_counter() + seconds
            while True:
                start = time.perf_counter()
                run()
                now = time.perf_counter()
                times[name].append(now - start)
                if now >= end:
                    break
    return {name: statistics.median(taken) for name, taken in times.items()}


def in_fresh_process(*arguments: object) -> dict[str, float]:
    """Run Python with these arguments, and return the JSON object that it prints as its last line."""
    done = subprocess.run([sys.executable, *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError((done.stderr.strip().splitlines() or ["no message"])[-1])
    return json.loads(done.stdout.splitlines()[-1])


def markdown(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table whose columns line up in plain text too."""
    cells = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    lines = ["| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths)) + " |" for row in cells]
    return "\n".join([lines[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *lines[1:]])


def milliseconds(seconds: float) -> str:
    """Three significant digits."""
    value = seconds * 1e3
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
