"""An agent's day in each language, with the mouse."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.desktop.conftest import Open
from tests.desktop.screen import Screen
from tests.e2e.process import Server


def sign_out(screen: Screen) -> None:
    if screen.text("state.NOT_READY") not in screen.state.inner_text():
        choose(screen, "state.NOT_READY", "state.noReason")
        screen.is_in("NOT_READY")
    choose(screen, "state.signOut", "state.noReason")
    expect(screen.button("signin.submit")).to_be_visible()


def choose(screen: Screen, menu: str, item: str) -> None:
    """Open a menu and take an entry."""
    screen.button(menu).click()
    screen.page.get_by_role("group", name=screen.text(menu)).get_by_role("button", name=screen.text(item)).click()


@pytest.mark.parametrize("locale", ["en", "pt-BR", "es"])
def test_a_day(open_screen: Open, locale: str) -> None:
    agent = open_screen(locale)
    assert agent.page.evaluate("document.documentElement.lang") == locale
    agent.sign_in("1001")
    agent.connected()
    expect(agent.page.get_by_role("heading", level=1)).to_contain_text("Agent One")
    expect(agent.page.get_by_text(agent.text("header.extension", extension="1001"))).to_be_visible()
    agent.ready()
    expect(agent.page.get_by_test_id("state-timer")).to_have_text(re.compile(r"^0:0\d$"))

    colleague = open_screen().sign_in("1002")
    colleague.call("1001")
    ringing = agent.call_is("ALERTING", "1002")
    assert agent.text("call.ringing", number="1002") in agent.page.title()
    agent.act(ringing, "ANSWER")
    card = agent.call_is("ACTIVE", "1002")
    agent.is_in("TALKING")

    agent.act(card, "HOLD")
    agent.act(agent.call_is("HELD", "1002"), "RETRIEVE")
    card = agent.call_is("ACTIVE", "1002")

    agent.act(card, "SEND_DTMF")
    card.get_by_role("button", name="5", exact=True).click()
    expect(card.get_by_text(agent.text("keypad.sent", digits="5"))).to_be_visible()

    agent.act(card, "UPDATE_CALL_DATA")
    card.get_by_label(agent.text("call.wrapUp")).fill("Sale")
    card.get_by_role("button", name=agent.text("call.wrapUpSave")).click()
    expect(card.get_by_text("Sale")).to_be_visible()

    choose(agent, "state.NOT_READY", "state.noReason")  # after this call
    expect(agent.page.get_by_text(agent.text("state.next", state="state.NOT_READY"))).to_be_visible()
    agent.act(card, "DROP")
    expect(agent.calls).to_have_count(0)
    agent.is_in("NOT_READY")
    recent = agent.page.get_by_role("region", name=agent.text("calls.recent"))
    expect(recent.get_by_text("1002", exact=True)).to_be_visible()


def test_a_consultation_ends_as_a_transfer(open_screen: Open) -> None:
    agent, caller, expert = (open_screen().sign_in(user) for user in ("1001", "1002", "1003"))
    agent.ready()
    caller.call("1001")
    agent.act(agent.call_is("ALERTING", "1002"), "ANSWER")
    card = agent.call_is("ACTIVE", "1002")
    agent.act(card, "CONSULT_CALL")
    card.get_by_label(re.compile("Number")).fill("1003")
    card.locator("form button[type=submit]").first.click()
    expert.act(expert.call_is("ALERTING", "1001"), "ANSWER")
    agent.call_is("HELD", "1002")
    agent.act(agent.call_is("ACTIVE", "1003"), "TRANSFER")
    expect(agent.calls).to_have_count(0)
    expert.call_is("ACTIVE", "1002")
    caller.call_is("ACTIVE", "1003")


def test_a_consultation_ends_as_a_conference(open_screen: Open) -> None:
    agent, caller, expert = (open_screen().sign_in(user) for user in ("1001", "1002", "1003"))
    agent.ready()
    caller.call("1001")
    agent.act(agent.call_is("ALERTING", "1002"), "ANSWER")
    card = agent.call_is("ACTIVE", "1002")
    agent.act(card, "CONSULT_CALL")
    card.get_by_label(re.compile("Number")).fill("1003")
    card.locator("form button[type=submit]").first.click()
    expert.act(expert.call_is("ALERTING", "1001"), "ANSWER")
    agent.act(agent.call_is("ACTIVE", "1003"), "CONFERENCE")
    expect(agent.calls).to_have_count(1)
    expect(agent.calls).to_contain_text("Conference")
    for number in ("1001", "1002", "1003"):
        expect(agent.calls.get_by_role("listitem").filter(has_text=number)).to_have_count(1)


def test_a_direct_transfer(open_screen: Open) -> None:
    agent, caller, other = (open_screen().sign_in(user) for user in ("1001", "1002", "1003"))
    agent.ready()
    caller.call("1001")
    agent.act(agent.call_is("ALERTING", "1002"), "ANSWER")
    card = agent.call_is("ACTIVE", "1002")
    agent.act(card, "TRANSFER_SST")
    card.get_by_label(re.compile("Number")).fill("1003")
    card.locator("form button[type=submit]").first.click()
    other.act(other.call_is("ALERTING"), "ANSWER")
    other.call_is("ACTIVE", "1002")
    expect(agent.calls).to_have_count(0)


def test_a_call_that_cannot_be_made_says_so(open_screen: Open) -> None:
    agent = open_screen().sign_in("1001")
    agent.call("1001")
    toast = agent.page.get_by_role("region", name=agent.text("toast.title"))
    expect(toast).to_contain_text(agent.text("failed.destination"))
    toast.get_by_role("button", name=agent.text("toast.close")).click()
    expect(toast).not_to_contain_text(agent.text("failed.destination"))


def test_two_tabs_are_one_session(open_screen: Open, server: Server) -> None:
    agent = open_screen().sign_in("1001")
    second = agent.tab()
    expect(second.get_by_test_id("state")).to_contain_text(agent.text("state.NOT_READY"))
    second.get_by_role("button", name=agent.text("state.READY"), exact=True).click()
    agent.is_in("READY")
    second.close()
    agent.connected()
    assert agent.page.evaluate("document.visibilityState") == "visible"
    sessions = server.rest("admin", "admin").call("GET", "/api/sessions")
    if sessions.status == 200:
        assert sessions.body.count(b"1001@localhost/desktop") == 1


def test_the_same_agent_on_another_computer_ends_the_first(open_screen: Open) -> None:
    first = open_screen().sign_in("1001")
    second = open_screen().sign_in("1001")
    expect(first.page.get_by_text(first.text("refused.elsewhere", user="1001"))).to_be_visible()
    second.connected()


REFUSALS = {
    "a wrong password": ("1001", "wrong", "1001", "refused.password"),
    "an unknown user": ("9999", "9999", "9999", "refused.password"),
    "an administrator, who is no agent": ("admin", "admin", "1001", "refused.unknownUser"),
    "an extension that cannot be one": ("1004", "1004", "77x7", "refused.extension"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_refused_sign_in_says_why(open_screen: Open, case: str) -> None:
    user, password, extension, key = REFUSALS[case]
    agent = open_screen("pt-BR")
    agent.fill_sign_in(user, password, extension)
    alert = agent.page.get_by_role("alert")
    expect(alert).to_contain_text(agent.pattern(key))
    expect(alert).to_contain_text(agent.text("signin.code", code="")[:-1])
    expect(agent.page.get_by_label(agent.text("signin.user"))).to_have_value(user)  # nothing typed is lost


def test_an_extension_in_use_is_refused_with_the_reason(open_screen: Open) -> None:
    open_screen().sign_in("1001")
    second = open_screen()
    second.fill_sign_in("1002", extension="1001")
    expect(second.page.get_by_role("alert")).to_contain_text(second.text("refused.deviceBusy", extension="1001"))


def test_the_computer_remembers_who_but_never_the_password(open_screen: Open) -> None:
    agent = open_screen()
    agent.page.get_by_label(agent.text("signin.remember")).check()
    agent.sign_in("1001")
    sign_out(agent)
    stored = agent.page.evaluate("JSON.stringify({ ...localStorage, ...sessionStorage })")
    assert '\\"user\\":\\"1001\\"' in stored
    assert "password" not in stored
    agent.page.reload()
    expect(agent.page.get_by_label(agent.text("signin.user"))).to_have_value("1001")
    expect(agent.page.get_by_label(agent.text("signin.password"), exact=True)).to_have_value("")


def test_the_log_of_the_browser_has_the_grammar_of_the_runbooks(open_screen: Open) -> None:
    agent = open_screen().sign_in("1001")
    agent.connected()
    line = re.compile(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3} [+-]\d\d:\d\d: : localhost: "
        r"(?:[A-Z][a-z]{2} \d\d \d{4} \d\d:\d\d:\d\d\.\d{3} [+-]\d{4}|--- -- ---- --:--:--\.--- -----): "
        r"(?:Container|Header) : .+"
    )
    own = [text for text in agent.log if "localhost" in text and "Failed to load" not in text]
    assert own
    assert [text for text in own if line.fullmatch(text) is None] == []
    assert any("Drift: " in text and "Network Latency (round trip): " in text for text in own)


def test_the_error_report_lands_among_the_client_logs(open_screen: Open, server: Server) -> None:
    agent = open_screen().sign_in("1001")
    agent.connected()
    agent.page.keyboard.press("Control+Shift+2")
    expect(agent.page.get_by_text(agent.text("report.sent"))).to_be_visible()
    folder = Path(server.facts["logs"]) / "clientlogs"
    (report,) = [path.read_text("utf-8") for path in folder.iterdir()]
    assert report.startswith("Mozilla/5.0")
    assert "Signed in as 1001" in report
