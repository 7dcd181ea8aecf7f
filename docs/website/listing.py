"""Pages that show a file or a folder of the repository, where another page links to it."""

from __future__ import annotations

import ast
import os
import re
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
    """Return the pages that show these, and the files of those that are folders, as reStructuredText."""
    todo, found = sorted(paths), dict[str, str]()
    while todo:
        path = todo.pop()
        if (root / path).is_dir():
            inside = sorted(each.relative_to(root) for each in (root / path).iterdir() if _is_shown(each))
            todo += [each for each in inside if f"{FOLDER}/{each}.rst" not in found]
            text = "\n".join(
                f"* :doc:`{each.name} </{FOLDER}/{each}>`: {_first(root / each)}" for each in inside
            )
        else:
            code = (root / path).read_text(encoding="utf-8")
            language = {".py": "python", ".js": "javascript"}.get(path.suffix, "text")
            text = f".. code-block:: {language}\n\n" + re.sub("^(?=.)", "   ", code, flags=re.MULTILINE)
        title = f"``{path}``"
        found[f"{FOLDER}/{path}.rst"] = f":orphan:\n\n{title}\n{'=' * len(title)}\n\n{text}\n"
    return found


def _is_shown(path: Path) -> bool:
    return (path.is_dir() and path.name != "__pycache__") or path.suffix in (".py", ".js")


def _first(path: Path) -> str:
    """Return the first line of a file's docstring, or of a folder's."""
    path = path / "__init__.py" if path.is_dir() else path
    if path.suffix != ".py" or not path.exists():
        return ""
    said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return said.partition("\n")[0].replace("*", r"\*")
