"""Clients we did not write live through an agent's day: sign-in, nodes, Updates, a cut network, leaving."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.clients.conftest import StartClient
from tests.clients.cutting import CuttingProxy
from tests.clients.table import AIOXMPP, CLIENTS, Binding, ClientKind
from tests.e2e.process import Server

AGENTS = ("1001", "1002", "1003", "1004", "1005", "1006")
NODES = {
    "/finesse/api/SystemInfo",
    *(f"/finesse/api/User/{agent}{below}" for agent in AGENTS for below in ("", "/Dialogs")),
}
CUT_S = 10.0
"""Seconds until a client that was answered has asked again."""


def case(kind: ClientKind) -> Any:
    """The client as a case; aioxmpp has no release for a newer Python."""
    newer = pytest.mark.skipif(sys.version_info >= (3, 12), reason="aioxmpp runs on Python 3.11 only")
    return pytest.param(kind, id=kind.title, marks=[newer] if kind.name == AIOXMPP else [])


every_client = pytest.mark.parametrize("kind", [case(kind) for kind in CLIENTS])


@pytest.fixture(autouse=True)
def signed_out(running_demo: Server) -> Iterator[None]:
    """Every agent is signed out again, however the test went."""
    yield
    admin = running_demo.rest("admin")
    for user in AGENTS:
        state = admin.state_of(user)
        for request in {"LOGOUT": (), "READY": ("NOT_READY", "LOGOUT")}.get(state, ("LOGOUT",)):
            running_demo.rest(user).put(request)
        running_demo.until(lambda user=user: admin.state_of(user) == "LOGOUT")  # type: ignore[misc]


def endings(server: Server, jid: str) -> list[tuple[str, str]]:
    """How the sessions of this JID ended, by the structured trace: binding and ending."""
    server.written()
    lines = (server.data / "logs" / "poise" / "trace.jsonl").read_text("ascii").splitlines()
    events = [json.loads(line) for line in lines]
    return [
        (event["transport"], event["code"])
        for event in events
        if event["kind"] == "session_ended" and event["jid"] == jid
    ]


@every_client
def test_a_client_lists_the_nodes_hears_of_its_agent_survives_a_cut_and_leaves(
    kind: ClientKind,
    running_demo: Server,
    start_client: StartClient,
    network: Callable[[str], CuttingProxy],
) -> None:
    user = AGENTS[CLIENTS.index(kind) % len(AGENTS)]
    cutting = network(kind.binding.listener)
    resource = re.sub("[^a-z0-9.]+", "-", kind.title.lower())
    client = start_client(kind, user, port=cutting.port, resource=resource)
    assert set(client.signed_in()) >= NODES
    assert next(event["jid"] for event in client.seen if event["event"] == "online") == f"{user}@localhost/{resource}"

    rest = running_demo.rest(user)
    answer = rest.put("LOGIN", "sign-in", extension=user)
    assert (answer.status, answer.body, answer.header("requestId")) == (202, b"", "sign-in")
    update = client.update("sign-in")
    assert (update.findtext("data/user/state"), update.findtext("event")) == ("NOT_READY", "PUT")
    assert client.seen[-1]["node"] == update.findtext("source") == f"/finesse/api/User/{user}"

    if kind.binding is Binding.BOSH:
        cutting.wait_for_question(CUT_S)
        assert rest.state_of(user) == "NOT_READY"  # what was asked before this request has been read before it
    cutting.cut()
    if not kind.resumes:
        client.wait_for("lost")
        client.signed_in()
    assert rest.put("READY", "next").status == 202
    assert client.update("next").findtext("data/user/state") == "READY"
    assert rest.put("NOT_READY", "after").status == 202
    client.update("after")
    assert [client.updates(request_id) for request_id in ("sign-in", "next", "after")] == [1, 1, 1]
    assert client.saw("lost") is not kind.resumes

    assert rest.put("LOGOUT", "out").status == 202
    assert client.update("out").findtext("data/user/state") == "LOGOUT"
    assert client.leave() == 0
    transport = "tcp" if kind.binding.over_tcp else kind.binding.title.lower()
    assert endings(running_demo, f"{user}@localhost/{resource}")[-1] == (transport, "client-left")


def one_of_each() -> list[ClientKind]:
    """Every client once, over the first of its bindings."""
    return list({kind.name: kind for kind in reversed(CLIENTS)}.values())


@pytest.mark.parametrize("kind", [case(kind) for kind in one_of_each()])
def test_a_wrong_password_is_told_and_ends_the_client(kind: ClientKind, start_client: StartClient) -> None:
    user = AGENTS[one_of_each().index(kind) % len(AGENTS)]
    client = start_client(kind, user, "wrong")
    client.wait_for("refused")
    assert not client.saw("online")
    assert client.ended() == 0
