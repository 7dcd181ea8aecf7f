"""`detect_anomaly`: what is not finite, and what was changed behind the engine's back, is met by name."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pytest

import tinyrnn as tr

forms = pytest.mark.parametrize("form", [contextlib.nullcontext, tr.unrolled], ids=["compiled", "recorded"])


class Reader(tr.nn.Module):
    """Takes the logarithm of a running sum, in a part of its own."""

    def __init__(self, f: Any, **options: Any) -> None:
        self.cell = Log(f)
        self.rnn = tr.nn.Recurrent(self.cell, **options)

    def forward(self, x: Any) -> Any:
        y, _ = self.rnn(x, tr.zeros(x.shape[1:]))
        return y


class Log(tr.nn.Cell):
    def __init__(self, f: Any) -> None:
        self.scale = tr.nn.Parameter(1.0)
        self.f = f

    def step(self, carry: Any, x: Any, /) -> tuple[Any, Any]:
        carry = carry + self.scale * x
        return carry, self.f(carry)


class Model(tr.nn.Module):
    def __init__(self, f: Any) -> None:
        self.reader = Reader(f)

    def forward(self, x: Any) -> Any:
        return self.reader(x)


@forms
@pytest.mark.parametrize("steps", [1, 7, 150])
def test_the_first_that_is_not_finite_going_forward(form: Any, steps: int) -> None:
    x = np.ones((steps, 2, 1), np.float32)
    bad = (2 * steps) // 3
    x[bad:, 1] = -bad  # the sum is 0 at this step, and negative after it
    model = Model(tr.log)
    with form(), np.errstate(all="ignore"):
        assert np.isfinite(model(x).numpy()).all() == (steps == 0)  # nobody says anything
        with (
            tr.detect_anomaly(),
            pytest.raises(
                tr.AnomalyError,
                match=rf"forward: 'log' in reader\.rnn\.l0 at step {bad} gave -inf at \[1, 0\]; its oper",
            ),
        ):
            model(x)
        with tr.detect_anomaly(check_nan=False):
            model(x).sum().backward()


@forms
def test_what_vanishes_again_is_found_as_well(form: Any) -> None:
    # exp overflows in one step, and 1 / inf is a number again.
    model = Model(lambda h: 1 / (1 + tr.exp(h)))
    x = np.zeros((100, 1, 1), np.float32)
    x[70] = 1000.0
    with form(), np.errstate(all="ignore"):
        assert np.isfinite(model(x).numpy()).all()
        with (
            tr.detect_anomaly(),
            pytest.raises(tr.AnomalyError, match=r"'exp' in .* at step 70 gave inf"),
        ):
            model(x)


@forms
@pytest.mark.parametrize("inside", [True, False], ids=["both passes", "the backward pass"])
@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
def test_the_first_that_is_not_finite_going_back(
    form: Any, inside: bool, create_graph: bool, reverse: bool
) -> None:
    w = tr.tensor(1.0, requires_grad=True)

    def step(h: Any, x: Any) -> Any:
        h = h + w * x
        return h, tr.sqrt(h)  # whose slope at 0 is infinite

    x = np.zeros((150, 2), np.float32)
    x[:, 0] = 1.0
    x[80, 1] = 1.0  # up to here the sum is 0
    with form(), np.errstate(all="ignore"):
        with tr.detect_anomaly() if inside else contextlib.nullcontext(), tr.scope("head"):
            _, y = tr.scan(step, tr.zeros(2), x, reverse=reverse)
            loss = y.sum()
        # Going back the steps are met in the opposite order.
        first = 81 if reverse else 79
        with (
            tr.detect_anomaly(),
            pytest.raises(
                tr.AnomalyError,
                match=rf"backward: the gradient of 'sqrt' in head at step {first}, at its operand x, of "
                r"shape \(2,\), is inf at \[1\]",
            ),
        ):
            loss.backward(create_graph=create_graph)
        assert w.grad is None


@forms
@pytest.mark.parametrize("backward", [False, True])
def test_a_part_inside_the_step_is_named(form: Any, backward: bool) -> None:
    """Also where another scan, of the same form but elsewhere in the model, was compiled before."""

    def step(h: Any, x: Any) -> Any:
        with tr.scope("gate"):
            new = tr.sqrt(h * 0.0) + x if backward else tr.log(h * 0.0) + x
        return new, new

    def run() -> None:
        with np.errstate(all="ignore"):
            _, y = tr.scan(step, tr.ones(3, requires_grad=True), tr.ones((5, 3)))
            y.sum().backward()

    with form(), tr.scope("first"):
        run()
    found = rf"'{'sqrt' if backward else 'log'}' in second.gate at step {4 if backward else 0}"
    with form(), tr.detect_anomaly(), tr.scope("second"), pytest.raises(tr.AnomalyError, match=found):
        run()


@forms
def test_lengths_and_padding_are_no_anomaly(form: Any) -> None:
    gru = tr.nn.GRU(2, 3)
    x = tr.randn(6, 2, 2)
    x.data[3:, 1] = np.nan
    with form(), tr.detect_anomaly():
        y, h = gru(x, lengths=[6, 3])
        ((y * y).sum() + h.sum()).backward()
        with pytest.raises(tr.AnomalyError, match=r"'matmul' in .*l0"):
            gru(x)


@forms
def test_a_training_run_is_the_same_inside(form: Any) -> None:
    def run() -> list[np.ndarray[Any, Any]]:
        tr.manual_seed(0)
        lstm = tr.nn.LSTM(2, 3, num_layers=2, bidirectional=True)
        optimizer = tr.optim.Adam(lstm.parameters())
        for _ in range(3):
            y, state = lstm(tr.randn(7, 2, 2), lengths=[7, 4], segment=3)
            optimizer.zero_grad()
            ((y * y).mean() + state.c.sum()).backward()
            optimizer.step()
        return [p.numpy() for p in lstm.parameters()]

    with form():
        plain = run()
        with tr.detect_anomaly():
            looked_at = run()
    for a, b in zip(plain, looked_at, strict=True):
        np.testing.assert_array_equal(a, b)


@forms
@pytest.mark.parametrize("segment", [None, 2])
def test_an_array_of_the_user_that_is_filled_again(form: Any, segment: int | None) -> None:
    w = tr.tensor(np.eye(3), requires_grad=True)
    buffer = np.ones((5, 2, 3))

    def step(h: Any, x: Any) -> Any:
        h = tr.tanh(h + x @ w)
        return h, h

    def loss() -> Any:
        return tr.scan(step, tr.zeros((2, 3), dtype="float64"), buffer, segment=segment)[1].sum()

    with form():
        first = loss()
        buffer[:] = 2.0
        first.backward()  # in silence: looking at every array would cost too much
        with tr.detect_anomaly():
            second = loss()
            buffer[3] = 4.0
            with pytest.raises(tr.AnomalyError, match=r"'(scan|matmul)'.* needs its operand .* was changed"):
                second.backward()
            third = loss()
            third.backward()


def test_a_result_that_is_written_to() -> None:
    x = tr.tensor([1.0, 2.0], requires_grad=True)
    with tr.detect_anomaly():
        y = tr.exp(x)
        y.data[0] = 7.0
        with pytest.raises(tr.AnomalyError, match=r"'exp' needs its result, of shape \(2,\)"):
            y.sum().backward()
        z = x + 1
        z.data[0] = 7.0  # which no rule needs
        z.sum().backward()


def test_numbers_that_come_in() -> None:
    x = tr.tensor([1.0, np.nan], requires_grad=True)
    with tr.detect_anomaly():
        with pytest.raises(tr.AnomalyError, match=r"'multiply' gave nan at \[1\]; its operand a came in"):
            x * 2
        y = tr.tensor([1.0, 2.0], requires_grad=True) * 2
        with pytest.raises(
            tr.AnomalyError, match=r"the gradient that comes in to 'multiply', of shape \(2,\)"
        ):
            y.backward([1.0, np.inf])
    x * 2  # and outside nobody looks


def test_sums_of_gradients_and_second_derivatives() -> None:
    x = tr.tensor(np.float32(1.0), requires_grad=True)
    y = x * 1
    with tr.detect_anomaly():
        with pytest.raises(tr.AnomalyError, match="the gradient that comes in to 'multiply'"):
            tr.grad([y * 1.5, y * 1.6], x, [2e38, 2e38])
        z = tr.where(np.array([True, False]), tr.tensor([2.0, 3.0], requires_grad=True) * x, 0.0)
        (g,) = tr.grad(z.sum(), x, create_graph=True)
        assert g.item() == 2.0
