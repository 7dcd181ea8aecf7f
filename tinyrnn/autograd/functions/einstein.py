"""Einstein summation: parsed into labels, then two operands at a time, as a matrix product or a plain one."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np

from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.arguments import misused
from tinyrnn.autograd.functions.diagonals import diagonal
from tinyrnn.autograd.functions.elementwise import astype
from tinyrnn.autograd.operands import operand
from tinyrnn.autograd.signatures import of_operands

__all__ = ["einsum"]

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


@of_operands
def einsum(*operands: Any, optimize: Any = False) -> Any:
    """Sum of products, as its subscripts say: ``einsum("ij,jk->ik", a, b)`` is a matrix product.

    A label that the result has not is summed over; one that an operand has twice means its diagonal; ``...``
    stands for the axes that broadcast. Without ``->`` the result has the labels that occur once, in
    alphabetical order. Subscripts may also follow each operand as a list of numbers:
    ``einsum(a, [0, 1], b, [1, 2], [0, 2])``.

    Parameters
    ----------
    *operands : str, array_like or Tensor
        Subscripts and operands.
    optimize : bool, str or list
        In which order operands meet: from left to right (False), or as `numpy.einsum_path` says.

    Raises
    ------
    ValueError
        Where the subscripts do not fit the operands.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> a, b = tr.ones((5, 2, 3)), tr.ones((5, 3, 4))
    >>> tr.einsum("bij,bjk->bik", a, b).shape
    (5, 2, 4)
    >>> tr.einsum("ii", tr.ones((3, 3)))
    tensor(3.)
    """
    if not isinstance(optimize, (bool, str, list, tuple)):
        raise misused(optimize, "True, False, the name of a way to choose, or a path")
    xs, labels, result = _parsed(operands)
    sizes: dict[str, int] = {}
    for n, (x, of_x) in enumerate(zip(xs, labels, strict=True)):
        if len(of_x) != x.ndim:
            raise ValueError(
                f"einsum: operand {n} has shape {x.shape}; expected {len(of_x)} axes, for the labels '{of_x}'"
            )
        for label, length in zip(of_x, x.shape, strict=True):
            if sizes.get(label, 1) != 1 and length not in (1, sizes[label]):
                raise ValueError(
                    f"einsum: operand {n} has length {length} at label '{label}'; expected {sizes[label]}"
                )
            sizes[label] = length if sizes.get(label, 1) == 1 else sizes[label]
    terms = [_plain(x, of_x, sizes) for x, of_x in zip(xs, labels, strict=True)]
    for chosen in _path(labels, xs, result, optimize):
        met = [terms[i] for i in chosen]
        terms = [term for i, term in enumerate(terms) if i not in chosen]
        total = met[0]
        for n, term in enumerate(met[1:], 2):
            wanted = {*result, *(label for _, others in (*terms, *met[n:]) for label in others)}
            total = _contracted(
                _summed(*total, wanted | {*term[1]}), _summed(*term, wanted | {*total[1]}), wanted
            )
        terms.append(total)
    x, of_x = _summed(*terms[0], {*result})
    missing = [label for label in result if label not in of_x]  # of length 1 wherever it stands
    x = p.reshape(x, shape=(*x.shape, *(1 for _ in missing)))
    order = tuple((of_x + "".join(missing)).index(label) for label in result)
    x = p.transpose(x, axes=order)
    kind = np.result_type(*(each.dtype for each in xs))
    return x if x.dtype.kind == "f" or x.dtype == kind else astype(x, kind)  # sums widen integers


def _parsed(given: tuple[Any, ...]) -> tuple[list[Any], list[str], str]:
    """Return the operands, the labels of each and those of the result; ``...`` has been given letters."""
    if not given:
        raise ValueError("einsum: got no operands; expected subscripts and at least one")
    if isinstance(given[0], str):
        subscripts = given[0].replace(" ", "")
        xs = [operand(x) for x in given[1:]]
    else:
        xs = [operand(x) for x in given[: len(given) // 2 * 2 : 2]]
        subscripts = ",".join(map(_text, given[1::2]))
        if len(given) % 2:
            subscripts += "->" + _text(given[-1])
    left, arrow, right = subscripts.partition("->")
    parts = left.split(",")
    if len(parts) != len(xs) or not xs:
        raise ValueError(f"einsum: '{subscripts}' has {len(parts)} operands; got {len(xs)}")
    used = set(subscripts)
    if not used <= set(_LETTERS + ".,->") or subscripts.replace("...", "").count("."):
        raise ValueError(f"einsum: the subscripts are '{subscripts}'; expected letters, '...', ',' and '->'")
    spare = [letter for letter in reversed(_LETTERS) if letter not in used]
    widths = [x.ndim - len(part) + 3 for x, part in zip(xs, parts, strict=True) if "..." in part]
    spread = "".join(spare[: max(widths, default=0)])

    def filled(part: str, width: int) -> str:
        return part.replace("...", spread[len(spread) - width :])

    if arrow:
        if spread and "..." not in right:
            raise ValueError(f"einsum: the subscripts are '{subscripts}'; the result needs '...' as well")
        right = filled(right, len(spread))
        if any(count > 1 for count in Counter(right).values()):
            raise ValueError(f"einsum: the subscripts are '{subscripts}'; the result has a label twice")
    labels = [filled(part, x.ndim - len(part) + 3) for x, part in zip(xs, parts, strict=True)]
    if not arrow:
        counts = Counter("".join(labels))
        right = spread + "".join(sorted(c for c, n in counts.items() if n == 1 and c not in spread))
    if not set(right) <= set("".join(labels)):
        raise ValueError(
            f"einsum: the subscripts are '{subscripts}'; no operand has all labels of the result"
        )
    return xs, labels, right


def _text(numbers: Any) -> str:
    """Return subscripts given as numbers as letters."""
    try:
        return "".join("..." if n is Ellipsis else _LETTERS[range(len(_LETTERS))[n]] for n in numbers)
    except (TypeError, IndexError):
        expected = f"a list of numbers below {len(_LETTERS)}, and ..."
        raise misused(numbers, expected) from None


def _path(labels: list[str], xs: list[Any], result: str, optimize: Any) -> list[tuple[int, ...]]:
    """Return which operands meet, one group after the other; what comes of them stands last."""
    if optimize is False or len(xs) < 3:
        return [tuple(range(len(xs)))]
    shapes = [np.broadcast_to(np.empty(()), x.shape) for x in xs]
    path = np.einsum_path(f"{','.join(labels)}->{result}", *shapes, optimize=optimize)[0]
    return [tuple(group) for group in path[1:]]


def _plain(x: Any, labels: str, sizes: dict[str, int]) -> tuple[Any, str]:
    """Take diagonals, until each label stands there once, and drop axes that only broadcast."""
    while repeated := [label for label, count in Counter(labels).items() if count > 1]:
        i, j = [n for n, label in enumerate(labels) if label == repeated[0]][:2]
        if x.shape[i] != x.shape[j]:
            raise ValueError(
                f"einsum: label '{repeated[0]}' of one operand has lengths {x.shape[i]} and {x.shape[j]}"
            )
        x = diagonal(x, axis1=i, axis2=j)
        labels = labels[:i] + labels[i + 1 : j] + labels[j + 1 :] + repeated[0]
    kept = [i for i, label in enumerate(labels) if x.shape[i] == sizes[label]]
    return p.reshape(x, shape=tuple(x.shape[i] for i in kept)), "".join(labels[i] for i in kept)


def _summed(x: Any, labels: str, wanted: set[str]) -> tuple[Any, str]:
    """Sum over the axes of labels that nobody wants any more."""
    axes = tuple(i for i, label in enumerate(labels) if label not in wanted)
    return (p.sum(x, axis=axes, keepdims=False) if axes else x), "".join(c for c in labels if c in wanted)


def _contracted(left: tuple[Any, str], right: tuple[Any, str], wanted: set[str]) -> tuple[Any, str]:
    """Multiply two operands, and sum over the labels that both have and nobody wants."""
    (a, of_a), (b, of_b) = left, right
    batch = [label for label in of_a if label in of_b and label in wanted]
    summed = [label for label in of_a if label in of_b and label not in wanted]
    free_a, free_b = [c for c in of_a if c not in of_b], [c for c in of_b if c not in of_a]
    size = dict(zip(of_a + of_b, a.shape + b.shape, strict=True))

    def arranged(x: Any, labels: str, *groups: list[str]) -> Any:
        """Order the axes by groups, each then one axis."""
        order = [label for group in (batch, *groups) for label in group]
        x = p.transpose(x, axes=tuple(labels.index(label) for label in order))
        return p.reshape(
            x, shape=(*(size[c] for c in batch), *(math.prod(size[c] for c in g) for g in groups))
        )

    if summed:
        product = p.matmul(arranged(a, of_a, free_a, summed), arranged(b, of_b, summed, free_b))
    else:
        product = p.multiply(arranged(a, of_a, free_a, []), arranged(b, of_b, [], free_b))
    labels = [*batch, *free_a, *free_b]
    return p.reshape(product, shape=tuple(size[c] for c in labels)), "".join(labels)
