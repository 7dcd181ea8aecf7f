"""What an argument must be: its kinds, each with the words for it, and one place that checks and refuses.

A public constructor or function names the kinds of its arguments once, above itself::

    @checked(input_size=COUNT, bias=FLAG, dropout=number(high=1.0))
    def __init__(self, input_size, bias=True, dropout=0.0): ...

and whoever gives anything else reads what was expected and what came: ``GRU: input_size is 4.0 (float);
expected an int, at least 1``. Functions that are called again and again check nothing beforehand: where
something turns out to be wrong, `misused` finds out which argument it was.
"""

from __future__ import annotations

import functools
import inspect
import math
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from numbers import Integral, Real
from os import PathLike
from typing import Any, NamedTuple, TypeVar

import numpy as np

from tinyrnn.autograd import elsewhere
from tinyrnn.autograd.callers import own_frames
from tinyrnn.autograd.primitive import Value

F = TypeVar("F", bound=Callable[..., Any])


class Kind(NamedTuple):
    """A kind of argument.

    Attributes
    ----------
    expected : str
        The words for it, which follow "expected".
    of_type : callable
        Whether a value has the right type; a TypeError where not.
    in_range : callable
        Whether a value of the right type is one that is taken; a ValueError where not.
    """

    expected: str
    of_type: Callable[[Any], bool]
    in_range: Callable[[Any], bool] = lambda value: True

    def or_none(self) -> Kind:
        """Return the kind that takes None as well."""
        return Kind(
            f"{self.expected}, or None",
            lambda value: value is None or self.of_type(value),
            lambda value: value is None or self.in_range(value),
        )


def check(where: str, name: str, value: Any, kind: Kind) -> Any:
    """Return an argument as it is, where it is of a kind.

    Raises
    ------
    TypeError, ValueError
        Where it is not; the message names the argument, what was expected and what came.
    """
    if not kind.of_type(value):
        raise TypeError(f"{where}: {name} is {shown(value)}; expected {kind.expected}")
    if not kind.in_range(value):
        raise ValueError(f"{where}: {name} is {value!r}; expected {kind.expected}")
    return value


def checked(**kinds: Kind) -> Callable[[F], F]:
    """Check the arguments of a function, or of a method by its class's name, each time that it is called."""

    def decorate(function: F) -> F:
        code = function.__code__
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        if unknown := kinds.keys() - set(names):
            raise TypeError(f"checked: {function.__qualname__} has no arguments {sorted(unknown)}")
        method = names[:1] in (("self",), ("cls",))
        by_name = math.inf  # no position
        # As inspect.signature has them, in a tenth of the time: an import decorates 80 functions.
        last = names[: code.co_argcount][::-1]
        defaults = dict(zip(last, (function.__defaults__ or ())[::-1])) | (function.__kwdefaults__ or {})
        positions = [
            (
                i if i < code.co_argcount else by_name,
                name,
                kinds[name],
                defaults.get(name, inspect.Parameter.empty),
            )
            for i, name in enumerate(names)
            if name in kinds
        ]
        first = min(position for position, *_ in positions)

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            if kwargs or len(args) > first:
                for i, name, kind, default in positions:
                    if name in kwargs:
                        value = kwargs[name]
                    elif i < len(args):
                        value = args[i]  # pyright: ignore
                    else:
                        continue  # the default, or Python itself says that it is missing
                    if value is not default and not (kind.of_type(value) and kind.in_range(value)):
                        check(_called(function.__name__, args[0] if method else None), name, value, kind)
            try:
                return function(*args, **kwargs)
            except TypeError as error:
                if (ours := elsewhere.of_call(error, function, args[0] if args else None, kwargs)) is error:
                    raise
                raise ours from None

        return wrapper  # pyright: ignore[reportReturnType]

    return decorate


def misused(value: Any, expected: str, kind: type[Exception] = TypeError) -> Exception:
    """Return the error for a value that turned out to be wrong deep inside.

    Whom the user called, and as which argument the value came in, is read off the stack.
    """
    found = "", ""
    for frame in own_frames():
        code, known = frame.f_code, frame.f_locals
        if frame.f_globals is globals() or frame.f_globals is vars(elsewhere):
            continue  # the wrapper that is put around a function
        any_number = bool(code.co_flags & inspect.CO_VARARGS)
        for name in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + any_number]:
            given = known.get(name)
            if given is value or (isinstance(given, (list, tuple)) and any(item is value for item in given)):
                found = _called(code.co_name, known.get("self")), name
                break
    return kind(f"{found[0]}: {found[1]} is {shown(value)}; expected {expected}".removeprefix(": "))


def _called(function: str, owner: Any) -> str:
    """Return what errors call a function; a method of a Tensor as the function of the same name."""
    if function in ("__init__", "forward"):
        return type(owner).__name__
    if owner is None or isinstance(owner, Value):
        return function.removeprefix("__").removesuffix("__")
    return f"{(owner if isinstance(owner, type) else type(owner)).__name__}.{function}"


def shown(value: Any) -> str:
    """Return a value for an error: briefly, and with its type."""
    if isinstance(value, (Value, np.ndarray)):
        return f"a {type(value).__name__} of shape {value.shape} and dtype {value.dtype}"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    text = repr(value)
    if value is None:
        return text
    kind = type(value).__name__
    return f"{text} ({kind})" if len(text) <= 40 and not text.startswith("<") else f"of type {kind}"


# --- the kinds ----------------------------------------------------------------------------------------------
def count(low: int = 1) -> Kind:
    """Return the kind of whole numbers from ``low`` up."""
    return Kind(
        f"an int, at least {low}",
        lambda value: isinstance(value, Integral) and not isinstance(value, bool),
        lambda value: value >= low,
    )


def number(low: float = 0.0, *, high: float = math.inf, below: float = math.inf, words: str = "") -> Kind:
    """Return the kind of finite numbers from ``low`` to ``high``, or to below ``below``."""
    lower = f", at least {low:g}" if low > -math.inf else ""
    upper = (
        f" and below {below:g}" if below < math.inf else f" and at most {high:g}" if high < math.inf else ""
    )
    return Kind(
        words or f"a finite number{lower}{upper}",
        lambda value: isinstance(value, Real) and not isinstance(value, bool),
        lambda value: math.isfinite(value) and low <= value <= high and value < below,
    )


def one_of(*choices: Any) -> Kind:
    """Return the kind that has these values and no other."""
    words = [repr(choice) for choice in choices]
    types = tuple({type(choice) for choice in choices})
    return Kind(
        f"{', '.join(words[:-1])} or {words[-1]}",
        lambda value: isinstance(value, types) and (bool in types or not isinstance(value, bool)),
        lambda value: value in choices,
    )


def instance(kind: type | tuple[type, ...], words: str) -> Kind:
    """Return the kind of all objects of a type."""
    return Kind(words, lambda value: isinstance(value, kind))


COUNT = count()
INTEGER = Kind("an int", count().of_type)
WHOLE = Kind("an int", lambda value: _is_whole(value))  # or what stands for one: an array without axes
WHOLES = Kind(
    "an int, or several in a tuple or list",
    lambda value: _is_whole(value) or (_is_several(value) and all(map(_is_whole, value))),
)
AXES = Kind(
    "an axis, or a tuple of axes, that are ints, or None",
    lambda value: type(value) is int or value is None or WHOLES.of_type(value),
)
NUMBER = number(-math.inf)
PROBABILITY = number(high=1.0, words="a probability, 0 to 1")
FLAG = Kind("True or False", lambda value: isinstance(value, (bool, np.bool_)))
REAL = Kind("a number", lambda value: isinstance(value, Real) and not isinstance(value, bool))
TEXT = instance(str, "a str")
PATH = instance((str, PathLike), "a path")
FUNCTION = Kind("a function", callable)
MAPPING = instance(Mapping, "a mapping")
ITERABLE = Kind("an iterable", lambda value: isinstance(value, Iterable) and not isinstance(value, str))
DTYPE = Kind(
    "a dtype of real numbers, such as 'float32', or None",
    lambda value: value is None or _kind_of(value) != "",
)
FLOATING = Kind(
    "a floating dtype, such as 'float32' or 'float64', or None",
    lambda value: value is None or _kind_of(value) == "f",
)
RNG = Kind(
    "a numpy.random.Generator, a seed, or None",
    lambda value: value is None or isinstance(value, np.random.Generator) or INTEGER.of_type(value),
    lambda value: not INTEGER.of_type(value) or value >= 0,
)
SEVERAL = Kind("a list or tuple", lambda value: _is_several(value))
SEQUENCE = Kind(
    "an array or a list",
    lambda value: hasattr(value, "__len__") and not isinstance(value, str),
    lambda value: getattr(value, "ndim", 1) > 0,
)
ARRAY = Kind("a Tensor or an array of real numbers", lambda value: _numbers(value))
FILLED = instance((Value, np.ndarray), "a Tensor or an array, to be filled")


def _is_whole(value: Any) -> bool:
    if type(value) is int:
        return True
    if isinstance(value, (bool, np.bool_)) or getattr(value, "dtype", None) == np.bool_:
        return False
    try:
        operator.index(value)
    except TypeError:
        return False
    return True


def _is_several(value: Any) -> bool:
    return (
        isinstance(value, Iterable)
        and not isinstance(value, (str, bytes, Mapping, set, Iterator))
        and (getattr(value, "ndim", 1) > 0)
    )


def _kind_of(dtype: Any) -> str:
    """Return the kind of a dtype of real numbers; empty where it is none."""
    try:
        kind = np.dtype(dtype).kind
    except TypeError:
        return ""
    return kind if kind in "fiub" else ""


def _numbers(value: Any) -> bool:
    try:
        return isinstance(value, Value) or np.asarray(value).dtype.kind in "fiub"
    except (TypeError, ValueError):
        return False
