"""A BOSH client over a blocking socket: enough to sign in and to see every byte of an answer."""

from __future__ import annotations

import base64
import socket
import ssl
from typing import NamedTuple

from tests.support.server import DOMAIN, Server

OPEN: list[socket.socket] = []
"""Sockets to be closed after the test."""
HTTPBIND = "http://jabber.org/protocol/httpbind"


class Answer(NamedTuple):
    """One HTTP answer."""

    status: int
    headers: dict[str, str]
    body: str


class Connection:
    """One keep-alive connection. Reading waits for bytes, with a limit."""

    def __init__(self, server: Server, *, tls: bool = False) -> None:
        raw = socket.create_connection((server.host, server.tls_port if tls else server.port), timeout=10)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else a poll waits for the delayed ACK of the last
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            raw = context.wrap_socket(raw)
        OPEN.append(raw)
        self.socket = raw
        self._buffer = b""

    def send(self, body: str, path: str = "/http-bind/") -> None:
        data = body.encode()
        head = f"POST {path} HTTP/1.1\r\nHost: {DOMAIN}\r\nContent-Length: {len(data)}\r\n\r\n"
        self.socket.sendall(head.encode() + data)

    def read(self) -> Answer:
        while b"\r\n\r\n" not in self._buffer:
            self._more()
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
        length = int(headers["content-length"])
        while len(self._buffer) < length:
            self._more()
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        return Answer(int(lines[0].split()[1]), headers, body.decode())

    def silent(self) -> bool:
        """Whether nothing has come; only meaningful after `Server.settle`."""
        self.socket.setblocking(False)
        try:
            self._more()
            return False
        except (BlockingIOError, ssl.SSLWantReadError):
            return not self._buffer
        finally:
            self.socket.settimeout(10)

    def closed(self) -> bool:
        """Wait for the end of the connection."""
        try:
            return self._buffer == b"" and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def close(self) -> None:
        self.socket.close()

    def _more(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            raise EOFError(f"closed after {self._buffer!r}")
        self._buffer += data


class BoshClient:
    """A session on one connection (with pipelining) that counts its request ids."""

    def __init__(self, server: Server, user: str = "1001", *, tls: bool = False, resource: str = "desktop") -> None:
        self.server = server
        self.connection = Connection(server, tls=tls)
        self.user = user
        self.resource = resource
        self.jid = f"{user}@{DOMAIN}/{resource}"
        self.rid = 1000
        self.sid = ""

    def ask(self, payload: str = "", attrs: str = "") -> Answer:
        """Send a request and read the next answer."""
        self.send(payload, attrs)
        return self.connection.read()

    def send(self, payload: str = "", attrs: str = "") -> None:
        self.rid += 1
        self.connection.send(self.body(self.rid, payload, attrs))

    def body(self, rid: int, payload: str = "", attrs: str = "") -> str:
        return f"<body xmlns='{HTTPBIND}' rid='{rid}' sid='{self.sid}'{attrs}>{payload}</body>"

    def create(self, attrs: str = "") -> Answer:
        self.connection.send(
            f"<body xmlns='{HTTPBIND}' to='{DOMAIN}' rid='{self.rid}' ver='1.9' wait='30' hold='1' xml:lang='en' "
            f"xmpp:version='1.0' xmlns:xmpp='urn:xmpp:xbosh'{attrs}/>"
        )
        answer = self.connection.read()
        self.sid = answer.body.partition(" sid='")[2].partition("'")[0]
        return answer

    def auth(self, password: str = "") -> Answer:
        secret = base64.b64encode(f"\0{self.user}\0{password or self.user}".encode()).decode()
        return self.ask(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{secret}</auth>")

    def bind(self) -> Answer:
        restart = f" to='{DOMAIN}' xmpp:restart='true' xmlns:xmpp='urn:xmpp:xbosh'"
        assert "urn:ietf:params:xml:ns:xmpp-bind" in self.ask(attrs=restart).body
        return self.ask(
            "<iq type='set' id='b' xmlns='jabber:client'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
            f"<resource>{self.resource}</resource></bind></iq>"
        )

    def sign_in(self) -> BoshClient:
        """Create, SASL PLAIN, restart, bind, presence: everything until a desktop has nothing to do but poll."""
        self.create()
        assert "<success" in self.auth().body
        assert self.jid in self.bind().body
        self.ask("<presence xmlns='jabber:client'/>")
        return self

    def settled(self) -> BoshClient:
        """Sign in and read everything that greets a desktop, until one poll is held and nothing more comes."""
        self.sign_in()
        while True:
            self.poll()
            self.server.settle()
            if self.connection.silent():
                return self
            self.connection.read()

    def poll(self) -> None:
        """An empty request, as the seed shows it."""
        self.rid += 1
        self.connection.send(f"<body xmlns='{HTTPBIND}' sid='{self.sid}' rid='{self.rid}'/>")


NOTIFICATION = b"<notification xmlns='http://jabber.org/protocol/pubsub'>&lt;Update/&gt;</notification>"
