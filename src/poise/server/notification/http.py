"""The one HTTP listener of the product: an asyncio.Protocol for all four HTTP(S) ports, without a task per request.

`/http-bind` is answered inline by the BOSH service; everything else goes to an ASGI application on the same
connection. Requests are read and begun while earlier ones are unanswered (libpurple and gloox pipeline behind a held
poll); answers leave in request order. Deadlines are absolute and live on the one timer wheel; a client that does not
read, does not send or opens too much loses its own connection and nothing else.
"""

from __future__ import annotations

import asyncio
from math import inf
from typing import cast

from poise.server.notification.asgi import AsgiExchange
from poise.server.notification.exchange import BoshExchange, Exchange, ReadyExchange
from poise.server.notification.http_answer import CLOSE, KEEP, answer, landing, public
from poise.server.notification.http_reader import BETWEEN, HEADERS, BodySink, RequestReader, RequestRefusedError
from poise.server.notification.http_site import HttpPort, HttpSite

BOSH_PATHS = frozenset((b"/http-bind", b"/http-bind/"))
"""Both, without a redirect (A16): gloox posts to the second, Strophe users to either."""

WEBSOCKET_PATHS = frozenset((b"/ws", b"/ws/"))

_PIPELINED_MAX = 128
"""Unanswered requests of one connection, however many arrive in one packet: more than any client sends, and little
enough for one turn of the loop."""
_PAUSE_PIPELINE, _PAUSE_OUTPUT, _PAUSE_BODY = 1, 2, 4
"""Reasons not to read a connection; it is read again when none is left."""


class HttpConnection(asyncio.Protocol):
    """One client connection."""

    __slots__ = (
        "_closing", "_counted", "_deaf", "_last", "_linger", "_open", "_paused", "_reader", "_successor", "_transport",
        "address", "armed", "deadline", "first", "port", "site",
    )  # fmt: skip

    def __init__(self, site: HttpSite, port: HttpPort) -> None:
        self.site = site
        self.port = port
        self.address = ""
        self.first: Exchange | None = None
        """The exchange whose turn it is to write."""
        self.deadline = inf
        self.armed = inf
        self._transport: asyncio.Transport | None = None
        self._reader: RequestReader | None = None
        self._successor: asyncio.Protocol | None = None
        self._last: Exchange | None = None
        self._open = 0
        self._paused = 0
        self._closing = False
        self._deaf = False  # nothing more is read
        self._linger = False  # a refusal is on its way, and input may be under way
        self._counted = False

    # -- asyncio.Protocol ----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected (and finished its TLS handshake)."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's transports are no subclasses of asyncio's
        peer = transport.get_extra_info("peername")
        self.address = peer[0] if peer else ""
        self._counted = self.site.arrived(self)
        if not self._counted:
            self._closing = True
            self._transport.abort()
            return
        self._until(self.site.now() + self.site.times.header_s)

    def data_received(self, data: bytes) -> None:
        """Read requests; serve what is whole."""
        if self._closing or self._deaf:
            return
        reader = self._reader
        try:
            if reader is None:
                if self.port.bosh and self._serve_known(data):
                    return
                reader = self._reader = self.site.borrow(self)
            reader.feed(data)
        except RequestRefusedError as refused:
            self._refuse(refused.status)
            return
        except Exception as error:  # noqa: BLE001 - one connection's fault must not reach the loop or another connection
            self.site.app_failed(error)
            self.abort()
            return
        if self._successor is not None:
            self._hand_over(self._successor, reader.rest)
        elif reader.phase == BETWEEN:
            self._reader = None
            if reader.plain and self.port.bosh:
                self._learn(reader, data)
            self.site.give_back(reader)
            if self.first is not None and not self._closing:
                self.deadline = inf
        elif not self._closing and not self._paused & _PAUSE_OUTPUT:
            times = self.site.times
            self._until(reader.began + (times.header_s if reader.phase == HEADERS else times.body_s))

    def eof_received(self) -> bool:
        """The client has closed its sending side; it may still wait for an answer that is being made."""
        exchange = self.first
        if self._closing or self._reader is not None:
            return False
        while exchange is not None:
            if exchange.may_outlive_input:
                self._last_is_last()
                return not self.port.secure
            exchange = exchange.following
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Everything unanswered is lost."""
        self._closing = True
        self._transport = None
        self.deadline = inf
        if self._counted:
            self.site.left(self)
        self._drop_reader()
        exchange, self.first, self._last = self.first, None, None
        while exchange is not None:
            following, exchange.following = exchange.following, None
            exchange.connection = None
            exchange.lost(self)
            exchange = following

    def pause_writing(self) -> None:
        """The client does not read: take nothing more from it, and wait for so long."""
        self._pause(_PAUSE_OUTPUT)
        self._until(self.site.now() + self.site.times.slow_reader_s)

    def resume_writing(self) -> None:
        """The client reads again."""
        self._resume(_PAUSE_OUTPUT)
        if self._closing:
            return
        self._rest()
        if self.first is not None:
            self.first.resumed()

    @property
    def peer(self) -> tuple[str, int] | None:
        """The client's address and port."""
        return self._name("peername")

    @property
    def local(self) -> tuple[str, int] | None:
        """Our address and port."""
        return self._name("sockname")

    def _name(self, which: str) -> tuple[str, int] | None:
        name = self._transport.get_extra_info(which) if self._transport is not None else None
        return (name[0], name[1]) if name else None

    # -- deadlines -----------------------------------------------------------------------------------------------

    def due(self, now: float) -> None:
        """The wheel: this connection took too long over whatever it is doing."""
        self.deadline = inf
        transport = self._transport
        if transport is None:
            return
        if self._paused & _PAUSE_OUTPUT:
            self.site.counters.slow_readers += 1
            transport.abort()
        elif self._closing or transport.get_write_buffer_size():
            transport.abort()
        elif self._reader is not None:
            self.site.counters.late += 1
            self._refuse(408)
        else:
            self.close()

    def forgive(self, seconds: float, now: float) -> None:
        """The server itself did not run for so long."""
        self.deadline = max(self.deadline, min(self.deadline + seconds, now + self.site.times.body_s))

    def _until(self, deadline: float) -> None:
        self.deadline = deadline
        self.site.wheel.watch(self)

    def _rest(self) -> None:
        """Set the deadline for a connection that is not held up by its output."""
        reader, times = self._reader, self.site.times
        if reader is not None and reader.phase != BETWEEN:
            self._until(reader.began + (times.header_s if reader.phase == HEADERS else times.body_s))
        elif self.first is None:
            self._until(self.site.now() + times.keep_alive_s)
        else:
            self.deadline = inf

    # -- requests whose head is known byte for byte ------------------------------------------------------------------

    def _serve_known(self, data: bytes) -> bool:
        """Serve one whole POST to `/http-bind` whose head has been read before: a client's polls differ only in their
        bodies, and equal bytes mean equal requests. False when `data` is anything else."""
        end = data.find(b"\r\n\r\n") + 4
        known = self.site.known_heads.get(data[:end])
        if known is None or len(data) != end + known.content_length:
            return False
        exchange = BoshExchange(self, KEEP, known.heads)
        self._enqueue(exchange)
        self.deadline = inf
        self._to_bosh(data[end:], exchange)
        return True

    def _learn(self, request: RequestReader, data: bytes) -> None:
        """Remember the head of a request that came whole and alone."""
        if request.method == b"POST" and self._is_bosh(request.url):
            end = data.find(b"\r\n\r\n") + 4
            if len(data) == end + request.content_length:
                self.site.learn(data[:end], request.content_length, self.site.cors.heads(request.origin, KEEP))

    def _to_bosh(self, body: bytes, exchange: BoshExchange) -> None:
        site = self.site
        site.counters.bosh_requests += 1
        site.bosh.request(body, exchange, site.now())

    # -- requests (RequestSink) ------------------------------------------------------------------------------------

    def now(self) -> float:
        """Monotonic seconds."""
        return self.site.now()

    def head(self, request: RequestReader) -> tuple[int, BodySink | None]:
        """Decide where a request goes, before its body arrives."""
        if self._open >= _PIPELINED_MAX:
            raise RequestRefusedError(400, "too many unanswered requests")
        limits = self.site.limits
        if self._is_bosh(request.url) or self._is_inline(request.url):
            limit, exchange = limits.bosh_body_bytes, None
        else:
            limit = limits.app_body_bytes
            exchange = self._begin_app(request) if self.port.app is not None else None
        if request.content_length > limit:
            raise RequestRefusedError(413, "body too long")
        if exchange is not None:
            self._enqueue(exchange)
        if request.expects_continue and self._transport is not None and self.first in (None, exchange):
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if exchange is not None:
            exchange.start()
        return limit, exchange

    def complete(self, request: RequestReader) -> None:
        """A request is whole; those for the application have been begun already."""
        if self._closing:
            return
        site = self.site
        if self._is_bosh(request.url):
            method = request.method
            if method == b"POST":
                keep = request.keep
                exchange = BoshExchange(self, keep, site.cors.heads(request.origin, keep))
                self._enqueue(exchange)
                self._to_bosh(request.body, exchange)
            else:
                self._answer(request, *landing(site.cors, method, request.origin))
        elif self._is_inline(request.url):
            self._serve_inline(request)
        elif self.port.app is None:
            self._answer(request, 404, b"Nothing is served here.\n", b"text/plain; charset=utf-8", b"")

    def _is_bosh(self, url: bytes) -> bool:
        if not self.port.bosh:
            return False
        return url in BOSH_PATHS or (b"http-bind" in url and url.partition(b"?")[0] in BOSH_PATHS)

    def _is_inline(self, url: bytes) -> bool:
        """Whether a path is neither the application's nor BOSH's."""
        path = url.partition(b"?")[0]
        return path in self.site.pages or (self.port.websocket and path in WEBSOCKET_PATHS)

    def _serve_inline(self, request: RequestReader) -> None:
        page = self.site.pages.get(request.url.partition(b"?")[0])
        if page is None:
            assert self.site.websockets is not None
            self.site.websockets.upgrade(self, request)
        else:
            self._answer(request, *public(page.body, page.content_type, request.method))

    def refuse(self, request: RequestReader, status: int, body: bytes, headers: bytes = b"") -> None:
        """Answer a request with a reason for people; `headers` are whole lines."""
        self._answer(request, status, body, b"text/plain; charset=utf-8", headers)

    def become(self, request: RequestReader, successor: asyncio.Protocol, response: bytes) -> None:
        """Speak another protocol from the request's last byte on: `response` is written, and once what was read is
        worked off, `successor` gets the transport. It must call `connection_lost` of this connection in the end."""
        assert self.first is None, "earlier requests are unanswered"
        assert self._transport is not None
        request.upgraded = True
        self._transport.write(response)
        self._successor = successor

    def _hand_over(self, successor: asyncio.Protocol, rest: bytes) -> None:
        self._drop_reader()
        self._successor = None
        self.deadline = inf
        transport = self._transport
        assert transport is not None
        transport.set_protocol(successor)
        successor.connection_made(transport)
        if rest:
            successor.data_received(rest)

    def _drop_reader(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _begin_app(self, request: RequestReader) -> AsgiExchange:
        self.site.counters.app_requests += 1
        assert self.port.app is not None
        return AsgiExchange(self, request, self.port.app)

    def _answer(self, request: RequestReader, status: int, body: bytes, content_type: bytes, headers: bytes) -> None:
        keep = request.keep
        data = answer(
            status,
            body,
            date=self.site.date(),
            content_type=content_type,
            headers=headers,
            connection=keep,
            head_only=request.method == b"HEAD",
        )
        exchange = ReadyExchange(self, keep, data)
        self._enqueue(exchange)
        if self.first is exchange:
            exchange.turn()

    def _refuse(self, status: int) -> None:
        """Answer what is no proper request, after all earlier answers, and read nothing more."""
        self._drop_reader()
        if status != 408:
            self.site.counters.refused += 1
        if self._transport is None or self._closing:
            return
        self._deaf = self._linger = True
        self._pause(_PAUSE_BODY)
        data = answer(status, b"", date=self.site.date(), headers=self.site.cors.headers(None), connection=CLOSE)
        exchange = ReadyExchange(self, CLOSE, data)
        broken = self._last
        if isinstance(broken, AsgiExchange) and not broken.request_complete:
            broken.abandon(status)
            return
        self._enqueue(exchange)
        self.deadline = inf
        if self.first is exchange:
            exchange.turn()

    # -- answers in order ------------------------------------------------------------------------------------------

    def _enqueue(self, exchange: Exchange) -> None:
        last = self._last
        if last is None:
            self.first = exchange
        else:
            last.following = exchange
        self._last = exchange
        self._open += 1
        if self._open >= self.site.limits.pipelined:
            self._pause(_PAUSE_PIPELINE)

    def finish(self, exchange: Exchange, data: bytes) -> None:
        """Write the (last part of the) answer of the first exchange; the next one's turn."""
        assert exchange is self.first, "answers leave in request order"
        following = exchange.following
        self.first = following
        exchange.connection = exchange.following = None
        self._open -= 1
        transport = self._transport
        if transport is None:
            return
        if data:
            transport.write(data)
        if exchange.keep == CLOSE:
            self._close_after_answer()
            return
        if self._paused & _PAUSE_PIPELINE:
            self._resume(_PAUSE_PIPELINE)
        if following is not None:
            following.turn()
            return
        self._last = None
        if not self._paused & _PAUSE_OUTPUT and (self._reader is None or self._reader.phase == BETWEEN):
            self._until(self.site.now() + self.site.times.keep_alive_s)

    def write(self, data: bytes) -> None:
        """Write a part of the first exchange's answer."""
        if self._transport is not None:
            self._transport.write(data)

    @property
    def output_paused(self) -> bool:
        """Whether the client leaves our answers unread."""
        return bool(self._paused & _PAUSE_OUTPUT)

    def pause_body(self) -> None:
        """The application has enough of a request body for now."""
        self._pause(_PAUSE_BODY)

    def resume_body(self) -> None:
        """The application takes more."""
        self._resume(_PAUSE_BODY)

    def close(self) -> None:
        """Let written answers leave, then close. Unanswered exchanges are lost."""
        self._closing = True
        transport = self._transport
        if transport is not None and not transport.is_closing():
            transport.close()
            self._until(self.site.now() + self.site.times.slow_reader_s)

    def close_when_done(self) -> None:
        """The server stops: read nothing more, close after the answers under way."""
        self._deaf = True
        if self.first is None:
            self.close()
        else:
            self._last_is_last()

    def abort(self) -> None:
        """Close at once, mid-answer."""
        self._closing = True
        if self._transport is not None:
            self._transport.abort()

    def _last_is_last(self) -> None:
        """After the client's end of input nothing follows: the last answer closes the connection."""
        if self._last is not None:
            self._last.keep = CLOSE

    def _close_after_answer(self) -> None:
        """Close; after a refusal go on discarding input for a moment, so that no reset overtakes the answer."""
        transport = self._transport
        assert transport is not None
        if not self._linger or not transport.can_write_eof():
            self.close()
            return
        self._closing = True
        self._resume(_PAUSE_BODY | _PAUSE_PIPELINE | _PAUSE_OUTPUT)
        transport.write_eof()
        self._until(self.site.now() + self.site.times.linger_s)

    def _pause(self, reason: int) -> None:
        if not self._paused and self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()
        self._paused |= reason

    def _resume(self, reason: int) -> None:
        if not self._paused:
            return
        self._paused &= ~reason
        if not self._paused and self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()
