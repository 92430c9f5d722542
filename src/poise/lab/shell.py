"""The simulated CTI server's TCP port: sockets and the clock around `LabServer`, nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import cast

from poise.lab import faults
from poise.lab.acd.agents import AgentNow
from poise.lab.acd.events import queue_number
from poise.lab.acd.outside import Caller
from poise.lab.control import ControlConnection
from poise.lab.hands import Hands
from poise.lab.player import Player
from poise.lab.robots import Robots
from poise.lab.scenario import Step
from poise.lab.server import Drop, LabOutput, LabServer, LabSettings, Send, Session
from poise.protocols.cti.constants import AgentState

DEFAULT_PORT = 42027
"""GED-188, side A of instance 0."""

MAX_CLIENTS = 100
"""Connections beyond these are closed at once."""

MAX_UNREAD_BYTES = 8_000_000
"""A client that lets so much pile up is dropped: it costs only itself."""

GOODBYE_S = 1.0
"""Seconds clients have to read the goodbye."""

BACKLOG_MAX = 200_000
"""Outputs kept during a freeze; a longer one ends with every connection cut."""


class Connection(asyncio.Protocol):
    """One client's socket."""

    def __init__(self, shell: LabShell, side: str = "A") -> None:
        self._shell = shell
        self._side = side
        self.transport: asyncio.Transport | None = None
        self.session: Session | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client came."""
        self.transport = cast(asyncio.Transport, transport)
        if len(self._shell.connections) >= MAX_CLIENTS:
            self.transport.abort()
            return
        self.session = self._shell.server.connected(self._shell.now(), self._side)
        self._shell.connections[self.session] = self
        if self._shell.frozen:
            self.transport.pause_reading()
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

    server: LabServer

    def __init__(self, settings: LabSettings | None = None, epoch_s: float = 0.0) -> None:
        self._loop = asyncio.get_running_loop()
        self.now: Callable[[], float] = self._loop.time
        self.server = LabServer(settings, epoch_s - self.now() if epoch_s else 0.0)
        self.connections: dict[Session, Connection] = {}
        self._listener: asyncio.Server | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._all_gone: asyncio.Future[None] | None = None
        self._others: list[asyncio.Server] = []  # side B, control port
        self._controls: set[ControlConnection] = set()
        self.has_side_b = False
        self.frozen = False
        """Fault: nothing is read, nothing written, and time stands still for the server's clients."""
        self._backlog: list[LabOutput] = []
        self._thaw: asyncio.TimerHandle | None = None
        self.seed = 188
        """Of robots."""
        self.report: Callable[[Step, str], None] = lambda step, problem: None
        """Told of every step of a scenario: "" when it was done, or why it was not."""
        self._player: Player | None = None

    async def start(self, host: str = "127.0.0.1", port: int = DEFAULT_PORT) -> int:
        """Listen; the port taken (useful with port 0). Raises OSError when it cannot."""
        self._listener = await self._loop.create_server(lambda: Connection(self), host, port)
        return int(self._listener.sockets[0].getsockname()[1])

    async def start_side_b(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen on a second port, whose clients are refused until the first side has failed over. Raises OSError."""
        server = await self._loop.create_server(lambda: Connection(self, "B"), host, port)
        self._others.append(server)
        self.has_side_b = True
        return int(server.sockets[0].getsockname()[1])

    async def start_control(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen for tools (`control.py`). Raises OSError."""
        server = await self._loop.create_server(lambda: ControlConnection(self, self._controls), host, port)
        self._others.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Stop listening and say goodbye to every client; those that do not listen are cut after GOODBYE_S."""
        self.thaw()
        for server in self._others:
            server.close()
        self._others.clear()
        for control in list(self._controls):
            if control.transport is not None:
                control.transport.close()
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
        """Carry out what the server gave; during a freeze, later."""
        if self.frozen:
            self._backlog += outputs
            return
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

    def freeze(self, seconds: float) -> None:
        """Fault: the server hangs for so many seconds; connections stay open."""
        self.frozen = True
        for connection in self.connections.values():
            if connection.transport is not None and not connection.transport.is_closing():
                connection.transport.pause_reading()
        if self._thaw is not None:
            self._thaw.cancel()
        self._thaw = self._loop.call_at(self._loop.time() + seconds, self.thaw)
        self.rearm()

    def thaw(self) -> None:
        """The freeze is over: what has piled up is done and sent."""
        if not self.frozen:
            return
        self.frozen = False
        if self._thaw is not None:
            self._thaw.cancel()
            self._thaw = None
        backlog, self._backlog = self._backlog, []
        if len(backlog) > BACKLOG_MAX:
            self.drop_links()
            return
        self.server.forgive(self.now())
        self.do(backlog)
        for connection in self.connections.values():
            if connection.transport is not None and not connection.transport.is_closing():
                connection.transport.resume_reading()

    def storm(self, seconds: float) -> None:
        """Fault: every READY agent gets a call that rings a second only, and so does every further call for a while."""
        now, hands = self.now(), Hands(self.server)
        self.server.centre.ring_no_answer_storm(seconds, now)
        free = list(self.server.acd.in_state(AgentState.AVAILABLE))
        for at, agent in enumerate(free):
            groups = self.server.settings.data.groups_of(agent.person)
            if groups:
                number = queue_number(groups[0])
                hands.call_in(Caller(f"555{at:05d}", number, patience_s=2 * seconds, talks_s=5), now)
        self.do(self.server.happened(now))

    def play(self, steps: tuple[Step, ...]) -> None:
        """Play a scenario from now on."""
        if self._player is None:
            robots = Robots(self.server, self.seed)

            def fault(name: str, numbers: tuple[float, ...], now: float) -> str:
                return faults.happen(self, name, numbers, now)

            self._player = Player(self.server, robots, fault, lambda step, problem: self.report(step, problem))
        self._player.play(steps, self.now())
        self.rearm()

    def rearm(self) -> None:
        """Set the one timer to the server's deadline."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self.server.deadline
        if self.frozen:
            return
        if deadline < float("inf"):
            self._timer = self._loop.call_at(deadline, lambda: self.do(self.server.due(self.now())))
