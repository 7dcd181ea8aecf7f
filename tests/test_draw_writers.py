"""Pictures as TikZ and Mermaid: what the SVG shows, in texts that their languages take."""

import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from draw_table import MODELS
from hypothesis import given
from hypothesis import strategies as st

import tinyrnn as tr
from tinyrnn.draw.drawing import Drawing
from tinyrnn.draw.layout import available_engines

pytestmark = pytest.mark.skipif(
    "graphviz-pure" not in available_engines(), reason="graphviz-pure is not installed"
)
SOME = ("tagger", "attention", "replay", "continued", "dict_carry", "bidirectional")
SVG = "{http://www.w3.org/2000/svg}"
AWKWARD = "\\ { } $ & # _ % ~ ^ < > | \" ' [ ] ( ) ‖∂L/∂h‖ σ λ̂ ħ č ϟ h₁₂ x² ½ 中 🙂 é end `a` -. 1. x"


def drawn(name, level="cell", **options):
    return tr.draw.unrolled(MODELS[name](), level, engine="graphviz-pure", **options)


def svg_of(drawing):
    return ElementTree.fromstring(drawing.pipe("svg"))


def groups(drawing, kind):
    """The titles of the boxes, arrows or panels of the SVG, in its order."""
    found = [g for g in svg_of(drawing).iter(SVG + "g") if kind in g.get("class", "").split()]
    return [g.findtext(SVG + "title") for g in found]


def label_of(text):
    return text.replace("\\", "\\\\").replace('"', '\\"')


# --- TikZ ---------------------------------------------------------------------------------------------------
NUMBER = r"-?\d+(?:\.\d+)?(?:e-\d+)?"
POINT = re.compile(rf"\(({NUMBER}),({NUMBER})\)")


def tex_of(drawing):
    """The lines of the picture, after a look at what LaTeX would refuse."""
    text = drawing.pipe("tex").decode()
    body = text[text.index("\\fi}%") + 5 : text.index("\\end{document}")]
    lines = [line for line in body.splitlines() if not line.startswith("%")]
    depth = 0
    for mark in re.findall(r"(?<!\\)[{}]", "\n".join(line.replace("\\\\", "") for line in lines)):
        depth += 1 if mark == "{" else -1
        assert depth >= 0
    assert depth == 0
    assert body.count("\\begin{tikzpicture}") == body.count("\\end{tikzpicture}") == 1
    for line in lines:
        assert len(re.findall(r"(?<!\\)\$", line)) % 2 == 0, line
        assert not re.search(r"(?<!\\)[#&%]", line.removesuffix("{%")), line
    colours = set(re.findall(r"\\definecolor\{(\w+)\}", body))
    assert set(re.findall(r"(?:fill|draw|text)=(\w+)", body)) <= colours
    return lines


@pytest.mark.parametrize("name", SOME)
def test_tikz_has_the_geometry_of_the_svg(name):
    drawing = drawn(name)
    lines = tex_of(drawing)
    points, letters = [], []
    for element in svg_of(drawing).iter():
        tag = element.tag.removeprefix(SVG)
        if tag in ("path", "polygon", "polyline"):
            numbers = [float(n) for n in re.findall(NUMBER, element.get("points") or element.get("d"))]
            points += list(zip(numbers[::2], numbers[1::2], strict=True))
        if tag == "text":
            letters.append((float(element.get("x")), float(element.get("y"))))
    paths = [line for line in lines if line.startswith("\\path")]
    found = [(float(x), float(y)) for line in paths for x, y in POINT.findall(line)]
    assert np.allclose(found, points, rtol=1e-4, atol=0.01)  # six digits are written
    texts = [line for line in lines if line.startswith("\\node[anchor")]
    assert np.allclose([list(map(float, POINT.search(t).groups())) for t in texts], letters, atol=0.01)
    boxes = [line for line in lines if line.startswith("\\node[minimum")]
    names = [re.search(r"bp\] \(([\w-]+)\) at", line).group(1) for line in boxes]
    assert len(names) == len(set(names)) == len(groups(drawing, "node"))


def test_tikz_keeps_a_width_in_centimetres():
    lines = tex_of(drawn("tagger", width=16))
    (scale,) = [float(m.group(1)) for line in lines if (m := re.match(r"\\scalebox\{([\d.]+)\}", line))]
    ground = [float(x) for x, _ in POINT.findall(next(line for line in lines if line.startswith("\\path")))]
    assert (max(ground) - min(ground)) * scale / 72 * 2.54 == pytest.approx(16, abs=0.05)


@given(text=st.text(st.sampled_from(AWKWARD), min_size=1, max_size=12))
def test_awkward_letters_are_escaped(text):
    drawing = Drawing(f'digraph {{ a [shape=box label="{label_of(text)}"] }}', engine="graphviz-pure")
    tex_of(drawing)
    read_mermaid(drawing)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no pdflatex on this machine")
def test_latex_compiles_it(tmp_path):
    awkward = Drawing(f'digraph {{ a [label="{label_of(AWKWARD)}"] }}', engine="graphviz-pure")
    wide = drawn("two_losses", "gate", width=20)
    for drawing in (awkward, wide, drawn("continued")):
        path = drawing.save(tmp_path / "picture.tex")
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", path]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout[-2000:]
        assert "Missing character" not in (tmp_path / "picture.log").read_text(errors="replace")
        size = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", (tmp_path / "picture.pdf").read_bytes())
        width = float(svg_of(drawing).get("width").removesuffix("pt"))
        assert size is None or float(size.group(1)) == pytest.approx(width, abs=4.5)


# --- Mermaid ------------------------------------------------------------------------------------------------
TEXT = r'"([^"]*)"'
BOX = re.compile(rf"(\w+)(?:\({TEXT}\)|\[{TEXT}\]):::(\w+)$")
ARROW = re.compile(rf"(\w+) (-->|==>|---|-\.-|-\.-x|-\.-o)(?:\|{TEXT}\|)? (\w+)$")
PANEL = re.compile(rf"subgraph (\w+)\[{TEXT}\]$")


def read_mermaid(drawing):
    """Boxes with their panels, and arrows, of a flowchart: a reader of what is written, no more."""
    header, *lines = drawing.pipe("mmd").decode().splitlines()
    assert header == "flowchart LR"
    boxes, arrows, used, defined, panel, styled = {}, [], set(), set(), None, []
    for line in map(str.strip, lines):
        if found := PANEL.match(line):
            assert panel is None
            panel = found.group(2)
        elif line == "end":
            assert panel is not None
            panel = None
        elif found := BOX.match(line):
            assert found.group(1) not in boxes
            boxes[found.group(1)] = (panel, found.group(2) or found.group(3))
            used.add(found.group(4))
        elif found := ARROW.match(line):
            arrows.append(found.groups())
        elif found := re.match(r"classDef (\w+) [\w:#,.\- ]+$", line):
            assert found.group(1) not in defined
            defined.add(found.group(1))
        elif found := re.match(r"linkStyle ([\d,]+) [\w:#,.\- ]+$", line):
            styled += map(int, found.group(1).split(","))
        else:
            assert line.startswith("%% "), line
    assert used <= defined
    assert sorted(styled) == list(range(len(arrows)))
    assert all(tail in boxes and head in boxes for tail, _, _, head in arrows)
    assert not any(re.search(r"[<&`]|#(?!\d+;)", text.replace("<br/>", "")) for _, text in boxes.values())
    return boxes, arrows


@pytest.mark.parametrize("name", SOME)
@pytest.mark.parametrize("level", ["cell", "gate"])
def test_mermaid_has_the_boxes_steps_and_arrows(name, level):
    drawing = drawn(name, level)
    boxes, arrows = read_mermaid(drawing)
    words = [id for id in groups(drawing, "node") if re.match(r"(legend|note\d)", id)]
    assert len(boxes) == len(groups(drawing, "node")) - len(words) + 1
    assert len(arrows) == len(groups(drawing, "edge"))
    for kind, arrow in (("carry", "==>"), ("weight", "---"), ("cut", "-.-x"), ("zero", "-.-o")):
        with_kind = [
            g for g in svg_of(drawing).iter(SVG + "g")
            if g.get("class", "").startswith("edge") and kind in g.get("class").split()
        ]  # fmt: skip
        assert sum(found == arrow for _, found, _, _ in arrows) == len(with_kind), kind
    panels = set(re.findall(r'label="(t = [^"]*)"', drawing.source))
    assert {panel for panel, _ in boxes.values() if panel} == panels


def test_mermaid_goes_in_the_direction_of_the_values_and_says_that_gradients_go_back():
    _, arrows = read_mermaid(drawn("loss_at_the_end"))
    forward = {(tail, head) for tail, kind, _, head in arrows if kind in ("-->", "==>")}
    back = [(tail, head, text) for tail, kind, text, head in arrows if kind == "-.-"]
    assert back
    assert {(tail, head) for tail, head, _ in back} <= forward
    assert all(text.startswith("←") for _, _, text in back)


def test_an_index_is_one():
    texts = [text for _, text in read_mermaid(drawn("learned_h0"))[0].values()]
    assert any("h₀" in text for text in texts)
    assert any("h₃" in text for text in texts)


def test_save_goes_by_the_suffix_and_needs_no_engine_for_dot(tmp_path):
    drawing = Drawing("digraph { a -> b }", engine="graphviz-pure")
    for suffix, start in (
        ("svg", b"<?xml"), ("png", b"\x89PNG"), ("tex", b"% Drawn"), ("mmd", b"flowchart LR"),
        ("dot", b"digraph"), ("gv", b"digraph"),
    ):  # fmt: skip
        with open(drawing.save(tmp_path / f"a.{suffix}"), "rb") as file:
            assert file.read().startswith(start)
    with pytest.raises(ValueError, match=r"'b\.gif' does not say the format"):
        drawing.save("b.gif")
