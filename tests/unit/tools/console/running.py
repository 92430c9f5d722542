"""A console without a screen, in a thread of its own, beside a real server."""

from __future__ import annotations

import asyncio
import json
import os
import queue
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

from poise.protocols.xmpp.client.outputs import Account, Terms
from poise.tools.console import lines
from poise.tools.console.address import read_address
from poise.tools.console.console import Settings
from poise.tools.trust import Trust
from tests.support.server import DOMAIN, Server

PATIENCE_S = 20.0
"""Seconds until something that should happen is given up."""
PATHS = {
    "starttls": ("xmpp", "xmpp"),
    "xmpps": ("xmpps", "xmpps"),
    "https": ("https", "https"),
    "wss": ("wss", "https"),
    "http": ("http", "http"),
    "ws": ("ws", "http"),
}
"""Way in -> scheme and port of the server."""


def settings(server: Server, way: str, user: str = "1001", password: str = "", **more: Any) -> Settings:
    """As whom and where to sign in, certificates not checked."""
    scheme, port = PATHS[way]
    address = read_address(f"{scheme}://{server.host}:{server.ports[port]}", DOMAIN)
    terms = Terms(secure=address.secure, plain_in_clear=way in ("http", "ws"), can_secure=scheme == "xmpp")
    return Settings(address, Account(user, DOMAIN, password or user, "test"), Trust(insecure=True), terms, **more)


def carried_out(where: Settings, *commands: str, style: lines.Style | None = None) -> tuple[int, list[dict[str, Any]]]:
    """Exit code and JSON lines of a run with these commands."""
    said: list[str] = []
    code = asyncio.run(lines.run(where, style or lines.Style(as_json=True), said.append, commands))
    return code, [json.loads(line) for line in said]


def told(where: Settings, *commands: str, style: lines.Style | None = None) -> tuple[int, str]:
    """Exit code and text of the same."""
    said: list[str] = []
    code = asyncio.run(lines.run(where, style or lines.Style(), said.append, commands))
    return code, "\n".join(said)


class Running:
    """A console that reads its commands from a pipe."""

    def __init__(self, where: Settings, *, wrappers: bool = False) -> None:
        self.events: list[dict[str, Any]] = []
        self.code: int | None = None
        self._queue: queue.Queue[dict[str, Any]] = queue.Queue()
        read, write = os.pipe()
        self._write = os.fdopen(write, "w")
        self._read = os.fdopen(read)
        style = lines.Style(as_json=True, wrappers=wrappers)

        def run() -> None:
            self.code = asyncio.run(lines.run(where, style, lambda line: self._queue.put(json.loads(line)), self._read))

        self._thread = threading.Thread(target=run, daemon=True)
        self._thread.start()

    def enter(self, line: str) -> None:
        """A line of input."""
        self._write.write(line + "\n")
        self._write.flush()

    def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The next event of that kind."""
        while True:
            event = self._queue.get(timeout=PATIENCE_S)
            self.events.append(event)
            if wanted(event):
                return event

    def event(self, name: str) -> dict[str, Any]:
        """The next of that name."""
        return self.until(lambda event: event.get("event") == name)

    def end(self) -> int | None:
        """The exit code, once its input has ended."""
        self._write.close()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive(), "the console did not leave"
        self._read.close()
        return self.code

    def __enter__(self) -> Running:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        if not self._write.closed:
            self.end()


def directions(events: Sequence[dict[str, Any]], name: str) -> list[str]:
    """Directions in which elements of that name went."""
    return [event["direction"] for event in events if event.get("name") == name]
