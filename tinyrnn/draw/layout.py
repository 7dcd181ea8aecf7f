"""From DOT text to a picture: which layout engines there are, and how one is run.

An engine is a command that reads DOT on its standard input and writes the picture on its standard output. It
runs in a process of its own: a layout that takes too long can be stopped, and one that crashes takes nothing
along. The three engines, and why they stand in this order, are compared in ``docs/drawing.md``.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from typing import NamedTuple

__all__ = ["FORMATS", "LayoutError", "LayoutTimeout", "available_engines", "render", "svg"]

FORMATS = ("svg", "png", "pdf")


class LayoutError(RuntimeError):
    """No picture came out: there is no engine, or the engine refused the DOT text. One line says why."""


class LayoutTimeout(LayoutError):
    """The layout took longer than its `timeout` and was stopped."""


def _system_dot(format: str) -> list[str] | None:
    from graphviz.backend.dot_command import command  # takes a while, so only when something is drawn

    program, *options = map(str, command("dot", format))
    found = shutil.which(program)
    return None if found is None else [found, *options]


def _graphviz_pure(format: str) -> list[str] | None:
    # pip puts the program beside this interpreter's own, a folder that need not be on PATH.
    folders = [sysconfig.get_path("scripts"), *os.environ.get("PATH", os.defpath).split(os.pathsep)]
    found = shutil.which("graphviz-pure", path=os.pathsep.join(folders))
    return None if found is None else [found, "-Kdot", f"-T{format}"]


# The context comes before the graph: it is what gives a node its name as the default of its label.
_PYGRAPHVIZ = """
import sys
from pygraphviz import graphviz as gv
context = gv.gvContextWithBuiltins()
try:
    graph = gv.agread(sys.stdin.buffer, None)
    if gv.gvLayout(context, graph, b"dot"):
        sys.exit("Error: layout failed")
    failed, picture = gv.gvRenderData(context, graph, sys.argv[1].encode())
except (TypeError, ValueError) as error:  # graphviz itself has said more on stderr
    sys.exit(f"{error}")
sys.stdout.buffer.write(picture)
"""


def _pygraphviz(format: str) -> list[str] | None:
    if importlib.util.find_spec("pygraphviz") is None:
        return None
    return [sys.executable, "-P", "-c", _PYGRAPHVIZ, format]


class _Engine(NamedTuple):
    name: str
    formats: tuple[str, ...]
    command: Callable[[str], list[str] | None]  # for a format; None where it is not installed
    install: str


_ENGINES = (
    _Engine("dot", FORMATS, _system_dot, "Graphviz from the system's packages"),
    _Engine("graphviz-pure", ("svg", "png"), _graphviz_pure, "pip install 'tinyrnn[draw]'"),
    _Engine("pygraphviz", FORMATS, _pygraphviz, "pip install 'tinyrnn[pdf]'"),
)


def available_engines(format: str | None = None) -> list[str]:
    """Names of the installed layout engines, the preferred one first.

    Parameters
    ----------
    format : {'svg', 'png', 'pdf'}, optional
        Only engines that write this format.

    Examples
    --------
    >>> set(available_engines()) <= {"dot", "graphviz-pure", "pygraphviz"}
    True
    """
    if format is not None:
        _check_format(format)
    able = [e for e in _ENGINES if format is None or format in e.formats]
    return [e.name for e in able if e.command(format or "svg") is not None]


def render(source: str, format: str, *, engine: str | None = None, timeout: float = 30.0) -> bytes:
    """Lay out DOT text and draw it.

    Parameters
    ----------
    source : str
        A graph in the DOT language.
    format : {'svg', 'png', 'pdf'}
    engine : str, optional
        One of `available_engines()`; without it, the first that writes `format`.
    timeout : float
        Seconds after which the layout is stopped.

    Returns
    -------
    bytes
        The picture.

    Raises
    ------
    LayoutTimeout
        The layout took longer than `timeout`.
    LayoutError
        No engine is installed that writes `format`, or `source` is not a graph.
    """
    _check_format(format)
    if not timeout > 0:
        raise ValueError(f"layout: timeout is {timeout!r}; expected a positive number of seconds")
    name, command = _choose(format, engine)
    try:
        done = subprocess.run(
            command,
            input=source.encode("utf-8", errors="replace"),
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise LayoutTimeout(
            f"layout: {name} was stopped after {timeout:g} s; "
            "draw fewer steps or a coarser level, or give it more with timeout="
        ) from None
    except OSError as error:
        raise LayoutError(f"layout: {name} could not be started: {error}") from error
    if done.returncode != 0 or not done.stdout:
        raise LayoutError(f"layout: {name} gave no {format}: {_reason(done)}")
    return done.stdout


def svg(source: str, *, engine: str | None = None, timeout: float = 30.0) -> str:
    """Lay out DOT text as one ``<svg>`` element, to be put into a page: `render` without the XML prologue."""
    document = render(source, "svg", engine=engine, timeout=timeout).decode("utf-8")
    return document[document.index("<svg") :].strip()


def _check_format(format: str) -> None:
    if format not in FORMATS:
        raise ValueError(f"layout: format is {format!r}; expected one of {', '.join(FORMATS)}")


def _choose(format: str, name: str | None) -> tuple[str, list[str]]:
    """Name and command of the engine asked for, or of the first installed one that writes `format`."""
    if name is not None and name not in (e.name for e in _ENGINES):
        raise ValueError(f"layout: engine is {name!r}; expected one of {', '.join(e.name for e in _ENGINES)}")
    able = [e for e in _ENGINES if format in e.formats and name in (None, e.name)]
    if not able:
        raise LayoutError(f"layout: the engine {name} does not write {format}")
    for candidate in able:
        command = candidate.command(format)
        if command is not None:
            return candidate.name, command
    wanted = f"the engine {name}" if name else f"a layout engine for {format}"
    raise LayoutError(f"layout: {wanted} is not installed; install {' or '.join(e.install for e in able)}")


def _reason(done: "subprocess.CompletedProcess[bytes]") -> str:
    """One line: what the engine called an error, or the last thing that it said."""
    lines = [
        line.strip() for line in done.stderr.decode("utf-8", errors="replace").splitlines() if line.strip()
    ]
    errors = [line.removeprefix("Error:").strip() for line in lines if line.startswith("Error:")]
    if done.returncode < 0:
        return f"it crashed (signal {-done.returncode})"
    return (errors or lines[-1:] or ["the text holds no graph"])[0]
