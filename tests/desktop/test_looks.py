"""Every view is for everybody: axe-core finds nothing, light and dark; nothing is cut off at 200 % zoom; keys do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.desktop.conftest import Open
from tests.desktop.screen import Screen
from tests.desktop.test_day import sign_out

ZOOMED = {"viewport": {"width": 683, "height": 384}, "device_scale_factor": 2}
"""What a screen of 1366 x 768 has at 200 % zoom."""


def cut_off(screen: Screen) -> list[str]:
    """Controls that stick out of the page sideways; and the page itself if it scrolls sideways."""
    found: list[str] = screen.page.evaluate(
        """() => {
          const wide = document.documentElement.scrollWidth > innerWidth ? ['the page'] : [];
          const controls = [...document.querySelectorAll('button, input, select, a, h1, h2, h3, p')];
          const out = controls.filter((one) => {
            const box = one.getBoundingClientRect();
            const inSight = one.checkVisibility() && !one.closest('.hidden-text, .skip');
            return inSight && box.width && (box.right > innerWidth + 1 || box.left < -1);
          });
          return [...wide, ...out.map((one) => one.outerHTML.slice(0, 120))];
        }"""
    )
    return found


def judged(screen: Screen, view: str) -> None:
    assert screen.violations() == [], view
    assert cut_off(screen) == [], view


def walk(agent: Screen, caller: Screen, look: Callable[[Screen, str], None]) -> None:
    """Through every view of an agent."""
    look(agent, "sign-in")
    agent.fill_sign_in("1001", "wrong")
    expect(agent.page.get_by_role("alert")).to_contain_text(agent.text("refused.password"))
    look(agent, "sign-in refused")
    agent.page.get_by_label(agent.text("signin.mobile"), exact=True).check()
    look(agent, "mobile agent")
    agent.page.get_by_label(agent.text("signin.mobile"), exact=True).uncheck()
    agent.sign_in("1001")
    agent.connected()
    look(agent, "no calls")
    agent.button("header.settings").click()
    look(agent, "settings")
    agent.page.get_by_role("button", name=agent.text("keys.title")).click()
    expect(agent.page.get_by_role("dialog")).to_be_visible()
    look(agent, "shortcuts")
    agent.page.get_by_role("dialog").get_by_role("button", name=agent.text("health.close")).click()
    agent.pill.click()
    expect(agent.page.get_by_role("dialog")).to_be_visible()
    look(agent, "connection details")
    agent.page.keyboard.press("Escape")
    agent.ready()
    agent.button("state.NOT_READY").click()
    look(agent, "reasons")
    agent.page.keyboard.press("Escape")
    caller.call("1001")
    card = agent.call_is("ALERTING", "1002")
    look(agent, "ringing")
    agent.act(card, "ANSWER")
    card = agent.call_is("ACTIVE", "1002")
    for action in ("CONSULT_CALL", "SEND_DTMF", "UPDATE_CALL_DATA"):
        agent.act(card, action)
        look(agent, action)
        agent.act(card, action)
    agent.call("1001")
    expect(agent.page.get_by_text(agent.text("failed.destination"))).to_be_visible()
    look(agent, "a toast")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_view_has_a_barrier(open_screen: Open, scheme: str) -> None:
    agent = open_screen(color_scheme=scheme)
    caller = open_screen().sign_in("1002")
    walk(agent, caller, judged)


def test_at_200_percent_zoom_everything_is_there(open_screen: Open) -> None:
    agent = open_screen("pt-BR", **ZOOMED)
    caller = open_screen().sign_in("1002")
    walk(agent, caller, judged)


def test_with_forced_colours_the_state_is_still_told_apart(open_screen: Open) -> None:
    agent = open_screen(forced_colors="active").sign_in("1001")
    assert agent.violations() == []


def test_dark_is_chosen_and_remembered(open_screen: Open) -> None:
    agent = open_screen(color_scheme="light").sign_in("1001")
    light = agent.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    agent.button("header.settings").click()
    agent.page.get_by_label(agent.text("theme.label")).select_option("dark")
    assert agent.page.evaluate("getComputedStyle(document.documentElement).backgroundColor") != light
    agent.page.get_by_label(agent.text("signin.language")).select_option("es")
    agent.locale = "es"
    agent.is_in("NOT_READY")
    agent.page.keyboard.press("Escape")
    sign_out(agent)
    agent.page.reload()
    expect(agent.page.get_by_role("heading", level=1)).to_have_text(agent.text("signin.title"))
    assert agent.page.evaluate("document.documentElement.dataset.theme") == "dark"


def focus(screen: Screen) -> str:
    name: str = screen.page.evaluate(
        "() => { const e = document.activeElement; return e?.dataset?.action || e?.id || e?.tagName || ''; }"
    )
    return name


def tab_to(screen: Screen, name: str) -> None:
    """Press Tab until something has the focus."""
    for _ in range(60):
        if focus(screen) == name:
            return
        screen.page.keyboard.press("Tab")
    raise AssertionError(f"Tab never comes to {name}")


def test_a_day_without_a_mouse(open_screen: Open) -> None:
    agent = open_screen()
    caller = open_screen().sign_in("1002")
    keyboard = agent.page.keyboard
    for field, text in (("user", "1001"), ("password", "1001"), ("extension", "1001")):
        tab_to(agent, field)
        keyboard.type(text)
    keyboard.press("Enter")
    agent.is_in("NOT_READY")
    agent.connected()
    tab_to(agent, "READY")
    keyboard.press("Enter")
    agent.is_in("READY")
    caller.call("1001")
    agent.call_is("ALERTING", "1002")
    keyboard.press("Control+Alt+a")
    agent.call_is("ACTIVE", "1002")
    keyboard.press("Control+Alt+v")
    agent.call_is("HELD", "1002")
    keyboard.press("Control+Alt+g")
    agent.call_is("ACTIVE", "1002")
    keyboard.press("Control+Alt+k")
    keyboard.press("7")
    expect(agent.page.get_by_text(agent.text("keypad.sent", digits="7"))).to_be_visible()
    keyboard.press("Control+Alt+w")
    expect(agent.page.get_by_role("textbox", name=agent.text("call.wrapUp"))).to_be_focused()
    keyboard.type("Sale")
    keyboard.press("Enter")
    expect(agent.calls.get_by_text("Sale", exact=True)).to_be_visible()
    keyboard.press("Control+Alt+e")
    expect(agent.calls).to_have_count(0)
    agent.is_in("READY")
    keyboard.press("Control+Alt+o")
    keyboard.type("1003")
    keyboard.press("Enter")
    agent.calls.first.wait_for()
    keyboard.press("Control+Alt+e")
    expect(agent.calls).to_have_count(0)
    keyboard.press("Control+Alt+n")
    keyboard.press("ArrowDown")
    keyboard.press("Enter")
    agent.is_in("NOT_READY")
    keyboard.press("Control+Alt+i")
    expect(agent.page.get_by_role("dialog")).to_be_visible()
    keyboard.press("Escape")
    keyboard.press("Control+Alt+f")
    expect(agent.page.get_by_role("dialog")).to_be_visible()
    keyboard.press("Escape")
    keyboard.press("Control+Alt+l")
    keyboard.press("Enter")
    expect(agent.button("signin.submit")).to_be_visible()


def test_altgr_types_characters_and_does_nothing_else(open_screen: Open) -> None:
    agent = open_screen().sign_in("1001")
    agent.page.get_by_label(agent.text("calls.number"), exact=True).focus()
    agent.page.evaluate(
        """() => {
          const press = { code: 'KeyR', key: '®', ctrlKey: true, altKey: true, bubbles: true, cancelable: true };
          const event = new KeyboardEvent('keydown', { ...press, modifierAltGraph: true });
          document.activeElement.dispatchEvent(event);
          document.body.dispatchEvent(new KeyboardEvent('keydown', { ...press, modifierAltGraph: true }));
        }"""
    )
    agent.page.keyboard.press("Control+Alt+o")
    agent.is_in("NOT_READY")
    states = agent.page.get_by_role("region", name=agent.text("calls.states")).get_by_role("listitem")
    expect(states).to_have_count(1)


def test_a_shortcut_can_be_changed_and_a_clash_is_shown(open_screen: Open) -> None:
    agent = open_screen().sign_in("1001")
    keyboard = agent.page.keyboard
    keyboard.press("Control+Alt+f")
    dialog = agent.page.get_by_role("dialog")
    dialog.get_by_role("button", name=f"{agent.text('keys.ready')}: Ctrl+Alt+R", exact=True).click()
    keyboard.press("Control+Alt+e")
    expect(dialog.get_by_text(agent.text("keys.conflict"))).to_have_count(2)
    dialog.get_by_role("button", name=f"{agent.text('keys.ready')}: Ctrl+Alt+E", exact=True).click()
    keyboard.press("Control+Alt+j")
    expect(dialog.get_by_text(agent.text("keys.conflict"))).to_have_count(0)
    keyboard.press("Escape")
    keyboard.press("Control+Alt+j")
    agent.is_in("READY")
