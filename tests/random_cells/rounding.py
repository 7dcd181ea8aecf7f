"""How far two honest results may differ: the recorded form is run again with every rounding redrawn.

An error of ``4 eps`` times a random number is added wherever the program that the user wrote rounds, and the
spread of the results says what an error of a few units in the last place of a *term that the user wrote* does
to each of them. Where it rounds:

- a product, a quotient, a function: relative to its value;
- ``a + b``: relative to its value, since a sum of two is exact but for its last digit. A chain of sums, as
  ``a + b + c``, may be summed in another order, so there it is relative to the largest term;
- a matrix product and a reduction: relative to each term;
- what only moves, chooses or compares: nowhere; a cast: relative to its value, in the fewer digits.
  (What a step does to closures alone runs once, so the gradients of all steps are summed before the cast.)

So ``a + z*(b - a)`` for ``(1 - z)*a + z*b`` is *not* an honest result: with z = 1 the terms that the user
wrote are 0 and b, and no rounding of those makes ``a + (b - a)``. Values so small that they lose digits or
vanish have an error of the smallest number that there is.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Generator
from typing import Any

import numpy as np

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.primitive import Primitive

Array = np.ndarray[Any, Any]

# What gives one of the numbers that it was given, or a fact.
EXACT = frozenset((
    "abs", "all", "any", "argmax", "argmin", "argpartition", "argsort", "bitwise_and", "bitwise_or",
    "bitwise_xor", "broadcast_to", "ceil", "clip", "concatenate", "copy", "detach", "equal", "floor", "fmax",
    "fmin", "getitem", "greater", "greater_equal", "invert", "isfinite", "isinf", "isnan", "less",
    "less_equal", "logical_and", "logical_not", "logical_or", "logical_xor", "max", "maximum", "min",
    "minimum", "negative", "not_equal", "pick", "place", "relu", "reshape", "rint", "round", "sign",
    "signbit", "stack", "transpose", "tril", "triu", "trunc", "unfold", "where",
))  # fmt: skip
# What decides between values: where a rounding decides otherwise, the results are others, and as good.
CHOICES = frozenset((
    "argmax", "argmin", "argpartition", "argsort", "ceil", "equal", "floor", "greater", "greater_equal",
    "less", "less_equal", "not_equal", "rint", "round", "sign", "trunc",
))  # fmt: skip
# What sums over terms: the terms are redrawn too.
SUMS = frozenset((
    "cholesky", "cofactors", "conv", "conv_transpose", "conv_weight", "cumsum", "det", "eigh", "fold", "inv",
    "log_softmax", "logabsdet", "logsumexp", "matmul", "mean", "norm", "pinv", "scatter", "softmax", "solve",
    "sum", "svd",
))  # fmt: skip


def primitives() -> list[Primitive]:
    """Every operation of the engine, wherever its file."""
    modules = [m for name, m in list(sys.modules.items()) if name.startswith("tinyrnn.autograd") and m]
    found = {id(t): t for m in modules for t in vars(m).values() if isinstance(t, Primitive)}
    return list(found.values())


@contextlib.contextmanager
def redrawn(seed: int, size: float = 4.0) -> Generator[tuple[Callable[[], None], set[str], list[int]]]:
    """Redraw every rounding inside.

    It gives what is to be called where a chain of sums must end, the names of the operations that gave
    something that is not finite, and what was decided, in a form that can be compared.
    """
    decided: list[int] = []
    infinite: set[str] = set()
    rng = np.random.default_rng(seed)
    terms: dict[int, tuple[Any, Array]] = {}  # by id, with the array, so that ids are not used again

    def noise(value: Array, scale: Array, floor: Any = False, eps: Any = None) -> Array:
        eps = np.finfo(value.dtype).eps if eps is None else eps
        draw = rng.uniform(0.3, 1.0, value.shape) * rng.choice([-1.0, 1.0], value.shape) * size
        error = np.where(np.isfinite(scale), scale, 0) * (draw * eps)
        low = float(np.finfo(value.dtype).smallest_subnormal)
        error = np.where((scale < np.finfo(value.dtype).tiny) & ((value != 0) | floor), draw * low, error)
        return np.asarray((value.astype(np.float64) + error).astype(value.dtype))

    def wrap(primitive: Primitive, forward: Callable[..., Any]) -> Callable[..., Any]:
        name = primitive.name
        chain = primitive in (p.add, p.subtract)

        def noisy(*args: Any, **params: Any) -> Any:
            if name in SUMS:
                args = tuple(
                    noise(a, np.abs(a)) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a
                    for a in args
                )
            ans = np.asarray(forward(*args, **params))
            if name in CHOICES:
                decided.append(hash(ans.tobytes()))
            if ans.dtype.kind != "f":
                return ans
            if not np.isfinite(ans).all():
                infinite.add(name)
            if primitive is p.negative and id(args[0]) in terms:
                terms[id(ans)] = (ans, terms[id(args[0])][1])
                return ans
            if name == "astype" and args[0].dtype.kind == "f":
                return noise(ans, np.abs(ans), eps=max(np.finfo(a.dtype).eps for a in (args[0], ans)))
            if name in EXACT:
                return ans
            if chain:
                known = [terms[id(a)][1] if id(a) in terms else None for a in args]
                parts = [np.abs(np.asarray(a, np.float64)) if k is None else k for a, k in zip(args, known)]
                largest = np.broadcast_to(np.maximum(*parts), ans.shape)
                scale = largest if any(k is not None for k in known) else np.abs(ans)
                ans = noise(ans, np.asarray(scale, np.float64))
                terms[id(ans)] = (ans, largest)
                return ans
            # A product of numbers that are not zero is not zero either: it has vanished.
            vanished: Any = False
            if primitive in (p.multiply, p.divide):
                vanished = np.logical_and(*(np.asarray(a) != 0 for a in args))
            elif primitive is p.matmul:
                vanished = np.matmul(*((np.asarray(a) != 0).astype(float) for a in args)) > 0
            return noise(ans, np.abs(ans.astype(np.float64)), vanished)

        return noisy

    table = primitives()
    kept = [primitive.forward for primitive in table]
    try:
        for primitive, forward in zip(table, kept):
            primitive.forward = wrap(primitive, forward)
        yield terms.clear, infinite, decided
    finally:
        for primitive, forward in zip(table, kept):
            primitive.forward = forward
