"""NumPy's own functions on Tensors: which rule answers for which, and a clear refusal of the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinyrnn.autograd import functions as F
from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.primitive import Value

UFUNCS: dict[np.ufunc, Callable[..., Any]] = {
    np.add: p.add,
    np.subtract: p.subtract,
    np.multiply: p.multiply,
    np.divide: p.divide,
    np.power: p.power,
    np.negative: p.negative,
    np.positive: lambda x: x,
    np.square: lambda x: x * x,
    np.matmul: p.matmul,
    np.exp: p.exp,
    np.log: p.log,
    np.sqrt: p.sqrt,
    np.absolute: p.absolute,
    np.tanh: p.tanh,
    np.maximum: p.maximum,
    np.minimum: p.minimum,
    np.sign: p.sign,
    np.greater: p.greater,
    np.greater_equal: p.greater_equal,
    np.less: p.less,
    np.less_equal: p.less_equal,
    np.equal: p.equal,
    np.not_equal: p.not_equal,
    np.logical_and: p.logical_and,
    np.logical_or: p.logical_or,
    np.logical_not: p.logical_not,
    np.bitwise_and: p.bitwise_and,
    np.bitwise_or: p.bitwise_or,
    np.invert: p.invert,
}


# Where NumPy's arguments are not those of the function of ours.
def _clip(a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    return F.clip(a, a_min if min is None else min, a_max if max is None else max)


def _where(condition: Any, *branches: Any) -> Any:
    return F.where(condition, *branches) if branches else np.nonzero(_plain(condition))


def _take(a: Any, indices: Any, axis: int | None = None) -> Any:
    return F.take(F.flatten(a), indices, 0) if axis is None else F.take(a, indices, axis)


FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    np.sum: F.sum,
    np.mean: F.mean,
    np.max: F.max,
    np.min: F.min,
    np.clip: _clip,
    np.where: _where,
    np.reshape: F.reshape,
    np.transpose: F.transpose,
    np.swapaxes: F.swapaxes,
    np.squeeze: F.squeeze,
    np.expand_dims: F.expand_dims,
    np.broadcast_to: F.broadcast_to,
    np.concatenate: F.concatenate,
    np.stack: F.stack,
    np.split: F.split,
    np.take: _take,
    np.ravel: F.flatten,
    np.round: lambda x, decimals=0: p.round(x, decimals=decimals),
    np.astype: F.astype,
    np.shape: lambda x: x.shape,
    np.ndim: lambda x: x.ndim,
    np.size: lambda x: x.size,
    np.zeros_like: lambda x, dtype=None: np.zeros(x.shape, x.dtype if dtype is None else dtype),
    np.ones_like: lambda x, dtype=None: np.ones(x.shape, x.dtype if dtype is None else dtype),
}

# These give facts about values, which carry no gradient, so they are simply computed.
FACTS: set[Callable[..., Any]] = {
    np.isfinite, np.isnan, np.isinf, np.floor, np.ceil, np.rint, np.signbit,
    np.argmax, np.argmin, np.argsort, np.nonzero, np.allclose, np.isclose, np.array_equal, np.all, np.any,
    np.array2string, np.array_repr, np.array_str, np.count_nonzero, np.searchsorted, np.may_share_memory,
    np.shares_memory,
}  # fmt: skip


def _plain(x: Any) -> Any:
    """Replace Values by their arrays, within lists and tuples too."""
    if isinstance(x, Value):
        return x.data  # pyright: ignore[reportAttributeAccessIssue]
    if isinstance(x, (list, tuple)):
        return type(x)(_plain(item) for item in x)
    return x


def _refuse(name: str, why: str = "") -> TypeError:
    return TypeError(
        f"numpy.{name} has no rule in tinyrnn{why}, so its gradient would be lost; use a function of "
        "tinyrnn, or .detach().numpy() where no gradient is meant"
    )


def array_ufunc(self: Any, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """Answer a NumPy ufunc that met a Value."""
    if ufunc in UFUNCS and method == "__call__" and not kwargs:
        return UFUNCS[ufunc](*inputs)
    name = ufunc.__name__
    if method != "__call__":
        raise _refuse(f"{name}.{method}")
    if kwargs.get("out") is not None:
        raise TypeError(
            f"numpy.{name}: a Tensor cannot be computed into an array in place (out=); write a new one"
        )
    if kwargs:
        raise _refuse(name, f" with the arguments {sorted(kwargs)}")
    if ufunc in FACTS:
        return ufunc(*_plain(inputs))
    raise _refuse(name)


def array_function(self: Any, func: Callable[..., Any], types: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """Answer any other NumPy function that met a Value."""
    if func in FACTS:
        return func(*_plain(args), **{key: _plain(value) for key, value in kwargs.items()})
    name = f"{func.__module__}.{func.__name__}".removeprefix("numpy.")
    if func not in FUNCTIONS:
        raise _refuse(name)
    try:
        return FUNCTIONS[func](*args, **kwargs)
    except TypeError as error:
        if "unexpected keyword argument" in str(error):
            raise _refuse(name, f" with the arguments {sorted(kwargs)}") from error
        raise
