"""Listening to live CTI sessions: as a proxy between a client and its CTI server, or as a client that only listens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import BinaryIO

from poise.protocols.cti.constants import Service
from poise.protocols.cti.conversation import Conversation, Said
from poise.protocols.cti.link import Link
from poise.protocols.cti.outputs import AttemptEnded, Close, Connect, LinkUp, Log, Output, SendBytes, Side
from poise.protocols.cti.settings import LinkSettings
from poise.protocols.cti.states import LinkState
from poise.tools.cti_pcap import Endpoint, PcapWriter
from poise.tools.cti_sources import Heard

READ_BYTES = 65_536
LISTENING = Service.CALL_DATA_UPDATE | Service.ALL_EVENTS | Service.UPDATE_EVENTS
"""Services a listener asks for: everything that is said, control of nothing."""

OnHeard = Callable[[Heard], None]
OnNews = Callable[[str], None]


def wall() -> float:
    """Seconds since the epoch."""
    return datetime.now(UTC).timestamp()


class Listener:
    """What is heard on one connection, told and written down. What it cannot read costs only the trace."""

    def __init__(
        self,
        number: int,
        client: Endpoint,
        server: Endpoint,
        on_heard: OnHeard,
        version: int | None = None,
        capture: BinaryIO | None = None,
    ) -> None:
        """`number`: of the connection, for the reader. `capture`: a pcap file that is begun."""
        self.number = number
        self._ends = client, server
        self._on_heard = on_heard
        self._conversation = Conversation(version)
        self._pcap = None if capture is None else PcapWriter(capture, client, server)
        if self._pcap is not None:
            self._pcap.opened(wall())

    def data(self, data: bytes, *, client: bool) -> None:
        """One side said something."""
        now = wall()
        if self._pcap is not None:
            self._pcap.data(now, data, client=client)
        self._tell(self._conversation.feed(data, client=client), now)

    def ended(self, *, client: bool) -> None:
        """One side closed."""
        now = wall()
        if self._pcap is not None:
            self._pcap.closed(now, client=client)
        self._tell(self._conversation.ended(client=client), now)

    def _tell(self, said: list[Said], now: float) -> None:
        for one in said:
            self._on_heard(Heard(now, self.number, *self._ends, one))


class Proxy:
    """A port before a CTI server: bytes pass unchanged, at once, and are told as messages."""

    def __init__(
        self,
        target: Endpoint,
        on_heard: OnHeard,
        on_news: OnNews,
        version: int | None = None,
        capture: BinaryIO | None = None,
    ) -> None:
        self._target = target
        self._on_heard = on_heard
        self._on_news = on_news
        self._version = version
        self._capture = capture
        self._count = 0
        self._server: asyncio.Server | None = None
        self._running: set[asyncio.Task[None]] = set()

    async def start(self, host: str, port: int) -> int:
        """Listen; gives the port. Raises OSError."""
        if self._capture is not None:
            PcapWriter.begin(self._capture)
        self._server = await asyncio.start_server(self._client, host, port)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Close everything."""
        if self._server is not None:
            self._server.close()
            for task in list(self._running):
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)
            await self._server.wait_closed()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        self._count += 1
        number = self._count
        client = Endpoint(*writer.get_extra_info("peername")[:2])
        self._on_news(f"#{number}: {client} connected")
        try:
            await self._serve(number, client, reader, writer)
        except asyncio.CancelledError:  # our own stop; asyncio would log what a connection's task raises
            pass
        finally:
            self._running.discard(task)
            writer.transport.abort()

    async def _serve(
        self, number: int, client: Endpoint, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            back, forth = await asyncio.open_connection(*self._target)
        except (OSError, UnicodeError) as error:
            self._on_news(f"#{number}: no connection to {self._target}: {error}")
            return
        listener = Listener(number, client, self._target, self._on_heard, self._version, self._capture)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(reader, forth, listener, client=True))
                both.create_task(self._pump(back, writer, listener, client=False))
        finally:
            forth.transport.abort()
            self._on_news(f"#{number}: {client} ended")

    async def _pump(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, listener: Listener, *, client: bool
    ) -> None:
        try:
            while data := await source.read(READ_BYTES):
                target.write(data)
                listener.data(data, client=client)
                await target.drain()
            target.write_eof()
        except OSError:  # one side broke off: so does the other
            target.transport.abort()
        listener.ended(client=client)


class Monitor:
    """A CTI client that asks for all events and for control of nothing, and tells what it and the server say."""

    def __init__(
        self,
        target: Endpoint,
        on_heard: OnHeard,
        on_news: OnNews,
        *,
        peripheral_id: int = 5000,
        versions: tuple[int, ...],
        capture: BinaryIO | None = None,
    ) -> None:
        """Raises CtiError when the settings cannot be written into OPEN_REQ."""
        side = Side("A", target.host, target.port)
        settings = LinkSettings(
            (side,),
            peripheral_id=peripheral_id,
            client_id="PoiseTrace",
            signature="PoiseTrace",
            versions=versions,
            services=LISTENING,
        )
        self.link = Link(settings)
        self._target = target
        self._on_heard = on_heard
        self._on_news = on_news
        self._capture = capture
        self._writer: asyncio.StreamWriter | None = None
        self._listener: Listener | None = None
        self._sessions = 0

    async def run(self) -> None:
        """Listen until cancelled; connect again when the link is lost."""
        loop = asyncio.get_running_loop()
        if self._capture is not None:
            PcapWriter.begin(self._capture)
        try:
            self._do(self.link.start(loop.time()))
            while True:
                if self.link.state is LinkState.CONNECTING:
                    reader = await self._connect()
                    if reader is not None:
                        await self._session(reader)
                else:
                    await self._wait(self.link.deadline)
                    self._do(self.link.due(loop.time()))
        finally:
            self._close()

    async def _connect(self) -> asyncio.StreamReader | None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(self.link.deadline):
                reader, self._writer = await asyncio.open_connection(*self._target)
        except TimeoutError:
            self._do(self.link.disconnected(loop.time(), "no answer to the connect"))
            return None
        except (OSError, UnicodeError) as error:
            self._do(self.link.disconnected(loop.time(), f"no connection: {error}"))
            return None
        own = Endpoint(*self._writer.get_extra_info("sockname")[:2])
        self._sessions += 1
        self._listener = Listener(self._sessions, own, self._target, self._on_heard, capture=self._capture)
        self._do(self.link.connected(loop.time()))
        return reader

    async def _session(self, reader: asyncio.StreamReader) -> None:
        loop = asyncio.get_running_loop()
        while self._writer is not None:
            try:
                async with asyncio.timeout_at(self.link.deadline):
                    data = await reader.read(READ_BYTES)
            except TimeoutError:
                self._do(self.link.due(loop.time()))
                continue
            except ConnectionError as error:
                self._do(self.link.disconnected(loop.time(), f"the connection broke: {error}"))
                break
            if not data:
                self._do(self.link.disconnected(loop.time(), "the CTI server closed the connection"))
                break
            if self._listener is not None:
                self._listener.data(data, client=False)
            self._do(self.link.feed(data, loop.time()))
        self._close()

    async def _wait(self, until: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout_at(until):
                await asyncio.get_running_loop().create_future()

    def _do(self, outputs: list[Output]) -> None:
        for output in outputs:
            match output:
                case SendBytes(data, _):
                    if self._writer is not None and self._listener is not None:
                        self._writer.write(data)
                        self._listener.data(data, client=True)
                case Close():
                    self._close()
                case LinkUp(_, version):
                    self._on_news(f"listening to {self._target}, protocol version {version}")
                case AttemptEnded(_, reason):
                    self._on_news(f"{self._target}: {reason}")
                case Log(text):
                    self._on_news(text)
                case Connect() | _:
                    pass

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()
            self._writer = None
