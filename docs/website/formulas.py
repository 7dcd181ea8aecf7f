r"""Formulas as TeX, found by running the rules of the table of operations on names instead of numbers.

A rule is ordinary code in the library's own operations. Given a `Formula` for each value, it writes down what
it does with them: ``tanh`` gives ``g\,(1 - y^{2})``. So what stands on the page is the rule itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.operators import Operators
from tinyrnn.autograd.primitive import Primitive, Shape
from tinyrnn.draw.stepping.formula import index_text

__all__ = ["Formula", "tex"]

# How tightly a piece of text holds together.
SUM, PRODUCT, POWER, ATOM = 3, 5, 7, 9
CONSTANTS = {
    math.log(2): r"\ln(2)",
    math.log(10): r"\ln(10)",
    math.pi: r"\pi",
    2 / math.sqrt(math.pi): r"\frac{2}{\sqrt{\pi}}",
    math.inf: r"\infty",
}
RELATIONS = {
    p.greater: ">", p.greater_equal: r"\ge", p.less: "<", p.less_equal: r"\le", p.equal: "=",
    p.not_equal: r"\ne", p.logical_and: r"\wedge", p.logical_or: r"\vee",
}  # fmt: skip
FUNCTIONS = {  # written before their operand
    p.log: r"\ln", p.log2: r"\log_2", p.log10: r"\log_{10}", p.sin: r"\sin", p.cos: r"\cos", p.tan: r"\tan",
    p.arcsin: r"\arcsin", p.arccos: r"\arccos", p.arctan: r"\arctan", p.sinh: r"\sinh", p.cosh: r"\cosh",
    p.tanh: r"\tanh", p.sigmoid: r"\sigma",
}  # fmt: skip
AROUND = {
    p.absolute: "|{}|", p.sqrt: r"\sqrt{{{}}}", p.exp: "e^{{{}}}", p.floor: r"\left\lfloor {} \right\rfloor",
    p.floor_divide: r"\left\lfloor \frac{{{}}}{{{}}} \right\rfloor",
}  # fmt: skip
UNWRITTEN = (p.reshape, p.broadcast_to, p.astype, p.copy)  # they change no number


NEW_ROW = r" \\ "
Written = tuple[Any, ...]  # a text, how tightly it binds, and its parts where these may be wanted


class Formula(Operators):
    """A piece of a formula, which stands for an array."""

    __slots__ = ("_shape", "binding", "parts", "text")

    def __init__(self, text: str, shape: Shape = (), binding: int = ATOM, *parts: Any) -> None:
        self.text = text
        self.binding = binding
        self.parts = parts  # of what may be written otherwise in a larger formula
        self._shape = shape

    @property
    def shape(self) -> Shape:
        """Shape of the array."""
        return self._shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of its elements."""
        return np.dtype(float)

    def within(self, least: int) -> str:
        """Return the text, in brackets where it holds together less than that."""
        return self.text if self.binding >= least else _bracketed(self.text)

    def _apply(self, primitive: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Formula:
        shape = primitive.shape(*(np.shape(arg) for arg in args), **params)
        text, binding, *parts = _written(primitive, [_piece(arg) for arg in args], params)
        return Formula(text, shape, binding, *parts)


def tex(value: Any) -> str:
    """Return a value that a rule gave as TeX."""
    return _piece(value).text


def _piece(value: Any) -> Formula:
    if isinstance(value, Formula):
        return value
    number = float(value)
    for known, text in CONSTANTS.items():
        if number == known:
            return Formula(text, ())
    text = f"{number:.4g}"
    if float(text) != number:
        raise ValueError(f"{number} has no short name")
    return Formula(text, (), ATOM if number >= 0 else SUM)


def _written(primitive: Primitive, args: list[Formula], params: dict[str, Any]) -> Written:
    """Write an operation on pieces, and say how tightly the result binds, and of what it is made."""
    first = args[0]
    if primitive in UNWRITTEN:
        return first.text, first.binding, *first.parts
    if primitive in WRITTEN:
        return WRITTEN[primitive](*args)
    if primitive in RELATIONS:
        return f"{args[0].within(SUM)} {RELATIONS[primitive]} {args[1].within(SUM)}", 2
    if primitive in AROUND:
        return AROUND[primitive].format(*(arg.text for arg in args)), ATOM
    if primitive in FUNCTIONS:
        return FUNCTIONS[primitive] + _bracketed(first.text), POWER
    if primitive is p.transpose:
        return f"{first.within(ATOM)}^{{\\top}}", POWER
    if primitive is p.getitem:
        return rf"{first.within(ATOM)}_{{\text{{[{index_text(params['index'])}]}}}}", POWER
    if primitive is p.sum:
        return rf"\textstyle\sum_{{{params['axis']}}} {first.within(PRODUCT)}", PRODUCT
    extra = [f"{key}={value}" for key, value in params.items() if key == "k"]
    name = primitive.name.replace("_", r"\_")
    return rf"\operatorname{{{name}}}" + _bracketed(", ".join([*(arg.text for arg in args), *extra])), ATOM


def _bracketed(text: str) -> str:
    tall = r"\frac" in text or "cases" in text
    return rf"\left({text}\right)" if tall else f"({text})"


def _add(a: Formula, b: Formula) -> Written:
    return f"{a.within(SUM)} + {b.within(SUM)}", SUM


def _subtract(a: Formula, b: Formula) -> Written:
    return f"{a.within(SUM)} - {b.within(SUM + 1)}", SUM


def _negative(a: Formula) -> Written:
    return f"-{a.within(PRODUCT)}", SUM, "-", a


def _divide(a: Formula, b: Formula) -> Written:
    if a.parts[:1] == ("-",):
        return _negative(Formula(*_divide(a.parts[1], b)))
    return rf"\frac{{{a.text}}}{{{b.text}}}", POWER, "/", a, b


def _product(a: Formula, b: Formula) -> Written:
    """Write a product element by element; of two arrays with its own sign: it is no matrix product."""
    for one, other in ((a, b), (b, a)):
        if one.text == "1":
            return other.text, other.binding, *other.parts
        if one.parts[:1] == ("-",):
            return _negative(_as(one, _product(one.parts[1], other)))
        if one.parts[:1] == ("/",):
            return _divide(_as(a if a.shape else b, _product(other, one.parts[1])), one.parts[2])
    if a.text == b.text:
        return _power(a, Formula("2"))
    if _is_number(b) and not _is_number(a):  # a number stands first
        a, b = b, a
    sign = r"\odot" if a.shape and b.shape else r"\,"
    return f"{a.within(PRODUCT)} {sign} {b.within(PRODUCT)}", PRODUCT


def _as(like: Formula, written: Written) -> Formula:
    text, binding, *parts = written
    return Formula(text, like.shape, binding, *parts)


def _is_number(piece: Formula) -> bool:
    return piece.text.replace(".", "").isdigit()


def _power(a: Formula, b: Formula) -> Written:
    return f"{a.within(ATOM)}^{{{b.text}}}", POWER


def _where(condition: Formula, a: Formula, b: Formula) -> Written:
    rest = b.parts[1] if b.parts[:1] == ("cases",) else [rf"{b.text} & \text{{else}}"]
    rows = [f"{a.text} & {condition.text}", *rest]
    return rf"\begin{{cases}} {NEW_ROW.join(rows)} \end{{cases}}", 0, "cases", rows


WRITTEN: dict[Primitive, Callable[..., Written]] = {
    p.add: _add,
    p.subtract: _subtract,
    p.multiply: _product,
    p.gated: _product,
    p.divide: _divide,
    p.power: _power,
    p.matmul: lambda a, b: (f"{a.within(PRODUCT)} {b.within(PRODUCT + 1)}", PRODUCT),
    p.negative: _negative,
    p.where: _where,
}
