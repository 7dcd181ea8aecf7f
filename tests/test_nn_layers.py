"""Recurrent layers: shapes, states, keys, options, cells of one's own. BPTT is in test_analytic_bptt.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyrnn as tr
from tinyrnn import nn

LAYERS = {"RNN": nn.RNN, "LSTM": nn.LSTM, "GRU": nn.GRU}
CELLS = {"RNN": nn.RNNCell, "LSTM": nn.LSTMCell, "GRU": nn.GRUCell}
each_layer = pytest.mark.parametrize("kind", LAYERS)


def as_tuple(state: Any) -> tuple[Any, ...]:
    return tuple(state) if isinstance(state, (tuple, list)) else (state,)


def normal(*shape: int, seed: int = 0, dtype: Any = np.float64) -> Any:
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def assert_equal_states(a: Any, b: Any, **tolerance: float) -> None:
    for x, y in zip(as_tuple(a), as_tuple(b), strict=True):
        np.testing.assert_allclose(x.numpy(), y.numpy(), **{"rtol": 1e-12, **tolerance})


# --- shapes -------------------------------------------------------------------------------------------------
@each_layer
@given(
    T=st.integers(1, 4),
    B=st.integers(1, 3),
    H=st.integers(1, 3),
    layers=st.integers(1, 3),
    bidirectional=st.booleans(),
    batch_first=st.booleans(),
)
def test_shapes_are_pytorchs(
    kind: str, T: int, B: int, H: int, layers: int, bidirectional: bool, batch_first: bool
) -> None:
    layer = LAYERS[kind](2, H, layers, bidirectional=bidirectional, batch_first=batch_first)
    directions = 1 + bidirectional
    y, state = layer(np.zeros((B, T, 2) if batch_first else (T, B, 2)))
    assert y.shape == ((B, T, H * directions) if batch_first else (T, B, H * directions))
    assert [part.shape for part in as_tuple(state)] == [(layers * directions, B, H)] * (1 + (kind == "LSTM"))
    assert isinstance(state, nn.LSTMState) == (kind == "LSTM")
    assert y.dtype == np.float32
    y, state = layer(np.zeros((T, 2)))
    assert y.shape == (T, H * directions)
    assert [part.shape for part in as_tuple(state)] == [(layers * directions, H)] * (1 + (kind == "LSTM"))


@each_layer
@pytest.mark.parametrize("batch_first", [False, True])
def test_a_sequence_without_a_batch_axis_is_a_batch_of_one(kind: str, batch_first: bool) -> None:
    layer = LAYERS[kind](2, 3, 2, bidirectional=True, batch_first=batch_first, dtype=np.float64)
    x, state = normal(5, 2), tuple(normal(4, 3, seed=k) for k in range(2 if kind == "LSTM" else 1))
    batched_state = tuple(s[:, None] for s in state)
    y, final = layer(x, state if kind == "LSTM" else state[0])
    batched = x[None] if batch_first else x[:, None]
    by, bfinal = layer(batched, batched_state if kind == "LSTM" else batched_state[0])
    np.testing.assert_array_equal(y.numpy(), by.numpy()[0] if batch_first else by.numpy()[:, 0])
    for a, b in zip(as_tuple(final), as_tuple(bfinal), strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy()[:, 0])


# --- states in and out --------------------------------------------------------------------------------------
@each_layer
def test_a_sequence_in_two_halves_with_the_state_handed_on(kind: str) -> None:
    layer = LAYERS[kind](2, 3, num_layers=2, dtype=np.float64)
    x = normal(6, 4, 2)
    y, final = layer(x)
    first, state = layer(x[:2])
    second, state = layer(x[2:], state)
    np.testing.assert_allclose(np.concatenate([first.numpy(), second.numpy()]), y.numpy(), rtol=1e-12)
    assert_equal_states(state, final)


@each_layer
def test_final_states_of_both_directions_stand_at_each_rows_own_ends(kind: str) -> None:
    layer = LAYERS[kind](2, 3, bidirectional=True, dtype=np.float64)
    x, lengths = normal(6, 3, 2), [6, 1, 4]
    y, final = layer(x, lengths=lengths)
    h = as_tuple(final)[0].numpy()
    for row, n in enumerate(lengths):
        alone, own = layer(x[:n, row])
        np.testing.assert_allclose(y.numpy()[:n, row], alone.numpy(), rtol=1e-12)
        assert not y.numpy()[n:, row].any()
        np.testing.assert_allclose(h[:, row], as_tuple(own)[0].numpy(), rtol=1e-12)
        np.testing.assert_array_equal(h[0, row], y.numpy()[n - 1, row, :3])
        np.testing.assert_array_equal(h[1, row], y.numpy()[0, row, 3:])


@each_layer
@pytest.mark.parametrize("as_kind", [list, tuple, np.asarray, tr.tensor])
def test_lengths_may_be_of_any_kind(kind: str, as_kind: Any) -> None:
    layer = LAYERS[kind](2, 3, dtype=np.float64)
    x = normal(6, 3, 2)
    np.testing.assert_array_equal(
        layer(x, lengths=as_kind([6, 1, 4]))[0].numpy(), layer(x, lengths=np.array([6, 1, 4]))[0].numpy()
    )


@each_layer
@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e30])
def test_what_stands_in_the_padding_changes_nothing(kind: str, bad: float) -> None:
    def run(padding: float) -> list[Any]:
        layer = LAYERS[kind](2, 3, 2, bidirectional=True, batch_first=True, rng=0, dtype=np.float64)
        values = normal(3, 5, 2)
        values[1, 2:] = values[2, 4:] = padding
        x = tr.tensor(values, requires_grad=True)
        y, state = layer(x, lengths=[5, 2, 4])
        (sum((part**2).sum() for part in as_tuple(state)) + (y**3).sum()).backward()
        values = [y.numpy(), *(s.numpy() for s in as_tuple(state))]
        return [*values, x.grad.numpy(), *(p.grad.numpy() for p in layer.parameters())]

    for clean, dirty in zip(run(0.0), run(bad), strict=True):
        np.testing.assert_array_equal(clean, dirty)


@each_layer
def test_a_learnt_initial_state_begins_every_row(kind: str) -> None:
    layer = LAYERS[kind](2, 3, 2, bidirectional=True, learn_initial_state=True, dtype=np.float64)
    names = [n for n, _ in layer.named_parameters() if n.startswith(("h0", "c0"))]
    assert len(names) == 4 * (2 if kind == "LSTM" else 1)
    assert {"h0_l0", "h0_l1_reverse"} <= set(names)
    for k, name in enumerate(names):
        getattr(layer, name).data[...] = normal(3, seed=k)
    x = normal(4, 5, 2)
    parts = ["h0", "c0"][: 2 if kind == "LSTM" else 1]
    state = [
        np.stack(
            [
                np.tile(getattr(layer, f"{part}_{name}").numpy(), (5, 1))
                for name in ("l0", "l0_reverse", "l1", "l1_reverse")
            ]
        )
        for part in parts
    ]
    y, final = layer(x)
    given_y, given_final = layer(x, state if kind == "LSTM" else state[0])
    np.testing.assert_allclose(y.numpy(), given_y.numpy(), rtol=1e-12)
    assert_equal_states(final, given_final)
    (y**2).sum().backward()
    assert all(getattr(layer, name).grad.numpy().any() for name in names)


# --- parameters ---------------------------------------------------------------------------------------------
@each_layer
def test_keys_and_shapes_are_pytorchs(kind: str) -> None:
    gates = {"RNN": 1, "LSTM": 4, "GRU": 3}[kind]
    layer = LAYERS[kind](2, 3, num_layers=2, bidirectional=True)
    expected: dict[str, tuple[int, ...]] = {}
    for level, size in enumerate((2, 6)):
        for suffix in (f"l{level}", f"l{level}_reverse"):
            expected[f"weight_ih_{suffix}"] = (gates * 3, size)
            expected[f"weight_hh_{suffix}"] = (gates * 3, 3)
            expected[f"bias_ih_{suffix}"] = expected[f"bias_hh_{suffix}"] = (gates * 3,)
    state = layer.state_dict()
    assert {key: value.shape for key, value in state.items()} == expected
    assert list(state) == list(expected)
    assert all(np.abs(value).max() <= 1 / np.sqrt(3) for value in state.values())
    assert len({value.tobytes() for value in state.values()}) == len(state)
    assert [p.name for p in layer.parameters()] == list(expected)


def test_parameters_are_attributes_of_the_layer_and_of_its_cells() -> None:
    layer = nn.GRU(2, 3, 2)
    assert layer.weight_hh_l1 is layer.l1.weight_hh
    new = nn.Parameter(np.zeros((9, 3), np.float32))
    layer.weight_hh_l1 = new
    assert layer.l1.weight_hh is new
    assert layer.state_dict().keys() == nn.GRU(2, 3, 2).state_dict().keys()
    assert new.name == "weight_hh_l1"
    with pytest.raises(AttributeError, match="GRU has no attribute 'weight_hh_l2'"):
        _ = layer.weight_hh_l2
    with pytest.raises(AttributeError, match="GRU has no attribute 'weight'"):
        _ = layer.weight


@each_layer
def test_one_rng_makes_one_model(kind: str) -> None:
    a, b = (LAYERS[kind](2, 3, 2, rng=7).state_dict() for _ in range(2))
    for key in a:
        np.testing.assert_array_equal(a[key], b[key])
    assert (a["weight_hh_l0"] != a["weight_hh_l1"]).all()


def test_a_parameter_changed_or_replaced_is_seen_at_the_next_call() -> None:
    layer, x = nn.RNN(1, 1, dtype=np.float64), np.ones((3, 1, 1))
    layer(x)
    for p in layer.parameters():
        p.data[...] = 0
    assert not layer(x)[0].numpy().any()
    layer.bias_ih_l0 = nn.Parameter(np.ones(1))
    np.testing.assert_allclose(layer(x)[0].numpy(), np.tanh(1))
    layer.requires_grad_(False)
    assert not layer(x)[0].requires_grad


# --- dropout ------------------------------------------------------------------------------------------------
@each_layer
def test_dropout_is_between_layers_and_in_training_only(kind: str) -> None:
    def layer(**options: Any) -> Any:
        return LAYERS[kind](2, 50, 2, rng=3, **options)

    x = normal(4, 3, 2)
    plain, dropped = layer(), layer(dropout=0.5)
    a, b = plain(x), dropped(x)
    h, hd = as_tuple(a[1])[0].numpy(), as_tuple(b[1])[0].numpy()
    np.testing.assert_array_equal(h[0], hd[0])  # nothing is dropped before the first layer
    assert (h[1] != hd[1]).all()
    assert b[0].numpy().all()  # and nothing behind the last
    np.testing.assert_array_equal(b[0].numpy(), layer(dropout=0.5)(x)[0].numpy())
    assert (b[0].numpy() != dropped(x)[0].numpy()).any()
    np.testing.assert_array_equal(dropped.eval()(x)[0].numpy(), a[0].numpy())


def test_dropout_of_everything_leaves_the_biases_of_the_second_layer() -> None:
    layer = nn.GRU(2, 3, 2, dropout=1.0, dtype=np.float64)
    y, _ = layer(normal(4, 3, 2))
    other, _ = layer(normal(4, 3, 2, seed=9))
    np.testing.assert_array_equal(y.numpy(), other.numpy())


def test_dropout_with_one_layer_is_told() -> None:
    with pytest.warns(UserWarning, match=r"LSTM: dropout=0.5 acts between layers, and there is only one"):
        nn.LSTM(2, 3, dropout=0.5)


# --- Recurrent and cells of one's own -----------------------------------------------------------------------
@each_layer
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_stack_of_cells_is_the_layer(kind: str, bidirectional: bool) -> None:
    layer = LAYERS[kind](2, 3, 2, bidirectional=bidirectional, dtype=np.float64)
    directions = 1 + bidirectional
    sizes = [2] * directions + [3 * directions] * directions
    cells = [CELLS[kind](size, 3, dtype=np.float64) for size in sizes]
    stack = nn.Recurrent(cells, bidirectional=bidirectional)
    stack.load_state_dict(layer.state_dict())
    x, lengths = normal(5, 4, 2), [5, 3, 1, 2]
    y, final = layer(x, lengths=lengths)
    sy, sfinal = stack(x, lengths=lengths)
    np.testing.assert_allclose(sy.numpy(), y.numpy(), rtol=1e-12)
    for k, state in enumerate(sfinal):
        for part, whole in zip(as_tuple(state), as_tuple(final), strict=True):
            np.testing.assert_allclose(part.numpy(), whole.numpy()[k], rtol=1e-12)
    again, _ = stack(x, sfinal)
    expected, _ = layer(x, final)
    np.testing.assert_allclose(again.numpy(), expected.numpy(), rtol=1e-12)


class Plain:
    """A cell that derives from nothing; its state is a dict."""

    def __init__(self) -> None:
        self.W = tr.tensor(normal(3, 2), requires_grad=True)

    def step(self, carry: Any, x: Any) -> Any:
        carry = {"mean": 0.5 * carry["mean"] + 0.5 * (x @ self.W.T), "count": carry["count"] + 1.0}
        return carry, tr.tanh(carry["mean"]) * carry["count"]

    def initial_state(self, batch: int) -> Any:
        return {
            "mean": tr.zeros((batch, 3), dtype=np.float64),
            "count": tr.zeros((batch, 1), dtype=np.float64),
        }


def test_any_object_with_a_step_is_a_cell() -> None:
    cell = Plain()
    layer, x = nn.Recurrent(cell), normal(4, 2, 2)
    y, state = layer(tr.tensor(x))
    mean, expected = np.zeros((2, 3)), []
    for t in range(4):
        mean = 0.5 * mean + 0.5 * x[t] @ cell.W.numpy().T
        expected.append(np.tanh(mean) * (t + 1))
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-12)
    assert state["count"].tolist() == [[4], [4]]
    y.sum().backward()
    assert cell.W.grad.numpy().all()
    _, padded = layer(tr.tensor(x), lengths=[4, 1])
    assert padded["count"].tolist() == [[4], [1]]


class TokenCell(nn.Cell):
    """A cell that reads indices, by parts of its own."""

    def __init__(self) -> None:
        self.hidden_size = 3
        self.table = nn.Linear(5, 4, bias=False)
        self.gru = nn.GRUCell(4, 3)

    def step(self, carry: Any, x: Any) -> Any:
        return self.gru.step(carry, self.table.weight.T[x])


def test_a_cell_may_have_parts_and_read_integers() -> None:
    layer = nn.Recurrent(TokenCell(), batch_first=True)
    tokens = np.array([[0, 4, 2], [1, 1, 3]])
    y, h = layer(tokens)
    assert (y.shape, h.shape) == ((2, 3, 3), (2, 3))
    assert list(layer.state_dict())[:2] == ["table.weight_l0", "gru.weight_ih_l0"]
    np.testing.assert_array_equal(layer(tokens.tolist())[0].numpy(), y.numpy())
    np.testing.assert_array_equal(y.numpy()[:, -1], h.numpy())
    y.sum().backward()
    assert all(p.grad is not None for p in layer.parameters())


def test_floats_are_cast_to_the_parameters_of_any_cell() -> None:
    single, double = nn.GRUCell(2, 3), nn.GRUCell(2, 3, dtype=np.float64)
    assert nn.Recurrent(single)(np.ones((4, 1, 2)))[0].dtype == np.float32
    assert nn.Recurrent(double)(np.ones((4, 1, 2), np.float32))[0].dtype == np.float64


def test_a_cell_without_initial_state_takes_the_one_handed_in() -> None:
    class Sum:
        def step(self, carry: Any, x: Any) -> Any:
            return carry + x, carry

    layer = nn.Recurrent(Sum())
    y, total = layer(np.ones((3, 1, 1), np.float32), tr.zeros(1, 1))
    assert (y.numpy().ravel().tolist(), total.item()) == ([0, 1, 2], 3)
    with pytest.raises(TypeError, match=r"Recurrent: Sum has no initial_state\(batch\), and no state was"):
        layer(np.ones((3, 1, 1), np.float32))


def test_a_module_list_is_a_stack() -> None:
    cells = nn.ModuleList([nn.GRUCell(2, 3), nn.LSTMCell(3, 4)])
    y, (h, state) = nn.Recurrent(cells, batch_first=True)(np.zeros((2, 5, 2)))
    assert (y.shape, h.shape, state.c.shape) == ((2, 5, 4), (2, 3), (2, 4))


# --- forms --------------------------------------------------------------------------------------------------
def scopes(output: tr.Tensor) -> set[tuple[str, int | None]]:
    found, seen, todo = set(), set(), [output.node]
    while todo:
        node = todo.pop()
        if node not in seen and node is not None and node.primitive is not None:
            seen.add(node)
            found.add((node.scope.path(), node.scope.step) if node.scope else ("", None))
            todo += node.inputs
    return found


def test_the_recorded_form_knows_layer_direction_and_step() -> None:
    model = nn.Sequential(nn.GRU(2, 3, 2, bidirectional=True))
    with tr.unrolled():
        y, _ = model(np.zeros((3, 1, 2)))
    found = scopes(y.sum())
    for name in ("l0", "l0_reverse", "l1", "l1_reverse"):
        assert {(f"0.{name}", t) for t in range(3)} <= found


@each_layer
@pytest.mark.parametrize("segment", [1, 2, "auto"])
def test_segment_changes_no_number(kind: str, segment: Any) -> None:
    layer = LAYERS[kind](2, 3, 2, bidirectional=True, dtype=np.float64)
    x = normal(5, 2, 2)

    def gradients(**options: Any) -> list[Any]:
        layer.zero_grad()
        y, _ = layer(x, lengths=[5, 3], **options)
        (y**2).sum().backward()
        return [y.numpy(), *(p.grad.numpy() for p in layer.parameters())]

    for a, b in zip(gradients(segment=segment), gradients(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-14)


@each_layer
def test_no_grad_gives_the_same_values(kind: str) -> None:
    layer, x = LAYERS[kind](2, 3, 2, dtype=np.float64), normal(5, 2, 2)
    with tr.no_grad():
        y, _ = layer(x)
    assert not y.requires_grad
    np.testing.assert_allclose(y.numpy(), layer(x)[0].numpy(), rtol=1e-12)


def test_repr_of_layers() -> None:
    assert repr(nn.LSTM(2, 3)) == "LSTM(2, 3)  # 84 parameters"
    layer = nn.RNN(2, 3, 2, "relu", bias=False, batch_first=True, dropout=0.1, bidirectional=True)
    assert repr(layer) == (
        "RNN(2, 3, bias=False, nonlinearity='relu', num_layers=2, bidirectional=True, dropout=0.1, "
        "batch_first=True)  # 84 parameters"
    )
    assert repr(nn.Recurrent(nn.GRUCell(2, 3))) == (
        "Recurrent(  # 63 parameters\n  (l0): GRUCell(2, 3)  # 63\n)"
    )
