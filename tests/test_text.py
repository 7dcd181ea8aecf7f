"""Reading a text, and the baselines, each counted a second time by hand."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyrnn import text
from tinyrnn.text import TextError


def test_the_default_text_is_english() -> None:
    contents = text.read_text()
    assert len(contents) > 300_000
    assert contents.count(" the ") > 2000
    assert contents == text.read_text()


def test_a_file_is_read_as_utf_8_with_newlines(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbf" + "naïve\r\nMac\rUnix\n".encode() * 100)
    assert text.read_text(path) == "naïve\nMac\nUnix\n" * 100


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty; expected a text of at least 1000"),
        (b"short", "only 5 characters; expected a text of at least 1000"),
        (b"\x7fELF\0\0" * 999, r"a binary file \(byte 4 is 0\)"),
        (b"caf\xe9 " * 999, "not text in UTF-8 .* at byte 3"),
    ],
)
def test_files_that_are_no_text(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(data)
    with pytest.raises(TextError, match=rf"a\.txt: {message}") as caught:
        text.read_text(path)
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(TextError, match="No such file"):
        text.read_text(tmp_path / "missing")
    with pytest.raises(TextError, match="directory"):
        text.read_text(tmp_path)


def test_python_without_its_topics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pydoc_data.topics", None)
    with pytest.raises(TextError, match="without pydoc_data"):
        text.read_text()


@given(
    train=st.lists(st.integers(0, 4), min_size=3, max_size=60),
    held_out=st.lists(st.integers(0, 4), min_size=3, max_size=30),
)
def test_baselines_are_what_counting_gives(train: list[int], held_out: list[int]) -> None:
    size = 5
    ones, pairs = Counter(train), Counter(itertools.pairwise(train[:-1]))
    triples = Counter(zip(train, train[1:], train[2:]))
    unigram = [(ones[c] + 1) / (len(train) + size) for c in held_out]
    trigram = [
        (triples[a, b, c] + 1) / (pairs[a, b] + size) for a, b, c in zip(held_out, held_out[1:], held_out[2:])
    ]
    ids, held = np.array(train), np.array(held_out)
    expected = [-sum(map(math.log2, p)) / len(p) for p in (unigram, trigram)]
    assert text.unigram_bits(ids, held, size) == pytest.approx(expected[0])
    assert text.trigram_bits(ids, held, size) == pytest.approx(expected[1])


@given(
    train=st.lists(st.integers(0, 4), min_size=3, max_size=60),
    held_out=st.lists(st.integers(0, 4), min_size=3, max_size=30),
    n=st.integers(1, 3),
)
def test_witten_bell_is_what_its_formula_gives(train: list[int], held_out: list[int], n: int) -> None:
    size = 5

    def odds(context: tuple[int, ...], token: int) -> float:
        shorter = odds(context[1:], token) if context else 1 / size
        k = len(context)
        after = [train[i + k] for i in range(len(train) - k) if tuple(train[i : i + k]) == context]
        different = len(set(after))
        return (after.count(token) + different * shorter) / (len(after) + different) if after else shorter

    places = range(n - 1, len(held_out))
    expected = [-math.log2(odds(tuple(held_out[i - n + 1 : i]), held_out[i])) for i in places]
    bits = text.witten_bell_bits(np.array(train), np.array(held_out), size, n)
    assert bits == pytest.approx(sum(expected) / len(expected))


def test_words_are_cut_and_joined() -> None:
    line = "**HAMLET**\nO, that this too_too solid flesh -- l'amour, 2nd (of it)...\n"
    words = text.split_words(line * 50)[:25]
    assert words[:9] == ["**", "HAMLET", "**", "\n", "O", ",", "that", "this", "too"]
    assert " ".join(words[9:]) == "_ too solid flesh -- l'amour , 2nd ( of it ) ... \n ** HAMLET"
    assert text.join_words(["Ay", ",", "(", "sir", ")", "!", "\n", "No"]) == "Ay, (sir)!\nNo"


def test_trigram_probabilities_sum_to_one() -> None:
    """Over all characters that may follow one context."""
    train = np.array([0, 1, 2, 0, 1, 1, 0, 1])
    total = sum(2 ** -text.trigram_bits(train, np.array([0, 1, c]), 4) for c in range(4))
    assert total == pytest.approx(1)


def test_what_a_terminal_obeys_is_not_printed() -> None:
    assert text.printable("a\n\tb\x1b[2J\x07é") == "a\n\tb�[2J�é"
