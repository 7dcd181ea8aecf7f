"""Conv1d, Conv2d and pooling: against plain loops, in compiled steps, and what they refuse."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyrnn as tr
from tests.oracles import convolution
from tests.scan_forms import agree, normal
from tinyrnn import nn
from tinyrnn.autograd.sliding import Windows
from tinyrnn.nn import functional as F

small = st.integers(1, 3)


@st.composite
def problems(draw: st.DrawFn, axes: int) -> tuple[Any, Any, Windows]:
    """An input with any number of axes in front, kernels, and windows of which at least one fits."""
    groups, each, out = draw(st.integers(1, 2)), draw(st.integers(1, 2)), draw(st.integers(1, 2))
    kernel, stride, dilation = (tuple(draw(small) for _ in range(axes)) for _ in range(3))
    padding = tuple((n, n) for n in (draw(st.integers(0, 2)) for _ in range(axes)))
    size = tuple(
        max(d * (k - 1) + 1 - 2 * pad, 1) + draw(st.integers(0, 3))
        for k, d, (pad, _) in zip(kernel, dilation, padding, strict=True)
    )
    lead = tuple(draw(st.lists(st.integers(1, 2), max_size=3)))
    x = normal(*lead, groups * each, *size)
    return x, normal(groups * out, each, *kernel, seed=1), Windows(kernel, stride, dilation, padding, groups)


@pytest.mark.parametrize("axes", [1, 2])
@given(data=st.data())
def test_convolution(axes: int, data: st.DataObject) -> None:
    x, w, windows = data.draw(problems(axes))
    padding = tuple(low for low, _ in windows.padding)
    f = {1: F.conv1d, 2: F.conv2d}[axes]
    y = f(x, w, None, windows.stride, padding, windows.dilation, windows.groups)
    np.testing.assert_allclose(y.numpy(), convolution.conv(x, w, windows), rtol=1e-10, atol=1e-10)
    tr.testing.check_grads(
        lambda x, w, b: f(x, w, b, windows.stride, padding, windows.dilation, windows.groups),
        x,
        w,
        normal(w.shape[0]),
        order=2,
    )


@pytest.mark.parametrize("name", ["max", "avg"])
@pytest.mark.parametrize("axes", [1, 2])
@given(data=st.data())
def test_pooling(name: str, axes: int, data: st.DataObject) -> None:
    x, _, windows = data.draw(problems(axes))
    padding = tuple(min(low, k // 2) for (low, _), k in zip(windows.padding, windows.kernel, strict=True))
    windows = windows._replace(padding=tuple((n, n) for n in padding))
    if name == "avg":
        windows = windows._replace(dilation=(1,) * axes)
    if 0 in windows.number(x.shape):
        return
    options = {"dilation": windows.dilation} if name == "max" else {}
    kind = getattr(nn, f"{name.capitalize()}Pool{axes}d")
    pool = kind(windows.kernel, windows.stride, padding, **options)
    inside = convolution.unfold(x, windows, -np.inf if name == "max" else 0)
    expected = (np.max if name == "max" else np.mean)(inside, axis=tuple(range(-2 * axes, -axes)))
    np.testing.assert_allclose(pool(x).numpy(), expected, rtol=1e-12, atol=1e-12)
    function = getattr(F, f"{name}_pool{axes}d")
    np.testing.assert_array_equal(
        function(x, windows.kernel, windows.stride, padding, **options).numpy(), pool(x).numpy()
    )
    if np.isfinite(expected).all():  # with a dilation a window may meet nothing but padding
        tr.testing.check_grads(pool, x, order=2)


def test_what_an_average_counts() -> None:
    x = np.array([[2.0, 4.0, 6.0]])
    for options, expected in (
        ({"padding": 1}, [1, 5]),  # the zero before counts
        ({"padding": 1, "count_include_pad": False}, [2, 5]),
        ({"ceil_mode": True}, [3, 6]),  # what fills up the last window does not
        ({"padding": 1, "stride": 1}, [1, 3, 5, 3]),
    ):
        assert F.avg_pool1d(x, 2, **options).tolist() == [expected]
    assert F.avg_pool2d(np.ones((1, 2, 2)), 2, divisor_override=1).tolist() == [[[4]]]


def test_ties_share_the_gradient_and_padding_is_never_the_largest() -> None:
    x = tr.tensor([[-1.0, -1.0, -5.0]], requires_grad=True)
    y = nn.MaxPool1d(2, stride=1, padding=1)(x)
    assert y.tolist() == [[-1, -1, -1, -5]]
    y.sum().backward()
    assert x.grad.tolist() == [[1.5, 1.5, 1]]


@pytest.mark.parametrize(
    ("mode", "numpys"),
    [("zeros", "constant"), ("reflect", "reflect"), ("replicate", "edge"), ("circular", "wrap")],
)
def test_padding_modes(mode: str, numpys: Any) -> None:
    conv = nn.Conv2d(2, 3, (3, 2), padding=(2, 1), padding_mode=mode, rng=0, dtype="float64")
    x = normal(4, 2, 5, 6)
    padded = np.pad(x, [(0, 0), (0, 0), (2, 2), (1, 1)], mode=numpys)
    plain = Windows((3, 2), (1, 1), (1, 1), ((0, 0), (0, 0)))
    expected = convolution.conv(padded, conv.weight.numpy(), plain) + conv.bias.numpy()[:, None, None]
    np.testing.assert_allclose(conv(x).numpy(), expected, rtol=1e-10)
    tr.testing.check_grads(conv, x)


@pytest.mark.parametrize("kernel", [1, 2, 3, 4])
@pytest.mark.parametrize("dilation", [1, 3])
def test_same_keeps_the_length(kernel: int, dilation: int) -> None:
    x = np.zeros((2, 12))
    assert nn.Conv1d(2, 5, kernel, padding="same", dilation=dilation)(x).shape == (5, 12)
    assert nn.Conv1d(2, 5, kernel, padding="valid")(x).shape == (5, 13 - kernel)


def test_all_steps_at_once() -> None:
    conv, pool, x = nn.Conv2d(2, 3, 3, padding=1, rng=0), nn.MaxPool2d(2), normal(4, 5, 2, 6, 6)
    y = pool(conv(x))
    assert y.shape == (4, 5, 3, 3, 3)
    for t in range(4):
        for b in range(5):
            np.testing.assert_allclose(y.numpy()[t, b], pool(conv(x[t, b])).numpy(), rtol=1e-5, atol=1e-6)


def test_first_values_names_and_form() -> None:
    conv = nn.Conv2d(4, 6, (3, 5), stride=2, padding=1, groups=2, bias=True, rng=0)
    assert {k: v.shape for k, v in conv.state_dict().items()} == {"weight": (6, 2, 3, 5), "bias": (6,)}
    bound = 1 / np.sqrt(2 * 3 * 5)
    for p in conv.parameters():
        assert np.abs(p.numpy()).max() <= bound
    assert np.abs(conv.weight.numpy()).max() > 0.9 * bound
    np.testing.assert_array_equal(
        conv.weight.numpy(), nn.Conv2d(4, 6, (3, 5), groups=2, rng=0).weight.numpy()
    )
    assert repr(conv).startswith("Conv2d(4, 6, kernel_size=(3, 5), stride=(2, 2), padding=1, groups=2)")
    assert nn.Conv1d(1, 1, 1, bias=False).bias is None
    assert nn.Conv1d(1, 1, 2)(np.zeros((1, 3))).dtype == np.float32


# --- in a step that is compiled -----------------------------------------------------------------------------
ONE = Windows((3,), (1,), (1,), ((1, 1),))
PARAMS = {"w": normal(2, 1, 3), "u": normal(2, 2, 3, seed=1) * 0.3, "v": normal(1, 2, 3, seed=2)}


def conv_rnn(params: dict[str, Any]) -> Any:
    """Of the input before the loop, of the state in it, of the output after it."""

    def step(h: Any, x: Any) -> Any:
        h = tr.tanh(F.conv1d(x, params["w"], padding=1) + F.conv1d(h, params["u"], padding=1))
        return h, F.max_pool1d(F.conv1d(h, params["v"], stride=2), 2)

    return step


def filtered(params: dict[str, Any]) -> Any:
    """Kernels that are inputs, and kernels that are the state."""

    def step(h: Any, x: Any) -> Any:
        y = F.conv1d(F.conv1d(params["x"], x["kernel"], padding=1), h)
        return h + tr.tanh(y.mean()) * x["kernel"], y

    return step


@pytest.mark.parametrize("lengths", [None, np.array([5, 2, 3])])
@pytest.mark.parametrize("reverse", [False, True])
def test_convolutions_in_a_step(lengths: Any, reverse: bool) -> None:
    agree(conv_rnn, PARAMS, normal(3, 2, 6), normal(5, 3, 1, 6), lengths=lengths, reverse=reverse)


def test_kernels_that_change_from_step_to_step() -> None:
    agree(filtered, {"x": normal(2, 3, 7)}, normal(3, 3, 2), {"kernel": normal(4, 3, 3, 2)})


def test_the_convolution_of_the_input_leaves_the_loop() -> None:
    params = {name: tr.tensor(w, requires_grad=True) for name, w in PARAMS.items()}
    plan = tr.scan.plan(conv_rnn(params), normal(3, 2, 6), normal(5, 3, 1, 6))
    inside = str(plan).split("in the loop")[1].split("after the loop")[0]
    assert inside.count("conv(") == 1


def test_second_order_through_a_compiled_step() -> None:
    def f(w: Any, u: Any, v: Any, h: Any, x: Any) -> Any:
        return tr.scan(conv_rnn({"w": w, "u": u, "v": v}), h, x)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tr.testing.check_grads(f, *PARAMS.values(), normal(2, 2, 6), normal(3, 2, 1, 6), order=2)


class ConvGRU(nn.Cell):
    """A user's cell: a GRU whose products are convolutions (Ballas et al. 2016)."""

    def __init__(self, channels: int, hidden: int) -> None:
        self.hidden = hidden
        self.gates = nn.Conv2d(channels + hidden, 2 * hidden, 3, padding=1)
        self.propose = nn.Conv2d(channels + hidden, hidden, 3, padding=1)

    def initial_state(self, batch: int | None = None) -> Any:
        return tr.zeros((batch or 1, self.hidden, 4, 4))

    def step(self, h: Any, x: Any) -> Any:
        z, r = tr.split(tr.sigmoid(self.gates(tr.concatenate([x, h], axis=1))), 2, axis=1)
        h = h + z * (tr.tanh(self.propose(tr.concatenate([x, r * h], axis=1))) - h)
        return h, h


def test_a_cell_of_convolutions() -> None:
    layer, x = nn.Recurrent(ConvGRU(2, 3)), normal(5, 2, 2, 4, 4, dtype=np.float32)
    found = []
    for recorded in (False, True):
        layer.zero_grad()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            if recorded:
                with tr.unrolled():
                    y, _ = layer(x)
            else:
                y, _ = layer(x)
        (y * y).sum().backward()
        found.append([y.numpy(), *(p.grad.numpy() for p in layer.parameters())])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)


# --- what is refused ----------------------------------------------------------------------------------------
BAD: list[tuple[Any, str]] = [
    (
        lambda: nn.Conv2d(1, 2, 3)(np.zeros((2, 8, 8))),
        r"Conv2d: input has shape \(2, 8, 8\); expected .*in_channels = 1",
    ),
    (lambda: nn.Conv2d(1, 2, 3)(np.zeros((8, 8))), "Conv2d: input has shape"),
    (
        lambda: nn.Conv2d(1, 2, 3)(np.zeros((1, 2, 8))),
        r"Conv2d: a window takes \(3, 3\); expected .* got \(2, 8\)",
    ),
    (lambda: nn.Conv1d(3, 4, 2, groups=2), "Conv1d: groups is 2; expected a divisor of in_channels = 3"),
    (lambda: nn.Conv1d(1, 1, 0), "Conv1d: kernel_size is 0; expected a number >= 1"),
    (lambda: nn.Conv2d(1, 1, (3, 3, 3)), r"Conv2d: kernel_size is \(3, 3, 3\); expected a number >= 1, or 2"),
    (lambda: nn.Conv1d(1, 1, 2.0), "Conv1d: kernel_size is 2.0"),
    (lambda: nn.Conv1d(1, 1, 2, padding=-1), "Conv1d: padding is -1; expected a number >= 0"),
    (lambda: nn.Conv1d(1, 1, 2, padding="full"), "Conv1d: padding is 'full'"),
    (lambda: nn.Conv1d(1, 1, 2, stride=2, padding="same"), "padding is 'same' and stride is"),
    (lambda: nn.Conv1d(1, 1, 2, padding_mode="mirror"), "padding_mode is 'mirror'"),
    (
        lambda: nn.Conv1d(1, 1, 2, padding=3, padding_mode="reflect")(np.zeros((1, 3))),
        "3 cannot be put around an axis of length 3",
    ),
    (lambda: nn.Conv1d(0, 1, 2), "in_channels is 0"),
    (
        lambda: F.conv1d(np.zeros((1, 5)), tr.zeros((1, 3))),
        r"conv1d: weight has shape \(1, 3\); expected 3 axes",
    ),
    (lambda: F.conv1d(tr.zeros((1, 5)), tr.zeros((2, 1, 3)), tr.zeros(3)), r"conv1d: bias has shape \(3,\)"),
    (lambda: nn.MaxPool2d(2, padding=2)(np.zeros((1, 8, 8))), "MaxPool2d: padding is .* at most half"),
    (lambda: nn.MaxPool2d(9)(np.zeros((1, 8, 8))), r"MaxPool2d: a window takes \(9, 9\)"),
    (lambda: F.avg_pool2d(np.zeros((1, 4, 4)), 2, divisor_override=0), "divisor_override is 0"),
]


@pytest.mark.parametrize(("make", "message"), BAD)
def test_what_does_not_fit_is_refused_by_name(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_a_tensor_of_another_dtype_is_refused() -> None:
    with pytest.raises(TypeError, match="Conv1d: input is a Tensor of dtype float64"):
        nn.Conv1d(1, 1, 1)(tr.zeros((1, 3), dtype="float64"))
