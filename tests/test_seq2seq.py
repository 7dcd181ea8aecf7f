"""Attention and the decoder against their equations in plain NumPy, and against loops."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyrnn as tr
from tinyrnn import nn
from tinyrnn.testing import check_grads

KINDS = {
    "dot": lambda Q, K, rng: nn.DotAttention(Q, K, rng=rng, dtype="float64"),
    "plain dot": lambda Q, K, rng: nn.DotAttention(Q, Q, weighted=False),
    "additive": lambda Q, K, rng: nn.AdditiveAttention(Q, K, 7, rng=rng, dtype="float64"),
}
each_kind = pytest.mark.parametrize("kind", KINDS)


def by_hand(attention: Any, query: Any, keys: Any, lengths: Any) -> tuple[Any, Any]:
    """One row and one key at a time."""
    S, B, K = keys.shape
    context, weights = np.zeros((B, K)), np.zeros((S, B))
    p = attention.state_dict()
    for b in range(B):
        scores = []
        for s in range(lengths[b]):
            if isinstance(attention, nn.DotAttention):
                key = keys[s, b] if attention.key is None else p["key.weight"] @ keys[s, b]
                scores.append(query[b] @ key)
            else:
                inner = p["query.weight"] @ query[b] + p["key.weight"] @ keys[s, b] + p["key.bias"]
                scores.append(p["v"] @ np.tanh(inner))
        e = np.exp(np.array(scores) - max(scores))
        weights[: lengths[b], b] = e / e.sum()
        context[b] = weights[: lengths[b], b] @ keys[: lengths[b], b]
    return context, weights


@each_kind
@given(B=st.integers(1, 3), S=st.integers(1, 4), seed=st.integers(0, 99), data=st.data())
def test_attention_is_its_equation(kind: str, B: int, S: int, seed: int, data: Any) -> None:
    rng = np.random.default_rng(seed)
    Q, K = 4, 4 if kind == "plain dot" else 3
    attention = KINDS[kind](Q, K, rng)
    query, keys = rng.normal(size=(B, Q)), rng.normal(size=(S, B, K))
    lengths = data.draw(st.lists(st.integers(1, S), min_size=B, max_size=B))
    expected = by_hand(attention, query, keys, lengths)
    padded = np.where(nn.mask(lengths, S)[..., None], keys, np.nan)
    for how in ({"lengths": lengths}, {"mask": nn.mask(lengths, S)}):
        for got, value in zip(attention(tr.tensor(query), tr.tensor(padded), **how), expected):
            np.testing.assert_allclose(got.numpy(), value, rtol=1e-10, atol=1e-14)
    several = np.stack([query, query[::-1]])  # queries of several steps at once
    contexts, weights = attention(tr.tensor(several), tr.tensor(keys), lengths)
    np.testing.assert_allclose(contexts.numpy()[0], expected[0], rtol=1e-10)
    assert weights.shape == (2, S, B)


@each_kind
def test_attention_has_its_gradients(kind: str) -> None:
    rng = np.random.default_rng(1)
    attention = KINDS[kind](4, 4, rng)
    query, keys = rng.normal(size=(2, 4)), rng.normal(size=(3, 2, 4))
    check_grads(lambda q, k: attention(q, k, [3, 2])[0], query, keys, order=2)


@each_kind
def test_padded_keys_get_no_gradient(kind: str) -> None:
    rng = np.random.default_rng(1)
    attention = KINDS[kind](4, 4, rng)
    keys = rng.normal(size=(3, 2, 4))
    keys[1:, 1] = np.nan
    keys = tr.tensor(keys, requires_grad=True)
    attention(tr.tensor(rng.normal(size=(2, 4))), keys, [3, 1])[0].sum().backward()
    assert np.isfinite(keys.grad.numpy()).all()
    assert not keys.grad.numpy()[1:, 1].any()


@each_kind
def test_inside_a_step_the_keys_projection_leaves_the_loop(kind: str) -> None:
    rng = np.random.default_rng(0)
    attention = KINDS[kind](4, 4, rng)
    cell = nn.GRUCell(4, 4, rng=rng, dtype="float64")
    keys, lengths = tr.tensor(rng.normal(size=(5, 3, 4)), requires_grad=True), [5, 2, 4]
    xs, h0 = tr.tensor(rng.normal(size=(6, 3, 4))), tr.zeros((3, 4), dtype="float64")

    def step(h: Any, x: Any) -> Any:
        context, weights = attention(h, keys, lengths)
        h, _ = cell.step(h, x + context)
        return h, (h, weights)

    plan = tr.scan.plan(step, h0, xs).scans[0]
    products = [line for line in str(plan.forward).splitlines() if " @ key.weight" in line]
    assert products == []  # it is an input of the loop: done once, before
    results = []
    for recorded in (False, True):
        keys.grad = None
        for p in [*attention.parameters(), *cell.parameters()]:
            p.grad = None
        if recorded:
            with tr.unrolled():
                h, weights = tr.scan(step, h0, xs)[1]
        else:
            h, weights = tr.scan(step, h0, xs)[1]
        ((h * h).sum() + (weights * weights).sum()).backward()
        results.append(
            [h.numpy(), *(t.grad.numpy() for t in [keys, *attention.parameters(), *cell.parameters()])]
        )
    for a, b in zip(*results):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_attention_that_does_not_fit() -> None:
    attention = nn.AdditiveAttention(4, 3)
    with pytest.raises(ValueError, match="row 1 has no real key"):
        attention(tr.zeros((2, 4)), tr.zeros((5, 2, 3)), [1, 0])
    with pytest.raises(
        ValueError, match=r"query has shape \(3, 4\); expected \(..., B, query_size\), with B = 2"
    ):
        attention(tr.zeros((3, 4)), tr.zeros((5, 2, 3)))
    with pytest.raises(ValueError, match=r"keys has shape \(5, 3\)"):
        attention(tr.zeros((2, 4)), tr.zeros((5, 3)))
    with pytest.raises(ValueError, match="key_size = 3"):
        attention(tr.zeros((2, 4)), tr.zeros((5, 2, 4)))
    with pytest.raises(ValueError, match="without a weight"):
        nn.DotAttention(3, 4, weighted=False)


# --- the decoder --------------------------------------------------------------------------------------------
V, E, H, K = 6, 3, 4, 5


def decoder(kind: str | None, cell: str, seed: int = 0) -> nn.Decoder:
    rng = np.random.default_rng(seed)
    attention = {
        None: lambda: None,
        "dot": lambda: nn.DotAttention(H, K, rng=rng, dtype="float64"),
        "additive": lambda: nn.AdditiveAttention(H, K, rng=rng, dtype="float64"),
    }[kind]()
    return nn.Decoder(
        nn.Embedding(V, E, rng=rng, dtype="float64"),
        {"gru": nn.GRUCell, "lstm": nn.LSTMCell}[cell](E, H, rng=rng, dtype="float64"),
        nn.Linear(H + K if kind else H, V, rng=rng, dtype="float64"),
        attention,
    )


def begin(model: nn.Decoder, keys: Any, lengths: Any) -> Any:
    carry = model.cell.initial_state(3)
    return model.begin(carry) if model.attention is None else model.begin(carry, keys, lengths)


def loop(model: nn.Decoder, tokens: Any, keys: Any, lengths: Any, forced: Any) -> tuple[Any, Any]:
    """The decoder written out, one step after the other."""
    carry, guess, out = model.cell.initial_state(3), None, []
    for t in range(len(tokens)):
        read = tokens[t] if guess is None else np.where(forced[t], tokens[t], guess)
        carry, h = model.cell.step(carry, model.embedding(read))
        if model.attention is not None:
            h = tr.concatenate([h, model.attention(h, keys, lengths)[0]], axis=-1)
        out.append(model.head(h))
        guess = out[-1].numpy().argmax(-1)
    return tr.stack(out), carry


@pytest.mark.parametrize("kind", [None, "dot", "additive"])
@pytest.mark.parametrize("cell", ["gru", "lstm"])
@pytest.mark.parametrize("feeding", ["teacher", "free", "scheduled", "per step", "all forced"])
@pytest.mark.parametrize("recorded", [False, True])
def test_each_feeding_is_the_loop(kind: str | None, cell: str, feeding: str, recorded: bool) -> None:
    rng = np.random.default_rng(2)
    T, B, lengths = 7, 3, [4, 1, 3]
    tokens = rng.integers(0, V, (T, B))
    draws = {
        "teacher": None,
        "free": np.zeros(T, bool),
        "scheduled": nn.scheduled_sampling(0.5, T, B, rng),
        "per step": rng.random(T) < 0.5,
        "all forced": np.ones((T, B), bool),
    }[feeding]
    each = np.ones((T, B), bool) if draws is None else np.broadcast_to(draws.reshape(T, -1), (T, B))
    results = []
    for by_loop in (True, False):
        model = decoder(kind, cell)
        keys = tr.tensor(np.random.default_rng(5).normal(size=(4, B, K)), requires_grad=True)
        if by_loop:
            logits, carry = loop(model, tokens, keys, lengths, each)
        elif recorded:
            with tr.unrolled():
                logits, state = model(tokens, begin(model, keys, lengths), forced=draws)
            carry = state.carry
        else:
            logits, state = model(tokens, begin(model, keys, lengths), forced=draws)
            carry = state.carry
        tr.nn.cross_entropy(logits, tokens, lengths=[7, 3, 5]).backward()
        grads = [p.grad.numpy() for p in model.parameters()] + ([keys.grad.numpy()] if kind else [])
        last = carry.c if cell == "lstm" else carry
        results.append([logits.numpy(), last.numpy(), *grads])
    for a, b in zip(*results):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_a_free_run_is_what_generate_writes() -> None:
    model = decoder("additive", "lstm")
    keys = tr.tensor(np.random.default_rng(5).normal(size=(4, 3, K)))
    state = begin(model, keys, [4, 1, 3])
    logits, _ = model(np.ones((6, 3), int), state, forced=np.zeros(6, bool))
    written = list(tr.generate(model, np.ones((1, 3), int), state, length=6, temperature=0))
    np.testing.assert_array_equal(logits.numpy().argmax(-1), written)
    found = tr.beam_search(model, np.ones((1, 3), int), state, width=1, length=6)
    np.testing.assert_array_equal(np.transpose([h[0].tokens for h in found]), written)


def test_beams_of_a_decoder_are_as_if_alone() -> None:
    """The keys of each row go with its beams."""
    model = decoder("dot", "gru")
    keys = np.random.default_rng(5).normal(size=(4, 3, K)) * 3
    lengths = [4, 2, 3]
    state = begin(model, tr.tensor(keys), lengths)
    together = tr.beam_search(model, np.ones((1, 3), int), state, width=3, length=5, end=2)
    for row in range(3):
        alone = model.begin(
            model.cell.initial_state(1), tr.tensor(keys[: lengths[row], row : row + 1]), [lengths[row]]
        )
        (found,) = tr.beam_search(model, [1], alone, width=3, length=5, end=2)
        assert [h.tokens.tolist() for h in found] == [h.tokens.tolist() for h in together[row]]
        np.testing.assert_allclose([h.score for h in found], [h.score for h in together[row]])


def test_a_decoder_that_does_not_fit() -> None:
    model = decoder("dot", "gru")
    state = begin(model, tr.zeros((4, 3, K), dtype="float64"), [1, 1, 1])
    with pytest.raises(ValueError, match="got no keys"):
        model.begin(tr.zeros((3, H)))
    with pytest.raises(ValueError, match="got keys; expected none"):
        decoder(None, "gru").begin(None, tr.zeros((4, 3, K)))
    with pytest.raises(ValueError, match="got no carry"):
        decoder(None, "gru").begin()
    with pytest.raises(ValueError, match="row 2 has no real key"):
        model.begin(None, tr.zeros((4, 3, K), dtype="float64"), [1, 1, 0])
    with pytest.raises(ValueError, match=r"tokens has shape \(3,\)"):
        model([1, 2, 3], state)
    with pytest.raises(IndexError, match=r"x\[1, 0\] is 6"):
        model([[0, 0, 0], [6, 0, 0]], state)
    with pytest.raises(ValueError, match=r"forced has dtype int64 and shape \(2,\)"):
        model(np.zeros((2, 3), int), state, forced=np.array([1, 0]))


@pytest.mark.parametrize("bad", [-1, V])
@pytest.mark.parametrize("padding_idx", [None, 2])
def test_an_embedding_in_a_compiled_step(bad: int, padding_idx: int | None) -> None:
    table = nn.Embedding(V, H, padding_idx, rng=0)

    def step(h: Any, x: Any) -> Any:
        h = tr.tanh(h + table(x))
        return h, h

    xs = np.array([[0, 2], [5, 3], [2, 2]])
    grads = []
    for recorded in (True, False):
        table.weight.grad = None
        if recorded:
            with tr.unrolled():
                y = tr.scan(step, tr.zeros((2, H)), xs)[1]
        else:
            y = tr.scan(step, tr.zeros((2, H)), xs)[1]
        (y * y).sum().backward()
        grads.append([y.numpy(), table.weight.grad.numpy()])
    np.testing.assert_allclose(grads[0][0], grads[1][0], rtol=1e-6)
    np.testing.assert_allclose(grads[0][1], grads[1][1], rtol=1e-5)
    xs[1, 0] = bad
    with pytest.raises(IndexError):
        tr.scan(step, tr.zeros((2, H)), xs)


# --- scheduled sampling -------------------------------------------------------------------------------------
@given(update=st.integers(0, 10**6), k=st.floats(1, 1e4))
def test_inverse_sigmoid_is_its_formula(update: int, k: float) -> None:
    value = nn.inverse_sigmoid_decay(update, k)
    assert 0 <= value <= 1
    if update / k < 600:
        assert value == pytest.approx(k / (k + math.exp(update / k)), abs=1e-12)


def test_draws_have_their_probability() -> None:
    draws = nn.scheduled_sampling(0.3, 101, 100, 0)
    assert draws[0].all()
    assert abs(draws[1:].mean() - 0.3) < 0.02
    rng = np.random.default_rng(0)
    updates = [nn.scheduled_sampling(0.3, 5, 4, rng, per="update") for _ in range(2000)]
    assert all(d[1:].all() or not d[1:].any() for d in updates)
    assert abs(np.mean([d[1:].all() for d in updates]) - 0.3) < 0.05
    for bad in ({"probability": 1.1}, {"probability": math.nan}, {"probability": 0.5, "per": "row"}):
        with pytest.raises(ValueError, match="scheduled_sampling"):
            nn.scheduled_sampling(steps=2, batch=2, **bad)
    assert nn.linear_decay(5, 0.1, start=0.9, floor=0.2) == pytest.approx(0.4)
    with pytest.raises(ValueError, match="k is 1"):
        nn.exponential_decay(3, 1.0)
    with pytest.raises(ValueError, match=r"k is 0\.5"):
        nn.inverse_sigmoid_decay(3, 0.5)
