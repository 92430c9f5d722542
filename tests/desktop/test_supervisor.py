"""A supervisor's day: the team, its members' states, listening in and barging in, messages, queues."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.desktop.conftest import QUIET, Open, address_of
from tests.desktop.screen import PATIENCE_MS, Screen
from tests.e2e.process import demo


def row(screen: Screen, agent: str) -> Locator:
    """An agent's row in the team."""
    return screen.page.locator(f"[data-agent='{agent}']")


def shows(screen: Screen, agent: str, state: str) -> None:
    expect(row(screen, agent)).to_contain_text(screen.text(f"state.{state}"), timeout=PATIENCE_MS)


def pick(screen: Screen, agent: str) -> Locator:
    """Select an agent; what can be done with her."""
    row(screen, agent).get_by_role("button").click()
    return screen.page.get_by_test_id("member")


def do(member: Locator, what: str) -> None:
    member.locator(f"[data-do={what}]").click()


@pytest.mark.parametrize("locale", ["en", "pt-BR", "es"])
def test_a_supervisors_day(open_screen: Open, locale: str) -> None:
    agent, caller = (open_screen().sign_in(user) for user in ("1001", "1002"))
    supervisor = open_screen(locale).sign_in("1101")
    shows(supervisor, "1001", "NOT_READY")
    member = pick(supervisor, "1001")
    do(member, "READY")
    agent.is_in("READY")
    shows(supervisor, "1001", "READY")

    caller.call("1001")
    agent.act(agent.call_is("ALERTING", "1002"), "ANSWER")
    shows(supervisor, "1001", "TALKING")
    do(member, "SILENT_MONITOR")
    expect(member).to_contain_text(supervisor.text("team.listening"))
    do(member, "BARGE_CALL")
    expect(agent.calls.get_by_role("listitem").filter(has_text="1101")).to_have_count(1)
    expect(supervisor.calls).to_have_count(1)

    do(member, "INTERCEPT")
    expect(agent.calls).to_have_count(0)
    expect(supervisor.calls).to_have_count(1)
    agent.is_in("READY")


def test_a_supervisor_signs_an_agent_out(open_screen: Open) -> None:
    agent, supervisor = open_screen().sign_in("1003"), open_screen().sign_in("1101")
    shows(supervisor, "1003", "NOT_READY")
    member = pick(supervisor, "1003")
    do(member, "LOGOUT")
    shows(supervisor, "1003", "LOGOUT")
    expect(member).to_contain_text(supervisor.text("team.out"))
    expect(agent.button("signin.submit")).to_be_visible(timeout=PATIENCE_MS)
    expect(agent.page.get_by_role("alert")).to_contain_text(agent.pattern("refused.signedOut"))


def test_the_table_is_filtered_sorted_and_walked_with_the_keyboard(open_screen: Open) -> None:
    supervisor = open_screen().sign_in("1101")
    page = supervisor.page
    rows = page.locator("[data-agent]")
    expect(rows).not_to_have_count(0)
    whole = rows.count()
    page.get_by_label(supervisor.text("team.find")).fill("1002")
    expect(rows).to_have_count(1)
    page.get_by_label(supervisor.text("team.find")).fill("nobody at all")
    expect(page.get_by_text(supervisor.text("team.none"))).to_be_visible()
    page.get_by_label(supervisor.text("team.find")).fill("")
    expect(rows).to_have_count(whole)
    names = rows.get_by_role("button").all_inner_texts()
    assert names == sorted(names)
    page.get_by_role("columnheader").get_by_role("button", name=supervisor.text("team.column.name")).click()
    expect(page.get_by_role("columnheader").first).to_have_attribute("aria-sort", "descending")
    assert rows.get_by_role("button").all_inner_texts() == names[::-1]
    numbers = [rows.nth(n).get_attribute("data-agent") for n in range(whole)]

    page.get_by_role("rowgroup", name=supervisor.text("team.rows")).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.locator(f"[data-agent='{numbers[1]}'] button")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("End")
    expect(page.locator(f"[data-agent='{numbers[-1]}'] button")).to_have_attribute("aria-pressed", "true")
    assert supervisor.violations() == []


def test_a_team_message_reaches_the_team_and_can_be_withdrawn(open_screen: Open) -> None:
    agent, supervisor = open_screen("es").sign_in("1001"), open_screen().sign_in("1101")
    page = supervisor.page
    supervisor.button("message.write").click()
    page.get_by_label(supervisor.text("message.text")).fill("Line 2 <is> down & out")
    page.get_by_role("button", name=supervisor.text("message.send"), exact=True).click()
    shown = agent.page.get_by_role("region", name=agent.text("message.title"))
    expect(shown).to_contain_text("Line 2 <is> down & out", timeout=PATIENCE_MS)
    assert agent.violations() == []
    own = page.get_by_role("region", name=supervisor.text("message.title"))
    own.get_by_role("button", name=supervisor.text("message.delete")).click()
    expect(shown).not_to_contain_text("Line 2", timeout=PATIENCE_MS)


def test_queues_are_shown_while_somebody_looks(open_screen: Open) -> None:
    agent = open_screen("pt-BR").sign_in("1001")
    agent.button("queues.title").click()
    queue = agent.page.locator("[data-queue]").first
    expect(queue).to_be_visible()
    expect(queue.locator("[data-figure=agentsLoggedOn]")).to_have_text(re.compile(r"[1-9]\d*"), timeout=PATIENCE_MS)
    assert agent.violations() == []


def test_an_agent_who_supervises_nobody_sees_no_team(open_screen: Open) -> None:
    agent = open_screen().sign_in("1001")
    expect(agent.button("queues.title")).to_be_visible()
    expect(agent.button("team.title")).to_have_count(0)


def test_a_screen_that_is_gone_is_shown_before_the_logout_and_explained_after(
    browser: Browser, screens: list[Screen], tmp_path: Path
) -> None:
    with demo(tmp_path, settings={**QUIET, "bosh.idle_limit_s": 5, "bosh.reaper_interval_s": 1}) as server:
        agent, supervisor = (Screen(browser, address_of(server)) for _ in range(2))
        screens += (agent, supervisor)
        agent.sign_in("1003")
        supervisor.sign_in("1101")
        screen = row(supervisor, "1003").get_by_test_id("screen")
        expect(screen).to_have_text(supervisor.text("team.screen.there"), timeout=PATIENCE_MS)
        agent.page.close()  # and with its last page the worker ends
        expect(screen).to_have_text(re.compile(r"gone \d+:\d\d, signed out in \d+:\d\d"), timeout=3 * PATIENCE_MS)
        supervisor.button("disconnects.title").click()
        told = supervisor.page.get_by_role("dialog", name=supervisor.text("disconnects.title"))
        expect(told.get_by_role("listitem").first).to_contain_text("1003", timeout=PATIENCE_MS)
        assert supervisor.violations() == []
