"""From the source of a loop to a function: as plain Python, or compiled by Numba."""

from __future__ import annotations

import functools
import importlib
import threading
from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np

from tinyrnn.recurrence.running.native import blas, cache, functions

Loop = Callable[..., None]

_compiling = threading.RLock()
_ONLY_CALLED_BY_CODE = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}  # no Python, and no C


def python_loop(text: str, dtypes: tuple[str, ...]) -> Loop:
    """Return the function of a source, as plain Python: slow, to be read and stepped through."""
    space: dict[str, Any] = {**functions.NAMES}
    exec(compile(text, "<loop>", "exec"), space)
    loop = space["loop"]

    def quiet(*args: Any) -> None:
        with np.errstate(all="ignore"):  # as compiled code, which warns of nothing
            loop(*args)

    return quiet


def numba_loop(text: str, dtypes: tuple[str, ...]) -> Loop:
    """Return the function of a source, compiled for arrays of these dtypes, or read from the disk."""
    with _compiling:
        numba = importlib.import_module("numba")
        compiled = {**blas.compiled(), **_compiled_functions()}
        space: dict[str, Any] = {"__name__": __name__, **functions.NAMES, **compiled}
        path = cache.source_file(text)
        exec(compile(text, path or "<loop>", "exec"), space)
        options = {"nogil": True, "error_model": "numpy", "cache": path is not None, "no_cfunc_wrapper": True}
        loop = numba.njit(**options, pipeline_class=_pipeline())(space["loop"])
        arrays = (numba.types.Array(numba.from_dtype(np.dtype(dtype)), 1, "C") for dtype in dtypes)
        loop.compile((numba.int64, *arrays))
        return loop


@functools.cache
def _pipeline() -> Any:
    """Return Numba's compiler, told that no two arrays of a loop share memory.

    Without that it would have to find out each time, and where there are many arrays it works on one element
    at a time instead.
    """
    compiler: Any = importlib.import_module("numba.core.compiler")

    class Apart(compiler.Compiler):
        def define_pipelines(self) -> Any:
            self.state.flags.noalias = True
            return super().define_pipelines()

    return Apart


@functools.cache
def _compiled_functions() -> dict[str, Any]:
    numba = importlib.import_module("numba")
    given = {}
    for function in functions.CONTRACTED:
        # Each calls those before it.
        space = {**vars(functions), **given}
        bound = FunctionType(function.__code__, space, function.__name__)
        options = {"error_model": "numpy", "fastmath": {"contract"}, **_ONLY_CALLED_BY_CODE}
        given[function.__name__] = numba.njit(**options)(bound)
    return given
