"""A page as a notebook: its text as cells of Markdown, its blocks as cells of code, without outputs."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from doctest import DocTestParser
from pathlib import Path
from typing import Any

from website.blocks import FENCED

__all__ = ["notebook"]

# An answer stays in one cell, folded, with its code to read.
ANSWER = re.compile(r"^<details.*?^</details>$", re.MULTILINE | re.DOTALL)
PICTURE = re.compile(r"(!\[[^]]*\]\()([^)\s]+\.(?:svg|png))\)")
RAISES = "code that raises"
LINK = re.compile(r"(?<!!)\[([^]]+)\]\(((?:\.\./)*[\w/.-]+\.(?:md|py)(?:#[^)\s]*)?|(?:\.\./)+[\w/.-]+)\)")
CHAPTER = re.compile(r"(\d\d_\w+)\.md")
KINDS = {".svg": "image/svg+xml", ".png": "image/png"}


def notebook(page: Path) -> str:
    """Return a page as the text of a notebook, with its pictures in it.

    A link to another chapter leads to its notebook, beside this one. Of other links in the repository, which
    a notebook by itself cannot follow, the words are left.
    """
    cells = [_cell(number, kind, text) for number, (kind, text) in enumerate(_parts(page))]
    python = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    found = {"cells": cells, "metadata": python, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def _parts(page: Path) -> Iterator[tuple[str, str]]:
    """Yield the kind of each cell, and what is in it."""
    text = page.read_text(encoding="utf-8")
    answers = [found.span() for found in ANSWER.finditer(text)]
    at = 0
    for block in FENCED.finditer(text):
        if not any(start <= block.start() < end for start, end in answers):
            yield "markdown", _alone(text[at : block.start()], page)
            yield from _code(block[1])
            at = block.end()
    yield "markdown", _alone(text[at:], page)


def _cell(number: int, kind: str, text: str) -> dict[str, Any]:
    lines = text.strip().splitlines(keepends=True)
    cell: dict[str, Any] = {"cell_type": kind.partition(" ")[0], "id": f"cell-{number}", "metadata": {}}
    if kind == RAISES:
        cell["metadata"] = {"tags": ["raises-exception"]}
    return cell | {"source": lines} | ({} if kind == "markdown" else {"execution_count": None, "outputs": []})


def _code(code: str) -> Iterator[tuple[str, str]]:
    """Yield the cells of a block: of a doctest without prompts and results, an error in one of its own."""
    if ">>>" not in code:
        yield "code", code
        return
    text = ""
    for example in DocTestParser().get_examples(code):
        if example.exc_msg is None:
            text += example.source
        else:
            yield from [("code", text)] if text else []
            yield RAISES, example.source
            text = ""
    yield from [("code", text)] if text else []


def _alone(text: str, page: Path) -> str:
    """Return text that does not need the files around its page."""

    def leads(found: re.Match[str]) -> str:
        chapter = CHAPTER.match(found[2])
        return f"[{found[1]}]({chapter[1]}.ipynb)" if chapter else found[1]

    def inside(found: re.Match[str]) -> str:
        path = page.parent / found[2]
        data = base64.b64encode(path.read_bytes()).decode("ascii")
        return f"{found[1]}data:{KINDS[path.suffix]};base64,{data})"

    return PICTURE.sub(inside, LINK.sub(leads, text))
