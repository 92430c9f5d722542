"""The simulated CTI server's TCP port: sockets and the clock around `LabServer`, nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import cast

from poise.lab.acd import AgentNow
from poise.lab.server import Drop, LabOutput, LabServer, LabSettings, Send, Session

DEFAULT_PORT = 42027
"""GED-188, side A of instance 0."""

MAX_CLIENTS = 100
"""Connections beyond these are closed at once."""

MAX_UNREAD_BYTES = 8_000_000
"""A client that lets so much pile up is dropped: it costs only itself."""

GOODBYE_S = 1.0
"""Seconds clients have to read the goodbye."""


class Connection(asyncio.Protocol):
    """One client's socket."""

    def __init__(self, shell: LabShell) -> None:
        self._shell = shell
        self.transport: asyncio.Transport | None = None
        self.session: Session | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client came."""
        self.transport = cast(asyncio.Transport, transport)
        if len(self._shell.connections) >= MAX_CLIENTS:
            self.transport.abort()
            return
        self.session = self._shell.server.connected(self._shell.now())
        self._shell.connections[self.session] = self
        self._shell.rearm()

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        if self.session is not None:
            self._shell.do(self._shell.server.feed(self.session, data, self._shell.now()))

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        if self.session is not None:
            self._shell.gone(self.session)

    def write(self, data: bytes) -> None:
        """Send, unless the client has stopped reading."""
        transport = self.transport
        if transport is None or transport.is_closing():
            return
        if transport.get_write_buffer_size() > MAX_UNREAD_BYTES:
            transport.abort()
            return
        transport.write(data)

    def close(self) -> None:
        """Close after everything was written."""
        if self.transport is not None:
            self.transport.close()


class LabShell:
    """A listening simulated CTI server. `server` may be used directly; what it returns goes to `do`."""

    def __init__(self, settings: LabSettings | None = None, epoch_s: float = 0.0) -> None:
        self._loop = asyncio.get_running_loop()
        self.now: Callable[[], float] = self._loop.time
        self.server = LabServer(settings, epoch_s - self.now() if epoch_s else 0.0)
        self.connections: dict[Session, Connection] = {}
        self._listener: asyncio.Server | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._all_gone: asyncio.Future[None] | None = None

    async def start(self, host: str = "127.0.0.1", port: int = DEFAULT_PORT) -> int:
        """Listen; the port taken (useful with port 0). Raises OSError when it cannot."""
        self._listener = await self._loop.create_server(lambda: Connection(self), host, port)
        return int(self._listener.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Stop listening and say goodbye to every client; those that do not listen are cut after GOODBYE_S."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        self.do(self.server.go_offline())
        for connection in list(self.connections.values()):
            connection.close()
        if self.connections:
            self._all_gone = self._loop.create_future()
            self._loop.call_later(GOODBYE_S, self.drop_links)
            await self._all_gone
        if self._timer is not None:
            self._timer.cancel()

    def gone(self, session: Session) -> None:
        """A connection ended."""
        self.server.disconnected(session)
        self.connections.pop(session, None)
        self.rearm()
        if self._all_gone is not None and not self.connections and not self._all_gone.done():
            self._all_gone.set_result(None)

    def do(self, outputs: Iterable[LabOutput]) -> None:
        """Carry out what the server gave."""
        for output in outputs:
            connection = self.connections.get(output.session)
            if connection is None:
                continue
            if isinstance(output, Send):
                connection.write(output.data)
            elif isinstance(output, Drop):
                connection.close()
        self.rearm()

    def publish(self, changes: Iterable[AgentNow]) -> None:
        """Tell every client about agents changed through `server.acd`."""
        self.do(self.server.publish(changes, self.now()))

    def drop_links(self) -> None:
        """Fault: cut every connection without a word."""
        for connection in list(self.connections.values()):
            if connection.transport is not None:
                connection.transport.abort()

    def rearm(self) -> None:
        """Set the one timer to the server's deadline."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self.server.deadline
        if deadline < float("inf"):
            self._timer = self._loop.call_at(deadline, lambda: self.do(self.server.due(self.now())))
