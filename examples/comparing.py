"""What the examples share: their arguments, the table that compares, and the picture of the unrolled graph."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import tinyrnn as tr
from tinyrnn.demo import one_blas_thread
from tinyrnn.draw.layout import LayoutError


def run(says: str, example: Callable[[bool], tuple[dict[str, float], tr.Tensor]], *, larger: bool) -> None:
    """Run an example, print its table, draw its graph; leave with an error where it does not beat its baselines.

    Parameters
    ----------
    says : str
        What the numbers are.
    example : callable
        ``example(quick)`` returns the numbers, of which those named "baseline ..." are to be beaten by the one
        named "model ...", and a loss to draw, recorded inside ``tr.unrolled()``.
    larger : bool
        Whether large numbers are good.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="under 15 seconds")
    parser.add_argument("--picture", type=Path, help="where to draw the unrolled graph (.svg, .png, .dot)")
    options = parser.parse_args()
    with one_blas_thread():
        numbers, loss = example(options.quick)
    print(f"\n{says}")
    for name, value in numbers.items():
        print(f"  {name:<44}{value:10.4f}")
    picture = tr.draw.unrolled(loss)
    if options.picture is not None:
        try:
            print("drawn:", picture.render(options.picture))
        except LayoutError as error:
            sys.exit(f"no picture: {error}")
    model = next(value for name, value in numbers.items() if name.startswith("model"))
    for name, value in numbers.items():
        if name.startswith("baseline") and not (model > value if larger else model < value):
            sys.exit(f"the model, {model:.4f}, does not beat the {name}, {value:.4f}")
