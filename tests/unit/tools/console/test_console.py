"""The console beside a real server, over every binding."""

from __future__ import annotations

import base64
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from poise.protocols.xmpp.client.outputs import Terms
from poise.server.notification.service import NotificationService
from poise.tools.console import lines
from poise.tools.console.address import Address, read_address
from poise.tools.trust import Trust
from tests.support.server import DOMAIN, Server, start
from tests.unit.tools.console.running import PATHS, PATIENCE_S, Running, carried_out, directions, settings, told

NODES = ["/finesse/api/SystemInfo", "/finesse/api/User/1001", "/finesse/api/User/1001/Dialogs"]
NODE = NODES[1]
PAYLOAD = (
    b'<notification xmlns="http://jabber.org/protocol/pubsub">'
    b"&lt;Update&gt;&lt;event&gt;PUT&lt;/event&gt;&lt;/Update&gt;</notification>"
)
WAYS = [pytest.param(way, id=way) for way in PATHS]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with start(tls=True, scram=True) as running:
        for node in NODES:
            running.do(partial(NotificationService.create_node, node=node))
        yield running


@pytest.mark.parametrize("way", WAYS)
def test_the_seeds_listing_gives_all_nodes(server: Server, way: str) -> None:
    code, events = carried_out(settings(server, way), "nodes")
    assert code == 0
    [answer] = [event for event in events if event.get("event") == "answered"]
    assert (answer["command"], answer["error"], sorted(answer["nodes"])) == ("nodes", "", sorted(NODES))
    assert events[-1]["event"] == "over"


@pytest.mark.parametrize("way", WAYS)
def test_a_notification_comes_while_the_console_stays(server: Server, way: str) -> None:
    with Running(settings(server, way)) as console:
        assert console.event("signed-in")["jid"] == f"1001@{DOMAIN}/test"
        console.enter(f"subscribe {NODE}")
        assert console.event("answered")["error"] == ""
        server.publish(NODE, PAYLOAD)
        update = console.until(lambda event: event.get("name") == "message")
        assert update["direction"] == "in"
        assert "&lt;Update&gt;" in update["raw"]
        assert "          <Update>\n            <event>PUT</event>" in update["decoded"]
        console.enter(f"unsubscribe {NODE}")
        assert console.event("answered")["error"] == ""
        console.enter("quit")
        assert console.event("over")["code"] == "left"
        assert console.end() == 0
    assert server.do(lambda service: [s for s in service.sessions() if s.jid == f"1001@{DOMAIN}/test"]) == []


@pytest.mark.parametrize("way", WAYS)
def test_every_stanza_is_told_once_in_each_direction(server: Server, way: str) -> None:
    code, events = carried_out(
        settings(server, way), "ping", "roster", "version", "<iq type='get' id='x'><nothing xmlns='urn:x'/></iq>"
    )
    assert code == 1  # the last one is refused
    assert sorted(directions(events, "iq")) == ["in"] * 5 + ["out"] * 5  # bind, and these
    errors = [event["error"] for event in events if event.get("event") == "answered"]
    assert errors[:3] == ["", "", ""]
    assert errors[3].startswith("service-unavailable")
    assert all(event["raw"] and event["time"].endswith("Z") for event in events if "direction" in event)


@pytest.mark.parametrize("way", WAYS)
def test_a_wrong_password_is_told_as_one(server: Server, way: str) -> None:
    code, text = told(settings(server, way, password="wrong"), "nodes")
    assert code == 1
    assert text.splitlines()[-1].endswith("The server does not accept this name and password (not-authorized).")


def until_a_request_is_held(server: Server) -> None:
    """The one that comes when all is said: a session that ends while no request is held cannot be told why."""
    deadline = time.monotonic() + PATIENCE_S
    while not server.do(lambda service: any(s.received and s.load.held for s in service.sessions())):
        assert time.monotonic() < deadline, "no request is held"


@pytest.mark.parametrize("way", WAYS)
def test_a_session_that_an_administrator_ends_says_so(server: Server, way: str) -> None:
    with Running(settings(server, way)) as console:
        console.event("signed-in")
        if way in ("http", "https"):
            until_a_request_is_held(server)
        assert server.do(lambda service: service.kill(f"1001@{DOMAIN}/test"))
        over = console.event("over")
        assert (over["code"], "policy-violation" in over["text"]) == ("stream-error", True)
        assert console.end() == 1


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-1", "SCRAM-SHA-256"])
def test_secrets_are_masked_unless_asked_for(server: Server, mechanism: str) -> None:
    where = settings(server, "https")
    where = replace(where, terms=replace(where.terms, mechanisms=(mechanism,)))
    secret = base64.b64encode(b"\x001001\x001001").decode()
    code, events = carried_out(where, "ping", style=lines.Style(as_json=True, wrappers=True))
    [auth] = [event for event in events if event.get("name") == "auth"]
    assert (code, auth["decoded"]) == (0, f'<auth xmlns="sasl" mechanism="{mechanism}">***</auth>')
    assert secret not in str(events)
    code, events = carried_out(replace(where, show_secrets=True), "ping")
    assert (secret in str(events)) == (mechanism == "PLAIN")
    [auth] = [event for event in events if event.get("name") == "auth"]
    assert "***" not in auth["raw"]


def test_the_bodies_of_bosh_are_shown_when_asked_for(server: Server) -> None:
    _, text = told(settings(server, "https"), "ping", style=lines.Style(wrappers=True))
    assert 'type="terminate"' in text
    _, text = told(settings(server, "https"), "ping", style=lines.Style(raw=True))
    assert "<body" not in text
    assert '>> <iq xmlns="jabber:client" type="get"' in text


def test_the_password_is_not_sent_in_the_clear_unless_allowed(server: Server) -> None:
    where = replace(settings(server, "http"), terms=Terms(secure=False, mechanisms=("PLAIN",)))
    code, text = told(where, "ping")
    assert code == 1
    assert "--plain-in-clear" in text
    assert "auth" not in text


def test_commands_without_presence_hear_no_notification(server: Server) -> None:
    code, events = carried_out(settings(server, "wss", presence=False), "ping")
    assert code == 0
    assert directions(events, "presence") == []


def test_a_wrong_command_ends_a_script_with_2(server: Server) -> None:
    code, text = told(settings(server, "wss"), "# a comment", "", "help", "ping", "nods", "roster")
    assert code == 2
    assert "no command" in text
    assert "subscribe NODE" in text  # the help
    assert "ping: done." in text
    assert "jabber:iq:roster" not in text
    code, events = carried_out(settings(server, "wss"), "nods")
    assert code == 2
    assert [event["command"] for event in events if event.get("event") == "wrong-command"] == ["nods"]


def refused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("scheme", ["xmpp", "xmpps", "http", "https", "ws", "wss"])
def test_a_port_where_nobody_listens_is_told(server: Server, scheme: str) -> None:
    where = replace(settings(server, "https"), address=read_address(f"{scheme}://127.0.0.1:{refused_port()}", DOMAIN))
    code, text = told(where, "ping")
    assert code == 1
    assert "nothing listens there" in text


@pytest.mark.parametrize("scheme", ["xmpp", "xmpps", "https", "wss"])
def test_a_host_that_does_not_exist_is_told(server: Server, scheme: str) -> None:
    where = replace(settings(server, "https"), address=read_address(f"{scheme}://nobody.invalid", DOMAIN))
    code, text = told(where, "ping")
    assert code == 1
    assert "no host of that name" in text


@pytest.mark.parametrize("way", ["starttls", "xmpps", "https", "wss"])
def test_a_certificate_that_is_not_trusted_is_told_with_the_remedy(server: Server, way: str) -> None:
    code, text = told(replace(settings(server, way), trust=Trust()), "ping")
    assert code == 1
    assert "--ca FILE" in text
    assert "--insecure" in text


def test_a_ca_file_that_is_none_is_told(server: Server) -> None:
    code, text = told(replace(settings(server, "wss"), trust=Trust(Path(__file__))), "ping")
    assert code == 1
    assert "CA file" in text


@pytest.mark.parametrize(
    ("way", "port", "path", "says"),
    [
        ("https", "https", "/nothing", "HTTP status 404"),
        ("wss", "https", "/nothing", "does not speak WebSocket for XMPP"),
        ("xmpps", "xmpp", "", "No TLS with"),
        ("https", "xmpp", "/http-bind", "No TLS with"),
        ("http", "xmpp", "/http-bind", "no HTTP"),
        ("starttls", "https", "", "closed without a word"),
        ("starttls", "http", "", "no XMPP"),
        ("ws", "xmpp", "/ws", "does not speak WebSocket"),
    ],
)
def test_a_wrong_port_or_path_is_told(server: Server, way: str, port: str, path: str, says: str) -> None:
    where = replace(settings(server, way), address=Address(PATHS[way][0], server.host, server.ports[port], path or ""))
    code, text = told(where, "ping")
    assert code == 1
    assert says in text


def test_a_held_request_goes_on_when_the_server_answers_it_empty(server: Server) -> None:
    with Running(settings(server, "http"), wrappers=True) as console:
        console.event("signed-in")
        console.until(lambda event: event.get("direction") == "out" and event["kind"] == "wrapper")
        server.settle()
        server.pass_time(30)
        console.until(lambda event: event.get("direction") == "in" and event["raw"].endswith("</body>"))
        console.enter("ping")
        assert console.event("answered")["error"] == ""
        console.enter("quit")
        assert console.end() == 0
