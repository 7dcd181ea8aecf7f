"""Where machine code is kept between processes: files of the user's own, by the hash of their source.

What is read there is run. So only a folder that nobody else can write to is used; where there is none,
nothing is kept. A file that is not whole is as good as none.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import importlib.resources
import os
import stat
import sys
import tempfile
from pathlib import Path

from tinyrnn.recurrence.running.native import blas
from tinyrnn.recurrence.running.native.machine_code import MachineCode, processor

_COMPILING = "functions.py", "intrinsics.py", "tiles.py", "numba_compiler.py"  # what makes code of a source


def read(text: str, dtypes: tuple[str, ...]) -> MachineCode | None:
    """Return the machine code of a source; None where it is not there."""
    with contextlib.suppress(OSError, ValueError):  # of text that is none, too
        folder = _folder()
        if folder is not None:
            digest, _, code = (folder / _name(text, dtypes)).read_text("ascii").partition("\n")
            if digest == _hash(code):
                return MachineCode.from_json(code)
    return None


def write(text: str, dtypes: tuple[str, ...], code: MachineCode) -> None:
    """Keep the machine code of a source, where there is a place for it."""
    folder, content = _folder(), code.as_json()
    if folder is not None:
        with contextlib.suppress(OSError), tempfile.TemporaryDirectory(dir=folder) as place:
            whole = Path(place) / "whole"  # under its name no other process finds half of it
            whole.write_text(f"{_hash(content)}\n{content}", "ascii")
            os.replace(whole, folder / _name(text, dtypes))


def _name(text: str, dtypes: tuple[str, ...]) -> str:
    return f"{_hash(chr(10).join([_environment(), *dtypes, text]))[:32]}.json"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@functools.cache
def _environment() -> str:
    """Return what else the machine code depends on."""
    compilers = (importlib.metadata.version(name) for name in ("numba", "llvmlite"))
    integers = str(blas.found()[1])
    room = importlib.resources.files(__name__.rpartition(".")[0])
    files = (room.joinpath(name).read_text("utf-8") for name in _COMPILING)
    return "\n".join([*compilers, *processor(), integers, *files])


def _folder() -> Path | None:
    """Return the folder, made where it is not there yet; None where others could write to it."""
    with contextlib.suppress(OSError, RuntimeError):  # of a user without a home
        chosen = os.environ.get("NUMBA_CACHE_DIR")
        root = Path(chosen) if chosen else _root()
        folder = root / "tinyrnn" / "loops"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if all(_own(place) for place in (folder, folder.parent, *([root] if chosen else []))):
            return folder
    return None


def _root() -> Path:
    """Return where the programs of a user keep what can be made again."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _own(folder: Path) -> bool:
    """Whether a folder is the user's, and no one else may write to it."""
    if not hasattr(os, "getuid"):  # on Windows, the profile of a user is closed to others
        return True
    found = folder.stat()
    return found.st_uid == os.getuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
