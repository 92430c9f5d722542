"""A browser and a demo for all tests of a module; each test brings its own people and takes them away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from tests.desktop.screen import PATIENCE_MS, Screen, built, chromium
from tests.e2e.desk import Rest
from tests.e2e.process import Server, demo

Open = Callable[..., Screen]
AGENTS = ("1001", "1002", "1003", "1004", "1101")
QUIET = {"lab.calls_per_minute": 0, "bosh.creations_per_minute": 10_000}
"""Calls come only from the tests, and one address may make as many sessions as it needs."""


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """For one module only: while it is there, its event loop runs in this thread, and asyncio.run would refuse."""
    built()
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    with chromium(playwright) as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with demo(tmp_path_factory.mktemp("demo"), settings=QUIET) as running:
        yield running


def address_of(server: Server) -> str:
    return f"https://localhost:{server.facts['ports']['https']}/desktop/"


def send_home(server: Server) -> None:
    """Every agent hangs up and is signed out, whatever a test left behind."""
    for user in AGENTS:
        rest = server.rest(user)
        for dialog in rest.get(f"User/{user}/Dialogs").root.iter("Dialog"):
            inside = f"<requestedAction>DROP</requestedAction><targetMediaAddress>{user}</targetMediaAddress>"
            path = f"/finesse/api/Dialog/{dialog.findtext('id')}"
            rest.call("PUT", path, f"<Dialog>{inside}</Dialog>".encode())
    for user in AGENTS:
        rest = server.rest(user)
        server.until(lambda rest=rest, user=user: signed_out(rest, user))  # type: ignore[misc]


def signed_out(rest: Rest, user: str) -> bool:
    state = rest.state_of(user)
    if state != "LOGOUT":
        rest.put("LOGOUT" if state == "NOT_READY" else "NOT_READY")
    return state == "LOGOUT"


@pytest.fixture
def address(server: Server) -> Iterator[str]:
    yield address_of(server)
    send_home(server)


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
