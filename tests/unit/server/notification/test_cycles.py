"""What a session leaves behind: nothing that only the garbage collector could free.

docs/explanation/garbage-collection.md relies on it.
"""

from __future__ import annotations

import gc
import socket
from collections import Counter
from collections.abc import Callable

import pytest

from tests.support.server import DOMAIN, Server, start
from tests.support.websocket import FRAMING, XmppSocket
from tests.unit.server.notification.bosh_client import BoshClient
from tests.unit.server.notification.test_tcp import HEADER, Stream

SESSIONS = 5


def over_bosh(server: Server, tls: bool) -> None:
    client = BoshClient(server, tls=tls).sign_in()
    client.ask(attrs=" type='terminate'")
    client.connection.close()


def over_tcp(server: Server, tls: bool) -> None:
    stream = Stream(server, "1001").sign_in()
    stream.until("<presence")
    stream.send("</stream:stream>")
    stream.rest()
    stream.socket.close()


def broken_off(server: Server, tls: bool) -> None:
    stream = Stream(server, "1001")
    stream.send(HEADER + "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>")
    stream.until("</stream:features>")
    stream.socket.close()


def over_websocket(server: Server, tls: bool) -> None:
    client = XmppSocket(socket.create_connection((server.host, server.port), timeout=10), DOMAIN)
    client.upgrade()
    client.sign_in(presence=True)
    client.say("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>")
    client.until(f"{{{FRAMING}}}close")
    client.kill()


def half_a_request(server: Server, tls: bool) -> None:
    with socket.create_connection((server.host, server.port), timeout=10) as client:
        client.sendall(b"POST /http-bind/ HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n<body")
        server.settle()


def last_request_of_a_connection(server: Server, tls: bool) -> None:
    with socket.create_connection((server.host, server.port), timeout=10) as client:
        client.sendall(b"GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        while client.recv(65536):
            pass


def not_http(server: Server, tls: bool) -> None:
    with socket.create_connection((server.host, server.port), timeout=10) as client:
        client.sendall(b"\0\0\0\0\r\n\r\n")
        client.shutdown(socket.SHUT_WR)
        while client.recv(65536):
            pass


@pytest.mark.parametrize(
    ("visit", "tls"),
    [
        (over_bosh, False),
        (over_bosh, True),
        (over_tcp, False),
        (broken_off, False),
        (over_websocket, False),
        (half_a_request, False),
        (last_request_of_a_connection, False),
        (not_http, False),
    ],
)
def test_a_session_is_freed_without_the_garbage_collector(visit: Callable[[Server, bool], None], tls: bool) -> None:
    with start(tls=tls) as server:
        visit(server, tls)  # what is made once is made now
        server.settle()
        gc.collect()
        gc.disable()
        try:
            for _ in range(SESSIONS):
                visit(server, tls)
            server.settle()
            server.pass_time(120)  # the timer wheel forgets its entries
            gc.set_debug(gc.DEBUG_SAVEALL)
            gc.collect()
            gc.set_debug(0)
            ours = Counter(type(found).__name__ for found in gc.garbage if _ours(found))
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
            gc.enable()
    assert not ours


def _ours(found: object) -> bool:
    kind = type(found)
    return kind.__module__.startswith("poise.") or kind.__name__ in ("xmlparser", "HttpRequestParser")
