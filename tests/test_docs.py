"""Every code block of README and docs runs as it stands, in the order of its page, and shows what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from website.blocks import FENCED, SHOWN, BlockError, blocks, committed, run

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
REDRAW = "`python docs/build.py --pictures` draws it anew"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_blocks_of_a_page_run_and_draw_its_pictures(page: Path, tmp_path: Path) -> None:
    for name, picture in committed(page, run(page, tmp_path)).items():
        assert picture.is_file(), f"{page.name} shows {picture}, which is missing; {REDRAW}"
        assert (tmp_path / name).read_bytes() == picture.read_bytes(), f"{picture}: {REDRAW}"


def test_nothing_that_looks_like_code_is_left_out() -> None:
    assert sum(len(blocks(page.read_text(encoding="utf-8"))) for page in PAGES) > 60
    for page in PAGES:
        rest = FENCED.sub("", page.read_text(encoding="utf-8"))
        assert ">>>" not in rest, page.name


def test_each_picture_that_is_shown_is_there() -> None:
    for page in PAGES:
        for link in SHOWN.findall(page.read_text(encoding="utf-8")):
            assert (page.parent / link).is_file(), f"{page.name} shows {link}; {REDRAW}"


WRITES = "from pathlib import Path\nPath('a.svg').write_text('{}')\n"


def page_of(folder: Path, text: str) -> Path:
    page = folder / "page.md"
    page.write_text(text, encoding="utf-8")
    return page


@pytest.mark.parametrize(
    "text",
    [
        "```python\nx = 1\n```\n```python\n>>> x\n2\n```\n",
        "```python\nprint(1)  # 2\n```\n",
        "```python\nprint(1)\n```\n",
        f"```python\n{WRITES.format(1)}```\n```python\n{WRITES.format(2)}```\n",
    ],
    ids=["a doctest fails", "another print", "a print that is not said", "two blocks write one file"],
)
def test_a_page_that_says_what_is_not_so_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "ran").mkdir()
    with pytest.raises(BlockError):
        run(page_of(tmp_path, text), tmp_path / "ran")


def test_what_is_printed_may_be_said_behind_a_call_of_several_lines(tmp_path: Path) -> None:
    run(
        page_of(tmp_path, "```python\nprint(\n    1\n)  # 1\nprint(2)  # 2\nx = int(\n    3\n)  # 3\n```\n"),
        tmp_path,
    )


def test_what_a_block_writes_is_known_and_paired_with_what_the_page_shows(tmp_path: Path) -> None:
    code = f"{WRITES.format(1)}Path('b.html').write_text('b')\n"
    page = page_of(tmp_path, f"```python\n{code}```\n\n![A picture](pictures/a.svg)\n")
    (tmp_path / "ran").mkdir()
    ran = run(page, tmp_path / "ran")
    assert [block.written for block in ran] == [["a.svg", "b.html"]]
    assert committed(page, ran) == {"a.svg": tmp_path / "pictures" / "a.svg"}


def test_a_page_draws_its_own_pictures(tmp_path: Path) -> None:
    page = page_of(tmp_path, f"```python\n{WRITES.format('<svg/>')}```\n\n![A picture](pictures/a.svg)\n")
    command = [sys.executable, str(ROOT / "docs" / "build.py"), "--pictures", str(page)]
    subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, capture_output=True)
    assert (tmp_path / "pictures" / "a.svg").read_text() == "<svg/>"
