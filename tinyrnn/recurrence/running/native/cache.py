"""Where compiled loops are kept between processes: files of the user's own, by the hash of what they hold.

Numba keeps machine code beside the file of a function, pickled. What is unpickled can run anything, so only
a folder that nobody else can write to is used; where there is none, nothing is kept.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import inspect
import os
import stat
import sys
import tempfile
from pathlib import Path

from tinyrnn.recurrence.running.native import blas, functions

_FORM = 5  # raised where the way of compiling changes


def source_file(text: str) -> str | None:
    """Write the source of a loop to its file; return the path, or None where nothing can be kept."""
    folder = _folder()
    if folder is None:
        return None
    name = hashlib.sha256((_version() + text).encode()).hexdigest()[:32]
    path = folder / f"loop_{name}.py"
    try:
        if not path.exists():  # a new time of writing would make Numba compile again
            with tempfile.NamedTemporaryFile("w", dir=folder, suffix=".part", delete=False) as file:
                file.write(text)
            os.replace(file.name, path)
        return str(path)
    except OSError:
        return None


@functools.cache
def _version() -> str:
    """Return what else the machine code depends on."""
    numba = importlib.metadata.version("numba")
    library = str(blas.found()[1])
    return "\n".join([str(_FORM), sys.version, numba, library, inspect.getsource(functions), ""])


def _folder() -> Path | None:
    """Return the folder, made where it is not there yet; None where others could write to it."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if chosen:
        root = Path(chosen)
    elif sys.platform == "win32":
        root = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        root = Path.home() / "Library" / "Caches"
    else:
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = root / "tinyrnn" / "loops"
    with contextlib.suppress(OSError, RuntimeError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if all(_own(place) for place in (folder, folder.parent, *([root] if chosen else []))):
            return folder
    return None


def _own(folder: Path) -> bool:
    """Whether a folder is the user's, and no one else may write to it."""
    if not hasattr(os, "getuid"):  # on Windows, the profile of a user is closed to others
        return True
    found = folder.stat()
    return found.st_uid == os.getuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
