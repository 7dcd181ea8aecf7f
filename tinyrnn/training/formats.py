"""Files of arrays, with a line of text: safetensors through its library, .npz with NumPy alone.

Neither runs code when it is read: object arrays, which are pickles, are refused.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tinyrnn.files import write_whole

NOTE = "tinyrnn"  # where our text stands among the metadata
Arrays = dict[str, np.ndarray[Any, Any]]


class FileError(ValueError):
    """A file is not what its name says, or not what it is loaded into. Nothing was changed."""


def write_arrays(path: str | os.PathLike[str], arrays: Mapping[str, Any], text: str) -> Path:
    """Write a file whole, or leave what was there."""
    plain = {key: np.array(value, value.dtype.newbyteorder("="), order="C") for key, value in arrays.items()}
    if _suffix(path) == ".npz":
        return write_whole(path, _npz(plain, text))
    return write_whole(path, _safetensors()[1](plain, metadata={NOTE: text}))


def read_arrays(path: str | os.PathLike[str]) -> tuple[Arrays, str | None]:
    """Return the arrays of a file, and our text, where it has one.

    Raises
    ------
    OSError
        Where there is no such file.
    FileError
        Where it is truncated, or something else.
    """
    suffix, name = _suffix(path), os.fspath(path)
    safe_open = None if suffix == ".npz" else _safetensors()[0]
    with Path(path).open("rb"):  # that it is missing, or a directory, is said as everywhere
        pass
    try:
        return _read_npz(path) if safe_open is None else _read_safetensors(safe_open, name)
    except Exception as error:  # whatever a reader meets in a file of a stranger
        what = "npz file" if suffix == ".npz" else "safetensors file"
        raise FileError(f"{name}: no readable {what} ({type(error).__name__}: {error})") from None


def _suffix(path: str | os.PathLike[str]) -> str:
    suffix = Path(path).suffix
    if suffix not in (".safetensors", ".npz"):
        raise FileError(f"{os.fspath(path)}: the name ends in {suffix!r}; expected .safetensors or .npz")
    return suffix


def _safetensors() -> tuple[Any, Any]:
    """Return the library's reader and writer."""
    try:
        from safetensors import safe_open
        from safetensors.numpy import save
    except ImportError:
        raise ImportError(
            'this needs the package safetensors: pip install "tinyrnn[io]"; .npz needs nothing'
        ) from None
    return safe_open, save


def _read_safetensors(safe_open: Any, name: str) -> tuple[Arrays, str | None]:
    with safe_open(name, framework="numpy") as file:
        return {key: file.get_tensor(key) for key in file.keys()}, (file.metadata() or {}).get(NOTE)  # noqa: SIM118


# --- .npz: a zip of .npy files, as numpy.savez writes it ----------------------------------------------------
_TEXT = f"__{NOTE}__.npy"


def _npz(arrays: Arrays, text: str) -> bytes:
    """Write what numpy.savez would, which cannot take every name (such as ``file``)."""
    buffer = io.BytesIO()
    note = np.frombuffer(text.encode(), np.uint8)
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, array in [*((f"{key}.npy", array) for key, array in arrays.items()), (_TEXT, note)]:
            with archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as file:
                np.lib.format.write_array(file, array, allow_pickle=False)
    return buffer.getvalue()


def _read_npz(path: str | os.PathLike[str]) -> tuple[Arrays, str | None]:
    arrays: Arrays = {}
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            with archive.open(entry) as file:
                _check_size(file, entry)
            with archive.open(entry) as file:
                arrays[entry.filename] = np.lib.format.read_array(file, allow_pickle=False)
    note = arrays.pop(_TEXT, None)
    if strangers := [name for name in arrays if not name.endswith(".npy")]:
        raise ValueError(f"it holds {strangers[0]!r}, which is no array")
    text = None if note is None else note.tobytes().decode()
    return {name.removesuffix(".npy"): array for name, array in arrays.items()}, text


def _check_size(file: Any, entry: zipfile.ZipInfo) -> None:
    """Refuse a header that promises more than the file holds, before memory is asked for."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    if int(np.prod(shape, dtype=object)) * dtype.itemsize > entry.file_size:
        raise ValueError(f"{entry.filename!r} says that it has shape {shape}, and is too short for that")
