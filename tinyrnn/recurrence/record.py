"""The compiled scan on the tape: one record, whose gradient is another scan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from tinyrnn.autograd.anomaly import Watched, check_unchanged
from tinyrnn.autograd.backward import backpropagate
from tinyrnn.autograd.primitive import NONE, Primitive
from tinyrnn.autograd.primitives import reshape
from tinyrnn.autograd.state import enable_grad, thread
from tinyrnn.autograd.tape import Node
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.recurrence.compiled import CompiledDerivative, CompiledScan, Parts
from tinyrnn.recurrence.fallback import warn_of_gradient
from tinyrnn.recurrence.rerun import record_steps
from tinyrnn.recurrence.running.views import Array
from tinyrnn.recurrence.segments import Segments


def apply_scan(
    scan: CompiledScan,
    consts: list[Any],
    carry: list[Any],
    xs: list[Any],
    steps: int,
    *,
    reverse: bool,
    segment: int | None = None,
) -> list[Tensor]:
    """Run a scan on Tensors, and record it as one node where a gradient is wanted.

    Returns
    -------
    list of Tensor
        The carry, the ys, the sums.
    """
    operands = [*consts, *carry, *xs]
    inputs = [x.node if isinstance(x, Tensor) else None for x in operands]
    arrays = [x.data if isinstance(x, Tensor) else x for x in operands]
    parts = _split(arrays, len(consts), len(carry))
    if not thread.modes.recording or not any(inputs):
        carry_out, ys, sums = scan.run(*parts, steps, reverse=reverse)
        return [Tensor(a) for a in (*carry_out, *ys, *sums)]
    first_x = len(consts) + len(carry)
    wanted_consts = [i for i in range(len(consts)) if inputs[i] is not None]
    wanted_xs = [i for i in range(len(xs)) if inputs[first_x + i] is not None]
    derivative = scan.derivative(wanted_consts, wanted_xs)
    if thread.modes.compiled is not None:
        thread.modes.compiled.append((derivative, steps, reverse, thread.modes.scope))
    if segment is None:
        saved: Any
        (carry_out, ys, sums), saved = derivative.run_forward(parts, steps, reverse=reverse)
    else:
        saved = Segments(segment, steps, reverse=reverse)
        carry_out, ys, sums = saved.run_forward(scan, parts)
    outputs = [*carry_out, *ys, *sums]
    record = ScanNode(derivative, inputs, parts, saved, steps, reverse)
    if thread.modes.watching:
        record.saved = Watched(record)
    carries = record.carries()
    return [Tensor(a, record.output(k, a) if carries[k] else None) for k, a in enumerate(outputs)]


def _split(operands: list[Any], consts: int, carry: int) -> tuple[list[Any], list[Any], list[Any]]:
    return operands[:consts], operands[consts : consts + carry], operands[consts + carry :]


class ScanNode(Node):
    """The record of a compiled scan. Its outputs are records of their own, that point here."""

    __slots__ = ("count", "derivative", "first_step", "reverse", "steps")

    def __init__(
        self,
        derivative: CompiledDerivative,
        inputs: Sequence[Node | None],
        parts: Parts,
        saved: list[Array] | Segments,
        steps: int,
        reverse: bool,
    ) -> None:
        super().__init__(SCAN, inputs, [(parts, saved)], NONE, (), np.dtype(np.float32), thread.modes.scope)
        self.derivative = derivative
        self.count = len(derivative.forward.program.outputs) - derivative.saved
        self.steps = steps
        self.reverse = reverse
        self.first_step = thread.modes.first_step

    def times(self, low: int, high: int) -> range:
        """Return the steps from ``low`` to ``high`` as scopes count them, in the order in which they run."""
        times = range(self.first_step + low, self.first_step + high)
        return times[::-1] if self.reverse else times

    def carries(self) -> list[bool]:
        """Return for each output whether it depends on anything that requires grad."""
        wanted = tuple(n is not None for n in self.inputs)
        return self.derivative.carrying(wanted, self._outputs_of(range(self.count)), self.steps)

    def output(self, k: int, array: Array) -> Node:
        """Return the record of one output; after the scan's own outputs come its saved values."""
        return Node(OUTPUT, [self], [(k,)], {"output": k}, array.shape, array.dtype, self.scope)

    def needed(self, saved: Any) -> Iterator[tuple[Node | None, str, Array]]:
        """Yield each array that the gradient's scan takes from what was saved."""
        ((parts, values),) = saved
        scan = self.derivative.derivative.backward
        arrays = [a for part in parts for a in part]
        consts, carry = len(parts[0]), len(parts[1])
        if isinstance(values, Segments):  # all of it runs forward once more
            read = set(range(len(arrays)))
        else:
            roots = [*scan.ys, *scan.sums]
            if self.steps > 1 or any(self.inputs[consts : consts + carry]):
                roots += scan.carry_out
            lines = set(scan.program.needed(roots))
            read = {k for k in range(consts) if scan.consts[k] in lines}
            read |= {consts + carry + k for k in range(len(parts[2])) if scan.xs[k] in lines}
        forward = self.derivative.forward.program
        places = [*forward.consts, *forward.carry, *forward.xs]
        for k in sorted(read):
            name = forward.program.lines[places[k]].name
            yield None, f"its operand {name or k}", arrays[k]
        if not isinstance(values, Segments):
            for k, value in enumerate(values):
                yield None, f"its saved value {k}", value

    def backward(self, saved: Any, gradients: dict[int, Any], wrap: Any) -> list[Any]:
        """Run the gradient's scan; return a gradient for each input."""
        ((parts, values),) = saved
        if any(k >= self.count for k in gradients):
            return self._backward_of_saved(parts, gradients, wrap)
        program = self.derivative.forward.program
        carry = parts[1]
        carry_count = len(carry)
        ys_count = len(program.ys) - self.derivative.saved

        def gradient(k: int, like: Any, lead: tuple[int, ...] = ()) -> Any:
            g = gradients.get(k)
            return np.zeros((*lead, *like.shape), like.dtype) if g is None else g

        lines = program.program.lines
        carry_grads = [gradient(k, lines[i]) for k, i in enumerate(program.carry_out)]
        y_grads = [
            gradient(carry_count + k, lines[i], (self.steps,)) for k, i in enumerate(program.ys[:ys_count])
        ]
        sum_grads = [gradient(carry_count + ys_count + k, lines[i]) for k, i in enumerate(program.sums)]
        incoming = (carry_grads, y_grads, sum_grads)
        if thread.modes.finite:
            self._look_again(parts, incoming)
        try:
            result = self._compiled(parts, values, incoming, wrap)
        except MemoryError:
            raise
        except Exception as error:  # the compiler's own, since the forward pass went through the same lines
            result = self._step_by_step(parts, incoming, wrap)
            warn_of_gradient(self.scope.path() if self.scope is not None else "", error)
        reached = self.derivative.connected(self._outputs_of(gradients), self.steps)
        return [g if here else None for g, here in zip(result, reached, strict=True)]

    def _outputs_of(self, gradients: Iterable[int]) -> list[int]:
        """Return the numbers that outputs have in the scan that also gives the saved values.

        There these stand between the ys and the sums.
        """
        first_sum = self.count - len(self.derivative.forward.program.sums)
        return [k if k < first_sum else k + self.derivative.saved for k in gradients]

    def _compiled(self, parts: Parts, values: Any, incoming: Parts, wrap: Any) -> list[Any]:
        consts, carry, xs = parts
        carry_grads, y_grads, sum_grads = incoming
        if wrap is None:
            if isinstance(values, Segments):
                results = values.run_backward(self.derivative, parts, incoming)
            else:
                results = self.derivative.run_backward(
                    parts, values, incoming, self.steps, reverse=self.reverse
                )
            outputs: list[Any] = [a for part in results for a in part]
        else:
            if isinstance(values, Segments):
                _, values = self.derivative.run_forward(parts, self.steps, reverse=self.reverse)
            operands = [
                x if n is None else wrap(x, n)
                for x, n in zip([*consts, *carry, *xs], self.inputs, strict=True)
            ]
            consts, _, xs = _split(operands, len(consts), len(carry))
            values = [
                Tensor(v, self.output(self.count + k, v)) if v.dtype.kind == "f" else v
                for k, v in enumerate(values)
            ]
            outputs = apply_scan(
                self.derivative.backward,
                [*consts, *sum_grads],
                carry_grads,
                [*xs, *values, *y_grads],
                self.steps,
                reverse=not self.reverse,
            )
        return self._in_order_of_inputs(outputs, len(consts), len(carry))

    def _step_by_step(self, parts: Parts, incoming: Parts, wrap: Any) -> list[Any]:
        """Go back along the recorded steps."""
        arrays = [a for part in parts for a in part]
        with enable_grad():
            # Records of their own, since one Tensor may stand in several places.
            operands = [
                reshape(Tensor(a, n), shape=a.shape) for a, n in zip(arrays, self.inputs, strict=True)
            ]
            times = self.times(0, self.steps)
            outputs = record_steps(self.derivative.forward.program, self.count, operands, times, self.scope)
        gradients = [g for part in incoming for g in part]
        roots = {}
        for y, g in zip(outputs, gradients, strict=True):
            if y.node is not None:
                g = g if wrap is None or isinstance(g, Tensor) else Tensor(g)
                roots[y.node] = roots[y.node] + g if y.node in roots else g
        targets = {x.node for x in operands if x.node is not None}
        found = backpropagate(roots, targets=targets, wrap=wrap)
        return [None if x.node is None else found.get(x.node) for x in operands]

    def _look_again(self, parts: Parts, incoming: Parts) -> None:
        """Go back step by step, block by block from the last: what is not finite is met by name."""
        program, block = self.derivative.forward.program, 64
        consts, carry, xs = parts
        carry_grads, y_grads, sum_grads = (
            [g.data if isinstance(g, Tensor) else g for g in part] for part in incoming
        )
        blocks = Segments(block, self.steps, reverse=self.reverse)
        blocks.run_forward(self.derivative.forward, parts)
        for (low, high), carry in zip(reversed(blocks.bounds), reversed(blocks.carries), strict=True):
            arrays = [*consts, *carry, *(x[low:high] for x in xs)]
            wanted = [n is not None for n in self.inputs]
            wanted[len(consts) : len(consts) + len(carry)] = [True] * len(carry)
            operands = [Tensor(a) for a in arrays]
            with enable_grad():
                for x, want in zip(operands, wanted, strict=True):
                    x.requires_grad = want and x.dtype.kind == "f"
                outputs = record_steps(program, self.count, operands, self.times(low, high), self.scope)
            gradients = [*carry_grads, *(g[low:high] for g in y_grads), *sum_grads]
            roots = {y.node: g for y, g in zip(outputs, gradients, strict=True) if y.node is not None}
            found = backpropagate(roots)
            first = operands[len(consts) : len(consts) + len(carry)]
            carry_grads = [
                found[h.node] if h.node in found else np.zeros(h.shape, h.dtype)  # pyright: ignore
                for h in first
            ]

    def _in_order_of_inputs(self, outputs: list[Any], consts: int, carry: int) -> list[Any]:
        derivative = self.derivative.derivative
        wanted_xs = derivative.wanted_xs
        result: list[Any] = [None] * len(self.inputs)
        for k in range(carry):
            if self.inputs[consts + k] is not None:
                result[consts + k] = outputs[k]
        for k, i in enumerate(wanted_xs):
            result[consts + carry + i] = outputs[carry + k]
        for k, i in enumerate(derivative.wanted_consts):
            result[i] = outputs[carry + len(wanted_xs) + k]
        return result

    def _backward_of_saved(self, parts: Any, gradients: dict[int, Any], wrap: Any) -> list[Any]:
        """Differentiate the scan together with its saved values.

        Those get gradients in a recorded backward pass. The forward pass did not save what this needs, so it
        runs again, as a scan that has them as outputs.
        """
        check_unchanged(self, [(parts, Segments(1, 0, reverse=False))])  # of which all is needed
        wanted = self.derivative.derivative
        again = self.derivative.forward.derivative(wanted.wanted_consts, wanted.wanted_xs)
        (_, _, sums), saved = again.run_forward(parts, self.steps, reverse=self.reverse)
        node = ScanNode(again, self.inputs, parts, saved, self.steps, self.reverse)
        # Its outputs are numbered carry, ys, saved values, sums; ours carry, ys, sums, saved values.
        first = self.count - len(sums)
        moved = {}
        for k, g in gradients.items():
            if k < first:
                moved[k] = g
            elif k < self.count:
                moved[k + self.derivative.saved] = g
            else:
                moved[k - len(sums)] = g
        return node.backward(node.saved, moved, wrap)


def _joint(node: ScanNode, saved: Any, g: dict[int, Any], wrap: Any) -> list[Any]:
    return node.backward(saved, g, wrap)


def _gather(total: dict[int, Any] | None, owned: bool, g: Any, k: int) -> dict[int, Any]:
    """Collect the gradients of a scan's outputs."""
    total = {} if total is None else total
    total[k] = g if k not in total else total[k] + g
    return total


SCAN = Primitive("scan", lambda *_: None, joint=_joint)
OUTPUT = Primitive("output", lambda x: x, operands="scan", accumulate=_gather)
