"""Pages that show a file or a folder of the repository, where another page links to it."""

from __future__ import annotations

import ast
import os
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

__all__ = ["linked", "listings"]

FOLDER = "source"  # where they stand in the site
LINK = re.compile(r"(?<!!)(\[[^]\n]*\]\()([^)#\s]+)(?=[)#])")


def linked(text: str, page: Path, root: Path) -> tuple[str, set[Path]]:
    """Turn a page's links to files that are no pages to where these are shown; return what is to be shown."""
    found: set[Path] = set()

    def turned(link: re.Match[str]) -> str:
        path = Path(os.path.normpath(page.parent / link[2]))
        if "://" in link[2] or not path.is_relative_to(root) or not path.exists() or path.suffix == ".md":
            return link[0]
        found.add(path.relative_to(root))
        return f"{link[1]}/{FOLDER}/{path.relative_to(root).as_posix()}.rst"

    return LINK.sub(turned, text), found


def listings(paths: set[Path], root: Path) -> dict[str, str]:
    """Return the pages that show these files and folders, as reStructuredText."""
    return {f"{FOLDER}/{path}.rst": "\n".join(_page(path, paths, root)) for path in sorted(paths)}


def _page(path: Path, shown: set[Path], root: Path) -> Iterator[str]:
    title = f"``{path}``"
    yield from (":orphan:", "", title, "=" * len(title), "")
    if (root / path).is_dir():
        for each in sorted(filter(_is_source, (root / path).iterdir())):
            place = each.relative_to(root)
            name = f":doc:`{each.name} </{FOLDER}/{place}>`" if place in shown else f"``{each.name}``"
            yield f"* {name}: {_first(each)}"
    else:
        language = {".py": "python", ".js": "javascript"}.get(path.suffix, "text")
        yield from (f".. code-block:: {language}", "")
        yield textwrap.indent((root / path).read_text(encoding="utf-8"), "   ")


def _is_source(path: Path) -> bool:
    return (path.is_dir() and path.name != "__pycache__") or path.suffix in (".py", ".js")


def _first(path: Path) -> str:
    """Return the first line of a file's docstring, or of a folder's."""
    path = path / "__init__.py" if path.is_dir() else path
    if path.suffix != ".py" or not path.exists():
        return ""
    said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return said.partition("\n")[0].replace("*", r"\*")
