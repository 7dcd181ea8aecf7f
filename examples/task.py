"""What the examples share: the command line, the table of results, and the picture of the graph."""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

import tinyrnn as tr


def arguments(doc: str, **numbers: int) -> argparse.Namespace:
    """Read the command line: ``quick``, ``seed``, ``out``, and numbers of the example, by default these."""
    # Products as small as these gain nothing from a second core, and lose much where it is busy.
    threadpool_limits(1)
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a few seconds, to see that it learns")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("pictures"), help="folder of the picture (pictures)")
    for name, default in numbers.items():
        parser.add_argument(f"--{name}", type=int, default=default, help=f"of the full run ({default})")
    given = parser.parse_args()
    tr.manual_seed(given.seed)
    return given


class Fresh:
    """Batches that are made when they are asked for, so many an epoch, and never seen again."""

    def __init__(self, make: Callable[[], Any], count: int) -> None:
        self.make, self.count = make, count

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Any]:
        return (self.make() for _ in range(self.count))


def train(model: tr.nn.Module, batches: Any, epochs: int, lr: float = 3e-3) -> None:
    """Fit a model that has a ``loss(*batch)``, by Adam with a rate that falls as a cosine."""
    optimizer = tr.optim.Adam(model.parameters(), lr=lr)
    schedule = tr.optim.CosineAnnealingLR(optimizer, T_max=epochs)
    tr.fit(
        model,
        lambda model, batch: model.loss(*batch),
        batches,
        optimizer,
        epochs=epochs,
        clip=1.0,
        schedule=schedule,
    )
    optimizer.zero_grad()  # the picture shall show its own gradients, and not what training left
    model.eval()


def draw(loss: Any, out: Path, name: str, **options: Any) -> None:
    """Go backward from a loss that was made under `tr.unrolled`, and draw what it was made of."""
    loss.backward()
    out.mkdir(parents=True, exist_ok=True)
    picture = tr.draw.unrolled(loss, **options)
    try:
        print("drawn:", picture.render(out / f"{name}.svg"))
    except tr.draw.LayoutError:  # no Graphviz here
        print("drawn:", picture.save(out / f"{name}.dot"))


def conclude(measure: str, results: dict[str, float], *, model: str, lower: bool = True) -> None:
    """Print the table; exit with 1 where the model is not better than every baseline before it."""
    width = max(map(len, results))
    print(f"\n{measure}")
    for name, value in results.items():
        print(f"  {name:<{width}}  {value:8.2f}")
    names = list(results)
    sign = 1 if lower else -1
    if not all(sign * results[model] < sign * results[name] for name in names[: names.index(model)]):
        sys.exit(f"{model} does not beat its baseline")
