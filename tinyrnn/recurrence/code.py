"""The loop of a scan as code: made when a backend first asks for it, or refused, with the reason."""

from __future__ import annotations

from tinyrnn.recurrence.compiler.scan_program import ScanProgram
from tinyrnn.recurrence.running.native.forms import numba_loop, python_loop
from tinyrnn.recurrence.running.native.runner import NativeRunner

_FORMS = {"numba": numba_loop, "python": python_loop}


class LoopCode:
    """What runs a scan's program as code.

    Attributes
    ----------
    refusal : str
        Why it cannot be written so; empty as long as nothing is known against it.
    """

    def __init__(self, program: ScanProgram) -> None:
        self.program = program
        self.refusal = ""
        self._runners: dict[str, NativeRunner] = {}

    def runner(self, backend: str) -> NativeRunner | None:
        """Return what runs it on a backend; None where NumPy is to."""
        if backend == "numpy" or self.refusal:
            return None
        if backend not in self._runners:
            runner = NativeRunner(self.program, _FORMS[backend])
            self.refusal = runner.refusal
            if self.refusal:
                return None
            self._runners[backend] = runner
        return self._runners[backend]

    def source(self, reverse: bool) -> str:
        """Return the code of the loop; empty where it cannot be written."""
        runner = self.runner("python")
        return "" if runner is None else runner.source(reverse).text

    def runs(self, backend: str) -> str:
        """Say in which form the loop runs on a backend; nothing where that is what stands in any case."""
        if backend == "numpy":
            return ""
        if self.runner(backend) is None:
            return f"as calls of NumPy: {self.refusal}"
        return "as code compiled by Numba" if backend == "numba" else "as Python code"
