"""A client we did not write, run by Node, whose JSON lines say what it sees."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.e2e.process import Process

HERE = Path(__file__).parent
CLIENTS = {"Strophe 1.2.16": "strophe-1.cjs", "Strophe 5": "strophe-5.mjs"}
EVENT_S = 15.0
"""Seconds until an event is given up; node's start is the slowest part."""
Event = dict[str, Any]


def install() -> None:
    """The pinned packages, unless they are there already."""
    lock, installed = HERE / "package-lock.json", HERE / "node_modules" / ".package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return
    npm = shutil.which("npm")
    assert npm is not None, "the client tests need Node 20 or newer with npm"
    command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True)
    assert done.returncode == 0, f"npm ci failed: {done.stderr}"
    os.utime(installed)


class Client(Process):
    """One running client."""

    def __init__(self, script: str, url: str, jid: str, ca: Path, folder: Path, *how: str) -> None:
        """`how` is the password, or `--attach`, sid and rid of the page before."""
        self.seen: list[Event] = []
        command = ["node", str(HERE / script), url, jid, *how]
        super().__init__(command, folder / "client.err", {"NODE_EXTRA_CA_CERTS": str(ca)})

    def wait_for(self, wanted: Callable[[Event], bool], timeout: float = EVENT_S) -> Event:
        """The next event that fits; all that pass by are kept in `seen`."""
        deadline = time.monotonic() + timeout
        while True:
            event: Event = json.loads(self.line(deadline - time.monotonic()))
            self.seen.append(event)
            if wanted(event):
                return event

    def signed_in(self) -> Client:
        """Wait until it is connected and its presence has come back."""
        self.wait_for(lambda event: event.get("name") == "CONNECTED")
        self.wait_for(lambda event: event["event"] == "presence")
        return self

    def update(self, path: str, value: str) -> ET.Element:
        """The next Update whose element at `path` has this text."""

        def fits(event: Event) -> bool:
            return event["event"] == "update" and ET.fromstring(event["text"]).findtext(path) == value

        return ET.fromstring(self.wait_for(fits)["text"])

    def updates(self, path: str, value: str) -> int:
        """How many such Updates it has seen so far."""
        documents = [ET.fromstring(event["text"]) for event in self.seen if event["event"] == "update"]
        return sum(document.findtext(path) == value for document in documents)

    def reload(self) -> tuple[str, str, str]:
        """Let the page go away in the middle of its requests; how its successor attaches."""
        self.signal(signal.SIGUSR2)
        kept = self.wait_for(lambda event: event["event"] == "reload")
        self.ended()
        return "--attach", str(kept["sid"]), str(kept["rid"])

    def leave(self) -> int:
        """Let it disconnect; its exit code."""
        self.signal(signal.SIGTERM)
        self.wait_for(lambda event: event.get("name") == "DISCONNECTED")
        return self.ended()
