"""DOT text to pictures: each engine that is installed, and what happens when none is, or when it hangs."""

import importlib.util
import os
import re
import shutil
import stat
import subprocess
import sys
import webbrowser
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from tinyrnn.draw import layout
from tinyrnn.draw.drawing import Drawing
from tinyrnn.draw.layout import LayoutError, LayoutTimeout, available_engines

# What the drawings are made of: clusters in clusters, rank=same, HTML-like labels with ports, unicode.
SOURCE = """digraph unrolled {
    rankdir=LR; newrank=true; node [fontname=Helvetica]
    cell [shape=none label=<<table><tr><td port="i"><b>gate i</b></td><td>‖∂L/∂c‖ = 1.2e−3</td></tr></table>>]
    subgraph cluster_1 { label="t = 1"; x1; h1; subgraph cluster_inner { label="inner"; y1 } }
    subgraph cluster_2 { label="t = 2"; style="rounded,filled"; x2 [label="x₂ → σ · ½"]; h2 }
    { rank=same; x1; h1 }
    { rank=same; x2; h2 }
    x1 -> h1; x2 -> h2; h1 -> h2 [penwidth=3]; h2 -> h1 [style=dashed constraint=false label="cut"]
    cell:i -> x1; h1 -> y1
}"""
MAGIC = {"svg": b"<?xml", "png": b"\x89PNG\r\n\x1a\n", "pdf": b"%PDF-"}
SVG = "{http://www.w3.org/2000/svg}"

every_engine = pytest.mark.parametrize("engine", ["dot", "graphviz-pure", "pygraphviz"])


def skip_unless_installed(engine: str) -> None:
    if engine not in available_engines():
        pytest.skip(f"{engine} is not installed")


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(shutil, "which", lambda *args, **kwargs: None)
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "pygraphviz" else find_spec(name)
    )


@pytest.fixture
def fake_dot(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Make `dot` a program of our own."""
    if sys.platform == "win32":
        pytest.skip("needs programs that are scripts")

    def make(script: str) -> None:
        program = tmp_path / "bin" / "dot"
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", str(program.parent))

    return make


def positions(svg: str) -> dict[str, tuple[float, float]]:
    """Where the label of each node stands, by the node's name."""
    found = {}
    for group in ElementTree.fromstring(svg).iter(SVG + "g"):
        text = group.find(SVG + "text")
        if group.get("class") == "node" and text is not None:
            found[group.findtext(SVG + "title")] = (float(text.get("x")), float(text.get("y")))
    return found


@every_engine
@pytest.mark.parametrize("format", ["svg", "png", "pdf"])
def test_each_engine_writes_its_formats(engine, format):
    skip_unless_installed(engine)
    if engine not in available_engines(format):
        with pytest.raises(LayoutError, match=f"{engine} does not write {format}"):
            layout.render(SOURCE, format, engine=engine)
    else:
        picture = layout.render(SOURCE, format, engine=engine)
        assert picture.startswith(MAGIC[format])
        assert len(picture) > 3000


def test_pip_alone_gives_all_formats(monkeypatch, tmp_path):
    for engine in ("graphviz-pure", "pygraphviz"):
        skip_unless_installed(engine)
    monkeypatch.setenv("PATH", str(tmp_path))  # no system Graphviz
    assert available_engines() == ["graphviz-pure", "pygraphviz"]
    for format, magic in MAGIC.items():
        assert layout.render(SOURCE, format).startswith(magic)


@every_engine
def test_svg_shows_labels_clusters_and_ranks(engine):
    skip_unless_installed(engine)
    svg = layout.svg(SOURCE, engine=engine)
    assert svg.startswith("<svg")
    assert svg.endswith("</svg>")
    root = ElementTree.fromstring(svg)
    texts = {"".join(element.itertext()) for element in root.iter(SVG + "text")}
    assert {"gate i", "‖∂L/∂c‖ = 1.2e−3", "t = 1", "inner", "t = 2", "x₂ → σ · ½", "cut"} <= texts
    assert {"x1", "h1", "y1", "h2"} <= texts  # nodes with no label of their own show their name
    kinds = [group.get("class") for group in root.iter(SVG + "g")]
    assert (kinds.count("node"), kinds.count("edge"), kinds.count("cluster")) == (6, 6, 3)
    place = positions(svg)
    assert place["x1"][0] == pytest.approx(
        place["h1"][0], abs=1
    )  # rank=same, rankdir=LR: one above the other
    assert place["x2"][0] == pytest.approx(place["h2"][0], abs=1)
    assert place["h1"][0] < place["h2"][0]


@every_engine
def test_same_source_same_bytes(engine):
    skip_unless_installed(engine)
    assert layout.render(SOURCE, "svg", engine=engine) == layout.render(SOURCE, "svg", engine=engine)


@pytest.mark.parametrize("format", ["svg", "png"])
def test_graphviz_pure_does_not_depend_on_the_fonts_of_the_machine(format, monkeypatch, tmp_path):
    skip_unless_installed("graphviz-pure")
    before = layout.render(SOURCE, format, engine="graphviz-pure")
    config = tmp_path / "fonts.conf"
    config.write_text(f"<?xml version='1.0'?><fontconfig><dir>{tmp_path}</dir></fontconfig>")
    monkeypatch.setenv("FONTCONFIG_FILE", str(config))
    assert layout.render(SOURCE, format, engine="graphviz-pure") == before


@every_engine
@pytest.mark.parametrize("source", ["", "digraph {", "no graph at all"])
def test_text_that_is_no_graph_is_one_line_that_names_the_engine(engine, source):
    skip_unless_installed(engine)
    with pytest.raises(LayoutError, match=f"^layout: {engine} gave no svg: ") as caught:
        layout.render(source, "svg", engine=engine)
    assert "\n" not in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_without_an_engine_the_error_says_what_to_install(no_engine):
    assert available_engines() == []
    with pytest.raises(LayoutError) as caught:
        layout.render(SOURCE, "svg")
    message = str(caught.value)
    assert "\n" not in message
    assert "Graphviz" in message
    assert "pip install 'tinyrnn[draw]'" in message
    with pytest.raises(LayoutError, match=r"engine pygraphviz is not installed; .*tinyrnn\[pdf\]"):
        layout.render(SOURCE, "pdf", engine="pygraphviz")


def test_wrong_arguments_name_what_was_expected():
    with pytest.raises(ValueError, match="format is 'gif'; expected one of svg, png, pdf"):
        layout.render(SOURCE, "gif")
    with pytest.raises(ValueError, match="format is 'gif'"):
        available_engines("gif")
    with pytest.raises(ValueError, match="engine is 'neato'; expected one of dot, graphviz-pure, pygraphviz"):
        layout.render(SOURCE, "svg", engine="neato")
    for timeout in (0, -1.0, float("nan")):
        with pytest.raises(ValueError, match=r"timeout is .*; expected a positive number of seconds"):
            layout.render(SOURCE, "svg", timeout=timeout)


def test_the_system_dot_comes_first_and_gets_the_source(fake_dot):
    fake_dot('printf "%s|" "$*"; exec /bin/cat')
    assert available_engines()[0] == "dot"
    assert layout.render("digraph { σ }", "png").decode() == "-Kdot -Tpng|digraph { σ }"


def test_a_layout_that_hangs_is_stopped(fake_dot, tmp_path):
    fake_dot(f"echo $$ > '{tmp_path}/pid'; exec /bin/sleep 600")
    with pytest.raises(LayoutTimeout, match=r"dot was stopped after 1 s; .*timeout="):
        layout.render(SOURCE, "svg", timeout=1)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_a_layout_that_crashes_is_an_error(fake_dot):
    fake_dot("kill -9 $$")
    with pytest.raises(LayoutError, match="dot gave no svg: it crashed"):
        layout.render(SOURCE, "svg")


def test_engine_packages_are_imported_only_when_drawing():
    code = (
        "import sys, tinyrnn.draw.drawing; print([m for m in ('graphviz', 'pygraphviz') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# Drawing


def test_drawing_keeps_its_text(tmp_path):
    drawing = Drawing(SOURCE)
    assert str(drawing) == drawing.source == SOURCE
    path = drawing.save(tmp_path / "new folder" / "graph.gv")
    assert Path(path).read_text(encoding="utf-8") == SOURCE
    assert re.fullmatch(r"<Drawing: \d+ lines of DOT>", repr(drawing))


@pytest.mark.parametrize("format", ["svg", "png", "pdf"])
def test_drawing_renders_what_the_suffix_says(format, tmp_path):
    if not available_engines(format):
        pytest.skip(f"no engine for {format}")
    drawing = Drawing(SOURCE)
    path = drawing.render(tmp_path / "new folder" / f"graph.{format.upper()}")
    assert path == str(tmp_path / "new folder" / f"graph.{format.upper()}")
    assert Path(path).read_bytes().startswith(MAGIC[format])
    assert drawing.pipe(format).startswith(MAGIC[format])


def test_drawing_takes_a_format_for_a_path_without_suffix(tmp_path):
    if not available_engines("svg"):
        pytest.skip("no engine for svg")
    assert Path(Drawing(SOURCE).render(tmp_path / "graph", format="svg")).read_bytes().startswith(b"<?xml")
    with pytest.raises(ValueError, match=r"expected a suffix \.svg, \.png, \.pdf"):
        Drawing(SOURCE).render(tmp_path / "graph.gif")


def test_a_failed_rendering_leaves_the_old_file(tmp_path):
    path = tmp_path / "graph.svg"
    path.write_text("before")
    with pytest.raises(LayoutError):
        Drawing("digraph {").render(path)
    assert path.read_text() == "before"


def test_view_opens_the_picture(monkeypatch):
    if not available_engines("svg"):
        pytest.skip("no engine for svg")
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    path = Path(Drawing(SOURCE).view())
    try:
        assert opened == [path.resolve().as_uri()]
        assert path.read_bytes().startswith(b"<?xml")
    finally:
        path.unlink()


def test_notebook_shows_svg():
    if not available_engines("svg"):
        pytest.skip("no engine for svg")
    bundle = Drawing(SOURCE)._repr_mimebundle_()
    assert "t = 1" in bundle["image/svg+xml"]
    assert bundle["text/plain"].startswith("<Drawing")


def test_notebook_never_raises(no_engine):
    bundle = Drawing(SOURCE)._repr_mimebundle_(include=None, exclude=None)
    assert set(bundle) == {"text/plain"}
    assert "pip install" in bundle["text/plain"]
    bundle = Drawing(SOURCE, engine="?")._repr_mimebundle_()
    assert "engine is '?'" in bundle["text/plain"]


def test_drawing_passes_engine_and_timeout_on(fake_dot):
    fake_dot("exec /bin/sleep 600")
    with pytest.raises(LayoutTimeout, match=r"after 0\.2 s"):
        Drawing(SOURCE, engine="dot", timeout=0.2).pipe("svg")
