"""A browser and a demo for all tests of a module; each test brings its own people and takes them away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.desktop.screen import Screen, built, chromium
from tests.e2e.process import Server, demo

Open = Callable[..., Screen]
QUIET = {"lab.calls_per_minute": 0, "bosh.creations_per_minute": 10_000}
"""Calls come only from the tests, and one address may make as many sessions as it needs."""


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    built()
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    with chromium(playwright) as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with demo(tmp_path_factory.mktemp("demo"), settings=QUIET) as running:
        yield running


def address_of(server: Server) -> str:
    return f"https://localhost:{server.facts['ports']['https']}/desktop/"


@pytest.fixture
def address(server: Server) -> str:
    return address_of(server)


@pytest.fixture
def screens(browser: Browser) -> Iterator[list[Screen]]:
    """All screens of a test; closed at its end, whatever happened."""
    opened: list[Screen] = []
    yield opened
    failures = []
    for screen in opened:
        try:
            screen.close()
        except AssertionError as error:
            failures.append(str(error))
    assert failures == []


@pytest.fixture
def open_screen(browser: Browser, address: str, screens: list[Screen], tmp_path: Path) -> Open:
    """Opens a desktop in a browser of its own."""

    def opened(locale: str = "en", **context: Any) -> Screen:
        screen = Screen(browser, address, locale, **context)
        screens.append(screen)
        return screen

    return opened
