"""How long a key of the stepper's page keeps the browser's main thread busy, and how large the page is.

python benchmarks/stepper.py [--steps 100] [--units 8] [--turns 8]

From the key to the frame that shows it, in ms of the thread's own time (script, style, layout, paint), so
that what else the machine does counts for little. "first" is a page's first key of the kind. Needs Chromium
and playwright.
"""

import argparse
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

import measure
import numpy as np

import tinyrnn as tr

PRESS = """async (key) => {
    document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    await new Promise((on) => requestAnimationFrame(() => {
        const channel = new MessageChannel(); // its message comes after the frame
        channel.port1.onmessage = on;
        channel.port2.postMessage(0);
    }));
}"""
KEYS = {
    "forward, from the start": ("", "ArrowRight"),
    "forward, in the middle": ("go(positionOf(Math.floor(ordinal(TURN) / 2)))", "ArrowRight"),
    "to the next time step": ("", "ArrowDown"),
    "the backward pass begins": ("", "b"),
    "backward, from its start": ("", "ArrowRight"),
    "backward, in the middle": ("go(positionOf(Math.floor((ordinal(TURN) + total()) / 2)))", "ArrowRight"),
    "back": ("", "ArrowLeft"),
    "next into a weight": ("", "w"),
    "to the end": ("go(0)", "End"),
    "back from there": ("", "ArrowLeft"),
    "open, close": ("", "o"),
}


def loss_of(kind: str, steps: int, units: int) -> Any:
    rng = np.random.default_rng(0)
    net, head = getattr(tr.nn, kind)(2, units, rng=rng), tr.nn.Linear(units, 1, rng=rng)
    with tr.unrolled():
        y, _ = net(rng.normal(size=(steps, 1, 2)).astype(np.float32))
        return (head(y) ** 2).mean()


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description="What a key of the stepper's page costs.")
    for name, least in (("steps", 100), ("units", 8), ("turns", 8)):
        parser.add_argument(f"--{name}", type=int, default=least)
    arguments = parser.parse_args()
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for kind in ("RNN", "LSTM", "GRU"):
            stepper = tr.draw.stepper(loss_of(kind, arguments.steps, arguments.units))
            path = Path(stepper.save(Path(folder) / f"{kind}.html"))
            print(f"\n{kind}: {path.stat().st_size / 1e6:.2f} MB, {stepper}\n")
            rows: list[list[str]] = [[name] for name in KEYS]
            for level in ("op", "gate", "cell"):
                page = chromium.new_page(viewport={"width": 1280, "height": 900})
                page.goto(f"{path.as_uri()}#{level}.0")
                clock = page.context.new_cdp_session(page)
                clock.send("Performance.enable", {"timeDomain": "threadTicks"})

                def spent(clock: Any = clock) -> float:
                    found = clock.send("Performance.getMetrics")["metrics"]
                    return next(1e3 * m["value"] for m in found if m["name"] == "TaskDuration")

                for row, (place, key) in zip(rows, KEYS.values()):
                    if place:
                        page.evaluate(place)
                    times: list[float] = []
                    for _ in range(arguments.turns if key not in ("b", "End") else 1):
                        page.wait_for_timeout(160)
                        before = spent()
                        page.evaluate(PRESS, key)
                        times.append(spent() - before)
                    later = times[1:] or times
                    row.append(f"{times[0]:.0f}, {statistics.median(later):.0f}, {max(later):.0f}")
                page.close()
            print(measure.markdown(["key: first, median, worst", "op", "gate", "cell"], rows), flush=True)
        chromium.close()


if __name__ == "__main__":
    main()
