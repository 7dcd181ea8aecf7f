"""Print the peak memory of one training step over the base, as JSON.

    python benchmarks/peak_memory.py PEER CELL T B I H [SEGMENT]

The base is what the process holds after imports, arrays and a step of the layer at T = 2. Linux only.
"""

import json
import sys
import time
from pathlib import Path

import peers


def held(field: str) -> float:
    """Return VmRSS (now) or VmHWM (at most so far) of this process, in MB.

    Not `ru_maxrss`: on Linux a process inherits that from the one that started it.
    """
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status[field].split()[0]) / 1e3


def main() -> None:
    peer, cell, *numbers = sys.argv[1:7]
    T, B, I, H = map(int, numbers)
    segment = sys.argv[7] if len(sys.argv) > 7 else None
    options = {} if segment is None else {"segment": segment if segment == "auto" else int(segment)}
    peers.PEERS[peer](cell, peers.make_arrays(cell, 2, B, I, H), **options)()
    step = peers.PEERS[peer](cell, peers.make_arrays(cell, T, B, I, H), **options)
    Path("/proc/self/clear_refs").write_text("5")  # sets VmHWM back to VmRSS
    base = held("VmRSS")
    start = time.perf_counter()
    step()
    seconds = time.perf_counter() - start
    print(json.dumps({"MB": held("VmHWM") - base, "seconds": seconds}))


if __name__ == "__main__":
    main()
