"""Sequences into arrays: padding, batches, windows, splits, vocabularies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyrnn.data import (
    Vocabulary,
    batches,
    bucket_by_length,
    pad_sequence,
    split_in_time,
    streams,
    windows_of,
)

seeds = st.integers(0, 999)


# --- padding ------------------------------------------------------------------------------------------------
@given(
    lengths=st.lists(st.integers(0, 6), min_size=1, max_size=5), features=st.sampled_from([(), (2,), (2, 3)])
)
def test_padding_keeps_all_and_adds_only_the_value(lengths: list[int], features: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    sequences = [rng.normal(size=(n, *features)).astype(np.float32) for n in lengths]
    padded, got = pad_sequence(sequences, value=-7)
    assert padded.shape == (max(lengths), len(lengths), *features)
    assert padded.dtype == np.float32
    assert got.tolist() == lengths
    for i, sequence in enumerate(sequences):
        np.testing.assert_array_equal(padded[: len(sequence), i], sequence)
        assert (padded[len(sequence) :, i] == -7).all()


def test_padding_takes_the_dtype_that_holds_all() -> None:
    assert pad_sequence([np.array([1], np.int16), np.array([2], np.int64)])[0].dtype == np.int64
    assert pad_sequence([[1, 2], []])[0].dtype == np.int64


@pytest.mark.parametrize(
    ("sequences", "message"),
    [
        ([], "no sequences"),
        ([[1], 2], "sequence 1 is no array"),
        ([np.ones((2, 3)), np.ones((2, 4))], r"sequence 1 has shape \(2, 4\)"),
    ],
)
def test_what_cannot_be_padded(sequences: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pad_sequence(sequences)


# --- batches ------------------------------------------------------------------------------------------------
@given(n=st.integers(1, 30), size=st.integers(1, 9), seed=st.none() | seeds, axis=st.sampled_from([0, 1, -1]))
def test_each_example_comes_once_with_its_target(n: int, size: int, seed: int | None, axis: int) -> None:
    x = {"a": np.stack([np.arange(n)] * 2, axis=1 if axis == 0 else 0), "b": np.arange(n)[None].repeat(3, 0)}
    if axis == 0:
        x["b"] = x["b"].T
    y = x["b"] * 10
    turns = batches(x, y, size, seed, axis=axis)
    seen = []
    for bx, by in turns:
        np.testing.assert_array_equal(by, bx["b"] * 10)
        first = np.moveaxis(bx["a"], axis, 0)[:, 0]
        np.testing.assert_array_equal(first, np.moveaxis(bx["b"], axis, 0)[:, 0])
        seen.append(first)
    assert len(seen) == len(turns) == -(-n // size)
    assert all(len(part) == size for part in seen[:-1])
    assert sorted(np.concatenate(seen).tolist()) == list(range(n))
    if seed is None:
        assert np.concatenate(seen).tolist() == list(range(n))


def test_each_turn_is_shuffled_anew_and_goes_on_from_a_state() -> None:
    turns = batches(np.arange(50), size=50, rng=3)

    def turn() -> list[int]:
        return next(iter(turns))[0].tolist()

    first, state = turn(), turns.state_dict()
    second, third = turn(), turn()
    assert first != second != third
    other = batches(np.arange(50), size=50, rng=4)
    other.load_state_dict(state)
    assert [next(iter(other))[0].tolist() for _ in range(2)] == [second, third]
    with pytest.raises(ValueError, match="shuffled"):
        batches(np.arange(5)).load_state_dict(state)


def test_drop_last_and_errors() -> None:
    turns = batches(np.arange(7), size=3, drop_last=True)
    assert [len(x) for x, _ in turns] == [3, 3]
    assert len(turns) == 2
    with pytest.raises(
        ValueError, match=r"differ in their number of examples: \{'data\[0\]': 3, 'data\[1\]': 4"
    ):
        batches(np.ones(3), np.ones(4))
    with pytest.raises(ValueError, match="expected an int, at least 1"):
        batches(np.ones(3), size=0)
    with pytest.raises(ValueError, match="0 examples"):
        batches(np.ones(0))
    with pytest.raises(ValueError, match="expected an axis 1"):
        batches(np.ones(3), axis=1)


@given(
    lengths=st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=40),
    size=st.integers(1, 8),
    seed=st.none() | seeds,
)
def test_buckets_lose_nothing_and_count_their_padding(
    lengths: list[tuple[int, int]], size: int, seed: int | None
) -> None:
    x = [np.full(n, i) for i, (n, _) in enumerate(lengths)]
    y = [np.full(n, i) for i, (_, n) in enumerate(lengths)]
    buckets = bucket_by_length(x, y, size, seed, value=-1)
    for _ in range(2):  # the share is that of every turn
        rows, padding, places = [], 0, 0
        for batch in buckets:
            assert batch.y_lengths is not None
            for k in range(len(batch.lengths)):
                i = int(batch.x[0, k])
                rows.append(i)
                assert (batch.lengths[k], batch.y_lengths[k]) == lengths[i]
                assert batch.x[: batch.lengths[k], k].tolist() == [i] * lengths[i][0]
                assert batch.y[: batch.y_lengths[k], k].tolist() == [i] * lengths[i][1]
            padding += int((batch.x == -1).sum() + (batch.y == -1).sum())
            places += batch.x.size + batch.y.size
        assert sorted(rows) == list(range(len(x)))
        assert buckets.padding == pytest.approx(padding / places)
    assert len(buckets) == -(-len(x) // size)


def test_buckets_have_less_padding_than_chance() -> None:
    rng = np.random.default_rng(0)
    x = [np.zeros(n) for n in rng.integers(1, 50, 500)]
    by_chance = [pad_sequence(x[i : i + 20]) for i in range(0, 500, 20)]
    share = 1 - sum(len(row) for row in x) / sum(padded.size for padded, _ in by_chance)
    assert bucket_by_length(x, size=20).padding < 0.1 * share


def test_buckets_shuffle_and_repeat() -> None:
    x, labels = [np.full(1 + i % 3, i) for i in range(60)], np.arange(60)
    buckets = bucket_by_length(x, labels, 7, 5)
    turns = [[batch.y.tolist() for batch in buckets] for _ in range(2)]
    assert turns[0] != turns[1]
    again = bucket_by_length(x, labels, 7, 5)
    assert [[batch.y.tolist() for batch in again] for _ in range(2)] == turns
    assert all(batch.x[0].tolist() == batch.y.tolist() for batch in again)
    with pytest.raises(ValueError, match=r"x\[1\] has shape \(0,\)"):
        bucket_by_length([[1], []])
    with pytest.raises(ValueError, match="got 1 targets; expected 2"):
        bucket_by_length([[1], [2]], [1])


# --- series -------------------------------------------------------------------------------------------------
@given(
    steps=st.integers(2, 40), look_back=st.integers(1, 6), horizon=st.integers(1, 4), stride=st.integers(1, 3)
)
def test_windows_are_slices(steps: int, look_back: int, horizon: int, stride: int) -> None:
    series = np.random.default_rng(0).normal(size=(steps, 2))
    starts = range(0, steps - look_back - horizon + 1, stride)
    if not starts:
        with pytest.raises(ValueError, match="look_back \\+ horizon"):
            windows_of(series, look_back, horizon, stride=stride)
        return
    x, y = windows_of(series, look_back, horizon, stride=stride)
    assert x.shape == (look_back, len(starts), 2)
    for i, start in enumerate(starts):
        np.testing.assert_array_equal(x[:, i], series[start : start + look_back])
        np.testing.assert_array_equal(y[:, i], series[start + look_back : start + look_back + horizon])


@given(
    steps=st.integers(4, 200),
    fractions=st.lists(st.floats(0.05, 0.4), min_size=1, max_size=2),
    look_back=st.integers(0, 5),
)
def test_no_target_of_a_later_part_is_in_an_earlier_one(
    steps: int, fractions: list[float], look_back: int
) -> None:
    try:
        parts = split_in_time(np.arange(steps), *fractions, look_back=look_back)
    except ValueError:
        assert steps < 40
        return
    own = [parts[0], *(part[look_back:] for part in parts[1:])]
    np.testing.assert_array_equal(np.concatenate(own), np.arange(steps))
    if look_back and all(len(part) > look_back for part in parts):
        targets = [windows_of(part, look_back)[1].ravel() for part in parts]
        np.testing.assert_array_equal(np.concatenate(targets), np.arange(look_back, steps))
    for share, part in zip(fractions, own[1:]):
        assert abs(len(part) - share * steps) <= 1


@pytest.mark.parametrize("fractions", [(), (0.0,), (1.0,), (0.5, 0.5), (0.01,)])
def test_splits_that_leave_nothing(fractions: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="fractions"):
        split_in_time(np.arange(10), *fractions)


@given(n=st.integers(2, 60), batch=st.integers(1, 9), features=st.sampled_from([(), (2,)]))
def test_streams_follow_the_sequence(n: int, batch: int, features: tuple[int, ...]) -> None:
    ids = np.arange(n).reshape((n, *(1 for _ in features))) + np.zeros(features, int)
    if n - 1 < batch:
        with pytest.raises(ValueError, match="too few"):
            streams(ids, batch)
        return
    x, y = streams(ids, batch)
    np.testing.assert_array_equal(y, x + 1)
    np.testing.assert_array_equal(x.swapaxes(0, 1).reshape((-1, *features)), ids[: len(x) * batch])
    assert n - 1 - batch < len(x) * batch <= n - 1


# --- vocabularies -------------------------------------------------------------------------------------------
@given(st.text(min_size=1, max_size=50))
def test_encoding_goes_back_and_forth(contents: str) -> None:
    vocabulary = Vocabulary(contents)
    ids = vocabulary.encode(contents)
    assert vocabulary.decode(ids) == contents
    assert len(vocabulary) == len(set(contents)) == ids.max() + 1


@given(
    words=st.lists(st.text("abc\ud800 é\n", min_size=1, max_size=3), min_size=1, max_size=9),
    marks=st.sets(st.sampled_from(["unknown", "begin", "end"])),
    separator=st.sampled_from(["", "|"]),
)
def test_the_file_gives_the_same_numbers(
    words: list[str], marks: set[str], separator: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    vocabulary = Vocabulary(words, separator=separator, **{mark: f"<{mark}>" for mark in marks})
    path = vocabulary.save(tmp_path_factory.mktemp("v") / "v.json")
    loaded = Vocabulary.load(path)
    assert vars(loaded) == vars(vocabulary)
    ids = vocabulary.encode(words, marks=True)
    assert loaded.split(ids) == words
    assert len(ids) == len(words) + len(marks - {"unknown"})
    assert [p.name for p in path.parent.iterdir()] == ["v.json"]


def test_unknown_tokens_and_rare_ones() -> None:
    with pytest.raises(ValueError, match="'x' is not in the vocabulary"):
        Vocabulary("abc").encode("ax")
    rare = Vocabulary("aabbc", unknown="?", minimum=2)
    assert rare.tokens == ["?", "a", "b"]
    assert rare.decode(rare.encode("abc?")) == "ab??"
    assert "a" in rare
    assert "?" not in rare
    with pytest.raises(ValueError, match="begin is 'a', which is a token"):
        Vocabulary("abc", begin="a")
    with pytest.raises(ValueError, match="another mark"):
        Vocabulary("abc", begin="#", end="#")
    with pytest.raises(IndexError, match="the number -1; expected 0 to 2"):
        Vocabulary("abc").decode([0, -1])


def test_a_text_with_the_letters_of_a_mark_is_not_taken_for_it() -> None:
    vocabulary = Vocabulary(["a", "b"], unknown="<u>", end="<e>", separator=" ")
    assert vocabulary.encode("a <e> b").tolist() == [2, 0, 3]


@pytest.mark.parametrize(
    "contents",
    [
        b"",
        b"\xff\xfe",
        b"[1]",
        b'{"format": "other"}',
        b"[" * 100_000,
        json.dumps({"format": "tinyrnn vocabulary", "tokens": ["a", 1], "separator": ""}).encode(),
        json.dumps({"format": "tinyrnn vocabulary", "tokens": ["a", "a"], "separator": ""}).encode(),
        json.dumps({"format": "tinyrnn vocabulary", "tokens": [["a"]], "separator": ""}).encode(),
        json.dumps({"format": "tinyrnn vocabulary", "tokens": ["a"], "separator": 3}).encode(),
        json.dumps({"format": "tinyrnn vocabulary", "tokens": ["a"], "separator": "", "end": "a"}).encode(),
    ],
)
def test_files_that_are_no_vocabulary(contents: bytes, tmp_path: Path) -> None:
    path = tmp_path / "v.json"
    path.write_bytes(contents)
    with pytest.raises(ValueError, match="ocabulary"):
        Vocabulary.load(path)
