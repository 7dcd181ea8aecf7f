"""The global modes of recording, each of one thread, and each left with try/finally."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tinyrnn.autograd.arguments import FLAG, FLOATING, TEXT, check, checked, count, misused


class Scope(NamedTuple):
    """Where a record was made: the path of modules, and the time step.

    ``parent`` leads outwards; ``path()`` joins the names of all of them. Each call of a module has a scope of
    its own, whose ``owner`` is the module; a scope that a user opened has none.
    """

    parent: Scope | None = None
    name: str = ""
    step: int | None = None
    owner: Any = None

    def path(self) -> str:
        """Return the names from the outermost in, joined by dots."""
        outer = self.parent.path() if self.parent is not None else ""
        return f"{outer}.{self.name}" if outer and self.name else outer or self.name

    def place(self) -> str:
        """Return where this is, for errors: `` in encoder.rnn at step 3``; the outermost step first."""
        steps: list[str] = []
        scope: Scope | None = self
        while scope is not None:
            if scope.step is not None:
                steps.insert(0, str(scope.step))
            scope = scope.parent
        path = self.path()
        return (f" in {path}" if path else "") + (f" at step {', '.join(steps)}" if steps else "")


def moved(scope: Scope | None, to: dict[int, Scope | None]) -> Scope | None:
    """Return a scope with another one in the place of its outer part.

    Parameters
    ----------
    scope : Scope or None
    to : dict
        What takes the place of the outer part, by the ``id`` of that. It also remembers the scopes made here,
        so that records which shared one still do. They have no owner: nothing keeps the modules alive.
    """
    if id(scope) not in to:
        assert scope is not None
        to[id(scope)] = scope._replace(parent=moved(scope.parent, to), owner=None)
    return to[id(scope)]


_new_scope = tuple.__new__  # as Scope(...), in half the time


class TraceError(RuntimeError):
    """A step did something that cannot be written down as a program; the message says what.

    It is remembered until the end of the trace, for the step's own ``except`` may catch it.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        if thread.modes.refusals is not None:
            thread.modes.refusals.append(message)


class Modes:
    """What a record depends on besides its operands."""

    __slots__ = (
        "backend", "compiled", "finite", "first_step", "keeping", "looking", "probe", "recording", "refusals",
        "scope", "told", "tracing", "transposes", "unrolled", "watching",
    )  # fmt: skip

    def __init__(self) -> None:
        self.recording = True  # off under no_grad
        self.keeping = False  # on where drawings will want values and gradients
        self.watching = False  # on where what is saved has to stay as it is, whoever would change it
        self.finite = False  # on where a NaN or an infinity is an error
        self.looking = False  # on where any of these three is
        self.probe: Callable[..., Any] | None = None  # stands in for scan where a training run is watched
        self.told: Callable[[Any], None] | None = None  # hears there what backward() is called on
        self.unrolled = False  # on where scan is to be recorded step by step
        self.compiled: list[Any] | None = None  # where plans are wanted: the scans compiled so far
        self.backend: str | None = None  # what runs compiled loops, where a block of code asks for one
        self.tracing = False  # on while a step runs on symbols
        self.refusals: list[str] | None = None  # why it cannot be written down, there
        self.scope: Scope | None = None
        # In a backward pass: the matrices met so far, by id; with the transposes of those met twice.
        self.transposes: dict[int, tuple[Any, Any]] | None = None
        self.first_step = 0  # what the outermost step counts from, where the model sees a piece of a stream


class _Thread(threading.local):
    def __init__(self) -> None:
        self.modes = Modes()


thread = _Thread()
_default_dtype: np.dtype[np.floating] = np.dtype(np.float32)


class Mode(contextlib.ContextDecorator):
    """Modes of the thread that hold inside of a ``with`` block, or of a function that it decorates."""

    # Each scan enters some: a generator would cost three times as much.
    def __init__(self, **values: Any) -> None:
        self._values = values
        self._before: list[tuple[Modes, dict[str, Any]]] = []

    def _recreate_cm(self) -> Mode:  # each call of a decorated function has its own, in whatever thread
        return Mode(**self._values)

    def __repr__(self) -> str:
        return f"Mode({', '.join(f'{name}={value}' for name, value in self._values.items())})"

    def __enter__(self) -> None:
        modes = thread.modes
        self._before.append((modes, {name: getattr(modes, name) for name in self._values}))
        for name, value in self._values.items():
            setattr(modes, name, value)

    def __exit__(self, *_: object) -> None:
        modes, before = self._before.pop()
        for name, value in before.items():
            setattr(modes, name, value)


def probing(probe: Callable[..., Any] | None, told: Callable[[Any], None] | None = None) -> Mode:
    """Call, inside, ``probe(step, carry, xs, **options)`` instead of `scan`; None takes it away again.

    ``told`` is called with each Tensor on which ``backward()`` is called.
    """
    return Mode(probe=probe, told=told)


def tracing() -> Mode:
    """Refuse, inside, what cannot be written down as a program."""
    return Mode(tracing=True, refusals=[])


def backward_pass() -> Mode:
    """Keep, inside, the transposes of matrices that are met more than once."""
    return Mode(transposes={})


def no_grad() -> Mode:
    """Record nothing inside: results carry no gradient and nothing is kept for a backward pass.

    Serves as a context and as a decorator.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> w = tr.tensor([1.0, 2.0], requires_grad=True)
    >>> with tr.no_grad():
    ...     (w * 2).requires_grad
    False
    """
    return Mode(recording=False)


def enable_grad() -> Mode:
    """Record again inside a `no_grad` block.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> x = tr.tensor([1.0], requires_grad=True)
    >>> with tr.no_grad():
    ...     a = 2 * x
    ...     with tr.enable_grad():
    ...         b = 2 * x
    >>> a.requires_grad, b.requires_grad
    (False, True)
    """
    return Mode(recording=True)


def unrolled() -> Mode:
    """Record every `scan` step by step and op by op, and keep all values and gradients for drawings.

    Outside of it a scan is compiled, and is one record on the tape; a drawing then shows shapes only. Inside,
    each record also holds its value, and after ``backward()`` its gradient. Numbers are the same in both
    forms.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> rnn = tr.nn.RNN(2, 3)
    >>> with tr.unrolled():
    ...     y, h = rnn(tr.zeros((4, 1, 2)))
    """
    return Mode(unrolled=True, keeping=True, looking=True)


@checked(check_nan=FLAG)
def detect_anomaly(check_nan: bool = True) -> Mode:
    """Find where a NaN comes from, and what was changed between the forward pass and the backward pass.

    To be put around both passes. Inside, each result and each gradient is looked at, and the first that has a
    NaN or an infinity is an error that names the operation, the module's scope and the time step. What a
    record saves is compared with itself at the time of use, and is an error where it was changed in place
    (``x[:] = ...`` on an array that is used again, ``y.data[...] = ...``). A compiled `scan` stays compiled,
    and is run once more step by step for that. All of this takes time: it is for finding a fault.

    Parameters
    ----------
    check_nan : bool
        Whether NaN and infinities are errors; what was saved is compared in any case. A model in which they
        belong, such as one that masks by ``-inf``, sets it to False.

    Raises
    ------
    AnomalyError
        Inside, as said.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> x = tr.tensor([1.0, 0.0], requires_grad=True)
    >>> with tr.detect_anomaly(), tr.scope("head"):
    ...     loss = tr.sqrt(x).sum()
    ...     loss.backward()
    Traceback (most recent call last):
    ...
    tinyrnn.autograd.anomaly.AnomalyError: backward: the gradient of 'sqrt' in head, at its operand x, of \
shape (2,), is inf at [1]
    """
    return Mode(watching=True, finite=check_nan, looking=True)


_STEP = count(0).or_none()


class scope:
    """Name the part of a model, or the time step, in which the records inside are made.

    Modules and `scan` do this by themselves; a loop written by hand does it where it is going to be drawn.

    Parameters
    ----------
    name : str
        A part of the path, such as a module's name.
    step : int, optional
        The time step, counted from 0. Drawings call the state that step 0 makes h₁.
    owner : object, optional
        The module that computes inside, where its call has no scope of its own.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> h = tr.zeros(3)
    >>> for t in range(2):
    ...     with tr.scope("rnn", step=t):
    ...         h = tr.tanh(h + 1)
    """

    # It stands around every step and layer: a generator would cost twice as much.
    __slots__ = ("_before", "_modes", "_name", "_owner", "_step")

    def __init__(self, name: str = "", *, step: int | None = None, owner: Any = None) -> None:
        if type(name) is not str or not (step is None or (type(step) is int and step >= 0)):
            check("scope", "name", name, TEXT)
            check("scope", "step", step, _STEP)
        self._name = name
        self._step = step
        self._owner = owner

    def __enter__(self) -> None:
        self._modes = modes = thread.modes
        self._before = modes.scope, modes.first_step
        step = self._step
        if step is not None and modes.first_step:
            step += modes.first_step
            modes.first_step = 0  # a loop inside of the step counts for itself
        modes.scope = _new_scope(Scope, (modes.scope, self._name, step, self._owner))

    def __exit__(self, *_: object) -> None:
        self._modes.scope, self._modes.first_step = self._before


def steps_from(first: int) -> Mode:
    """Count the steps of `scope` from ``first``: what runs inside is a piece of a longer stream."""
    return Mode(first_step=first)


def set_default_dtype(dtype: npt.DTypeLike) -> None:
    """Set the dtype of new parameters and of Tensors made of Python floats: float32 (as at first) or float64.

    Parameters
    ----------
    dtype : dtype_like

    Raises
    ------
    TypeError
        Where the dtype is not a floating one.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.set_default_dtype("float64")
    >>> tr.tensor([1.0]).dtype
    dtype('float64')
    >>> tr.set_default_dtype("float32")
    """
    global _default_dtype
    if dtype is None or not FLOATING.of_type(dtype):
        raise misused(dtype, "a floating dtype such as float32 or float64")
    new: np.dtype[Any] = np.dtype(dtype)
    _default_dtype = new


def get_default_dtype() -> np.dtype[np.floating]:
    """Return the dtype that new parameters get.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.get_default_dtype()
    dtype('float32')
    """
    return _default_dtype
