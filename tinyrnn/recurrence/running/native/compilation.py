"""Compiling while something else runs: one thread asks the disk, or another process, and loads what it gets.

A compiler written in Python holds up every other thread of its process. So Numba works in a process of its
own, which is kept for a while: its first loop takes half a second longer than those that follow.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

from tinyrnn.recurrence.running.native.forms import Loop

_ROOM = __name__.rpartition(".")[0]
_IDLE = 5.0  # seconds after which the process ends
# The standard library comes first: a file types.py beside the user's own is not to be taken for its module.
_PROGRAM = """
import json, sys
sys.path += json.loads(sys.argv[1])
from tinyrnn.recurrence.running.native.numba_compiler import main
main()
"""


class Compilation:
    """A loop that is being compiled, or read from the disk.

    Attributes
    ----------
    loop : Loop or None
        The compiled function, when it is ready.
    error : str
        Why there will be none.
    """

    def __init__(self, text: str, dtypes: tuple[str, ...]) -> None:
        self.loop: Loop | None = None
        self.error = ""
        self._given = text, dtypes
        self._ended = threading.Event()
        _worker.add(self)

    def wait(self) -> Loop:
        """Return the compiled function when it is ready.

        Raises
        ------
        RuntimeError
            Where there will be none.
        """
        self._ended.wait()
        if self.loop is None:
            raise RuntimeError(self.error)
        return self.loop

    def run(self, compiler: Compiler) -> None:
        """Read or compile it; called by the thread that does this for all."""
        try:
            with _often():
                # llvmlite is imported here, in this thread, and only where something is compiled.
                cache, machine_code = (_module(name) for name in ("cache", "machine_code"))
                code = cache.read(*self._given)
                if code is None:
                    code = machine_code.MachineCode.from_json(compiler.compile(*self._given))
                    cache.write(*self._given, code)
                self.loop = machine_code.MachineLoop(code, len(self._given[1]))
        except Exception as error:
            self.error = str(error)
        finally:
            self._ended.set()


class Compiler:
    """The process that compiles; it is started when it is first needed."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._errors: Any = None

    def compile(self, text: str, dtypes: tuple[str, ...]) -> str:
        """Return the machine code of a source, as text.

        Raises
        ------
        RuntimeError
            Where it cannot be compiled, or the process ends.
        """
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        answer = ""
        with contextlib.suppress(OSError):
            print(json.dumps({"text": text, "dtypes": dtypes}), file=process.stdin, flush=True)
            answer = process.stdout.readline()
        if not answer.endswith("\n"):
            raise RuntimeError(f"the compiling process ended: {self.end()}")
        error = json.loads(answer).get("error")
        if error:
            raise RuntimeError(error)
        return answer

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None:
            if getattr(sys, "frozen", False) or not sys.executable:
                raise RuntimeError("this program is no Python that could be started to compile")
            package = str(Path(__file__).resolve().parents[4])
            paths = [os.path.abspath(path) for path in [*sys.path, package]]
            self._errors = tempfile.TemporaryFile()  # noqa: SIM115, as long as the process
            self._process = subprocess.Popen(
                # Without the site: it takes time, and its paths are among those that are handed over.
                [sys.executable, "-I", "-S", "-c", _PROGRAM, json.dumps(paths)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env={name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")},
                encoding="ascii",
                start_new_session=True,  # an interrupt from the keyboard is for the user's program alone
            )
        return self._process

    def end(self) -> str:
        """End the process; return its last words, or else its exit code."""
        process, self._process = self._process, None
        if process is None:
            return ""
        with contextlib.suppress(OSError):
            process.kill()
        code = process.wait()
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()  # pyright: ignore[reportOptionalMemberAccess]
        with self._errors as errors:
            errors.seek(0)
            said = errors.read().decode(errors="replace").split("\n")
        return next((line for line in reversed(said) if line.strip()), f"exit code {code}")

    def leave(self) -> None:
        """Leave the process to another one that has started it."""
        if self._process is not None:
            self._process.returncode = 0  # else its end would be seen to here


class _Worker:
    """The thread that compiles one loop after another; it ends when there is none for a while."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[Compilation] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self.compiler = Compiler()

    def add(self, compilation: Compilation) -> None:
        with self._lock:
            self._waiting.put(compilation)
            if self._thread is None:
                # The end of the interpreter does not wait for it.
                self._thread = threading.Thread(target=self._work, name="tinyrnn compiles", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while True:
            try:
                compilation = self._waiting.get(timeout=_IDLE)
            except queue.Empty:
                with self._lock:
                    if self._waiting.empty():
                        self._thread = None
                        self.compiler.end()
                        return
            else:
                compilation.run(self.compiler)


def _module(name: str) -> Any:
    return importlib.import_module(f"{_ROOM}.{name}")


@contextlib.contextmanager
def _often() -> Generator[None]:
    """Let threads take turns often: NumPy's calls give way, and would wait 5 ms each while code is loaded."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def _begin_anew() -> None:
    """Begin anew in a process that was forked off: the thread and the compiling process are the parent's."""
    global _worker
    _worker.compiler.leave()
    _worker = _Worker()


_worker = _Worker()
atexit.register(lambda: _worker.compiler.end())
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
