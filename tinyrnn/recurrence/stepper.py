"""`Stepper`: a step bound once to its parameters, which keeps its state: a model that follows a stream."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any

import numpy as np

from tinyrnn.autograd.arguments import FUNCTION, checked
from tinyrnn.autograd.changes import latest_change
from tinyrnn.autograd.creation import as_tensor
from tinyrnn.autograd.operands import plain_array
from tinyrnn.autograd.state import TraceError, no_grad, thread
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.recurrence.fallback import warn_of_step
from tinyrnn.recurrence.lookup import look_up
from tinyrnn.recurrence.loop import Step, as_tensors, single_step, take_step
from tinyrnn.recurrence.running.single import SingleSteps
from tinyrnn.recurrence.traced import Structure, Untraceable, trace_step
from tinyrnn.recurrence.tree import Tree, flatten

Array = np.ndarray[Any, Any]


class BoundStep:
    """A step compiled and bound to its parameters as they are now.

    Parameters
    ----------
    step, carry, xs
        As in `scan`, but that ``xs`` have no time axis.
    kept : container of int
        Leaves of the carry that the step hands back as they came, such as the keys that attention looks at:
        they are constants of it.

    Raises
    ------
    Untraceable
        Where it cannot be compiled.
    """

    def __init__(self, step: Step, carry: Structure, xs: Structure, kept: Container[int] = ()) -> None:
        self._leaves, self._tree = list(carry.leaves), carry.tree
        self._moving = [i for i in range(len(carry.leaves)) if i not in kept]
        moving = Structure(*flatten(tuple(carry.leaves[i] for i in self._moving)))
        sequence = Structure([Tensor(x.data[None]) for x in xs.leaves], xs.tree)
        try:
            with no_grad():
                traced = trace_step(self._of_moving(step), moving, sequence, None)
                runner = look_up(traced).runner
                consts = [v.data if isinstance(v, Tensor) else v for v in traced.trace.closed.values()]
                self._steps = SingleSteps(runner, consts, [leaf.data for leaf in moving.leaves])
        except (Untraceable, MemoryError):
            raise
        except Exception as error:
            raise Untraceable(f"of {type(error).__name__} in the compiler: {error}") from error
        self._y_tree = traced.y_tree
        self._order = latest_change()

    def _of_moving(self, step: Step) -> Step:
        """Return the step from and to those leaves of the carry that it changes, as a tuple."""
        leaves, tree, moving = self._leaves, self._tree, self._moving

        def part(carry: tuple[Any, ...], x: Any) -> tuple[Any, Any]:
            old = list(leaves)
            for i, leaf in zip(moving, carry, strict=True):
                old[i] = leaf
            new, y = take_step(step, tree.unflatten(old), x)
            found, form = flatten(new, like=tree)
            if form != tree or any(found[i] is not old[i] for i in range(len(old)) if i not in moving):
                raise TraceError("it changes the form of its carry, or now a part that it handed back before")
            return tuple(found[i] for i in moving), y

        return part

    @property
    def stale(self) -> bool:
        """Whether the step is to run as it is, or to be bound anew.

        Since it was bound the library has changed a parameter or a mode, of whatever model; or here every
        value is looked at.
        """
        return latest_change() != self._order or watched()

    @property
    def xs(self) -> list[Array]:
        """The inputs of the last step, of the shapes and dtypes that the step was bound for."""
        return self._steps.xs

    def __call__(self, xs: Sequence[Array]) -> Any:
        """Take a step; return the outputs, as arrays of their own. Where it fails, the carry is as before."""
        steps = self._steps
        for place, x in zip(steps.xs, xs):
            np.copyto(place, x)
        try:
            steps.step()
        except Exception:
            steps.undo()
            raise
        return self._y_tree.unflatten([y.copy() for y in steps.ys])

    def reorder(self, order: Array, axis: int) -> None:
        """Give each row of the parts that change the state of another; ``axis`` is that of the rows."""
        for place in self._steps.carry:
            place[...] = place.take(order, axis)

    @property
    def carry(self) -> Any:
        """The carry after the last step; what moves in it is the caller's own."""
        leaves = list(self._leaves)
        for i, place in zip(self._moving, self._steps.carry, strict=True):
            leaves[i] = Tensor(place.copy())
        return self._tree.unflatten(leaves)


def watched() -> bool:
    """Whether somebody looks at what the steps do, so that they have to be taken as they are."""
    modes = thread.modes
    return modes.looking or modes.tracing or modes.probe is not None


class Stepper:
    """Take one step at a time and keep the state, for streams: arrays in, arrays out, nothing recorded.

    The first step runs as it is. Then the step is compiled and bound to its parameters: what is left is a
    list of NumPy calls. What the library changes afterwards (an optimiser's step, `load_state_dict`, `train`
    and `eval`) is seen; for a parameter that is replaced, or written to by hand, make another stepper. A step
    that cannot be compiled runs as it is, with a warning.

    Parameters
    ----------
    step : callable
        ``step(carry, x) -> (carry, y)``, as in `scan`.
    carry : structure of Tensor
        The first state, which is copied, as inputs are: their arrays may be written to afterwards. Inputs
        that are plain arrays of floats take its dtype.

    Warns
    -----
    ScanFallbackWarning
        Where the step cannot be compiled.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> stepper = tr.Stepper(lambda total, x: (total + x, total * x), tr.ones(2))
    >>> for x in np.array([[1.0, 2.0], [3.0, 4.0]]):
    ...     print(stepper(x))
    [1. 2.]
    [ 6. 12.]
    >>> stepper.state
    tensor([5., 7.])
    """

    @checked(step=FUNCTION)
    def __init__(self, step: Step, carry: Any) -> None:
        for leaf in flatten(carry)[0]:
            as_array("Stepper: carry", leaf)
        self._step = step
        self._x_tree: Tree | None = None
        self.state = carry
        self._refused = False

    def __repr__(self) -> str:
        leaves, tree = flatten(self._state if self._bound is None else self._bound.carry)
        parts = zip(tree.paths("state"), leaves, strict=True)
        return f"Stepper({', '.join(f'{path}: {tuple(leaf.shape)}' for path, leaf in parts)})"

    def __call__(self, x: Any) -> Any:
        """Take a step.

        Parameters
        ----------
        x : structure of array_like
            The input of one step, without a time axis.

        Returns
        -------
        structure of ndarray
            The output.
        """
        leaves, tree = flatten(x)
        bound = self._bound
        if bound is not None and not bound.stale and len(leaves) == len(bound.xs) and tree == self._x_tree:
            arrays = [_like(place, leaf) for place, leaf in zip(bound.xs, leaves)]
            if all(a.shape == place.shape and a.dtype == place.dtype for a, place in zip(arrays, bound.xs)):
                try:
                    return bound(arrays)
                except Exception:  # the step itself says better what is wrong
                    pass
        return self._unbound(leaves, tree)

    def _unbound(self, leaves: list[Any], tree: Tree) -> Any:
        """Take a step that is not bound yet: bind it, or take it as it is: at first, and where it must be."""
        state, form = flatten(self._state if self._bound is None else self._bound.carry)
        state, xs = as_tensors(state, list(map(_own, leaves)))
        carry, inputs = Structure(state, form), Structure(xs, tree)
        refusal: Untraceable | None = None
        if self._kept is not None and not self._refused and not watched():
            try:
                self._bound, self._x_tree = BoundStep(self._step, carry, inputs, self._kept), tree
                return self._bound([x.data for x in xs])
            except Untraceable as error:
                refusal = error
            except Exception:  # the step itself says better what is wrong
                pass
        with no_grad():
            new, y = single_step(self._step, carry, ([Tensor(x.data[None]) for x in xs], tree))
        self._state, self._bound = new, None
        found, _ = flatten(new)
        self._kept = {i for i, leaf in enumerate(found) if leaf is state[i]}
        if refusal is not None:  # only now: an error of the step itself comes without it
            self._refused = True
            warn_of_step(self._step, str(refusal))
        y_leaves, y_tree = flatten(y)
        return y_tree.unflatten([leaf.data[0] for leaf in y_leaves])

    @property
    def state(self) -> Any:
        """The state after the last step. Set it to go on from another one."""
        return _copied(self._state) if self._bound is None else self._bound.carry

    @state.setter
    def state(self, state: Any) -> None:
        leaves, tree = flatten(state)
        self._state = tree.unflatten(map(as_tensor, map(_own, leaves)))
        self._bound: BoundStep | None = None
        self._kept: set[int] | None = None  # known after the first step


def _own(leaf: Any) -> Any:
    """Return a leaf that shares no memory with what the caller may write to; what is no array as it is."""
    if isinstance(leaf, Tensor):
        return Tensor(leaf.data.copy())
    return leaf.copy() if isinstance(leaf, np.ndarray) else leaf


def _copied(structure: Any) -> Any:
    leaves, tree = flatten(structure)
    return tree.unflatten(map(_own, leaves))


def _like(place: Array, leaf: Any) -> Array:
    """Return an input as an array; floats that are no Tensor in the dtype of their place."""
    array = as_array("Stepper: x", leaf)
    plain = not isinstance(leaf, Tensor) and array.dtype.kind == "f" == place.dtype.kind
    return array.astype(place.dtype, copy=False) if plain else array


def as_array(what: str, leaf: Any) -> Array:
    """Return a Tensor or anything array-like as an array; ``what`` it is begins an error."""
    return leaf.data if isinstance(leaf, Tensor) else plain_array(what, leaf)
