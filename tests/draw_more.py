"""More models whose pictures must come out right: beside the table, what was wrong once."""

from collections.abc import Callable
from typing import Any

from draw_table import MODELS as TABLE
from draw_table import T, data, done, layer, linear, rng

import tinyrnn as tr


def zeros(*shape: int) -> Any:
    return tr.zeros(shape, dtype="float64")


def features() -> Any:
    found = data(1, 5, seed=4)
    found.name = "features"
    return found


def begun_by_features() -> Any:
    gru, one, two = layer("GRU", 2, 3), linear(5, 3), linear(3, 3, seed=9)
    with tr.unrolled():
        y, _ = gru(data(T, 1, 2), tr.tanh(two(tr.relu(one(features()))))[None])
        return done((y**2).mean())


def begun_in_part() -> Any:
    """Two layers: h and c of the lower one are made, those of the upper one are one array of zeros."""
    lstm, one, two = layer("LSTM", 2, 3, num_layers=2), linear(5, 3), linear(5, 3, seed=9)
    seen, zero = features(), zeros(1, 3)
    with tr.unrolled():
        state = tr.stack([tr.tanh(one(seen)), zero]), tr.stack([two(seen), zero])
        y, _ = lstm(data(T, 1, 2), state)
        return done((y[-1] ** 2).mean())


def begun_by_a_weight() -> Any:
    gru, x = layer("GRU", 2, 3), data(T, 2, 2)
    start = tr.tensor(rng(4).normal(size=(1, 1, 3)), dtype="float64", requires_grad=True)
    start.name = "start"
    with tr.unrolled():
        y, _ = gru(x, tr.tanh(start) * tr.ones((1, 2, 3), dtype="float64"))
        return done((y**2).mean())


def begun_by_hand() -> Any:
    cell, one, x = layer("GRUCell", 2, 3), linear(5, 3), data(T, 1, 2)
    with tr.unrolled():
        h = tr.tanh(one(features()))
        for t in range(T):
            h = cell(x[t], h)
        return done((h**2).mean())


class AttentiveLSTM(tr.nn.Module):
    """A decoder with two states that looks at all states of the encoder."""

    def __init__(self) -> None:
        self.encoder = layer("LSTM", 2, 3)
        self.cell = layer("LSTMCell", 2 + 3, 3, seed=6)
        self.head = linear(3, 2)

    def forward(self, x: Any, y: Any) -> Any:
        states, (h, c) = self.encoder(x)
        states, state = states.swapaxes(0, 1), tr.nn.LSTMState(h[0], c[0])
        outputs: list[Any] = []
        for t in range(len(y)):
            scores = tr.softmax(states @ state.h[:, :, None], axis=1)
            context = (scores * states).sum(axis=1)
            state = self.cell(tr.concatenate([y[t], context], axis=-1), state)
            outputs.append(self.head(state.h))
        return tr.stack(outputs)


def attention_lstm() -> Any:
    y = data(3, 1, 2, seed=7)
    with tr.unrolled():
        return done(((AttentiveLSTM()(data(T, 1, 2), y) - y) ** 2).mean())


def replay_compiled() -> Any:
    rnn, head = layer("RNN", 2, 3), linear(3, 1)
    loss = None
    for window in tr.TruncatedBPTT(k1=5, k2=10).windows(data(15, 1, 2), data(15, 1, 1)):
        loss = ((head(window.run(rnn)) - window.y) ** 2).mean()
        loss.backward()
    return loss


def replay_by_hand() -> Any:
    """k1 = 5, k2 = 10 as one would write it: each window runs again from a state of an earlier one."""
    cell, head = layer("RNNCell", 2, 3), linear(3, 1)
    x, y = data(15, 1, 2), data(15, 1, 1)
    states, loss = [zeros(1, 3)], None
    with tr.unrolled():
        for start in (0, 5, 10):
            begin = max(start - 5, 0)
            h, losses = states[begin].detach(), []
            for t in range(begin, start + 5):
                h = cell(x[t], h)
                if t >= start:
                    states.append(h)
                    losses.append(((head(h) - y[t]) ** 2).mean())
            loss = done(tr.stack(losses).mean())
    return loss


def cut_by_hand() -> Any:
    cell, head = layer("RNNCell", 2, 3), linear(3, 1)
    x, y = data(6, 1, 2), data(6, 1, 1)
    with tr.unrolled():
        h, loss = zeros(1, 3), 0.0
        for t in range(6):
            h = cell(x[t], h.detach() if t % 3 == 0 else h)
            loss = loss + ((head(h) - y[t]) ** 2).mean()
        return done(loss)


def three_both_ways() -> Any:
    lstm, head = layer("LSTM", 2, 3, num_layers=3, bidirectional=True), linear(6, 1)
    with tr.unrolled():
        y, _ = lstm(data(T, 1, 2))
        return done((head(y) ** 2).mean())


def cnn_by_step() -> Any:
    seen = tr.nn.Sequential(linear(6, 5), tr.nn.ReLU(), linear(5, 4))
    cell, head, x = layer("LSTMCell", 4, 3), linear(3, 1), data(T, 2, 6)
    with tr.unrolled():
        state = cell.initial_state(2)
        for t in range(T):
            state = cell(seen(x[t]), state)
        return done((head(state.h) ** 2).mean())


def dict_of_two() -> Any:
    """Two states that begin from one array of zeros, and of which one reads the other."""
    w, v, zero = linear(8, 3), linear(6, 3, seed=9), zeros(1, 3)

    def step(carry: Any, x: Any) -> Any:
        fast = tr.tanh(w(tr.concatenate([x, carry["slow"], carry["fast"]], axis=-1)))
        slow = 0.9 * carry["slow"] + 0.1 * tr.tanh(v(tr.concatenate([fast, carry["slow"]], axis=-1)))
        return {"fast": fast, "slow": slow}, slow

    with tr.unrolled():
        _, ys = tr.scan(step, {"fast": zero, "slow": zero}, data(T, 1, 2))
        return done((ys**2).mean())


def attention_both_ways() -> Any:
    """A decoder begun from the last step of two directions, a slice of the second axis."""
    encoder, cell = layer("GRU", 2, 3, bidirectional=True), layer("GRUCell", 2 + 6, 3, seed=6)
    query, bridge, head, y = linear(3, 6), linear(6, 3, seed=9), linear(3, 2), data(3, 1, 2, seed=7)
    with tr.unrolled():
        states = encoder(data(T, 1, 2))[0].swapaxes(0, 1)
        h, outputs = tr.tanh(bridge(states[:, -1])), []
        for t in range(len(y)):
            scores = tr.softmax(states @ query(h)[:, :, None], axis=1)
            h = cell(tr.concatenate([y[t], (scores * states).sum(axis=1)], axis=-1), h)
            outputs.append(head(h))
        return done((tr.stack(outputs) ** 2).mean())


def begun_decoder() -> Any:
    """Features begin the decoder, that attends to an encoder."""
    encoder, cell, one = layer("GRU", 2, 3), layer("GRUCell", 2 + 3, 3, seed=6), linear(5, 3)
    y = data(3, 1, 2, seed=7)
    with tr.unrolled():
        states = encoder(data(T, 1, 2))[0].swapaxes(0, 1)
        h, loss = tr.tanh(one(features())), 0.0
        for t in range(len(y)):
            scores = tr.softmax(states @ h[:, :, None], axis=1)
            h = cell(tr.concatenate([y[t], (scores * states).sum(axis=1)], axis=-1), h)
            loss = loss + (h**2).mean()
        return done(loss)


def begun_then_cut() -> Any:
    rnn, one, x = layer("RNN", 2, 3), linear(5, 3), data(6, 1, 2)
    with tr.unrolled():
        a, h = rnn(x[:3], tr.tanh(one(features()))[None])
        b, _ = rnn(x[3:], h.detach())
        return done((a**2).mean() + (b**2).mean())


def begun_twice() -> Any:
    """One tensor is h and c."""
    lstm, one = layer("LSTM", 2, 3), linear(5, 3)
    with tr.unrolled():
        start = tr.tanh(one(features()))[None]
        y, _ = lstm(data(T, 1, 2), (start, start))
        return done((y**2).mean())


MORE: dict[str, Callable[[], Any]] = {
    f.__name__: f
    for f in (
        begun_by_features, begun_in_part, begun_by_a_weight, begun_by_hand, attention_lstm, replay_compiled,
        replay_by_hand, cut_by_hand, three_both_ways, cnn_by_step, dict_of_two, attention_both_ways,
        begun_decoder, begun_then_cut, begun_twice,
    )
}  # fmt: skip
MODELS = TABLE | MORE
