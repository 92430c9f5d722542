"""@xmpp/client, slixmpp and aioxmpp over TCP: connect, be present, list the nodes, hear of the agent, leave."""

from __future__ import annotations

import json
from typing import Any

from tests.clients_tcp.conftest import StartLibrary
from tests.e2e.process import Server

STATE = "data/user/state"


def trace(server: Server) -> list[dict[str, Any]]:
    """The structured trace."""
    lines = (server.data / "logs" / "poise" / "trace.jsonl").read_text("ascii").splitlines()
    return [json.loads(line) for line in lines]


def test_a_library_signs_in_lists_the_nodes_hears_of_its_agent_and_leaves(
    running_demo: Server, library: StartLibrary
) -> None:
    client = library("1001")
    online = client.wait_for("online")
    assert online["jid"] == "1001@localhost/tcp"
    kinds = {client.wait_for("nodes")["event"]} | {event["event"] for event in client.seen}
    if "presence" not in kinds:
        client.wait_for("presence")
    nodes = next(event["nodes"] for event in client.seen if event["event"] == "nodes")
    assert {"/finesse/api/User/1001", "/finesse/api/User/1001/Dialogs", "/finesse/api/SystemInfo"} <= set(nodes)

    rest = running_demo.rest("1001")
    assert rest.put("LOGIN", "sign-in", extension="1001").status == 202
    assert client.update("requestId", "sign-in").findtext(STATE) == "NOT_READY"
    assert client.seen[-1]["node"] == "/finesse/api/User/1001"
    assert rest.put("READY", "ready").status == 202
    assert client.update("requestId", "ready").findtext(STATE) == "READY"
    assert rest.put("NOT_READY", "break").status == 202
    client.update("requestId", "break")
    assert rest.put("LOGOUT", "out").status == 202
    client.update("requestId", "out")

    assert client.leave() == 0
    running_demo.written()
    ended = [line for line in trace(running_demo) if line["kind"] == "session_ended" and line["transport"] == "tcp"]
    assert (ended[-1]["jid"], ended[-1]["code"]) == ("1001@localhost/tcp", "client-left")


def test_a_wrong_password_is_told(library: StartLibrary) -> None:
    assert library("1002", "wrong").wait_for("refused")
