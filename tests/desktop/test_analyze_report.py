"""The HTML report of `poise analyze` in a real browser: from a row of the ladder to its line, in any light."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from poise.diagnosis.report import html
from poise.diagnosis.wording import LANGUAGES, Words
from tests.unit.diagnosis.evidence_kit import EMPTY, START, analysed, closing, drift, epoch, har, openfire, tick
from tests.unit.diagnosis.evidence_kit import client as client_log


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    silent = openfire(epoch(0), tick(0, 0), tick(30, 5000), tick(60, 35000), tick(90, 65000), closing(90))
    hostile = (5, "/finesse/api/User/1001 <script>document.title='taken'</script><img src=http://127.0.0.1:9/x>")
    files: dict[str, str | bytes] = {
        "debug.log": silent,
        "client.log": client_log(hostile, drift(0), drift(60, 9), (80, "Connection status: disconnected <b>x")),
        "agent.har": har((-300, 30000, 200, EMPTY), (-238, 30000, 200, EMPTY), (-148, 30000, 200, EMPTY)),
    }
    folder = tmp_path_factory.mktemp("reports")
    for language in LANGUAGES:
        text = html.render(analysed(files), Words(language), START)
        (folder / f"{language}.html").write_text(text, "utf-8")
    return folder


@pytest.fixture
def page(browser: Browser, reports: Path) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": 1100, "height": 900})
    asked: list[str] = []
    said: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("console", lambda message: said.append(message.text))
    opened.goto((reports / "en.html").as_uri())
    yield opened
    assert [url for url in asked if not url.startswith("file:")] == [], "the report asks the network"
    assert said == [], "the report breaks its own policy"
    opened.close()


def test_text_of_a_log_runs_nothing_and_loads_nothing(page: Page) -> None:
    assert page.title().startswith("Poise")
    assert page.locator("script, img, link").count() == 0
    assert page.locator("article").count() == 1


def test_a_row_of_the_ladder_leads_to_its_line(page: Page) -> None:
    page.locator("svg a", has_text="closed as idle").click()
    marked = page.locator(".raw li:target")
    assert marked.count() == 1
    assert "Closing idle session (id=aa): 1001@fin1/desktop" in marked.inner_text()
    assert marked.bounding_box() is not None
    assert page.evaluate("document.querySelector('.raw li:target').getBoundingClientRect().top < innerHeight")


def test_every_link_has_its_target(page: Page) -> None:
    missing = page.evaluate(
        "[...document.querySelectorAll('a')].map(a => (a.getAttribute('href') || '').slice(1))"
        ".filter(id => !document.getElementById(id))"
    )
    assert missing == []


def test_light_and_dark_are_two_pictures_with_the_same_words(page: Page) -> None:
    shown = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        shown[scheme] = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert shown["light"] == "rgb(255, 255, 255)"
    assert shown["dark"] != shown["light"]


def test_nothing_is_wider_than_a_narrow_screen_or_paper(page: Page) -> None:
    page.set_viewport_size({"width": 480, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 480
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") <= 480


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_that_it_is_that_language(browser: Browser, reports: Path, language: str) -> None:
    with browser.new_page() as page:
        page.goto((reports / f"{language}.html").as_uri())
        assert page.locator("html").get_attribute("lang") == language
