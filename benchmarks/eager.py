"""The recorded form: a recurrence written as a Python loop, step by step, beside the other eager frameworks.

    python benchmarks/eager.py [--quick] [--only NAME ...]

One pass is ``h = tanh(x[t] @ W + h @ U + b); L = L + (h * g[t]).sum()`` over all t, and its backward pass, in
float32. W, U, b and h0 get gradients, x and g are constants. Before anything is timed, the gradients of all
peers are compared. A peer that is not installed is left out (``pip install "tinyrnn[bench]"`` has them all).
"""

import argparse
import statistics
import sys
from collections.abc import Callable
from functools import partial

import measure  # before NumPy: it chooses the cores
import numpy as np

SIZES = {"tiny": (50, 16, 32, 32), "charlm": (100, 32, 64, 128), "long": (2000, 1, 16, 32)}

Arrays = dict[str, np.ndarray]
# One pass: forward and backward, returns dL/dW, dL/dU, dL/db, dL/dh0.
Pass = Callable[[], list[np.ndarray]]


def make_arrays(T: int, B: int, I: int, H: int) -> Arrays:
    rng = np.random.default_rng(0)
    shapes = {"x": (T, B, I), "g": (T, B, H), "W": (I, H), "U": (H, H), "b": (H,), "h0": (B, H)}
    arrays = {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    for name in ("W", "U", "b"):
        arrays[name] /= np.float32(np.sqrt(H))
    return arrays


def tinyrnn(arrays: Arrays, *, constants_as_tensors: bool = True) -> Pass:
    import tinyrnn as tr

    x, g = arrays["x"], arrays["g"]
    if constants_as_tensors:
        x, g = tr.tensor(x), tr.tensor(g)
    W, U, b, h0 = parameters = [tr.tensor(arrays[n], requires_grad=True) for n in ("W", "U", "b", "h0")]

    def run() -> list[np.ndarray]:
        h, L = h0, 0.0
        for t in range(len(x)):
            h = tr.tanh(x[t] @ W + h @ U + b)
            L = L + (h * g[t]).sum()
        for p in parameters:
            p.grad = None
        L.backward()
        return [np.asarray(p.grad) for p in parameters]

    return run


def pytorch(arrays: Arrays) -> Pass:
    import torch

    x, g = torch.tensor(arrays["x"]), torch.tensor(arrays["g"])
    W, U, b, h0 = parameters = [torch.tensor(arrays[n], requires_grad=True) for n in ("W", "U", "b", "h0")]

    def run() -> list[np.ndarray]:
        h, L = h0, 0.0
        for t in range(len(x)):
            h = torch.tanh(x[t] @ W + h @ U + b)
            L = L + (h * g[t]).sum()
        for p in parameters:
            p.grad = None
        L.backward()
        return [p.grad.numpy() for p in parameters]

    return run


def autograd(arrays: Arrays) -> Pass:
    import autograd.numpy as anp
    from autograd import value_and_grad

    x, g = arrays["x"], arrays["g"]

    def loss(W, U, b, h0):
        h, L = h0, 0.0
        for t in range(len(x)):
            h = anp.tanh(x[t] @ W + h @ U + b)
            L = L + anp.sum(h * g[t])
        return L

    value_and_gradients = value_and_grad(loss, argnum=(0, 1, 2, 3))
    return lambda: list(value_and_gradients(arrays["W"], arrays["U"], arrays["b"], arrays["h0"])[1])


def mygrad(arrays: Arrays) -> Pass:
    import mygrad as mg

    x, g = arrays["x"], arrays["g"]
    W, U, b, h0 = parameters = [mg.tensor(arrays[n]) for n in ("W", "U", "b", "h0")]

    def run() -> list[np.ndarray]:
        h, L = h0, 0.0
        for t in range(len(x)):
            h = mg.tanh(x[t] @ W + h @ U + b)
            L = L + (h * g[t]).sum()
        for p in parameters:
            p.null_grad()
        L.backward()
        return [p.grad for p in parameters]

    return run


PEERS = {
    "tinyrnn": tinyrnn,
    "tinyrnn, x and g arrays": partial(tinyrnn, constants_as_tensors=False),
    "PyTorch": pytorch,
    "autograd": autograd,
    "MyGrad": mygrad,
}


def agree(passes: dict[str, Pass]) -> None:
    """Stop if two peers do not compute the same thing: their times would compare nothing."""
    (first, expected), *others = ((name, [np.array(a) for a in run()]) for name, run in passes.items())
    for name, gradients in others:
        for parameter, ours, theirs in zip(("W", "U", "b", "h0"), expected, gradients):
            scale = np.abs(ours).max()
            if ours.shape != theirs.shape or not np.allclose(ours, theirs, rtol=0, atol=2e-4 * scale):
                sys.exit(
                    f"dL/d{parameter} of {first} and {name} differ: {ours.ravel()[:3]}, {theirs.ravel()[:3]}"
                )


def loops(names: list[str], turns: int, seconds: float) -> None:
    rows = []
    for label, size in SIZES.items():
        arrays = make_arrays(*size)
        passes = {name: PEERS[name](arrays) for name in names}
        agree(passes)
        times = measure.interleaved(passes, turns=turns, seconds=seconds)
        ours = times.get("tinyrnn", float("nan"))
        cells = [
            measure.milliseconds(times[n]) + ("" if n.startswith("tinyrnn") else f" ({ours / times[n]:.2f})")
            for n in names
        ]
        rows.append([f"{label} {size}", *cells])
    print("Time of a pass in ms, and in brackets tinyrnn's time as a multiple of the peer's.\n")
    print(measure.markdown(["(T,B,I,H)", *names], rows))


def import_time(repeats: int) -> None:
    """What `import tinyrnn` adds to `import numpy`, in processes of their own."""
    code = (
        "import json, time; import numpy; start = time.perf_counter(); import tinyrnn; "
        "print(json.dumps({'ms': (time.perf_counter() - start) * 1e3}))"
    )
    taken = [measure.in_fresh_process("-c", code)["ms"] for _ in range(repeats + 1)][
        1:
    ]  # the first one compiles
    print(f"\n`import tinyrnn` adds {statistics.median(taken):.1f} ms to `import numpy`.")


def installed(names: list[str]) -> list[str]:
    present = []
    for name in names:
        try:
            PEERS[name](make_arrays(1, 1, 1, 1))
            present.append(name)
        except ImportError as error:
            print(f"{name} is left out: {error}")
    return present


def main() -> None:
    parser = argparse.ArgumentParser(description="Time recurrences written as Python loops.")
    parser.add_argument("--quick", action="store_true", help="fewer turns: a look, not a measurement")
    parser.add_argument("--only", nargs="+", choices=list(PEERS), default=list(PEERS), help="these peers")
    options = parser.parse_args()
    names = installed(options.only)
    loops(names, turns=2 if options.quick else 9, seconds=0.05 if options.quick else 0.3)
    import_time(repeats=3 if options.quick else 15)


if __name__ == "__main__":
    main()
