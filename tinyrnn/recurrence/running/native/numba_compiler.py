"""The compiling process: it reads sources of loops from its standard input, and answers with machine code.

Numba is imported here and nowhere else: it takes half a second and 100 MB, and while it works, no other
thread of its process does. A question and an answer are a line of JSON each.
"""

from __future__ import annotations

import json
import os
import sys
from types import FunctionType
from typing import Any

import llvmlite.binding as llvm
import numba
import numpy as np
from numba.core import compiler, types

from tinyrnn.recurrence.running.native import blas, functions, intrinsics
from tinyrnn.recurrence.running.native.machine_code import SYMBOL, MachineCode, target

_LLVM = 15, 22  # the versions that have the option below; LLVM ends the process at one it does not know
_OPTIONS: dict[str, Any] = {"error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


class _Apart(compiler.Compiler):
    """Numba's compiler, told that no two arrays of a loop share memory, and that nobody counts references.

    Else it would have to find out each time, and where there are many arrays it works on one element at a
    time instead.
    """

    def __init__(self, typing: Any, target: Any, library: Any, args: Any, out: Any, flags: Any, names: Any):
        flags.noalias = True
        flags.nrt = False
        super().__init__(typing, target, library, args, out, flags, names)


def compiled(text: str, dtypes: tuple[str, ...]) -> MachineCode:
    """Compile the source of a loop for arrays of these dtypes."""
    space: dict[str, Any] = {**functions.NAMES, **_FUNCTIONS, **intrinsics.NAMES}
    exec(compile(text, "<loop>", "exec"), space)
    pointers = (types.CPointer(_element(dtype)) for dtype in dtypes)
    loop = numba.njit(pipeline_class=_Apart, **_OPTIONS)(space["loop"])
    loop.compile((types.int64, *pointers))
    (result,) = loop.overloads.values()
    module = llvm.parse_assembly(result.library.get_llvm_str())
    outside = [f.name for f in module.functions if f.is_declaration and not f.name.startswith("llvm.")]
    return MachineCode(result.fndesc.llvm_func_name, tuple(outside), target().emit_object(module))


def _element(dtype: str) -> Any:
    """Return the type of the elements of an array; in memory a boolean is a byte."""
    return types.uint8 if dtype == "bool" else numba.from_dtype(np.dtype(dtype))


def _compiled_functions() -> dict[str, Any]:
    given: dict[str, Any] = {}
    for function in functions.CONTRACTED:
        # Each calls those before it.
        bound = FunctionType(function.__code__, {**vars(functions), **given}, function.__name__)
        given[function.__name__] = numba.njit(fastmath={"contract"}, **_OPTIONS)(bound)
    return given


_FUNCTIONS = _compiled_functions()


def prepare() -> None:
    """Set LLVM up for all that this process compiles."""
    for name, address in blas.found()[0].items():  # Numba's own linker asks for it
        llvm.add_symbol(SYMBOL.format(name), address)
    # Loops of few rounds are not to be written out, a round after another, before they are made vectors:
    # after that, each vector would be gathered from places that are apart.
    if _LLVM[0] <= llvm.llvm_version_info[0] <= _LLVM[1]:
        llvm.set_option("", "--unroll-full-max-count=4")


def main() -> None:
    """Answer until the standard input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)  # whatever a library may print is no answer
    prepare()
    for question in sys.stdin:
        asked = json.loads(question)
        try:
            answer = compiled(asked["text"], tuple(asked["dtypes"])).as_json()
        except Exception as error:
            answer = json.dumps({"error": f"{type(error).__name__} in Numba: {error}"})
        print(answer, file=answers, flush=True)
