"""A client we did not write, in a process of its own, whose JSON lines say what it sees."""

from __future__ import annotations

import json
import signal
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.e2e.process import Process

EVENT_S = 20.0
"""Seconds until an event is given up; the start of an interpreter is the slowest part."""
Event = dict[str, Any]


class Client(Process):
    """One running client."""

    def __init__(self, command: list[str], ca: Path, folder: Path) -> None:
        self.seen: list[Event] = []
        environment = {"NODE_EXTRA_CA_CERTS": str(ca), "HOME": str(folder)}
        super().__init__(command, folder / "client.err", environment)

    def wait_for(self, *kinds: str, wanted: Callable[[Event], bool] = lambda _: True) -> Event:
        """The next event of these kinds that fits; all that pass by are kept in `seen`."""
        deadline = time.monotonic() + EVENT_S
        while True:
            event: Event = json.loads(self.line(deadline - time.monotonic()))
            self.seen.append(event)
            if event["event"] in kinds and wanted(event):
                return event

    def signed_in(self) -> list[str]:
        """Wait until it is connected, its presence has come back and it has listed the nodes: these."""
        self.wait_for("online")
        first = self.wait_for("presence", "nodes")
        second = self.wait_for({"presence": "nodes", "nodes": "presence"}[first["event"]])
        nodes: list[str] = first.get("nodes") or second["nodes"]
        return nodes

    def update(self, request_id: str) -> ET.Element:
        """The next Update with this requestId."""

        def fits(event: Event) -> bool:
            return ET.fromstring(event["text"]).findtext("requestId") == request_id

        return ET.fromstring(self.wait_for("update", wanted=fits)["text"])

    def updates(self, request_id: str) -> int:
        """How many such Updates it has seen so far."""
        documents = [ET.fromstring(event["text"]) for event in self.seen if event["event"] == "update"]
        return sum(document.findtext("requestId") == request_id for document in documents)

    def saw(self, kind: str) -> bool:
        """Whether such an event has come by."""
        return any(event["event"] == kind for event in self.seen)

    def reload(self) -> tuple[str, str, str]:
        """Let the page go away in the middle of its requests; how its successor attaches."""
        self.signal(signal.SIGUSR2)
        kept = self.wait_for("reload")
        self.ended()
        return "--attach", str(kept["sid"]), str(kept["rid"])

    def leave(self) -> int:
        """Let it leave in good order; its exit code."""
        self.signal(signal.SIGTERM)
        self.wait_for("offline")
        return self.ended()
