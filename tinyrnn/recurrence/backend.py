"""The backend: what runs the loop of a compiled scan, calls of NumPy or the loop as native code."""

from __future__ import annotations

import importlib.util
import os
from typing import Any, Literal, cast, get_args

from tinyrnn.autograd.arguments import check, one_of
from tinyrnn.autograd.state import Mode, thread

Backend = Literal["auto", "numpy", "numba", "python"]
BACKENDS: tuple[Backend, ...] = get_args(Backend)
_NAME = one_of(*BACKENDS)
_default: Backend | None = None


class ChosenBackend:
    """A choice of `set_backend`; as a ``with`` block it ends with the block.

    Attributes
    ----------
    name : str
        The backend.
    before : str
        What held until then.
    """

    __slots__ = ("before", "name")

    def __init__(self, name: Backend, before: Backend) -> None:
        self.name: Backend = name
        self.before: Backend = before

    def __enter__(self) -> ChosenBackend:
        return self

    def __exit__(self, *_: object) -> None:
        global _default
        _default = self.before

    def __repr__(self) -> str:
        return f"backend {self.name!r}, until then {self.before!r}"


def set_backend(name: Backend) -> ChosenBackend:
    """Choose what runs the loop of each compiled `scan` from here on, in all threads.

    In a ``with`` statement it holds to the end of the block; `backend` does so in this thread alone.

    Parameters
    ----------
    name : str
        "numpy": calls of NumPy. "numba": the loop is written as a function and compiled by Numba
        (``pip install "tinyrnn[fast]"``) when it first runs, which takes about a second; a loop with an
        operation that cannot be written so stays with NumPy. "auto", the default where Numba is installed:
        calls of NumPy at first; a loop that has run for half a second that way is compiled in the
        background, and runs so when it is ready. The last digits of results may then depend on when that
        was. "python": the same function, not compiled: slow, to be
        stepped through in a debugger. Where none is chosen, it is what the environment variable
        ``TINYRNN_BACKEND`` says.

    Returns
    -------
    ChosenBackend
        The choice: a context manager, with ``before``, the backend that held until then.

    Raises
    ------
    ValueError
        Where there is no such backend.
    ModuleNotFoundError
        Where Numba is not installed.

    Examples
    --------
    >>> import tinyrnn as tr
    >>> with tr.set_backend("numpy"):
    ...     y, h = tr.nn.RNN(2, 3)(tr.zeros((4, 1, 2)))
    >>> tr.set_backend("auto")  # doctest: +SKIP
    backend 'auto', until then 'numpy'
    """
    global _default
    choice = ChosenBackend(_checked("set_backend", name), _chosen())
    _default = choice.name
    return choice


def backend(name: Backend) -> Mode:
    """Use a backend inside of a ``with`` block, or of a function that it decorates, in this thread.

    See `set_backend`.

    Parameters
    ----------
    name : {"auto", "numba", "numpy"}

    Examples
    --------
    >>> import tinyrnn as tr
    >>> with tr.backend("numpy"):
    ...     y, h = tr.nn.RNN(2, 3)(tr.zeros((4, 1, 2)))
    """
    return Mode(backend=_checked("backend", name))


def chosen_backend() -> Backend:
    """Return the backend that holds here."""
    return cast("Backend | None", thread.modes.backend) or _chosen()


def _chosen() -> Backend:
    """Return the backend that holds where no ``with`` block says otherwise."""
    global _default
    if _default is None:
        asked = os.environ.get("TINYRNN_BACKEND")
        _default = _checked("TINYRNN_BACKEND", asked) if asked else "auto" if _has_numba() else "numpy"
    return _default


def _has_numba() -> bool:
    return importlib.util.find_spec("numba") is not None


def _checked(function: str, name: Any) -> Backend:
    check(function, "name", name, _NAME)
    if name in ("auto", "numba") and not _has_numba():
        raise ModuleNotFoundError(
            f'{function}: Numba is not installed; pip install "tinyrnn[fast]", or choose "numpy"'
        )
    return name
