"""WebSockets to a server under test."""

from __future__ import annotations

import socket

from tests.conformance.targets import DOMAIN, Server, client_tls
from tests.support.websocket import PATIENCE_S, XmppSocket

PEERS_PATIENCE_S = 4.0
"""Seconds until a peer is taken to be silent."""


def dial(server: Server, *, tls: bool = False) -> XmppSocket:
    """A connection that has said nothing yet."""
    sock = socket.create_connection((server.host, server.tls_port if tls else server.port), timeout=PATIENCE_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client = XmppSocket(client_tls().wrap_socket(sock, server_hostname="localhost") if tls else sock, DOMAIN)
    if server.real_time:
        client.patience_s = PEERS_PATIENCE_S
    return client


def connect(server: Server, *, tls: bool = False, **headers: str | None) -> XmppSocket:
    """A WebSocket."""
    client = dial(server, tls=tls)
    answer = client.upgrade(server.ws_path, **headers)
    assert answer.status == 101, answer
    return client
