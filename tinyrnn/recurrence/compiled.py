"""A scan's program and its derivatives, ready to run on arrays."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterable, Sequence
from typing import Any

from tinyrnn.recurrence.backend import chosen_backend
from tinyrnn.recurrence.code import LoopCode
from tinyrnn.recurrence.compiler.connected import connected
from tinyrnn.recurrence.compiler.differentiate import Derivative, differentiate
from tinyrnn.recurrence.compiler.scan_program import ScanProgram
from tinyrnn.recurrence.running.runner import Runner
from tinyrnn.recurrence.running.views import Array

Parts = tuple[list[Array], list[Array], list[Array]]  # consts, carry, xs; or gradients of carry, ys, sums
Results = tuple[list[Array], list[Array], list[Array]]  # carry, ys, sums


class CompiledScan:
    """A scan's program with its runners and derivatives, each made when it is first asked for."""

    def __init__(self, program: ScanProgram, like: CompiledScan | None = None) -> None:
        self.program = program
        self.code = LoopCode(program) if like is None else like.code
        self._like = like  # the same program, under other names
        self._derivatives: dict[Any, CompiledDerivative] = {}

    @functools.cached_property
    def runner(self) -> Runner:
        """What runs the scan as calls of NumPy."""
        return Runner(self.program)

    def run(
        self,
        consts: Sequence[Array],
        carry: Sequence[Array],
        xs: Sequence[Array],
        steps: int,
        *,
        reverse: bool,
        saved: Sequence[bool] = (),
    ) -> Results:
        """Run all steps, in the form that the backend asks for; see `Runner.run`."""
        backend = chosen_backend()
        native = self.code.runner(backend, reverse)
        if native is not None:
            return native.run(consts, carry, xs, steps, reverse=reverse, saved=saved)
        start = time.perf_counter()
        results = self.runner.run(consts, carry, xs, steps, reverse=reverse, saved=saved)
        if backend == "auto":
            self.code.ran(time.perf_counter() - start, reverse)
        return results

    def derivative(self, consts: Sequence[int], xs: Sequence[int]) -> CompiledDerivative:
        """Return the scan's derivative with respect to these consts and xs (positions), and to the carry."""
        key = (tuple(consts), tuple(xs))
        if key not in self._derivatives:
            like = None if self._like is None else self._like.derivative(consts, xs)
            derivative = differentiate(self.program, list(consts), list(xs))
            self._derivatives[key] = CompiledDerivative(derivative, like)
        return self._derivatives[key]


class CompiledDerivative:
    """The two scans of a `Derivative`, compiled."""

    def __init__(self, derivative: Derivative, like: CompiledDerivative | None = None) -> None:
        self.derivative = derivative
        self.saved = derivative.saved
        self.forward = CompiledScan(derivative.forward, like and like.forward)
        self.backward = CompiledScan(derivative.backward, like and like.backward)
        self._connected: dict[Any, list[bool]] = {}
        self._carrying: dict[Any, list[bool]] = {}

    def connected(self, outputs: Iterable[int], steps: int) -> list[bool]:
        """Return for each input (consts, carry, xs) whether a gradient at these outputs reaches it."""
        scan = self.derivative.forward
        key = (frozenset(outputs), steps)
        if key not in self._connected:
            found = connected(scan, key[0], steps)
            _keep(self._connected, key, [i in found for i in (*scan.consts, *scan.carry, *scan.xs)])
        return self._connected[key]

    def carrying(self, wanted: tuple[bool, ...], outputs: Sequence[int], steps: int) -> list[bool]:
        """Return for each output whether a gradient there reaches any of the inputs that are wanted."""
        key = (wanted, steps)
        if key not in self._carrying:
            each = (zip(self.connected((k,), steps), wanted, strict=True) for k in outputs)
            _keep(self._carrying, key, [any(a and b for a, b in pairs) for pairs in each])
        return self._carrying[key]

    @functools.cached_property
    def _layouts(self) -> list[bool]:
        """For each saved value, whether the backward scan wants it feature-major."""
        first = len(self.derivative.backward.xs) - len(self.derivative.forward.ys)
        return [self.backward.runner.feature_major(first + k) for k in range(self.saved)]

    def run_forward(self, parts: Parts, steps: int, *, reverse: bool) -> tuple[Results, list[Array]]:
        """Run the forward scan; return its results, and the saved values as the backward scan wants them."""
        carry, ys, sums = self.forward.run(*parts, steps, reverse=reverse, saved=self._layouts)
        outputs = len(ys) - self.saved
        return (carry, ys[:outputs], sums), ys[outputs:]

    def run_backward(
        self, parts: Parts, saved: list[Array], gradients: Parts, steps: int, *, reverse: bool
    ) -> Results:
        """Run the gradient's scan, the other way; ``gradients`` are those of carry, ys and sums."""
        consts, _, xs = parts
        carry_grads, y_grads, sum_grads = gradients
        return self.backward.run(
            [*consts, *sum_grads], carry_grads, [*xs, *saved, *y_grads], steps, reverse=not reverse
        )


def _keep(known: dict[Any, Any], key: Any, value: Any, most: int = 64) -> None:
    """Remember an answer; sequences of ever new lengths must not pile up."""
    if len(known) >= most:
        known.clear()
    known[key] = value
