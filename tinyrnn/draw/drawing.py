"""`Drawing`: a picture that has not been laid out yet, with the conventions of the ``graphviz`` package."""

import math
import os
import tempfile
import webbrowser
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from tinyrnn.autograd.arguments import COUNT, FLAG, FUNCTION, PATH, TEXT, checked, number, one_of
from tinyrnn.draw import layout
from tinyrnn.draw.exploring.behind import Behind
from tinyrnn.draw.exploring.page import explore_page
from tinyrnn.draw.writing.mermaid import mermaid_of
from tinyrnn.draw.writing.tikz import tikz_of
from tinyrnn.draw.writing.wave import animated

__all__ = ["FORMATS", "Drawing"]

FORMATS = (*layout.FORMATS, "html", "tex", "mmd", "dot", "gv")
SECONDS = number(math.ulp(0.0), words="a positive number of seconds")


class Drawing:
    """DOT text that can be saved, drawn to a file, or shown in a notebook.

    Nothing is laid out before it is asked for, so a drawing can be made, printed and saved as text where no
    layout engine is installed.

    Parameters
    ----------
    source : str
        A graph in the DOT language.
    engine : str, optional
        The layout engine, see `tinyrnn.draw.layout.available_engines`.
    timeout : float
        Seconds after which a layout is stopped.
    dpi : int, optional
        Dots per inch of a PNG; 96 if not given.
    behind : callable, optional
        Returns what a page to explore shows beside the picture.

    Examples
    --------
    >>> drawing = Drawing("digraph { h0 -> h1 }")
    >>> print(drawing)
    digraph { h0 -> h1 }
    """

    @checked(
        source=TEXT, engine=TEXT.or_none(), timeout=SECONDS, dpi=COUNT.or_none(),
        behind=FUNCTION.or_none(),
    )  # fmt: skip
    def __init__(
        self,
        source: str,
        *,
        engine: str | None = None,
        timeout: float = 30.0,
        dpi: int | None = None,
        behind: Callable[[], Behind] | None = None,
    ) -> None:
        self.source = source
        self.dpi = dpi
        self.engine = engine
        self.timeout = timeout
        self._behind = behind or Behind

    @checked(format=one_of(*FORMATS), stepper=TEXT.or_none(), animate=FLAG)
    def pipe(self, format: str = "svg", *, stepper: str | None = None, animate: bool = False) -> bytes:
        """Return the picture as the bytes of a file.

        Parameters
        ----------
        format : {'svg', 'png', 'pdf', 'html', 'tex', 'mmd', 'dot', 'gv'}
            ``html`` is a page to explore the picture, in one file; ``tex`` is TikZ in a LaTeX document that
            compiles alone, ``mmd`` a Mermaid flowchart. ``dot`` and ``gv`` are the DOT text, and need no
            layout engine.
        stepper : str, optional
            Of a page: the address of a stepper of the same loss, such as ``bptt.html`` beside it; a click on
            a box leads to the same place there.
        animate : bool
            Of an SVG: let the gradients arrive in the order of the backward pass, once. Who has asked the
            browser for less motion sees the picture as it is in the end.

        Raises
        ------
        LayoutError
            No engine is installed that writes `format`, or the layout failed or took too long.
        """
        for name, given, its in (("stepper", stepper is not None, "html"), ("animate", animate, "svg")):
            if given and format != its:
                raise ValueError(f"Drawing: {name} is for .{its}; the format is {format!r}")
        if animate:
            return animated(self._svg(self.source)).encode()
        if format in ("dot", "gv"):
            return self.source.encode("utf-8", errors="replace")
        if format == "html":
            behind = self._behind()
            opened = {fold: self._svg(source) for fold, source in behind.opened.items()}
            return explore_page(self._svg(self.source), opened, behind, stepper or "").encode()
        if format in ("tex", "mmd"):
            svg = self._svg(self.source)
            return (tikz_of(svg) if format == "tex" else mermaid_of(svg)).encode("utf-8")
        source = self.source
        if self.dpi is not None and format == "png":
            source = source.replace("{", f"{{ graph [dpi={self.dpi}];", 1)
        return layout.render(source, format, engine=self.engine, timeout=self.timeout)

    def _svg(self, source: str) -> str:
        return layout.svg(source, engine=self.engine, timeout=self.timeout)

    @checked(path=PATH, format=one_of(*FORMATS).or_none(), view=FLAG, stepper=TEXT.or_none(), animate=FLAG)
    def render(
        self,
        path: str | os.PathLike[str],
        *,
        format: str | None = None,
        view: bool = False,
        stepper: str | None = None,
        animate: bool = False,
    ) -> str:
        """Draw to a file and return its path.

        Parameters
        ----------
        path : path-like
            Folders on the way are made. The file is only touched once the picture is there.
        format : str, optional
            As in `pipe`. Taken from the suffix of `path` if not given.
        view : bool
            Open the file in the system's viewer.
        stepper, animate
            As in `pipe`.

        Raises
        ------
        ValueError
            The suffix is none of the formats.
        LayoutError
            As in `pipe`.
        """
        path = Path(path)
        if format is None:
            format = format_of("render", str(path), FORMATS)
        picture = self.pipe(format, stepper=stepper, animate=animate)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture)
        if view:
            webbrowser.open(path.resolve().as_uri())
        return str(path)

    @checked(path=PATH, stepper=TEXT.or_none(), animate=FLAG)
    def save(self, path: str | os.PathLike[str], *, stepper: str | None = None, animate: bool = False) -> str:
        """Write to a file in the format that its suffix says, and return its path.

        Parameters
        ----------
        path : path-like
            Ends in .svg, .png, .pdf, .html (a page to explore the picture), .tex (TikZ), .mmd (Mermaid), or
            in .dot or .gv for the text, which needs no layout engine. Folders on the way are made. The file
            is only touched once the picture is there.
        stepper, animate
            As in `pipe`.

        Raises
        ------
        ValueError
            The suffix is none of these.
        LayoutError
            As in `pipe`.
        """
        format = format_of("save", str(path), FORMATS)
        return self.render(path, format=format, stepper=stepper, animate=animate)

    def view(self) -> str:
        """Draw as SVG to a temporary file, open it in the system's viewer, and return its path."""
        handle, path = tempfile.mkstemp(prefix="tinyrnn-", suffix=".svg")
        os.close(handle)
        return self.render(path, view=True)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """Show the SVG in a notebook, or text that says why there is none: a cell must not fail over it."""
        try:
            return {"image/svg+xml": self.pipe("svg").decode("utf-8"), "text/plain": repr(self)}
        except Exception as error:
            return {"text/plain": f"{self!r}\n{error}"}

    def __str__(self) -> str:
        return self.source

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self.source.splitlines())} lines of DOT>"


def format_of(where: str, path: str, formats: Collection[str]) -> str:
    """Return the format that the suffix of a path says; ``where`` is the function that an error names.

    Raises
    ------
    ValueError
        The suffix is none of the formats.
    """
    found = Path(path).suffix.lower().removeprefix(".")
    if found not in formats:
        expected = ", ".join("." + name for name in formats)
        raise ValueError(f"{where}: {path!r} does not say the format; expected a suffix {expected}")
    return found
