"""A hidden and frozen page: the session lives on in the shared worker, and the page is right again at once."""

from __future__ import annotations

from pathlib import Path

from tests.desktop.conftest import QUIET, address_of
from tests.desktop.devtools import chromium, desktop
from tests.desktop.screen import built
from tests.e2e.process import demo

FROZEN_S = 9.0
RIGHT_S = 2.0
QUICK = {"bosh.wait_max_s": 2, "bosh.idle_limit_s": 4, "bosh.reaper_interval_s": 1, "presence.grace_s": 1}
"""With these a page that is silent for five seconds is signed out."""


def test_a_page_frozen_for_longer_than_the_server_waits_is_not_signed_out(tmp_path: Path) -> None:
    built()
    with demo(tmp_path, settings={**QUIET, **QUICK}) as server, chromium(tmp_path) as browser:
        tab = desktop(browser, address_of(server), "1001")
        browser.open("about:blank")
        tab.until("document.hidden")
        tab.freeze()
        browser.pass_time(FROZEN_S)
        rest = server.rest("1001")
        assert rest.state_of("1001") == "NOT_READY"
        assert rest.put("READY").status == 202
        tab.freeze(False)
        tab.front()
        took = tab.until(
            "document.querySelector('[data-testid=state]').innerText.includes('Ready') && "
            "!document.querySelector('[data-testid=state]').innerText.includes('Not')"
        )
        assert took < RIGHT_S
        assert rest.state_of("1001") == "READY"
