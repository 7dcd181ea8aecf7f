"""The Tensor: an array that remembers how it was made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np
import numpy.typing as npt

from tinyrnn.autograd.anomaly import Watched, check_result
from tinyrnn.autograd.arguments import FLAG, checked, shown
from tinyrnn.autograd.backward import backpropagate, seeds
from tinyrnn.autograd.conversions import Conversions
from tinyrnn.autograd.elsewhere import instead
from tinyrnn.autograd.keeping import constant, cut, is_cut, keep
from tinyrnn.autograd.operands import coerced, plain_array, refusal
from tinyrnn.autograd.operators import STATIC, Operators
from tinyrnn.autograd.primitive import Primitive, Value
from tinyrnn.autograd.state import enable_grad, no_grad, thread
from tinyrnn.autograd.tape import Leaf, Node

ndarray = np.ndarray
_new = object.__new__


class Tensor(Conversions, Operators):
    """An array, and its place on the tape where it has one. Make one with `tensor`.

    Attributes
    ----------
    data : ndarray
        The value. Changing it in place is not recorded; optimisers do it between passes.
    node : Node or None
        The record; None for a constant.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> x = tr.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    >>> y = (x @ x.T).sum()
    >>> y.backward()
    >>> x.shape, y.item(), x.grad.tolist()
    ((2, 2), 52.0, [[8.0, 12.0], [8.0, 12.0]])
    """

    __slots__ = ("__weakref__", "_label", "data", "node")

    def __init__(self, data: Any, node: Node | None = None) -> None:
        if type(data) is not ndarray:
            data = _plain(data)
        if data.dtype.kind not in "fiub":
            raise TypeError(f"Tensor: data is {shown(data)}; expected real numbers")
        if node is not None and not isinstance(node, Node):
            raise TypeError(f"Tensor: node is {shown(node)}; expected a record, or None")
        self.data: np.ndarray[Any, np.dtype[Any]] = data
        self.node = node

    def _apply(self, primitive: Primitive, args: tuple[Any, ...], params: dict[str, Any]) -> Any:
        """Compute an operation, and record it where an operand carries a gradient."""
        values: Sequence[Any]
        inputs: Sequence[Node | None]
        if len(args) == 1:  # the usual cases are read off, without a loop
            (a,) = args
            values, inputs = (a.data,), (a.node,)
        elif (
            len(args) == 2
            and isinstance(a := args[0], Tensor)
            and isinstance(b := args[1], Tensor)
            and a.data.dtype is b.data.dtype
        ):
            values, inputs = (a.data, b.data), (a.node, b.node)
        else:
            for arg in args:
                if isinstance(arg, Value) and not isinstance(arg, Tensor):
                    return arg._apply(primitive, args, params)
            values, inputs = _operands(primitive, args)
        try:
            ans = primitive.forward(*values, **params) if params else primitive.forward(*values)
        except (ValueError, TypeError, IndexError) as error:
            raise refusal(primitive, values, params, error) from error
        if type(ans) is not ndarray:
            ans = np.asarray(ans)
        result = _new(Tensor)  # as Tensor(ans), in half the time
        result.data = ans
        result.node = None
        modes = thread.modes
        if modes.recording:
            saved = primitive.collect(ans, values, params, inputs)
            if saved is not None:
                result.node = Node(primitive, inputs, saved, params, ans.shape, ans.dtype, modes.scope)
        return _looked_at(result, primitive, params, values, args) if modes.looking else result

    def __getitem__(self, index: Any) -> Tensor:
        modes = thread.modes
        recorded = modes.keeping or (modes.recording and self.node is not None)
        if not recorded and STATIC.issuperset(map(type, index if type(index) is tuple else (index,))):
            try:
                return Tensor(self.data[index])  # a view that leaves no record is made at once
            except IndexError:
                pass  # it is raised by name below
        return super().__getitem__(index)

    if not TYPE_CHECKING:  # to whom all names would seem to be there

        def __getattr__(self, name: str) -> Any:
            raise AttributeError(instead(type(self).__name__, name, rooms=("tr", "linalg")))

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis."""
        return self.data.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the elements."""
        return self.data.dtype

    # --- the tape -------------------------------------------------------------------------------------------
    @property
    def requires_grad(self) -> bool:
        """Whether operations on this Tensor are recorded. Set it to make a leaf, or to freeze one."""
        return self.node is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if value == (self.node is not None):
            return
        if value:
            if self.data.dtype.kind != "f":
                raise TypeError(
                    f"requires_grad: a Tensor of dtype {self.data.dtype} carries no gradient; "
                    "expected a floating dtype"
                )
            self.node = Leaf(self, self.name)
            self.node.tensor = ref(self)
            self.node.value = self.data if thread.modes.keeping else None
        elif not self.is_leaf:
            raise RuntimeError(
                "requires_grad: this Tensor was computed, so it cannot be frozen; use .detach()"
            )
        else:
            self.node = None

    @property
    def grad(self) -> Tensor | None:
        """The gradient of a leaf, summed over backward passes since it was cleared; None before the first.

        Inside `unrolled`, the Tensors computed on the way have one too.
        """
        g = None if self.node is None else self.node.grad
        return g if g is None or isinstance(g, Tensor) else Tensor(g)

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if self.node is None:
            raise RuntimeError("grad: this Tensor does not require grad")
        if value is not None and (not isinstance(value, Tensor) or value.shape != self.shape):
            got = f"shape {value.shape}" if isinstance(value, Tensor) else type(value).__name__
            raise TypeError(f"grad: got {got}; expected None or a Tensor of shape {self.shape}")
        self.node.grad = value

    def retain_grad(self) -> None:
        """Let a Tensor that was computed have a ``.grad`` too, that of the latest backward pass.

        A leaf has one anyway. Inside `unrolled`, all have.

        Raises
        ------
        RuntimeError
            Where this Tensor does not require grad.

        Examples
        --------
        >>> import tinyrnn as tr
        >>> x = tr.tensor([1.0, 2.0], requires_grad=True)
        >>> y = x * x
        >>> y.retain_grad()
        >>> (3 * y).sum().backward()
        >>> y.grad
        tensor([3., 3.])
        """
        if self.node is None:
            raise RuntimeError("retain_grad: this Tensor does not require grad")
        self.node.value = self.data  # a record that keeps its value keeps its gradient

    @property
    def name(self) -> str:
        """What drawings call this value; empty where it has no name."""
        return getattr(self, "_label", "") if self.node is None else self.node.name

    @name.setter
    def name(self, value: str) -> None:
        if self.node is None:
            self._label = value  # a slot that most Tensors never fill
        else:
            self.node.name = value

    @property
    def is_leaf(self) -> bool:
        """Whether this Tensor was made by the user, and not by a recorded operation."""
        return self.node is None or isinstance(self.node, Leaf)

    def detach(self) -> Tensor:
        """Return the same value as a constant. The data are shared, not copied."""
        if thread.modes.keeping and self.node is not None:
            return _Constant(self.data, cut(self.node, self.data))
        return Tensor(self.data)

    @checked(retain_graph=FLAG.or_none(), create_graph=FLAG)
    def backward(
        self,
        gradient: npt.ArrayLike | Tensor | None = None,
        *,
        retain_graph: bool | None = None,
        create_graph: bool = False,
    ) -> None:
        """Add the gradient of this Tensor to the ``.grad`` of every leaf that it was made from.

        Parameters
        ----------
        gradient : array_like or Tensor, optional
            The gradient at this Tensor, of its shape. 1 for a single number, and needed otherwise.
        retain_graph : bool, optional
            Keep the saved values for another pass. By default they are freed, unless ``create_graph``.
        create_graph : bool
            Record this pass too, so that the gradients can be differentiated.

        Raises
        ------
        RuntimeError
            Where this Tensor was not recorded, is not a single number and no ``gradient`` is given, or where
            an earlier pass has freed the graph.
        ValueError
            Where ``gradient`` has another shape.

        Examples
        --------
        >>> import tinyrnn as tr
        >>> x = tr.tensor([1.0, 2.0, 3.0], requires_grad=True)
        >>> (x * x).sum().backward()
        >>> x.grad
        tensor([2., 4., 6.])
        """
        wrap = rewrap if create_graph else None
        roots = seeds("backward", [self], None if gradient is None else [gradient], wrap)
        retain = create_graph if retain_graph is None else retain_graph
        with enable_grad() if create_graph else no_grad():
            found = backpropagate(roots, retain=retain, wrap=wrap)
            if thread.modes.told is not None:
                thread.modes.told(self)
            for leaf, g in found.items():
                total = g if leaf.grad is None else leaf.grad + g
                leaf.grad = total if isinstance(total, Tensor) else np.asarray(total)

    # A name given to a computed Tensor simply moves on to the new one: h += x is h = h + x.
    def __iadd__(self, other: Any) -> Tensor:
        return self._movable("+=") + other

    def __isub__(self, other: Any) -> Tensor:
        return self._movable("-=") - other

    def __imul__(self, other: Any) -> Tensor:
        return self._movable("*=") * other

    def __itruediv__(self, other: Any) -> Tensor:
        return self._movable("/=") / other

    def __ipow__(self, other: Any) -> Tensor:
        return self._movable("**=") ** other

    def __imatmul__(self, other: Any) -> Tensor:
        return self._movable("@=") @ other

    def _movable(self, symbol: str) -> Tensor:
        if isinstance(self.node, Leaf):
            raise TypeError(
                f"in-place {symbol} on a leaf that requires grad would leave the leaf as it is and move "
                f"the name to a new Tensor; write `p.data {symbol} ...` to update a parameter, or "
                f"`y = x {symbol[:-1]} ...` to compute"
            )
        return self

    def __reduce__(self) -> Any:
        if not self.is_leaf:
            raise TypeError(
                "a computed Tensor cannot be copied or pickled, since its record would be lost; .detach() it"
            )
        grad = self.grad
        return _restored, (
            type(self),
            self.data,
            self.requires_grad,
            self.name,
            None if grad is None else grad.data,
        )


def _looked_at(
    result: Tensor, primitive: Primitive, params: dict[str, Any], values: Sequence[Any], args: tuple[Any, ...]
) -> Tensor:
    """Do what the modes ask for that look at each operation: `unrolled` and `detect_anomaly`."""
    modes = thread.modes
    if modes.finite and modes.transposes is None:  # what a VJP computes on the way may be infinite
        check_result(primitive, result.data, values)
    if modes.watching and result.node is not None:
        result.node.saved = Watched(result.node)
    if modes.keeping:
        if result.node is None:
            return _constant(result.data, primitive, params, args)
        keep(result.node, result.data, args)
    return result


def _operands(primitive: Primitive, args: tuple[Any, ...]) -> tuple[list[Any], list[Node | None]]:
    """Return the values of operands of any kind and number, brought to one dtype, and their records."""
    values: list[Any] = []
    inputs: list[Node | None] = []
    dtype = None
    mixed = False
    for arg in args:
        if isinstance(arg, Tensor):
            inputs.append(arg.node)
            arg = arg.data
        else:
            inputs.append(None)
            kind = type(arg)
            if kind is not ndarray:
                mixed = mixed or (kind is not float and kind is not int)
                values.append(arg)
                continue
        values.append(arg)
        if arg.dtype is not dtype:
            mixed = mixed or dtype is not None
            dtype = arg.dtype
    return coerced(primitive, args, values) if mixed else values, inputs


def _plain(data: Any) -> Any:
    """Return a NumPy scalar, or an array of a subclass, as a plain array."""
    if not isinstance(data, (np.generic, ndarray)):
        raise TypeError(
            f"Tensor: the data are of type {type(data).__name__}; tr.tensor makes a Tensor of anything"
        )
    return plain_array("Tensor", data)


class _Constant(Tensor):
    """A constant that drawings follow: it has a record, but no gradient comes there."""

    __slots__ = ("record",)

    def __reduce__(self) -> Any:
        return Tensor(self.data).__reduce__()

    def __init__(self, data: Any, record: Node) -> None:
        super().__init__(data)
        self.record = record
        self.name = record.name


def followed(state: Any) -> Any:
    """Return a constant so that, inside `unrolled`, what is made of it is recorded too.

    The first step of a loop then has the records that the others have. What is no constant, or is followed
    already, is returned as it is.
    """
    if type(state) is not Tensor or state.node is not None or not thread.modes.keeping:
        return state
    return _Constant(state.data, constant(state.data, state.name))


def _constant(ans: Any, primitive: Primitive, params: dict[str, Any], args: tuple[Any, ...]) -> Tensor:
    """Return the constant that was made of constants; a view of one that was cut is cut, or has its name."""
    result = Tensor(ans)
    for arg in args:
        if not isinstance(arg, Tensor):
            continue
        view = np.may_share_memory(ans, arg.data)
        if isinstance(arg, _Constant) and not is_cut(arg.record):
            none = [None] * len(args)
            made = Node(primitive, none, none, params, ans.shape, ans.dtype, thread.modes.scope)
            keep(made, ans, args)
            return _Constant(ans, made)
        if isinstance(arg, _Constant) and view:
            return _Constant(ans, cut(arg.record.inputs[0], ans))
        if view and arg.name:
            result.name = arg.name
    return result


def _restored(cls: type[Tensor], data: Any, requires_grad: bool, name: str, grad: Any) -> Tensor:
    """Make a leaf again from what `copy.deepcopy` and `pickle` carry."""
    result = cls.__new__(cls)
    result.data, result.node = data, None
    result.name = name
    if requires_grad:
        result.node = Leaf(result, name)
        result.node.grad = grad
    return result


def rewrap(value: Any, node: Node | None) -> Tensor:
    """Put a value back in its place on the tape."""
    return Tensor(value, node)
