"""Cells: one step against the equations, and what they add to them. BPTT is in test_analytic_bptt.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyrnn as tr
from tinyrnn import nn
from tinyrnn.testing import check_grads

CELLS = {"RNN": nn.RNNCell, "LSTM": nn.LSTMCell, "GRU": nn.GRUCell}
GATES = {"RNN": 1, "LSTM": 4, "GRU": 3}
each_cell = pytest.mark.parametrize("kind", CELLS)


def sigma(a: Any) -> Any:
    return 1 / (1 + np.exp(-a))


def by_equations(kind: str, p: dict[str, Any], x: Any, h: Any, c: Any) -> tuple[Any, ...]:
    u = x @ p["weight_ih"].T + p.get("bias_ih", 0)
    v = h @ p["weight_hh"].T + p.get("bias_hh", 0)
    if kind == "RNN":
        return (np.tanh(u + v),)
    if kind == "LSTM":
        i, f, g, o = np.split(u + v, 4, axis=-1)
        c = sigma(f) * c + sigma(i) * np.tanh(g)
        return sigma(o) * np.tanh(c), c
    (u_r, u_z, u_n), (v_r, v_z, v_n) = np.split(u, 3, axis=-1), np.split(v, 3, axis=-1)
    z = sigma(u_z + v_z)
    return ((1 - z) * np.tanh(u_n + sigma(u_r + v_r) * v_n) + z * h,)


def as_tuple(state: Any) -> tuple[Any, ...]:
    return state if isinstance(state, tuple) else (state,)


@each_cell
@given(
    seed=st.integers(0, 999),
    batch=st.one_of(st.none(), st.integers(1, 3)),
    bias=st.booleans(),
    sizes=st.tuples(st.integers(1, 4), st.integers(1, 4)),
)
def test_a_step_is_its_equations(
    kind: str, seed: int, batch: int | None, bias: bool, sizes: tuple[int, int]
) -> None:
    rng = np.random.default_rng(seed)
    cell = CELLS[kind](*sizes, bias, rng=rng, dtype=np.float64)
    lead = () if batch is None else (batch,)
    x, h, c = (rng.normal(size=(*lead, sizes[k])) for k in (0, 1, 1))
    for state, (h0, c0) in (((h, c) if kind == "LSTM" else h, (h, c)), (None, (h * 0, c * 0))):
        result = as_tuple(cell(x, state))
        expected = by_equations(kind, cell.state_dict(), x, h0, c0)
        for got, want in zip(result, expected, strict=True):
            np.testing.assert_allclose(got.numpy(), want, rtol=1e-12, atol=1e-14)
            assert got.shape == (*lead, sizes[1])


def test_relu() -> None:
    cell = nn.RNNCell(2, 3, nonlinearity="relu", dtype=np.float64, rng=0)
    x, h, p = np.ones((4, 2)), np.random.default_rng(0).normal(size=(4, 3)), cell.state_dict()
    z = x @ p["weight_ih"].T + p["bias_ih"] + h @ p["weight_hh"].T + p["bias_hh"]
    np.testing.assert_allclose(cell(x, h).numpy(), np.maximum(z, 0), rtol=1e-12)


@each_cell
def test_step_gives_the_carry_and_the_output(kind: str) -> None:
    cell = CELLS[kind](2, 3)
    carry, y = cell.step(cell.initial_state(4), tr.ones(4, 2))
    assert as_tuple(carry)[0] is y
    np.testing.assert_array_equal(as_tuple(cell(np.ones((4, 2))))[0].numpy(), y.numpy())


def test_the_state_of_an_lstm_has_names() -> None:
    state = nn.LSTMCell(2, 3)(np.ones((4, 2)))
    assert isinstance(state, nn.LSTMState)
    assert state._fields == ("h", "c")
    assert isinstance(nn.LSTMCell(2, 3).initial_state(2), nn.LSTMState)


@each_cell
@pytest.mark.parametrize("order", [1, 2])
def test_gradients_of_all_parameters(kind: str, order: int) -> None:
    rng = np.random.default_rng(0)
    cell = CELLS[kind](2, 3, learn_initial_state=True, rng=1, dtype=np.float64)
    names = [name for name, _ in cell.named_parameters()]

    def f(x: Any, *parameters: Any) -> Any:
        vars(cell).update(zip(names, parameters, strict=True))
        state = cell.step(cell.initial_state(2), x)[0]
        return [part**2 for part in as_tuple(state)]

    check_grads(f, rng.normal(size=(2, 2)), *(p.numpy() for p in cell.parameters()), order=order)


# --- initial values -----------------------------------------------------------------------------------------
@each_cell
def test_parameters_are_pytorchs(kind: str) -> None:
    cell, gates = CELLS[kind](5, 4, rng=0), GATES[kind]
    assert {name: p.shape for name, p in cell.named_parameters()} == {
        "weight_ih": (gates * 4, 5),
        "weight_hh": (gates * 4, 4),
        "bias_ih": (gates * 4,),
        "bias_hh": (gates * 4,),
    }
    for p in cell.parameters():
        assert p.dtype == np.float32
        assert np.abs(p.numpy()).max() <= 0.5  # U(-1/√4, 1/√4)
    assert np.abs(cell.weight_ih.numpy()).max() > 0.4
    assert list(CELLS[kind](5, 4, bias=False).state_dict()) == ["weight_ih", "weight_hh"]
    tr.manual_seed(0)
    np.testing.assert_array_equal(CELLS[kind](5, 4).bias_hh.numpy(), cell.bias_hh.numpy())


def test_the_default_dtype_counts() -> None:
    try:
        tr.set_default_dtype(np.float64)
        cell = nn.GRUCell(2, 2)
    finally:
        tr.set_default_dtype(np.float32)
    assert cell.dtype == cell(np.ones(2, np.float32)).dtype == np.float64


def test_forget_bias_is_what_the_gate_gets() -> None:
    cell = nn.LSTMCell(2, 3, forget_bias=1.5, rng=0)
    without = nn.LSTMCell(2, 3, rng=0)
    for name in ("bias_ih", "bias_hh"):
        got, other = getattr(cell, name).numpy(), getattr(without, name).numpy()
        np.testing.assert_array_equal(np.delete(got, slice(3, 6)), np.delete(other, slice(3, 6)))
    assert (cell.bias_ih.numpy() + cell.bias_hh.numpy())[3:6].tolist() == [1.5] * 3
    layer = nn.LSTM(2, 3, num_layers=2, bidirectional=True, forget_bias=1.5)
    assert layer.bias_ih_l1_reverse.numpy()[3] == 1.5


@each_cell
def test_a_learnt_initial_state(kind: str) -> None:
    cell = CELLS[kind](2, 3, learn_initial_state=True)
    names = ["h0", "c0"] if kind == "LSTM" else ["h0"]
    assert list(cell.state_dict())[-len(names) :] == names
    assert not cell.h0.numpy().any()
    for name in names:
        getattr(cell, name).data[...] = [1, 2, 3]
    for part in as_tuple(cell.initial_state(4)):
        assert part.tolist() == [[1, 2, 3]] * 4
    assert as_tuple(cell.initial_state())[0].tolist() == [1, 2, 3]
    sum(part.sum() for part in as_tuple(cell.initial_state(4))).backward()
    assert all(getattr(cell, name).grad.tolist() == [4, 4, 4] for name in names)


# --- for drawings -------------------------------------------------------------------------------------------
def test_gates_are_named() -> None:
    def names(kind: str) -> set[str]:
        found, todo = set(), [as_tuple(CELLS[kind](2, 3)(np.ones((1, 2))))[0].node]
        while todo:
            node = todo.pop()
            if node is not None:
                found.add(node.name)
                todo += node.inputs
        return found - {""}

    weights = {"weight_ih", "bias_ih", "bias_hh"}
    assert names("LSTM") >= {"i", "f", "g", "o"} | weights
    assert names("GRU") >= {"r", "z", "n"} | weights


# --- a cell of one's own ------------------------------------------------------------------------------------
def test_the_least_that_a_cell_needs() -> None:
    class Total(nn.Cell):
        hidden_size = 2

        def step(self, carry: Any, x: Any) -> Any:
            carry = carry + x
            return carry, carry

    assert Total().initial_state(3).tolist() == [[0, 0]] * 3
    assert Total()(tr.ones(3, 2)).tolist() == [[1, 1]] * 3
    assert Total()(tr.ones(2), tr.ones(2)).tolist() == [2, 2]


def test_what_a_cell_lacks_is_named() -> None:
    class Nothing(nn.Cell):
        pass

    with pytest.raises(NotImplementedError, match=r"Nothing has no step; write `def step\(self, carry, x\)"):
        Nothing().step(None, None)
    with pytest.raises(AttributeError, match=r"Nothing has neither hidden_size nor initial_state\(batch\)"):
        Nothing().initial_state(1)
    with pytest.raises(NotImplementedError, match="Module has no forward"):
        nn.Module()(1)
