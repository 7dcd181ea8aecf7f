"""What the compiler makes of the textbook cells: calls per step, which must not grow, and a plan to read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scan_cells import ALL, TEXTBOOK, case
from scan_forms import normal, tensors

import tinyrnn as tr

# NumPy calls per time step in the loop, forward and backward, at most.
CALLS = {"rnn": (3, 3), "lstm": (12, 10), "gru": (13, 11)}


def plan_of(name: str, **options: Any) -> Any:
    make, params, carry, xs = case(name)
    return tr.scan.plan(make(tensors(params)), tensors(carry), tensors(xs), **options)


def calls(plan: Any) -> list[tuple[int, int]]:
    return [(scan.forward.calls_per_step, scan.backward.calls_per_step) for scan in plan.scans]


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("name", TEXTBOOK)
def test_calls_of_textbook_cells(name: str, reverse: bool) -> None:
    ((forward, backward),) = calls(plan_of(name, reverse=reverse))
    assert forward <= CALLS[name][0]
    assert backward <= CALLS[name][1]


@pytest.mark.parametrize("name", TEXTBOOK)
def test_calls_of_layers(name: str) -> None:
    model = getattr(tr.nn, name.upper())(8, 16, num_layers=2, bidirectional=True)
    found = calls(tr.explain(model, tr.zeros((5, 2, 8))))
    assert len(found) == 4
    for forward, backward in found:
        assert forward <= CALLS[name][0]
        assert backward <= CALLS[name][1]


def test_calls_of_cells_in_other_words() -> None:
    """The same recurrence, written in other ways, costs the same."""
    make, params, carry, xs = case("lstm")
    p, state, inputs = tensors(params), tensors(carry), tensors(xs)

    def one_product(state: Any, x: Any) -> Any:
        h, c = state
        z = tr.concatenate([x, h], axis=-1) @ tr.concatenate([p["W"], p["U"]], axis=0) + p["b"]
        i, f, g, o = tr.split(z, 4, axis=-1)
        c = tr.sigmoid(f) * c + tr.sigmoid(i) * tr.tanh(g)
        h = tr.sigmoid(o) * tr.tanh(c)
        return (h, c), h

    def biases_apart(state: Any, x: Any) -> Any:
        h, c = state
        z = (h @ p["U"] + p["b"]) + (x @ p["W"] + p["b"])
        i, f, g, o = (z[:, 4 * k : 4 * k + 4] for k in range(4))
        c = tr.sigmoid(i) * tr.tanh(g) + c * tr.sigmoid(f)
        h = tr.tanh(c) * tr.sigmoid(o)
        return (h, c), h

    ((forward, backward),) = calls(tr.scan.plan(biases_apart, tuple(state), inputs))
    assert forward <= CALLS["lstm"][0]
    assert backward <= CALLS["lstm"][1]
    ((forward, _),) = calls(tr.scan.plan(one_product, tuple(state), inputs))
    assert forward <= CALLS["lstm"][0] + 2  # the parts are still copied into one row
    np.testing.assert_allclose(
        tr.scan(one_product, tuple(state), inputs)[1].data,
        tr.scan(make(p), state, inputs)[1].data,
        rtol=1e-12,
    )


@pytest.mark.parametrize("name", ALL)
def test_a_plan_can_be_read(name: str) -> None:
    plan = plan_of(name)
    (scan,) = plan.scans
    text = str(plan)
    assert scan.steps == 9
    assert all(word in text for word in ("forward", "backward", "before the loop", "in the loop", "saved"))
    for program in (scan.forward, scan.backward):
        assert f"{program.calls_per_step} NumPy calls per step" in text
        in_loop = [line for line in program.lines if line.stage == "loop"]
        assert sum(line.calls for line in in_loop) <= program.calls_per_step
        for line in program.lines:
            assert line.code
            assert line.name in text


def test_the_plan_of_an_lstm_fits_a_screen() -> None:
    for plan in (plan_of("lstm"), tr.explain(tr.nn.LSTM(8, 16), tr.zeros((50, 4, 8)))):
        lines = str(plan).splitlines()
        assert len(lines) <= 60
        assert max(map(len, lines)) <= 120


def test_a_plan_shows_where_lines_come_from() -> None:
    class Model(tr.nn.Module):
        def __init__(self) -> None:
            self.encoder = tr.nn.LSTM(3, 4, rng=0)

        def forward(self, x: Any) -> Any:
            return self.encoder(x)

    text = str(tr.explain(Model(), tr.zeros((5, 2, 3))))
    for word in ("encoder", "weight_hh", "tanh", "(2, 4)", "5 steps"):
        assert word in text


def test_bytes_saved() -> None:
    (scan,) = tr.explain(tr.nn.RNN(3, 4), tr.tensor(normal(10, 2, 3, dtype=np.float32))).scans
    sizes = [int(np.prod(shape)) for shape in scan.saved.values()]
    assert scan.bytes_saved == 10 * 4 * sum(sizes)


def test_what_others_that_are_saved_give_is_not_saved() -> None:
    """Of ``z / s * g`` with a number s for each row, z and s are saved, and not what they make together."""

    def step(h: Any, x: Any) -> tuple[Any, Any]:
        z = h @ weight
        return tr.tanh(z / tr.sqrt((z * z).mean(-1, keepdims=True) + 1.0) * gain + x), None

    weight, gain = tr.randn(4, 4, requires_grad=True), tr.randn(4, requires_grad=True)
    (scan,) = tr.scan.plan(step, tr.zeros((2, 4)), tr.zeros((9, 2, 4))).scans
    # z, s, the old carry, and the derivative of the tanh.
    assert sorted(scan.saved.values()) == [(2, 1), (2, 4), (2, 4), (2, 4)]


def test_plans_change_nothing_and_see_only_their_call() -> None:
    model, x = tr.nn.GRU(3, 4), tr.randn(5, 2, 3)
    before = model(x)[0].data.copy()
    assert len(tr.explain(lambda: [model(x), model(x)]).scans) == 2
    with pytest.raises(ZeroDivisionError):
        tr.explain(lambda: 1 / 0)
    np.testing.assert_array_equal(model(x)[0].data, before)
    assert tr.explain(lambda: None).scans == []


@pytest.mark.parametrize("name", TEXTBOOK)
def test_no_more_calls_with_lengths_than_holding_takes(name: str) -> None:
    ((forward, _),) = calls(plan_of(name, lengths=[9, 4]))
    parts = 2 if name == "lstm" else 1
    assert forward <= CALLS[name][0] + 2 * parts
