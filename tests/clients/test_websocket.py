"""Real clients over WebSocket and TLS: sign-in, a live Update, a connection cut and made again, a wrong password."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.clients.client import Client
from tests.clients.cutting import CuttingProxy
from tests.e2e.process import Server

CLIENTS = {
    "Strophe 1.2.16": "strophe-1-websocket.cjs",
    "Strophe 5": "strophe-5-websocket.mjs",
    "stanza 12": "stanza-websocket.mjs",
}
StartWebSocket = Callable[..., Client]


@pytest.fixture(params=list(CLIENTS.values()), ids=list(CLIENTS))
def start_websocket(
    request: pytest.FixtureRequest, packages: None, running_demo: Server, tmp_path: Path
) -> Iterator[StartWebSocket]:
    """Starts the client of this case; the resource is the extension, as in the published sample."""
    with ExitStack() as stack:

        def start(user: str, password: str = "", *, name: str = "notification", port: int = 0) -> Client:
            url = f"wss://localhost:{port or running_demo.facts['ports'][name]}/ws/"
            jid, ca = f"{user}@localhost/{user}", Path(running_demo.facts["ca"])
            return stack.enter_context(Client(request.param, url, jid, ca, tmp_path, password or user))

        yield start


@pytest.mark.parametrize("port", ["notification", "https"])
def test_a_real_client_sees_sign_in_and_ready_of_its_agent(
    running_demo: Server, start_websocket: StartWebSocket, port: str
) -> None:
    client = start_websocket("1001", name=port).signed_in()
    rest = running_demo.rest("1001")
    assert rest.put("LOGIN", "sign-in", extension="1001").status == 202
    assert client.update("requestId", "sign-in").findtext("data/user/state") == "NOT_READY"
    assert client.seen[-1]["node"] == "/finesse/api/User/1001"
    assert rest.put("READY", "ready").status == 202
    assert client.update("requestId", "ready").findtext("data/user/state") == "READY"
    assert rest.put("NOT_READY", "break").status == 202
    client.update("requestId", "break")
    assert rest.put("LOGOUT", "out").status == 202
    client.update("requestId", "out")
    assert client.leave() == 0


def test_a_client_whose_connection_is_cut_comes_back_and_hears_the_next_event_once(
    running_demo: Server, start_websocket: StartWebSocket, cutting: CuttingProxy
) -> None:
    client = start_websocket("1003", port=cutting.port).signed_in()
    rest = running_demo.rest("1003")
    assert rest.put("LOGIN", "before", extension="1003").status == 202
    client.update("requestId", "before")

    cutting.cut()
    client.wait_for(lambda event: event.get("name") in ("DISCONNECTED", "CONNECTED"))
    if client.seen[-1]["name"] == "DISCONNECTED":
        client.wait_for(lambda event: event.get("name") == "CONNECTED")
    client.wait_for(lambda event: event["event"] == "presence")

    assert rest.put("READY", "after").status == 202
    client.update("requestId", "after")
    assert rest.put("NOT_READY", "last").status == 202
    client.update("requestId", "last")
    assert [client.updates("requestId", name) for name in ("before", "after", "last")] == [1, 1, 1]
    assert rest.put("LOGOUT", "out").status == 202
    client.update("requestId", "out")
    assert client.leave() == 0


def test_a_wrong_password_is_told_and_ends_the_client(start_websocket: StartWebSocket) -> None:
    client = start_websocket("1002", "wrong")
    assert client.wait_for(lambda event: event.get("name") == "AUTHFAIL")
    assert client.ended() == 0
