"""An editor knows the public surface: what is right in tests/typed passes, and what is wrong is seen."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "tests" / "typed").glob("*.py"))
EXPECTED = {
    (path.name, number)
    for path in FILES
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
    if line.endswith("# expected-error")
}


def run(*command: str, cwd: Path) -> str:
    found = subprocess.run(
        [sys.executable, "-m", *command], check=False, cwd=cwd, capture_output=True, text=True, timeout=300
    )
    assert found.returncode in (0, 1), found.stdout + found.stderr  # 2 and more: it did not run
    return found.stdout


def test_there_is_something_to_see() -> None:
    assert len(EXPECTED) >= 15


@pytest.mark.slow
def test_basedpyright_sees_what_is_wrong_and_nothing_else(tmp_path: Path) -> None:
    config = tmp_path / "pyrightconfig.json"
    files = [str(path) for path in FILES]
    config.write_text(json.dumps({"include": files, "typeCheckingMode": "strict", "extraPaths": [str(ROOT)]}))
    report = json.loads(run("basedpyright", "-p", str(config), "--outputjson", cwd=ROOT))
    found = [
        (Path(each["file"]).name, each["range"]["start"]["line"] + 1, each["message"])
        for each in report["generalDiagnostics"]
    ]
    assert {line[:2] for line in found} == EXPECTED, found


@pytest.mark.slow
def test_mypy_sees_what_is_wrong_and_nothing_else(tmp_path: Path) -> None:
    # Of the library itself mypy follows the types, and reports nothing: that is basedpyright's part.
    config = tmp_path / "mypy.ini"
    config.write_text("[mypy]\nstrict = True\n[mypy-tinyrnn.*]\nignore_errors = True\n")
    options = ["--config-file", str(config), "--cache-dir", str(tmp_path / "cache"), "--no-error-summary"]
    report = run("mypy", *options, *map(str, FILES), cwd=ROOT)
    found = re.findall(r"(\w+\.py):(\d+): error", report)
    assert {(name, int(line)) for name, line in found} == EXPECTED, report
