"""Whether pictures can be read, measured in a browser.

No text leaves its box, stands off its centre or lies on another or on a line; no arrow goes through a box,
no two lie on one line, no arrowhead floats or enters a box; text has a contrast of 4.5 with what it stands
on, and lines one of 3.
"""

import pytest
from draw_more import MODELS, data, layer

import tinyrnn as tr
from tinyrnn.draw.layout import available_engines

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif("graphviz-pure" not in available_engines(), reason="graphviz-pure is not installed"),
]


@pytest.mark.parametrize("level", ["op", "gate", "cell", "layer", "rolled"])
def test_pictures_can_be_read(faults, level):
    for name, make in MODELS.items():
        drawing = tr.draw.unrolled(make(), level, max_nodes=2000, engine="graphviz-pure")
        assert not faults(drawing), name


@pytest.mark.parametrize(
    "options", [{"theme": "dark"}, {"theme": "dark", "weights": "tray"}, {"expand": [2]}], ids=str
)
def test_options_can_be_read(faults, options):
    for name, make in list(MODELS.items())[:: 1 if "expand" in options else 2]:
        if "expand" in options and name in ("feed_forward", "replay_compiled"):
            continue  # it has no steps, or begins with another one
        assert not faults(tr.draw.unrolled(make(), engine="graphviz-pure", **options)), name


@pytest.mark.parametrize("level", ["gate", "cell"])
@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_folds_can_be_read(faults, level, kind):
    for options in ({"num_layers": 2}, {"bidirectional": True}):
        model = layer(kind, 2, 3, **options)
        with tr.unrolled():
            y, _ = model(data(40, 1, 2))
            loss = (y[-1] ** 2).mean() + (y[20] ** 2).mean()
        loss.backward()
        assert not faults(tr.draw.unrolled(loss, level, engine="graphviz-pure")), options


@pytest.mark.parametrize(("level", "width"), [("cell", 16), ("gate", 30), ("op", 60)])
def test_at_a_given_width_letters_have_seven_points(faults, level, width):
    smallest = """() => Math.min(...[...document.querySelectorAll('svg text')].map(
        t => parseFloat(getComputedStyle(t).fontSize) * t.getScreenCTM().a * 72 / 96))"""
    for name, make in MODELS.items():
        if level != "cell" and name not in (
            "loss_at_the_end",
            "attention",
            "loop_of_nothing",
            "bidirectional",
        ):
            continue
        drawing = tr.draw.unrolled(make(), level, width=width, max_nodes=2000, engine="graphviz-pure")
        assert not faults(drawing), name
        assert faults.page.evaluate(smallest) >= 6.99, name
        wide = faults.page.evaluate("() => document.querySelector('svg').width.baseVal.value") / 96 * 2.54
        assert abs(wide - width) < 0.05, name


def test_the_check_finds_each_fault(faults):
    broken = tr.draw.Drawing(
        """digraph { graph [layout=nop2, bb="0,0,300,200"]
        node [shape=box, fixedsize=true, width=0.7, height=0.5, fontname=Helvetica]
        a [pos="40,100"]; b [pos="240,100"]; between [pos="140,100", label="much too long for it"]
        over [pos="60,90", fontcolor="#999999"]
        a -> b [pos="e,214,100 66,100 66,100 207,100 207,100", class=forward]
        b -> a [pos="e,120,160 214,100 214,100 66,100 66,100", class=backward] }""",
        engine="graphviz-pure",
    )
    expected = {"text_out", "text_over", "arrow_box", "same_line", "head_off", "contrast"}
    assert expected <= set(faults(broken))
