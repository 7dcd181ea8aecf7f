"""Compiling while something else runs: in a process of its own, whose result comes back by way of the disk.

A compiler written in Python would hold up every other thread of its process. So the loop is compiled by
another process, and a thread of this one waits for it, and then loads what is in the cache by then.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from typing import Any

from tinyrnn.recurrence.running.native import cache
from tinyrnn.recurrence.running.native.forms import Loop, numba_loop

_PROGRAM = "from tinyrnn.recurrence.running.native.background import compile_given; compile_given()"
_tasks: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
_lock = threading.Lock()
_worker: threading.Thread | None = None


class Compilation:
    """A loop that is being compiled.

    Attributes
    ----------
    loop : callable or None
        The compiled function, when it is ready.
    error : str
        Why there will be none.
    """

    def __init__(self, text: str, dtypes: tuple[str, ...]) -> None:
        self.loop: Loop | None = None
        self.error = ""
        self._given = text, dtypes
        _start(self._compile)

    def _compile(self) -> None:
        try:
            if cache.source_file(self._given[0]) is not None:
                _in_another_process(*self._given)
            with _often():
                self.loop = numba_loop(*self._given)
        except Exception as error:
            self.error = f"{type(error).__name__} in Numba: {error}"


def _in_another_process(text: str, dtypes: tuple[str, ...]) -> None:
    """Let another process compile a loop; where that fails, this one will see for itself."""
    given = json.dumps({"text": text, "dtypes": dtypes})
    here = {**os.environ, "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)}
    command = [sys.executable, "-c", _PROGRAM]
    subprocess.run(command, input=given, text=True, env=here, capture_output=True, check=False, timeout=120)


@contextlib.contextmanager
def _often() -> Generator[None]:
    """Let threads take turns often: NumPy's calls give way, and would wait 5 ms each while Numba loads."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def compile_given() -> None:
    """Compile what stands in the standard input."""
    given: dict[str, Any] = json.load(sys.stdin)
    numba_loop(given["text"], tuple(given["dtypes"]))


def _start(task: Callable[[], None]) -> None:
    """Run a task in the thread that waits for them; the interpreter's end does not wait for it."""
    global _worker
    _tasks.put(task)
    with _lock:
        if _worker is None or not _worker.is_alive():
            _worker = threading.Thread(target=_work, name="tinyrnn compiles", daemon=True)
            _worker.start()


def _work() -> None:
    while True:
        _tasks.get()()
