"""The recurrent layers that are compared: tinyrnn's, PyTorch's, and a scan in JAX, with the same parameters.

Each is a function of a cell's name and the arrays of `make_arrays` that returns a training step: zero the
gradients, forward, and backward of all parameters with the gradient g at every output. The step returns what
it computed, under the names of PyTorch's state dict, so that peers can be compared before they are timed.
"""

import os
from collections.abc import Callable

import measure  # noqa: F401  before NumPy: it chooses the cores
import numpy as np

GATES = {"RNN": 1, "LSTM": 4, "GRU": 3}
SIZES = {  # T, B, I, H
    "tiny": (50, 16, 32, 32),
    "charlm": (100, 32, 64, 128),
    "medium": (100, 64, 256, 256),
    "large": (100, 64, 512, 512),
    "weather": (1000, 500, 3, 10),
    "long": (2000, 1, 16, 32),
}

Arrays = dict[str, np.ndarray]
Step = Callable[[], dict[str, object]]
PARAMETERS = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")


def make_arrays(cell: str, T: int, B: int, I: int, H: int) -> Arrays:
    """Input, output gradient and parameters of a layer, float32."""
    rng = np.random.default_rng(0)
    n = GATES[cell] * H
    bound = 1 / np.sqrt(H)
    shapes = dict(zip(PARAMETERS, [(n, I), (n, H), (n,), (n,)]))
    arrays = {name: rng.uniform(-bound, bound, shape) for name, shape in shapes.items()}
    arrays["x"] = rng.standard_normal((T, B, I))
    arrays["g"] = rng.standard_normal((T, B, H)) / np.sqrt(T * B)
    return {name: array.astype(np.float32) for name, array in arrays.items()}


def hidden_size(arrays: Arrays) -> int:
    return arrays["weight_hh_l0"].shape[1]


def torch_layer(cell: str, arrays: Arrays):
    import torch

    layer = getattr(torch.nn, cell)(arrays["x"].shape[2], hidden_size(arrays))
    layer.load_state_dict({name: torch.tensor(arrays[name]) for name in PARAMETERS})
    return layer


def tinyrnn_layer(cell: str, arrays: Arrays):
    import tinyrnn as tr

    layer = getattr(tr.nn, cell)(arrays["x"].shape[2], hidden_size(arrays))
    layer.load_state_dict({name: arrays[name] for name in PARAMETERS})
    return layer


def pytorch(cell: str, arrays: Arrays) -> Step:
    import torch

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    layer = torch_layer(cell, arrays)
    x, g = torch.tensor(arrays["x"]), torch.tensor(arrays["g"])
    return training_step(layer, x, g)


def tinyrnn(cell: str, arrays: Arrays, **options: object) -> Step:
    """Return a training step as calls of NumPy, unless the caller chose another backend."""
    import tinyrnn as tr

    layer = tinyrnn_layer(cell, arrays)
    return training_step(layer, tr.tensor(arrays["x"]), tr.tensor(arrays["g"]), **options)


def fast(cell: str, arrays: Arrays) -> Step:
    """Return tinyrnn's step with the loop as code, compiled by Numba."""
    import tinyrnn as tr

    with tr.backend("numba"):  # refused where there is no Numba
        step = tinyrnn(cell, arrays)
        step()

    def native() -> dict[str, object]:
        with tr.backend("numba"):
            return step()

    return native


def training_step(layer, x, g, **options: object) -> Step:
    """PyTorch and tinyrnn have one interface; ``options`` go to the call of the layer."""
    parameters = dict(layer.named_parameters())

    def step() -> dict[str, object]:
        for p in parameters.values():
            p.grad = None
        y, _ = layer(x, **options)
        y.backward(g)
        return {"y": y.detach()} | {name: p.grad for name, p in parameters.items()}

    return step


def jax(cell: str, arrays: Arrays) -> Step:
    """A jitted ``lax.scan``; the product with the input is done for all steps before it."""
    import jax
    import jax.numpy as jnp

    H = hidden_size(arrays)

    def rnn(W, b, h, u):
        h = jnp.tanh(u + h @ W.T + b)
        return h, h

    def lstm(W, b, state, u):
        h, c = state
        i, f, z, o = jnp.split(u + h @ W.T + b, 4, axis=-1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(z)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    def gru(W, b, h, u):
        v = h @ W.T + b
        r, z = jnp.split(jax.nn.sigmoid(u[:, : 2 * H] + v[:, : 2 * H]), 2, axis=-1)
        n = jnp.tanh(u[:, 2 * H :] + r * v[:, 2 * H :])
        h = (1 - z) * n + z * h
        return h, h

    body = {"RNN": rnn, "LSTM": lstm, "GRU": gru}[cell]

    def loss(parameters, x, g):
        W_ih, W_hh, b_ih, b_hh = parameters
        h0 = jnp.zeros((x.shape[1], H), x.dtype)
        carry = (h0, h0) if cell == "LSTM" else h0
        _, y = jax.lax.scan(lambda carry, u: body(W_hh, b_hh, carry, u), carry, x @ W_ih.T + b_ih)
        return (y * g).sum(), y

    value_and_grad = jax.jit(jax.value_and_grad(loss, has_aux=True))
    parameters = [jnp.asarray(arrays[name]) for name in PARAMETERS]
    x, g = jnp.asarray(arrays["x"]), jnp.asarray(arrays["g"])

    def step() -> dict[str, object]:
        (_, y), gradients = jax.block_until_ready(value_and_grad(parameters, x, g))
        return {"y": y} | dict(zip(PARAMETERS, gradients))

    return step


PEERS = {"tinyrnn": tinyrnn, "tinyrnn, Numba": fast, "PyTorch": pytorch, "JAX": jax}


def disagreement(steps: dict[str, Step]) -> str | None:
    """Say where two peers differ by more than float32 explains, or None."""
    results = {name: {k: np.array(v) for k, v in step().items()} for name, step in steps.items()}
    (first, expected), *others = results.items()
    for name, result in others:
        for what, ours in expected.items():
            theirs = result[what]
            if ours.shape != theirs.shape or not np.abs(ours - theirs).max() <= 1e-3 * np.abs(ours).max():
                return f"{what} of {first} and of {name} differ"
    return None
