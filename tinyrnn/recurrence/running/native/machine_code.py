"""Machine code: an object file as LLVM writes it, and the function in it, to be called.

llvmlite loads it, which is a small part of Numba: a hundredth of a second, and nothing is compiled.
"""

from __future__ import annotations

import base64
import ctypes
import dataclasses
import functools
import itertools
import json
from typing import Any

import llvmlite.binding as llvm

from tinyrnn.recurrence.running.native import blas
from tinyrnn.recurrence.running.views import Array

SYMBOL = "tinyrnn_{}"  # by which the code calls a function of BLAS
_numbers = itertools.count()
_NOTHING = ctypes.c_char * 0


def processor() -> tuple[str, str]:
    """Return the name of the processor at hand, and what it can do, as LLVM calls them."""
    return llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


@functools.cache
def target() -> Any:
    """Return what writes code for the processor at hand."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    cpu, features = processor()
    machine = llvm.Target.from_default_triple()
    return machine.create_target_machine(cpu=cpu, features=features, opt=3, jit=True)


@functools.cache
def _linker() -> Any:
    return llvm.create_lljit_compiler(target(), suppress_errors=True)  # they are raised; it would print them


@dataclasses.dataclass(frozen=True)
class MachineCode:
    """A compiled loop.

    Attributes
    ----------
    entry : str
        The name of its function.
    outside : tuple of str
        What it calls that is not in it.
    image : bytes
        The object file.
    """

    entry: str
    outside: tuple[str, ...]
    image: bytes

    def as_json(self) -> str:
        """Return it as a line of text."""
        fields = dataclasses.asdict(self)
        return json.dumps({**fields, "image": base64.b64encode(self.image).decode()})

    @classmethod
    def from_json(cls, text: str) -> MachineCode:
        """Read what `as_json` wrote.

        Raises
        ------
        ValueError
            Where it is something else.
        """
        try:
            fields: dict[str, Any] = json.loads(text)
            image = base64.b64decode(fields["image"], validate=True)
            return cls(str(fields["entry"]), tuple(map(str, fields["outside"])), image)
        except (TypeError, KeyError, ValueError) as error:
            raise ValueError(f"this is no machine code: {error}") from None


class MachineLoop:
    """Machine code in memory: a loop that can be called.

    Raises
    ------
    RuntimeError
        Where the code calls what this process does not have.
    """

    def __init__(self, code: MachineCode, arrays: int) -> None:
        library = llvm.JITLibraryBuilder().add_object_img(code.image).export_symbol(code.entry)
        for name, address in blas.found()[0].items():
            library.import_symbol(SYMBOL.format(name), address)
        library.add_current_process()
        try:
            # As long as this lives, the code is there.
            self._library = library.link(_linker(), f"loop{next(_numbers)}")
        except RuntimeError as error:
            raise RuntimeError(f"{error}: it calls {', '.join(code.outside) or 'nothing else'}") from None
        # A function of Numba's begins with places for its result and for an error: there are neither.
        pointer = ctypes.c_void_p
        form = ctypes.CFUNCTYPE(ctypes.c_int, pointer, pointer, ctypes.c_int64, *[pointer] * arrays)
        self._function = form(self._library[code.entry])
        self._unused = ctypes.create_string_buffer(16)

    def argument(self, array: Array) -> int:
        """Return the address of an array."""
        return ctypes.addressof(_NOTHING.from_buffer(array.data))  # `array.ctypes` takes five times as long

    def __call__(self, steps: int, *arguments: int) -> None:
        """Run the loop."""
        if self._function(self._unused, self._unused, steps, *arguments):
            raise RuntimeError("the compiled loop ended with an error")
