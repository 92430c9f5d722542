"""Writes docs/pictures/desktop-*.png: `python -m tests.desktop.pictures`, in a checkout with the desktop's packages."""

from __future__ import annotations

import signal
import tempfile
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from tests.desktop.conftest import QUIET, address_of
from tests.desktop.screen import PATIENCE_MS, ROOT, Screen, built, chromium
from tests.e2e.process import demo

PICTURES = ROOT / "docs" / "pictures"


def main() -> None:
    """A call in light and dark, the sign-in, and a lost connection."""
    built()
    expect.set_options(timeout=PATIENCE_MS)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright, chromium(playwright) as browser:
        with demo(Path(folder), settings=QUIET) as server:
            address = address_of(server)
            light = Screen(browser, address, color_scheme="light")
            light.page.screenshot(path=PICTURES / "desktop-sign-in.png")
            light.sign_in("1001")
            dark = Screen(browser, address, "pt-BR", color_scheme="dark").sign_in("1002")
            third = Screen(browser, address).sign_in("1003")
            light.ready()
            dark.call("1001")
            light.act(light.call_is("ALERTING", "1002"), "ANSWER")
            card = light.call_is("ACTIVE", "1002")
            light.act(card, "CONSULT_CALL")
            card.get_by_role("textbox").fill("1003")
            card.locator("form button[type=submit]").first.click()
            third.act(third.call_is("ALERTING", "1001"), "ANSWER")
            light.call_is("HELD", "1002")
            light.call_is("ACTIVE", "1003")
            light.page.screenshot(path=PICTURES / "desktop-light.png")
            dark.call_is("ACTIVE", "1001")
            dark.page.locator("[data-action=SEND_DTMF]").click()
            dark.page.screenshot(path=PICTURES / "desktop-dark.png")
            server.signal(signal.SIGKILL)
            server.ended()
        expect(light.page.get_by_text(light.pattern("conn.grace"))).to_be_visible()
        expect(light.pill).to_contain_text(light.pattern("conn.retryNow"))
        light.page.screenshot(path=PICTURES / "desktop-banner.png")


if __name__ == "__main__":
    main()
