"""The backward pass as a wave: in order, once, and not for those who want no motion."""

import re
import xml.etree.ElementTree as ElementTree

import pytest
from draw_table import MODELS
from hypothesis import given
from hypothesis import strategies as st
from test_draw_unrolled import edges

import tinyrnn as tr
from tinyrnn.draw.layout import available_engines
from tinyrnn.draw.writing.wave import arrivals

pytestmark = pytest.mark.skipif(
    "graphviz-pure" not in available_engines(), reason="graphviz-pure is not installed"
)
SVG = "{http://www.w3.org/2000/svg}"


def drawn(name, level="cell"):
    return tr.draw.unrolled(MODELS[name](), level, engine="graphviz-pure")


def delays(drawing):
    """When each arrow of a gradient begins to show, in seconds."""
    found = {}
    for group in ElementTree.fromstring(drawing.pipe("svg", animate=True)).iter(SVG + "g"):
        if "tinyrnn-wave" in group.get("class", "").split():
            found[group.findtext(SVG + "title")] = float(
                re.fullmatch(r"animation-delay:([\d.]+)s", group.get("style")).group(1)
            )
    return found


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)).filter(lambda ends: ends[0] > ends[1])))
def test_a_gradient_goes_on_when_all_of_it_has_come(pairs):
    arrows = [(str(a), str(b)) for a, b in pairs]
    turns = arrivals(arrows)
    assert turns.keys() == {name for ends in arrows for name in ends}
    for name, turn in turns.items():
        assert turn == max((turns[a] + 1 for a, b in arrows if b == name), default=0)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5))))
def test_circles_end_too(pairs):
    arrows = [(str(a), str(b)) for a, b in pairs]
    assert arrivals(arrows).keys() == {name for ends in arrows for name in ends}


@pytest.mark.parametrize("level", ["op", "gate", "cell", "layer", "rolled"])
def test_every_gradient_has_its_turn(level):
    for name in ("loss_at_the_end", "attention", "continued", "bidirectional"):
        drawing = drawn(name, level)
        back = {f"{a}->{b}" for a, b, _ in edges(drawing, "backward")}
        found = delays(drawing)
        assert back <= found.keys()
        assert all(f"{a}->{b}" not in found for a, b, _ in edges(drawing, "forward") if a != b)


def test_the_wave_runs_back_in_time_and_ends():
    found = delays(drawn("loss_at_the_end"))
    times = [found[f"t{t + 1}.l0.cell->t{t}.l0.cell"] for t in (3, 2, 1)]
    assert times == sorted(times)
    assert len(set(times)) == 3
    assert max(found.values()) < 16
    text = drawn("loss_at_the_end").pipe("svg", animate=True).decode()
    assert "infinite" not in text
    assert "ease-out 1 both" in text


def test_what_is_not_asked_for_is_not_there(tmp_path):
    drawing = drawn("loss_at_the_end")
    assert b"tinyrnn-wave" not in drawing.pipe("svg")
    with pytest.raises(ValueError, match=r"^Drawing: animate is for \.svg; the format is 'png'"):
        drawing.save(tmp_path / "a.png", animate=True)
    with pytest.raises(ValueError, match=r"^Drawing: stepper is for \.html; the format is 'svg'"):
        drawing.save(tmp_path / "a.svg", stepper="b.html")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.browser
@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_it_runs_and_stops_in_the_browser(browser, motion, tmp_path):
    context = browser.new_context(reduced_motion=motion)
    page = context.new_page()
    page.goto("file://" + drawn("loss_at_the_end").save(str(tmp_path / "wave.svg"), animate=True))
    state = "() => document.getAnimations().map(a => a.playState)"
    shown = "() => [...document.querySelectorAll('.tinyrnn-wave')].map(g => +getComputedStyle(g).opacity)"
    if motion == "reduce":
        assert page.evaluate(state) == []
    else:
        assert page.evaluate(state)
        assert min(page.evaluate(shown)) < 0.5
        page.evaluate("() => document.getAnimations().forEach(a => a.finish())")
        assert set(page.evaluate(state)) <= {"finished"}
    assert set(page.evaluate(shown)) == {1}
    context.close()
