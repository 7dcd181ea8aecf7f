"""What the docstrings of array functions have in common: operands and options mean the same everywhere.

A function's own docstring says in a sentence what it does. The sections for its arguments, its result and its
errors are put in here, before its example, unless it has them.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

_AXIS = ("int", "Along which axis; -1 is the last.")
_AXES = ("int or tuple of int, optional", "Along which axis, or axes; -1 is the last. All, if not given.")
_ARRAY = "Tensor or array_like"

# By name, or by function and name: the type, and what it is.
_ARGUMENTS: dict[str, tuple[str, str]] = {
    "x": (_ARRAY, "Of any shape."),
    "y": (_ARRAY, "Of a shape that broadcasts with the other's."),
    "a": (_ARRAY, "Of any shape."),
    "b": (_ARRAY, "Of a shape that broadcasts with the other's; of products, one that fits it."),
    "v": (_ARRAY, "A vector, or a matrix."),
    "m": (_ARRAY, "A matrix, or a stack of them: the last two axes count."),
    "arrays": (f"sequence of {_ARRAY}", "Of one shape, but for the axis along which they are joined."),
    "arys": (_ARRAY, "One or several, of any shape."),
    "values": (_ARRAY, "What is put behind it."),
    "condition": ("array_like of bool", "Of a shape that broadcasts with the others'."),
    "condlist": ("sequence of array_like of bool", "The first that holds chooses."),
    "choicelist": (f"sequence of {_ARRAY}", "What is taken, as many as there are conditions."),
    "default": ("float", "Where no condition holds."),
    "axis": _AXIS,
    "axis1": _AXIS,
    "axis2": _AXIS,
    "axes": ("tuple of int, optional", "The axes in their new order; reversed, if not given."),
    "rot90.axes": ("pair of int", "The plane in which it is turned."),
    "keepdims": ("bool", "Keep the axes along which it goes, with length 1."),
    "dtype": ("dtype", "A float dtype, an integer one, or bool."),
    "shape": ("int or tuple of int", "The new shape."),
    "sections": ("int or sequence of int", "How many parts, or the places of the cuts."),
    "source": ("int or tuple of int", "Which axes are moved."),
    "destination": ("int or tuple of int", "Where they are afterwards."),
    "start": ("int", "Before which axis it is put."),
    "k": ("int", "Which diagonal: 0 is the main one, 1 the one above it."),
    "rot90.k": ("int", "How many quarter turns."),
    "offset": ("int", "Which diagonal: 0 is the main one, 1 the one above it."),
    "kth": ("int or sequence of int", "Which place gets the element that belongs there."),
    "indices": ("array_like of int", "Which elements, along the axis."),
    "repeats": ("int or array_like of int", "How often each element comes."),
    "reps": ("int or tuple of int", "How often it comes, along each axis."),
    "decimals": ("int", "How many decimal places stay."),
    "ddof": ("int", "Divide by n - ddof."),
    "correction": ("int, optional", "The same by another name."),
    "copy": ("bool", "A copy is made in any case."),
    "nan": ("float", "What stands for NaN."),
    "posinf": ("float, optional", "What stands for infinity; the largest number, if not given."),
    "neginf": ("float, optional", "What stands for -infinity; the smallest number, if not given."),
    "min": (f"{_ARRAY}, optional", "The lower bound."),
    "max": (f"{_ARRAY}, optional", "The upper bound."),
    "min_val": ("float", "The lower bound."),
    "max_val": ("float", "The upper bound."),
    "alpha": ("float", "The scale for negative numbers."),
    "negative_slope": ("float", "The slope for negative numbers."),
    "UPLO": ('{"L", "U"}', "Which triangle is read: the lower or the upper one."),
    "approximate": ('{"none", "tanh"}', "By erf, or by a formula with tanh."),
}
_NEXT = re.compile(r"^( *)(?:Raises|Examples)$", re.MULTILINE)
_NUMBERS = "TypeError\n    Where an operand is not made of numbers."
_FIT = "ValueError\n    Where shapes do not fit, or there is no such axis."
_RESULT = "A plain array where no operand is a Tensor."


def described(function: F, result: str = "Tensor") -> F:
    """Complete the docstring of an array function, and return the function."""
    own = inspect.unwrap(function)
    text: str | None = own.__doc__
    if text is None or "Parameters\n" in text:
        return function
    code = own.__code__
    count = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & inspect.CO_VARARGS)
    names = code.co_varnames[:count]
    words = {name: _ARGUMENTS.get(f"{own.__name__}.{name}") or _ARGUMENTS[name] for name in names}
    if "axis" in names and None in (own.__defaults__ or ()):
        words["axis"] = _AXES
    listed = (f"{name} : {kind}\n    {what}" for name, (kind, what) in words.items())
    sections = [("Parameters", "\n".join(listed)), ("Returns", f"{result}\n    {_RESULT}")]
    if "Raises\n" not in text:
        sections.append(("Raises", _NUMBERS if count == 1 else f"{_NUMBERS}\n{_FIT}"))
    made = "\n\n".join(f"{title}\n{'-' * len(title)}\n{body}" for title, body in sections)
    found = _NEXT.search(text)
    assert found is not None
    indented = textwrap.indent(f"{made}\n", found[1])  # none where Python takes it away, from 3.13 on
    before = found.start()
    function.__doc__ = own.__doc__ = f"{text[:before]}{indented}\n{text[before:]}"
    return function
