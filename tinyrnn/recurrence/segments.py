"""Segments: a scan that keeps its carry every so many steps, and works out the rest again when it goes back.

Both passes run segment by segment, and what one saves goes when the next begins: the gradient is
exact, and the memory O(T / k + k) for segments of k steps.
"""

from __future__ import annotations

import numpy as np

from tinyrnn.recurrence.compiled import CompiledDerivative, CompiledScan, Parts, Results
from tinyrnn.recurrence.running.views import Array


class Segments:
    """What a segmented scan keeps: the carry at the beginning of each segment."""

    def __init__(self, size: int, steps: int, *, reverse: bool) -> None:
        bounds = [(low, min(low + size, steps)) for low in range(0, steps, size)]
        self.bounds = bounds[::-1] if reverse else bounds
        self.steps = steps
        self.reverse = reverse
        self.carries: list[list[Array]] = []

    def run_forward(self, scan: CompiledScan, parts: Parts) -> Results:
        """Run segment after segment, saving nothing inside."""
        consts, carry, xs = parts
        ys: list[Array] = []
        sums: list[Array] = []
        for low, high in self.bounds:
            self.carries.append(carry)
            cut = [x[low:high] for x in xs]
            carry, y_parts, sum_parts = scan.run(consts, carry, cut, high - low, reverse=self.reverse)
            ys = self._with(ys, y_parts, low, high)
            sums = [a + b for a, b in zip(sums, sum_parts, strict=True)] if sums else sum_parts
        return carry, ys, sums

    def run_backward(self, derivative: CompiledDerivative, parts: Parts, gradients: Parts) -> Results:
        """Run segment after segment from the last: forward once more, and then back."""
        consts, _, xs = parts
        carry_grads, y_grads, sum_grads = gradients
        x_grads: list[Array] = []
        totals: list[Array] = []
        for (low, high), carry in zip(reversed(self.bounds), reversed(self.carries), strict=True):
            cut = (consts, carry, [x[low:high] for x in xs])
            _, saved = derivative.run_forward(cut, high - low, reverse=self.reverse)
            here = (carry_grads, [g[low:high] for g in y_grads], sum_grads)
            carry_grads, x_parts, sums = derivative.run_backward(
                cut, saved, here, high - low, reverse=self.reverse
            )
            x_grads = self._with(x_grads, x_parts, low, high)
            totals = [a + b for a, b in zip(totals, sums, strict=True)] if totals else sums
        return carry_grads, x_grads, totals

    def _with(self, whole: list[Array], parts: list[Array], low: int, high: int) -> list[Array]:
        """Write a segment's part of some arrays over all steps; the first part makes them."""
        whole = whole or [np.empty((self.steps, *part.shape[1:]), part.dtype) for part in parts]
        for a, part in zip(whole, parts, strict=True):
            a[low:high] = part
        return whole
