"""What is wrong with the definition of an operation, before it is first used."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any


def defaults_of(
    name: str, forward: Any, operands: tuple[str, ...], vjps: dict[str, Callable[..., Any]]
) -> dict[str, Any]:
    """Return the defaults of the parameters that VJPs ask for.

    What ``forward`` takes is known of functions written in Python only.

    Raises
    ------
    TypeError
        Where something is no function, a VJP is of no operand, or it asks for what there is not.
    """
    if not callable(forward):
        raise TypeError(f"Primitive: forward is {forward!r} ({type(forward).__name__}); expected a function")
    code: Any = getattr(forward, "__code__", None)
    given = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount] if code is not None else ()
    known = code is not None and not code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS)
    wanted: set[str] = set()
    for operand, vjp in vjps.items():
        if not hasattr(vjp, "__code__"):
            raise TypeError(
                f"Primitive: {operand} is {vjp!r} ({type(vjp).__name__}); expected a function that is "
                "written in Python"
            )
        if operand not in operands or (known and operand not in given):
            expected = ", ".join(given if operand in operands else operands)
            raise TypeError(f"Primitive {name}: {operand} is no operand; expected {expected}")
        asked = vjp.__code__.co_varnames[1 : vjp.__code__.co_argcount]
        wanted.update(asked)
        there = {"ans", "rest", *operands, *(f"{each}_shape" for each in operands), *given}
        if known and (unknown := [each for each in asked if each not in there]):
            raise TypeError(
                f"Primitive {name}: the VJP of {operand} asks for {unknown[0]}; expected ans, an operand "
                f"({', '.join(operands)}), its shape ({operand}_shape), or a parameter of forward"
            )
    if code is None or not known:
        return {}
    by_position = code.co_varnames[: code.co_argcount][::-1]
    found = dict(zip(by_position, (forward.__defaults__ or ())[::-1])) | (forward.__kwdefaults__ or {})
    return {each: value for each, value in found.items() if each in wanted and each not in operands}
