"""Derivatives of one recorded step, row by row: of the new state by the old one, and by the parameters.

A state stands here as ``(B, S)``: the floating elements that each row of the batch has in all parts of the
carry, in the order of its parts.
"""

from __future__ import annotations

import numpy as np

from tinyrnn.autograd.jacobians import joined
from tinyrnn.autograd.mapped import Array, pull_back
from tinyrnn.autograd.rng import generator
from tinyrnn.autograd.tape import Node
from tinyrnn.autograd.tensor import Tensor


def state_size(leaves: list[Tensor]) -> int:
    """Return ``B S``."""
    return sum(leaf.size for leaf in leaves)


def differs(found: Array, whole: Array, size: Array) -> Array:
    """Where two sums of terms differ by more than rounding; ``size`` is the sum of the terms' moduli."""
    return ~(np.abs(found - whole) <= 1e3 * np.finfo(whole.dtype).eps * (size + np.abs(whole)))


def sent_to(parameters: list[Tensor], leaves: list[Tensor], seeds: Array) -> Array:
    """Send seeds at a state, (n, B, S), back to parameters: (n, P)."""
    return _pulled(leaves, seeds, parameters, 1)[0]


def jacobian_of_rows(before: list[Tensor], after: list[Tensor], rows: int) -> Array | None:
    """Return the Jacobian of each row, (B, S, S), by S seeds for all of them; None where rows are mixed.

    A VJP of a random seed is held against what the blocks make of it.
    """
    size = state_size(after) // rows
    seed = generator(0).standard_normal((rows, size))
    one_hot = np.repeat(np.eye(size)[:, None], rows, axis=1)
    found = _pulled(after, np.concatenate([one_hot, seed[None]]), before, rows)
    J, whole = found[:, :-1], found[:, -1]
    found, sizes = ((s[:, None] @ j)[:, 0] for s, j in ((seed, J), (np.abs(seed), np.abs(J))))
    return None if differs(found, whole, sizes).any() else J


def jacobian_of_all(before: list[Tensor], after: list[Tensor], rows: int) -> Array:
    """Return the Jacobian of all rows together, (B S, B S)."""
    size = state_size(after)
    J = _pulled(after, np.eye(size).reshape((size, rows, -1)), before, rows)  # (B, B S, S)
    return J.swapaxes(0, 1).reshape((size, size))


def _pulled(leaves: list[Tensor], seeds: Array, targets: list[Tensor], rows: int) -> Array:
    """Send seeds at a state, (n, B, S), back: (rows, n, elements of a row of the targets)."""
    nodes: list[Node] = [target.node for target in targets if target.node is not None]
    parts: list[Array] = []
    start = 0
    for leaf in leaves:
        stop = start + leaf.size // seeds.shape[1]
        parts.append(seeds[:, :, start:stop].astype(leaf.dtype).reshape((1, len(seeds), *leaf.shape)))
        start = stop
    found = pull_back([leaf.node for leaf in leaves], parts, nodes)
    return joined(found, targets, (1, len(seeds)), rows)[0]
