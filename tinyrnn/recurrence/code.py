"""The loop of a scan as code: made when a backend asks for it, or refused, with the reason."""

from __future__ import annotations

from tinyrnn.recurrence.compiler.scan_program import ScanProgram
from tinyrnn.recurrence.running.native.compilation import Compilation
from tinyrnn.recurrence.running.native.forms import Loop, PythonLoop
from tinyrnn.recurrence.running.native.runner import NativeRunner
from tinyrnn.recurrence.running.native.source import Source

# When "auto" compiles: what was measured stands in docs/performance.md.
AFTER = 0.5  # seconds that a loop has run as calls of NumPy: about what compiling takes, for each direction


def _python(source: Source) -> Loop:
    return PythonLoop(source.text)


def _numba(source: Source) -> Loop:
    return Compilation(source.text, source.dtypes).wait()


_FORMS = {"numba": _numba, "python": _python}


class LoopCode:
    """What runs a scan's program as code.

    Attributes
    ----------
    refusal : str
        Why it cannot be written so, or compiled; empty as long as nothing is known against it.
    """

    def __init__(self, program: ScanProgram) -> None:
        self.program = program
        self.refusal = ""
        self._runners: dict[str, NativeRunner] = {}
        self._seconds = {False: 0.0, True: 0.0}  # as calls of NumPy, by whether in reverse
        self._compilations: dict[bool, Compilation] = {}

    def runner(self, backend: str, reverse: bool) -> NativeRunner | None:
        """Return what runs it on a backend; None where NumPy is to."""
        if backend == "numpy" or self.refusal:
            return None
        if backend == "auto":
            return self._compiled(reverse)
        runner = self._runner(backend)
        if runner is not None and reverse not in runner.loops:
            try:
                runner.loops[reverse] = _FORMS[backend](runner.source(reverse))
            except Exception as error:
                self.refusal = f"it could not be compiled: {error}"
                return None
        return runner

    def _runner(self, backend: str) -> NativeRunner | None:
        if backend not in self._runners:
            runner = NativeRunner(self.program)
            self.refusal = runner.refusal
            if self.refusal:
                return None
            self._runners[backend] = runner
        return self._runners[backend]

    def ran(self, seconds: float, reverse: bool) -> None:
        """Take note of a run as calls of NumPy; begin to compile where that is going to pay."""
        self._seconds[reverse] += seconds
        if self._seconds[reverse] < AFTER or reverse in self._compilations or self.refusal:
            return
        runner = self._runner("numba")
        if runner is not None:
            source = runner.source(reverse)
            self._compilations[reverse] = Compilation(source.text, source.dtypes)

    def _compiled(self, reverse: bool) -> NativeRunner | None:
        """Return what runs the compiled loop where it is ready."""
        runner, compilation = self._runners.get("numba"), self._compilations.get(reverse)
        if runner is None or compilation is None:
            return None
        if reverse not in runner.loops:
            self.refusal = f"it could not be compiled: {compilation.error}" if compilation.error else ""
            if compilation.loop is None:
                return None
            runner.loops[reverse] = compilation.loop
        return runner

    def source(self, reverse: bool) -> str:
        """Return the code of the loop; empty where it cannot be written."""
        runner = self._runner("python") if not self.refusal else None
        return "" if runner is None else runner.source(reverse).text.rstrip()

    def runs(self, backend: str, reverse: bool) -> str:
        """Say in which form the loop runs on a backend, and why; nothing where that is what was asked for."""
        if backend == "numpy":
            return ""
        if self.refusal:
            return f"as calls of NumPy: {self.refusal}"
        if backend == "auto" and self._compiled(reverse) is None:
            return f"as calls of NumPy: {self._waits_for(reverse)}"
        return "as Python code" if backend == "python" else "as code compiled by Numba"

    def _waits_for(self, reverse: bool) -> str:
        if self._runner("numba") is None:
            return self.refusal
        if reverse in self._compilations:
            return "it is being compiled"
        return f"so far for {self._seconds[reverse]:.2g} s, and it is compiled after {AFTER:g} s"
