"""One HTTP/1.1 connection over a raw socket.

No HTTP client library, because duplicates, half-closed sockets, pipelining and bad bytes are what the suite is about.
Every read has a time limit; a missing answer is an `AssertionError`, a server that cannot be reached is not.
"""

from __future__ import annotations

import select
import socket
import ssl
import struct
import time
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

ANSWER_S = 15.0
"""How long an answer that is due may take, on a machine that is busy with other things. Real seconds: only a broken
server ever uses them up."""

HTTPBIND = "http://jabber.org/protocol/httpbind"
Headers = Iterable[tuple[str, str]]


class NoAnswer(AssertionError):  # noqa: N818 - a verdict on the server, not an error of the suite
    """The server closed the connection, or kept silent, where an answer was due."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP response, as it came."""

    status_line: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    elapsed: float
    """Real seconds since the request had been written."""

    def header(self, name: str) -> str | None:
        """The first header of that name, in any case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def text(self) -> bytes:
        """The body after its Content-Encoding has been undone."""
        coding = (self.header("Content-Encoding") or "identity").lower()
        return zlib.decompress(self.body, 47) if coding in ("gzip", "deflate") else self.body

    @property
    def root(self) -> ET.Element:
        """The body as XML; not being XML at all is a failure."""
        try:
            return ET.fromstring(self.text)
        except ET.ParseError as error:
            raise AssertionError(f"{self.status_line}: body is no XML ({error}): {self.body[:200]!r}") from None

    @property
    def stanzas(self) -> list[ET.Element]:
        """The children of `<body/>`."""
        return list(self.root)

    @property
    def sid(self) -> str:
        """The session id a creation response gives."""
        sid = self.root.get("sid")
        assert sid, f"no session: {self.status_line} {self.body[:300]!r}"
        return sid


OPEN: list[Wire] = []
"""Connections of the running test; a fixture closes what the test left open."""


class Wire:
    """A connection to the server, opened at once."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        plain = socket.create_connection((host, port), timeout=ANSWER_S)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = plain if tls is None else tls.wrap_socket(plain, server_hostname="localhost")
        self._buffer = b""
        self._sent_at = time.monotonic()
        OPEN.append(self)

    def write(self, data: bytes) -> None:
        """Bytes as they are. A server that has hung up shows when the answer is read, not here."""
        self._sent_at = time.monotonic()
        try:
            self.socket.sendall(data)
        except OSError:
            pass

    def post(self, body: bytes, path: str, headers: Headers = ()) -> None:
        """Send one POST and return without waiting."""
        self.write(http_request("POST", path, body, headers))

    def reply(self, timeout: float = ANSWER_S, *, bodyless: bool = False) -> Reply:
        """Read one response, in the order of the requests. `bodyless` for the answer to HEAD."""
        deadline = time.monotonic() + timeout
        while b"\r\n\r\n" not in self._buffer:
            self._more(deadline, "in the headers")
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers = tuple((name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines[1:]))
        status = int(lines[0].split()[1])
        body = b"" if bodyless or status in (100, 204) else self._body({k.lower(): v for k, v in headers}, deadline)
        return Reply(lines[0], status, headers, body, time.monotonic() - self._sent_at)

    def _body(self, headers: dict[str, str], deadline: float) -> bytes:
        if "content-length" in headers:
            length = int(headers["content-length"])
            while len(self._buffer) < length:
                self._more(deadline, "in the body")
            body, self._buffer = self._buffer[:length], self._buffer[length:]
            return body
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return self._chunks(deadline)
        self.read_to_end(deadline - time.monotonic())
        body, self._buffer = self._buffer, b""
        return body

    def _chunks(self, deadline: float) -> bytes:
        body = b""
        while True:
            while b"\r\n" not in self._buffer:
                self._more(deadline, "in a chunk's size")
            size, _, self._buffer = self._buffer.partition(b"\r\n")
            wanted = int(size.split(b";")[0], 16) + 2
            while len(self._buffer) < wanted:
                self._more(deadline, "in a chunk")
            body += self._buffer[: wanted - 2]
            self._buffer = self._buffer[wanted:]
            if wanted == 2:
                return body

    def _more(self, deadline: float, where: str) -> None:
        self.socket.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            data = self.socket.recv(65536)
        except TimeoutError:
            raise NoAnswer(f"no answer within its time ({where}); so far {self._buffer[:80]!r}") from None
        except OSError as error:
            raise NoAnswer(f"connection broken {where}: {error}") from None
        if not data:
            raise NoAnswer(f"connection closed {where}; so far {self._buffer[:80]!r}")
        self._buffer += data

    def read_to_end(self, timeout: float = ANSWER_S) -> bytes:
        """Everything until the server closes the connection; silence is a failure."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                self._more(deadline, "before the end")
            except NoAnswer as why:
                if "closed" in str(why) or "reset" in str(why):
                    return self._buffer
                raise

    def silent(self, for_s: float) -> bool:
        """Whether nothing (no byte, no end) arrives within `for_s` real seconds."""
        if self._buffer:
            return False
        if isinstance(self.socket, ssl.SSLSocket) and self.socket.pending():
            return False
        return not select.select([self.socket], [], [], for_s)[0]

    def close(self) -> None:
        """Close in good order (FIN)."""
        self.socket.close()

    def kill(self) -> None:
        """Break the connection as a killed process or a lost network would (RST)."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


def http_request(method: str, path: str, body: bytes = b"", headers: Headers = (), version: str = "1.1") -> bytes:
    """The bytes of one request. `headers` replace the usual ones of that name; an empty value leaves one out."""
    usual = {"Host": "localhost", "Content-Type": "text/xml; charset=utf-8"}
    if body or method == "POST":
        usual["Content-Length"] = str(len(body))
    usual |= dict(headers)
    lines = [f"{method} {path} HTTP/{version}", *(f"{name}: {value}" for name, value in usual.items() if value)]
    return "\r\n".join([*lines, "", ""]).encode() + body
