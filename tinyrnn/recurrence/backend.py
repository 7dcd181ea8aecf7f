"""The backend: what runs the loop of a compiled scan, calls of NumPy or the loop as native code."""

from __future__ import annotations

import importlib.util
import os

from tinyrnn.autograd.arguments import check, one_of
from tinyrnn.autograd.state import Mode, thread

BACKENDS = ("numpy", "numba", "python")
_NAME = one_of(*BACKENDS)
_default: str | None = None


def set_backend(name: str) -> None:
    """Choose what runs the loop of each compiled `scan` from here on, in all threads.

    Parameters
    ----------
    name : str
        "numpy", the default: calls of NumPy. "numba": the loop is written as a function and compiled by Numba
        (``pip install "tinyrnn[fast]"``) when it first runs, which takes about a second; a loop with an
        operation that cannot be written so stays with NumPy. "python": the same function, not compiled: slow,
        to be stepped through in a debugger. The environment variable ``TINYRNN_BACKEND`` is the choice where
        none is made.

    Raises
    ------
    ValueError
        Where there is no such backend.
    ModuleNotFoundError
        Where Numba is not installed.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> tr.set_backend("numpy")
    """
    global _default
    _default = _checked("set_backend", name)


def backend(name: str) -> Mode:
    """Use a backend inside of a ``with`` block, or of a function that it decorates; see `set_backend`.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> with tr.backend("numpy"):
    ...     y, h = tr.nn.RNN(2, 3)(tr.zeros((4, 1, 2)))
    """
    return Mode(backend=_checked("backend", name))


def chosen_backend() -> str:
    """Return the backend that holds here."""
    global _default
    if thread.modes.backend is not None:
        return thread.modes.backend
    if _default is None:
        _default = _checked("TINYRNN_BACKEND", os.environ.get("TINYRNN_BACKEND") or "numpy")
    return _default


def _checked(function: str, name: str) -> str:
    check(function, "name", name, _NAME)
    if name == "numba" and importlib.util.find_spec("numba") is None:
        raise ModuleNotFoundError(
            f'{function}: Numba is not installed; pip install "tinyrnn[fast]", or choose "numpy"'
        )
    return name
