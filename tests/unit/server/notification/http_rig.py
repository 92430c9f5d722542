"""A real listener on a real socket with time moved by hand, for the tests of the HTTP layer."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any

from poise.server.clock import ManualClock
from poise.server.notification.asgi import AsgiApp
from poise.server.notification.exchange import BoshExchange
from poise.server.notification.http import HttpConnection
from poise.server.notification.http_answer import Cors
from poise.server.notification.http_site import HttpPort, HttpSite
from poise.server.notification.loop import run
from poise.server.notification.timing import HttpLimits
from poise.server.notification.wheel import Wheel

EMPTY = b"<body xmlns='http://jabber.org/protocol/httpbind'></body>"
PATIENCE_S = 10.0
"""Seconds until a test that waits for bytes gives up."""


def story(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run an async test on the product's event loop."""
    import functools

    @functools.wraps(test)
    def wrapper(*args: Any, **kwargs: Any) -> None:
        run(asyncio.wait_for(test(*args, **kwargs), 30))

    return wrapper


class ScriptedBosh:
    """Holds every request until the test answers it; a body `now:…` is answered at once with what follows."""

    def __init__(self) -> None:
        self.held: list[BoshExchange] = []
        self.bodies: list[bytes] = []
        self.gone: list[BoshExchange] = []
        self._arrival = asyncio.Event()

    def request(self, body: bytes, exchange: BoshExchange, now: float) -> None:
        self.bodies.append(body)
        self._arrival.set()
        if body.startswith(b"now:"):
            exchange.answer(body[4:])
        elif body == b"fault":
            raise RuntimeError("a fault of ours")
        elif body == b"drop":
            exchange.drop()
        else:
            self.held.append(exchange)

    def lost(self, exchange: BoshExchange, now: float) -> None:
        self.gone.append(exchange)
        self._arrival.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for requests or losses until `condition` holds."""
        while not condition():
            self._arrival.clear()
            await asyncio.wait_for(self._arrival.wait(), PATIENCE_S)


class Rig:
    """The listener with its clock."""

    def __init__(
        self,
        app: AsgiApp | None = None,
        *,
        cors: Cors | None = None,
        limits: HttpLimits | None = None,
        tls: tuple[ssl.SSLContext, ssl.SSLContext] | None = None,
    ) -> None:
        self.clock = ManualClock()
        self.wheel = Wheel(self.clock)
        self.bosh = ScriptedBosh()
        self.failures: list[BaseException] = []
        self.site = HttpSite(
            self.clock, self.wheel, self.bosh, cors=cors, limits=limits, app_failed=self.failures.append
        )
        self.port = HttpPort("test", secure=tls is not None, bosh=True, app=app)
        self._tls = tls
        self._clients: list[Client] = []

    async def __aenter__(self) -> Rig:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: HttpConnection(self.site, self.port), "127.0.0.1", 0, ssl=self._tls[0] if self._tls else None
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in self._clients:
            client.writer.transport.abort()
        self._server.close()
        for connection in list(self.site.connections):
            connection.abort()
        await self._server.wait_closed()
        for task in list(self.site.tasks):
            await asyncio.wait([task], timeout=PATIENCE_S)
        self.wheel.stop()

    async def client(self) -> Client:
        """A new connection."""
        host, port = self._server.sockets[0].getsockname()[:2]
        reader, writer = await asyncio.open_connection(host, port, ssl=self._tls[1] if self._tls else None)
        client = Client(reader, writer)
        self._clients.append(client)
        return client


class Answer:
    """One HTTP answer."""

    def __init__(self, status_line: bytes, headers: dict[str, str], body: bytes) -> None:
        self.status_line = status_line
        self.status = int(status_line.split()[1])
        self.headers = headers
        self.body = body


class Client:
    """Bytes out, answers in."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    def post(self, body: bytes, path: str = "/http-bind/", *headers: str) -> None:
        self.send(post(body, path, *headers))

    async def line(self) -> bytes:
        return await asyncio.wait_for(self.reader.readline(), PATIENCE_S)

    async def answer(self, *, head: bool = False) -> Answer:
        status_line = (await self.line()).rstrip(b"\r\n")
        assert status_line, "the connection was closed instead of an answer"
        headers: dict[str, str] = {}
        while line := (await self.line()).rstrip(b"\r\n"):
            name, _, value = line.decode().partition(": ")
            assert name.lower() not in headers, f"{name} twice"
            headers[name.lower()] = value
        body = b""
        if not head and "content-length" in headers:
            body = await asyncio.wait_for(self.reader.readexactly(int(headers["content-length"])), PATIENCE_S)
        elif not head and headers.get("transfer-encoding") == "chunked":
            body = await self._chunks()
        return Answer(status_line, headers, body)

    async def _chunks(self) -> bytes:
        body = b""
        while size := int(await self.line(), 16):
            body += (await asyncio.wait_for(self.reader.readexactly(size + 2), PATIENCE_S))[:-2]
        await self.line()
        return body

    async def rest(self) -> bytes:
        """Everything until the server closes."""
        try:
            return await asyncio.wait_for(self.reader.read(), PATIENCE_S)
        except ConnectionResetError:
            return b""


def post(body: bytes, path: str = "/http-bind/", *headers: str) -> bytes:
    """A POST as a browser sends it."""
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body
