"""The examples in the documentation run, and print what they show."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"
PAGES = sorted(DOCS.glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = re.sub(
        r"^```.*$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE
    )  # a fence is no output
    monkeypatch.chdir(tmp_path)  # for examples that save files
    report: list[str] = []
    test = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    failed, _ = doctest.DocTestRunner(optionflags=flags).run(test, out=report.append)
    assert not failed, "".join(report)


def test_there_are_examples() -> None:
    parser = doctest.DocTestParser()
    assert len(parser.get_examples((DOCS / "autograd.md").read_text(encoding="utf-8"))) > 20
