"""The stepper's page in a real browser: it runs alone, says what the engine says, and keys suffice."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stepper_models import by_hand, by_module

import tinyrnn as tr
from tinyrnn.draw.stepping.data import page_data
from tinyrnn.draw.stepping.labels import Labels
from tinyrnn.draw.stepping.replay import replay

pytestmark = pytest.mark.browser

Open = Callable[..., Any]


@pytest.fixture
def open_page(desk: Any, tmp_path: Path) -> Iterator[Open]:
    """Save a loss's page and open it from disk. In the end it must have been silent and asked for nothing."""
    noise: list[str] = []

    def open(loss: tr.Tensor, address: str = "", level: str = "op", **options: Any) -> Any:
        path = Path(tr.draw.stepper(loss, level=level, **options).save(tmp_path / "page.html"))
        url = path.as_uri() + address
        page = desk.new_page()
        page.on("console", lambda message: noise.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: noise.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (noise.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on(
            "request",
            lambda request: (
                None if request.url.startswith((path.as_uri(), "data:,")) else noise.append(request.url)
            ),
        )
        page.goto(url)
        return page

    yield open
    for page in desk.pages:
        page.close()
    assert noise == []


def position(page: Any) -> int:
    return int(page.locator("#count").inner_text().split("/")[0])


def wait_for(page: Any, k: int) -> None:
    from playwright.sync_api import expect

    expect(page.locator("#count")).to_have_text(f"{k} / {last(page)}")


def last(page: Any) -> int:
    return int(page.locator("#bar").get_attribute("max"))


# The exact numbers behind what a table of numbers shows.
NUMBERS = """e => [...e.querySelectorAll("table.matrix tr")].map((row) =>
    [...row.querySelectorAll("td")].map((d) => Number(d.title))).filter((row) => row.length)"""


def numbers(locator: Any) -> np.ndarray:
    return np.array(locator.evaluate(NUMBERS))


def unfold(page: Any, id: str) -> None:
    """Open a table of the page; the browser fills it a moment after the click."""
    page.locator(f"#{id} > summary").click()
    page.locator(f"#{id} table").first.wait_for(state="attached")


def settle(page: Any) -> None:
    """Wait for the rows that are put right later than those in sight."""
    page.evaluate(
        """async () => {
            const tables = () => [gradientRows, recordRows, opened?.rows];
            const busy = () => tables().some((rows) => rows?.later !== undefined);
            while (busy()) await new Promise((on) => setTimeout(on, 10));
        }"""
    )


def wait_for_address(page: Any, end: str) -> None:
    from playwright.sync_api import expect

    expect(page).to_have_url(re.compile(f"{re.escape(end)}$"))


def lines_of(rows: Any) -> list[str]:
    """The text of rows, of which those out of sight are not laid out."""
    return rows.evaluate_all(
        "(rows) => rows.map((row) => [...row.cells].map((e) => e.textContent).join('\\t'))"
    )


def gradients(page: Any) -> dict[str, np.ndarray]:
    if page.locator("#gradients").get_attribute("open") is None:
        unfold(page, "gradients")
    page.locator("#gradients table").first.wait_for()
    settle(page)
    rows = page.locator("#gradients tr[data-node]:not([hidden])").evaluate_all(
        f"rows => rows.map((row) => [row.querySelector('th').textContent, ({NUMBERS})(row)])"
    )
    return {name: np.array(shown) for name, shown in rows}


def whole(shown: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Undo the short form of an array that is one number everywhere."""
    return np.full(shape, shown[0, 0]) if shown.size == 1 else shown.reshape(shape)


def test_stepping_to_the_end_gives_the_engines_gradients(open_page: Open) -> None:
    loss, weights = by_hand(T=3)
    page = open_page(loss)
    for _ in range(last(page)):
        page.locator("#step").click()
    assert position(page) == last(page)
    assert page.locator("#step").is_disabled()
    shown = gradients(page)
    loss.backward()
    for name, weight in weights.items():
        assert np.array_equal(whole(shown[f"∂{name}"], weight.shape), weight.grad.numpy()), name


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_end_of_a_module_gives_the_engines_gradients(open_page: Open, kind: str) -> None:
    loss, weights = by_module(kind, T=3, H=2, layers=2, lengths=[3, 1])
    page = open_page(loss)
    page.keyboard.press("End")
    shown = gradients(page)
    loss.backward()
    for name, weight in weights.items():
        label = "∂" + name.removeprefix("head.")
        expected = np.atleast_2d(weight.grad.numpy())
        shown_here = np.broadcast_to(shown[label], expected.shape)
        assert np.array_equal(shown_here.astype(np.float32), expected), name


def test_the_ledgers_sum_is_the_weights_gradient(open_page: Open) -> None:
    loss, weights = by_hand(T=5)
    loss.backward()
    page = open_page(loss)
    page.keyboard.press("End")
    for name in ("W_hh", "W_ih", "W_hy"):
        page.locator("#weight").select_option(label=name)
        rows = page.locator("#rows tbody tr[data-record]").all()
        assert [row.locator("th").text_content() for row in rows] == [f"t = {t}" for t in (5, 4, 3, 2, 1)]
        expected = weights[name].grad.numpy()
        parts = [whole(numbers(row), expected.shape) for row in rows]
        total = numbers(page.locator("#sum"))
        assert np.array_equal(total, expected)
        np.testing.assert_allclose(np.sum(parts, axis=0), total, rtol=1e-12, atol=1e-15)


def test_each_backward_record_shows_its_sum(open_page: Open) -> None:
    page = open_page(by_hand(T=2)[0])
    page.keyboard.press("b")
    for _ in range(12):
        page.keyboard.press("ArrowRight")
        figures = {f.locator("figcaption").inner_text(): f for f in page.locator("#card figure").all()}
        part = numbers(figures["contribution"])
        before = 0 if page.locator("#card .nothing").count() else numbers(figures["before"])
        (after,) = (numbers(f) for caption, f in figures.items() if caption.endswith(" after"))
        np.testing.assert_allclose(before + part, after, rtol=1e-12)
        local = [f for caption, f in figures.items() if caption.startswith("local ")]
        if local and "product" not in figures:
            (upstream,) = (numbers(f) for caption, f in figures.items() if caption.startswith("upstream "))
            np.testing.assert_allclose(upstream * numbers(local[0]), part, rtol=1e-12)


def test_stepping_back_restores_the_start(open_page: Open) -> None:
    page = open_page(by_hand(T=2)[0])
    unfold(page, "gradients")

    def state() -> str:
        settle(page)
        inside = page.evaluate("document.body.innerHTML")
        return re.sub(r'class="([^"]*)"', lambda match: " ".join(sorted(match[1].split())), inside)

    seen = [state()]
    steps = min(last(page), 45)
    for _ in range(steps):
        page.keyboard.press("ArrowRight")
        seen.append(state())
    for k in range(steps - 1, -1, -1):
        page.keyboard.press("ArrowLeft")
        assert state() == seen[k], k
    assert gradients(page) == {}
    assert page.locator("#back").is_disabled()


def test_detached_steps_give_no_record(open_page: Open) -> None:
    page = open_page(by_hand(T=4, detach={2})[0])
    unfold(page, "all")
    settle(page)
    lines = lines_of(page.locator("#all tbody tr"))
    assert sum("detach(h₂)" in line for line in lines) == 1
    through_the_cut = [line for line in lines if "backward\tt = 3" in line and "∂h₂" in line]
    assert not through_the_cut
    assert any("backward\tt = 4" in line and "∂h₃ +=" in line for line in lines)


def test_keys_alone_suffice(open_page: Open) -> None:
    page = open_page(by_hand(T=3)[0])
    press = page.keyboard.press
    press("ArrowRight")
    press("ArrowRight")
    assert position(page) == 2
    press("ArrowDown")
    assert "t = 2" in page.locator("#card").inner_text()
    press("ArrowUp")
    assert "t = 1" in page.locator("#card").inner_text()
    press("b")
    assert "∂L = 1" in page.locator("#card").inner_text()
    press("w")
    assert "∂W_hy +=" in page.locator("#card").inner_text()
    press("End")
    assert position(page) == last(page)
    press("Home")
    assert position(page) == 0
    press(" ")
    assert page.locator("#play").inner_text() == "Pause"
    wait_for(page, 2)
    press(" ")
    assert page.locator("#play").inner_text() == "Play"
    # Every control is reached by Tab, and the buttons work by Enter.
    press("Home")
    reached: set[str] = set()
    for _ in range(40):
        press("Tab")
        reached.add(page.evaluate("document.activeElement.id"))
    assert {"step", "play", "time", "into", "turn", "end", "predict", "bar", "weight", "canvas"} <= reached
    page.locator("#step").focus()
    press("Enter")
    assert position(page) == 1


def test_next_into_a_weight_follows_the_choice(open_page: Open) -> None:
    page = open_page(by_hand(T=3)[0])
    page.locator("#weight").select_option(label="W_hh")
    for t in (3, 2, 1):
        page.locator("#into").click()
        text = page.locator("#card").inner_text()
        assert "∂W_hh +=" in text
        assert f"t = {t}" in text
    assert page.locator("#into").is_disabled()


def test_text_of_the_model_stays_inert(open_page: Open) -> None:
    evil = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
    page = open_page(by_hand(T=2, prefix=evil)[0], title=evil)
    assert page.locator("h1").inner_text() == evil
    for key in ("ArrowRight", "b", "w", "End"):
        page.keyboard.press(key)
    unfold(page, "all")
    unfold(page, "gradients")
    assert page.locator("script").count() == 2
    assert page.locator("img").count() == 0
    assert evil in page.locator("#card").inner_text()
    assert evil + "W_hh" in page.locator("#weight").inner_text()


def test_links_to_a_record(open_page: Open) -> None:
    page = open_page(by_hand(T=2)[0], "#13")
    assert position(page) == 13
    page.keyboard.press("ArrowRight")
    wait_for_address(page, "#14")
    page.evaluate("location.hash = '#7'")
    wait_for(page, 7)
    unfold(page, "all")
    page.locator("#all a").nth(4).click()
    wait_for(page, 5)
    page = open_page(by_hand(T=2)[0], "#999999")
    assert position(page) == last(page)
    page = open_page(by_hand(T=2)[0], "#nonsense")
    assert position(page) == 0


def test_gradients_so_far_are_those_of_the_records_so_far(open_page: Open) -> None:
    loss, _ = by_hand(T=2)
    run = replay(loss)
    labels = Labels(run.root, run.nodes).text
    page = open_page(loss)
    unfold(page, "gradients")
    page.keyboard.press("b")
    so_far = {run.root: run.seed}
    for c in [None, *run.contributions]:
        if c is not None:
            page.keyboard.press("ArrowRight")
            so_far[c.source] = c.after
        shown = gradients(page)
        assert set(shown) == {f"∂{labels[node]}" for node in so_far}
        for node, expected in so_far.items():
            exact = np.broadcast_to(shown[f"∂{labels[node]}"], np.atleast_2d(expected).shape)
            assert np.array_equal(exact, np.atleast_2d(expected))


def test_predict_mode_hides_the_number_until_it_is_asked_for(open_page: Open) -> None:
    page = open_page(by_hand(T=3)[0])
    for id in ("gradients", "all"):
        unfold(page, id)
    # A forward and two backward records of which the numbers stand nowhere else.
    choices = [
        "r.formula.startsWith('tanh')",
        "r.localFormula?.startsWith('1 -')",
        "r.before !== undefined && nodes[r.source].label === 'W_hh'",
    ]
    page.locator("#weight").select_option(label="W_hh")
    for choice in choices:
        record = page.evaluate(f"records.findIndex((r) => {choice})")
        page.locator("#predict").uncheck()
        page.evaluate(f"location.hash = '#{record}'")
        wait_for(page, record)
        page.locator("#predict").check()
        page.locator("h1").click()  # leave the check box, for the keys
        page.keyboard.press("ArrowRight")
        assert position(page) == record + 1
        secrets = page.evaluate(
            f"""() => {{
                const r = records[{record}];
                const secret = r.kind === "forward" ? [nodes[r.node].value] : [r.part, r.after];
                const numbers = (a) => ("rows" in a ? a.rows.flat().map(String) : []);
                return secret.map(arrayOf).flatMap((a) => [format(norm(a)), ...numbers(a)]);
            }}"""
        )
        secrets = [secret for secret in secrets if len(secret) > 4]
        assert len(secrets) > 2
        everything = "[...document.querySelectorAll('body > :not(script)')].map((e) => e.innerHTML).join('')"
        hidden = page.evaluate(everything)
        row = page.locator("#all tbody tr").nth(record)
        assert [secret for secret in secrets if secret in hidden] == []
        assert lines_of(row)[0].endswith("hidden")
        assert page.locator("#card .hidden").count() > 0
        page.locator("#guess").fill("0.25")
        page.locator("#guess").press("Enter")
        assert position(page) == record + 1
        shown = page.evaluate(everything)
        assert [secret for secret in secrets if secret not in shown] == []
        assert page.locator("#card .hidden").count() == 0
        assert "You said 0.25, the engine has" in page.locator("#card").inner_text()
        assert not lines_of(row)[0].endswith("hidden")


def test_each_record_is_spoken(open_page: Open) -> None:
    page = open_page(by_hand(T=2)[0])
    spoken = page.locator("#spoken")
    assert spoken.get_attribute("aria-live") == "polite"
    texts = []
    for _ in range(last(page)):
        page.keyboard.press("ArrowRight")
        texts.append(spoken.inner_text())
    assert all(text.startswith(("Forward", "Backward")) for text in texts)
    assert len(set(texts)) > 0.9 * len(texts)
    assert page.locator("button").evaluate_all("all => all.every((b) => b.textContent.trim() !== '')")


def test_the_picture_follows(open_page: Open) -> None:
    page = open_page(by_hand(T=3)[0])
    assert page.locator("#picture .box.now").count() == 0
    for _ in range(3):
        page.keyboard.press("ArrowDown")
        assert page.locator("#picture .box.now").count() == 1
        assert page.locator("#picture .box.now").evaluate(
            """(box) => {
                const inner = box.getBoundingClientRect();
                const outer = document.getElementById("canvas").getBoundingClientRect();
                return inner.left >= outer.left && inner.right <= outer.right && inner.top >= outer.top;
            }"""
        )
    page.keyboard.press("End")
    assert page.locator("#picture .edge.now.backward").count() == 1
    unlit = page.locator("#picture .box:not(.copy):not(.lit)").count()
    assert unlit == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_enough_contrast(open_page: Open, scheme: str) -> None:
    page = open_page(by_hand(T=3)[0], "#40")
    page.emulate_media(color_scheme=scheme)
    unfold(page, "all")
    found = page.evaluate((Path(__file__).parent / "contrast.js").read_text("utf-8"))
    assert found["texts"] > 50
    assert found["faint"] == []


@pytest.mark.parametrize("width", [360, 700, 1200, 2400])
def test_nothing_is_wider_than_the_window(open_page: Open, width: int) -> None:
    page = open_page(by_module("RNN", T=12, H=16, B=4)[0], "#200")
    page.set_viewport_size({"width": width, "height": 800})
    page.keyboard.press("ArrowRight")
    wider = """width => [...document.querySelectorAll("body > *, main *")]
        .filter((e) => e.getBoundingClientRect().right > width + 1)
        .filter((e) => !e.closest("#canvas, #rows > *, .array"))
        .map((e) => e.tagName + "#" + e.id + "." + e.className)"""
    assert page.evaluate(wider, width) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_notebooks_frame_runs_the_page(browser: Any) -> None:
    shown = tr.draw.stepper(by_hand(T=2)[0])._repr_html_()
    page = browser.new_page()
    errors: list[Any] = []
    page.on("pageerror", lambda error: errors.append(error))
    page.set_content(shown)
    frame = page.frame_locator("iframe")
    frame.locator("#step").click()
    frame.locator("#step").click()
    assert frame.locator("#count").inner_text().startswith("2 /")
    assert errors == []
    page.close()


def test_the_page_knows_all_that_it_was_told(open_page: Open) -> None:
    loss, _ = by_module("LSTM", T=3, lengths=[3, 2])
    run = replay(loss)
    told = page_data(run, Labels(run.root, run.nodes))
    page = open_page(loss)
    nodes, records = page.evaluate("[nodes, records]")
    assert nodes == told["nodes"]
    backward = [record for record in records if record["kind"] == "backward"]
    assert len(backward) == len(told["records"])
    for found, given in zip(backward, told["records"]):
        assert given.items() <= found.items()
    arrays = page.evaluate("nodes.map((n) => arrayOf(n.value))")
    for node, found in zip(run.nodes, arrays):
        if "rows" in found and "places" not in found and node.value is not None:
            assert np.array_equal(np.reshape(found["rows"], node.shape), node.value)


def test_a_key_changes_no_more_of_a_long_page_than_of_a_short_one(open_page: Open) -> None:
    changed = {}
    for T in (8, 40):
        page = open_page(by_module("RNN", T=T, H=2, B=1)[0])
        page.keyboard.press("End")
        page.keyboard.press("ArrowLeft")
        page.evaluate(  # once the scrolling is over
            """async () => {
                await new Promise((done) => setTimeout(done, 200));
                window.changes = 0;
                new MutationObserver((list) => { changes += list.length; })
                    .observe(document.body, { subtree: true, childList: true, attributes: true });
            }"""
        )
        page.keyboard.press("ArrowRight")
        page.wait_for_function("changes > 0")
        changed[T] = page.evaluate("changes")
        parts = page.locator("#picture .box").count()
        assert parts < 8 * page.evaluate("Math.max(...columns.map((c) => c.nodes.length))")
    assert changed[40] <= changed[8] + 10


def test_of_a_wide_gradient_the_row_that_is_not_zero_is_shown(open_page: Open) -> None:
    table = tr.tensor(np.ones((100, 3)), requires_grad=True)
    table.name = "E"
    with tr.unrolled():
        loss = (table[np.array([61, 93])] * np.array([[1.0, 2.0, 3.0]])).sum()
    page = open_page(loss)
    page.keyboard.press("End")
    heads = page.locator("#sum th").all_inner_texts()
    assert {"61", "93"} <= set(heads)
    assert {1.0, 2.0, 3.0} <= set(numbers(page.locator("#sum"))[:, :3].ravel())


def test_the_bars_name_the_layer_follow_it_and_say_what_is_partial(open_page: Open) -> None:
    page = open_page(by_module("RNN", T=30, H=2, layers=2)[0])
    names = page.locator("#state option").all_inner_texts()
    assert names == ["the layer at hand", "l0.h", "l1.h"]
    page.keyboard.press("b")
    seen = set()
    partial = 0
    for _ in range(0, last(page) // 2, 29):
        page.evaluate(f"go({position(page)} + 29)")
        seen.add(page.locator("#times-title").inner_text().split(" at ")[0])
        partial += page.locator("#bars .bar.open").count()
        now = page.locator("#bars button.now")
        if now.count():
            inside = now.bounding_box()
            assert 0 <= inside["x"] <= 1400
    assert seen == {"‖∂L/∂l0.h‖", "‖∂L/∂l1.h‖"}
    assert partial
    page.keyboard.press("End")
    assert page.locator("#bars .bar.open").count() == 0
    page.locator("#state").select_option(label="l1.h")
    assert page.locator("#bars button").count() == 30
    assert "l1.h" in page.locator("#times-title").inner_text()


@pytest.mark.parametrize("width", [390, 1400])
def test_nothing_is_cut_or_covered(open_page: Open, width: int) -> None:
    page = open_page(by_module("LSTM", T=4)[0])
    page.set_viewport_size({"width": width, "height": 900})
    page.keyboard.press("End")
    cut = """() => [...document.querySelectorAll("#rows tr > *, #zoom button, #legend")]
        .filter((e) => e.checkVisibility() && e.getBoundingClientRect().right > innerWidth)
        .map((e) => e.textContent)"""
    assert page.evaluate(cut) == []
    zoom, canvas = (page.locator(f"#{id}").bounding_box() for id in ("zoom", "canvas"))
    assert zoom["y"] + zoom["height"] <= canvas["y"]
    page.locator("#fit").click()
    sizes = """() => [...document.querySelectorAll("#picture text")]
        .map((e) => parseFloat(getComputedStyle(e).fontSize) * scale)"""
    assert min(page.evaluate(sizes)) >= 8
    # A name and the sign of its operation stand side by side.
    overlaps = """() => [...document.querySelectorAll("#picture .box")].filter((box) => {
        const [name, op] = [box.querySelector(".name"), box.querySelector(".op")];
        const [rect, text] = [box.querySelector("rect").getBBox(), name.getBBox()];
        if (text.x < rect.x || text.x + text.width > rect.x + rect.width) return true;
        return op && op.textContent && text.x + text.width > op.getBBox().x;
    }).map((box) => box.textContent)"""
    assert page.evaluate(overlaps) == []


def test_a_compiled_models_page_ends_with_the_engines_gradients(open_page: Open) -> None:
    net = tr.nn.GRU(2, 3, rng=0)
    loss = (net(tr.randn(3, 1, 2, rng=0))[0] ** 2).mean()
    page = open_page(loss)
    assert [f"t = {t}" for t in (1, 2, 3)] == page.evaluate("columns.map((c) => c.title)")[1:4]
    page.keyboard.press("End")
    shown = gradients(page)
    loss.backward()
    for name, weight in net.named_parameters():
        expected = np.atleast_2d(weight.grad.numpy())
        np.testing.assert_allclose(shown[f"∂{name}"], expected[:8], rtol=1e-4, atol=1e-7)
