"""Plays the conformance vectors against the Python client core; `web/tests` plays the same ones against the desktop's.

A vector is a list of steps, what the server or the user does, each with what the client must then do. `tree` is how an
element stands in JSON: `[name, namespace, attributes, children]`, text being a string.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from poise.protocols.xmpp.client.bosh import BoshClientStream
from poise.protocols.xmpp.client.outputs import Account, Ended, Frame, Kind, Output, Post, Ready, Terms, Write
from poise.protocols.xmpp.client.websocket import WebSocketClientStream
from poise.protocols.xmpp.xml import Element

HERE = Path(__file__).parent
Step = dict[str, Any]


def vectors(name: str) -> Any:
    """The vectors of a file."""
    return json.loads((HERE / name).read_text("utf-8"))


def tree(element: Element) -> list[Any]:
    """An element as it stands in the vectors."""
    children: list[Any] = [child if isinstance(child, str) else tree(child) for child in element.children]
    return [element.name, element.ns, dict(element.attrs), children]


def shown(outputs: list[Output]) -> list[Step]:
    """Outputs as they stand in the vectors; of what is told to onlookers only the server's stanzas."""
    told: list[Step] = []
    for output in outputs:
        match output:
            case Post(rid, data):
                told.append({"post": rid, "data": data.decode()})
            case Write(data):
                told.append({"write": data.decode()})
            case Ready(jid):
                told.append({"ready": jid})
            case Ended(failure, _):
                told.append({"ended": failure.value if failure is not None else ""})
            case Frame(False, Kind.STANZA, _, element) if element is not None:
                told.append({"stanza": tree(element)})
    return told


def play_bosh(account: Step, first_rid: int, steps: list[Step]) -> list[Step]:
    """The steps with what the client did after each."""
    stream = BoshClientStream(Account(**account), Terms(secure=True, mechanisms=("PLAIN",)), "nonce", first_rid)

    def done(step: Step) -> list[Output]:
        match step["do"]:
            case "open":
                return stream.open()
            case "answer":
                return stream.answered(step["rid"], step["status"], step["body"].encode())
            case "fail":
                return stream.failed(step["rid"])
            case "send":
                return stream.send(step["stanza"].encode())
        return stream.close()

    return [{**step, "expect": shown(done(step))} for step in steps]


def play_websocket(account: Step, steps: list[Step]) -> list[Step]:
    """The same over WebSocket."""
    stream = WebSocketClientStream(Account(**account), Terms(secure=True, mechanisms=("PLAIN",)), "nonce")

    def done(step: Step) -> list[Output]:
        match step["do"]:
            case "open":
                return stream.open()
            case "receive":
                return stream.receive(step["message"].encode())
            case "send":
                return stream.send(step["stanza"].encode())
            case "lost":
                return stream.lost()
        return stream.close()

    return [{**step, "expect": shown(done(step))} for step in steps]


def notification_of(message: Element) -> str:
    """The text of the one notification in a message."""
    event = message.child("event")
    items = event.child("items") if event is not None else None
    item = items.child("item") if items is not None else None
    notification = item.child("notification") if item is not None else None
    assert notification is not None
    return notification.text
