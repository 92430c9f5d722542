"""The opening handshake of a WebSocket: who may come in, and what is agreed (RFC 6455 section 4.2, RFC 7395 section 3).

The checks are those of the `websockets` library; ours are the origins, and which refusal says what.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from websockets.datastructures import Headers
from websockets.exceptions import InvalidHeader, InvalidHeaderValue
from websockets.extensions.base import Extension
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

SUBPROTOCOL: Final = Subprotocol("xmpp")
DEFLATE_LEVEL: Final = 1
"""zlib's fastest. Notifications shrink to a quarter at any level; higher ones cost twice the time for a tenth less."""
SILENT: Final = logging.Logger("websockets", logging.CRITICAL + 1)
"""For the library, whose news reach our own log by other ways; it belongs to no hierarchy and writes nothing."""


class Accepted(NamedTuple):
    """The connection is a WebSocket once `response` is sent."""

    response: bytes
    extensions: Sequence[Extension]


class Rejected(NamedTuple):
    """It is not; an ordinary answer."""

    status: int
    headers: bytes
    """Complete lines."""
    body: bytes


class Handshake:
    """Answers requests for `/ws`."""

    def __init__(self, names: Collection[str], origins: Collection[str], *, compression: bool) -> None:
        """`names`: host names of this server; pages from any of them may connect, whatever their port. `origins`:
        further origins, or `*`. `compression`: whether permessage-deflate is agreed to."""
        self._names = frozenset(name.lower() for name in names)
        self._origins = frozenset(origins)
        # Nothing is kept from message to message: a context costs 300 kB for each session.
        self._extensions = (
            [
                ServerPerMessageDeflateFactory(
                    server_no_context_takeover=True,
                    client_no_context_takeover=True,
                    compress_settings={"level": DEFLATE_LEVEL, "memLevel": 8},
                )
            ]
            if compression
            else []
        )

    def answer(
        self, method: bytes, target: bytes, version: str, headers: Sequence[tuple[bytes, bytes]], date: bytes
    ) -> Accepted | Rejected:
        """Check one request; `headers` as they were sent. Missing Origin: no browser, may come in (WS04)."""
        sent = Headers((name.decode("ascii"), value.decode("latin-1").strip()) for name, value in headers)
        origins = sent.get_all("Origin")
        if origins and not (len(origins) == 1 and self._allows(origins[0], sent)):
            return Rejected(403, b"", b"Pages of this origin may not connect (bosh.allowed_origins, server.names).\n")
        protocol = ServerProtocol(extensions=self._extensions, subprotocols=[SUBPROTOCOL], logger=SILENT)
        path = target.decode("latin-1")
        response = protocol.accept(Request(path, sent, method.decode("ascii"), f"HTTP/{version}"))
        if response.status_code == 101:
            del response.headers["Date"]  # the library's wall clock is not ours
            response.headers["Date"] = date.decode("ascii")
            return Accepted(response.serialize(), protocol.extensions)
        return _rejected(response.status_code, bytes(response.body or b""), protocol.handshake_exc)

    def _allows(self, origin: str, sent: Headers) -> bool:
        if origin in self._origins or "*" in self._origins:
            return True
        try:
            host = urlsplit(origin).hostname
            own = urlsplit(f"//{sent.get('Host', '')}").hostname
        except ValueError:
            return False
        return host is not None and (host == own or host in self._names)


def _rejected(status: int, body: bytes, why: Exception | None) -> Rejected:
    if status == 426:
        return Rejected(426, b"Upgrade: websocket\r\n", body)
    if status == 405:
        return Rejected(405, b"Allow: GET\r\n", body)
    if isinstance(why, InvalidHeader | InvalidHeaderValue) and why.name == "Sec-WebSocket-Version":
        return Rejected(426, b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n", body)
    return Rejected(status, b"", body)
