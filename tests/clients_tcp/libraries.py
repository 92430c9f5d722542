"""How each library is started, and a running one whose JSON lines say what it sees."""

from __future__ import annotations

import json
import signal
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.e2e.process import Process, Server

HERE = Path(__file__).parent
EVENT_S = 20.0
"""Seconds until an event is given up; the start of the interpreter is the slowest part."""
Event = dict[str, Any]
Command = Callable[[Server, Path, str, str], list[str]]


def _node(scheme: str, port: str) -> Command:
    def command(server: Server, _: Path, user: str, password: str) -> list[str]:
        service = f"{scheme}://localhost:{server.facts['ports'][port]}"
        return ["node", str(HERE / "xmppjs.cjs"), service, f"{user}@localhost/tcp", password]

    return command


def _python(script: str, mode: str) -> Command:
    def command(server: Server, python: Path, user: str, password: str) -> list[str]:
        port = server.facts["ports"]["xmpp_tls" if mode == "direct" else "xmpp"]
        where = ["localhost", str(port), mode, server.facts["ca"]]
        return [str(python), str(HERE / script), *where, f"{user}@localhost/tcp", password]

    return command


LIBRARIES: dict[str, Command] = {
    "@xmpp/client, STARTTLS": _node("xmpp", "xmpp"),
    "@xmpp/client, TLS": _node("xmpps", "xmpp_tls"),
    "slixmpp, STARTTLS": _python("slix.py", "starttls"),
    "slixmpp, TLS": _python("slix.py", "direct"),
    "slixmpp, in the clear": _python("slix.py", "plain"),
    "aioxmpp, STARTTLS": _python("aio.py", "starttls"),
    "aioxmpp, TLS": _python("aio.py", "direct"),
}


class LibraryClient(Process):
    """One running client."""

    def __init__(self, command: list[str], errors: Path, environment: dict[str, str]) -> None:
        self.seen: list[Event] = []
        super().__init__(command, errors, environment)

    def wait_for(self, kind: str, wanted: Callable[[Event], bool] = lambda _: True) -> Event:
        """The next event of that kind that fits; all that pass by are kept in `seen`."""
        deadline = time.monotonic() + EVENT_S
        while True:
            event: Event = json.loads(self.line(deadline - time.monotonic()))
            self.seen.append(event)
            if event["event"] == kind and wanted(event):
                return event

    def update(self, path: str, value: str) -> ET.Element:
        """The next Update whose element at `path` has this text."""
        found = self.wait_for("update", lambda event: ET.fromstring(event["text"]).findtext(path) == value)
        return ET.fromstring(found["text"])

    def leave(self) -> int:
        """Let it leave in good order; its exit code."""
        self.signal(signal.SIGTERM)
        return self.ended()
