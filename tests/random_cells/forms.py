"""The lines that a step is made of: Python with places for values, ``{0} {1} ...``, and for the rest.

The table below is what users write. To it are added, from the table of primitives and from NumPy's functions
that have a rule, all that can be called with nothing but arrays and an axis: so a new operation is drawn from
the day on which it is there. ``tests/test_random_cells.py`` fails where a primitive is in no form at all.
"""

from __future__ import annotations

import functools
import inspect
import re
from typing import Any

import numpy as np

from tinyrnn.autograd import functions
from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.numpy_protocol import FUNCTIONS, UFUNCS
from tinyrnn.autograd.primitive import Primitive

# What stands for the places that are not values.
PLACES: dict[str, tuple[str, ...]] = {
    "N": ("0", "1", "2", "3", "5", "-1", "-3", "200", "True", "0.0", "1.0", "2.0", "0.5", "-0.7", "-1.0",
          "1e30"),
    "S": ("0.5", "-0.7", "0.1", "0.25", "1.0", "-1.0"),  # small
    "A": ("None", "0", "-1", "1", "(0, 1)", "(-1,)", "(0, -1)", "(1, 0)"),
    "K": ("True", "False"),
    "D": ("'float64'", "'float32'", "'float16'", "'int64'", "'int32'", "'uint8'", "'int8'", "bool"),
    "R": ("(-1,)", "(1, -1)", "(-1, 1)", "(2, -1)", "(1, 1, -1)", "(-1, 3)", "()"),
    "B": ("(2, 3)", "(3, 3)", "(2, 2)", "(1, 3)", "(3,)", "(1, 2, 3)", "(4, 2, 3)"),
    "I": (
        "0", "-1", "..., 0", ":, 0", "1:", ":-1", "::-1", "..., ::-1", "..., ::2", "..., 1:", "..., :1",
        "None", "...", "[1, 0]", "..., [1, 0, 0]", "[0, 1], [1, 0]", "..., None", "0:1", ":, 1:",
        "1, ..., None", "..., 1::-1",
    ),
    # A number that is drawn, and an array; what changes from call to call without being drawn.
    "G": ("rng.random()", "legacy.rand()", "plain.random()", "drawn()"),
    "W": ("rng.standard_normal(3)", "rng.standard_normal()", "legacy.randn(2)", "rng.uniform(size=3)"),
    "C": ("turn() % 2", "(flip.append(0) or len(flip)) % 2"),
}  # fmt: skip
# What those name, as ``name: text``; where one counts the calls of the step, it says from what on.
THINGS = {
    "rng": "np.random.default_rng(3)",
    "legacy": "np.random.RandomState(3)",
    "plain": "random.Random(3)",
    "drawn": "random.Random(5).random",
    "turn": "itertools.count({calls}).__next__",
    "flip": "[0] * {calls}",
}

# Arithmetic, and what rewrites look for.
ARITHMETIC = (
    "{0} + {1}", "{0} - {1}", "{0} * {1}", "{0} / {1}", "{0} / (1 + {1} * {1})", "-{0}", "+{0}",
    "abs({0})", "{0} + {N}", "{N} + {0}", "{0} - {N}", "{N} - {0}", "{0} * {N}", "{N} * {0}", "{0} / {N}",
    "{N} / {0}", "{0} ** 2", "{0} ** {N}", "{S} ** {0}", "{0} ** {1}", "{0} * {1} + {2}",
    "{0} + {1} + {2}", "{0} * {1} * {2}", "{0} + {S} * {1}", "{0} - {1} * {2}", "({0} * {N}) * {N}",
    "({0} + {N}) + {N}", "{0} * {1} + {0} * {2}", "{0} * {1} - {0} * {2}", "{0} - {0} * {1}", "{0} + {0}",
    "{0} * 2 + {0}", "{0} - (-{0})", "1 - {0} * {1}", "1.0 - {0} * {1}", "{N} - {0} * {1}", "-({0} * {1})",
    "-{0} + {1}", "(1 - {0}) * {1} + {0} * {2}", "(1.0 - {0}) * {1} + {2} * {0}",
    "{0} * {1} + (1 - {0}) * {2}", "{0} - {0} * ({1} > 0)", "{0} - ({0} > 0) * ({1} > 0)",
    "{2} * ({0} - {1} * {0})", "({0} - {1}) + {1}", "{0} * {1} / {2}", "np.float32(0.3) * {0}",
    "{0} + np.float64(0.1)", "{0} * np.array([1, 2, 3], 'uint8')", "{0} + np.int8(100)", "round({0}, 1)",
)  # fmt: skip
CHOICES = (
    "{0} > {1}", "{0} >= {1}", "{0} < {1}", "{0} <= {1}", "{0} == {1}", "{0} != {1}", "{0} > {N}",
    "{0} == {N}", "({0} > {1}) & ({2} > {0})", "({0} > {1}) | ({2} > {0})", "~({0} > {1})", "{0} & {1}",
    "{0} | {1}", "~{0}", "tr.where({0} > {1}, {0}, {2})", "tr.where({0}, {1}, {2})",
    "tr.where({0} > {N}, {1}, {N})", "tr.where({0} > {1}, {N}, {N})", "tr.maximum({0}, {1})",
    "tr.minimum({0}, {1})", "tr.maximum({0}, {N})", "tr.minimum({N}, {0})", "tr.clip({0}, -0.5, 0.4)",
    "tr.clip({0}, {N}, None)", "tr.clip({0}, None, {N})", "tr.clip({0}, {1}, {2})",
    "np.logical_and({0}, {1})", "np.logical_or({0}, {1})", "np.logical_not({0})",
)  # fmt: skip
FUNCTIONS_OF_ONE = (
    "tr.tanh({0})", "tr.tanh({0})", "tr.tanh({0} + {1})", "tr.sigmoid({0})", "tr.sigmoid({0} + {1})",
    "tr.relu({0})", "tr.softplus({0})", "tr.exp(-{0} * {0})", "tr.exp({0})", "tr.log(1 + {0} * {0})",
    "tr.log({0})", "tr.sqrt(1 + {0} * {0})", "tr.sqrt({0})", "tr.abs({0})", "np.sign({0})", "np.tanh({0})",
    "np.exp({0} * 0.1)", "{0}.detach()", "{0}.detach() * {1}", "{0}.astype({D})",
    "tr.astype({0}, {D}) * {1}", "({0} * 3).round().astype('int32')",
)  # fmt: skip
REDUCTIONS = (
    "{0}.sum({A}, {K})", "{0}.mean({A}, {K})", "{0}.max({A}, {K})", "{0}.min({A}, {K})", "{0}.sum()",
    "{0}.mean()", "tr.softmax({0}, {A})", "tr.log_softmax({0}, {A})", "tr.logsumexp({0}, {A}, {K})",
    "tr.argmax({0}, {A})", "tr.argmin({0}, {A})", "{0} - {0}.mean(-1, True)", "({0} > {1}).all({A}, {K})",
    "({0} > {1}).any({A}, {K})", "tr.softmax({0}, axis={A})", "tr.log_softmax({0}, axis={A})",
)  # fmt: skip
# What is divided by its sum, over whatever axes.
NORMALISED = (
    "tr.softmax({0}, {A})", "tr.log_softmax({0}, {A})", "tr.softmax({0} @ {1}, {A})",
    "tr.softmax({0} + {1}, axis={A}) * {2}", "tr.log_softmax({0} * {1}, {A}).sum()",
    "tr.softmax({0} * {1}, {A}) @ {2}", "{0} - tr.logsumexp({0}, {A}, True)",
    "{0} / (1 + {1}.sum({A}, True))",
)  # fmt: skip
PRODUCTS = (
    "{0} @ {1}", "{0} @ {1}", "{0} @ {1}.T", "{0}.T @ {1}", "({1}.T @ {0}.T).T", "{0} @ {1} + {2}",
    "{0} @ {1} + {2} @ {1}", "tr.tanh({0} @ {1} + {2})", "({0}.unsqueeze(-2) @ {1}).squeeze(-2)",
    "tr.matmul({0}, {1})",
)  # fmt: skip
PLACES_AND_SHAPES = (
    "{0}[{I}]", "{0}[{I}]", "{0}.reshape({R})", "{0}.T", "{0}.swapaxes(0, -1)", "tr.transpose({0})",
    "{0}.flatten()", "tr.expand_dims({0}, -1)", "tr.squeeze({0})", "tr.broadcast_to({0}, {B})",
    "tr.concatenate([{0}, {1}], {A})", "tr.concatenate([{0}, {1}, {0}], -1)", "tr.stack([{0}, {1}], 0)",
    "tr.stack([{0}, {1}], -1)", "tr.stack([{0}, {0}, {1}], 1)", "tr.split({0}, 3, -1)[1]",
    "tr.split({0}, [1], -1)[0] * tr.split({0}, [1], -1)[1]", "tr.take({0}, np.array([1, 0, 1]), 0)",
    "tr.take({0}, {1}, 0)", "{0}[{1}]", "{0}[..., {1}]", "{0}[{1} % 2]", "{0}[tr.argmax({1}, -1)]",
    "tr.concatenate([{0}[..., 1:], {0}[..., :1]], -1)", "tr.sigmoid({0}[..., :1]) * tr.tanh({0}[..., 1:])",
    "tr.sigmoid({0}[..., :1]) + tr.tanh({0}[..., 1:]).sum(-1, True)",
)  # fmt: skip
WINDOWS = (
    "tr.nn.functional.conv1d({0}[..., None, :], {1}.reshape((1, 1, -1)), padding=1)",
    "tr.nn.functional.max_pool1d({0}, 2)",
    "tr.nn.functional.conv1d({0}.reshape((1, 1, -1)), {1}.reshape((1, 1, -1)), padding=1).reshape(-1)",
    "tr.nn.functional.avg_pool1d({0}, 2, 1)",
    "tr.nn.functional.conv1d({0}, {1}[None, :2], padding=1, stride=2)",
)  # fmt: skip
INNER_SCANS = (
    "tr.scan(lambda h, u: (tr.tanh(h + u), h), {0}, {1})[0]",
    "tr.scan(lambda h, u: (h * 0.5 + u, h), {0}, {1}[0:2])[1]",
    "tr.scan(lambda h, u: ((h[1], tr.tanh(h[0] + u)), None), ({0}, {1}), {2})[0][0]",
    "tr.scan(lambda h, u: (tr.tanh(h + {1}), u * h), {0}, {2}, reverse=True)[1].sum(0)",
)
# What recurrences look like. Before the bar, what each value is: carry, input, closure (k), any line (v),
# given (g: input or closure).
RECURRENCES = (
    "xckck|tr.tanh({0} + {1} @ {2} + {3} @ {4})", "cckx|{0} @ {2} + {1} * {3}", "cck|({0} * {1}) @ {2}",
    "cc|{0} * {1}", "cckk|{0} @ {2} - {1} @ {3}", "cck|{0} * {2} + {1} * {0}", "ck|{0} @ {1}",
    "ckk|{0} * {1} * {2}", "cxk|{0} * {1} * {2}", "ckk|{0} + {1} + {2}", "cxx|{0} + {1} + {2}",
    "cxk|{0} * {2} + {1}", "ckx|{0} * {1} + {0} * {2}", "cx|1.0 - {0} * {1}", "cx|{0} - {0} * {1}",
    "ccx|(1 - {0}) * {1} + {0} * {2}", "ckk|(1 - {0}) * {1} + {0} * {2}",
    "vck|(1 - tr.sigmoid({0})) * {1} + tr.sigmoid({0}) * {2}", "c|({0} * {N}) * {N}",
    "c|({0} + {N}) + {N}", "cc|tr.sigmoid({0}) * tr.tanh({1})", "cv|tr.maximum({0}, {1})",
    "cxk|tr.where({1} > 0, {0}, {2})",
)  # fmt: skip
# What a compiler would like to regroup: mixtures, long products and sums, resets.
MIXTURES = (
    "cgg|(1 - {0}) * {1} + {0} * {2}", "cgg|{0} * {1} + (1 - {0}) * {2}", "cgc|(1.0 - {0}) * {2} + {0} * {1}",
    "vgg|(1 - tr.sigmoid({0})) * {1} + tr.sigmoid({0}) * {2}", "vcg|(1 - {0}) * {1} + {0} * {2}",
    "cgg|{1} + {0} * ({2} - {1})", "ccg|tr.sigmoid({0}) * {1} + (1 - tr.sigmoid({0})) * {2}",
    "cgg|(1 - ({0} > 0)) * {1} + ({0} > 0) * {2}",
)  # fmt: skip
CHAINS = (
    "cgg|{0} + {1} + {2}", "cgg|{0} * {1} * {2}", "cggg|{0} + {1} + {2} + {3}", "cggg|{0} * {1} * {2} * {3}",
    "cg|({0} * {N}) * {1}", "cg|({0} + {1}) + {N}", "c|({0} * {N}) * {N}", "c|({0} + {N}) + {N}",
    "cgcg|({0} + {1}) + ({2} + {3})", "cgg|{0} * {1} + {0} * {2}", "cgg|{0} * {1} - {0} * {2}",
    "cgg|({0} - {1}) - {2}", "cgg|{0} * {1} / {2}", "cgg|-({0} * {1}) * {2}", "cgg|{1} * {0} + {2} + {1}",
    "vgg|{0} + {1} + {2}", "vgg|{0} * {1} * {2}", "cg|{1} * (tr.tanh({0}) * {N}) * {N}",
)  # fmt: skip
RESETS = (
    "cg|1.0 - {0} * {1}", "cg|1 - {0} * {1}", "cg|{0} - {0} * {1}", "cg|{0} - {1} * {0}",
    "cg|{0} * (1 - {1})",
    "cgg|{2} * ({0} - {1} * {0})", "cg|{0} - ({0} > 0) * ({1} > 0)", "c|{0} * 2 + {0}", "c|{0} - (-{0})",
    "c|{N} - {0} * {N}", "cg|tr.where({1} > 0, {0} * 0, {0})", "cg|-({0} * {1}) + {0}",
    "cg|({0} + {1}) * -{1}",
)  # fmt: skip
# A cell's memory of several steps reads its parts by these.
MEMORIES = (
    "ck|{0} @ {1}", "ck|{0} * {1}", "cckk|tr.tanh({0} @ {2} + {1} @ {3})",
    "xckck|tr.tanh({0} + {1} @ {2} + {3} @ {4})",
    "cckk|tr.tanh({0} * {2} + {1} * {3})", "cc|{0} * {1}", "cck|({0} * {1}) @ {2}",
    "cckx|tr.tanh({0} @ {2}) * {1} + {3}",
)  # fmt: skip
# Steps that do not repeat: for those cells only that have the things to draw from.
DRAWS = (
    "{0} + s0 * {W}", "{0} + s0 * {W}", "{0} + s0 * {G}", "{0} * ({W} < 0.5)", "({0} if {G} < 0.9 else {1})",
    "({0} if {G} < 0.5 else -{0})", "{0} * float({G} > 0.3)", "({0} if {C} else {1})",
    "({0} if {C} else {1})",
    "{0} + ({1} if s0 and {G} < 0.5 else 0)", "{0} * s0 + {1}",
)  # fmt: skip
# By how often they are drawn.
FAMILIES: tuple[tuple[int, tuple[str, ...]], ...] = (
    (8, RECURRENCES),
    (10, ARITHMETIC),
    (4, CHOICES),
    (6, FUNCTIONS_OF_ONE),
    (3, REDUCTIONS),
    (1, NORMALISED),
    (1, MIXTURES),
    (2, CHAINS),
    (2, RESETS),
    (1, MEMORIES),
    (4, PRODUCTS),
    (4, PLACES_AND_SHAPES),
    (1, WINDOWS),
    (1, INNER_SCANS),
)


def tensor_primitives() -> dict[str, Primitive]:
    """Return the table of primitives, by name."""
    return {name: thing for name, thing in vars(p).items() if isinstance(thing, Primitive)}


def _call(name: str, forward: Any, operands: int) -> str | None:
    """Write a call of which only an axis and the like is not an array; None where that cannot be said."""
    values = ", ".join(f"{{{i}}}" for i in range(operands))
    if isinstance(forward, np.ufunc):
        return f"{name}({values})"
    known = {"axis": "{A}", "keepdims": "{K}", "decimals": "1", "k": "0", "shift": "1", "offset": "0"}
    try:
        parameters = list(inspect.signature(forward).parameters.values())
    except (TypeError, ValueError):
        return None
    if any(q.kind is q.VAR_POSITIONAL for q in parameters):
        return None
    rest = [q.name for q in parameters[operands:] if q.kind is not q.VAR_KEYWORD]
    if not all(q in known for q in rest):
        return None
    return f"{name}({', '.join([values, *(f'{q}={known[q]}' for q in rest)])})"


@functools.cache
def found_forms() -> tuple[str, ...]:
    """The forms that the library itself gives: its primitives, and NumPy's functions that have a rule."""
    forms: list[str | None] = []
    for name, primitive in tensor_primitives().items():
        # What has a function of its name is met through that: the primitive itself may ask for more.
        if primitive.variadic is None and primitive.joint is None and name not in functions.__all__:
            forms.append(_call(f"p.{name}", primitive.forward, len(primitive.operands)))
    forms += [_call(f"np.{ufunc.__name__}", ufunc, ufunc.nin) for ufunc in UFUNCS]
    for name in functions.__all__:
        forms += [f"tr.{name}({{0}})", f"tr.{name}({{0}}, axis={{A}})", f"tr.{name}({{0}}, {{1}})"]
    for function in FUNCTIONS:
        name = f"{function.__module__}.{function.__name__}".replace("numpy", "np", 1)
        forms.append(f"{name}({{0}})")
        forms.append(f"{name}({{0}}, axis={{A}})")
        forms.append(f"{name}({{0}}, {{1}})")
    return tuple(sorted({form for form in forms if form is not None}))


def kinds(form: str) -> tuple[str, str]:
    """Part a form in what each of its values is, where it says so, and the line."""
    said, bar, line = form.partition("|")
    return (said, line) if bar and said.isalpha() else ("", form)


def operands(form: str) -> int:
    """The number of values in a form."""
    return 1 + max((int(n) for n in re.findall(r"\{(\d)\}", form)), default=-1)


def places(form: str) -> list[str]:
    """The places of a form that are not values, in order."""
    return re.findall(r"\{([A-Z])\}", form)


def fill(form: str, chosen: list[str]) -> str:
    """Write what was chosen into the places that are not values."""
    rest = iter(chosen)
    return re.sub(r"\{[A-Z]\}", lambda _: next(rest), form)
