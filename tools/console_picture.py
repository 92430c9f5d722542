"""Draws docs/pictures/xmpp-console.svg: the console beside a demo, listing nodes and hearing of a state change.

`python tools/console_picture.py`. Nothing is drawn by hand: the demo is started on free ports, the console signs in,
and textual's own export is written, without the fonts it would load from elsewhere.
"""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual.pilot import Pilot
from textual.widgets import RichLog

from poise.protocols.xmpp.client.outputs import Account, Terms
from poise.tools.console.address import read_address
from poise.tools.console.console import Settings
from poise.tools.console.screen import CommandLine, ConsoleApp
from poise.tools.trust import Trust

PICTURE = Path(__file__).resolve().parent.parent / "docs" / "pictures" / "xmpp-console.svg"
PORTS = ("https", "notification", "xmpp", "xmpp_tls", "insecure_http", "insecure_bosh")
PATIENCE_S = 30.0
NODE = "/finesse/api/User/1001"


async def until(pilot: Pilot[None], words: str) -> None:
    """Let the application run until the log shows something."""
    log = pilot.app.query_one("#log", RichLog)
    deadline = time.monotonic() + PATIENCE_S
    while not any(words in line.text for line in log.lines):
        if time.monotonic() > deadline:
            raise SystemExit(f"{words!r} was not shown")
        await pilot.pause()


async def enter(pilot: Pilot[None], line: str) -> None:
    """Type a line and send it."""
    pilot.app.query_one(CommandLine).value = line
    await pilot.press("enter")


async def draw(facts: dict[str, Any], sign_in: Callable[[], None]) -> str:
    """The picture, as SVG."""
    ports = facts["ports"]
    settings = Settings(
        read_address(f"https://localhost:{ports['notification']}", "localhost"),
        Account("1001", "localhost", "1001", "console"),
        Trust(Path(facts["ca"])),
        Terms(secure=True),
    )
    app = ConsoleApp(settings)
    async with app.run_test(size=(110, 60)) as pilot:
        await until(pilot, "Signed in")
        await enter(pilot, "nodes")
        await until(pilot, "nodes: ")
        await pilot.press("ctrl+l")
        await enter(pilot, f"subscribe {NODE}")
        await until(pilot, "done.")
        await asyncio.to_thread(sign_in)
        await until(pilot, "</Update>")
        line = app.query_one(CommandLine)
        line.value = "unsubscribe /finesse/api/U"
        line.cursor_position = len(line.value)
        await pilot.pause()
        svg = app.export_screenshot(title="poise console 1001@localhost --connect https://localhost:7443")
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    return svg.replace(f":{ports['notification']}", ":7443")


def main() -> None:
    """Start the demo, draw, write."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "poise.cli.main", "serve", "--demo", "--json", f"--data={folder}/data"]
        command += [f"--set=ports.{name}=0" for name in PORTS]
        with socket.create_server(("127.0.0.1", 0)) as probe:
            command += [f"--set=cti.side_a=127.0.0.1:{probe.getsockname()[1]}"]
        demo = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own program
        assert demo.stdout is not None
        try:
            facts = json.loads(demo.stdout.readline())
            PICTURE.write_text(asyncio.run(draw(facts, lambda: _sign_in(facts))), encoding="utf-8")
        finally:
            demo.terminate()
            demo.wait()
            demo.stdout.close()


def _sign_in(facts: dict[str, Any]) -> None:
    """The agent signs in by REST, so that there is something to hear of."""
    tls = ssl.create_default_context(cafile=facts["ca"])
    connection = http.client.HTTPSConnection("localhost", facts["ports"]["https"], context=tls, timeout=PATIENCE_S)
    token = base64.b64encode(b"1001:1001").decode()
    body = "<User><state>LOGIN</state><extension>1001</extension></User>"
    headers = {"Authorization": f"Basic {token}", "Content-Type": "application/xml"}
    connection.request("PUT", NODE, body, headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    if answer.status != 202:
        raise SystemExit(f"the agent could not sign in: HTTP status {answer.status}")


if __name__ == "__main__":
    main()
