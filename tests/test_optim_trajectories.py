"""SGD on a small sigmoid network against published values, after 101 steps.

Computed twice: by hand (gradients in NumPy, PyTorch's formula of the update in two lines), and by the engine
and ``tr.optim.SGD``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import tinyrnn as tr

X = np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]])
W1 = np.array(
    [
        [-0.2108988568338871, -0.4975560466422629],
        [-0.1412921620247176, -0.3420288967865903],
        [-0.2523635082803723, 0.6975570255493777],
    ]
)
b1 = np.array([-0.1085312196625238, -0.297948499687533, 0.6892015099955717])
W2 = np.array([[-0.05080313011597659, -0.39413518751059, -0.2843375974592884]])
b2 = np.array([-0.07113812430174116])

# momentum -> W1[0, 0] and b2 after 101 steps at lr .1, weight decay .01
PUBLISHED = {0.0: (-0.1357998229, -1.8045854907), 0.9: (0.0056118487, -2.3359277662)}
STEPS = 101


def by_hand(momentum: float) -> list[np.ndarray]:
    def sigmoid(a: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-a))

    params = [p.copy() for p in (W1, b1, W2, b2)]
    buffers = [np.zeros_like(p) for p in params]
    for _ in range(STEPS):
        hidden = sigmoid(X @ params[0].T + params[1])
        out = sigmoid(hidden @ params[2].T + params[3])
        g_out = out * (1 - out)
        g_hidden = (g_out @ params[2]) * hidden * (1 - hidden)
        grads = [g_hidden.T @ X, g_hidden.sum(0), g_out.T @ hidden, g_out.sum(0)]
        for p, g, v in zip(params, grads, buffers, strict=True):
            v[...] = momentum * v + (g + 0.01 * p)
            p -= 0.1 * v
    return params


def by_tinyrnn(momentum: float) -> list[np.ndarray]:
    params = [tr.tensor(p.copy(), requires_grad=True) for p in (W1, b1, W2, b2)]
    optimizer = tr.optim.SGD(params, lr=0.1, weight_decay=0.01, momentum=momentum)
    for _ in range(STEPS):
        optimizer.zero_grad()
        hidden = tr.sigmoid(X @ params[0].T + params[1])
        out = tr.sigmoid(hidden @ params[2].T + params[3])
        out.sum().backward()
        optimizer.step()
    return [p.numpy() for p in params]


@pytest.mark.parametrize("run", [by_hand, by_tinyrnn])
@pytest.mark.parametrize("momentum", sorted(PUBLISHED))
def test_sgd_reaches_the_published_values(run: Callable[[float], list[np.ndarray]], momentum: float) -> None:
    params = run(momentum)
    np.testing.assert_allclose([params[0][0, 0], params[3][0]], PUBLISHED[momentum], rtol=0, atol=6e-11)


@pytest.mark.parametrize("momentum", sorted(PUBLISHED))
def test_all_parameters_go_the_way_of_the_formula(momentum: float) -> None:
    for ours, by_formula in zip(by_tinyrnn(momentum), by_hand(momentum), strict=True):
        assert ours.dtype == np.float64
        np.testing.assert_allclose(ours, by_formula, rtol=1e-12, atol=1e-14)
