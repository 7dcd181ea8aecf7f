"""Formulas as text, found by running the rules of the table on names instead of numbers.

A VJP is ordinary code in the library's own operations. Given a `Term` for each value, it writes down what it
does with them: ``tanh`` gives ``∂h * (1 - h²)``. So a formula on a page is the rule itself, also for an
operation of the user's.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.operators import Operators
from tinyrnn.autograd.primitive import Primitive, Shape
from tinyrnn.autograd.shapes import ARRAY

__all__ = ["Term", "forward_text", "symbol", "vjp_text"]

SIGN = 12  # letters of an operation's sign
# How tightly a piece of text holds together: a name or a call most of all.
ATOM = 9
# For each infix operator: its sign, how tightly it binds, and how tightly its two sides must.
INFIX = {
    p.logical_and: ("and", 1, 2, 2), p.greater: (">", 2, 3, 3), p.greater_equal: (">=", 2, 3, 3),
    p.less: ("<", 2, 3, 3), p.less_equal: ("<=", 2, 3, 3), p.equal: ("==", 2, 3, 3),
    p.not_equal: ("!=", 2, 3, 3),
    p.add: ("+", 3, 3, 3), p.subtract: ("-", 3, 3, 4), p.multiply: ("*", 5, 5, 5), p.gated: ("*", 5, 5, 5),
    p.divide: ("/", 4, 4, 6), p.matmul: ("@", 4, 6, 6), p.power: ("**", 7, 8, 8),
}  # fmt: skip


class Term(Operators):
    """A piece of a formula, which stands for an array."""

    __slots__ = ("_dtype", "_shape", "binding", "text")

    def __init__(self, text: str, shape: Shape, dtype: np.dtype[Any], binding: int = ATOM) -> None:
        self.text = text
        self.binding = binding
        self._shape = shape
        self._dtype = dtype

    @property
    def shape(self) -> Shape:
        """Shape of the array."""
        return self._shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of its elements."""
        return self._dtype

    def _apply(self, primitive: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Term:
        shapes = [np.shape(arg) for arg in args]
        shape = primitive.shape(*shapes, **params)
        text, binding = written(primitive, [_piece(arg) for arg in args], params, len(shape))
        return Term(text, shape, self.dtype, binding)


def _piece(value: Any) -> tuple[str, int]:
    if isinstance(value, Term):
        return value.text, value.binding
    if np.ndim(value) == 0:
        text = f"{np.asarray(value).item():.6g}" if np.asarray(value).dtype.kind == "f" else str(value)
        return text, ATOM if not text.startswith("-") else 5
    return f"array{np.shape(value)}".replace(",)", ")"), ATOM


def written(
    primitive: Primitive, pieces: list[tuple[str, int]], params: dict[str, Any], ndim: int
) -> tuple[str, int]:
    """Write an operation on pieces of text, and say how tightly the result binds."""
    texts = [text for text, _ in pieces]
    if primitive in (p.multiply, p.gated):
        if "1" in texts:
            return pieces[1 - texts.index("1")]
        if texts[0] == texts[1] and pieces[0][1] == ATOM:
            return f"{texts[0]}²", 8
    if primitive in INFIX and len(pieces) == 2:
        sign, binding, *needed = INFIX[primitive]
        left, right = (text if bound >= at else f"({text})" for (text, bound), at in zip(pieces, needed))
        return f"{left} {sign} {right}", binding
    if primitive is p.negative:
        text, bound = pieces[0]
        return f"-{text}" if bound > 4 else f"-({text})", 5
    if primitive is p.transpose and params.get("axes") == tuple(range(ndim))[::-1]:
        text, bound = pieces[0]
        return (text if bound == ATOM else f"({text})") + ".T", ATOM
    if primitive is p.getitem:
        text, bound = pieces[0]
        return (text if bound == ATOM else f"({text})") + f"[{index_text(params['index'])}]", ATOM
    if primitive is p.scatter:
        return f"zeros{_shape_text(params['shape'])} with [{index_text(params['index'])}] = {texts[0]}", 0
    if primitive is p.detach:
        return f"detach({texts[0]})", ATOM
    if primitive is p.astype:
        return f"{params['dtype']}({texts[0]})", ATOM
    if primitive in (p.reshape, p.broadcast_to):
        shape = _shape_text(params["shape"])
        text, bound = pieces[0]
        if primitive is p.broadcast_to:
            return f"broadcast({text}, {shape})", ATOM
        return (text if bound == ATOM else f"({text})") + f".reshape{shape.replace(',)', ')')}", ATOM
    shown = {k: v for k, v in params.items() if k != "offsets" and v is not None and v is not False}
    extra = [f"{key}={_shape_text(v) if isinstance(v, tuple) else v}" for key, v in shown.items()]
    first = [f"[{', '.join(texts)}]"] if primitive in (p.stack, p.concatenate) else texts
    return f"{primitive.name}({', '.join([*first, *extra])})", ATOM


def _shape_text(shape: Any) -> str:
    return str(tuple(shape))


def index_text(index: Any) -> str:
    """Return an index as it is written between brackets."""

    def one(item: Any) -> str:
        if isinstance(item, slice):
            bounds = ["" if b is None else str(b) for b in (item.start, item.stop, item.step)]
            return ":".join(bounds[: 3 if item.step is not None else 2])
        return "..." if item is Ellipsis else "indices" if item is ARRAY else str(item)

    return ", ".join(one(item) for item in index)


def forward_text(primitive: Primitive, args: list[Term], params: dict[str, Any], ndim: int) -> str:
    """Return an operation as text, such as ``tanh(a)``."""
    return written(primitive, [_piece(arg) for arg in args], params, ndim)[0]


def vjp_text(
    primitive: Primitive, position: int, g: Term, ans: Term, args: list[Term], params: dict[str, Any]
) -> str:
    """Return the VJP of an operand as text, such as ``g * (1 - h²)``."""
    rule = primitive.rule(position)
    if rule is None or primitive.joint is not None:
        return f"the joint VJP of {primitive.name}"
    try:
        result = rule.vjp(g, *rule.pick(ans, args, params))
    except Exception:  # a rule of the user's may look at numbers, which a name has not
        return f"the VJP of {primitive.name}({g.text})"
    return _piece(result)[0]


def symbol(primitive: Primitive, params: dict[str, Any]) -> str:
    """Return a sign for an operation: ``+``, ``@``, ``[0:2]``, or its name."""
    if primitive is p.multiply:
        return "×"
    if primitive in INFIX:
        return INFIX[primitive][0]
    if primitive is p.negative:
        return "−"
    if primitive is p.transpose:
        return ".T"
    text = f"[{index_text(params['index'])}]" if primitive is p.getitem else primitive.name
    return text if len(text) <= SIGN else text[: SIGN - 1] + "…"
