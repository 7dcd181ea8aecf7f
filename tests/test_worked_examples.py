"""Three worked examples of recurrent networks from teaching texts, each number recomputed.

Each is computed twice: by the oracle (plain NumPy, ``tests/oracles``) and by the engine, op by op on the
tape. The texts round as they go; the tolerances say how far a printed number may be trusted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from oracles import bptt
from oracles.cells import CELLS, Array

import tinyrnn as tr


@dataclass
class Run:
    """An RNN over one sequence: hidden states (T, H), and gradients of ``sum(g * h)``."""

    h: Array
    g_W_xh: Array
    g_W_hh: Array
    g_h0: Array


Compute = Callable[..., Run]


def by_oracle(
    W_xh: Array, W_hh: Array, b: Array, h0: Array, x: Array, g: Array, nonlinearity: str = "tanh"
) -> Run:
    cell = CELLS[f"RNN_{nonlinearity.upper()}"]
    params = {"weight_ih": W_xh, "weight_hh": W_hh, "bias_ih": b, "bias_hh": np.zeros_like(b)}
    h, _, cache = bptt.forward(cell, x[:, None], (h0[None],), params)
    grads, _, (g_h0,) = bptt.backward(cell, g[:, None], (np.zeros((1, len(h0))),), cache)
    return Run(h[:, 0], grads["weight_ih"], grads["weight_hh"], g_h0[0])


def by_engine(
    W_xh: Array, W_hh: Array, b: Array, h0: Array, x: Array, g: Array, nonlinearity: str = "tanh"
) -> Run:
    leaves = [tr.tensor(a, requires_grad=True) for a in (W_xh, W_hh, b, h0)]
    W, U, bias, h = leaves
    activation = {"tanh": tr.tanh, "relu": tr.relu}[nonlinearity]
    states = []
    for x_t in x:
        h = activation(W @ x_t + U @ h + bias)
        states.append(h)
    hs = tr.stack(states)
    (hs * g).sum().backward()
    return Run(hs.numpy(), W.grad.numpy(), U.grad.numpy(), leaves[3].grad.numpy())


both = pytest.mark.parametrize("compute", [by_oracle, by_engine])


@both
def test_example_1_three_steps_of_a_tanh_rnn(compute: Compute) -> None:
    W_xh = np.array([[0.5, -0.3], [0.2, 0.4], [-0.1, 0.6]])
    W_hh = np.array([[0.3, -0.2, 0.1], [0.4, 0.5, -0.3], [-0.2, 0.1, 0.4]])
    b_h = np.array([0.1, -0.1, 0.2])
    x = np.array([[1.0, 0.5], [0.8, 1.2], [0.3, 0.9]])
    h = compute(W_xh, W_hh, b_h, np.zeros(3), x, np.zeros((3, 3))).h

    np.testing.assert_allclose(h[0], np.tanh([0.45, 0.30, 0.40]), rtol=1e-14)
    # The source rounds, and has a slip at step 2: it prints W_hh @ h_1 as [0.096, 0.199, 0.081], where its
    # own weights and h_1 give [0.106, 0.200, 0.097]. The numbers from here on are ours.
    np.testing.assert_allclose(W_hh @ h[0], [0.10630, 0.20043, 0.09673], atol=5e-6)
    assert np.all(np.abs(W_hh @ h[0] - [0.096, 0.199, 0.081])[[0, 2]] > 0.01)
    np.testing.assert_allclose(W_xh @ x[1], [0.04, 0.64, 0.64], rtol=1e-14)
    np.testing.assert_allclose(h[1], [0.2414394, 0.6294056, 0.7337167], atol=5e-8)
    # The first unit's pre-activation at step 3 is almost nothing: .0199 (past) - .12 (x) + .1 (bias).
    np.testing.assert_allclose(h[2], [-0.0000776, 0.4708513, 0.7691076], atol=5e-8)


@both
def test_example_2_the_gradient_through_two_steps(compute: Compute) -> None:
    W_xh, W_hh = np.array([[0.2], [0.3]]), np.array([[0.5, 0.1], [0.1, 0.5]])
    x = np.array([[1.0], [2.0]])
    g_y2 = np.array(
        [[0.0, 0.0], [1.0, 1.0]]
    )  # y = W_hy @ h with W_hy = [1, 1]; we ask for the gradient of y_2
    run = compute(W_xh, W_hh, np.zeros(2), np.zeros(2), x, g_y2)
    h_1, h_2 = run.h

    np.testing.assert_allclose(h_1, [0.1974, 0.2913], atol=5e-5)
    np.testing.assert_allclose(h_1.sum(), 0.4887, atol=5e-5)
    np.testing.assert_allclose(h_2, [0.4837, 0.6443], atol=1e-4)
    np.testing.assert_allclose(h_2.sum(), 1.128, atol=5e-4)

    # dy_2/dW_xh[0,0] has a term for each step at which the weight was used.
    at_step_2 = (1 - h_2[0] ** 2) * x[1, 0]
    at_step_1 = ((1 - h_2**2) @ W_hh)[0] * (1 - h_1[0] ** 2) * x[0, 0]
    np.testing.assert_allclose(run.g_W_xh[0, 0], at_step_1 + at_step_2, rtol=1e-14)
    np.testing.assert_allclose(run.g_W_xh[0, 0], 1.9563518, atol=5e-8)
    # The source prints .4247, from rounded factors; in full it is .42431.
    np.testing.assert_allclose(at_step_1, 0.4247, atol=5e-4)
    np.testing.assert_allclose(run.g_W_xh[0, 0] - at_step_2, 0.4243066, atol=5e-8)


def gradient_to_the_first(compute: Compute, weight: float, steps: int, slope: float | None) -> float:
    """d h_T / d h_0 of a scalar RNN whose activation has the given slope at every step.

    With a slope below 1 this is a tanh RNN at the h where 1 - h² is the slope, held by a constant input.
    ``None`` is a relu RNN on its straight side, slope 1.
    """
    h = 1.0 if slope is None else np.sqrt(1 - slope)
    x = 0.0 if slope is None else np.arctanh(h) - weight * h
    run = compute(
        np.ones((1, 1)),
        np.full((1, 1), weight),
        np.zeros(1),
        np.full(1, h),
        np.full((steps, 1), x),
        np.eye(steps)[-1:].T,
        nonlinearity="relu" if slope is None else "tanh",
    )
    return float(run.g_h0[0])


@both
def test_example_3_gradients_vanish_and_explode(compute: Compute) -> None:
    # W_hh = .5 and tanh' = .8: a factor of .4 a step, over 99 steps "about 1e-39" (4.0e-40).
    vanished = gradient_to_the_first(compute, 0.5, 99, 0.8)
    np.testing.assert_allclose(vanished, 0.4**99, rtol=1e-10)
    assert round(np.log10(vanished)) == -39
    # W_hh = 1.5 and tanh' = .8: a factor of 1.2 a step. A rounding error in h grows as the gradient does, by
    # 7.58e3 over the 49 steps: hence 1e-9.
    exploded = gradient_to_the_first(compute, 1.5, 49, 0.8)
    np.testing.assert_allclose(exploded, 1.2**49, rtol=1e-9)
    np.testing.assert_allclose(exploded, 7.58e3, rtol=1e-3)

    for weight, steps, printed in [
        (0.5, 10, 9.77e-4),
        (0.5, 20, 9.54e-7),
        (2.0, 10, 1024),
        (2.0, 20, 1048576),
    ]:
        gradient = gradient_to_the_first(compute, weight, steps, None)
        assert gradient == weight**steps  # powers of two: exact
        np.testing.assert_allclose(gradient, printed, rtol=1e-3)
