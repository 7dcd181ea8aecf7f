"""Each chapter as a notebook: it holds what the page holds, and runs from its first cell to its last."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from website.notebooks import notebook

ROOT = Path(__file__).parent.parent
CHAPTERS = sorted((ROOT / "docs" / "learn").glob("[0-9]*.md"))
PAGE = """# A page

```python
>>> x = 1
>>> for _ in range(2):
...     x += 1
>>> x
3
>>> 1 / 0
Traceback (most recent call last):
    ...
ZeroDivisionError: division by zero
>>> x += 0
```

![A picture](a.svg)

See [a chapter](02_next.md#part), [`code.py`](../../tinyrnn/code.py), [a page](../page.md) and [elsewhere](https://a.b/c.md).

<details markdown="1"><summary>Answer</summary>

```python
y = 2
```

</details>

```python
print(x)  # 3
```
"""


def test_text_and_code_are_cells_and_an_answer_is_folded(tmp_path: Path) -> None:
    (tmp_path / "a.svg").write_text("<svg/>")
    (tmp_path / "page.md").write_text(PAGE)
    cells = json.loads(notebook(tmp_path / "page.md"))["cells"]
    kinds = [cell["cell_type"][:4] for cell in cells]
    assert kinds == ["mark", "code", "code", "code", "mark", "code", "mark"]
    assert ["".join(cell["source"]) for cell in cells[1:4]] == [
        "x = 1\nfor _ in range(2):\n    x += 1\nx", "1 / 0", "x += 0",
    ]  # fmt: skip
    assert [cell["metadata"].get("tags") for cell in cells[1:4]] == [None, ["raises-exception"], None]
    text = "".join(cells[4]["source"])
    assert "![A picture](data:image/svg+xml;base64," in text
    assert "See [a chapter](02_next.ipynb), `code.py`, a page and [elsewhere](https://a.b/c.md)." in text
    assert text.index("<details") < text.index("y = 2") < text.index("</details>")


def test_a_cell_that_is_to_fail_says_so(tmp_path: Path) -> None:
    shown = "```python\n>>> 1 / 0\nTraceback (most recent call last):\n    ...\nZeroDivisionError: ...\n```\n"
    (tmp_path / "page.md").write_text(shown)
    _, cell, _ = json.loads(notebook(tmp_path / "page.md"))["cells"]
    assert (cell["source"], cell["metadata"]) == (["1 / 0"], {"tags": ["raises-exception"]})


def test_one_command_writes_them_all(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "docs" / "build.py"), "--notebooks", str(tmp_path / "out")]
    subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, capture_output=True)
    written = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "out").iterdir()}
    assert written == {f"{page.stem}.ipynb": notebook(page) for page in CHAPTERS}


def test_they_are_valid() -> None:
    nbformat = pytest.importorskip("nbformat")
    for page in CHAPTERS:
        nbformat.validate(nbformat.reads(notebook(page), as_version=4))


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # of the notebook's own packages
@pytest.mark.parametrize("page", CHAPTERS[:2], ids=lambda page: page.stem)  # .ci/run executes all of them
def test_a_chapter_runs_as_a_notebook(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    found = nbformat.reads(notebook(page), as_version=4)
    where = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(found, timeout=600, kernel_name="python3", resources=where).execute()
