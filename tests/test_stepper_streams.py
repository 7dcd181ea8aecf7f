"""`Stepper`: one step at a time, bound once, gives what the same steps in a row give."""

import warnings

import numpy as np
import pytest

import tinyrnn as tr


class Gated(tr.nn.Cell):
    """A cell of a user's, with a dict as its carry and a part that never changes."""

    def __init__(self):
        self.hidden_size = 4
        self.W = tr.nn.Linear(7, 4, rng=0, dtype="float64")

    def initial_state(self, batch=None):
        return {"h": tr.zeros((batch, 4), dtype="float64"), "scale": tr.ones((batch, 1), dtype="float64") * 2}

    def step(self, carry, x):
        h = tr.tanh(self.W(tr.concatenate([x, carry["h"]], axis=-1))) * carry["scale"]
        return {"h": h, "scale": carry["scale"]}, h


class Attending(tr.nn.Cell):
    """A cell that attends to one memory: products of stacks with a stack that stays."""

    def __init__(self):
        rng = np.random.default_rng(0)
        self.hidden_size = 4
        self.W = tr.nn.Linear(7, 4, rng=0, dtype="float64")
        self.keys = tr.nn.Parameter(rng.standard_normal((1, 5, 3)))
        self.memory = tr.nn.Parameter(rng.standard_normal((1, 5, 4)))

    def initial_state(self, batch=None):
        return tr.zeros((batch, 4), dtype="float64")

    def step(self, carry, x):
        h = tr.tanh(self.W(tr.concatenate([x, carry], axis=-1)))
        weights = tr.softmax((self.keys @ x[:, :, None]).mT + h[:, None, :1], axis=-1)
        return h, h + (weights @ self.memory)[:, 0] * (self.memory @ h[:, :, None])[:, 0]


LAYERS = {
    "rnn": lambda: tr.nn.RNN(3, 4, nonlinearity="relu", rng=0, dtype="float64"),
    "lstm of two layers": lambda: tr.nn.LSTM(3, 4, num_layers=2, rng=0, dtype="float64"),
    "gru, batch first": lambda: tr.nn.GRU(3, 4, batch_first=True, rng=0, dtype="float64"),
    "learned h0": lambda: tr.nn.GRU(3, 4, learn_initial_state=True, rng=0, dtype="float64"),
    "attending": lambda: tr.nn.Recurrent(Attending()),
    "own": lambda: tr.nn.Recurrent(Gated()),
    "kinds": lambda: tr.nn.Recurrent(
        [tr.nn.GRUCell(3, 4, rng=0, dtype="float64"), tr.nn.LSTMCell(4, 5, rng=0, dtype="float64")]
    ),
}


def leaves(state):
    if isinstance(state, dict):
        return [x for part in state.values() for x in leaves(part)]
    return [x for part in state for x in leaves(part)] if isinstance(state, tuple) else [state.data]


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("batch", [1, 3])
def test_a_layer_step_by_step(name, batch):
    layer = LAYERS[name]()
    xs = np.random.default_rng(1).standard_normal((7, batch, 3))
    whole, last = layer(xs.swapaxes(0, 1) if layer.batch_first else xs)
    stepper = layer.stepper(batch=batch)
    given = np.stack([stepper(x) for x in xs], 1 if layer.batch_first else 0)
    np.testing.assert_allclose(given, whole.data, rtol=1e-12, atol=1e-15)
    for got, expected in zip(leaves(stepper.state), leaves(last), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-15)


def test_it_goes_on_from_a_state_and_back_to_it():
    layer = LAYERS["lstm of two layers"]()
    xs = np.random.default_rng(1).standard_normal((6, 2, 3))
    whole, _ = layer(xs)
    _, middle = layer(xs[:3])
    stepper = layer.stepper(middle)
    for _ in range(3):
        stepper.state = middle
        given = [stepper(x) for x in xs[3:]]
        np.testing.assert_allclose(given, whole.data[3:], rtol=1e-12)


def test_what_it_gives_is_the_callers_own():
    stepper = tr.nn.GRU(3, 4, rng=0).stepper()
    x = np.ones((1, 3), np.float32)
    first = [stepper(x) for _ in range(4)]
    kept = [y.copy() for y in first]
    state = stepper.state
    for y in first:
        y[...] = 9
    held = state.data.copy()
    stepper(x)
    np.testing.assert_array_equal(state.data, held)
    state.data[...] = 7
    again = tr.nn.GRU(3, 4, rng=0).stepper()
    np.testing.assert_allclose([again(x) for _ in range(5)][:4], kept, rtol=1e-6)


def test_a_step_of_an_optimiser_is_seen():
    layer = tr.nn.GRU(3, 4, rng=0, dtype="float64")
    optimizer = tr.optim.SGD(layer.parameters(), lr=0.5)
    xs = np.random.default_rng(1).standard_normal((6, 1, 3))
    stepper, state = layer.stepper(), None
    for x in xs:
        y, state = layer(x[None], None if state is None else state.detach())
        np.testing.assert_allclose(stepper(x), y.data[0], rtol=1e-12)
        stepper.state = state.detach()
        optimizer.zero_grad()
        (y * y).sum().backward()
        optimizer.step()
        # What the parameters are by now is what the next step takes, bound or not.
        with tr.no_grad():
            expected, _ = layer(x[None], state)
        probe = layer.stepper(state.detach())
        probe(x)
        probe.state = state.detach()
        np.testing.assert_allclose(probe(x), expected.data[0], rtol=1e-12)


def test_a_bound_step_sees_an_optimiser_too():
    layer = tr.nn.RNN(3, 4, rng=0, dtype="float64")
    optimizer = tr.optim.SGD(layer.parameters(), lr=0.5)
    x = np.ones((1, 3))
    stepper = layer.stepper()
    for _ in range(3):
        stepper(x)  # bound by now
    layer(x[None])[0].sum().backward()
    optimizer.step()
    state = stepper.state
    with tr.no_grad():
        expected, _ = layer(x[None], state)
    np.testing.assert_allclose(stepper(x), expected.data[0], rtol=1e-12)


def test_plain_floats_take_the_dtype_of_the_state():
    stepper = tr.nn.GRU(3, 4, rng=0).stepper()
    for _ in range(3):
        assert stepper(np.ones((1, 3))).dtype == np.float32
    assert stepper.state.dtype == np.float32


def test_a_step_that_cannot_be_compiled_runs_as_it_is():
    def step(h, x):
        h = h + x if float(x.sum()) > 0 else h
        return h, 2 * h

    stepper = tr.Stepper(step, tr.zeros(2))
    assert stepper(np.ones(2)).tolist() == [2, 2]
    with pytest.warns(tr.ScanFallbackWarning, match="step"):
        assert stepper(np.ones(2)).tolist() == [4, 4]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert stepper(-np.ones(2)).tolist() == [4, 4]


def test_random_numbers_differ_from_step_to_step():
    rng = np.random.default_rng(0)

    def step(h, x):
        return h, x + rng.standard_normal(2)

    stepper = tr.Stepper(step, tr.zeros(2))
    with pytest.warns(tr.ScanFallbackWarning, match="random"):
        given = [stepper(np.zeros(2)) for _ in range(5)]
    expected = np.random.default_rng(0).standard_normal((5, 2))
    np.testing.assert_allclose(given, expected, rtol=1e-6)


def test_a_failed_step_leaves_the_state():
    table = tr.nn.Embedding(5, 3, rng=0)

    def step(h, token):
        h = h + table(token)
        return h, h

    stepper = tr.Stepper(step, tr.zeros((1, 3)))
    for token in (1, 2, 4):
        stepper(np.array([token]))
    before = stepper.state.data.copy()
    with pytest.raises(IndexError, match="Embedding"):
        stepper(np.array([7]))
    np.testing.assert_array_equal(stepper.state.data, before)
    np.testing.assert_allclose(stepper(np.array([0])), before + table.weight.data[0], rtol=1e-6)


def test_another_shape_of_input_is_bound_anew():
    stepper = tr.Stepper(lambda h, x: (h + x.sum(), x * 2), tr.zeros(()))
    for n in (2, 2, 3, 3, 2):
        assert stepper(np.ones(n)).tolist() == [2.0] * n
    assert stepper.state.item() == 12


def test_inputs_that_do_not_fit():
    stepper = tr.nn.GRU(3, 4).stepper(batch=2)
    with pytest.raises(ValueError, match="input_size"):
        stepper(np.ones((2, 5)))
    stepper(np.ones((2, 3)))
    with pytest.raises(ValueError, match="GRU"):
        stepper(np.ones((1, 3)))
    assert stepper(np.ones((2, 3))).shape == (2, 4)
    for layer in (tr.nn.GRU(3, 4, bidirectional=True), tr.nn.Recurrent(tr.nn.GRUCell(3, 4), reverse=True)):
        with pytest.raises(ValueError, match="last step to the first"):
            layer.stepper()
    with pytest.raises(TypeError, match="batch"):
        tr.nn.GRU(3, 4).stepper(batch=1.5)
    with pytest.raises(TypeError, match="step"):
        tr.Stepper(3, tr.zeros(2))


def test_two_steppers_of_one_layer_do_not_meet():
    layer = tr.nn.LSTM(3, 4, rng=0, dtype="float64")
    xs = np.random.default_rng(1).standard_normal((6, 2, 1, 3))
    steppers = [layer.stepper(), layer.stepper()]
    given = [[stepper(x) for stepper, x in zip(steppers, both)] for both in xs]
    for k in range(2):
        whole, _ = layer(xs[:, k])
        np.testing.assert_allclose([y[k] for y in given], whole.data, rtol=1e-12)


def test_arrays_may_be_used_again_by_the_caller():
    """A state that holds the last input: in the first step too it is the input as it was."""
    first, x = np.zeros(2), np.zeros(2)
    stepper = tr.Stepper(lambda held, x: (x, held), first)
    first[...] = 9
    given = []
    for t in range(6):
        x[...] = t + 1
        given.append(stepper(x)[0])
        stepper.state.data[...] = 9  # nor is what it says of its state
    assert given == [0, 1, 2, 3, 4, 5]


def test_a_mode_turned_on_between_steps_is_seen():
    gru = tr.nn.GRU(3, 4, num_layers=2, dropout=0.5, rng=0, dtype="float64").eval()
    x = np.ones((1, 3))
    stepper = gru.stepper()
    for _ in range(3):
        stepper(x)
    still = gru.stepper(stepper.state)(x)
    gru.train()
    with warnings.catch_warnings():  # it is said once for a layer
        warnings.simplefilter("ignore", tr.ScanFallbackWarning)
        assert not np.allclose(stepper(x), still)


def test_numbers_are_looked_at_where_a_step_was_bound_before():
    stepper = tr.Stepper(lambda h, x: (h + x, tr.exp(h)), tr.zeros(1))
    for _ in range(3):
        stepper(np.ones(1))
    with tr.detect_anomaly(), pytest.raises(tr.AnomalyError, match="nan"):
        stepper(np.full(1, np.nan))
    assert stepper.state.item() == 3


def test_a_batch_of_another_size_is_named():
    with pytest.raises(ValueError, match=r"GRU.stepper: x has shape \(4, 3\); expected 1 rows, the batch"):
        tr.nn.GRU(3, 2).stepper()(np.ones((4, 3), np.float32))


@pytest.mark.parametrize("name", ["GRU", "LSTM"])
def test_a_state_comes_back_from_a_file(name, tmp_path):
    layer = getattr(tr.nn, name)(3, 2, rng=0)
    xs = np.random.default_rng(0).standard_normal((6, 1, 3))  # float64: it takes the state's dtype
    stepper = layer.stepper()
    first = [stepper(x) for x in xs[:3]]
    path = tr.save(tmp_path / "state.npz", state=stepper.state)
    again = layer.stepper()
    again.state = tr.load(path)["state"]
    np.testing.assert_array_equal(
        [*first, *(again(x) for x in xs[3:])], [*first, *(stepper(x) for x in xs[3:])]
    )
