"""Strophe, old and new, signs in over TLS on the notification port and holds what an agent's desktop must hold."""

from __future__ import annotations

from tests.clients.client import Client
from tests.clients.conftest import StartClient
from tests.clients.cutting import CuttingProxy
from tests.e2e.process import Server

STATE = "data/user/state"


def sign_out(server: Server, client: Client, user: str) -> None:
    """Leave as the next test wants to find the agent: signed out."""
    assert server.rest(user).put("LOGOUT", "out").status == 202
    client.update("requestId", "out")
    assert client.leave() == 0


def test_a_real_client_sees_sign_in_and_ready_of_its_agent(running_demo: Server, start_client: StartClient) -> None:
    client = start_client("1001").signed_in()
    rest = running_demo.rest("1001")

    answer = rest.put("LOGIN", "sign-in", extension="1001")
    assert (answer.status, answer.body, answer.header("requestId")) == (202, b"", "sign-in")
    update = client.update(STATE, "NOT_READY")
    assert update.findtext("requestId") == "sign-in"
    assert update.findtext("event") == "PUT"
    assert update.findtext("source") == "/finesse/api/User/1001"
    assert client.seen[-1]["node"] == "/finesse/api/User/1001"

    answer = rest.put("READY", "ready")
    assert (answer.status, answer.body) == (202, b"")
    assert client.update(STATE, "READY").findtext("requestId") == "ready"
    assert rest.state_of("1001") == "READY"

    assert rest.put("NOT_READY", "break").status == 202
    client.update("requestId", "break")
    sign_out(running_demo, client, "1001")


def test_ready_without_sign_in_is_accepted_and_then_refused_by_an_event(
    running_demo: Server, start_client: StartClient
) -> None:
    client = start_client("1002").signed_in()
    rest = running_demo.rest("1002")
    answer = rest.put("READY", "too early")
    assert (answer.status, answer.body) == (202, b"")
    update = client.update("requestId", "too early")
    assert update.findtext("data/apiErrors/apiError/errorData") == "257"
    assert update.findtext("data/apiErrors/apiError/errorType") == "Invalid State"
    assert rest.state_of("1002") == "LOGOUT"
    assert client.leave() == 0


def test_an_event_after_a_cut_connection_arrives_exactly_once(
    running_demo: Server, start_client: StartClient, cutting: CuttingProxy
) -> None:
    client = start_client("1003", port=cutting.port).signed_in()
    rest = running_demo.rest("1003")
    assert rest.put("LOGIN", "before", extension="1003").status == 202
    client.update("requestId", "before")

    cutting.cut()  # in the middle of the long poll
    assert rest.put("READY", "during").status == 202
    client.update("requestId", "during")
    assert rest.put("NOT_READY", "after").status == 202
    client.update("requestId", "after")

    for request_id in ("before", "during", "after"):
        assert client.updates("requestId", request_id) == 1
    assert not [event for event in client.seen if event.get("name") == "DISCONNECTED"]
    sign_out(running_demo, client, "1003")


def test_a_reloaded_page_goes_on_with_the_session_of_the_page_before(
    running_demo: Server, start_client: StartClient
) -> None:
    page = start_client("1005").signed_in()
    rest = running_demo.rest("1005")
    assert rest.put("LOGIN", "before", extension="1005").status == 202
    page.update("requestId", "before")
    session = page.reload()

    assert rest.put("READY", "meanwhile").status == 202
    reloaded = start_client("1005", *session)
    assert reloaded.update("requestId", "meanwhile").findtext(STATE) == "READY"
    assert rest.put("NOT_READY", "after").status == 202
    reloaded.update("requestId", "after")
    assert reloaded.updates("requestId", "before") == 0
    sign_out(running_demo, reloaded, "1005")


def test_two_clients_of_one_agent_both_hold_each_event(running_demo: Server, start_client: StartClient) -> None:
    clients = [start_client("1004", resource=name).signed_in() for name in ("desk", "phone")]
    assert running_demo.rest("1004").put("LOGIN", "both", extension="1004").status == 202
    for client in clients:
        assert client.update("requestId", "both").findtext(STATE) == "NOT_READY"
    assert clients[0].leave() == 0
    sign_out(running_demo, clients[1], "1004")


def test_a_wrong_password_is_told_and_ends_the_client(running_demo: Server, start_client: StartClient) -> None:
    client = start_client("1001", "wrong")
    assert client.wait_for(lambda event: event.get("name") == "AUTHFAIL")
    assert client.ended() == 0
