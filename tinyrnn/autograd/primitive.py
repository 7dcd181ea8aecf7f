"""What an operation is, and the one door by which every operation enters.

A `Primitive` is a forward function on arrays, a shape rule, and for each operand a VJP: the rule that turns
the gradient of the result into the gradient of that operand. A VJP *names what it needs*, and what it does
not name is not kept for the backward pass:

==================  ==============================================================
``g``               the gradient coming in (always first)
``ans``             the value that the operation gave
an operand's name   the value of that operand
``<operand>_shape`` only its shape
``rest``            the values of all operands after the first (index arrays)
a parameter's name  a static parameter of the operation, such as ``axis``
==================  ==============================================================

So ``tanh`` is ``Primitive("tanh", np.tanh, x=lambda g, ans: g * (1 - ans * ans))``: it keeps its result and
nothing else. Rules are written in the operators and functions of the library itself, and that is why one rule
serves plain arrays (the ordinary backward pass), Tensors (a gradient of a gradient) and symbols (a compiled
backward loop).
"""

from __future__ import annotations

import functools
import math
import threading
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tinyrnn.autograd.definition import defaults_of

Shape = tuple[int, ...]
_growing = threading.Lock()
_RULES_KEPT = 4096  # of one operation: a stack of a million steps must not leave a million rules
NONE: dict[str, Any] = {}  # shared by all operations without parameters; never changed


@functools.lru_cache(1024)
def known_shape(shape: Shape) -> Shape:
    """Return a shape as the one object that stands for it: shapes recur, and long-lived records hold them."""
    return shape


class Value:
    """Something that stands for an array in a computation: a `Tensor`, or a symbol of a trace."""

    __slots__ = ()

    @property
    def shape(self) -> Shape:
        """The length of each axis."""
        raise NotImplementedError

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the elements."""
        raise NotImplementedError

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def _apply(self, primitive: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
        raise NotImplementedError


class Rule:
    """The VJP of one operand, with what it asks to be saved.

    Attributes
    ----------
    vjp : callable
        ``vjp(g, *saved) -> gradient of the operand``, before unbroadcasting.
    needs : tuple of str
        The names after ``g``, as the module's docstring lists them.
    pick : callable
        ``pick(ans, args, params) -> saved``.
    code : str
        The expression that ``pick`` evaluates.
    """

    __slots__ = ("_pick", "code", "needs", "sources", "vjp")

    def __init__(self, vjp: Callable[..., Any], operands: tuple[str, ...]) -> None:
        self.vjp = vjp
        code = vjp.__code__  # inspect.signature says the same, in ten times the time
        self.needs = code.co_varnames[1 : code.co_argcount]
        # Where each saved value comes from: the position of an operand, -1 for `ans`, None for the rest.
        self.sources = tuple(
            -1 if name == "ans" else operands.index(name) if name in operands else None for name in self.needs
        )
        self.code = _code(self.needs, operands)
        self._pick: Callable[..., tuple[Any, ...]] | None = None

    @property
    def pick(self) -> Callable[..., tuple[Any, ...]]:
        """The function that collects what the rule needs, made when it is first asked for."""
        if self._pick is None:
            self._pick = _function("ans, args, params", self.code)
        return self._pick


def _code(needs: tuple[str, ...], operands: tuple[str, ...]) -> str:
    """Write the expression that collects what a rule needs."""

    def source(name: str) -> str:
        if name == "ans":
            return "ans"
        if name in operands:
            return f"args[{operands.index(name)}]"
        if name == "rest":
            return "args[1:]"
        operand = name.removesuffix("_shape")
        if operand != name and operand in operands:
            return f"known(args[{operands.index(operand)}].shape)"
        return f"params[{name!r}]"

    return "(" + "".join(source(name) + ", " for name in needs) + ")"


def _function(arguments: str, expression: str) -> Callable[..., Any]:
    return eval(f"lambda {arguments}: {expression}", {"known": known_shape})


class Primitive:
    """An operation: its name, its forward on arrays, its shape rule and its VJPs.

    Parameters
    ----------
    name : str
        Its name, as drawings and errors show it.
    forward : callable
        ``forward(*arrays, **params) -> array``. A NumPy ufunc where there is one: it can write into ``out``.
    operands : str, optional
        The names of the operands, where some have no VJP (indices and conditions carry no gradient).
    shape : callable, optional
        ``shape(*shapes, **params) -> shape`` of the result; broadcasting unless given.
    dtype : callable, optional
        ``dtype(*dtypes, **params) -> dtype`` of the result; unless given, that of the operands with a VJP,
        promoted.
    elementwise : bool
        Each number of the result is made of the numbers at its own place alone, once the operands are
        broadcast: a compiled scan may then work on many steps in one call. NumPy's ufuncs are known to be so.
    variadic : callable, optional
        For operations on any number of operands: ``variadic(i)`` is the VJP of operand ``i``, or None. The
        VJPs of all of them ask for the same.
    accumulate : callable, optional
        ``accumulate(total, owned, g, *saved) -> total``: the VJP of the first operand, added to the gradient
        that the operand has so far (None at first; to be changed in place only where ``owned``).
    joint : callable, optional
        For operations whose gradients belong together: ``joint(node, g) -> gradients`` of all the operands at
        once.
    lower : callable, optional
        The same operation in simpler ones, which gives the compiler more to simplify.
    **vjps : callable
        One VJP for each operand that can have a gradient, by the operand's name.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> import numpy as np
    >>> cube = tr.Primitive("cube", lambda x: x**3, x=lambda g, x: g * 3 * x * x)
    >>> x = tr.tensor([1.0, 2.0], requires_grad=True)
    >>> cube(x).sum().backward()
    >>> x.grad
    tensor([ 3., 12.])
    >>> tr.testing.check_grads(cube, np.array([0.5, -1.0]))
    """

    __slots__ = (
        "_most",
        "accumulate",
        "collect",
        "defaults",
        "differentiable",
        "dtype",
        "elementwise",
        "forward",
        "joint",
        "lower",
        "name",
        "operands",
        "rules",
        "shape",
        "variadic",
    )

    def __init__(
        self,
        name: str,
        forward: Callable[..., Any],
        *,
        operands: str | None = None,
        shape: Callable[..., Shape] | None = None,
        dtype: Callable[..., Any] | None = None,
        elementwise: bool = False,
        variadic: Callable[[int], Callable[..., Any] | None] | None = None,
        accumulate: Callable[..., Any] | None = None,
        joint: Callable[..., Any] | None = None,
        lower: Callable[..., Any] | None = None,
        **vjps: Callable[..., Any],
    ) -> None:
        self.name = name
        self.forward = forward
        self.operands = tuple(operands.replace(",", " ").split()) if operands else tuple(vjps)
        self.defaults = defaults_of(name, forward, self.operands, vjps)
        self._most = math.inf if variadic or not self.operands else len(self.operands)
        self.shape = shape or broadcast_shape
        self.dtype = dtype
        self.elementwise = elementwise or (isinstance(forward, np.ufunc) and forward.signature is None)
        self.variadic = variadic
        self.accumulate = accumulate
        self.joint = joint
        self.lower = lower
        self.rules: list[Rule | None] = [
            Rule(vjps[name], self.operands) if name in vjps else None for name in self.operands
        ]
        self.differentiable = bool(vjps or variadic or joint)
        self.collect: Callable[..., Any] = self._collect_any if variadic else self._collect_first

    def rule(self, position: int) -> Rule | None:
        """Return the rule of the operand at a position; None where it carries no gradient."""
        if self.variadic is not None and position >= len(self.rules):
            if position >= _RULES_KEPT:
                return self._variadic_rule(position)
            with _growing:  # two threads must not both add the same rule
                for i in range(len(self.rules), position + 1):
                    self.rules.append(self._variadic_rule(i))
        return self.rules[position]

    def rules_of(self, count: int) -> Iterable[Rule | None]:
        """Return the rules of so many operands."""
        return self.rules if self.variadic is None else map(self.rule, range(count))

    def _variadic_rule(self, position: int) -> Rule | None:
        vjp = self.variadic(position) if self.variadic is not None else None
        return Rule(vjp, ()) if vjp else None

    def _collect_first(self, *given: Any) -> Any:
        """Write the collector now that it is asked for: an import writes none of the 150."""
        self.collect = self._collector()
        return self.collect(*given)

    def _collector(self) -> Callable[..., Any]:
        """Write ``collect(ans, args, params, inputs) -> saved``; it runs for each operation that is recorded.

        What it gives has, for each operand with a record, what the rule needs; it is None where there is no
        gradient to carry.
        """
        carried = [f"inputs[{i}] is not None" for i, rule in enumerate(self.rules) if rule]
        parts = [
            f"{rule.code} if inputs[{i}] is not None else None" if rule else "None"
            for i, rule in enumerate(self.rules)
        ]
        return _function(
            "ans, args, params, inputs",
            f"({', '.join(parts)},) if {' or '.join(carried)} else None" if carried else "None",
        )

    def _collect_any(self, ans: Any, args: Any, params: Any, inputs: Any) -> Any:
        """Do the same for any number of operands."""
        if inputs.count(None) == len(inputs):
            return None
        named = len(self.operands)
        saved = [
            None if node is None or rule is None else rule.pick(ans, args, params)
            for node, rule in zip(inputs[:named], self.rules)
        ]
        if len(inputs) > named:  # the rules of all others ask for the same
            rule = self.rule(named)
            kept = None if rule is None else rule.pick(ans, args, params)
            saved += [None if node is None else kept for node in inputs[named:]]
        return saved if saved.count(None) < len(saved) else None

    def __call__(self, *args: Any, **params: Any) -> Any:
        """Apply the operation: compute plain arrays, record Tensors, write down symbols.

        This is the one door. Which of the three happens is decided by the first operand that is not a plain
        array.
        """
        if self.defaults:
            params = {**self.defaults, **params}
        for arg in args:
            if isinstance(arg, Value):
                if len(args) > self._most:
                    raise TypeError(
                        f"{self.name} got {len(args)} operands; expected {', '.join(self.operands)}, and its "
                        "parameters by name"
                    )
                return arg._apply(self, args, params or NONE)
        return self.forward(*args, **params)

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"


def broadcast_shape(*shapes: Shape, **_: Any) -> Shape:
    """Return the shape that operands of these shapes broadcast to."""
    return _broadcast(*shapes)


# A step is traced at each call, and asks for the same shapes.
_broadcast = functools.lru_cache(maxsize=1024)(np.broadcast_shapes)
