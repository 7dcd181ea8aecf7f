"""What a layer costs beyond the training step: floor, forward, streaming, memory, long inputs, new shapes."""

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import measure
import numpy as np
import peers


class Options(NamedTuple):
    """What the command line chose."""

    cells: list[str]
    sizes: list[str]
    peers: list[str]
    turns: int
    seconds: float


def floor(options: Options) -> None:
    """Print the matrix products of a training step alone, beside the step, at the large size.

    They are done with the batch as rows and, feature-major, as columns; the faster one is the floor.
    """
    print("\n## Floor: the matrix products of a pass alone, at large\n")
    rows = []
    for cell in options.cells:
        T, B, I, H = peers.SIZES["large"]
        N = peers.GATES[cell] * H
        runs = {"batch-major": batch_major(T, B, I, H, N), "feature-major": feature_major(T, B, I, H, N)}
        if "tinyrnn" in options.peers:
            runs["tinyrnn"] = peers.tinyrnn(cell, peers.make_arrays(cell, T, B, I, H))
        times = measure.interleaved(runs, turns=options.turns, seconds=options.seconds)
        least = min(times["batch-major"], times["feature-major"])
        ratio = f"{times['tinyrnn'] / least:.2f}" if "tinyrnn" in times else "-"
        rows.append([cell, *(measure.milliseconds(t) for t in times.values()), ratio])
    print(measure.markdown(["cell", *[f"{name}, ms" for name in runs], "tinyrnn / floor"], rows))


def _filled(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def batch_major(T: int, B: int, I: int, H: int, N: int) -> Callable[[], None]:
    """Input product, T recurrent ones, T of the reverse pass, and the gradients of both weights."""
    x, h, W_ih, W_hh = _filled(T, B, I), _filled(T, B, H), _filled(I, N), _filled(H, N)
    W_hh_T = np.ascontiguousarray(W_hh.T)
    gates, gates_t, h_t = _filled(T, B, N), _filled(B, N), _filled(B, H)
    d_ih, d_hh = np.empty_like(W_ih), np.empty_like(W_hh)
    flat_x, flat_h, flat_gates = x.reshape(T * B, I), h.reshape(T * B, H), gates.reshape(T * B, N)

    def run() -> None:
        np.matmul(flat_x, W_ih, out=flat_gates)
        for t in range(T):
            np.matmul(h[t], W_hh, out=gates_t)
        for t in range(T):
            np.matmul(gates[t], W_hh_T, out=h_t)
        np.matmul(flat_h.T, flat_gates, out=d_hh)
        np.matmul(flat_x.T, flat_gates, out=d_ih)

    return run


def feature_major(T: int, B: int, I: int, H: int, N: int) -> Callable[[], None]:
    """Return the same products with the batch as the last axis."""
    x, h, W_ih, W_hh = _filled(I, T * B), _filled(T, H, B), _filled(N, I), _filled(N, H)
    W_hh_T = np.ascontiguousarray(W_hh.T)
    gates, gates_t, h_t = _filled(T, N, B), _filled(N, B), _filled(H, B)
    flat_h, flat_gates = _filled(H, T * B), _filled(N, T * B)
    d_ih, d_hh = np.empty_like(W_ih), np.empty_like(W_hh)

    def run() -> None:
        np.matmul(W_ih, x, out=flat_gates)
        for t in range(T):
            np.matmul(W_hh, h[t], out=gates_t)
        for t in range(T):
            np.matmul(W_hh_T, gates[t], out=h_t)
        np.matmul(flat_gates, flat_h.T, out=d_hh)
        np.matmul(flat_gates, x.T, out=d_ih)

    return run


def forward(options: Options) -> None:
    """Print the forward pass with and without recording, at charlm."""
    import tinyrnn as tr

    print("\n## Forward only, at charlm\n")
    rows = []
    for cell in options.cells:
        arrays = peers.make_arrays(cell, *peers.SIZES["charlm"])
        layer, x = peers.tinyrnn_layer(cell, arrays), tr.tensor(arrays["x"])
        runs = {"no_grad": _calls(layer, x, tr.no_grad), "training": _calls(layer, x, tr.enable_grad)}
        if "PyTorch" in options.peers:
            import torch

            layer, x = peers.torch_layer(cell, arrays), torch.tensor(arrays["x"])
            runs["PyTorch, no_grad"] = _calls(layer, x, torch.no_grad)
        times = measure.interleaved(runs, turns=options.turns, seconds=options.seconds)
        ratio = f"{times['training'] / times['no_grad']:.2f}"
        rows.append([cell, *(measure.milliseconds(t) for t in times.values()), ratio])
    print(measure.markdown(["cell", *[f"{name}, ms" for name in runs], "training / no_grad"], rows))


def _calls(layer, x, mode) -> measure.Run:
    def run() -> None:
        with mode():
            layer(x)

    return run


def streaming(options: Options) -> None:
    """Print the time of a single step of an online GRU that keeps its state: called, and by its stepper."""
    import tinyrnn as tr

    print("\n## Streaming: GRU, T=1, B=1, I=16, H=32, state kept, no_grad\n")
    steps = 500
    arrays = peers.make_arrays("GRU", steps, 1, 16, 32)

    def loop(layer, x, no_grad) -> measure.Run:
        def run() -> None:
            state = None
            with no_grad():
                for t in range(steps):
                    _, state = layer(x[t], state)

        return run

    x = arrays["x"][:, None]  # every x[t] is (1, B, I)
    gru = peers.tinyrnn_layer("GRU", arrays)
    stepper = gru.stepper()

    def follow() -> None:
        for x_t in arrays["x"]:
            stepper(x_t)

    runs = {"tinyrnn": loop(gru, x, tr.no_grad), "tinyrnn, stepper": follow}
    if "PyTorch" in options.peers:
        import torch

        runs["PyTorch"] = loop(peers.torch_layer("GRU", arrays), torch.tensor(x), torch.no_grad)
    times = measure.interleaved(runs, turns=options.turns, seconds=options.seconds)
    rows = [[name, f"{taken / steps * 1e6:.1f}"] for name, taken in times.items()]
    print(measure.markdown(["", "µs a step"], rows))


def peak_memory(peer: str, cell: str, size: tuple[int, ...], segment: str = "") -> dict[str, float]:
    """MB over the base of a training step, in a process of its own, and its seconds."""
    program = Path(__file__).with_name("peak_memory.py")
    return measure.in_fresh_process(program, peer, cell, *size, *([segment] if segment else []))


def memory(options: Options) -> None:
    """Print the peak memory of a training step."""
    size = (5000, 16, 64, 128)
    print(f"\n## Peak memory of a training step over the base, GRU {size}\n")
    variants = [("tinyrnn", ""), ("tinyrnn", "auto"), ("PyTorch", ""), ("JAX", "")]
    rows = []
    for peer, segment in variants:
        if peer in options.peers:
            taken = peak_memory(peer, "GRU", size, segment)
            name = peer + (f", segment={segment!r}" if segment else "")
            rows.append([name, f"{taken['MB']:.0f}", f"{taken['seconds']:.2f}"])
    print(measure.markdown(["", "MB", "s"], rows))


def long(options: Options) -> None:
    """Print time and memory of a time step for T = 2,000 and T = 100,000."""
    print("\n## Long: a training step per time step, B=1, I=16, H=32\n")
    rows = []
    for cell in options.cells:
        microseconds, kilobytes = [], []
        for T in (2_000, 100_000):
            arrays = peers.make_arrays(cell, T, 1, 16, 32)
            step = peers.tinyrnn(cell, arrays)
            taken = measure.interleaved({"": step}, turns=options.turns, seconds=options.seconds)[""]
            microseconds.append(taken / T * 1e6)
            kilobytes.append(peak_memory("tinyrnn", cell, (T, 1, 16, 32))["MB"] / T * 1e3)
        pairs = ((f"{a:.2f}", f"{b:.2f}", f"{b / a:.2f}") for a, b in (microseconds, kilobytes))
        rows.append([cell, *(value for pair in pairs for value in pair)])
    print(
        measure.markdown(["cell", "µs, T=2000", "T=100000", "ratio", "kB, T=2000", "T=100000", "ratio"], rows)
    )


def binding(options: Options) -> None:
    """Print what the first step of a new shape, and of another T of a known one, takes more than the next."""
    print("\n## Binding: the first training step of an LSTM more than the second, ms\n")
    T, B, I, H = peers.SIZES["tiny"]
    repeats = 5 if options.turns < 5 else 25

    def first_minus_second(step: peers.Step) -> float:
        taken = []
        for _ in range(2):
            start = time.perf_counter()
            step()
            taken.append(time.perf_counter() - start)
        return taken[0] - taken[1]

    peers.tinyrnn("LSTM", peers.make_arrays("LSTM", T, B, I, H))()
    new_shape = [peers.tinyrnn("LSTM", peers.make_arrays("LSTM", T, B, I, H + 1 + i)) for i in range(repeats)]
    layer = peers.tinyrnn_layer("LSTM", peers.make_arrays("LSTM", T, B, I, H))

    def new_length(T: int) -> peers.Step:
        import tinyrnn as tr

        arrays = peers.make_arrays("LSTM", T, B, I, H)
        return peers.training_step(layer, tr.tensor(arrays["x"]), tr.tensor(arrays["g"]))

    lengths = [new_length(T + 1 + i) for i in range(repeats)]
    rows = [
        ["new hidden size", measure.milliseconds(statistics.median(map(first_minus_second, new_shape)))],
        ["new T only", measure.milliseconds(statistics.median(map(first_minus_second, lengths)))],
    ]
    print(measure.markdown(["", "ms"], rows))
