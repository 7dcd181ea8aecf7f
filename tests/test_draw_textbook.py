"""`style="textbook"`: what a book would print, in greys."""

import re
from collections import Counter
from itertools import pairwise

import pytest
from draw_table import MODELS, data, layer
from test_draw_unrolled import edges, ids, nodes

import tinyrnn as tr
from tinyrnn.draw.layout import available_engines
from tinyrnn.draw.style import TEXTBOOK, THEMES, luminance


def drawn(kind="LSTM", steps=3, level="op", **options):
    model = layer(kind, 2, 3)
    with tr.unrolled():
        loss = (model(data(steps, 1, 2))[0][-1] ** 2).mean()
    loss.backward()
    return tr.draw.unrolled(loss, level, style="textbook", **options)


def circles(drawing, step):
    """The signs in the circles of a step."""
    return Counter(
        re.search(r"<b>(.*?)</b>", style).group(1)
        for id, style in nodes(drawing).items()
        if id.startswith(f"t{step}.") and 'shape="ellipse"' in style
    )


def test_an_lstm_at_the_level_of_operations():
    drawing = drawn()
    # c = f ⊙ c + i ⊙ g;  h = o ⊙ tanh(c); a sum of the products with the weights, and one with the biases
    assert circles(drawing, 2) == {"⊙": 3, "σ": 3, "tanh": 2, "+": 2, "h": 1}
    assert signs(drawing, 2) & {"+ b_ih + b_hh"}
    products = [id for id in ids(drawing, "product") if id.startswith("t2.")]
    assert sorted(re.search(r"<b>W</b><font[^>]*>(\w+)", nodes(drawing)[id]).group(1) for id in products) == [
        "hh", "ih",
    ]  # fmt: skip
    assert "slice" not in drawing.source
    assert not edges(drawing, "backward")
    assert not ids(drawing, "weight")


def signs(drawing, step):
    """What is written in the boxes of a step, an index behind a line."""
    found = set()
    for id, style in nodes(drawing).items():
        if id.startswith(f"t{step}."):
            title, index = re.search(r"<b>(.*?)</b>(?:<font[^>]*>(\w+))?", style).groups()
            found.add(f"{title}_{index}" if index else title)
    return found


def test_what_uses_a_weight_says_which():
    assert {"W_ih", "+ b_ih", "W_hh", "+ b_hh"} <= signs(drawn("GRU"), 2)
    gates = tr.draw.unrolled(MODELS["custom_cell"](), "op", style="textbook")
    assert {"forget.W", "+ forget.b", "propose.W", "+ propose.b"} <= signs(gates, 2)
    text = tr.draw.unrolled(MODELS["tagger"](), "op", style="textbook").source
    assert re.search(r'"embedding.getitem" \[.*<b>W</b>', text)  # an embedding is no slice


def test_a_gru_and_its_gates():
    drawing = drawn("GRU", level="gate")
    assert circles(drawing, 2) == {"σ": 2, "tanh": 1, "h": 1}
    for gate, sign in (("r", "σ"), ("z", "σ"), ("n", "tanh")):
        style = nodes(drawing)[f"t2.l0.{gate}"]
        assert f"<b>{sign}</b>" in style
        assert f">{gate}</font>" in style


@pytest.mark.parametrize("level", ["op", "gate", "cell"])
@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_h_stands_along_the_top(kind, level):
    drawing = drawn(kind, level=level)
    found = nodes(drawing)
    place = {id: float(re.search(r'pos="[^,]*,([^"]*)"', style).group(1)) for id, style in found.items()}
    tops = [f"t{t}.l0.h.out" for t in (1, 2, 3)]
    assert len({place[id] for id in tops}) == 1
    for t, id in enumerate(tops, 1):
        assert re.search(rf"<b>h</b><font[^>]*>{t}<", found[id])
        own = [other for other in found if other.startswith(f"t{t}.l0.") and other != id]
        assert place[id] > max(place[other] for other in own)
        assert [head for _, head, _ in edges(drawing, "forward") if head == id] == [id]


def test_circles_are_round_and_arrows_end_on_them():
    drawing = drawn(show=["gradients"])
    found = {}
    for id, style in nodes(drawing).items():
        if 'shape="ellipse"' in style:
            x, y = map(float, re.search(r'pos="([^,]*),([^"]*)"', style).groups())
            w, h = (
                float(re.search(rf'{side}="([^"]*)"', style).group(1)) * 72 for side in ("width", "height")
            )
            assert w == h
            found[id] = (x, y, w / 2)
    ends = 0
    for kind in ("forward", "backward"):
        for _, head, style in edges(drawing, kind):
            tip = re.search(r'pos="e,([-\d.]+),([-\d.]+)', style)
            if head in found and tip is not None:
                x, y, radius = found[head]
                u, v = map(float, tip.groups())
                assert ((u - x) ** 2 + (v - y) ** 2) ** 0.5 == pytest.approx(radius, abs=0.3)
                ends += 1
    assert ends > 20


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_there_is_no_colour_in_it(theme):
    drawing = drawn(show=["weights", "gradients", "values"], theme=theme)
    for colour in re.findall(r"#([0-9A-Fa-f]{6})", drawing.source):
        red, green, blue = (int(colour[i : i + 2], 16) for i in (0, 2, 4))
        assert max(red, green, blue) - min(red, green, blue) <= 6, colour


@pytest.mark.parametrize("theme", [*THEMES.values(), *TEXTBOOK.values()], ids=lambda theme: theme.name)
def test_scales_are_ordered_in_greys(theme):
    steps = [luminance(colour) for colour in theme.ramp]
    falling = steps[0] > steps[-1]
    assert steps == sorted(steps, reverse=falling)
    assert falling == (theme.name == "light")  # what is larger stands out more from the ground
    for a, b in pairwise(steps):
        assert abs(a - b) > 0.002


def test_custom_cells_and_loops_of_nothing():
    for name in ("custom_cell", "dict_carry", "loop_of_nothing", "decoder_by_hand", "attention"):
        loss = MODELS[name]()
        for level in ("op", "gate", "cell", "layer", "rolled"):
            drawing = tr.draw.unrolled(loss, level, style="textbook", max_nodes=2000)
            outs = [id for id in nodes(drawing) if id.endswith(".out")]
            assert bool(outs) == (level in ("op", "gate", "cell")), (name, level)


def test_a_named_value_that_is_no_nonlinearity_keeps_its_name():
    w = tr.randn(3, 3, requires_grad=True)

    def step(h, x):
        h = tr.tanh(h @ w + x)
        slope = 1 - h * h
        slope.name = "slope"
        return slope * h, None

    with tr.unrolled():
        h, _ = tr.scan(step, tr.zeros(3), tr.ones((2, 3)))
        loss = (h**2).mean()
    loss.backward()
    found = circles(tr.draw.unrolled(loss, "gate", style="textbook"), 2)
    assert "tanh" not in found
    assert "slope" in tr.draw.unrolled(loss, "gate", style="textbook").source


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.skipif("graphviz-pure" not in available_engines(), reason="graphviz-pure is not installed")
@pytest.mark.parametrize(("level", "theme"), [("op", "light"), ("gate", "dark"), ("cell", "light")])
def test_it_can_be_read(faults, level, theme):
    for name, make in list(MODELS.items())[:: 2 if level == "op" else 1]:
        drawing = tr.draw.unrolled(
            make(), level, style="textbook", theme=theme, max_nodes=2000, engine="graphviz-pure"
        )
        assert not faults(drawing), name
