"""What a long recorded scan takes while its graph is held, and what remains when it is gone.

    python benchmarks/recorded_memory.py [STEPS]

The step, ``h = tanh(x + h @ w)`` of one number, looks at a value, so that it cannot be compiled; Linux only.
"""

import ctypes
import gc
import sys
import time
import warnings
from pathlib import Path

import numpy as np

import tinyrnn as tr


def megabytes() -> float:
    """Return the resident memory of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def main(steps: int) -> None:
    w = tr.tensor(np.full((1, 1), 0.5, np.float32), requires_grad=True)

    def step(h, x):
        h = tr.tanh(x + h @ w)
        return h, (h if h.sum() < 100 else -h)

    xs = np.ones((steps, 1, 1), np.float32)
    base, start = megabytes(), time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", tr.ScanFallbackWarning)
        h, y = tr.scan(step, tr.zeros(1, 1), xs)
    loss = y.sum()
    print(f"recorded, {steps} steps: {megabytes() - base:.0f} MB in {time.perf_counter() - start:.1f} s")
    loss.backward()
    print(f"after the backward pass: {megabytes() - base:.0f} MB")
    del h, y, loss
    gc.collect()
    print(f"when the graph is gone: {megabytes() - base:.0f} MB")
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    print(f"and what is free is given back: {megabytes() - base:.0f} MB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
