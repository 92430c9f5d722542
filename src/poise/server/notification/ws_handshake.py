"""The opening handshake of a WebSocket: who may come in, and what is agreed (RFC 6455 section 4.2, RFC 7395 section 3).

The checks are those of the `websockets` library; ours are the origins, and which refusal says what.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Sequence
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from websockets.datastructures import Headers
from websockets.exceptions import InvalidHeader, InvalidHeaderValue
from websockets.extensions.base import Extension
from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol
from websockets.utils import accept_key

SUBPROTOCOL: Final = Subprotocol("xmpp")
SILENT: Final = logging.Logger("websockets", logging.CRITICAL + 1)
"""For the library, whose news reach our own log by other ways; it belongs to no hierarchy and writes nothing."""


_MATTERS: Final = frozenset(
    (
        b"host", b"origin", b"upgrade", b"connection", b"sec-websocket-version", b"sec-websocket-protocol",
        b"sec-websocket-extensions", b"sec-websocket-key",
    )
)  # fmt: skip
"""Headers that decide about a handshake; others (cookies, user agents) are passed over."""
_KEY: Final = re.compile(rb"[A-Za-z0-9+/]{22}==")
"""16 bytes in base64: what a key must be."""
_KNOWN_MAX: Final = 256
"""Handshakes remembered, about 1 kB each: each kind of client sends one for each name it dials."""


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


class _Known(NamedTuple):
    """What is agreed with everybody who asks in these words."""

    lines: bytes
    """Of the response, without the two that differ each time."""
    extensions: Sequence[Extension]


class Handshake:
    """Answers requests for `/ws`. Equal requests are decided once: they differ in their keys only."""

    def __init__(self, names: Collection[str], origins: Collection[str], *, compression: bool) -> None:
        """`names`: host names of this server; pages from any of them may connect, whatever their port. `origins`:
        further origins, or `*`. `compression`: whether permessage-deflate is agreed to."""
        self._names = frozenset(name.lower() for name in names)
        self._origins = frozenset(origins)
        self._known: dict[tuple[tuple[bytes, bytes], ...], _Known] = {}
        # Nothing is kept from message to message: a context costs 300 kB for each session.
        self._extensions = (
            [ServerPerMessageDeflateFactory(server_no_context_takeover=True, client_no_context_takeover=True)]
            if compression
            else []
        )

    def answer(
        self, method: bytes, version: str, headers: Sequence[tuple[bytes, bytes]], date: bytes
    ) -> Accepted | Rejected:
        """Check one request; `headers` as they were sent. Missing Origin: no browser, may come in (WS04)."""
        told: list[tuple[bytes, bytes]] = []
        keys: list[bytes] = []
        for name, value in headers:
            lower = name.lower()
            if lower in _MATTERS:
                if lower == b"sec-websocket-key":
                    keys.append(value.strip())
                else:
                    told.append((lower, value.strip()))
        usual = method == b"GET" and version == "1.1" and len(keys) == 1 and _KEY.fullmatch(keys[0])
        words = tuple(told)
        known = self._known.get(words) if usual else None
        if known is None:
            decided = self._decide(method, version, told, keys)
            if isinstance(decided, Rejected):
                return decided
            known = decided
            if len(self._known) >= _KNOWN_MAX:
                self._known.clear()
            self._known[words] = known
        accept = accept_key(keys[0].decode("ascii")).encode("ascii")
        response = b"%bSec-WebSocket-Accept: %b\r\nDate: %b\r\n\r\n" % (known.lines, accept, date)
        return Accepted(response, [_fresh(extension) for extension in known.extensions])

    def _decide(
        self, method: bytes, version: str, told: Sequence[tuple[bytes, bytes]], keys: Sequence[bytes]
    ) -> _Known | Rejected:
        told = [*told, *((b"Sec-WebSocket-Key", key) for key in keys)]
        try:
            sent = Headers((name.decode("ascii"), value.decode("latin-1")) for name, value in told)
        except InvalidHeader as error:
            return Rejected(400, b"", f"{error.name} holds what no header may.\n".encode())
        origins = sent.get_all("Origin")
        if origins and not (len(origins) == 1 and self._allows(origins[0], sent)):
            return Rejected(403, b"", b"Pages of this origin may not connect (bosh.allowed_origins, server.names).\n")
        protocol = ServerProtocol(extensions=self._extensions, subprotocols=[SUBPROTOCOL], logger=SILENT)
        response = protocol.accept(Request("/ws", sent, method.decode("ascii"), f"HTTP/{version}"))
        if response.status_code != 101:
            return _rejected(response.status_code, bytes(response.body or b""), protocol.handshake_exc)
        del response.headers["Date"], response.headers["Sec-WebSocket-Accept"]
        lines = "".join(f"{name}: {value}\r\n" for name, value in response.headers.raw_items())
        return _Known(f"HTTP/1.1 101 Switching Protocols\r\n{lines}".encode("latin-1"), protocol.extensions)

    def _allows(self, origin: str, sent: Headers) -> bool:
        if origin in self._origins or "*" in self._origins:
            return True
        try:
            host = urlsplit(origin).hostname
            own = urlsplit(f"//{sent.get('Host', '')}").hostname
        except ValueError:
            return False
        return host is not None and (host == own or host in self._names)


def _fresh(extension: Extension) -> Extension:
    """The same agreement for another connection; while a message is under way, an extension holds a part of it."""
    assert isinstance(extension, PerMessageDeflate)
    return PerMessageDeflate(
        extension.remote_no_context_takeover,
        extension.local_no_context_takeover,
        extension.remote_max_window_bits,
        extension.local_max_window_bits,
        extension.compress_settings,
    )


def _rejected(status: int, body: bytes, why: Exception | None) -> Rejected:
    if status == 426:
        return Rejected(426, b"Upgrade: websocket\r\n", body)
    if status == 405:
        return Rejected(405, b"Allow: GET\r\n", body)
    if isinstance(why, InvalidHeader | InvalidHeaderValue) and why.name == "Sec-WebSocket-Version":
        return Rejected(426, b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n", body)
    return Rejected(status, b"", body)
