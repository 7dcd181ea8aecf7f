"""A scan of one step where nothing is recorded: a model that follows a stream. It runs at once, untraced."""

import numpy as np
import pytest

import tinyrnn as tr


def lstm_like(carry, x):
    h, c = carry
    c = tr.sigmoid(x) * c + tr.tanh(x + h)
    return (tr.tanh(c), c), {"h": tr.tanh(c), "twice": 2 * c}


@pytest.mark.parametrize("reverse", [False, True])
def test_steps_one_by_one_give_what_the_whole_gives(reverse):
    rng = np.random.default_rng(0)
    xs = rng.standard_normal((6, 2, 3))
    carry = first = (tr.tensor(rng.standard_normal((2, 3))), tr.tensor(rng.standard_normal((2, 3))))
    whole_carry, whole = tr.scan(lstm_like, first, xs, reverse=reverse)
    parts = {}
    with tr.no_grad():
        for t in range(6)[::-1] if reverse else range(6):
            carry, parts[t] = tr.scan(lstm_like, carry, xs[t : t + 1], reverse=reverse)
    for key, value in whole.items():
        together = np.concatenate([parts[t][key].data for t in range(6)])
        np.testing.assert_allclose(together, value.data, rtol=1e-12)
    for got, expected in zip(carry, whole_carry):
        np.testing.assert_allclose(got.data, expected.data, rtol=1e-12)


@pytest.mark.parametrize("layer", [tr.nn.RNN, tr.nn.LSTM, tr.nn.GRU])
def test_a_layer_streams(layer):
    rnn = layer(3, 4, num_layers=2, dtype="float64", rng=0)
    x = np.random.default_rng(1).standard_normal((5, 2, 3))
    whole, _ = rnn(x)
    state, parts = None, []
    with tr.no_grad():
        for t in range(5):
            y, state = rnn(x[t : t + 1], state)
            parts.append(y.data)
    np.testing.assert_allclose(np.concatenate(parts), whole.data, rtol=1e-12)


def test_outputs_share_no_memory_with_the_carry_or_the_input():
    x = tr.ones(1, 3)
    with tr.no_grad():
        carry, (same, given) = tr.scan(lambda h, x: (h + x, (h + x, x)), tr.zeros(3), x)
        h, y = tr.scan(lambda h, x: (h + x,) * 2, tr.zeros(3), x)
    y.data[...] = same.data[...] = given.data[...] = 7.0
    assert h.tolist() == carry.tolist() == [1, 1, 1]
    assert x.tolist() == [[1, 1, 1]]


def test_arrays_that_a_step_gives_become_tensors():
    with tr.no_grad():
        h, y = tr.scan(lambda h, x: (np.asarray(h.data), np.ones(2)), tr.zeros(3), tr.ones(1, 3))
    assert isinstance(h, tr.Tensor)
    assert isinstance(y, tr.Tensor)
    assert y.shape == (1, 2)


def test_steps_that_do_not_fit_are_refused():
    with tr.no_grad():
        with pytest.raises(TypeError, match=r"returned a Tensor; expected the pair \(carry, y\)"):
            tr.scan(lambda h, x: h, tr.zeros(3), tr.ones(1, 3))
        with pytest.raises(ValueError, match=r"it returned \['carry\[0\]', 'carry\[1\]'\]"):
            tr.scan(lambda h, x: ((h, h), h), tr.zeros(3), tr.ones(1, 3))
        with pytest.raises(ValueError, match="dtype float64; expected those of the carry it was given"):
            tr.scan(lambda h, x: (h.astype("float64"), h), tr.zeros(3), tr.ones(1, 3))
