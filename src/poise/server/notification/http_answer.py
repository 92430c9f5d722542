"""Bytes of HTTP answers: heads built once, dates once a second, CORS by an exact allow-list.

No `Server` header, no chunked framing, `Cache-Control: no-store` on everything of `/http-bind` (xmpp.md A05, A14, A20).
"""

from __future__ import annotations

from collections.abc import Sequence
from email.utils import formatdate

from poise.server.clock import Clock

XML = "text/xml; charset=utf-8"
"""Content type of a BOSH session that asked for no other."""

KEEP, CLOSE, KEEP_1_0 = 0, 1, 2
"""What the answer says about its connection: nothing (HTTP/1.1 keeps it), `close`, or `keep-alive` to an HTTP/1.0
client that asked for it."""
_CONNECTION = (b"", b"Connection: close\r\n", b"Connection: keep-alive\r\n")

REASONS = {
    200: b"OK",
    202: b"Accepted",
    204: b"No Content",
    400: b"Bad Request",
    401: b"Unauthorized",
    403: b"Forbidden",
    404: b"Not Found",
    405: b"Method Not Allowed",
    408: b"Request Timeout",
    413: b"Content Too Large",
    416: b"Range Not Satisfiable",
    417: b"Expectation Failed",
    426: b"Upgrade Required",
    500: b"Internal Server Error",
    501: b"Not Implemented",
    503: b"Service Unavailable",
    505: b"HTTP Version Not Supported",
}
"""Reason phrases; exactly `OK` for 200, which tsung compares."""

LANDING = (
    b"<!DOCTYPE html><title>Notification service</title><p>This address speaks XMPP over BOSH (XEP-0124, XEP-0206): "
    b"clients send POST requests here. There is nothing to see with a browser.</p>\n"
)
ALLOW = b"POST, GET, HEAD, OPTIONS"
_ANY_ORIGIN = b"Access-Control-Allow-Origin: *\r\n"
_PREFLIGHT = (
    b"Access-Control-Allow-Methods: POST, GET, OPTIONS\r\n"
    b"Access-Control-Allow-Headers: Content-Type, Accept, Authorization, X-Requested-With\r\n"
    b"Access-Control-Max-Age: 7200\r\n"
)


class Dates:
    """The `Date` header, formatted once a second."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until = -1.0
        self._text = b""

    def at(self, now: float) -> bytes:
        """The value for monotonic `now`."""
        if now >= self._until:
            wall = self._clock.wall()
            self._text = formatdate(int(wall), usegmt=True).encode("ascii")
            self._until = now + 1.0 - wall % 1.0
        return self._text


class Heads(dict[str, bytes]):
    """Content type -> everything of a 200 answer before the length, for one origin and kind of connection.

    Content types come from the BOSH core's allow-list, so the dictionary stays small.
    """

    def __init__(self, cors: bytes, connection: int) -> None:
        super().__init__()
        self.cors = cors
        self._rest = b"\r\nCache-Control: no-store\r\n" + cors + _CONNECTION[connection] + b"Content-Length: "

    def __missing__(self, content_type: str) -> bytes:
        if "\r" in content_type or "\n" in content_type:
            raise ValueError("a content type cannot hold a line break")
        head = b"HTTP/1.1 200 OK\r\nContent-Type: " + content_type.encode("ascii") + self._rest
        self[content_type] = head
        return head


class Cors:
    """Which origins may read answers of `/http-bind`.

    Exact comparison with an allow-list; `*` in the list allows all. Credentials are never allowed: BOSH carries its
    own (A14, SEC20). An empty list sends no CORS header at all.
    """

    def __init__(self, allowed: Sequence[str] = ()) -> None:
        self._any = "*" in allowed
        self._allowed = frozenset(origin.encode("utf-8") for origin in allowed if "\r" not in origin)
        self._heads: dict[tuple[bytes | None, int], Heads] = {}

    def headers(self, origin: bytes | None) -> bytes:
        """Header lines for an answer to a request from `origin`."""
        if self._any:
            return _ANY_ORIGIN
        if not self._allowed:
            return b""
        if origin is not None and origin in self._allowed:
            return b"Access-Control-Allow-Origin: " + origin + b"\r\nVary: Origin\r\n"
        return b"Vary: Origin\r\n"

    def preflight(self, origin: bytes | None) -> bytes:
        """Header lines for the answer to OPTIONS."""
        headers = self.headers(origin)
        return headers + _PREFLIGHT if b"Allow-Origin" in headers else headers

    def heads(self, origin: bytes | None, connection: int) -> Heads:
        """Prepared heads; one set for each allowed origin and one for all others together."""
        if origin is not None and (self._any or origin not in self._allowed):
            origin = None
        heads = self._heads.get((origin, connection))
        if heads is None:
            heads = self._heads[origin, connection] = Heads(self.headers(origin), connection)
        return heads


Parts = tuple[int, bytes, bytes, bytes]
"""Status, body, content type and further header lines of an answer."""


def landing(cors: Cors, method: bytes, origin: bytes | None) -> Parts:
    """For whatever comes to `/http-bind` and is no POST."""
    if method in (b"GET", b"HEAD"):
        return 200, LANDING, b"text/html; charset=utf-8", cors.headers(origin)
    if method == b"OPTIONS":
        return 204, b"", b"", b"Allow: " + ALLOW + b"\r\n" + cors.preflight(origin)
    return 405, b"Use POST.\n", b"text/plain; charset=utf-8", b"Allow: " + ALLOW + b"\r\n" + cors.headers(origin)


def public(body: bytes, content_type: bytes, method: bytes) -> Parts:
    """For a document that pages of any origin may read."""
    if method in (b"GET", b"HEAD"):
        return 200, body, content_type, _ANY_ORIGIN
    return 405, b"Use GET.\n", b"text/plain; charset=utf-8", b"Allow: GET, HEAD\r\n" + _ANY_ORIGIN


def answer(
    status: int,
    body: bytes,
    *,
    date: bytes,
    content_type: bytes = b"text/plain; charset=utf-8",
    headers: bytes = b"",
    connection: int = KEEP,
    head_only: bool = False,
) -> bytes:
    """A whole answer that is not on the hot path. `headers` are complete lines; HEAD gets the length, not the body."""
    parts = [b"HTTP/1.1 %d %b\r\n" % (status, REASONS.get(status, b"Status"))]
    if body:
        parts.append(b"Content-Type: " + content_type + b"\r\n")
    parts.append(b"Cache-Control: no-store\r\n")
    parts.append(headers)
    parts.append(_CONNECTION[connection])
    if status != 204:
        parts.append(b"Content-Length: %d\r\n" % len(body))
    parts.append(b"Date: " + date + b"\r\n\r\n")
    if not head_only:
        parts.append(body)
    return b"".join(parts)
