"""Random steps: whatever is written in tensor code, the compiled form gives what the plain loop gives.

This finds what nobody thought of: values that share a buffer, a carry that only outputs read, a part that
stands in a concatenation twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scan_forms import Array, assert_same, normal, run

import tinyrnn as tr

H = 3


def gate(p: Any, x: Any, a: Any, b: Any) -> Any:
    i, f, g = tr.split(a @ p["G"] + x @ p["K"], 3, axis=-1)
    return tr.sigmoid(f) * b + tr.sigmoid(i) * tr.tanh(g)


# From the parameters, the input and two values of shape (B, H) to another one.
OPERATIONS: dict[str, Callable[[Any, Any, Any, Any], Any]] = {
    "tanh": lambda p, x, a, b: tr.tanh(a),
    "sigmoid": lambda p, x, a, b: tr.sigmoid(a),
    "add": lambda p, x, a, b: a + b,
    "subtract": lambda p, x, a, b: a - b,
    "multiply": lambda p, x, a, b: a * b,
    "divide": lambda p, x, a, b: a / (1 + b * b),
    "negative": lambda p, x, a, b: -a,
    "scale": lambda p, x, a, b: 0.25 * a + 0.1,
    "scale by a parameter": lambda p, x, a, b: p["s"] * a,
    "matmul": lambda p, x, a, b: a @ p["U"],
    "matmul, transposed": lambda p, x, a, b: (p["U"].T @ a.T).T,
    "matmul of the input": lambda p, x, a, b: tr.tanh(x @ p["V"]),
    "bias": lambda p, x, a, b: a + p["b"],
    "gate": gate,
    "mixture": lambda p, x, a, b: (1 - tr.sigmoid(a)) * b + tr.sigmoid(a) * a,
    "concatenate": lambda p, x, a, b: tr.concatenate([a, b], -1) @ p["D"],
    "rotate": lambda p, x, a, b: tr.concatenate([a[:, 1:], 0.5 * a[:, :1]], -1),
    "flip": lambda p, x, a, b: a[:, ::-1],
    "pick": lambda p, x, a, b: a[:, [2, 0, 0]],
    "maximum": lambda p, x, a, b: tr.maximum(a, 0.3 * b),
    "where": lambda p, x, a, b: tr.where(a > b, a, 0.5 * b),
    "clip": lambda p, x, a, b: tr.clip(a, -0.7, 0.6),
    "relu": lambda p, x, a, b: tr.relu(a),
    "abs": lambda p, x, a, b: tr.abs(a),
    "square": lambda p, x, a, b: 0.1 * a**2,
    "exp": lambda p, x, a, b: tr.exp(-a * a),
    "softmax": lambda p, x, a, b: tr.softmax(a, -1),
    "mean": lambda p, x, a, b: a.mean(-1, keepdims=True) + b,
    "min": lambda p, x, a, b: a - a.min(-1, keepdims=True),
    "detach": lambda p, x, a, b: a.detach() * b,
}
some = st.integers(0, 30)


@st.composite
def programs(draw: st.DrawFn) -> Any:
    """A step as a list of operations on earlier values, and which of the values it hands on and gives out."""
    operations = st.tuples(st.sampled_from(sorted(OPERATIONS)), some, some)
    ops = draw(st.lists(operations, max_size=10))
    carry = draw(st.lists(some, min_size=1, max_size=3))
    outputs = draw(st.lists(some, min_size=1, max_size=3))

    def make(p: Any) -> Any:
        def step(state: Any, x: Any) -> Any:
            values = [x @ p["V"], *state]
            for name, i, j in ops:
                values.append(
                    OPERATIONS[name](p, x, values[-1 - i % len(values)], values[-1 - j % len(values)])
                )
            new = [values[-1 - i % len(values)] for i in carry]
            # What was just computed is bounded, so that nothing grows; what was there already is handed on.
            new = [v if any(v is old for old in state) else tr.tanh(v) for v in new]
            return new, [values[-1 - i % len(values)] for i in outputs]

        return step

    return make, len(carry)


PARAMS: dict[str, Array] = {
    "U": normal(H, H) / 2,
    "V": normal(2, H),
    "b": normal(H),
    "G": normal(H, 3 * H) / 2,
    "K": normal(2, 3 * H),
    "D": normal(2 * H, H) / 2,
    "s": np.array(0.7),
}


@given(
    program=programs(),
    steps=st.sampled_from([1, 2, 5, 8, 9, 17]),
    batch=st.integers(1, 2),
    reverse=st.booleans(),
    segment=st.sampled_from([None, None, 3]),
    data=st.data(),
)
@settings(max_examples=150)
def test_random_steps(program: Any, steps: int, batch: int, reverse: bool, segment: Any, data: Any) -> None:
    make, parts = program
    lengths = data.draw(
        st.none() | st.lists(st.integers(1, steps), min_size=batch, max_size=batch).map(np.array)
    )
    carry = [normal(batch, H, seed=k) for k in range(parts)]
    options = {"lengths": lengths, "reverse": reverse}
    expected = run("loop", make, PARAMS, carry, normal(steps, batch, 2), **options)
    assume(all(np.abs(value).max(initial=0) < 1e6 for value in expected.values()))
    found = run("compiled", make, PARAMS, carry, normal(steps, batch, 2), segment=segment, **options)
    assert_same(found, expected, rtol=1e-10)
