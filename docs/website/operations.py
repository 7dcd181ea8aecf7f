"""The table of operations for the reference, each with its gradients, typeset from its rules."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import textwrap
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np

from tinyrnn.autograd import primitives
from tinyrnn.autograd.primitive import Primitive
from tinyrnn.autograd.sliding import Windows
from website.formulas import Formula, tex
from website.rooms import summary

__all__ = ["families", "gradients", "page"]

LONGEST = 200  # characters of TeX; what is longer is easier to read as code
TITLE = "Operations and their derivatives"
INTRODUCTION = r"""
Every operation of the engine, with what it sends back to each operand: :math:`g` is the gradient of the loss
by the result :math:`y` (by :math:`z`, where an operand is called :math:`y`), :math:`\odot` a product element
by element, and what stands side by side a matrix product. The formulas are written by the rules themselves:
each was run on names instead of numbers. Where operands broadcast, the engine sums a gradient back to the
operand's shape afterwards; where dtypes differ, it casts. Where a rule is long, its code stands here.
Functions of the library that are not among these operations are composed of them.
"""


def families() -> list[ModuleType]:
    """Return the files of the table: first the one that everybody reads, and last what has no gradient."""
    names = sorted(module.name for module in pkgutil.iter_modules(primitives.__path__))
    names.sort(key=lambda name: (name == "comparisons", name != "elementwise"))
    return [importlib.import_module(f"{primitives.__name__}.{name}") for name in names]


def operations(family: ModuleType) -> list[Primitive]:
    """Return the operations that a file defines."""
    tree = ast.parse(inspect.getsource(family))
    names = [each.id for line in tree.body if isinstance(line, ast.Assign) for each in line.targets]  # type: ignore
    return [value for value in (getattr(family, name) for name in names) if isinstance(value, Primitive)]


def _samples(primitive: Primitive) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return operands and parameters on which the operation and its rules can be run."""
    asked = (
        inspect.signature(primitive.forward).parameters if not isinstance(primitive.forward, np.ufunc) else ()
    )
    known = {
        "axis": -1, "keepdims": False, "shape": (3, 3), "axes": (1, 0), "dtype": float, "k": 0, "order": 2,
        "windows": Windows((3,), (1,), (1,), ((0, 0),)), "size": (5,), "keep": 0, "length": 3, "index": (0,),
        "uplo": "L",
    }  # fmt: skip
    params = {
        name: value for name, value in known.items() if name in asked and name not in primitive.operands
    }
    ndim = 3 if "windows" in params else 0 if primitive.shape.__name__ == "broadcast_shape" else 2
    return {name: Formula(_name(name), (3,) * ndim) for name in primitive.operands}, params


def _name(operand: str) -> str:
    return operand if len(operand) == 1 else rf"\text{{{operand}}}"


def gradients(primitive: Primitive) -> dict[str, str] | None:
    """Return the gradient of each operand as TeX; None where that would be too long, or cannot be written."""
    operands, params = _samples(primitive)
    try:
        shape = primitive.shape(*(value.shape for value in operands.values()), **params)
        given = {"g": Formula("g", shape), "ans": Formula("z" if "y" in operands else "y", shape), "rest": ()}
        given |= params | operands | {f"{name}_shape": value.shape for name, value in operands.items()}
        found = {
            name: tex(rule.vjp(given["g"], *(given[need] for need in rule.needs)))
            for name, rule in zip(operands, primitive.rules)
            if rule is not None
        }
    except (LookupError, TypeError, ValueError):  # a rule that looks at more than a name has
        return None
    return found if found and max(map(len, found.values())) <= LONGEST else None


def code(primitive: Primitive) -> str:
    """Return the rules of an operation as code: the lines that define them, and helpers that they call."""
    rules = [rule.vjp for rule in primitive.rules if rule is not None]
    rules += [primitive.variadic] if primitive.variadic is not None and not rules else []
    found: dict[str, None] = {}
    for rule in rules:
        helpers = [rule.__globals__.get(name) for name in rule.__code__.co_names if name.startswith("_")]
        for function in [*(each for each in helpers if inspect.isfunction(each)), rule]:
            found[textwrap.dedent(inspect.getsource(function)).rstrip()] = None
    return "\n\n".join(found)


def page() -> str:
    """Return the page, as reStructuredText."""
    lines = [TITLE, "=" * len(TITLE), "", INTRODUCTION]
    for family in families():
        title = summary(family).rstrip(".")
        lines += [title, "-" * len(title), "", *_family(operations(family))]
    return "\n".join(lines)


def _family(found: list[Primitive]) -> Iterator[str]:
    formulas = {each: gradients(each) for each in found if each.differentiable}
    if any(formulas.values()):
        yield from (".. list-table::", "   :class: operations", "   :widths: auto", "")
        for each, written in formulas.items():
            if written:
                yield from (f"   * - ``{each.name}({', '.join(each.operands)})``", "     - ", "")
                for name, formula in written.items():
                    yield rf"       .. math:: \frac{{\partial L}}{{\partial {_name(name)}}} = {formula}"
                    yield ""
    for each, written in formulas.items():
        if not written:
            yield from (f"``{each.name}({', '.join(each.operands)})``", "", ".. code-block:: python", "")
            yield from (textwrap.indent(code(each), "   "), "")
    flat = [f"``{each.name}``" for each in found if not each.differentiable]
    if flat:
        yield from (f"No gradient goes through {', '.join(flat)}.", "")
