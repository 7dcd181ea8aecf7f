"""Jacobians on the tape: one VJP for each element of an output, all of them in one pass."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyrnn.autograd.mapped import Array, pull_back
from tinyrnn.autograd.rng import generator
from tinyrnn.autograd.tape import Node

__all__ = ["jacobian", "joined", "one_hot_seeds", "rows_mix"]


def jacobian(
    outputs: Sequence[Node | None], inputs: Sequence[Node], parts: Sequence[Any], rows: int, steps: int = 1
) -> Array:
    """Return the derivative of some records with respect to others, for each row of a batch.

    Parameters
    ----------
    outputs : sequence of Node or None
        None for what is a constant.
    inputs : sequence of Node
        Their records are kept for another pass.
    parts : sequence of Tensor, Mapped or Node
        The outputs, with ``shape`` and ``dtype``.
    rows : int
        B, by which the first axis of all of them counts independent rows; 1 where they are one.
    steps : int
        How many time steps the records are mapped over.

    Returns
    -------
    ndarray, shape (steps, B, S_out, S_in)
    """
    seeds = one_hot_seeds(parts, rows)
    found = pull_back(outputs, seeds, inputs)
    return joined(found, inputs, (steps, seeds[0].shape[1]), rows)


def one_hot_seeds(leaves: Sequence[Any], rows: int) -> list[Array]:
    """Return a seed for each element of a row's state, at that element in all rows.

    Returns
    -------
    list of ndarray, each of shape (1, S, *leaf.shape)
    """
    sizes = [math.prod(leaf.shape) // rows for leaf in leaves]
    seeds: list[Array] = []
    start = 0
    for leaf, size in zip(leaves, sizes, strict=True):
        seed = np.zeros((sum(sizes), rows, size), leaf.dtype)
        seed[np.arange(start, start + size), :, np.arange(size)] = 1
        seeds.append(seed.reshape((1, sum(sizes), *leaf.shape)))
        start += size
    return seeds


def joined(found: list[Array | None], leaves: Sequence[Any], grid: tuple[int, int], rows: int) -> Array:
    """Put the gradients at the parts of a state side by side: (steps, B, seeds, S)."""
    parts: list[Array] = []
    for g, leaf in zip(found, leaves, strict=True):
        size = math.prod(leaf.shape) // rows
        g = np.zeros((1, 1, rows, size), leaf.dtype) if g is None else g.reshape((*g.shape[:2], rows, size))
        parts.append(np.broadcast_to(g, (*grid, rows, size)).swapaxes(1, 2))
    return np.concatenate(parts, axis=-1)


def rows_mix(outputs: Sequence[Node | None], inputs: Sequence[Node], rows: int) -> bool:
    """Whether some row of the outputs depends on another row of the inputs.

    Random seeds in half of the rows must send nothing to the other half. Any two rows stand in different
    halves for one binary digit of their numbers, so ``2 log2(B)`` seeds try all pairs.
    """
    rng = generator(0)
    digits = (np.arange(rows)[None, :] >> np.arange((rows - 1).bit_length())[:, None]) & 1
    halves = np.concatenate([digits, 1 - digits]).astype(bool)  # (seeds, B)
    there = [node for node in outputs if node is not None]
    seeds = [
        rng.standard_normal((1, len(halves), *node.shape)).astype(node.dtype)
        * halves.reshape((1, *halves.shape) + (1,) * (len(node.shape) - 1))
        for node in there
    ]
    for g in pull_back(there, seeds, inputs):
        if g is not None:
            others = g.reshape((*g.shape[:3], -1)) * ~halves[None, :, :, None]
            if np.any(np.abs(np.nan_to_num(others)) > 0):
                return True
    return False
