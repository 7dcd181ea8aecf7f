"""Cells as a user writes them: textbook equations over a dict of parameters, and what they run on."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scan_forms import Array, Make, normal

import tinyrnn as tr

INPUT, HIDDEN = 3, 4


class State(NamedTuple):
    h: Any
    c: Any


def rnn(p: Any) -> Any:
    def step(h: Any, x: Any) -> Any:
        h = tr.tanh(x @ p["W"] + h @ p["U"] + p["b"])
        return h, h

    return step


def cell(p: Any, h: Any, x: Any) -> Any:
    return rnn(p)(h, x)[0]


def gates(p: Any, h: Any, x: Any, count: int) -> list[Any]:
    return tr.split(x @ p["W"] + h @ p["U"] + p["b"], count, axis=-1)


def lstm(p: Any) -> Any:
    def step(state: Any, x: Any) -> Any:
        h, c = state
        i, f, g, o = gates(p, h, x, 4)
        c = tr.sigmoid(f) * c + tr.sigmoid(i) * tr.tanh(g)
        h = tr.sigmoid(o) * tr.tanh(c)
        return State(h, c), h

    return step


def gru(p: Any) -> Any:
    def step(h: Any, x: Any) -> Any:
        r, z, n = tr.split(x @ p["W"] + p["b"], 3, axis=-1)
        hr, hz, hn = tr.split(h @ p["U"] + p["d"], 3, axis=-1)
        r, z = tr.sigmoid(r + hr), tr.sigmoid(z + hz)
        n = tr.tanh(n + r * hn)
        h = (1 - z) * n + z * h
        return h, h

    return step


def peephole_lstm(p: Any) -> Any:
    """Gers and Schmidhuber (2000): the gates see the cell state too."""

    def step(state: Any, x: Any) -> Any:
        h, c = state
        i, f, g, o = gates(p, h, x, 4)
        i, f = tr.sigmoid(i + p["pi"] * c), tr.sigmoid(f + p["pf"] * c)
        c = f * c + i * tr.tanh(g)
        h = tr.sigmoid(o + p["po"] * c) * tr.tanh(c)
        return State(h, c), h

    return step


def minimal_gated_unit(p: Any) -> Any:
    """Zhou et al. (2016): one gate that both forgets and resets."""

    def step(h: Any, x: Any) -> Any:
        f = tr.sigmoid(x @ p["Wf"] + h @ p["Uf"] + p["bf"])
        n = tr.tanh(x @ p["W"] + (f * h) @ p["U"] + p["b"])
        h = (1 - f) * h + f * n
        return h, h

    return step


def leaky_residual(p: Any) -> Any:
    def step(h: Any, x: Any) -> Any:
        u = x @ p["W"]
        h = 0.9 * h + 0.1 * tr.relu(u + h @ p["U"] + p["b"]) + 0.01 * u
        return h, h @ p["V"] + x

    return step


def layer_norm_lstm(p: Any) -> Any:
    """Ba et al. (2016)."""

    def norm(z: Any, gain: Any) -> Any:
        z = z - z.mean(-1, keepdims=True)
        return z / tr.sqrt((z * z).mean(-1, keepdims=True) + 1e-5) * gain

    def step(state: Any, x: Any) -> Any:
        h, c = state
        z = norm(x @ p["W"], p["gx"]) + norm(h @ p["U"], p["gh"]) + p["b"]
        i, f, g, o = tr.split(z, 4, axis=-1)
        c = tr.sigmoid(f) * c + tr.sigmoid(i) * tr.tanh(g)
        h = tr.sigmoid(o) * tr.tanh(norm(c, p["gc"]))
        return State(h, c), h

    return step


def attention_decoder(p: Any) -> Any:
    """Luong et al. (2015), dot score: the memory (B, S, H) is closed over."""

    def step(h: Any, x: Any) -> Any:
        h = tr.tanh(x @ p["W"] + h @ p["U"] + p["b"])
        weights = tr.softmax((p["memory"] @ h.unsqueeze(-1)).squeeze(-1), axis=-1)
        context = (weights.unsqueeze(1) @ p["memory"]).squeeze(1)
        return h, {"out": tr.concatenate([h, context], axis=-1) @ p["V"], "weights": weights}

    return step


def dict_carry(p: Any) -> Any:
    def step(carry: Any, x: Any) -> Any:
        h = tr.tanh(x @ p["W"] + carry["h"] @ p["U"] + carry["trace"][0])
        slow, fast = carry["trace"]
        return {"h": h, "trace": [0.99 * slow + 0.01 * h, 0.5 * fast + h]}, fast * p["b"]

    return step


def embedding(p: Any) -> Any:
    def step(h: Any, token: Any) -> Any:
        h = tr.tanh(p["E"][token] @ p["W"] + h @ p["U"])
        return h, h

    return step


class Case(NamedTuple):
    make: Make
    params: dict[str, Array]
    carry: Any
    xs: Any


def case(name: str, steps: int = 9, batch: int = 2, seed: int = 0) -> Case:
    """A cell of this name with parameters, first state and inputs."""

    def draw(*shape: int, scale: float = 0.5, k: int = 0) -> Array:
        return scale * normal(*shape, seed=100 * seed + k)

    n = {"lstm": 4, "gru": 3, "peephole_lstm": 4, "layer_norm_lstm": 4}.get(name, 1)
    params = {"W": draw(INPUT, n * HIDDEN), "U": draw(HIDDEN, n * HIDDEN, k=1), "b": draw(n * HIDDEN, k=2)}
    h = draw(batch, HIDDEN, k=3)
    carry: Any = h
    xs: Any = draw(steps, batch, INPUT, scale=1.0, k=4)
    if "lstm" in name:
        carry = State(h, draw(batch, HIDDEN, k=5))
    if name == "gru":
        params["d"] = draw(3 * HIDDEN, k=6)
    if name == "peephole_lstm":
        params |= {key: draw(HIDDEN, k=7 + k) for k, key in enumerate(("pi", "pf", "po"))}
    if name == "layer_norm_lstm":
        params |= {"gx": 1 + draw(16, k=10), "gh": 1 + draw(16, k=11), "gc": 1 + draw(4, k=12)}
    if name == "minimal_gated_unit":
        params |= {
            "Wf": draw(INPUT, HIDDEN, k=13),
            "Uf": draw(HIDDEN, HIDDEN, k=14),
            "bf": draw(HIDDEN, k=15),
        }
    if name == "leaky_residual":
        params["V"] = draw(HIDDEN, INPUT, k=16)
    if name == "attention_decoder":
        params |= {"memory": draw(batch, 5, HIDDEN, k=17), "V": draw(2 * HIDDEN, 2, k=18)}
    if name == "dict_carry":
        carry = {"h": h, "trace": [draw(batch, HIDDEN, k=19), draw(batch, HIDDEN, k=20)]}
    if name == "embedding":
        params["E"] = draw(7, INPUT, k=21)
        xs = np.random.default_rng(seed).integers(0, 7, (steps, batch))
    return Case(globals()[name], params, carry, xs)


TEXTBOOK = ("rnn", "lstm", "gru")
CUSTOM = (
    "peephole_lstm",
    "minimal_gated_unit",
    "leaky_residual",
    "layer_norm_lstm",
    "attention_decoder",
    "dict_carry",
    "embedding",
)
ALL = TEXTBOOK + CUSTOM
