"""What a state may be written as, and what becomes of plain arrays: in cells, layers, scan and windows."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pytest

import tinyrnn as tr

forms = pytest.mark.parametrize("form", [contextlib.nullcontext, tr.unrolled], ids=["compiled", "recorded"])
State = tr.nn.LSTMState


def pair(*shape: int) -> Any:
    return tr.randn(*shape, rng=1), tr.randn(*shape, rng=2)


def same(a: Any, b: Any) -> None:
    assert type(a) is type(b)
    for x, y in zip(a, b, strict=True):
        np.testing.assert_array_equal(x.numpy(), y.numpy())


@forms
def test_a_plain_tuple_serves_as_an_lstm_state(form: Any) -> None:
    cell, x = tr.nn.LSTMCell(2, 3, rng=0), tr.randn(5, 4, 2, rng=3)
    h, c = pair(4, 3)
    with form():
        same(cell(x[0], (h, c)), cell(x[0], State(h, c)))
        same(cell(x[0], [h.numpy(), c.numpy()]), cell(x[0], State(h, c)))
        layer = tr.nn.LSTM(2, 3, rng=0)
        same(layer(x, (h[None], c[None]))[1], layer(x, State(h[None], c[None]))[1])
        rnn = tr.nn.Recurrent(cell)
        for state in ((h, c), [h, c], (h.numpy().astype("float64"), c)):
            y, final = rnn(x, state)
            same((y, *final), (rnn(x, State(h, c))[0], *rnn(x, State(h, c))[1]))
            assert isinstance(final, State)
        stack = tr.nn.Recurrent([cell, tr.nn.LSTMCell(3, 3, rng=5)])
        _, (first, second) = stack(x, [(h, c), (h, c)])
        assert isinstance(first, State)
        assert isinstance(second, State)


@forms
@pytest.mark.parametrize("lengths", [None, [5, 2, 3, 1]])
def test_a_scan_gives_the_state_back_in_the_form_that_it_was_given(form: Any, lengths: Any) -> None:
    cell, x = tr.nn.LSTMCell(2, 3, rng=0), tr.randn(5, 4, 2, rng=3)
    h, c = pair(4, 3)
    with form():
        plain, y = tr.scan(cell.step, (h, c), x, lengths=lengths)
        named, expected = tr.scan(cell.step, State(h, c), x, lengths=lengths)
        assert type(plain) is tuple
        assert type(named) is State
        same((*plain, y), (*named, expected))
        nested, _ = tr.scan(lambda s, x: ({"lstm": cell.step(s["lstm"], x)[0]}, None), {"lstm": (h, c)}, x)
        same((*nested["lstm"],), tr.scan(cell.step, (h, c), x)[0])
        with pytest.raises(ValueError, match=r"of the form .*carry\[0\]', 'carry\[1\]', 'carry\[2\]"):
            tr.scan(lambda s, x: cell.step(s[:2], x), (h, c, h), x)


@forms
def test_windows_take_a_plain_tuple(form: Any) -> None:
    lstm, x = tr.nn.LSTM(2, 3, rng=0), tr.randn(6, 4, 2, rng=3)
    h, c = (part[None] for part in pair(4, 3))
    resets = np.zeros((6, 4), bool)
    resets[3, 1] = True
    with form():
        found = [
            [
                window.run(lstm).numpy()
                for window in tr.TruncatedBPTT(2, 3).windows(x, initial_state=state, resets=resets)
            ]
            for state in ((h, c), State(h, c))
        ]
    np.testing.assert_array_equal(*map(np.concatenate, found))


@forms
def test_recurrent_backward_alone(form: Any) -> None:
    cells = [tr.nn.GRUCell(2, 3, rng=0), tr.nn.GRUCell(2, 3, rng=1)]
    x, lengths = tr.randn(5, 2, 2, rng=3), [5, 3]
    with form():
        y, h = tr.nn.Recurrent(cells[1], reverse=True)(x, lengths=lengths)
        both, (_, last) = tr.nn.Recurrent(cells, bidirectional=True)(x, lengths=lengths)
    np.testing.assert_array_equal(y.numpy(), both.numpy()[..., 3:])
    np.testing.assert_array_equal(h.numpy(), last.numpy())
    assert "reverse=True" in repr(tr.nn.Recurrent(cells[0], reverse=True))


@forms
def test_plain_arrays_of_floats_are_cast_as_in_the_layers(form: Any) -> None:
    def step(h: Any, x: Any) -> Any:
        return h + x["a"].sum(), h * x["n"]

    xs = {"a": np.random.default_rng(0).normal(size=(5, 2, 3)), "n": np.arange(5)}
    with form():
        for dtype in ("float32", "float64"):
            h, y = tr.scan(step, tr.zeros((2, 4), dtype=dtype), xs)
            assert h.dtype == y.dtype == dtype
            h, _ = tr.scan(step, np.zeros((2, 4)), {**xs, "a": tr.tensor(xs["a"], dtype=dtype)})
            assert h.dtype == dtype
        assert tr.scan(step, np.zeros((2, 4)), xs)[0].dtype == "float64"  # nothing says otherwise
        with pytest.raises(ValueError, match=r"carry with shape .* dtype float64; expected .* and float32"):
            tr.scan(step, tr.zeros((2, 4)), {**xs, "a": tr.tensor(xs["a"])})  # a Tensor means its dtype


def grows(h: Any, x: Any) -> Any:
    return {"m": tr.concatenate([h["m"], x[None]])}, None


@forms
@pytest.mark.parametrize("recording", [True, False])
@pytest.mark.parametrize("steps", [1, 4])
def test_a_carry_that_grows_is_refused_by_name(form: Any, recording: bool, steps: int) -> None:
    message = r"returned carry\['m'\] with shape \(3, 2\) and dtype float32; expected those of .*\(2, 2\)"
    with form(), contextlib.nullcontext() if recording else tr.no_grad():
        for _ in range(2):
            with pytest.raises(ValueError, match=message):
                tr.scan(grows, {"m": tr.zeros(2, 2)}, tr.ones(steps, 2))


def test_every_layer_casts_arrays_and_refuses_tensors_of_another_dtype() -> None:
    x, wide = np.ones((4, 1, 2)), tr.ones((1, 1, 3), dtype="float64")
    rnn, layer = tr.nn.Recurrent(tr.nn.GRUCell(2, 3)), tr.nn.GRU(2, 3)
    for state in (np.ones((1, 3)), [[1.0, 1.0, 1.0]]):
        assert rnn(x, state)[0].dtype == np.float32
    assert layer(x, np.ones((1, 1, 3)))[0].dtype == np.float32
    for call in (lambda: rnn(x, wide[0]), lambda: layer(x, wide), lambda: tr.nn.GRUCell(2, 3)(x[0], wide[0])):
        with pytest.raises(TypeError, match="is a Tensor of dtype float64; expected float32"):
            call()

    class Sum(tr.nn.Cell):
        hidden_size = 2

        def __init__(self) -> None:
            self.scale = tr.nn.Parameter(1.0)

        def initial_state(self, batch: int | None = None) -> Any:
            return {
                "count": tr.zeros(batch or 1, dtype="int64"),
                "total": tr.zeros(batch or 1, dtype="float64"),
            }

        def step(self, carry: Any, x: Any, /) -> Any:
            total = carry["total"] + (self.scale * x).sum(-1).astype("float64")
            return {"count": carry["count"] + 1, "total": total}, total

    adder = tr.nn.Recurrent(Sum())
    _, state = adder(x)
    assert adder(x, state)[1]["total"].item() == 16.0  # what a cell gives, it takes
    assert adder(x, {"total": np.zeros(1), "count": np.array([3])})[1]["count"].item() == 7
