"""Products of many matrices, such as the Jacobians of all steps, that neither overflow nor underflow."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyrnn.autograd.rng import generator

__all__ = ["GradedProduct"]

Array = np.ndarray[Any, Any]


class GradedProduct:
    """A product of square matrices, ``Q diag(exp(log_scale)) U Q_0``, one for each row of a batch.

    ``U`` is upper triangular with rows of moderate numbers. ``Q_0`` is a random rotation at the start, by
    which the scales come out in falling order, so that dividing by the larger is all that is ever needed.
    """

    def __init__(self, rows: int, size: int) -> None:
        start, _ = np.linalg.qr(generator(0).standard_normal((rows, size, size)))
        self.orthogonal = start.swapaxes(-1, -2)
        self.triangle = np.broadcast_to(np.eye(size), (rows, size, size)).copy()
        self.log_scale = np.zeros((rows, size))
        # Whether any path leads from one element to another: where units have died, what is left of their
        # singular values is rounding, and the rank says how many are 0.
        self.paths = np.eye(size, dtype=np.float32) + np.zeros((rows, 1, 1), np.float32)

    def multiply(self, matrix: Array) -> None:
        """Multiply by a matrix from the left."""
        self.orthogonal, upper = np.linalg.qr(matrix @ self.orthogonal)
        self.log_scale, self.triangle = _graded(upper, self.log_scale, self.triangle)
        self.paths = (matrix != 0).astype(np.float32) @ self.paths
        self.paths = (self.paths > 0).astype(np.float32)

    def log_singular_values(self) -> Array:
        """Return the natural logarithms of the singular values, falling, (B, S)."""
        scale, triangle = self.log_scale, self.triangle
        for _ in range(30):  # each brings the triangle nearer to a diagonal; the scales to singular values
            # The transpose is triangle' diag(scale); with triangle' = Q V it is Q times V diag(scale).
            _, upper = np.linalg.qr(triangle.swapaxes(-1, -2))
            scale, triangle = _graded(upper, scale, np.eye(scale.shape[-1]))
        result = np.stack([_blocks(s, t) for s, t in zip(scale, triangle)])
        rank = np.minimum(*(self.paths.any(axis=axis).sum(axis=-1) for axis in (-1, -2)))
        return np.where(np.arange(result.shape[-1]) < rank[:, None], -np.sort(-result, axis=-1), -np.inf)


def _graded(upper: Array, scale: Array, triangle: Array) -> tuple[Array, Array]:
    """Write ``upper diag(exp(scale)) triangle`` as ``diag(exp(new scale)) new triangle``."""
    ratio = scale[:, None, :] - scale[:, :, None]
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        product = np.triu(upper * np.exp(np.minimum(ratio, 700.0))) @ triangle
    largest = np.abs(product).max(axis=-1)
    largest = np.where(largest > 0, largest, 1.0)  # a row of zeros stays one
    return scale + np.log(largest), product / largest[..., None]


def _blocks(scale: Array, triangle: Array) -> Array:
    """Return the logarithms of the singular values, where only neighbours of like size are still coupled."""
    size = len(scale)
    coupled = np.abs(triangle) > 1e-13 * np.abs(np.diagonal(triangle))[:, None]
    result = np.empty(size)
    first = 0
    while first < size:
        stop = first + 1
        while np.any(coupled[first:stop, stop:]):
            stop = first + 1 + int(np.max(np.nonzero(coupled[first:stop, first + 1 :])[1])) + 1
        base = scale[first]
        with np.errstate(divide="ignore", over="ignore", under="ignore"):
            block = np.exp(scale[first:stop] - base)[:, None] * triangle[first:stop, first:stop]
            result[first:stop] = np.log(np.linalg.svd(block, compute_uv=False)) + base
        first = stop
    return result
