"""The console's screen, driven by textual's pilot beside a real server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import RichLog, Static

from poise.tools.console.address import read_address
from poise.tools.console.screen import CommandLine, ConsoleApp
from tests.support.server import DOMAIN, Server, start
from tests.unit.tools.console.running import PATIENCE_S, settings

NODES = ["/finesse/api/SystemInfo", "/finesse/api/User/1001"]
Story = Callable[[ConsoleApp, Pilot[None]], Awaitable[None]]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with start(tls=True) as running:
        for node in NODES:
            running.publish(node, b"<notification/>")
        yield running


def play(app: ConsoleApp, story: Story) -> None:
    async def run() -> None:
        async with app.run_test(size=(110, 40)) as pilot:
            await story(app, pilot)

    asyncio.run(run())


def text(app: ConsoleApp) -> str:
    """What the log shows, scrolled-away lines included."""
    return "\n".join(line.text for line in app.query_one("#log", RichLog).lines)


async def until(pilot: Pilot[None], seen: Callable[[], bool], what: str) -> None:
    """Let the application run until something is so."""
    deadline = time.monotonic() + PATIENCE_S
    while not seen():
        assert time.monotonic() < deadline, what
        await pilot.pause()


async def shows(app: ConsoleApp, pilot: Pilot[None], words: str) -> None:
    await until(pilot, lambda: words in text(app), f"{words!r} is not shown:\n{text(app)}")


async def enter(pilot: Pilot[None], line: str) -> None:
    """Type a line and send it."""
    pilot.app.query_one(CommandLine).value = line
    await pilot.press("enter")


def test_the_nodes_are_one_key_away_and_a_notification_comes_unfolded(server: Server) -> None:
    async def story(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await shows(app, pilot, f"Signed in as 1001@{DOMAIN}/test.")
        assert f"signed in as 1001@{DOMAIN}/test" in str(app.query_one("#head", Static).render())
        await pilot.press("f2")
        await shows(app, pilot, "nodes: 2 nodes.")
        assert f'node="{NODES[1]}"' in text(app)
        await enter(pilot, f"subscribe {NODES[1]}")
        await shows(app, pilot, f"subscribe {NODES[1]}: done.")
        payload = b"<notification>&lt;Update&gt;&lt;event&gt;PUT&lt;/event&gt;&lt;/Update&gt;</notification>"
        await asyncio.to_thread(server.publish, NODES[1], payload)
        await shows(app, pilot, "<event>PUT</event>")
        assert "▼ in" in text(app)
        assert "▲ out" in text(app)
        await pilot.press("f6")
        await shows(app, pilot, "&lt;Update&gt;")
        await pilot.press("f7")
        await pilot.press("ctrl+l")
        await until(pilot, lambda: text(app) == "", "the screen is not empty")
        await enter(pilot, f"unsubscribe {NODES[1]}")
        await shows(app, pilot, "done.")
        await pilot.press("ctrl+q")
        await until(pilot, lambda: not app.is_running, "it does not leave")
        assert app.trouble == ""

    play(ConsoleApp(settings(server, "https")), story)


def test_the_line_remembers_and_completes(server: Server) -> None:
    async def story(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await shows(app, pilot, "Signed in")
        line = app.query_one(CommandLine)
        await enter(pilot, "nodes")
        await shows(app, pilot, "nodes: 2 nodes.")
        await enter(pilot, "ping")
        await shows(app, pilot, "ping: done.")
        line.value = "unsent"
        seen = []
        for key in ("up", "up", "up", "down", "down"):
            await pilot.press(key)
            seen.append(line.value)
        assert seen == ["ping", "nodes", "nodes", "ping", "unsent"]
        line.value = ""
        await pilot.press(*"subscribe")
        await pilot.press("space", "/")
        await until(pilot, lambda: line._suggestion != "", "nothing is suggested")
        await pilot.press("tab")
        assert line.value == f"subscribe {NODES[0]}"

    play(ConsoleApp(settings(server, "wss")), story)


def test_what_cannot_be_sent_is_told_and_help_is_there(server: Server) -> None:
    async def story(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await shows(app, pilot, "Signed in")
        await enter(pilot, "nods")
        await shows(app, pilot, "'nods' is no command")
        await enter(pilot, "help")
        await shows(app, pilot, "subscribe NODE")
        await enter(pilot, "")
        await enter(pilot, "quit")
        await until(pilot, lambda: not app.is_running, "it does not leave")

    play(ConsoleApp(settings(server, "starttls")), story)


def test_a_connection_that_cannot_be_made_stays_on_the_screen_with_the_reason(server: Server) -> None:
    async def story(app: ConsoleApp, pilot: Pilot[None]) -> None:
        await shows(app, pilot, "no host of that name")
        assert "not connected" in str(app.query_one("#head", Static).render())
        await enter(pilot, "ping")
        await shows(app, pilot, "Not signed in.")
        await pilot.press("ctrl+q")

    app = ConsoleApp(replace(settings(server, "xmpps"), address=read_address("xmpps://nobody.invalid", DOMAIN)))
    play(app, story)
    assert "no host of that name" in app.trouble


def test_the_picture_of_the_how_to_is_a_console_that_hears_of_an_update() -> None:
    picture = Path(__file__).resolve().parents[4] / "docs" / "pictures" / "xmpp-console.svg"
    svg = picture.read_text(encoding="utf-8")
    for words in ("&lt;Update", "1001@localhost/console", "subscribe", "Nodes"):
        assert words in svg, "draw it anew with tools/console_picture.py"
    assert "font-face" not in svg  # it loads nothing
