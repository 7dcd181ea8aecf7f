"""The site: built by its one command without a word, and tried in a real browser, page by page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urlparse

import pytest

ROOT = Path(__file__).parent.parent
CONTRAST = (Path(__file__).parent / "contrast.js").read_text("utf-8")
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
# What is put off until it is scrolled to is wanted at once; then wait until all of it is there.
LOAD = """async () => {
    for (const e of document.querySelectorAll("details")) e.open = true;
    for (const e of document.querySelectorAll("[loading=lazy]")) e.loading = "eager";
    const there = (e) => e.complete || new Promise((on) => { e.onload = on; e.onerror = on; });
    await Promise.all([...document.images].map(there));
    return [...document.images].filter((e) => !e.naturalWidth).map((e) => e.src);
}"""
LINKS = """() => [[...document.querySelectorAll("a[href]")].map((e) => e.href),
    [...document.querySelectorAll("[id]")].map((e) => e.id)]"""
WIDER = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
    [...document.querySelectorAll("article *")].filter((e) => e.getBoundingClientRect().right > innerWidth)
        .map((e) => e.outerHTML.slice(0, 100))"""


def built(folder: Path) -> Path:
    """Build the site as README says, in another folder."""
    command = [sys.executable, str(ROOT / "docs" / "build.py"), str(folder / "site")]
    run = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    return folder / "site"


class Visit:
    """A visit of the site: it opens pages, and takes down all that is wrong with them."""

    def __init__(self, browser: Any, site: Path) -> None:
        self.site = site
        self.wrong: defaultdict[str, list[Any]] = defaultdict(list)
        self.links: dict[str, list[str]] = {}
        self.ids: dict[str, set[str]] = {}
        self.context = browser.new_context(viewport=DESK, reduced_motion="reduce")
        self.page = self.context.new_page()
        self.page.on("console", self.said)
        self.page.on("pageerror", lambda error: self.note("error", str(error)))
        self.page.on("request", lambda request: self.asked(request.url))
        self.page.on("requestfailed", lambda request: self.note("missing", request.url))

    def note(self, kind: str, what: Any) -> None:
        self.wrong[self.page.url.removeprefix(self.site.as_uri())].append((kind, what))

    def said(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.note("console", message.text)

    def asked(self, url: str) -> None:
        if not url.startswith((self.site.as_uri(), "data:", "about:")):
            self.note("request", url)

    def open(self, path: Path) -> None:
        """Open a page, with all that is put off or folded, and take down its links."""
        self.page.goto(path.as_uri())
        for broken in self.page.evaluate(LOAD):
            self.note("picture", broken)
        self.links[path.as_uri()], ids = self.page.evaluate(LINKS)
        self.ids[path.as_uri()] = set(ids)

    def look_at(self, path: Path) -> None:
        """Look at a page in the dark and in light, at the width of a desk and of a phone."""
        self.page.set_viewport_size(DESK)
        self.open(path)
        for scheme in ("dark", "light"):
            self.page.emulate_media(color_scheme=scheme)
            found = self.page.evaluate(CONTRAST)
            if found["faint"] or not found["texts"]:
                self.note(f"contrast, {scheme}", found["faint"][:5])
        self.page.set_viewport_size(PHONE)
        for wide in self.page.evaluate(WIDER):
            self.note("wide", wide)
        self.step()

    def step(self) -> None:
        """Press a key in each page that is shown in a frame."""
        from playwright.sync_api import expect

        for frame in self.page.frames[1:]:
            frame.wait_for_load_state()
            if frame.locator("#count").count():  # a stepper
                frame.locator("#step").press("ArrowRight")
                expect(frame.locator("#count")).to_have_text(re.compile("^1 /"))
            elif not frame.locator("svg").count():
                self.note("empty", frame.url)

    def look_for(self, words: str) -> list[str]:
        """Search, and return the titles of what is found."""
        self.page.goto(f"{(self.site / 'search.html').as_uri()}?q={words}")
        self.page.locator("#search-results li a").first.wait_for()
        return self.page.locator("#search-results li a").all_inner_texts()

    def choose(self, theme: str) -> None:
        """Press the button of the theme until it is this one."""
        for _ in range(3):
            if self.page.locator("body").get_attribute("data-theme") != theme:
                self.page.locator(".theme-toggle:visible").first.click()
        assert self.page.locator("body").get_attribute("data-theme") == theme

    def lost(self) -> list[str]:
        """Return the links that lead nowhere; those to other sites are not followed."""
        lost = []
        for page, links in self.links.items():
            for link in links:
                target, place = urldefrag(link)
                if target.startswith("file:"):
                    there = Path(unquote(urlparse(target).path)).exists()
                    if not there or (place and target in self.ids and unquote(place) not in self.ids[target]):
                        lost.append(f"{page} -> {link}")
        return lost


@pytest.mark.browser
@pytest.mark.slow
def test_the_site_in_a_browser(browser: Any, tmp_path: Path) -> None:
    site = built(tmp_path)
    visit = Visit(browser, site)
    pages = [path for path in sorted(site.rglob("*.html")) if path.parent.suffix != ".files"]
    code = [path for path in pages if site / "source" in path.parents]
    for path in pages:  # and not what blocks have written by itself
        (visit.open if path in code[1:] else visit.look_at)(path)
    assert dict(visit.wrong) == {}
    assert visit.lost() == []
    assert len(pages) > 40
    steppers = [path.relative_to(site) for path in site.rglob("*.files/*.html")]
    assert len(steppers) >= 3, steppers

    assert any("Truncated" in title for title in visit.look_for("truncated"))
    assert any("GRUCell" in title for title in visit.look_for("GRUCell"))
    visit.page.emulate_media(color_scheme="null")
    visit.page.goto((site / "docs" / "stepper.html").as_uri())
    visit.page.evaluate(LOAD)
    for theme in ("dark", "light"):  # whatever the system says
        visit.choose(theme)
        frame = visit.page.frames[1]
        frame.wait_for_load_state()
        assert frame.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") == (theme == "dark")
    assert dict(visit.wrong) == {}
    visit.context.close()
