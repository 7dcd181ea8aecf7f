"""From the source of a loop to a function: as plain Python, or compiled by Numba."""

from __future__ import annotations

import ast
import contextlib
import functools
import importlib
import threading
from collections.abc import Callable, Generator
from types import FunctionType
from typing import Any

import numpy as np

from tinyrnn.recurrence.running.native import blas, cache, functions

Loop = Callable[..., None]

_compiling = threading.RLock()
_LLVM = 15, 22  # the versions that have the option below; LLVM ends the process at one it does not know
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
        space: dict[str, Any] = {"__name__": __name__, **functions.NAMES, **compiled, "uint64": np.uint64}
        path = cache.source_file(text)
        code = compile(_with_unsigned_places(text), path or "<loop>", "exec")
        exec(code, space)
        options = {"nogil": True, "error_model": "numpy", "cache": path is not None, "no_cfunc_wrapper": True}
        loop = numba.njit(**options, pipeline_class=_pipeline())(space["loop"])
        arrays = (numba.types.Array(numba.from_dtype(np.dtype(dtype)), 1, "C") for dtype in dtypes)
        with _short_loops_kept():
            loop.compile((numba.int64, *arrays))
        return loop


def _with_unsigned_places(text: str) -> ast.Module:
    """Return the code with each index as an unsigned number.

    A negative one would count from the end. Numba asks for that at each element, where it cannot know the
    sign, and then works on one element at a time: an LSTM with layer normalisation took twice as long.
    """

    class Unsigned(ast.NodeTransformer):
        def visit_Subscript(self, node: ast.Subscript) -> ast.Subscript:
            if not isinstance(node.slice, (ast.Slice, ast.Constant)):
                node.slice = ast.Call(ast.Name("uint64", ast.Load()), [node.slice], [])
            return node

    return ast.fix_missing_locations(Unsigned().visit(ast.parse(text)))


@contextlib.contextmanager
def _short_loops_kept() -> Generator[None]:
    """Keep LLVM from writing out loops of few rounds, a round after another, before it makes vectors of them.

    After that it would gather what each vector needs from places that are apart.
    """
    llvm: Any = importlib.import_module("llvmlite.binding")
    lock: Any = importlib.import_module("numba.core.compiler_lock")
    if not _LLVM[0] <= llvm.llvm_version_info[0] <= _LLVM[1]:
        yield
        return
    with lock.global_compiler_lock:  # the option holds for all that is compiled meanwhile
        llvm.set_option("", "--unroll-full-max-count=4")
        try:
            yield
        finally:
            llvm.set_option("", f"--unroll-full-max-count={2**32 - 1}")


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
