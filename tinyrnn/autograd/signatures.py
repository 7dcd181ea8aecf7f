"""What an editor knows of the public functions: of Tensors they make Tensors, of plain arrays plain arrays.

Each decorator gives a function a type with these readings, the words for what other libraries call its
options, and the sections of its docstring that it shares with others. The operands come first and
are given by position; the options behind them keep their names and types. In a traced step symbols stand for
Tensors: both are a `Value`, and a function of one kind gives the same kind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar, cast, overload

import numpy.typing as npt

from tinyrnn.autograd.described import described
from tinyrnn.autograd.elsewhere import translated
from tinyrnn.autograd.primitive import Value

if TYPE_CHECKING:
    from tinyrnn.autograd.tensor import Tensor

P = ParamSpec("P")
V = TypeVar("V", bound=Value)


class OfOne(Protocol[P]):
    """A function of one operand."""

    @overload
    def __call__(self, x: Tensor, /, *args: P.args, **kwargs: P.kwargs) -> Tensor: ...
    @overload
    def __call__(self, x: V, /, *args: P.args, **kwargs: P.kwargs) -> V: ...
    @overload
    def __call__(self, x: npt.ArrayLike, /, *args: P.args, **kwargs: P.kwargs) -> Any: ...


class OfTwo(Protocol[P]):
    """A function of two operands."""

    @overload
    def __call__(self, a: Tensor, b: Any, /, *args: P.args, **kwargs: P.kwargs) -> Tensor: ...
    @overload
    def __call__(self, a: Any, b: Tensor, /, *args: P.args, **kwargs: P.kwargs) -> Tensor: ...
    @overload
    def __call__(self, a: V, b: Any, /, *args: P.args, **kwargs: P.kwargs) -> V: ...
    @overload
    def __call__(self, a: Any, b: V, /, *args: P.args, **kwargs: P.kwargs) -> V: ...
    @overload
    def __call__(self, a: npt.ArrayLike, b: npt.ArrayLike, /, *args: P.args, **kwargs: P.kwargs) -> Any: ...


class OfMany(Protocol[P]):
    """A function of a sequence of operands."""

    @overload
    def __call__(self, arrays: Sequence[Tensor], /, *args: P.args, **kwargs: P.kwargs) -> Tensor: ...
    @overload
    def __call__(self, arrays: Sequence[Any], /, *args: P.args, **kwargs: P.kwargs) -> Any: ...


class OfCases(Protocol):
    """A function of a condition and what comes in either case."""

    @overload
    def __call__(self, condition: Any, a: Tensor, b: Any, /) -> Tensor: ...
    @overload
    def __call__(self, condition: Any, a: Any, b: Tensor, /) -> Tensor: ...
    @overload
    def __call__(self, condition: V, a: Any, b: Any, /) -> V: ...
    @overload
    def __call__(self, condition: npt.ArrayLike, a: npt.ArrayLike, b: npt.ArrayLike, /) -> Any: ...


class InParts(Protocol[P]):
    """A function that gives parts of its operand."""

    @overload
    def __call__(self, x: Tensor, /, *args: P.args, **kwargs: P.kwargs) -> list[Tensor]: ...
    @overload
    def __call__(self, x: V, /, *args: P.args, **kwargs: P.kwargs) -> list[V]: ...
    @overload
    def __call__(self, x: npt.ArrayLike, /, *args: P.args, **kwargs: P.kwargs) -> list[Any]: ...


class OfOperands(Protocol):
    """A function of any number of operands, which come behind a string."""

    @overload
    def __call__(self, subscripts: str, a: Tensor, /, *operands: Any, optimize: Any = False) -> Tensor: ...
    @overload
    def __call__(
        self, subscripts: str, a: Any, b: Tensor, /, *operands: Any, optimize: Any = False
    ) -> Tensor: ...
    @overload
    def __call__(self, *operands: Any, optimize: Any = False) -> Any: ...


def of_one(function: Callable[Concatenate[Any, P], Any]) -> OfOne[P]:
    """Type a function of one operand."""
    return cast(OfOne[P], _with_words(function, 1))


def of_two(function: Callable[Concatenate[Any, Any, P], Any]) -> OfTwo[P]:
    """Type a function of two operands."""
    return cast(OfTwo[P], _with_words(function, 2))


def of_many(function: Callable[Concatenate[Sequence[Any], P], Any]) -> OfMany[P]:
    """Type a function of a sequence of operands."""
    return cast(OfMany[P], _with_words(function, 1))


def of_cases(function: Callable[[Any, Any, Any], Any]) -> OfCases:
    """Type a function of a condition and what comes in either case."""
    return cast(OfCases, described(function))


def of_operands(function: Callable[..., Any]) -> OfOperands:
    """Type a function of any number of operands."""
    return cast(OfOperands, described(function))


def in_parts(function: Callable[Concatenate[Any, P], Any]) -> InParts[P]:
    """Type a function that gives parts of its operand."""
    return cast(InParts[P], _with_words(described(function, "list of Tensor"), 1))


def _with_words(function: Any, operands: int) -> Any:
    """Leave a function that has no options as it is: nothing stands between it and its caller."""
    code = getattr(function, "__wrapped__", function).__code__
    function = described(function)
    return translated(function) if code.co_argcount + code.co_kwonlyargcount > operands else function
