"""NumPy's own functions on Tensors: which of ours answers for which, and a clear refusal of the rest."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from tinyrnn.autograd import functions as F
from tinyrnn.autograd import primitives as p
from tinyrnn.autograd.functions import linalg
from tinyrnn.autograd.primitive import Primitive, Value

# A ufunc is the forward of the operation that answers for it; these have another, or none.
UFUNCS: dict[np.ufunc, Callable[..., Any]] = {
    operation.forward: operation
    for operation in vars(p).values()
    if isinstance(operation, Primitive) and isinstance(operation.forward, np.ufunc)
} | {
    np.positive: lambda x: x,
    np.square: F.square,
    np.matmul: p.matmul,
    np.conjugate: F.conj,
    np.deg2rad: F.deg2rad,
    np.radians: F.deg2rad,
    np.rad2deg: F.rad2deg,
    np.degrees: F.rad2deg,
    np.floor_divide: F.floor_divide,
    np.divmod: lambda a, b: (F.floor_divide(a, b), F.remainder(a, b)),
}


# Where NumPy's arguments are not those of the function of ours.
def _clip(a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Any:
    return F.clip(a, a_min if min is None else min, a_max if max is None else max)


def _where(condition: Any, *branches: Any) -> Any:
    return F.where(condition, *branches) if branches else np.nonzero(_plain(condition))


def _argsort(a: Any, axis: int | None = -1, kind: Any = None, *, stable: Any = None) -> Any:
    return F.argsort(a, axis)  # stable, and so what any other kind gives, where no elements are equal


def _sort(a: Any, axis: int | None = -1, kind: Any = None, *, stable: Any = None) -> Any:
    return F.sort(a, axis)


def _unique(a: Any, *args: Any, **options: Any) -> Any:
    values = a.data  # in a traced step this is refused
    a.leave()
    return np.unique(values, *args, **options)


def _astype(x: Any, dtype: Any, /, *, copy: bool = True) -> Any:
    return F.astype(x, dtype)


def _by_name(module: Any, ours: Any, names: Any) -> dict[Callable[..., Any], Callable[..., Any]]:
    """Return what both call the same; NumPy has several names for some."""
    pairs = [(getattr(module, name, None), getattr(ours, name)) for name in names]
    return {theirs: mine for theirs, mine in pairs if callable(theirs) and not isinstance(theirs, np.ufunc)}


FUNCTIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    **_by_name(np, F, F.__all__),
    **_by_name(np.linalg, linalg, linalg.__all__),
    np.amax: F.max,
    np.amin: F.min,
    np.around: F.round,
    np.clip: _clip,
    np.where: _where,
    np.sort: _sort,
    np.argsort: _argsort,
    np.astype: _astype,
    np.copy: F.copy,
    np.unique: _unique,
    np.shape: lambda a: a.shape,
    np.ndim: lambda a: a.ndim,
    np.size: lambda a, axis=None: a.size if axis is None else a.shape[axis],
    np.zeros_like: lambda a, dtype=None: np.zeros(a.shape, a.dtype if dtype is None else dtype),
    np.ones_like: lambda a, dtype=None: np.ones(a.shape, a.dtype if dtype is None else dtype),
}

# These give facts about values, which carry no gradient, so they are simply computed.
FACTS: set[Callable[..., Any]] = {
    np.nonzero, np.flatnonzero, np.argwhere, np.allclose, np.isclose, np.array_equal,
    np.array_repr, np.array2string, np.array_str, np.count_nonzero, np.searchsorted, np.may_share_memory,
    np.result_type, np.shares_memory, np.full_like, np.empty_like, np.digitize, np.histogram, np.iscomplexobj,
    np.isrealobj, np.einsum_path,
}  # fmt: skip

# What asks for nothing that is not done anyway.
_HARMLESS: dict[str, tuple[Any, ...]] = {
    "out": (None,),
    "order": ("C", "K", "A", None),
    "where": (True,),
    "casting": ("same_kind", "safe", "unsafe"),
    "subok": (True, False),
    "dtype": (None,),
    "copy": (True, False, None),
    "initial": (),
    "device": (None, "cpu"),
    "mode": ("raise",),
    "kind": ("introselect",),
}
_INSTEAD = {
    "array": "tr.stack",
    "asarray": "tr.stack",
    "average": "tr.mean",
    "block": "tr.concatenate",
    "median": "tr.sort",
    "percentile": "tr.sort",
    "quantile": "tr.sort",
    "cumulative_sum": "tr.cumsum",
    "cumulative_prod": "tr.cumprod",
    "nansum": "tr.sum of tr.nan_to_num",
    "nanmean": "tr.mean of tr.nan_to_num",
    "ptp": "tr.max less tr.min",
    "trapezoid": "tr.sum and tr.diff",
    "cov": "tr.matmul of what tr.mean leaves",
    "corrcoef": "tr.matmul of what tr.mean leaves",
    "convolve": "tr.matmul",
    "interp": "tr.where",
    "copyto": "tr.where",
    "put": "tr.where",
    "place": "tr.where",
    "putmask": "tr.where",
    "linalg.lstsq": "tr.linalg.pinv",
    "linalg.qr": "tr.linalg.cholesky or tr.linalg.svd",
    "linalg.eig": "tr.linalg.eigh",
    "linalg.eigvals": "tr.linalg.eigvalsh",
    "linalg.cond": "tr.linalg.svdvals",
    "linalg.matrix_rank": "tr.linalg.svdvals",
    "add.reduce": "tr.sum",
    "multiply.reduce": "tr.prod",
    "maximum.reduce": "tr.max",
    "minimum.reduce": "tr.min",
    "logaddexp.reduce": "tr.logsumexp",
    "logical_and.reduce": "tr.all",
    "logical_or.reduce": "tr.any",
    "add.accumulate": "tr.cumsum",
    "multiply.accumulate": "tr.cumprod",
    "multiply.outer": "tr.outer",
    "add.at": "tr.take, whose gradient it is",
}


def _plain(x: Any) -> Any:
    """Replace Values by their arrays, within lists and tuples too."""
    if isinstance(x, Value):
        return x.data  # pyright: ignore[reportAttributeAccessIssue]
    if isinstance(x, (list, tuple)):
        return type(x)(_plain(item) for item in x)
    return x


def _refuse(name: str, why: str = "") -> TypeError:
    near = "" if why else _nearest(name)
    return TypeError(
        f"numpy.{name} has no rule in tinyrnn{why}, so its gradient would be lost; use "
        f"{near or 'a function of tinyrnn'}, or .detach().numpy() where no gradient is meant"
    )


def _nearest(name: str) -> str:
    """Return what there is that does the same, or else is called nearly the same."""
    if name in _INSTEAD:
        return _INSTEAD[name]
    known = [*F.__all__, *(f"linalg.{each}" for each in linalg.__all__)]
    if name.endswith((".outer", ".at", ".reduceat", ".reduce", ".accumulate")):
        return (
            f"tr.{name.partition('.')[0]} on operands of shapes that broadcast"
            if name.endswith(".outer")
            else ""
        )
    found = difflib.get_close_matches(name, known, 1, 0.7)
    return f"tr.{found[0]}" if found else ""


def _is_harmless(name: str, value: Any) -> bool:
    return value is np._NoValue or any(
        value is harmless or (isinstance(value, str) and value == harmless)
        for harmless in _HARMLESS.get(name, ())
    )


@functools.cache
def _names(function: Callable[..., Any]) -> list[str] | None:
    """Return the names of a function's parameters; those that take any number have a star before them."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # some of NumPy's are written in C, and older ones do not tell
        return None
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    return [stars.get(parameter.kind, "") + parameter.name for parameter in parameters]


@functools.cache
def _shared(theirs: Callable[..., Any], ours: Callable[..., Any]) -> dict[str, str]:
    """Return how the parameters are called that stand first in both, by NumPy's name."""
    mine, names = _names(ours) or [], _names(theirs)
    if names is None:
        return {name: name for name in mine}
    found: dict[str, str] = {}
    for a, b in zip(names, mine, strict=False):
        if a != b and (a in mine or b in names):  # these stand at different places
            break
        found[a] = b
    return found


def _call(name: str, theirs: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> Any:
    """Call our function with what NumPy's was called with, less what asks for nothing."""
    ours = FUNCTIONS[theirs]
    mine = _names(ours) or []
    shared = _shared(theirs, ours)
    if any(own.startswith("*") and not own.startswith("**") for own in mine):
        given, named = args, kwargs
    else:
        given = args[: len(shared)]
        rest = (_names(theirs) or ["out"] * len(args))[len(shared) :]
        named = dict(zip(rest, args[len(shared) :], strict=False)) | kwargs
    named = {shared.get(key, key): value for key, value in named.items()}
    if not any(own.startswith("**") for own in mine):
        unknown = named.keys() - set(mine)
        if refused := sorted(key for key in unknown if not _is_harmless(key, named[key])):
            raise _refuse(name, f" with the arguments {refused}")
        named = {key: value for key, value in named.items() if key not in unknown}
    return ours(*given, **{key: value for key, value in named.items() if value is not np._NoValue})


def array_ufunc(self: Any, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """Answer a NumPy ufunc that met a Value."""
    name = ufunc.__name__
    if method != "__call__":
        raise _refuse(f"{name}.{method}")
    if kwargs.get("out") is not None and any(out is not None for out in kwargs["out"]):
        raise TypeError(
            f"numpy.{name}: a Tensor cannot be computed into an array in place (out=); write a new one"
        )
    if ufunc not in UFUNCS:
        raise _refuse(name)
    if refused := sorted(key for key in kwargs if key != "out" and not _is_harmless(key, kwargs[key])):
        raise _refuse(name, f" with the arguments {refused}")
    return UFUNCS[ufunc](*inputs)


def array_function(self: Any, func: Callable[..., Any], types: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """Answer any other NumPy function that met a Value."""
    if func in FACTS:
        return func(*_plain(args), **{key: _plain(value) for key, value in kwargs.items()})
    name = f"{func.__module__}.{func.__name__}".removeprefix("numpy.")
    if func not in FUNCTIONS:
        raise _refuse(name)
    return _call(name, func, args, kwargs)
