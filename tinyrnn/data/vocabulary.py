"""Vocabulary: the tokens of a language, numbered."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from tinyrnn.autograd.arguments import FLAG, PATH, TEXT, Kind, checked, count, instance
from tinyrnn.files import write_whole

Ids = np.ndarray[Any, np.dtype[np.int64]]

FORMAT = "tinyrnn vocabulary"
MARKS = ("unknown", "begin", "end")
TOKENS = instance(Iterable, "a text, or an iterable of tokens")
NUMBERS = Kind(
    "numbers of tokens, one after the other",
    lambda value: not np.size(value) or np.asarray(value).dtype.kind in "iu",
    lambda value: np.ndim(value) == 1,
)


class Vocabulary:
    """The tokens of a language, numbered: first the marks that are asked for, then the tokens, sorted.

    Parameters
    ----------
    tokens : iterable of str
        All that may come, in any order and any number of times. A text gives its characters.
    unknown, begin, end : str, optional
        Marks for what is not known, and for the two ends of a sequence, such as ``"<unk>"``. A mark is no
        token: a text that contains its letters is not taken for it.
    separator : str
        What stands between the tokens of a text: nothing between characters, ``" "`` between words.
    minimum : int
        Tokens that come less often are left out.

    Attributes
    ----------
    tokens : list of str
        By number, with the marks.
    unknown, begin, end : int or None
        The numbers of the marks.

    Raises
    ------
    ValueError
        Where a mark is also a token, or there is no token.

    Examples
    --------
    >>> vocabulary = Vocabulary("hello")
    >>> len(vocabulary), vocabulary.encode("hole")
    (4, array([1, 3, 2, 0]))
    >>> vocabulary.decode([1, 0, 2, 2, 3])
    'hello'
    >>> words = Vocabulary(["one", "two"], unknown="?", begin="<", end=">", separator=" ")
    >>> words.encode("two three one", marks=True)
    array([1, 4, 0, 3, 2])
    >>> words.decode([1, 4, 0, 3, 2, 2])
    'two ? one'
    """

    @checked(
        tokens=TOKENS,
        unknown=TEXT.or_none(),
        begin=TEXT.or_none(),
        end=TEXT.or_none(),
        separator=TEXT,
        minimum=count(0),
    )
    def __init__(
        self,
        tokens: Iterable[str],
        *,
        unknown: str | None = None,
        begin: str | None = None,
        end: str | None = None,
        separator: str = "",
        minimum: int = 1,
    ) -> None:
        counts = Counter(tokens)
        if any(not isinstance(token, str) for token in counts):
            raise ValueError("Vocabulary: a token is no str; expected strings")
        known = sorted(token for token, count in counts.items() if count >= minimum)
        self._build(known, {"unknown": unknown, "begin": begin, "end": end}, separator)

    def _build(self, known: list[str], marks: dict[str, str | None], separator: str) -> None:
        if not known:
            raise ValueError("Vocabulary: got no tokens; expected at least one")
        given = {name: mark for name, mark in marks.items() if mark is not None}
        for name, mark in given.items():
            if mark in known or list(given.values()).count(mark) > 1:
                raise ValueError(
                    f"Vocabulary: {name} is {mark!r}, which is a token or another mark; take another"
                )
        self.separator = separator
        self.tokens = [*given.values(), *known]
        places = {name: i for i, name in enumerate(given)}
        self.unknown, self.begin, self.end = (places.get(name) for name in MARKS)
        self._ids = {token: i for i, token in enumerate(known, len(given))}

    def __repr__(self) -> str:
        few = ", ".join(map(repr, self.tokens[:4])) + (", ..." if len(self) > 4 else "")
        return f"Vocabulary({len(self)} tokens: {few})"

    def __len__(self) -> int:
        return len(self.tokens)

    def __contains__(self, token: object) -> bool:
        return token in self._ids

    @checked(sequence=TOKENS, marks=FLAG)
    def encode(self, sequence: str | Iterable[str], *, marks: bool = False) -> Ids:
        """Return the number of each token.

        Parameters
        ----------
        sequence : str or iterable of str
            A text, which is cut at the separator, or the tokens themselves.
        marks : bool
            Whether to put ``begin`` before, and ``end`` behind, as far as there are such.

        Raises
        ------
        ValueError
            Where a token is not in the vocabulary, and there is no mark for the unknown.
        """
        if isinstance(sequence, str) and self.separator:
            sequence = [token for token in sequence.split(self.separator) if token]
        try:
            if self.unknown is None:
                ids = [self._ids[token] for token in sequence]
            else:
                ids = [self._ids.get(token, self.unknown) for token in sequence]
        except KeyError as error:
            raise ValueError(f"Vocabulary: {error.args[0]!r} is not in the vocabulary") from None
        before, behind = ([] if mark is None else [mark] for mark in (self.begin, self.end))
        return np.array([*before, *ids, *behind] if marks else ids, dtype=np.int64)

    @checked(ids=NUMBERS)
    def split(self, ids: Any) -> list[str]:
        """Return the tokens of the numbers, up to the first ``end``, without ``begin`` and ``end``."""
        numbers: list[int] = np.asarray(ids).tolist()
        if self.end in numbers:
            numbers = numbers[: numbers.index(self.end)]
        if bad := [i for i in numbers if not 0 <= i < len(self.tokens)]:
            raise IndexError(f"Vocabulary: got the number {bad[0]}; expected 0 to {len(self.tokens) - 1}")
        return [self.tokens[i] for i in numbers if i != self.begin]

    @checked(ids=NUMBERS)
    def decode(self, ids: Any) -> str:
        """Return the text of the numbers, as `split`, with the separator between the tokens."""
        return self.separator.join(self.split(ids))

    # --- its file -------------------------------------------------------------------------------------------
    @checked(path=PATH)
    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it as JSON, whole or not at all."""
        marks = {name: None if (i := getattr(self, name)) is None else self.tokens[i] for name in MARKS}
        form = {"format": FORMAT, **marks, "separator": self.separator, "tokens": list(self._ids)}
        return write_whole(path, json.dumps(form, indent=0).encode())

    @classmethod
    @checked(path=PATH)
    def load(cls, path: str | os.PathLike[str]) -> Vocabulary:
        """Read what `save` wrote, with the same numbers.

        Raises
        ------
        ValueError
            Where the file is no such file, or was damaged.
        """
        name = os.fspath(path)
        try:
            form = json.loads(Path(path).read_bytes())
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{name}: no vocabulary ({type(error).__name__}: {error})") from None
        if not isinstance(form, dict) or form.get("format") != FORMAT:
            raise ValueError(f"{name}: no vocabulary; expected a file that Vocabulary.save wrote")
        tokens, separator = form.get("tokens"), form.get("separator")
        marks = {mark: form.get(mark) for mark in MARKS}
        if (
            not isinstance(tokens, list)
            or not all(isinstance(token, str) for token in tokens)
            or len(set(tokens)) < len(tokens)
            or not isinstance(separator, str)
            or not all(isinstance(mark, str | None) for mark in marks.values())
        ):
            raise ValueError(
                f"{name}: a damaged vocabulary; expected different tokens, marks and a separator"
            )
        vocabulary = cls.__new__(cls)
        vocabulary._build(tokens, marks, separator)
        return vocabulary
