"""The sockets under a client's stream: TCP with TLS, WebSocket, and HTTP for BOSH. Each carries out the stream's
outputs and tells the rest of them on.

A carrier is used on one event loop: `await run(on_output)` until the stream has ended; meanwhile `send` and `close`.
"""

from __future__ import annotations

import asyncio
import secrets
import ssl
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final, Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

from poise.protocols.xmpp.client.bosh import CONTENT_TYPE, WAIT_S, BoshClientStream
from poise.protocols.xmpp.client.outputs import Account, Ended, Output, Post, Secure, Terms, Write
from poise.protocols.xmpp.client.stream import SERVER_LIMITS, ClientStream
from poise.protocols.xmpp.client.tcp import TcpClientStream
from poise.protocols.xmpp.client.websocket import SUBPROTOCOL, WebSocketClientStream
from poise.tools.console.address import Address
from poise.tools.console.http import FAREWELL_S, Connection
from poise.tools.trust import Trust, trouble

CONNECT_S: Final = 15.0
"""Seconds for a connection to stand, TLS included."""
ANSWER_S: Final = WAIT_S + 20.0
"""Seconds for the answer to a BOSH request: as long as the server may hold it, and a bad network besides."""
LEAVE_S: Final = 3.0
"""Seconds for the last words to leave."""

OnOutput = Callable[[Output], None]


class CannotConnectError(Exception):
    """No connection; the text says why and what to do."""


class Carrier(Protocol):
    """What the console needs of a binding."""

    @property
    def stream(self) -> ClientStream:
        """The stream it carries."""

    async def run(self, on_output: OnOutput) -> None:
        """Connect, sign in, and stay until the stream has ended; the last output is Ended. Raises
        CannotConnectError."""

    def send(self, stanza: bytes) -> None:
        """Send a whole element. Raises XmlError."""

    def close(self) -> None:
        """Leave in good order; `run` returns soon."""


def carrier(address: Address, account: Account, trust: Trust, terms: Terms) -> Carrier:
    """The one for an address. Raises OSError for a CA file that cannot be read."""
    nonce = secrets.token_urlsafe(18)
    tls = trust.context("xmpp-client" if address.scheme.startswith("xmpp") else "http/1.1")
    if address.scheme in ("xmpp", "xmpps"):
        return TcpCarrier(address, TcpClientStream(account, terms, nonce), tls)
    if address.scheme in ("ws", "wss"):
        return WebSocketCarrier(address, WebSocketClientStream(account, terms, nonce), tls)
    return BoshCarrier(address, BoshClientStream(account, terms, nonce, secrets.randbelow(2**31) + 1), tls)


class _Obeying(ABC):
    """Carries out outputs in their order, also those that a listener causes while it is told of earlier ones."""

    def __init__(self) -> None:
        self._told: OnOutput = lambda _: None
        self._waiting: deque[Output] = deque()
        self._busy = False

    def _obey(self, outputs: Iterable[Output]) -> None:
        self._waiting += outputs
        if self._busy:
            return
        self._busy = True
        try:
            while self._waiting:
                output = self._waiting.popleft()
                self._carry_out(output)
                self._told(output)
        finally:
            self._busy = False

    @abstractmethod
    def _carry_out(self, output: Output) -> None:
        """Do one thing that the stream wants."""


class TcpCarrier(_Obeying):
    """TCP, with STARTTLS when the stream asks for it."""

    def __init__(self, address: Address, stream: TcpClientStream, tls: ssl.SSLContext) -> None:
        super().__init__()
        self.stream: TcpClientStream = stream
        self._address = address
        self._tls = tls
        self._writer: asyncio.StreamWriter | None = None
        self._secure = False

    async def run(self, on_output: OnOutput) -> None:
        """As `Carrier`."""
        self._told = on_output
        address = self._address
        try:
            reader, writer = await asyncio.wait_for(
                asyncio.open_connection(
                    address.host,
                    address.port,
                    ssl=self._tls if address.secure else None,
                    server_hostname=address.host if address.secure else None,
                    ssl_shutdown_timeout=FAREWELL_S if address.secure else None,
                ),
                CONNECT_S,
            )
        except OSError as error:
            raise CannotConnectError(trouble(error, address.place)) from None
        self._writer = writer
        try:
            self._obey(self.stream.open())
            await self._read(reader, writer)
        finally:
            writer.close()
            try:
                await asyncio.wait_for(writer.wait_closed(), LEAVE_S)
            except OSError:
                with suppress(AttributeError):  # Python 3.11.2, when TLS has let go of the connection already
                    writer.transport.abort()

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not self.stream.ended:
            try:
                data = await reader.read(65536)
            except OSError:
                data = b""
            self._obey(self.stream.receive(data) if data else self.stream.lost())
            if self._secure:
                self._secure = False
                try:
                    await asyncio.wait_for(writer.start_tls(self._tls, server_hostname=self._address.host), CONNECT_S)
                except OSError as error:
                    raise CannotConnectError(trouble(error, self._address.place)) from None
                self._obey(self.stream.secured())

    def send(self, stanza: bytes) -> None:
        """As `Carrier`."""
        self._obey(self.stream.send(stanza))

    def close(self) -> None:
        """As `Carrier`."""
        self._obey(self.stream.close())
        if self._writer is not None:
            self._writer.close()

    def _carry_out(self, output: Output) -> None:
        if isinstance(output, Write) and self._writer is not None:
            self._writer.write(output.data)
        elif isinstance(output, Secure):
            self._secure = True


class WebSocketCarrier(_Obeying):
    """WebSocket, by the library `websockets`."""

    def __init__(self, address: Address, stream: WebSocketClientStream, tls: ssl.SSLContext) -> None:
        super().__init__()
        self.stream: WebSocketClientStream = stream
        self._address = address
        self._tls = tls
        self._unsent: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def run(self, on_output: OnOutput) -> None:
        """As `Carrier`."""
        self._told = on_output
        address = self._address
        try:
            socket = await connect(
                str(address),
                ssl=self._tls if address.secure else None,
                ssl_shutdown_timeout=FAREWELL_S if address.secure else None,
                subprotocols=[SUBPROTOCOL],  # type: ignore[list-item]  # a plain string is one
                open_timeout=CONNECT_S,
                close_timeout=LEAVE_S,
                max_size=SERVER_LIMITS.size,
                ping_interval=None,
                proxy=None,
            )
        except (InvalidHandshake, InvalidMessage) as error:
            raise CannotConnectError(
                f"{address} does not speak WebSocket for XMPP ({error}). Is the path right? Finesse's is /ws/."
            ) from None
        except OSError as error:
            raise CannotConnectError(trouble(error, address.place)) from None
        writing = asyncio.create_task(self._write(socket))
        try:
            self._obey(self.stream.open())
            while not self.stream.ended:
                try:
                    message = await socket.recv(decode=False)
                except ConnectionClosed:
                    self._obey(self.stream.lost())
                else:
                    self._obey(self.stream.receive(bytes(message)))
        finally:
            self._unsent.put_nowait(None)
            await writing
            await socket.close()

    async def _write(self, socket: ClientConnection) -> None:
        while (data := await self._unsent.get()) is not None:
            try:
                await socket.send(data.decode())
            except ConnectionClosed:
                return
        if self.stream.ended:
            await socket.close()

    def send(self, stanza: bytes) -> None:
        """As `Carrier`."""
        self._obey(self.stream.send(stanza))

    def close(self) -> None:
        """As `Carrier`."""
        self._obey(self.stream.close())
        self._unsent.put_nowait(None)

    def _carry_out(self, output: Output) -> None:
        if isinstance(output, Write):
            self._unsent.put_nowait(output.data)


class BoshCarrier(_Obeying):
    """HTTP: a task and a connection for each request under way."""

    def __init__(self, address: Address, stream: BoshClientStream, tls: ssl.SSLContext) -> None:
        super().__init__()
        self.stream: BoshClientStream = stream
        self._address = address
        self._tls = tls if address.secure else None
        self._free: list[Connection] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._over = asyncio.Event()
        self._answered = False
        self._trouble = ""
        self._fault: BaseException | None = None

    async def run(self, on_output: OnOutput) -> None:
        """As `Carrier`."""
        self._told = on_output
        try:
            self._obey(self.stream.open())
            await self._over.wait()
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=LEAVE_S)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await asyncio.gather(*(connection.close() for connection in self._free))
        if self._fault is not None:
            raise self._fault
        if self._trouble and not self._answered:
            raise CannotConnectError(self._trouble)

    async def _post(self, post: Post) -> None:
        connection = self._free.pop() if self._free else Connection(self._address, self._tls, CONTENT_TYPE)
        try:
            status, body = await asyncio.wait_for(connection.post(post.data), ANSWER_S)
        except OSError as error:
            await connection.close()
            self._trouble = trouble(error, self._address.place)
            if not self._answered:
                self._over.set()  # the first request: trying again would not help
                return
            self._obey(self.stream.failed(post.rid))
            return
        self._answered = True
        self._free.append(connection)
        self._obey(self.stream.answered(post.rid, status, body))

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fault = error  # ours: `run` raises it
            self._over.set()

    def send(self, stanza: bytes) -> None:
        """As `Carrier`."""
        self._obey(self.stream.send(stanza))

    def close(self) -> None:
        """As `Carrier`."""
        self._obey(self.stream.close())
        if not self._answered:
            self._over.set()

    def _carry_out(self, output: Output) -> None:
        if isinstance(output, Post):
            task = asyncio.get_running_loop().create_task(self._post(output))
            self._tasks.add(task)
            task.add_done_callback(self._done)
        elif isinstance(output, Ended):
            self._over.set()
