"""What all HTTP connections of the server share: settings, counters, spare readers, the count of each address."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from poise.server.clock import Clock
from poise.server.notification.asgi import AsgiApp
from poise.server.notification.exchange import BoshExchange
from poise.server.notification.http_answer import Cors, Dates, Heads
from poise.server.notification.http_reader import RequestReader
from poise.server.notification.timing import HttpLimits, HttpTimes
from poise.server.notification.wheel import Wheel

if TYPE_CHECKING:
    from poise.server.notification.http import HttpConnection

_SPARE_READERS = 64
"""Idle readers kept for the next request; each holds a parser of about 2 kB."""


_KNOWN_HEADS = 1024
"""Request heads remembered, about 400 bytes each. Each kind of client sends one or two per length of its bodies."""


class KnownHead(NamedTuple):
    """What a request head means that was read before, byte for byte: a POST to `/http-bind` on a kept connection."""

    content_length: int
    heads: Heads
    """For its answers."""


class WebSocketHandler(Protocol):
    """What answers requests for `/ws`. Does not raise."""

    def upgrade(self, connection: HttpConnection, request: RequestReader) -> None:
        """A whole request: refuse it by `connection.refuse`, or take the connection over by `connection.become`."""


class Page(NamedTuple):
    """A public document that is the same for everybody, any origin included."""

    body: bytes
    content_type: bytes


class BoshHandler(Protocol):
    """What answers POSTs to `/http-bind`. Neither method raises."""

    def request(self, body: bytes, exchange: BoshExchange, now: float) -> None:
        """A whole request body; answered now or later through `exchange`."""

    def lost(self, exchange: BoshExchange, now: float) -> None:
        """The connection of an unanswered exchange has gone."""


@dataclass(frozen=True, slots=True)
class HttpPort:
    """What one listening port serves."""

    name: str
    """For people: `https`, `notification`."""
    secure: bool
    """Whether it speaks TLS."""
    bosh: bool
    """Whether `/http-bind` is served."""
    app: AsgiApp | None
    """What serves everything else; None answers 404."""
    websocket: bool = False
    """Whether `/ws` is served."""


class HttpCounters:
    """What happened on all HTTP ports since the start; plain integers for `/metrics`."""

    __slots__ = ("accepted", "app_requests", "bosh_requests", "late", "refused", "slow_readers", "too_many")

    def __init__(self) -> None:
        self.accepted = 0
        """Connections."""
        self.bosh_requests = 0
        self.app_requests = 0
        self.refused = 0
        """Requests that were no proper HTTP, or too big."""
        self.late = 0
        """Connections closed because a request did not arrive in time."""
        self.slow_readers = 0
        """Connections aborted because the client did not read."""
        self.too_many = 0
        """Connections refused because their address had too many."""


class HttpSite:
    """What all connections share."""

    def __init__(
        self,
        clock: Clock,
        wheel: Wheel,
        bosh: BoshHandler,
        *,
        cors: Cors | None = None,
        limits: HttpLimits | None = None,
        times: HttpTimes | None = None,
        app_failed: Callable[[BaseException], None] | None = None,
    ) -> None:
        self.now = clock.now
        self.wheel = wheel
        self.bosh = bosh
        self.cors = cors or Cors()
        self.limits = limits or HttpLimits()
        self.times = times or HttpTimes()
        self.app_failed = app_failed or (lambda error: None)
        """Told of exceptions that left an application."""
        self.counters = HttpCounters()
        self.websockets: WebSocketHandler | None = None
        self.pages: dict[bytes, Page] = {}
        """Public documents by path."""
        self.connections: set[HttpConnection] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        """Application calls under way."""
        self.known_heads: dict[bytes, KnownHead] = {}
        self._dates = Dates(clock)
        self._readers: list[RequestReader] = []
        self._addresses: dict[str, int] = {}
        self._empty: asyncio.Future[None] | None = None

    def date(self) -> bytes:
        """Value of the Date header."""
        return self._dates.at(self.now())

    def borrow(self, connection: HttpConnection) -> RequestReader:
        """A reader for a connection that has bytes and none."""
        reader = self._readers.pop() if self._readers else RequestReader(self.limits)
        reader.sink = connection
        return reader

    def give_back(self, reader: RequestReader) -> None:
        """Take a reader that stands between two requests."""
        reader.sink = None
        if reader.reusable and len(self._readers) < _SPARE_READERS:
            self._readers.append(reader)
        else:
            reader.close()

    def learn(self, head: bytes, content_length: int, heads: Heads) -> None:
        """Remember a request head; all are forgotten when there are too many."""
        if len(self.known_heads) >= _KNOWN_HEADS:
            self.known_heads.clear()
        self.known_heads[head] = KnownHead(content_length, heads)

    def arrived(self, connection: HttpConnection) -> bool:
        """Count a connection; False when its address has too many."""
        count = self._addresses.get(connection.address, 0)
        if count >= self.limits.connections_per_address:
            self.counters.too_many += 1
            return False
        self._addresses[connection.address] = count + 1
        self.connections.add(connection)
        self.counters.accepted += 1
        return True

    def left(self, connection: HttpConnection) -> None:
        """Forget a counted connection."""
        self.connections.discard(connection)
        count = self._addresses[connection.address] - 1
        if count:
            self._addresses[connection.address] = count
        else:
            del self._addresses[connection.address]
        if not self.connections and self._empty is not None and not self._empty.done():
            self._empty.set_result(None)

    def when_empty(self, future: asyncio.Future[None]) -> None:
        """Complete `future` when the last connection has gone."""
        self._empty = future
        if not self.connections:
            future.set_result(None)
