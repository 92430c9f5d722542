"""A person in front of the desktop: a page of its own browser context, found by the words of its language."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page, Playwright, expect

ROOT = Path(__file__).resolve().parents[2]
LOCALES = ROOT / "src/poise/server/desktop/locales"
AXE = ROOT / "web/node_modules/axe-core/axe.min.js"
PATIENCE_MS = 15_000.0
"""Milliseconds a page has to come to what is expected; the machine may be busy."""
SIZE = {"width": 1366, "height": 768}


def built() -> None:
    """The desktop's files, fresh. Fails with the reason where they cannot be built."""
    done = subprocess.run(["bash", "tools/build-desktop.sh"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """The machine's own Chromium; none is downloaded."""
    path = shutil.which("chromium")
    assert path is not None, "the desktop's tests need Chromium: bash tools/install-chromium.sh"
    browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--ignore-certificate-errors"])
    try:
        yield browser
    finally:
        browser.close()


@cache
def words(locale: str) -> Mapping[str, str]:
    """The catalogue of a language."""
    catalogue: dict[str, str] = json.loads((LOCALES / f"{locale}.json").read_text("utf-8"))
    return catalogue


class Screen:
    """One desktop. Everything that goes wrong in the page itself is collected in `errors`."""

    def __init__(self, browser: Browser, address: str, locale: str = "en", **context: Any) -> None:
        options: dict[str, Any] = {"locale": locale, "viewport": SIZE, "ignore_https_errors": True, **context}
        self.context = browser.new_context(**options)
        self.context.set_default_timeout(PATIENCE_MS)
        self.context.on("request", lambda request: self._asked(request.url))
        self.locale = locale
        self.address = address
        self.foreign: list[str] = []
        """Requests to anybody but the server."""
        self.errors: list[str] = []
        self.log: list[str] = []
        self.page = self.tab()

    def tab(self) -> Page:
        """A further tab of the same browser."""
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self._said(message.type, message.text))
        page.goto(self.address)
        return page

    def _asked(self, url: str) -> None:
        if not url.startswith(self.address.removesuffix("desktop/")):
            self.foreign.append(url)

    def _said(self, kind: str, text: str) -> None:
        refused = "Failed to load resource" in text  # the browser's own line about an answer such as 401 or 404
        if kind in ("error", "warning") and not refused:
            self.errors.append(text)
        self.log.append(text)

    # Words

    def text(self, key: str, **params: object) -> str:
        """A text of the catalogue in this screen's language."""
        text = words(self.locale)[key]
        for name, value in params.items():
            text = text.replace(f"{{{name}}}", str(value))
            text = text.replace(f"{{@{name}}}", words(self.locale).get(str(value), ""))
        assert "{" not in text, f"{key} needs more than {params}"
        return text

    def pattern(self, key: str) -> re.Pattern[str]:
        """A text of the catalogue, anything where its parameters stand."""
        return re.compile(".+".join(map(re.escape, re.split(r"\{[^}]+\}", words(self.locale)[key]))))

    # Looking

    @property
    def state(self) -> Locator:
        """The agent's state."""
        return self.page.get_by_test_id("state")

    @property
    def pill(self) -> Locator:
        """The health pill."""
        return self.page.get_by_test_id("pill")

    @property
    def calls(self) -> Locator:
        """The cards of the calls."""
        return self.page.locator("article")

    def button(self, key: str) -> Locator:
        """A button by its text."""
        return self.page.get_by_role("button", name=self.text(key), exact=True)

    def is_in(self, state: str) -> None:
        """Wait until the agent is in a state."""
        expect(self.state).to_contain_text(self.text(f"state.{state}"), timeout=PATIENCE_MS)

    def call_is(self, state: str, number: str = "") -> Locator:
        """Wait until there is a call in a state, with a number."""
        card = self.calls.filter(
            has=self.page.get_by_test_id("call-state").filter(has_text=self.text(f"call.state.{state}"))
        )
        if number:
            card = card.filter(has=self.page.get_by_role("heading", name=number, exact=True))
        expect(card).to_have_count(1, timeout=PATIENCE_MS)
        return card

    def connected(self) -> None:
        """Wait until the pill says so."""
        expect(self.pill).to_contain_text(self.text("conn.ok"), timeout=PATIENCE_MS)

    # Doing

    def fill_sign_in(self, user: str, password: str = "", extension: str = "") -> None:
        """Fill the form and send it."""
        self.page.get_by_label(self.text("signin.user")).fill(user)
        self.page.get_by_label(self.text("signin.password"), exact=True).fill(password or user)
        self.page.get_by_label(self.text("signin.extension"), exact=True).fill(extension or user)
        self.button("signin.submit").click()

    def sign_in(self, user: str, extension: str = "") -> Screen:
        """Sign in and wait for the desktop."""
        self.fill_sign_in(user, extension=extension)
        self.is_in("NOT_READY")
        return self

    def ready(self) -> None:
        """Go to Ready."""
        self.button("state.READY").click()
        self.is_in("READY")

    def call(self, number: str) -> None:
        """Make a call."""
        self.page.get_by_label(self.text("calls.number"), exact=True).fill(number)
        self.button("calls.call").click()

    def act(self, card: Locator, action: str) -> None:
        """Press a button of a call."""
        card.locator(f"[data-action={action}]").click()

    # Judging

    def violations(self) -> list[str]:
        """What axe-core finds against WCAG 2.2 AA, as lines."""
        self.page.evaluate(AXE.read_text("utf-8"))
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        found = self.page.evaluate("tags => axe.run(document, { runOnly: tags })", tags)
        return [
            f"{violation['id']}: {node['html']} {node['failureSummary']}"
            for violation in found["violations"]
            for node in violation["nodes"]
        ]

    def close(self) -> None:
        """Go away, and show what went wrong in the page."""
        self.context.close()
        assert self.errors == []
        assert self.foreign == []
