"""What drawings show of the tape: a `Record` for each operation, with its time step and its place.

The tape knows values and inputs. A drawing also wants to know at which time step a record was made and in
which layer, which ones hand a state to the next step, which are weights, and where a gradient is cut. All of
that follows from the scopes (`tinyrnn.scope`) and from the edges; no cell has to be known by name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinyrnn.autograd.state import Scope
from tinyrnn.autograd.tape import Node
from tinyrnn.draw.text import norm

__all__ = ["ELEMENTWISE", "MOVES", "Firsts", "Record", "Run", "is_cell"]

MOVES = {"transpose", "reshape", "getitem", "broadcast_to", "astype", "stack", "concatenate"}
ELEMENTWISE = {
    "multiply", "add", "subtract", "divide", "negative", "where", "astype", "relu", "tanh", "sigmoid"
}  # fmt: skip


def is_cell(module: Any) -> bool:
    """Whether a module is made to be called once a step."""
    return hasattr(module, "initial_state")


@dataclass(eq=False)
class Run:
    """One run of a loop: its steps, one after the other."""

    path: str  # the names of the scopes around it, such as ``encoder.l0``
    owner: Any  # the module whose loop it is, if there is one
    key: tuple[Any, ...]  # the same for another run of the same loop
    steps: list[int] = field(default_factory=list[int])  # in the order in which they ran
    offset: int = 0  # what is added to a step to count on from the run that it continues
    named: bool = False  # whether the scopes of its steps have a name
    chain: int = 0  # the same for all runs that go on from one another

    @property
    def whole(self) -> bool:
        """Whether a step is one thing: it has a name, or is the call of a cell."""
        return self.named or is_cell(self.owner)

    @property
    def reverse(self) -> bool:
        """Whether it goes from the last step to the first."""
        return len(self.steps) > 1 and self.steps[1] < self.steps[0]


@dataclass(eq=False, repr=False, slots=True)
class Record:
    """One record of the tape, as drawings see it.

    Its role is ``op``, ``input``, ``weight``, ``state`` (an initial state), ``constant``, ``loss`` (what one
    step adds to the loss), or ``total`` (the sum of the losses).
    """

    node: Node  # on the tape; it has ``value`` and ``grad`` where these were kept
    scopes: tuple[Scope, ...]  # those in which it was made, from the outermost in
    op: str = field(init=False)  # name of the primitive; empty for a leaf
    role: str = "op"
    sources: list[Record] = field(default_factory=list["Record"])  # the operands that have a record,
    slots: list[int] = field(default_factory=list[int])  # and the position of each
    cuts: frozenset[int] = frozenset()  # where the value crosses and the gradient does not (``detach``)
    users: list[Record] = field(default_factory=list["Record"])  # those that have this one as a source
    given: Any = None  # the value of an output, where the tape did not keep it
    reached: bool = True  # a gradient can come to it from what is drawn, by a way that is not cut
    run: Run | None = None  # the run of a loop that it is a part of
    step: int | None = None  # the column of its group; until it is placed, the step of the run
    group: str = ""  # the recurrences that go step by step together with it; see `rolled`
    unit: str = ""  # a module, a cell, a scope, see `units`; empty for what is not computed
    key: tuple[Any, ...] = ()  # which operation of its unit it is, the same at another step
    carry: str = ""  # the state that it hands to the next step; empty where it hands on none
    id: str = ""  # readable, and unique in the drawing, such as ``t3.l0.tanh``

    def __post_init__(self) -> None:
        self.op = self.node.primitive.name if self.node.primitive is not None else ""

    @property
    def depth(self) -> int | None:
        """Which of its scopes says the step; None where none does."""
        return next((i for i, scope in enumerate(self.scopes) if scope.step is not None), None)

    @property
    def is_number(self) -> bool:
        """Whether the value is a single number, in no axis or in one."""
        return self.node.shape in ((), (1,))

    @property
    def name(self) -> str:
        """What the model calls it; empty where it has no name."""
        return self.node.name

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the value."""
        return self.node.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""
        return self.node.dtype

    @property
    def value(self) -> np.ndarray[Any, Any] | None:
        """The value, where it was kept."""
        value = self.given if self.node.value is None else self.node.value
        return None if value is None else np.asarray(getattr(value, "data", value))

    @property
    def grad(self) -> np.ndarray[Any, Any] | None:
        """The gradient, where this backward pass reached the record and gradients were kept."""
        grad = self.node.grad if self.reached else None
        return None if grad is None else np.asarray(grad.numpy() if hasattr(grad, "numpy") else grad)

    @property
    def size(self) -> float | None:
        """The norm of the gradient, where there is one."""
        grad = self.grad
        return None if grad is None else norm(grad)

    def edges(self) -> Iterator[tuple[Record, int]]:
        """Pairs of source and position of the operand."""
        return zip(self.sources, self.slots)

    def __repr__(self) -> str:
        return f"<Record {self.id or self.op or 'leaf'} {self.shape}>"


Firsts = dict[tuple[Record, int], Record]  # by operand: the state that it is the first of
