"""Reads HTTP requests from bytes: llhttp's strict parser, and the checks it leaves to us.

A reader is lent to a connection only while a request is partly read; an idle connection has none, so that an idle BOSH
session costs no parser. llhttp refuses Content-Length beside Transfer-Encoding, repeated or odd lengths, folded
headers, bare line feeds, spaces before colons and control characters. We add: `chunked` is the only transfer coding
and none in HTTP/1.0, exactly one Host, no HTTP/0.9, and bounds on everything (xmpp.md A19, SEC07, SEC18).
"""

from __future__ import annotations

from typing import Protocol

from httptools import HttpParserCallbackError, HttpParserError, HttpParserUpgrade, HttpRequestParser

from poise.server.notification.http_answer import CLOSE, KEEP, KEEP_1_0
from poise.server.notification.timing import HttpLimits

BETWEEN, HEADERS, BODY = 0, 1, 2
"""Phases of a reader: no request begun, in its headers, in its body."""


class RequestRefusedError(Exception):
    """The request cannot be served: answer with `status`, then close."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class BodySink(Protocol):
    """Takes a request body as it arrives."""

    def body(self, data: bytes) -> None:
        """A piece of it."""

    def body_complete(self) -> None:
        """That was all."""


class RequestSink(Protocol):
    """What a reader needs of its connection."""

    def now(self) -> float:
        """Monotonic seconds."""

    def head(self, request: RequestReader) -> tuple[int, BodySink | None]:
        """The head of a request is there. Returns the most body bytes to take and who takes them (None: collect)."""

    def complete(self, request: RequestReader) -> None:
        """The request is there, its body, when collected, in `request.body`."""


class RequestReader:
    """One request at a time, for whichever connection it is lent to."""

    def __init__(self, limits: HttpLimits) -> None:
        self._limits = limits
        self._parser = HttpRequestParser(self)
        self.sink: RequestSink | None = None
        """The connection it is lent to."""
        self.phase = BETWEEN
        self.began = 0.0
        """Monotonic seconds of the request's first byte."""
        self.reusable = True
        """False once the parser has seen an error or the last request of a connection."""
        self.upgraded = False
        """Set by the connection in `complete`: it speaks another protocol from here on."""
        self.rest = b""
        """What had arrived behind the head of an upgraded request."""
        self._raw = 0  # bytes of this request in packets after the one it began in
        self._packet = 0  # size of the packet being read
        self._limit = 0
        self._size = 0
        self._parts: list[bytes] | None = None
        self._to: BodySink | None = None
        self._again = False  # the head is read a second time, only for the parser's sake
        self.method = b""
        """Request method, upper case."""
        self.version = ""
        """`1.0` or `1.1`."""
        self.keep = CLOSE
        """KEEP, CLOSE or KEEP_1_0: what the client wants done with the connection."""
        self.url = b""
        """Request target as sent."""
        self.headers: list[tuple[bytes, bytes]] = []
        """Names and values as sent, trailing spaces included."""
        self.body = b""
        """The collected body."""
        self.origin: bytes | None = None
        """Value of the Origin header."""
        self.expects_continue = False
        """Whether the client waits for `100 Continue`."""
        self.content_length = 0
        """Declared length of the body; 0 when chunked or absent."""
        self._chunked = False

    def close(self) -> None:
        """Read nothing more. Reader and parser know each other: parted, they go at once, and not when the garbage
        collector finds them."""
        del self._parser

    @property
    def may_upgrade(self) -> bool:
        """Whether the last request asks for another protocol and has no body, so that the next byte may speak it."""
        return self._parser.should_upgrade() and not self._chunked and not self.content_length

    @property
    def plain(self) -> bool:
        """Whether the last request is told by its head and length alone, and another may follow."""
        return self.keep == KEEP and self.content_length > 0 and not self.expects_continue

    def feed(self, data: bytes) -> None:
        """Read bytes, tell the connection what they hold. Raises RequestRefusedError for what is no proper request."""
        self._packet = len(data)
        self._raw += len(data)
        rest = data
        while rest:
            rest = self._parse(rest)
        if self.phase == HEADERS:
            if self._raw > self._limits.header_bytes:
                self.reusable = False
                raise RequestRefusedError(400, "headers too long")
        elif self.phase == BODY and self._raw > self._limits.header_bytes + 8 * self._limit:
            self.reusable = False
            raise RequestRefusedError(413, "too much chunk framing")

    def _parse(self, data: bytes) -> bytes:
        """Let llhttp read; what it has not read because it takes it for another protocol."""
        try:
            self._parser.feed_data(data)
            return b""
        except HttpParserUpgrade as upgrade:
            return self._after_upgrade(data[upgrade.args[0] :])
        except HttpParserCallbackError as error:
            self.reusable = False
            raise error.__context__ or error from None  # what the callback raised
        except HttpParserError as error:
            self.reusable = False
            raise RequestRefusedError(400, str(error)) from None

    def _after_upgrade(self, rest: bytes) -> bytes:
        """Unless the connection took it up, no upgrade is made: the request is served as it stands, and what follows
        are requests.

        llhttp takes everything after an upgrade's head for another protocol, its body too (Java's HttpClient offers
        h2c on each POST in the clear). A fresh parser is told of the body by a head of our own making.
        """
        self._parser = HttpRequestParser(self)
        if self.upgraded:
            self.rest = rest
            self.reusable = False
            return b""
        if self.phase == BETWEEN:
            return rest
        self._again = True
        framing = b"Transfer-Encoding: chunked" if self._chunked else b"Content-Length: %d" % self.content_length
        return b"POST / HTTP/1.1\r\n" + framing + b"\r\n\r\n" + rest

    # -- llhttp's callbacks --------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """First byte of a request."""
        if self._again:
            return
        assert self.sink is not None
        self.phase = HEADERS
        self._raw = 0
        self.began = self.sink.now()
        self.url = b""
        self.headers = []

    def on_url(self, url: bytes) -> None:
        """A piece of the request target."""
        if not self._again:
            self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header line. Trailers of a chunked body come here too and are ignored."""
        if self.phase == HEADERS:
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Check the head and ask the connection what to do with the body."""
        if self._again:
            self._again = False
            return
        parser = self._parser
        self.phase = BODY
        self.method = parser.get_method()
        self.version = parser.get_http_version()
        self.keep = (KEEP if self.version == "1.1" else KEEP_1_0) if parser.should_keep_alive() else CLOSE
        self._check_head()
        assert self.sink is not None
        self._limit, self._to = self.sink.head(self)
        self._size = 0
        self._parts = None
        self.body = b""

    def _check_head(self) -> None:
        if len(self.headers) > self._limits.header_count:
            raise RequestRefusedError(400, "too many headers")
        most = self._limits.header_bytes
        if self._raw + self._packet > most and self._head_bytes() > most:
            raise RequestRefusedError(400, "headers too long")
        self.origin = None
        self.expects_continue = False
        self.content_length = 0
        self._chunked = False
        hosts = 0
        for name, value in self.headers:
            if len(name) not in _LENGTHS:
                continue
            kind = name.lower()
            if kind == b"host":
                hosts += 1
            elif kind == b"content-length":
                self.content_length = int(value)  # llhttp has checked its syntax
            elif kind == b"origin":
                self.origin = value.rstrip()
            elif kind == b"expect":
                self._check_expect(value)
            elif kind == b"transfer-encoding":
                self._check_coding(value)
        version = self.version
        if version not in ("1.1", "1.0"):
            raise RequestRefusedError(400, "HTTP version")
        if hosts != 1 and (hosts or version == "1.1"):
            raise RequestRefusedError(400, "one Host header is needed")

    def _check_expect(self, value: bytes) -> None:
        if value.strip().lower() != b"100-continue":
            raise RequestRefusedError(417, "unknown expectation")
        self.expects_continue = self.version == "1.1"

    def _check_coding(self, value: bytes) -> None:
        if value.strip().lower() != b"chunked" or self.version != "1.1":
            raise RequestRefusedError(400, "transfer coding other than chunked")
        self._chunked = True

    def _head_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        self._size += len(data)
        if self._size > self._limit:
            raise RequestRefusedError(413, "body too long")
        if self._to is not None:
            self._to.body(data)
        elif not self.body:
            self.body = data
        elif self._parts is None:
            self._parts = [self.body, data]
        else:
            self._parts.append(data)

    def on_message_complete(self) -> None:
        """The request is whole."""
        if (self._chunked or self.content_length) and self._parser.should_upgrade():
            return  # it is not: see _after_upgrade
        self.phase = BETWEEN
        if self._parts is not None:
            self.body = b"".join(self._parts)
            self._parts = None
        sink = self.sink
        assert sink is not None
        if self._to is not None:
            self._to.body_complete()
            self._to = None
        sink.complete(self)
        if self.keep == CLOSE:
            self.reusable = False


_LENGTHS = frozenset(map(len, ("host", "origin", "expect", "content-length", "transfer-encoding")))
"""Lengths of the header names that matter here; most others are told apart by that alone."""
