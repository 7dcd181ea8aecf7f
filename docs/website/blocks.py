"""The code blocks of a page, run as they stand: by the tests, and by the build for what they write.

A block without ``>>>`` runs as a file would, one with it as a doctest. All blocks of a page share their
names, and the folder that they run in.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tinyrnn as tr
from tinyrnn.draw import layout

__all__ = ["Block", "BlockError", "blocks", "committed", "run"]

ENGINE = "graphviz-pure"  # draws the same picture on every machine
FENCED = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What a line is said to print; or a call of several lines, behind its last bracket.
SAID = re.compile(r"^print\((?:.*|\n(?: .*\n)+)\)  # (.*)$", re.MULTILINE)
SHOWN = re.compile(r"!\[[^]]*\]\(([^)\s]+\.svg)\)")
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


class BlockError(AssertionError):
    """A block fails, or shows something else than its page says."""


@dataclass
class Block:
    """One block of a page.

    Attributes
    ----------
    code : str
        The lines between the fences.
    line : int
        The page's line on which the first of them stands.
    end : int
        Where the closing fence ends, in characters from the top of the page.
    written : list of str
        The files that it wrote, as it named them.
    """

    code: str
    line: int
    end: int
    written: list[str] = field(default_factory=list[str])


def blocks(text: str) -> list[Block]:
    """Return the blocks of a page's text."""
    return [Block(f[1], text[: f.start(1)].count("\n") + 1, f.end()) for f in FENCED.finditer(text)]


def run(page: Path, folder: Path) -> list[Block]:
    """Run the blocks of a page in a folder, in their order, and return them with the files that they wrote.

    Raises
    ------
    BlockError
        A doctest fails; a block prints something else than what stands behind ``print(...)  # ``; or two
        blocks write a file of the same name.
    """
    found = blocks(page.read_text(encoding="utf-8"))
    names: dict[str, Any] = {"__name__": "__main__"}
    before: dict[str, Any] = {}
    with _own_state(folder):
        for block in found:
            (_doctest if ">>>" in block.code else _plain)(block, page, names)
            after = dict(_files(folder))
            block.written = [name for name, stamp in after.items() if before.get(name) != stamp]
            for name in block.written:
                if name in before and name.endswith((".svg", ".html")):
                    raise BlockError(f"{page.name}, line {block.line}: another block wrote {name} too")
            before = after
    return found


def _plain(block: Block, page: Path, names: dict[str, Any]) -> None:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(compile("\n" * (block.line - 1) + block.code, page, "exec"), names)
    said, printed = SAID.findall(block.code), out.getvalue().splitlines()
    if said != printed:
        raise BlockError(f"{page.name}, line {block.line}: the page says {said}, printed was {printed}")


def _doctest(block: Block, page: Path, names: dict[str, Any]) -> None:
    test = doctest.DocTestParser().get_doctest(block.code, names, page.name, str(page), block.line - 1)
    report: list[str] = []
    failed, _ = doctest.DocTestRunner(optionflags=FLAGS).run(test, out=report.append, clear_globs=False)
    names.update(test.globs)  # the doctest had a copy
    if failed:
        raise BlockError("".join(report))


@contextlib.contextmanager
def _own_state(folder: Path) -> Iterator[None]:
    """Work in a folder, lay out with the engine that is the same everywhere, and put defaults back.

    A warning is an error; what else goes to the standard error, such as progress, is nobody's.
    """
    dtype, engines = tr.get_default_dtype(), layout._ENGINES
    layout._ENGINES = tuple(sorted(engines, key=lambda engine: engine.name != ENGINE))
    try:
        with contextlib.chdir(folder), contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("error")
            yield
    finally:
        layout._ENGINES = engines
        tr.set_default_dtype(dtype)


def _files(folder: Path) -> Iterator[tuple[str, tuple[int, ...]]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            stat = path.stat()
            yield path.relative_to(folder).as_posix(), (stat.st_mtime_ns, stat.st_size, stat.st_ino)


def committed(page: Path, ran: list[Block]) -> dict[str, Path]:
    """Pair each picture that a block wrote and the page shows with the file that the page shows."""
    shown = {Path(link).name: page.parent / link for link in SHOWN.findall(page.read_text(encoding="utf-8"))}
    return {name: shown[Path(name).name] for b in ran for name in b.written if Path(name).name in shown}
