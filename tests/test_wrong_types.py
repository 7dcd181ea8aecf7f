"""Every argument of every public function and constructor, given something that it cannot be.

The error names what was called, the argument, and what came. The table has one good call for each; the
rest is found by signature, so that a new argument is tried as soon as it is there.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from good_calls import ANYTHING, BAD_TYPES, BAD_VALUES, GOOD, LEFT, ROOMS, VARIADIC, x

import tinyrnn as tr
from tinyrnn import nn, optim


class Nonsense:
    """Nothing that any argument can be."""

    def __repr__(self) -> str:
        return "<nonsense>"


def label(f: Any) -> str:
    """Return what an error calls a function, or the class of a method."""
    owner = getattr(f, "__self__", f)
    return type(owner).__name__ if owner is not f or isinstance(f, nn.Module) else f.__name__


def plain(name: str) -> str:
    """Return a name without its spelling: what LeakyReLU refuses, it refuses as leaky_relu."""
    return name.lower().replace("_", "")


def signature(f: Any) -> inspect.Signature:
    return inspect.signature(f.forward if isinstance(f, nn.Module) else f)


def cases() -> Iterator[Any]:
    for f, good in GOOD.items():
        for name, argument in signature(f).parameters.items():
            variable = argument.kind in (argument.VAR_POSITIONAL, argument.VAR_KEYWORD)
            if not variable and (label(f), name) not in ANYTHING:
                yield pytest.param(f, good, name, id=f"{label(f)}-{getattr(f, '__name__', 'call')}-{name}")


def call(f: Any, arguments: dict[str, Any]) -> None:
    result = f(**arguments)
    if isinstance(result, Iterator):
        list(result)


@pytest.mark.parametrize(("f", "good", "name"), list(cases()))
def test_nonsense_is_refused_by_name(f: Any, good: dict[str, Any], name: str) -> None:
    with pytest.raises((TypeError, ValueError, IndexError)) as caught:
        call(f, {**good, name: Nonsense()})
    text = str(caught.value).replace("h0", "state")
    assert name in text
    assert "Nonsense" in text or "nonsense" in text
    assert plain(label(f)) in plain(text)


@pytest.mark.parametrize(("f", "name", "value"), BAD_VALUES)
def test_values_out_of_range_are_refused_by_name(f: Any, name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=name) as caught:
        call(f, {**GOOD[f], name: value})
    assert plain(label(f)) in plain(str(caught.value))
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize("where", ROOMS)
def test_the_table_has_all_that_is_public(where: str) -> None:
    room, left = ROOMS[where], {name for names in LEFT[where].values() for name in names}
    names = getattr(room, "__all__", None) or [n for n in vars(room) if is_public_here(room, n)]
    missing = {n for n in names if callable(getattr(room, n)) and getattr(room, n) not in GOOD}
    assert missing - left == set(), "these want a good call in tests/good_calls.py"
    assert left - missing == set(), "these need no excuse"


def is_public_here(room: Any, name: str) -> bool:
    return not name.startswith("_") and getattr(getattr(room, name), "__module__", "") == room.__name__


@pytest.mark.parametrize(("f", "good", "named", "words"), VARIADIC)
def test_nonsense_among_any_number_is_refused(
    f: Any, good: tuple[Any, ...], named: dict[str, Any], words: str
) -> None:
    f(*good, **named)
    calls = [((*good[:i], Nonsense(), *good[i + 1 :]), named) for i in range(len(good))]
    calls += [(good, {**named, name: Nonsense()}) for name in named]
    for arguments, options in calls:
        with pytest.raises((TypeError, ValueError)) as caught:
            f(*arguments, **options)
        text = str(caught.value)
        assert f.__name__ in text
        assert "onsense" in text
        assert words in text or any(name in text for name in options)


@pytest.mark.parametrize(("f", "name", "value"), BAD_TYPES)
def test_values_of_a_wrong_type_are_refused_by_name(f: Any, name: str, value: Any) -> None:
    with pytest.raises((TypeError, IndexError), match=rf"{label(f)}: .*{name}.*; expected"):
        call(f, {**GOOD[f], name: value})


NOT_NUMBERS = {
    "text": "3",
    "texts": np.array(["1", "2"]),
    "complex": 1j,
    "complex array": np.ones(2, complex),
    "objects": np.array([None, 1.0]),
    "ragged": [[1.0], [1.0, 2.0]],
    "dict": {"a": 1.0},
    "date": np.datetime64("2020-01-01"),
}


@pytest.mark.parametrize("wrong", NOT_NUMBERS)
def test_what_is_no_array_of_numbers_is_refused_by_name(wrong: str) -> None:
    for f, good in GOOD.items():
        numeric = getattr(tr, getattr(f, "__name__", ""), None) is f or f in vars(tr.linalg).values()
        for name, value in good.items() if numeric else ():
            if isinstance(value, tr.Tensor) and (label(f), name) not in ANYTHING and name != "carry":
                with pytest.raises((TypeError, ValueError)) as caught:
                    call(f, {**good, name: NOT_NUMBERS[wrong]})
                text = str(caught.value)
                assert name.rstrip("s") in text, (label(f), text)
                assert plain(label(f)) in plain(text), (label(f), text)


EXAMPLES: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "a float for a size": (
        lambda: nn.GRU(4.0, 5),
        TypeError,
        r"GRU: input_size is 4\.0 \(float\); expected an int, at least 1",
    ),
    "a float for layers": (
        lambda: nn.GRU(4, 5, num_layers=1.5),
        TypeError,
        r"GRU: num_layers is 1\.5 \(float\); expected an int, at least 1",
    ),
    "True for a size": (lambda: nn.Linear(True, 2), TypeError, r"Linear: in_features is True \(bool\)"),
    "a word for a flag": (
        lambda: nn.LSTM(4, 5, bidirectional="no"),
        TypeError,
        r"LSTM: bidirectional is 'no' \(str\); expected True or False",
    ),
    "a negative eps": (
        lambda: nn.LayerNorm(3, eps=-1),
        ValueError,
        "LayerNorm: eps is -1; expected",
    ),
    "True for a rate": (
        lambda: optim.SGD([x(2)], lr=True),
        TypeError,
        r"SGD: lr is True \(bool\)",
    ),
    "a word for an option": (
        lambda: optim.Adam([x(2)], amsgrad="no"),
        TypeError,
        r"Adam: amsgrad is 'no' \(str\); expected True or False",
    ),
    "a module to optimise": (
        lambda: optim.SGD(nn.Linear(2, 2)),
        TypeError,
        r"SGD: params is .*Linear.*; expected an ordered iterable .*; for a module give its parameters\(\)",
    ),
    "a module to clip": (
        lambda: optim.clip_grad_norm_(nn.Linear(2, 2), 1.0),
        TypeError,
        r"clip_grad_norm_: parameters is .*Linear.*; for a module give its parameters\(\)",
    ),
    "ragged rows": (
        lambda: tr.tensor([[1.0], [1.0, 2.0]]),
        TypeError,
        r"tensor: data is \[\[1\.0\], \[1\.0, 2\.0\]\] \(list\); expected a Tensor or an array",
    ),
    "ragged rows for a layer": (
        lambda: nn.Linear(2, 2)([[1.0], [1.0, 2.0]]),
        ValueError,
        "Linear: x is a list whose parts differ in shape; expected rows of one length",
    ),
    "ragged rows for a function": (
        lambda: tr.sum([[1.0], [1.0, 2.0]]),
        TypeError,
        r"sum: x is \[\[1\.0\], \[1\.0, 2\.0\]\]",
    ),
    "a text in brackets": (lambda: tr.r_[x(2), "0"], TypeError, "r_: a part is a text"),
    "nothing in brackets": (
        lambda: tr.c_[x(2), Nonsense()],
        TypeError,
        "c_: a part is of type Nonsense",
    ),
    "a slice of texts": (lambda: tr.r_["a":3], TypeError, r"r_: a part is slice.*; expected"),
    "a slice without an end": (
        lambda: tr.r_[1:],
        TypeError,
        "r_: a part is slice.* with an end",
    ),
    "random integers": (
        lambda: tr.randn(3, dtype=int),
        TypeError,
        "randn: dtype is the class int;",
    ),
    "a part of no dtype": (lambda: tr.zeros(3, dtype="real"), TypeError, r"zeros: dtype is 'real' \(str\)"),
    "an axis in a word": (
        lambda: x(2, 3).sum("a"),
        TypeError,
        r"sum: axis is 'a' \(str\); expected an axis, or a tuple of axes",
    ),
    "an axis between": (lambda: tr.stack([x(2)], axis=0.5), TypeError, r"stack: axis is 0\.5 \(float\)"),
    "a state of half": (
        lambda: nn.LSTM(2, 3)(x(4, 1, 2), (tr.zeros((1, 1, 3)), None)),
        TypeError,
        r"LSTM: c0 is None; expected both parts of the state, \(h0, c0\), or no state at all",
    ),
    "a cell's state of half": (
        lambda: nn.LSTMCell(2, 3)(x(4, 2), (None, tr.zeros((4, 3)))),
        TypeError,
        "LSTMCell: h0 is None; expected both parts",
    ),
    "a Recurrent's state of half": (
        lambda: nn.Recurrent(nn.LSTMCell(2, 3))(x(4, 1, 2), (tr.zeros((1, 3)), None)),
        TypeError,
        r"Recurrent: state is .* with the parts \['state\.h'\]; expected \['state\.h', 'state\.c'\]",
    ),
    "both directions and one": (
        lambda: nn.Recurrent([nn.GRUCell(2, 3), nn.GRUCell(2, 3)], bidirectional=True, reverse=True),
        ValueError,
        "Recurrent: reverse and bidirectional are both True",
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples(name: str) -> None:
    f, kind, text = EXAMPLES[name]
    with pytest.raises(kind, match=text):
        f()
