"""Clients we did not write live through an agent's day: sign-in, nodes, Updates, a cut network, leaving."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.clients.client import Client
from tests.clients.conftest import StartClient
from tests.clients.cutting import CuttingProxy
from tests.clients.table import AIOXMPP, CLIENTS, AfterCut, Binding, ClientKind
from tests.e2e.process import Server, demo
from tests.e2e.stage import read_log

AGENTS = ("1001", "1002", "1003", "1004", "1005", "1006")
NODES = {
    "/finesse/api/SystemInfo",
    *(f"/finesse/api/User/{agent}{below}" for agent in AGENTS for below in ("", "/Dialogs")),
}


def case(kind: ClientKind) -> Any:
    """The client as a case; aioxmpp has no release for a newer Python."""
    newer = pytest.mark.skipif(sys.version_info >= (3, 12), reason="aioxmpp runs on Python 3.11 only")
    return pytest.param(kind, id=kind.title, marks=[newer] if kind.name == AIOXMPP else [])


@pytest.fixture(scope="module")
def running_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The demo with its debug log, which tells when a request is held."""
    with demo(tmp_path_factory.mktemp("demo"), settings={"log.debug": "true"}) as server:
        yield server


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


def trace(server: Server, kind: str, jid: str) -> list[dict[str, Any]]:
    """The events of this kind about a JID, from the structured trace."""
    lines = (server.data / "logs" / "poise" / "trace.jsonl").read_text("ascii").splitlines()
    return [event for event in map(json.loads, lines) if event["kind"] == kind and event.get("jid") == jid]


def requests_held(server: Server, sid: str) -> int:
    """How many requests of a BOSH session wait for their answer, by the debug log; `sid` is the trace's."""
    held = 0
    for direction in re.findall(
        rf"HTTP (RECV|SENT)\(.*{re.escape(sid.lstrip('.'))}\):", read_log(server.data, "debug.log")
    ):
        held = held + 1 if direction == "RECV" else max(0, held - 1)  # the first answer's request named no sid yet
    return held


def survive_a_cut(kind: ClientKind, client: Client, server: Server, jid: str, cutting: CuttingProxy) -> None:
    """Break its connection, over BOSH in the middle of a long poll: it sees the next events all the same."""
    rest = server.rest(jid.partition("@")[0])
    if kind.binding is Binding.BOSH:
        server.written()
        sid = trace(server, "session_bound", jid)[-1]["sid"]
        server.until(lambda: requests_held(server, sid) > 0)
    cutting.cut()
    if kind.after_cut is AfterCut.COMES_BACK:
        client.wait_for("lost")
        client.signed_in()
    assert rest.put("READY", "next").status == 202
    assert client.update("next").findtext("data/user/state") == "READY"
    assert rest.put("NOT_READY", "after").status == 202
    client.update("after")
    assert client.saw("lost") is (kind.after_cut is AfterCut.COMES_BACK)


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
    jid = f"{user}@localhost/{resource}"
    client = start_client(kind, user, port=cutting.port, resource=resource)
    assert set(client.signed_in()) >= NODES
    assert next(event["jid"] for event in client.seen if event["event"] == "online") == jid

    rest = running_demo.rest(user)
    answer = rest.put("LOGIN", "sign-in", extension=user)
    assert (answer.status, answer.body, answer.header("requestId")) == (202, b"", "sign-in")
    update = client.update("sign-in")
    assert (update.findtext("data/user/state"), update.findtext("event")) == ("NOT_READY", "PUT")
    assert client.seen[-1]["node"] == update.findtext("source") == f"/finesse/api/User/{user}"

    if kind.after_cut is not AfterCut.WAITS:
        survive_a_cut(kind, client, running_demo, jid, cutting)

    assert rest.put("LOGOUT", "out").status == 202
    assert client.update("out").findtext("data/user/state") == "LOGOUT"
    assert client.leave() == 0
    expected = {"sign-in": 1, "out": 1} | ({} if kind.after_cut is AfterCut.WAITS else {"next": 1, "after": 1})
    assert {request_id: client.updates(request_id) for request_id in expected} == expected
    if kind.says_goodbye:
        running_demo.written()
        ended = trace(running_demo, "session_ended", jid)[-1]
        transport = "tcp" if kind.binding.over_tcp else kind.binding.title.lower()
        assert (ended["transport"], ended["code"]) == (transport, "client-left")


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
