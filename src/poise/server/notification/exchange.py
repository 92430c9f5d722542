"""One HTTP request and its answer to be: what keeps answers of pipelined requests in order.

A connection keeps its unanswered exchanges as a linked list. Only the first may write; when it is done, the next gets
its turn and writes what it already has.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from poise.server.notification.http_answer import XML, Heads, answer

if TYPE_CHECKING:
    from poise.server.notification.http import HttpConnection


class Exchange(ABC):
    """A request in its place in the order of answers."""

    __slots__ = ("connection", "following", "keep")

    def __init__(self, connection: HttpConnection, keep: int) -> None:
        self.connection: HttpConnection | None = connection
        """None once the exchange is over, answered or not."""
        self.following: Exchange | None = None
        self.keep = keep
        """KEEP, CLOSE or KEEP_1_0 of `http_answer`."""

    @abstractmethod
    def turn(self) -> None:
        """All earlier answers have left; write what there is."""

    def lost(self, connection: HttpConnection) -> None:  # noqa: B027 - most have nothing to do
        """The connection went away before the answer was complete; `self.connection` is None already."""

    def resumed(self) -> None:  # noqa: B027 - likewise
        """The output buffer has room again; told to the first exchange only."""

    @property
    def may_outlive_input(self) -> bool:
        """Whether a client that has closed its sending side still gets this answer."""
        return True


class ReadyExchange(Exchange):
    """A request whose whole answer is known already: refusals, the landing page, preflights."""

    __slots__ = ("_data",)

    def __init__(self, connection: HttpConnection, keep: int, data: bytes) -> None:
        super().__init__(connection, keep)
        self._data = data

    def turn(self) -> None:
        """Write it and be done."""
        connection = self.connection
        if connection is not None:
            connection.finish(self, self._data)


class BoshExchange(Exchange):
    """A POST to `/http-bind`: the channel of the BOSH core, alive from request to answer or loss."""

    __slots__ = ("_heads", "_ready", "rid", "session")

    def __init__(self, connection: HttpConnection, keep: int, heads: Heads) -> None:
        super().__init__(connection, keep)
        self._heads = heads
        self._ready: bytes | None = None
        self.session: object = None
        """The BOSH service's own note: which session the request belongs to."""
        self.rid = 0
        """The BOSH service's own note: its request id."""

    def answer(self, body: bytes, content_type: str = XML, status: int = 200) -> None:
        """Answer with a `<body/>`. At most once; does nothing when the connection has gone."""
        connection = self.connection
        if connection is None:
            return
        date = connection.site.date()
        if status == 200:
            data = b"%b%d\r\nDate: %b\r\n\r\n%b" % (self._heads[content_type], len(body), date, body)
        else:
            data = answer(
                status,
                body,
                date=date,
                content_type=content_type.encode("ascii"),
                headers=self._heads.cors,
                connection=self.keep,
            )
        if connection.first is self:
            connection.finish(self, data)
        else:
            self._ready = data

    def drop(self) -> None:
        """Close the connection without an answer (A21)."""
        connection = self.connection
        if connection is not None:
            connection.close()

    def turn(self) -> None:
        """Write the answer if it came while earlier ones were missing."""
        connection = self.connection
        if connection is not None and self._ready is not None:
            connection.finish(self, self._ready)

    def lost(self, connection: HttpConnection) -> None:
        """Tell the service, unless it has answered already."""
        if self._ready is None:
            connection.site.bosh.lost(self, connection.site.now())

    @property
    def answered(self) -> bool:
        """Whether an answer was given, sent already or waiting for its turn."""
        return self.connection is None or self._ready is not None

    @property
    def may_outlive_input(self) -> bool:
        """A held request whose client has closed is over: its answer is kept by the session for retransmission."""
        return self._ready is not None

    @property
    def secure(self) -> bool:
        """Whether the request came over TLS."""
        return self.connection is not None and self.connection.port.secure

    @property
    def address(self) -> str:
        """The client's IP address; empty once the connection has gone."""
        return self.connection.address if self.connection is not None else ""
