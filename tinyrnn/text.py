"""Text for character models: read, and the baselines counted from it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from tinyrnn.data.vocabulary import Ids

MINIMUM = 1000  # characters; less than that is not worth splitting


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
        raise TextError(f"{name}: {size}; expected a text of at least {MINIMUM}")
    return text


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


def _windows(ids: Ids, n: int, size: int) -> Ids:
    """Return one number for each n characters in a row."""
    code = np.zeros(len(ids) - n + 1, np.int64)
    for i in range(n):
        code = code * size + ids[i : i + len(code)]
    return code


def _counts(known: Ids, asked: Ids) -> Ids:
    """Return how often each of ``asked`` stands in ``known``."""
    values, counts = np.unique(known, return_counts=True)
    at = np.minimum(np.searchsorted(values, asked), len(values) - 1)
    return np.where(values[at] == asked, counts[at], 0)


def printable(text: str) -> str:
    """Replace what a terminal would obey rather than show; newlines and tabs stay.

    Examples
    --------
    >>> printable("a" + chr(27) + "b")
    'a�b'
    """
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)
