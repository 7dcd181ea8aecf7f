"""Every code block of README and docs runs as it stands, in the order of its page, and shows what it says."""

from __future__ import annotations

import doctest
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tinyrnn as tr

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def blocks(page: Path) -> list[tuple[int, str]]:
    """Return each block with the number of its first line."""
    text = page.read_text(encoding="utf-8")
    return [(text[: found.start(1)].count("\n") + 1, found[1]) for found in BLOCK.finditer(text)]


@pytest.fixture
def _own_defaults() -> Iterator[None]:
    before = tr.get_default_dtype()
    yield
    tr.set_default_dtype(before)


@pytest.mark.usefixtures("_own_defaults")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_blocks_of_a_page_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)  # for examples that save files
    names: dict[str, Any] = {}
    for line, code in blocks(page):
        if ">>>" in code:
            report: list[str] = []
            test = doctest.DocTestParser().get_doctest(code, names, page.name, str(page), line - 1)
            failed, _ = doctest.DocTestRunner(optionflags=FLAGS).run(
                test, out=report.append, clear_globs=False
            )
            names = test.globs
            assert not failed, "".join(report)
        else:
            capsys.readouterr()
            exec(compile("\n" * (line - 1) + code, page, "exec"), names)
            printed = capsys.readouterr().out.splitlines()
            assert re.findall(r"^print\(.*\)  # (.*)$", code, re.M) == printed


def test_nothing_that_looks_like_code_is_left_out() -> None:
    assert sum(len(blocks(page)) for page in PAGES) > 60
    for page in PAGES:
        rest = BLOCK.sub("", page.read_text(encoding="utf-8"))
        assert ">>>" not in rest, page.name
