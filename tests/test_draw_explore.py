"""The page to explore a picture, in a real browser: alone, by pointer and by keys."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from draw_table import MODELS, data, layer

import tinyrnn as tr
from tinyrnn.draw.drawing import Drawing
from tinyrnn.draw.layout import available_engines
from tinyrnn.draw.reading.unroll import unroll

pytestmark = pytest.mark.skipif(
    "graphviz-pure" not in available_engines(), reason="graphviz-pure is not installed"
)
in_browser = pytest.mark.browser


def drawn(loss, level="cell", **options):
    return tr.draw.unrolled(loss, level, engine="graphviz-pure", **options)


def long_lstm(steps=40):
    model = layer("LSTM", 2, 3)
    with tr.unrolled():
        y, _ = model(data(steps, 1, 2))
        loss = (y[-1] ** 2).mean()
    loss.backward()
    return loss


def told(page: str):
    return json.loads(re.search(r'id="data">(.*?)</script>', page).group(1))


@pytest.fixture
def open_page(desk, tmp_path):
    """Save a drawing as a page and open it from disk; it must be silent and ask for nothing."""
    noise = []

    def open(drawing, **options):
        path = Path(drawing.save(tmp_path / "page.html", **options))
        page = desk.new_page()
        page.on("console", lambda message: noise.append(message.text))
        page.on("pageerror", lambda error: noise.append(str(error)))
        page.on(
            "request",
            lambda request: None if request.url.startswith(("file:", "data:")) else noise.append(request.url),
        )
        page.goto(path.as_uri())
        return page

    yield open
    for page in desk.pages:
        page.close()
    assert noise == []


def focused(page):
    return page.evaluate("(document.activeElement.querySelector('g.box') ?? document.activeElement).id")


def box(page, id):
    return page.locator(f"g.box[id='{id}']")


def seen(page):
    return [float(n) for n in page.locator("#stage svg").get_attribute("viewBox").split()]


# --- without a browser --------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", ["op", "gate", "cell", "layer", "rolled"])
def test_every_box_of_the_picture_has_something_behind_it(level):
    for name in ("tagger", "attention", "replay", "loop_of_nothing", "feed_forward", "bidirectional"):
        drawing = drawn(MODELS[name](), level, max_nodes=2000)
        page = drawing.pipe("html").decode()
        boxes = told(page)["boxes"]
        ids = set(re.findall(r'id="([^"]*)"', drawing.source)) - set(
            re.findall(r'subgraph "cluster_([^"]*)"', drawing.source)
        )
        words = {id for id in ids if re.match(r"(legend|note\d|window\d)", id)}
        assert ids - words <= boxes.keys(), name
        for id in ids - words:
            assert boxes[id]["title"] or boxes[id]["place"], (name, id)


def test_what_has_changed_since_is_refused():
    model, x = layer("RNN", 2, 3), data(4, 1, 2)
    optimizer = tr.optim.SGD(model.parameters(), lr=0.1)
    with tr.unrolled():
        loss = (model(x)[0] ** 2).mean()
    loss.backward()
    drawing = drawn(loss)
    assert drawing.pipe("html")
    optimizer.step()
    with pytest.raises(ValueError, match=r"^save: the weights or their gradients have changed since"):
        drawing.pipe("html")
    assert drawing.pipe("svg")


def test_text_of_the_model_ends_no_element():
    x = tr.tensor([1.0], requires_grad=True)
    x.name = "</script><b>&{{data}}"
    with tr.unrolled():
        y = (x * 2).sum()
    page = tr.draw.graph(y, engine="graphviz-pure").pipe("html").decode()
    assert "<b>" not in page
    assert page.count("</script>") == 2
    assert any("</script><b>&{{data}}" in entry["title"] for entry in told(page)["boxes"].values())


# --- in the browser -----------------------------------------------------------------------------------------


@in_browser
def test_pointing_and_focus_show_the_array(open_page):
    loss = MODELS["loss_at_the_end"]()
    page = open_page(drawn(loss, "gate"))
    box(page, "t2.l0.h").hover()
    found = [float(td.get_attribute("title")) for td in page.locator("#card figure >> nth=0 >> td").all()]
    (value,) = (r.value for r in unroll(loss).records if r.carry == "h" and r.step == 1)
    assert np.array_equal(found, value.ravel())
    assert "t = 2" in page.locator("#card").inner_text()
    box(page, "t3.l0.f").focus()
    assert page.locator("#card h2").inner_text() == "f"
    assert page.locator("#card figcaption").all_inner_texts() == ["f", "∂L/∂f"]


@in_browser
def test_a_large_array_shows_where_it_is_not_zero(open_page):
    embedding = tr.nn.Embedding(100, 30, rng=np.random.default_rng(0), dtype="float64")
    gru = layer("GRU", 30, 3)
    with tr.unrolled():
        y, _ = gru(embedding(np.array([[70], [80]])))
        loss = (y**2).mean()
    loss.backward()
    page = open_page(drawn(loss))
    box(page, "Embedding.weight").hover()
    gradient = page.locator("#card figure >> nth=1")
    assert "of 100×30" in gradient.inner_text()
    assert "shape (100, 30)" in gradient.inner_text()
    heads = gradient.locator("tr > th:first-child").all_inner_texts()
    assert {"70", "80"} <= set(heads)


@in_browser
def test_keys_go_from_box_to_box_and_open_the_fold(open_page):
    page = open_page(drawn(long_lstm()))
    for _ in range(4):  # three buttons, then the picture
        page.keyboard.press("Tab")
    first = focused(page)
    assert first
    page.keyboard.press("ArrowRight")
    assert focused(page) not in ("", first)
    box(page, "t3.l0.cell").focus()
    page.keyboard.press("ArrowRight")
    assert focused(page) == "t4..t37"
    assert page.locator("#steps tbody tr").count() == 34
    page.keyboard.press("Enter")
    assert focused(page).startswith("t4.")
    assert box(page, "t9.l0.cell").count() == box(page, "t32.l0.cell").count() == 1
    assert box(page, "t10..t31").count() == 1
    box(page, "t9.l0.cell").focus()
    assert "t = 9" in page.locator("#card").inner_text()
    assert page.locator("#card figure").count() == 4
    page.keyboard.press("Escape")
    assert focused(page) == "t4..t37"
    assert box(page, "t9.l0.cell").count() == 0
    box(page, "t4..t37").click()
    assert box(page, "t9.l0.cell").count() == 1
    page.locator("#close").click()
    assert box(page, "t9.l0.cell").count() == 0


@in_browser
def test_pan_and_zoom_by_pointer_and_keys(open_page):
    page = open_page(drawn(MODELS["tagger"]()))
    whole = seen(page)
    stage = page.locator("#stage").bounding_box()
    x, y = stage["x"] + 300, stage["y"] + 200
    under = "([x, y]) => { const p = inPicture({x, y}); return [p.x, p.y]; }"
    page.mouse.move(x, y)
    before = page.evaluate(under, [x, y])
    page.mouse.wheel(0, -400)
    page.wait_for_function(f"seen.width < {whole[2]}")
    assert np.allclose(page.evaluate(under, [x, y]), before, atol=0.5)  # what is pointed at stays
    before = page.evaluate(under, [x, y])
    page.mouse.down()
    page.mouse.move(x + 80, y + 50, steps=4)
    page.mouse.up()
    assert np.allclose(page.evaluate(under, [x + 80, y + 50]), before, atol=2)
    for key, change in (("+", -1), ("-", 1)):
        width = seen(page)[2]
        page.keyboard.press(key)
        assert (seen(page)[2] - width) * change > 0
    left = seen(page)[0]
    page.keyboard.press("Shift+ArrowRight")
    assert seen(page)[0] > left
    page.keyboard.press("0")
    assert seen(page) == whole


@in_browser
@pytest.mark.parametrize(
    ("name", "level", "id", "label"),
    [
        ("loss_at_the_end", "op", "t3.l0.tanh_1", "tanh"),
        ("loss_at_the_end", "cell", "t3.l0.cell", "LSTM"),
        ("loss_at_the_end", "gate", "t2.l0.f", "f₂"),
        ("compiled", "cell", "t2.recurrent.l0.cell", "LSTM"),
        ("decoder_by_hand", "cell", "t4.GRUCell.cell", "GRU"),
    ],
)
def test_a_click_leads_to_the_same_place_in_the_stepper(open_page, tmp_path, name, level, id, label):
    loss = MODELS[name]() if name != "compiled" else uncompiled_twin()
    tr.draw.stepper(loss).save(tmp_path / "bptt.html")
    drawing = drawn(loss, level)
    page = open_page(drawing, stepper="bptt.html")
    box(page, id).click()
    page.wait_for_url("**/bptt.html#*")
    spoken = page.locator("#spoken").inner_text()
    assert f"t = {re.match('t([0-9]+)', id).group(1)}" in spoken
    assert label in spoken
    page.go_back()
    box(page, id).locator("xpath=..").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/bptt.html#*")


def uncompiled_twin():
    """A compiled model that the stepper can still open: its graph is kept."""
    from draw_table import TOKENS, Tagger

    logits, _ = Tagger("LSTM")(TOKENS)
    loss = tr.nn.cross_entropy(logits, TOKENS[::-1])
    loss.backward(retain_graph=True)
    return loss


@in_browser
def test_any_drawing_can_be_a_page(open_page):
    page = open_page(Drawing("digraph { a -> b }", engine="graphviz-pure"))
    assert page.locator("#stage g.node").count() == 2
    page.keyboard.press("+")
