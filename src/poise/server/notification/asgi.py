"""Serves one request through an ASGI 3 application, on a connection that may carry BOSH requests at the same time.

Request bodies are streamed with a bound; answers wait for their turn and for a client that reads slowly. Lifespan is
not handled here: the application is started and stopped by whoever made it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from poise.server.notification.exchange import Exchange
from poise.server.notification.http_answer import CLOSE, KEEP_1_0, REASONS, answer

if TYPE_CHECKING:
    from poise.server.notification.http import HttpConnection
    from poise.server.notification.http_reader import RequestReader

Message = MutableMapping[str, Any]
AsgiApp = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]

_OURS = frozenset((b"connection", b"transfer-encoding", b"server", b"date", b"keep-alive"))
"""Response headers that are the connection's business, not the application's."""
_BODILESS = frozenset((204, 304))


class AsgiError(RuntimeError):
    """The application broke the ASGI protocol."""


class AsgiExchange(Exchange):
    """A request that an application answers in a task of its own."""

    __slots__ = (
        "_app", "_body", "_chunked", "_gone", "_head", "_head_only", "_over", "_read_all", "_ready", "_scope", "_size",
        "_started", "_status", "_wake", "_wake_body", "request_complete",
    )  # fmt: skip

    def __init__(self, connection: HttpConnection, request: RequestReader, app: AsgiApp) -> None:
        super().__init__(connection, request.keep)
        self._app = app
        self._scope = _scope(connection, request)
        self._head_only = request.method == b"HEAD"
        self._body: list[bytes] = []
        self._size = 0
        self.request_complete = False
        """Whether the request body has arrived whole."""
        self._wake_body: asyncio.Future[None] | None = None
        self._wake: asyncio.Future[None] | None = None
        self._head: bytes | None = None  # start of the answer, until it is written with the first of the body
        self._status = 0
        self._started = False
        self._chunked = False
        self._over = False  # the answer is complete
        self._read_all = False  # the application has seen the end of the request body
        self._gone = False  # the client, or the connection's patience with it
        self._ready: bytes | None = None  # an answer in the application's stead, waiting for its turn

    def start(self) -> None:
        """Call the application."""
        assert self.connection is not None
        site = self.connection.site
        task = asyncio.get_running_loop().create_task(self._run(site.app_failed))
        site.tasks.add(task)
        task.add_done_callback(site.tasks.discard)

    async def _run(self, failed: Callable[[BaseException], None]) -> None:
        try:
            await self._app(self._scope, self._receive, self._send)
            if not self._over and not self._gone:
                raise AsgiError("the application returned without a complete answer")
        except Exception as error:  # noqa: BLE001 - whatever an application does, the listener lives
            if not self._gone:
                failed(error)
                self.abandon(500)

    # -- request body (BodySink) -----------------------------------------------------------------------------------

    def body(self, data: bytes) -> None:
        """A piece of the request body."""
        connection = self.connection
        if connection is None or self._over:
            return  # answered without reading the body: the rest is discarded
        self._body.append(data)
        self._size += len(data)
        if self._size > connection.site.limits.app_buffer_bytes:
            connection.pause_body()
        _wake(self._wake_body)

    def body_complete(self) -> None:
        """The request body is whole."""
        self.request_complete = True
        _wake(self._wake_body)

    async def _receive(self) -> Message:
        while True:
            connection = self.connection
            if connection is None or self._gone:
                return {"type": "http.disconnect"}
            if self._body or (self.request_complete and not self._read_all):
                data, self._body, self._size = b"".join(self._body), [], 0
                connection.resume_body()
                self._read_all = self.request_complete
                return {"type": "http.request", "body": data, "more_body": not self._read_all}
            self._wake_body = asyncio.get_running_loop().create_future()
            await self._wake_body

    # -- answer ----------------------------------------------------------------------------------------------------

    async def _send(self, message: Message) -> None:
        if self.connection is None or self._gone:
            raise OSError("the client has gone")
        if message["type"] == "http.response.start":
            if self._started:
                raise AsgiError("a second http.response.start")
            self._begin(message["status"], message.get("headers", ()))
            self._started = True
        elif message["type"] == "http.response.body":
            if not self._started or self._over:
                raise AsgiError("http.response.body out of place")
            await self._continue(message.get("body", b""), message.get("more_body", False))
        else:
            raise AsgiError(f"unknown message {message['type']}")

    def _begin(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Keep the head until it is known whether the body comes in one piece."""
        lines = [b"HTTP/1.1 %d %b\r\n" % (status, REASONS.get(status, b"Status"))]
        length = False
        for name, value in headers:
            lower = bytes(name).lower()
            if lower in _OURS:
                if lower == b"connection" and value.lower() == b"close":
                    self.keep = CLOSE
                continue
            if _LINE_BREAKS.intersection(name) or _LINE_BREAKS.intersection(value):
                raise AsgiError("line break in a response header")
            length = length or lower == b"content-length"
            lines.append(b"%b: %b\r\n" % (name, value))
        self._status = status
        self._chunked = not length and status not in _BODILESS
        self._head = b"".join(lines)

    async def _continue(self, body: bytes, more: bool) -> None:
        data = b""
        if self._head is not None:
            data = self._finished_head(len(body), more)
            self._head = None
        if not self._head_only and self._status not in _BODILESS:
            if self._chunked:
                data += b"%x\r\n%b\r\n" % (len(body), body) if body else b""
                data += b"" if more else b"0\r\n\r\n"
            else:
                data += body
        await self._write(data, more)

    def _finished_head(self, length: int, more: bool) -> bytes:
        assert self._head is not None
        assert self.connection is not None
        head = self._head
        if self._chunked:
            if not more:
                self._chunked = False
                head += b"Content-Length: %d\r\n" % length
            elif self._scope["http_version"] == "1.1":
                head += b"Transfer-Encoding: chunked\r\n"
            else:
                self._chunked = False
                self.keep = CLOSE
        if not self.request_complete:
            self.keep = CLOSE  # the rest of the request body would be read as the next request
        if self.keep == CLOSE:
            head += b"Connection: close\r\n"
        elif self.keep == KEEP_1_0:
            head += b"Connection: keep-alive\r\n"
        return head + b"Date: " + self.connection.site.date() + b"\r\n\r\n"

    async def _write(self, data: bytes, more: bool) -> None:
        """Write when it is this exchange's turn and the client reads."""
        while True:
            connection = self.connection
            if connection is None or self._gone:
                raise OSError("the client has gone")
            if connection.first is self and not connection.output_paused:
                break
            self._wake = asyncio.get_running_loop().create_future()
            await self._wake
        if more:
            if data:
                connection.write(data)
            return
        self._over = True
        connection.finish(self, data)
        self._forget_body(connection)

    def _forget_body(self, connection: HttpConnection) -> None:
        if self._body:
            self._body, self._size = [], 0
        connection.resume_body()

    # -- exchange --------------------------------------------------------------------------------------------------

    def turn(self) -> None:
        """All earlier answers have left."""
        connection = self.connection
        if connection is not None and self._ready is not None:
            connection.finish(self, self._ready)
        else:
            _wake(self._wake)

    def resumed(self) -> None:
        """The client reads again."""
        _wake(self._wake)

    def lost(self, connection: HttpConnection) -> None:
        """The client has gone: tell the application when it next looks."""
        self._gone = True
        _wake(self._wake)
        _wake(self._wake_body)

    def abandon(self, status: int) -> None:
        """End without the application: with `status` when nothing was written yet, else by breaking the connection."""
        connection = self.connection
        if connection is None or self._gone:
            return
        self.lost(connection)
        if self._started and self._head is None:
            connection.abort()
            return
        self.keep = CLOSE
        date = connection.site.date()
        self._ready = answer(status, b"", date=date, connection=CLOSE, head_only=self._head_only)
        if connection.first is self:
            connection.finish(self, self._ready)


_LINE_BREAKS = frozenset(b"\r\n\0")


def _wake(future: asyncio.Future[None] | None) -> None:
    if future is not None and not future.done():
        future.set_result(None)


def _scope(connection: HttpConnection, request: RequestReader) -> dict[str, Any]:
    target, _, query = request.url.partition(b"?")
    if not target.startswith(b"/"):
        target = _path_of_absolute(target)
    secure = connection.port.secure
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": request.version,
        "method": request.method.decode("ascii"),
        "scheme": "https" if secure else "http",
        "path": unquote(target.decode("ascii")),
        "raw_path": target,
        "query_string": query,
        "root_path": "",
        "headers": [(name.lower(), value.rstrip()) for name, value in request.headers],
        "client": connection.peer,
        "server": connection.local,
    }


def _path_of_absolute(target: bytes) -> bytes:
    """The path of `http://host/path`; `*` and other oddities stay as they are for the application to refuse."""
    scheme, separator, rest = target.partition(b"://")
    if not separator or not scheme.isalpha():
        return target
    _, slash, path = rest.partition(b"/")
    return slash + path or b"/"
