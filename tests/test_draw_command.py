"""`tinyrnn draw` without the command line, and the example that draws the pictures of the docs."""

import re
import runpy
import sys
from pathlib import Path

import pytest

from tinyrnn.draw.command import draw_command
from tinyrnn.draw.layout import available_engines

ROOT = Path(__file__).parent.parent

needs_engine = pytest.mark.skipif(
    "graphviz-pure" not in available_engines(), reason="graphviz-pure is not installed"
)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("level", ["op", "gate", "cell", "layer", "rolled"])
def test_draws_small_networks(cell, level, tmp_path):
    path = draw_command(str(tmp_path / "new" / "net.dot"), cell=cell, steps=3, level=level)
    text = Path(path).read_text(encoding="utf-8")
    assert ('"cluster_t2"' in text) == (level not in ("layer", "rolled"))


@needs_engine
def test_the_suffix_gives_the_format(tmp_path):
    for suffix, start in ((".svg", b"<?xml"), (".png", b"\x89PNG")):
        path = draw_command(str(tmp_path / f"net{suffix}"), steps=2, engine="graphviz-pure")
        assert Path(path).read_bytes().startswith(start)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"output": "net.jpg"},
            "'net.jpg' does not say the format; "
            "expected a suffix .svg, .png, .pdf, .html, .tex, .mmd, .dot, .gv",
        ),
        ({"output": "net"}, "'net' does not say the format"),
        ({"cell": "rnm"}, "draw: cell is 'rnm'; expected one of rnn, lstm, gru"),
        ({"steps": 0}, "draw: steps is 0; expected at least 1"),
        ({"level": "gates"}, "level is 'gates'; expected 'op', 'gate', 'cell', 'layer' or 'rolled'"),
    ],
)
def test_errors_are_one_line(options, message, tmp_path):
    options = {"output": str(tmp_path / "net.dot")} | options
    with pytest.raises(ValueError, match=re.escape(message)) as raised:
        draw_command(**options)
    assert "\n" not in str(raised.value)


@needs_engine
@pytest.mark.slow
def test_the_example_draws_all_its_pictures(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["draw_unrolled.py", str(tmp_path)])
    runpy.run_path(str(ROOT / "examples" / "draw_unrolled.py"), run_name="__main__")
    written = {path.name for path in tmp_path.glob("*.svg")}
    pages = [
        (ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("gallery.md", "gallery_styles.md")
    ]
    assert len(written) == sum(page.count("drawing = ") for page in pages) == 30
    assert written == {name for page in pages for name in re.findall(r"\(pictures/(.*?)\)", page)}
    assert len(capsys.readouterr().out.splitlines()) == 30
    for name in written:
        assert (tmp_path / name).read_bytes() == (ROOT / "docs" / "pictures" / name).read_bytes(), name
