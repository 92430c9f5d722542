"""What support asks for: the connection test without a sign-in, the error report, the log that the browser keeps."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import expect

from tests.desktop.conftest import Open
from tests.desktop.screen import Screen

LONG_POLL_MS = 60_000.0
"""Milliseconds that the connection test may take: its long request is held for 30 s."""


def run(screen: Screen) -> None:
    screen.page.goto(screen.address + "test")
    screen.button("test.run").click()


def test_the_connection_test_passes_here_and_its_result_can_be_saved_and_shown_again(
    open_screen: Open, tmp_path: Path
) -> None:
    screen = open_screen("pt-BR")
    page = screen.page
    run(screen)
    expect(page.get_by_test_id("verdict")).to_contain_text(screen.text("test.all.pass"), timeout=LONG_POLL_MS)
    checks = page.locator("[data-check]")
    expect(checks).to_have_count(10)
    assert {checks.nth(n).get_attribute("data-verdict") for n in range(10)} == {"pass"}
    assert screen.violations() == []

    with page.expect_download() as download:
        screen.button("test.save").click()
    saved = tmp_path / "result.json"
    download.value.save_as(saved)
    result = json.loads(saved.read_text("utf-8"))
    assert [check["id"] for check in result["checks"]][:2] == ["server", "tls"]

    support = open_screen("es")
    support.page.goto(support.address + "test")
    support.page.get_by_label(support.text("test.load")).set_input_files(saved)
    expect(support.page.get_by_test_id("verdict")).to_contain_text(support.text("test.loaded"))
    expect(support.page.locator("[data-check=longPoll]")).to_contain_text(support.pattern("test.longPoll.ok"))
    support.page.get_by_label(support.text("test.load")).set_input_files(
        {"name": "x.json", "mimeType": "application/json", "buffer": b"{}"}
    )
    expect(support.page.get_by_role("alert")).to_contain_text(support.text("test.notAReport"))


def test_the_connection_test_says_what_is_wrong(open_screen: Open) -> None:
    screen = open_screen()
    screen.page.route("**/http-bind/**", lambda route: route.fulfill(status=200, body="<html>Please sign in</html>"))
    screen.page.route("**/finesse/api/SystemInfo*", lambda route: route.abort())
    run(screen)
    expect(screen.page.get_by_test_id("verdict")).to_contain_text(screen.text("test.all.fail"), timeout=LONG_POLL_MS)
    for check in ("server", "bosh"):
        expect(screen.page.locator(f"[data-check={check}]")).to_have_attribute("data-verdict", "fail")


def test_the_browser_keeps_the_log_when_it_was_asked_to(open_screen: Open, tmp_path: Path) -> None:
    agent = open_screen("es")
    agent.page.goto(agent.address + "locallog")
    expect(agent.page.get_by_text(agent.text("locallog.none"))).to_be_visible()
    assert agent.violations() == []
    agent.page.get_by_role("link", name=agent.text("locallog.signIn")).click()
    agent.sign_in("1001")
    agent.connected()

    tab = agent.context.new_page()  # the desktop stays open in its own
    tab.goto(agent.address + "locallog")
    session = tab.locator("[data-session]")
    expect(session).to_have_count(1)
    name = session.get_attribute("data-session") or ""
    with tab.expect_download() as download:
        session.get_by_role("button", name=agent.text("locallog.save")).click()
    kept = tmp_path / "kept.log"
    download.value.save_as(kept)
    first, *lines = kept.read_text("utf-8").splitlines()
    assert first.startswith("Mozilla/5.0")
    assert lines
    assert all(f": {name}: localhost: " in line for line in lines)
    session.get_by_role("button", name=agent.text("locallog.remove")).click()
    expect(tab.get_by_text(agent.text("locallog.none"))).to_be_visible()


def test_nothing_is_kept_when_nobody_asked(open_screen: Open) -> None:
    agent = open_screen().sign_in("1001")
    agent.connected()
    stored = agent.page.evaluate("Object.keys(localStorage)")
    assert [key for key in stored if key.startswith("Fi")] == []
