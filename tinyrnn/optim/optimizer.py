"""What all optimisers share: parameter groups, the state of each parameter, and the walk over them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, TypeVar, overload

import numpy as np

from tinyrnn.autograd.arguments import FLAG, FUNCTION, MAPPING, check, checked, shown
from tinyrnn.autograd.changes import mark_changed
from tinyrnn.autograd.state import enable_grad
from tinyrnn.autograd.tensor import Tensor
from tinyrnn.optim.gradients import Array, as_parameters, own_gradient
from tinyrnn.optim.hyperparameters import check_number

R = TypeVar("R")

Group = dict[str, Any]
State = dict[str, Any]

_ADDED = frozenset(
    {"params", "initial_lr", "name"}
)  # what a group may hold besides the optimiser's own options
_PYTORCH_ONLY = frozenset(
    {"foreach", "fused", "capturable", "differentiable"}
)  # how to run, not what to compute


class Optimizer:
    """The base of all optimisers: subclass it with an `update` of one parameter.

    Parameters
    ----------
    params : iterable of Tensor, or iterable of dict
        The parameters, or groups of them: ``{"params": [...], "lr": 0.01}`` with options of its own.
    defaults : dict
        The options of a group that does not name them.

    Attributes
    ----------
    param_groups : list of dict
        The options of each group, and its ``"params"``. Change ``group["lr"]`` to change the learning rate.
    state : dict
        From parameter to what the optimiser remembers of it.

    Raises
    ------
    ValueError
        Where there is no parameter, one is given twice or was computed, or an option is unknown or out of
        range.
    TypeError
        Where a parameter is not a Tensor of a floating dtype, or an option is not a number.

    Examples
    --------
    An optimiser of one's own; ``update`` changes the array ``p`` in place:

    >>> import tinyrnn as tr
    >>> class SignSGD(tr.optim.Optimizer):
    ...     def __init__(self, params, lr=0.1):
    ...         super().__init__(params, {"lr": lr})
    ...
    ...     def update(self, p, g, state, group):
    ...         p -= group["lr"] * np.sign(g)
    >>> w = tr.tensor([1.0, -2.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> SignSGD([w]).step()
    >>> w
    tensor([ 0.9, -1.9], requires_grad=True)
    """

    # Every number among the options must be finite and at least 0. Besides:
    below: ClassVar[dict[str, float]] = {}  # these must stay below a bound
    pairs: ClassVar[tuple[str, ...]] = ()  # these are two numbers

    def __init__(self, params: Iterable[Tensor] | Iterable[dict[str, Any]], defaults: dict[str, Any]) -> None:
        self._where = type(self).__name__
        self.defaults = defaults
        self.param_groups: list[Group] = []
        self.state: dict[Tensor, State] = {}
        self._spare: dict[Any, tuple[Array, Array]] = {}
        if isinstance(params, Tensor):
            raise TypeError(f"{self._where}: params is {shown(params)}; expected an ordered iterable: [p]")
        given = as_parameters(f"{self._where}: params", params)
        groups: list[dict[str, Any]] = given if given and isinstance(given[0], dict) else [{"params": given}]
        for group in groups:
            self.add_param_group(group)
        if not any(group["params"] for group in self.param_groups):
            raise ValueError(f"{self._where}: got an empty parameter list; expected at least one Tensor")

    # --- what a subclass writes -----------------------------------------------------------------------------
    def update(self, p: Array, g: Array, state: State, group: Group) -> None:
        """Change the array ``p`` of one parameter in place; its gradient ``g`` must stay as it is."""
        raise NotImplementedError

    def slots(self, group: Group) -> tuple[str, ...]:
        """Return the names of what `update` keeps in a parameter's state, under the options of a group."""
        return ()

    # --- what it may use ------------------------------------------------------------------------------------
    def spare(self, p: Array) -> tuple[Array, Array]:
        """Return two arrays to compute in, shared by all parameters of one shape and dtype."""
        key = p.shape, p.dtype
        found = self._spare.get(key)
        if found is None:
            found = self._spare[key] = (np.empty_like(p), np.empty_like(p))
        return found

    @staticmethod
    def moment(p: Array, state: State, name: str) -> Array:
        """Return an array of the state, made of zeros when it is first asked for."""
        found = state.get(name)
        if found is None:
            found = state[name] = np.zeros_like(p)
        return found

    @staticmethod
    def descent(p: Array, g: Array, group: Group, out: Array) -> Array:
        """Return ``g``, turned round for ``maximize``, plus ``weight_decay * p``. ``g`` stays as it is."""
        decay = float(group["weight_decay"])
        if decay == 0:
            return np.negative(g, out=out) if group["maximize"] else g
        np.multiply(p, decay, out=out)
        return np.subtract(out, g, out=out) if group["maximize"] else np.add(out, g, out=out)

    # --- what a user calls ----------------------------------------------------------------------------------
    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], R]) -> R: ...
    @checked(closure=FUNCTION.or_none())
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient, in place.

        Parameters
        ----------
        closure : callable, optional
            Called first; clears the gradients, computes the loss, runs ``backward()`` and returns the loss.

        Returns
        -------
        Tensor or None
            What ``closure`` returned.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        by = f"{self._where}.step"
        for i, group in enumerate(self.param_groups):
            self._check(group, i)  # a schedule or a user may have changed an option
            for p in group["params"]:
                if (grad := p.grad) is not None:
                    mark_changed(p.data, by, p.name)
                    self.update(p.data, grad.data, self.state.setdefault(p, {}), group)
        return loss

    @checked(set_to_none=FLAG)
    def zero_grad(self, set_to_none: bool = True) -> None:
        """Clear the gradients, by dropping them or (``set_to_none=False``) by filling them with zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                if set_to_none:
                    p.grad = None
                else:
                    gradient = own_gradient(p)
                    mark_changed(gradient, f"{self._where}.zero_grad", "a gradient")
                    gradient.fill(0)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters, with the defaults for the options that it does not name."""
        i = len(self.param_groups)
        if not isinstance(param_group, dict) or "params" not in param_group:
            raise TypeError(
                f"{self._where}.add_param_group: param_group {i} is {shown(param_group)}; expected a dict "
                "with 'params'"
            )
        given = param_group["params"]
        group = {**self.defaults, **param_group}
        group["params"] = as_parameters(f"{self._where}: params of group {i}", given)
        if unknown := sorted(group.keys() - self.defaults.keys() - _ADDED):
            raise ValueError(
                f"{self._where}: parameter group {i} has unknown options {unknown}; "
                f"expected {sorted(self.defaults)}"
            )
        known = {p for other in self.param_groups for p in other["params"]}
        for j, p in enumerate(group["params"]):
            self._check_parameter(f"parameter {j} of group {i}", p)
            if p in known:
                raise ValueError(f"{self._where}: parameter {j} of group {i} is given twice")
            known.add(p)
        self._check(group, i)
        self.param_groups.append(group)

    # --- saving and loading ---------------------------------------------------------------------------------
    def state_dict(self) -> dict[str, Any]:
        """Return the options and the state in PyTorch's layout, with copies of arrays for its tensors.

        Returns
        -------
        dict
            ``{"state": {i: {name: array or number}}, "param_groups": [{option: value, "params": [i,
            ...]}]}``, where the parameters are numbered through all groups.
        """
        number = {p: i for i, p in enumerate(self._parameters())}
        state = {
            number[p]: {
                name: value.copy() if isinstance(value, np.ndarray) else value for name, value in held.items()
            }
            for p, held in self.state.items()
            if held
        }
        groups = [{**group, "params": [number[p] for p in group["params"]]} for group in self.param_groups]
        return {"state": state, "param_groups": groups}

    @checked(state_dict=MAPPING)
    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over the options and the state that `state_dict`, or the one of PyTorch's optimiser, returned.

        Raises
        ------
        ValueError
            Where the groups, their sizes, their options, or the names and shapes of the state do not fit;
            nothing has been changed then.
        """
        where = f"{self._where}.load_state_dict"
        if missing := {"state", "param_groups"} - state_dict.keys():
            raise ValueError(
                f"{where}: {sorted(missing)} missing; expected the keys 'param_groups' and 'state'"
            )
        saved = state_dict["param_groups"]
        if len(saved) != len(self.param_groups):
            raise ValueError(f"{where}: got {len(saved)} parameter groups; expected {len(self.param_groups)}")
        groups: list[Group] = []
        state: dict[Tensor, State] = {}
        for i, (old, new) in enumerate(zip(self.param_groups, saved)):
            if len(new["params"]) != len(old["params"]):
                raise ValueError(
                    f"{where}: group {i} has {len(new['params'])} parameters; expected {len(old['params'])}"
                )
            options = {k: v for k, v in new.items() if k not in _PYTORCH_ONLY | {"params", "param_names"}}
            missing = sorted(self.defaults.keys() - options.keys())
            unknown = sorted(options.keys() - self.defaults.keys() - _ADDED)
            if missing or unknown:
                raise ValueError(
                    f"{where}: the options of group {i} are not those of {self._where}: "
                    f"missing {missing}, unknown {unknown}"
                )
            group = {**options, "params": old["params"]}
            self._check(group, i)
            groups.append(group)
            for p, k in zip(old["params"], new["params"]):
                if held := state_dict["state"].get(k):
                    state[p] = self._loaded(f"{where}: parameter {k}", p, held, self.slots(group))
        numbers = {k for group in saved for k in group["params"]}
        if strangers := sorted(state_dict["state"].keys() - numbers):
            raise ValueError(f"{where}: there is state of parameters {strangers}, which are in no group")
        self.param_groups = groups
        self.state = state

    def __repr__(self) -> str:
        lines = [f"{self._where} ("]
        for i, group in enumerate(self.param_groups):
            count = sum(p.data.size for p in group["params"])
            lines.append(f"Parameter Group {i}: {len(group['params'])} tensors, {count:,} parameters")
            lines += [f"    {name}: {group[name]}" for name in sorted(group) if name != "params"]
        return "\n".join(lines) + "\n)"

    # --- checks ---------------------------------------------------------------------------------------------
    def _parameters(self) -> list[Tensor]:
        return [p for group in self.param_groups for p in group["params"]]

    def _check(self, group: Group, i: int) -> None:
        """Check that every number among the options is finite and in its range."""
        where = f"{self._where}: group {i}" if i else self._where
        for name, default in self.defaults.items():
            value, bound = group[name], self.below.get(name, math.inf)
            if isinstance(default, bool):
                check(where, name, value, FLAG)
            elif name in self.pairs:
                if not isinstance(value, (tuple, list)) or len(value) != 2:
                    raise ValueError(f"{where}: {name} is {value!r}; expected two numbers")
                for k, part in enumerate(value):
                    check_number(where, f"{name}[{k}]", part, below=bound)
            else:
                check_number(where, name, value, below=bound)

    def _check_parameter(self, which: str, p: Any) -> None:
        if not isinstance(p, Tensor):
            hint = "; pass parameters(), not named_parameters()" if isinstance(p, tuple) else ""
            raise TypeError(f"{self._where}: {which} is of type {type(p).__name__}; expected a Tensor{hint}")
        if not p.is_leaf:
            raise ValueError(f"{self._where}: {which}, of shape {p.shape}, was computed; expected a leaf")
        if p.data.dtype.kind != "f":
            raise TypeError(f"{self._where}: {which} has dtype {p.data.dtype}; expected a floating dtype")
        if not p.data.flags.writeable:
            raise ValueError(
                f"{self._where}: {which}, of shape {p.shape}, is read-only; expected an array to write to"
            )

    @staticmethod
    def _loaded(where: str, p: Tensor, held: Mapping[str, Any], slots: tuple[str, ...]) -> State:
        """Return a copy of one parameter's state, in the parameter's dtype."""
        state: State = {}
        for name, value in held.items():
            if name == "step":
                state[name] = int(value)
            elif value is not None:
                array = np.array(value.numpy() if hasattr(value, "numpy") else value, dtype=p.data.dtype)
                if array.shape != p.shape:
                    raise ValueError(f"{where}: '{name}' has shape {array.shape}; expected {p.shape}")
                state[name] = array
        if missing := [name for name in slots if name not in state]:
            raise ValueError(f"{where}: the state has {sorted(state)}; missing {missing}")
        return state
