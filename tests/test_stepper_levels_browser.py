"""Cells and gates of the stepper's page in a real browser: every model, every record, at every level."""

from __future__ import annotations

import numpy as np
import pytest
from draw_table import MODELS
from stepper_models import by_hand, by_module
from test_stepper_browser import Open, gradients, last, numbers, open_page, position, unfold, wait_for_address  # noqa: F401

pytestmark = pytest.mark.browser

# What a text may not do: leave its box, or lie on another text of the picture.
OVERLAPS = """() => {
    const boxes = [...document.querySelectorAll("#picture .box")];
    const found = [];
    for (const box of boxes) {
        const rect = box.querySelector("rect").getBBox();
        const texts = [...box.querySelectorAll("text")].filter((t) => t.textContent);
        const areas = texts.map((t) => t.getBBox());
        areas.forEach((a, i) => {
            if (a.x < rect.x - 1 || a.x + a.width > rect.x + rect.width + 1) found.push(texts[i].textContent);
            areas.slice(i + 1).forEach((b, j) => {
                const across = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
                const down = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
                const both = [texts[i], texts[i + 1 + j]].map((t) => t.textContent);
                if (across > 0 && down > 3) found.push(both.join(" on "));
            });
        });
    }
    boxes.forEach((box, i) => boxes.slice(i + 1).forEach((other) => {
        const [a, b] = [box.querySelector("rect").getBBox(), other.querySelector("rect").getBBox()];
        if (Math.min(a.x + a.width, b.x + b.width) > Math.max(a.x, b.x) + 1
            && Math.min(a.y + a.height, b.y + b.height) > Math.max(a.y, b.y) + 1)
            found.push(box.id + " on " + other.id);
    }));
    return found;
}"""


WALK = f"""(most) => {{
    go(0);
    const [seen, overlaps, look] = [new Set(), new Set(), {OVERLAPS}];
    let crowded = 0;
    for (let i = 0; i < most && ordinal(position) < total(); i += 1) {{
        stepOn();
        seen.add(find("spoken").textContent);
        crowded += document.querySelectorAll("#picture .box.now").length > 1;
        if (i % 20 === 7) for (const text of look()) overlaps.add(text);
    }}
    return [total(), [...seen], crowded, [...overlaps]];
}}"""


@pytest.mark.parametrize("name", sorted(MODELS.keys() - {"compiled"}))
def test_every_model_is_walked_at_every_level(open_page: Open, name: str) -> None:  # noqa: F811
    page = open_page(MODELS[name](), level="cell")
    counts: list[int] = []
    for level in ("cell", "gate", "op"):
        page.locator(f"#level-{level}").click()
        assert page.locator(f"#level-{level}").get_attribute("aria-pressed") == "true"
        most, seen, crowded, overlaps = page.evaluate(WALK, 10 if level == "op" else 1000)
        counts.append(most)
        assert crowded == 0
        assert overlaps == []
        if level != "op":
            assert len(seen) == most
            assert page.locator("#picture .box:not(.copy):not(.done)").count() == 0
    assert counts[0] <= counts[1] <= counts[2]
    assert counts[0] < counts[2] / 2


def test_a_cell_shows_the_equation_and_its_numbers(open_page: Open) -> None:  # noqa: F811
    loss, _ = by_hand(T=4)
    page = open_page(loss, level="cell")
    page.keyboard.press("End")
    card = page.locator("#card")
    assert card.locator(".formula").inner_text() == "δ₁ = ∂L₁/∂h₁ + (∂h₂/∂h₁)ᵀ δ₂"
    figures = {f.locator("figcaption").inner_text(): numbers(f) for f in card.locator("figure").all()}
    np.testing.assert_allclose(figures["∂L₁/∂h₁"] + figures["(∂h₂/∂h₁)ᵀ δ₂"], figures["δ₁"], rtol=1e-12)
    page.keyboard.press("ArrowLeft")  # the records of other parts come between
    while "δ₂ =" not in card.inner_text():
        page.keyboard.press("ArrowLeft")
    second = {f.locator("figcaption").inner_text(): numbers(f) for f in card.locator("figure").all()}
    np.testing.assert_allclose(second["δ₂"] @ figures["∂h₂/∂h₁"], figures["(∂h₂/∂h₁)ᵀ δ₂"], rtol=1e-12)
    np.testing.assert_allclose(second["∂h₄/∂h₂"] @ figures["∂h₂/∂h₁"], figures["∂h₄/∂h₁"], rtol=1e-12)
    page.keyboard.press("End")
    values = np.linalg.svd(figures["∂h₂/∂h₁"], compute_uv=False)
    said = card.locator(".singular").first.inner_text()
    largest, smallest = (
        float(word) for word in said.replace("largest singular value ", "").split(", smallest ")
    )
    np.testing.assert_allclose([largest, smallest], values[[0, -1]], rtol=5e-3)
    unfold(page, "gradients")
    np.testing.assert_array_equal(gradients(page)["∂h₁"], figures["δ₁"])


def test_a_cell_sends_gradient_to_the_cells_below_it(open_page: Open) -> None:  # noqa: F811
    page = open_page(by_module("RNN", T=3, layers=2, bidirectional=True)[0], level="cell")
    page.keyboard.press("End")
    card = page.locator("#card")
    while "δ₁ = ∂L₁/∂l1.h₁" not in card.inner_text():
        page.keyboard.press("ArrowLeft")
    captions = card.locator("figcaption").all_inner_texts()
    assert "to ∂l0.h₁, ∂l0_reverse.h₁" in captions
    assert not [text for text in captions if "stack" in text or "concatenate" in text]
    assert page.locator("#picture path.now.backward").count() == 2
    while "backward" in card.locator(".pass").inner_text():
        page.keyboard.press("ArrowLeft")
    while "record 7 " not in card.inner_text():
        page.keyboard.press("ArrowLeft")
    assert card.locator(".formula").inner_text() == "l1.h₁ = l1 RNN(l0.h₁, l0_reverse.h₁, l1.h₀)"
    page.locator("#level-op").click()  # where a stack is made, and the cells do not stop
    while "stack" not in card.locator(".formula").inner_text():
        page.keyboard.press("ArrowLeft")
    assert page.locator("#close").inner_text() == "Close: back to cells"
    page.keyboard.press("o")
    assert "record 7 " in card.inner_text()


def test_a_cell_is_opened_and_closed(open_page: Open) -> None:  # noqa: F811
    page = open_page(by_module("LSTM", T=3, layers=2)[0], level="cell")
    page.keyboard.press("End")
    before = (page.locator("#card .formula").inner_text(), position(page))
    page.locator("#open").click()
    assert page.locator("#level-op").get_attribute("aria-pressed") == "true"
    assert "t = 1" in page.locator("#card").inner_text()
    inside = page.locator("#close").inner_text()
    assert inside == "Close: back to l0 LSTM (h, c)₁"
    for _ in range(5):
        page.keyboard.press("ArrowRight")
        assert page.locator("#close").inner_text() == inside
    page.keyboard.press("o")
    assert (page.locator("#card .formula").inner_text(), position(page)) == before
    page.locator("#card summary", has_text="Inside").click()
    page.locator("#card .inside button").nth(3).click()
    assert page.locator("#level-op").get_attribute("aria-pressed") == "true"


def test_the_address_says_the_level(open_page: Open) -> None:  # noqa: F811
    page = open_page(by_module("GRU", T=3)[0], level="cell")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    wait_for_address(page, page.evaluate("`#cell.${position}`"))
    there = page.evaluate("location.hash")
    card = page.locator("#card").inner_text()
    page = open_page(by_module("GRU", T=3)[0], there, level="op")
    assert page.locator("#card").inner_text() == card
    page = open_page(by_module("GRU", T=3)[0], "#7", level="cell")
    assert page.locator("#level-op").get_attribute("aria-pressed") == "true"
    assert position(page) == 7


def test_predicting_asks_for_one_operation(open_page: Open) -> None:  # noqa: F811
    page = open_page(by_module("GRU", T=3)[0], level="cell")
    page.keyboard.press("ArrowRight")
    page.locator("#predict").check()
    assert page.locator("#level-op").get_attribute("aria-pressed") == "true"
    page.locator("#level-gate").click()
    assert not page.locator("#predict").is_checked()


def test_a_graph_without_steps_has_operations_only(open_page: Open) -> None:  # noqa: F811
    import tinyrnn as tr

    x = tr.tensor([1.0, 2.0], requires_grad=True)
    with tr.unrolled():
        loss = (x * x).sum()
    page = open_page(loss, level="cell")
    assert not page.locator("#level").is_visible()
    page.keyboard.press("End")
    assert position(page) == last(page)


@pytest.mark.parametrize("width", [390, 1400])
@pytest.mark.parametrize("level", ["cell", "gate"])
def test_nothing_is_wider_than_the_window(open_page: Open, width: int, level: str) -> None:  # noqa: F811
    page = open_page(by_module("LSTM", T=5, H=5, layers=2, bidirectional=True)[0], level=level)
    page.set_viewport_size({"width": width, "height": 900})
    for key in ("End", "b", "ArrowRight"):
        page.keyboard.press(key)
        wider = """width => [...document.querySelectorAll("body > *, main *")]
            .filter((e) => e.getBoundingClientRect().right > width + 1)
            .filter((e) => !e.closest("#canvas, #rows > *, .array, #bars"))
            .map((e) => e.tagName + "#" + e.id + "." + e.className)"""
        assert page.evaluate(wider, width) == []
