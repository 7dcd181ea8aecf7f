"""Activations against PyTorch: functions and modules, values and slopes, at the kinks too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import tinyrnn as tr
from tinyrnn.nn import functional as F

X = np.concatenate([np.linspace(-6, 6, 49), [-50.0, 50.0, -1e-9, 1e-9]])  # with -3, -1, 0, 1 and 3
KINDS: list[tuple[str, str, dict[str, Any]]] = [
    ("elu", "ELU", {}),
    ("elu", "ELU", {"alpha": 0.3}),
    ("selu", "SELU", {}),
    ("leaky_relu", "LeakyReLU", {}),
    ("leaky_relu", "LeakyReLU", {"negative_slope": 0.2}),
    ("gelu", "GELU", {}),
    ("gelu", "GELU", {"approximate": "tanh"}),
    ("silu", "SiLU", {}),
    ("mish", "Mish", {}),
    ("hardtanh", "Hardtanh", {}),
    ("hardtanh", "Hardtanh", {"min_val": -3.0, "max_val": 0.5}),
    ("hardsigmoid", "Hardsigmoid", {}),
    ("softsign", "Softsign", {}),
    ("logsigmoid", "LogSigmoid", {}),
    ("relu", "ReLU", {}),
    ("sigmoid", "Sigmoid", {}),
    ("tanh", "Tanh", {}),
]


@pytest.mark.optional
@pytest.mark.parametrize(("function", "module", "options"), KINDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_as_pytorch(function: str, module: str, options: dict[str, Any], dtype: str) -> None:
    torch = pytest.importorskip("torch")
    theirs = torch.tensor(X.astype(dtype), requires_grad=True)
    expected = getattr(torch.nn, module)(**options)(theirs)
    expected.sum().backward()
    tolerance = {"rtol": 1e-5, "atol": 3e-6} if dtype == "float32" else {"rtol": 1e-12, "atol": 1e-14}
    if function == "hardsigmoid":  # PyTorch divides by 6 in float32
        tolerance = {"rtol": 1e-6, "atol": 1e-7}
    modules = getattr(tr.nn, module)(**options)
    for f in (
        modules,
        lambda x: getattr(F, function)(x, **options),
        lambda x: getattr(tr, function)(x, **options),
    ):
        x = tr.tensor(X.astype(dtype), requires_grad=True)
        y = f(x)
        y.sum().backward()
        assert y.dtype == x.grad.dtype == dtype
        np.testing.assert_allclose(y.numpy(), expected.detach().numpy(), **tolerance)
        np.testing.assert_allclose(x.grad.numpy(), theirs.grad.numpy(), **tolerance)


@pytest.mark.parametrize(("function", "module", "options"), KINDS)
def test_in_a_compiled_step(function: str, module: str, options: dict[str, Any]) -> None:
    act = getattr(tr.nn, module)(**options)
    w = tr.tensor(np.random.default_rng(0).normal(size=(3, 3)), requires_grad=True)

    def run() -> Any:
        h, ys = tr.scan(
            lambda h, x: (act(h @ w + x),) * 2,
            tr.zeros(2, 3, dtype="float64"),
            tr.as_tensor(X[:48].reshape(8, 2, 3)),
        )
        (g,) = tr.grad((ys * ys).sum() + h.sum(), w, create_graph=True)
        return ys.data, g.data, *(g.data for g in tr.grad((g * g).sum(), w))

    compiled = run()
    with tr.unrolled():
        recorded = run()
    for a, b in zip(compiled, recorded, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10)


def test_extreme_values_are_finite() -> None:
    for function, _, options in KINDS:
        x = tr.tensor(np.array([-1e4, -800.0, 800.0, 1e4]), requires_grad=True)
        y = getattr(tr, function)(x, **options)
        y.sum().backward()
        assert np.isfinite(y.numpy()).all(), function
        assert np.isfinite(x.grad.numpy()).all(), function


def test_modules_say_what_they_refuse() -> None:
    with pytest.raises(ValueError, match=r"ELU: inplace is True; expected False"):
        tr.nn.ELU(inplace=True)
    with pytest.raises(ValueError, match=r"gelu: approximate is 'erf'; expected 'none' or 'tanh'"):
        tr.nn.GELU("erf")
    with pytest.raises(ValueError, match=r"hardtanh: min_val is 2.0 and max_val 1.0"):
        tr.nn.Hardtanh(2.0, 1.0)
    assert repr(tr.nn.Hardtanh()) == "Hardtanh(min_val=-1.0, max_val=1.0)"
    assert isinstance(tr.nn.Mish()([0.5, 1.0]), tr.Tensor)
