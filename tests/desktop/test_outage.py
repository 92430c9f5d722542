"""The server dies and comes back; the network does: the banner, the countdown, and everybody back without a reload."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.desktop.conftest import QUIET, address_of
from tests.desktop.screen import Screen
from tests.e2e.process import Lab, Server, demo, free_port, serve_beside

BACK_S = 35.0
"""Seconds in which everybody is back after a restart."""


@pytest.fixture
def ports() -> dict[str, int]:
    """The same ports for the server before and after its restart."""
    return {f"ports.{name}": free_port() for name in ("https", "notification")}


@pytest.fixture
def screens(browser: Browser) -> Iterator[list[Screen]]:
    opened: list[Screen] = []
    yield opened
    for screen in opened:
        screen.context.close()  # a lost server makes the browser complain, and rightly


def opened(screens: list[Screen], browser: Browser, server: Server, locale: str = "en") -> Screen:
    screen = Screen(browser, address_of(server), locale)
    screen.page.evaluate("window.never_reloaded = true")
    screens.append(screen)
    return screen


def is_back(screen: Screen, state: str) -> None:
    expect(screen.pill).to_contain_text(screen.text("conn.ok"), timeout=BACK_S * 1000)
    screen.is_in(state)
    assert screen.page.evaluate("window.never_reloaded") is True


def test_a_killed_server_is_waited_for_and_everybody_comes_back(
    browser: Browser, screens: list[Screen], ports: dict[str, int], tmp_path: Path
) -> None:
    settings = {**QUIET, **ports}
    with demo(tmp_path, settings=settings) as server:
        agents = {
            user: opened(screens, browser, server, locale) for user, locale in (("1001", "pt-BR"), ("1004", "en"))
        }
        for user, agent in agents.items():
            agent.sign_in(user)
        ready = agents["1001"]
        ready.ready()
        server.signal(signal.SIGKILL)
        server.ended()
    for agent in agents.values():
        expect(agent.page.get_by_text(agent.text("banner.lost", host="localhost")).last).to_be_visible()
        expect(agent.page.get_by_text(agent.pattern("conn.grace"))).to_be_visible()
        expect(agent.pill).to_contain_text(agent.pattern("conn.retryNow"))
    ready.page.get_by_label(ready.text("calls.number"), exact=True).fill("5551")
    with demo(tmp_path, settings=settings):
        began = time.monotonic()
        is_back(ready, "READY")
        is_back(agents["1004"], "NOT_READY")
        assert time.monotonic() - began < BACK_S
        kept = ready.text("conn.kept", state="state.READY")
        expect(ready.page.get_by_text(kept).first).to_be_visible()
        expect(ready.page.get_by_label(ready.text("calls.number"), exact=True)).to_have_value("5551")


def test_when_only_the_server_restarts_the_state_and_the_call_are_still_there(
    browser: Browser, screens: list[Screen], ports: dict[str, int], tmp_path: Path
) -> None:
    settings = {**QUIET, **ports}
    with demo(tmp_path, settings=settings):
        pass  # leaves accounts and a certificate
    with Lab(tmp_path, "--calls-per-minute", "0") as lab:
        with serve_beside(lab, tmp_path, settings) as server:
            agent, caller = (opened(screens, browser, server).sign_in(user) for user in ("1001", "1002"))
            agent.ready()
            caller.call("1001")
            agent.act(agent.call_is("ALERTING", "1002"), "ANSWER")
            agent.call_is("ACTIVE", "1002")
            server.signal(signal.SIGKILL)
            server.ended()
        expect(agent.page.get_by_text(agent.text("banner.lost", host="localhost")).last).to_be_visible()
        agent.call_is("ACTIVE", "1002")  # still shown, and marked as out of date
        expect(agent.page.get_by_text(agent.pattern("banner.stale"))).to_be_visible()
        with serve_beside(lab, tmp_path, settings):
            is_back(agent, "TALKING")
            agent.call_is("ACTIVE", "1002")
            agent.act(agent.call_is("ACTIVE", "1002"), "DROP")
            expect(agent.calls).to_have_count(0)


@pytest.mark.parametrize("transport", ["bosh", "websocket"])
def test_both_transports_carry_a_call(browser: Browser, screens: list[Screen], tmp_path: Path, transport: str) -> None:
    with demo(tmp_path, settings={**QUIET, "desktop.transport": transport}) as server:
        agent, caller = (opened(screens, browser, server).sign_in(user) for user in ("1001", "1002"))
        agent.ready()
        caller.call("1001")
        agent.act(agent.call_is("ALERTING", "1002"), "ANSWER")
        agent.call_is("ACTIVE", "1002")
        agent.pill.click()
        expect(agent.page.get_by_role("dialog")).to_contain_text("WebSocket" if transport == "websocket" else "BOSH")
        expect(agent.page.get_by_role("dialog")).to_contain_text(agent.text("health.worker.shared"))


def test_a_lost_telephone_system_is_told_and_its_return_brings_everybody_back(
    browser: Browser, screens: list[Screen], tmp_path: Path
) -> None:
    with demo(tmp_path, settings=QUIET):
        pass
    cti = free_port()
    with Lab(tmp_path, "--port", str(cti)) as lab:
        server = serve_beside(lab, tmp_path, QUIET)
        agent = opened(screens, browser, server).sign_in("1001")
        agent.ready()
    with server:
        expect(agent.pill).to_contain_text(agent.text("conn.out"))
        expect(agent.page.get_by_text(agent.text("banner.outMore"))).to_be_visible()
        fresh = opened(screens, browser, server)
        fresh.fill_sign_in("1002")
        expect(fresh.page.get_by_role("alert")).to_contain_text(fresh.pattern("refused.ctiDown"))
        with Lab(tmp_path, "--port", str(cti)):
            is_back(agent, "READY")


def test_a_frozen_tab_shows_at_once_what_it_missed(browser: Browser, screens: list[Screen], tmp_path: Path) -> None:
    with demo(tmp_path, settings={**QUIET, "bosh.idle_limit_s": 5, "bosh.reaper_interval_s": 1}) as server:
        agent, caller = (opened(screens, browser, server).sign_in(user) for user in ("1001", "1002"))
        agent.ready()
        caller.call("1001")
        agent.act(agent.call_is("ALERTING", "1002"), "ANSWER")
        agent.call_is("ACTIVE", "1002")
        devtools = agent.context.new_cdp_session(agent.page)
        devtools.send("Page.setWebLifecycleState", {"state": "frozen"})
        expect(caller.calls.get_by_text("0:20")).to_be_visible(timeout=40_000)  # four times the idle limit
        caller.act(caller.call_is("ACTIVE", "1001"), "DROP")
        expect(caller.calls).to_have_count(0)
        devtools.send("Page.setWebLifecycleState", {"state": "active"})
        expect(agent.calls).to_have_count(0, timeout=2000)
        agent.is_in("READY")
        sessions = [line for line in agent.log if "Connection status: connected" in line]
        assert len(sessions) == 1  # it was never disconnected
