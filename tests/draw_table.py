"""The models whose pictures must come out right: each a function that returns what is drawn."""

from collections.abc import Callable
from typing import Any

import numpy as np

import tinyrnn as tr

T = 4


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def data(*shape: int, seed: int = 1) -> Any:
    return tr.tensor(rng(seed).normal(size=shape), dtype="float64")


def linear(a: int, b: int, seed: int = 2) -> Any:
    return tr.nn.Linear(a, b, rng=rng(seed), dtype="float64")


def layer(kind: str, a: int, b: int, seed: int = 3, **options: Any) -> Any:
    return getattr(tr.nn, kind)(a, b, rng=rng(seed), dtype="float64", **options)


def done(loss: Any) -> Any:
    loss.backward()
    return loss


class Tagger(tr.nn.Module):
    """Embedding, GRU, head: the character model."""

    def __init__(self, kind: str = "GRU") -> None:
        self.embedding = tr.nn.Embedding(7, 3, rng=rng(5), dtype="float64")
        self.recurrent = layer(kind, 3, 4)
        self.head = linear(4, 7)

    def forward(self, x: Any, state: Any = None) -> Any:
        y, state = self.recurrent(self.embedding(x), state)
        return self.head(y), state


TOKENS = np.array([[1], [3], [0], [6]])


def tagger() -> Any:
    with tr.unrolled():
        logits, _ = Tagger()(TOKENS)
        return done(tr.nn.cross_entropy(logits, TOKENS[::-1]))


def tagger_lstm() -> Any:
    with tr.unrolled():
        logits, _ = Tagger("LSTM")(TOKENS)
        return done(tr.nn.cross_entropy(logits, TOKENS[::-1]))


def loss_at_the_end() -> Any:
    lstm, head = layer("LSTM", 2, 3), linear(3, 1)
    with tr.unrolled():
        y, _ = lstm(data(T, 1, 2))
        return done((head(y[-1]) ** 2).mean())


def learned_h0() -> Any:
    gru = layer("GRU", 2, 3, learn_initial_state=True)
    with tr.unrolled():
        y, _ = gru(data(T, 1, 2))
        return done((y**2).mean())


def two_losses() -> Any:
    gru, tag, count = layer("GRU", 2, 3), linear(3, 2), linear(3, 1, seed=4)
    with tr.unrolled():
        y, h = gru(data(T, 1, 2))
        first = (tag(y) ** 2).mean()
        second = (count(h[0]) - 1.0).abs().mean()
        first.name, second.name = "L_tag", "L_count"
        return done(first + 0.5 * second)


def replay() -> Any:
    rnn, head = layer("RNN", 2, 3), linear(3, 1)
    x, y = data(15, 1, 2), data(15, 1, 1)
    loss = None
    with tr.unrolled():
        for window in tr.TruncatedBPTT(k1=5, k2=10).windows(x, y):
            loss = ((head(window.run(rnn)) - window.y) ** 2).mean()
            loss.backward()
    return loss


def continued() -> Any:
    rnn = layer("RNN", 2, 3)
    x = data(T, 1, 2)
    with tr.unrolled():
        a, h = rnn(x[:2])
        b, _ = rnn(x[2:], h.detach())
        return done((a**2).mean() + (b**2).mean())


def called_three_times() -> Any:
    rnn = layer("RNN", 2, 3)
    with tr.unrolled():
        loss = 0.0
        for seed in (1, 2, 3):
            _, h = rnn(data(2, 1, 2, seed=seed))
            loss = loss + (h**2).sum()
        return done(loss)


class Seq2Seq(tr.nn.Module):
    def __init__(self) -> None:
        self.encoder = layer("GRU", 2, 3)
        self.decoder = layer("GRU", 2, 3, seed=6)
        self.head = linear(3, 2)

    def forward(self, x: Any, y: Any) -> Any:
        _, h = self.encoder(x)
        out, _ = self.decoder(y, h)
        return self.head(out)


def encoder_decoder() -> Any:
    y = data(3, 1, 2, seed=7)
    with tr.unrolled():
        return done(((Seq2Seq()(data(T, 1, 2), y) - y) ** 2).mean())


class Attentive(tr.nn.Module):
    """A decoder that is fed the truth, and looks at all states of the encoder."""

    def __init__(self) -> None:
        self.encoder = layer("GRU", 2, 3)
        self.cell = layer("GRUCell", 2 + 3, 3, seed=6)
        self.head = linear(3, 2)

    def forward(self, x: Any, y: Any) -> Any:
        states, h = self.encoder(x)
        states, h = states.swapaxes(0, 1), h[0]
        outputs = []
        for t in range(len(y)):
            scores = tr.softmax(states @ h[:, :, None], axis=1)
            context = (scores * states).sum(axis=1)
            h = self.cell(tr.concatenate([y[t], context], axis=-1), h)
            outputs.append(self.head(h))
        return tr.stack(outputs)


def attention() -> Any:
    y = data(3, 1, 2, seed=7)
    with tr.unrolled():
        return done(((Attentive()(data(T, 1, 2), y) - y) ** 2).mean())


def decoder_by_hand() -> Any:
    embedding = tr.nn.Embedding(5, 2, rng=rng(5), dtype="float64")
    cell, head = layer("GRUCell", 2, 3), linear(3, 5)
    with tr.unrolled():
        h, loss = tr.zeros((1, 3), dtype="float64"), 0.0
        for t in range(T):
            h = cell(embedding(np.array([t])), h)
            loss = loss + tr.nn.cross_entropy(head(h), np.array([t + 1]))
        return done(loss)


def cnn_lstm() -> Any:
    class Video(tr.nn.Module):
        def __init__(self) -> None:
            self.features = tr.nn.Sequential(linear(6, 5), linear(5, 4))
            self.lstm = layer("LSTM", 4, 3)
            self.head = linear(3, 1)

        def forward(self, x: Any) -> Any:
            y, _ = self.lstm(self.features(x))
            return self.head(y[-1])

    with tr.unrolled():
        return done((Video()(data(T, 2, 6)) ** 2).mean())


def bidirectional() -> Any:
    gru, head = layer("GRU", 2, 3, num_layers=2, bidirectional=True), linear(6, 1)
    with tr.unrolled():
        y, _ = gru(data(T, 1, 2))
        return done((head(y) ** 2).mean())


def three_layers() -> Any:
    lstm = layer("LSTM", 2, 3, num_layers=3)
    with tr.unrolled():
        y, _ = lstm(data(T, 1, 2))
        return done((y[-1] ** 2).mean())


def kinds() -> Any:
    stack = tr.nn.Recurrent([layer("GRUCell", 2, 3), layer("LSTMCell", 3, 4)])
    with tr.unrolled():
        y, _ = stack(data(T, 1, 2))
        return done((y**2).mean())


class TwoScopes(tr.nn.Cell):
    """A forget gate and a proposal, each a part of its own."""

    def __init__(self) -> None:
        self.hidden_size = 3
        self.forget, self.propose = linear(5, 3), linear(5, 3, seed=8)

    def step(self, h: Any, x: Any) -> Any:
        z = tr.concatenate([x, h], axis=-1)
        f = tr.sigmoid(self.forget(z))
        n = tr.tanh(self.propose(z))
        h = f * h + (1 - f) * n
        return h, h


def custom_cell() -> Any:
    model = tr.nn.Recurrent(TwoScopes())
    with tr.unrolled():
        y, _ = model(data(T, 1, 2))
        return done((y[-1] ** 2).mean())


def dict_carry() -> Any:
    w = linear(5, 3)

    def step(carry: Any, x: Any) -> Any:
        fast = tr.tanh(w(tr.concatenate([x, carry["slow"]], axis=-1)))
        slow = 0.9 * carry["slow"] + 0.1 * fast
        return {"fast": fast, "slow": slow}, slow

    zero = tr.zeros((1, 3), dtype="float64")
    with tr.unrolled():
        _, ys = tr.scan(step, {"fast": zero, "slow": zero}, data(T, 1, 2))
        return done((ys**2).mean())


def loop_of_cells() -> Any:
    cell = layer("RNNCell", 2, 3)
    x = data(T, 1, 2)
    with tr.unrolled():
        h = tr.zeros((1, 3), dtype="float64")
        for t in range(T):
            h = cell(x[t], h)
        return done((h**2).mean())


def loop_with_scopes() -> Any:
    cell, head = layer("LSTMCell", 2, 3), linear(3, 1)
    x, y = data(T, 1, 2), data(T, 1, 1)
    with tr.unrolled():
        state, loss = cell.initial_state(1), 0.0
        for t in range(T):
            with tr.scope("memory", step=t):
                state = cell(x[t], state)
            with tr.scope("readout", step=t):
                loss = loss + ((head(state.h) - y[t]) ** 2).mean()
        return done(loss)


def loop_of_nothing() -> Any:
    w = tr.tensor(rng(1).normal(size=(3, 3)), dtype="float64", requires_grad=True)
    u = tr.tensor(rng(2).normal(size=(2, 3)), dtype="float64", requires_grad=True)
    v = tr.tensor(rng(3).normal(size=(3, 1)), dtype="float64", requires_grad=True)
    w.name, u.name, v.name = "W", "U", "V"
    x = data(T, 1, 2)
    with tr.unrolled():
        h, loss = tr.zeros((1, 3), dtype="float64"), 0.0
        for t in range(T):
            h = tr.tanh(x[t] @ u + h @ w)
            loss = loss + ((h @ v - 1.0) ** 2).mean()
        return done(loss)


def compiled() -> Any:
    logits, _ = Tagger("LSTM")(TOKENS)
    return done(tr.nn.cross_entropy(logits, TOKENS[::-1]))


def trained() -> Any:
    model = Tagger()
    optimizer = tr.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        logits, _ = model(TOKENS)
        optimizer.zero_grad()
        tr.nn.cross_entropy(logits, TOKENS[::-1]).backward()
        tr.optim.clip_grad_norm_(model.parameters(), 0.1)
        optimizer.step()
    with tr.unrolled():
        logits, _ = model(TOKENS)
        return done(tr.nn.cross_entropy(logits, TOKENS[::-1]))


def image_to_word() -> Any:
    image, seen = data(1, 6), linear(6, 4)
    image.name = "image"
    decoder = tr.nn.Decoder(
        tr.nn.Embedding(7, 3, rng=rng(5), dtype="float64"),
        tr.nn.GRUCell(3, 4, rng=rng(6), dtype="float64"),
        linear(4, 7),
    )
    with tr.unrolled():
        logits, _ = decoder(TOKENS, decoder.begin(seen(image)))
        return done(tr.nn.cross_entropy(logits, TOKENS[::-1]))


def feed_forward() -> Any:
    network = tr.nn.Sequential(linear(6, 4), tr.nn.Tanh(), linear(4, 3, seed=4))
    with tr.unrolled():
        return done(tr.nn.cross_entropy(network(data(2, 6)), [2, 0]))


MODELS: dict[str, Callable[[], Any]] = {
    f.__name__: f
    for f in (
        tagger, tagger_lstm, loss_at_the_end, learned_h0, two_losses, replay, continued, called_three_times,
        encoder_decoder, attention, decoder_by_hand, cnn_lstm, bidirectional, three_layers, kinds,
        custom_cell, dict_carry, loop_of_cells, loop_with_scopes, loop_of_nothing, compiled, trained,
        image_to_word, feed_forward,
    )
}  # fmt: skip
