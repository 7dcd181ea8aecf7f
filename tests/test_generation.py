"""Generation: each rule against its definition, beam search against all sequences there are."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinyrnn as tr

V = 5  # tokens


class CharacterModel(tr.nn.Module):
    """Any cell, and any head."""

    def __init__(self, cell: str = "gru", scale: float = 3.0) -> None:
        rng = np.random.default_rng(0)
        kinds = {"gru": tr.nn.GRUCell, "lstm": tr.nn.LSTMCell, "rnn": tr.nn.RNNCell}
        self.embedding = tr.nn.Embedding(V, 4, rng=rng)
        self.recurrent = tr.nn.Recurrent(kinds[cell](4, 6, rng=rng))
        self.head = tr.nn.Linear(6, V, rng=rng)
        self.head.weight.data *= scale

    def forward(self, tokens: Any, state: Any = None) -> Any:
        y, state = self.recurrent(self.embedding(tokens), state)
        return self.head(y), state


def log_probs(model: Any, tokens: list[int]) -> np.ndarray:
    """Of each next token, by one pass over all of them: no state is kept."""
    with tr.no_grad():
        return tr.log_softmax(model(np.array(tokens)[:, None])[0])[:, 0].numpy().astype(float)


@pytest.mark.parametrize("cell", ["gru", "lstm", "rnn"])
def test_greedy_is_the_likeliest_each_time(cell: str) -> None:
    model = CharacterModel(cell)
    tokens = [1, 2]
    for token in tr.generate(model, [1, 2], length=10, temperature=0):
        assert token == log_probs(model, tokens)[-1].argmax()
        tokens.append(token)
    assert len(tokens) == 12


@pytest.mark.parametrize("options", [{"temperature": 0.8}, {"top_k": 2}, {"top_p": 0.7}, {"temperature": 0}])
def test_rows_are_written_as_if_alone(options: dict[str, Any]) -> None:
    model = CharacterModel()
    prompt = np.array([[1, 2, 0], [3, 3, 4]])
    greedy = {**options, "top_k": 1} if "temperature" not in options else options
    for row in range(3):
        alone = list(tr.generate(model, prompt[:, row], length=8, **{**greedy, "temperature": 0}))
        together = [t[row] for t in tr.generate(model, prompt, length=8, **{**greedy, "temperature": 0})]
        assert alone == together
    a, b = (list(tr.generate(model, prompt, length=8, rng=3, **options)) for _ in range(2))
    np.testing.assert_array_equal(a, b)


def fixed(logits: Any) -> Any:
    """A model that always says the same."""
    return lambda tokens, state: (np.broadcast_to(logits, (*np.shape(tokens), len(logits))), state)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [0.1, 0.2, 0.4, 0.0, 0.3]),
        ({"temperature": 0.5}, np.array([0.01, 0.04, 0.16, 0, 0.09]) / 0.3),
        ({"top_k": 2}, [0, 0, 4 / 7, 0, 3 / 7]),
        ({"top_k": 99}, [0.1, 0.2, 0.4, 0.0, 0.3]),
        ({"top_p": 0.39}, [0, 0, 1, 0, 0]),
        ({"top_p": 0.6}, [0, 0, 4 / 7, 0, 3 / 7]),
        ({"top_p": 0.75}, [0, 2 / 9, 4 / 9, 0, 3 / 9]),
        ({"top_p": 1.0}, [0.1, 0.2, 0.4, 0.0, 0.3]),
        ({"top_p": 0.5, "top_k": 2}, [0, 0, 1, 0, 0]),
        ({"top_k": 1}, [0, 0, 1, 0, 0]),
    ],
)
def test_draws_have_their_distribution(options: dict[str, Any], expected: Any) -> None:
    with np.errstate(divide="ignore"):
        logits = np.log(np.array([0.1, 0.2, 0.4, 0.0, 0.3])).astype(np.float32)
    n = 20_000
    (drawn,) = tr.generate(fixed(logits), np.zeros((1, n), int), length=1, rng=0, **options)
    shares = np.bincount(drawn, minlength=V) / n
    expected = np.asarray(expected)
    assert (shares[expected == 0] == 0).all()
    np.testing.assert_allclose(shares, expected, atol=4 * math.sqrt(0.25 / n))


def test_a_sample_of_low_temperature_takes_the_likeliest() -> None:
    model = CharacterModel()
    greedy = list(tr.generate(model, [1], length=20, temperature=0))
    for temperature in (1e-9, 1e-40, 1e-320):
        assert list(tr.generate(model, [1], length=20, temperature=temperature, rng=1)) == greedy
    a, b = (list(tr.generate(model, [1], length=20, rng=seed)) for seed in (1, 2))
    assert a != b


def test_ties_among_the_top_k_are_cut_at_k() -> None:
    (drawn,) = tr.generate(fixed(np.zeros(9)), np.zeros((1, 500), int), length=1, top_k=3, rng=0)
    assert len(set(drawn.tolist())) == 3


def test_ended_rows_wait_and_the_last_one_stops() -> None:
    follows = np.array([1, 2, 3, 4, 0])  # n -> n + 1

    def model(tokens: Any, state: Any) -> Any:
        return np.eye(V)[follows[tokens]] * 50, state

    written = np.array(list(tr.generate(model, [[0, 2, 3]], temperature=0, end=4)))
    assert written.T.tolist() == [[1, 2, 3, 4], [3, 4, 4, 4], [4, 4, 4, 4]]
    assert list(tr.generate(model, [0], temperature=0, end=4, length=2)) == [1, 2]
    assert list(tr.generate(model, [0], length=0)) == []


def test_it_yields_as_it_goes_and_leaves_recording_on() -> None:
    model, calls = CharacterModel(), []

    def counted(tokens: Any, state: Any) -> Any:
        calls.append(np.shape(tokens))
        return model(tokens, state)

    stream = tr.generate(counted, [1, 2, 3])
    assert calls == []
    for _ in range(3):
        next(stream)
        assert (model.head.weight * 2).requires_grad  # between two tokens the caller may train
    assert calls == [(3, 1), (1, 1), (1, 1)]


def test_generation_compiles_nothing_a_token() -> None:
    model = CharacterModel()
    list(tr.generate(model, [1], length=3))
    before = tr.scan.cache_info().compiled
    list(tr.generate(model, [1], length=20))
    assert tr.scan.cache_info().compiled == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": -1}, "temperature is -1"),
        ({"temperature": math.nan}, "temperature is nan"),
        ({"top_k": 0}, "top_k is 0"),
        ({"top_p": 0.0}, "top_p is 0"),
        ({"top_p": 1.5}, "top_p is 1.5"),
        ({"length": -1}, "length is -1"),
    ],
)
def test_options_out_of_range(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tr.generate(fixed(np.zeros(3)), [0], **options)


@pytest.mark.parametrize("bad", [[0.0, np.nan], [0.0, np.inf], [-np.inf, -np.inf]])
@pytest.mark.parametrize("options", [{"temperature": 0}, {}, {"top_k": 2}, {"top_p": 0.9}])
def test_scores_that_are_no_scores(bad: list[float], options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected numbers"):
        next(tr.generate(fixed(np.array(bad)), [0], **options))
    with pytest.raises(ValueError, match="expected numbers"):
        tr.beam_search(fixed(np.array(bad)), [0], width=2, length=2)


def test_models_and_prompts_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match=r"prompt has dtype float64 and shape \(1,\)"):
        tr.generate(fixed(np.zeros(3)), [0.5])
    with pytest.raises(ValueError, match="at least one token"):
        tr.generate(fixed(np.zeros(3)), np.zeros((0, 2), int))
    with pytest.raises(TypeError, match="the model returned int"):
        next(tr.generate(lambda t, s: 1, [0]))
    with pytest.raises(ValueError, match=r"logits of shape \(3,\)"):
        next(tr.generate(lambda t, s: (np.zeros(3), s), [0]))


# --- beam search --------------------------------------------------------------------------------------------
def every_sequence(model: Any, prompt: list[int], length: int, end: int | None, penalty: float) -> Any:
    """All that can be written, with score and log probability, best first."""
    found = []
    for n in range(1, length + 1):
        for tokens in itertools.product(range(V), repeat=n):
            ended = end is not None and tokens[-1] == end
            if (end is not None and end in tokens[:-1]) or not (ended or n == length):
                continue
            table = log_probs(model, [*prompt, *tokens])
            total = sum(table[len(prompt) - 1 + i, token] for i, token in enumerate(tokens))
            found.append((total / n**penalty, total, [t for t in tokens if t != end or end is None]))
    return sorted(found, key=lambda f: -f[0])


@pytest.mark.parametrize("cell", ["gru", "lstm"])
@pytest.mark.parametrize("penalty", [0.0, 0.7, 1.0])
@pytest.mark.parametrize("end", [None, 3])
def test_a_wide_beam_finds_the_best_of_all(cell: str, penalty: float, end: int | None) -> None:
    model, width = CharacterModel(cell), V**2
    expected = every_sequence(model, [1, 4], 3, end, penalty)
    (found,) = tr.beam_search(model, [1, 4], width=width, length=3, end=end, length_penalty=penalty)
    assert len(found) == width
    for hypothesis, (score, total, tokens) in zip(found[:10], expected):
        assert hypothesis.tokens.tolist() == tokens
        assert hypothesis.score == pytest.approx(score, rel=1e-5)
        assert hypothesis.log_prob == pytest.approx(total, rel=1e-5)


def beam_by_hand(model: Any, prompt: list[int], width: int, length: int, end: int, penalty: float) -> Any:
    """Beam search with lists, and no state: the best `width` beginnings, and what has ended on the way."""
    alive, ended = [(0.0, [])], []
    for n in range(1, length + 1):
        grown = sorted(
            (
                (score + p, [*tokens, token])
                for score, tokens in alive
                for token, p in enumerate(log_probs(model, prompt + tokens)[-1])
            ),
            key=lambda beam: -beam[0],
        )
        ended += [(s / n**penalty, t[:-1]) for s, t in grown[:width] if t[-1] == end]
        alive = [beam for beam in grown if beam[1][-1] != end][:width]
    ended += [(s / length**penalty, t) for s, t in alive]
    return sorted(ended, key=lambda beam: -beam[0])[:width]


@given(
    prompt=st.lists(st.lists(st.integers(0, V - 1), min_size=3, max_size=3), min_size=1, max_size=2),
    width=st.integers(1, 4),
    length=st.integers(1, 5),
    penalty=st.sampled_from([0.0, 1.0]),
)
def test_narrow_beams_of_several_rows(
    prompt: list[list[int]], width: int, length: int, penalty: float
) -> None:
    model = CharacterModel()
    results = tr.beam_search(model, prompt, width=width, length=length, end=2, length_penalty=penalty)
    assert len(results) == 3
    for row, found in enumerate(results):
        expected = beam_by_hand(model, [line[row] for line in prompt], width, length, 2, penalty)
        assert [h.tokens.tolist() for h in found] == [tokens for _, tokens in expected]
        np.testing.assert_allclose([h.score for h in found], [score for score, _ in expected], rtol=1e-5)


@pytest.mark.parametrize("attention", [None, tr.nn.DotAttention(4, 4), tr.nn.AdditiveAttention(4, 4, 4)])
def test_a_token_is_a_compiled_step(attention: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tr.manual_seed(0)
    head = tr.nn.Linear(4 if attention is None else 8, V)
    decoder = tr.nn.Decoder(tr.nn.Embedding(V, 3), tr.nn.LSTMCell(3, 4), head, attention)
    keys = None if attention is None else tr.randn(5, 2, 4)
    lengths = None if attention is None else [5, 3]
    state = decoder.begin(decoder.cell.initial_state(2), keys, lengths)
    prompt, called = np.ones((3, 2), int), []

    def counted(tokens: Any, state: Any) -> Any:  # which is called each time
        called.append(tokens)
        return decoder(tokens, state)

    by_calls = [t.tolist() for t in tr.generate(counted, prompt, state, length=9, temperature=0)]
    assert len(called) == 9
    assert [t.tolist() for t in tr.generate(decoder, prompt, state, length=9, temperature=0)] == by_calls
    beams = tr.beam_search(counted, prompt, state, width=3, length=9, end=0)
    for found, expected in zip(
        tr.beam_search(decoder, prompt, state, width=3, length=9, end=0), beams, strict=True
    ):
        assert [h.tokens.tolist() for h in found] == [h.tokens.tolist() for h in expected]
        np.testing.assert_allclose([h.score for h in found], [h.score for h in expected], rtol=1e-5)
    # Compiled, the tokens of the second half take no call of any Python of the cell's.
    steps = iter(tr.generate(decoder, prompt, state, temperature=0))
    first = [next(steps).tolist() for _ in range(4)]
    monkeypatch.setattr(tr.nn.LSTMCell, "step", None)
    assert first + [next(steps).tolist() for _ in range(5)] == by_calls


def test_what_an_optimiser_does_between_tokens_is_seen() -> None:
    model = CharacterModel()
    steps = tr.generate(model, [0], temperature=0)
    tokens = [next(steps) for _ in range(4)]
    optimizer = tr.optim.SGD(model.parameters(), lr=2.0)
    logits, _ = model(np.array([[0], *([t] for t in tokens)]), None)
    tr.nn.cross_entropy(logits, np.full((5, 1), V - 1)).backward()
    optimizer.step()
    with tr.no_grad():  # the state is that of before, the token is chosen as the parameters are now
        after = [next(steps) for _ in range(6)]
    assert after[1:] == [V - 1] * 5


def test_the_callers_arrays_are_its_own() -> None:
    model, prompt = CharacterModel(), np.array([[0, 1], [2, 3]])
    expected = [t.tolist() for t in tr.generate(model, prompt, length=8, temperature=0)]
    stream, given = tr.generate(model, prompt, length=8, temperature=0), []
    prompt[...] = 4
    for tokens in stream:
        given.append(tokens.tolist())
        tokens[...] = 4
    assert given == expected


def test_a_mode_turned_on_between_tokens_is_seen() -> None:
    model, drop = CharacterModel(), tr.nn.Dropout(0.9).eval()

    def dropped(tokens: Any, state: Any) -> Any:
        logits, state = model(tokens, state)
        return drop(logits), state

    stream = tr.generate(dropped, [0], temperature=0)
    still = [next(stream) for _ in range(12)]
    assert still == list(tr.generate(model, [0], length=12, temperature=0))
    drop.train()
    assert set([next(stream) for _ in range(40)][1:]) != set(still[4:])


@pytest.mark.parametrize("growing", [False, True])
def test_a_state_that_changes_only_now_and_then_follows_its_beam(growing: bool) -> None:
    """As in a clockwork RNN: what one call hands back as it came, another has changed before."""
    embedding = tr.nn.Embedding(V, 4, rng=0)
    embedding.weight.data *= 2
    read = np.random.default_rng(1).normal(size=(4, V)).astype(np.float32)

    def model() -> Any:
        turns = itertools.count(1)

        def model(tokens: Any, state: Any) -> Any:
            slow, seen = state
            turn = next(turns)
            if turn % 2:
                slow = 0.3 * slow + embedding(tokens)[-1]
            if growing and turn == 2:
                seen = (seen, slow)
            return (embedding(tokens) + slow) @ read, (slow, seen)

        return model

    def state(batch: int) -> Any:
        return tr.zeros((batch, 4)), tr.zeros((batch, 1))

    def score(tokens: list[int]) -> float:
        own, now, total = model(), state(1), 0.0
        for before, after in itertools.pairwise([0, *tokens]):
            logits, now = own(np.array([[before]]), now)
            total += float(tr.log_softmax(logits[-1, 0]).data[after])
        return total

    with tr.no_grad():
        for found in tr.beam_search(model(), [[0]], state(1), width=4, length=6)[0]:
            np.testing.assert_allclose(found.log_prob, score(found.tokens.tolist()), rtol=1e-4)


def test_a_beam_of_one_is_greedy() -> None:
    model = CharacterModel()
    (found,) = tr.beam_search(model, [0], width=1, length=9)
    assert found[0].tokens.tolist() == list(tr.generate(model, [0], length=9, temperature=0))


def test_what_the_model_hands_back_as_it_came_is_not_copied() -> None:
    model, memory = CharacterModel(), tr.ones((2, 1, 3))
    seen = []

    def with_memory(tokens: Any, state: Any) -> Any:
        carry, memory = state if state is not None else (None, tr.ones((2, 1, 3)))
        seen.append(memory)
        logits, carry = model(tokens, carry)
        return logits, (carry, memory)

    (found,) = tr.beam_search(with_memory, [0], (None, memory), width=3, length=6)
    (alone,) = tr.beam_search(model, [0], width=3, length=6)
    assert [h.tokens.tolist() for h in found] == [h.tokens.tolist() for h in alone]
    assert seen[1].shape == (2, 3, 3)
    assert all(m is seen[1] for m in seen[1:])


def test_beams_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="width is 0"):
        tr.beam_search(fixed(np.zeros(3)), [0], width=0, length=2)
    with pytest.raises(ValueError, match="length_penalty is -1"):
        tr.beam_search(fixed(np.zeros(3)), [0], width=1, length=2, length_penalty=-1)
    with pytest.raises(ValueError, match=r"state\[0\] has shape \(7,\); expected 1 rows at batch_axis = -2"):
        tr.beam_search(fixed(np.zeros(3)), [0], (tr.ones(7),), width=2, length=2)
