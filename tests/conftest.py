"""What all tests share: the hypothesis profile, and a real browser for the pages."""

import gc
import os
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tinyrnn.recurrence.running import recycled

# No deadline: a test is right or wrong, not fast or slow. Derandomised: one commit gives one verdict.
settings.register_profile("tinyrnn", deadline=None, derandomize=True, max_examples=20, print_blob=True)
settings.load_profile("tinyrnn")

os.environ["TINYRNN_BACKEND"] = "numpy"  # one test must not run as another one has left it

collect_ignore = ["killed_run.py", "typed"]  # programs that a test runs, and kills, or only reads

# Memory that serves again does so in arrays of any size here, and is full of NaN in between.
recycled.LEAST = 16
_give_back = recycled._give_back


def _poison(memory: Any) -> None:
    memory.fill(0xFF)
    _give_back(memory)


recycled._give_back = _poison


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the slow ones, so that no process waits at the end for another's."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep what is collected out of the garbage collector's sight: a test that calls it waits less."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()


CHROMIUM_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def _missing(what: str) -> None:
    if os.environ.get("TINYRNN_REQUIRE_BROWSER") == "1":
        pytest.fail(f"TINYRNN_REQUIRE_BROWSER=1, but {what}")
    pytest.skip(what)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium of Playwright's sync API, one for a test process."""
    executable = shutil.which("chromium")
    if executable is None:
        _missing("there is no chromium on this machine")
    try:
        from playwright.sync_api import expect, sync_playwright
    except ImportError:
        _missing("the playwright package is not installed")
    expect.set_options(timeout=60_000)  # a busy machine is no fault
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def desk(browser: Any) -> Iterator[Any]:
    """What the pages of one file's tests open in: to open it costs more than what most of them do."""
    context = browser.new_context(viewport={"width": 1400, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(60_000)
    yield context
    context.close()


@pytest.fixture(scope="session")
def faults(browser: Any) -> Iterator[Any]:
    """Open a drawing in the browser, and return the kinds of faults in it with their places."""
    script = (Path(__file__).parent / "legible.js").read_text("utf-8")
    page = browser.new_page()

    def find(drawing: Any) -> dict[str, Any]:
        svg = drawing.pipe("svg").decode()
        page.set_content(f'<body style="margin:0">{svg[svg.index("<svg") :]}</body>')
        return {kind: where for kind, where in page.evaluate(script).items() if where}

    find.page = page
    yield find
    page.close()
