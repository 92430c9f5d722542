"""The TCP client of the CTI link: does what the link core says, on one event loop.

All outputs go through one queue, so that a consumer may ask for something new from within its callback and everything
still happens in order. A consumer's mistake costs one event, not the link.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from typing import ParamSpec, cast

from poise.protocols.cti.link import Link
from poise.protocols.cti.messages import Message
from poise.protocols.cti.outputs import (
    AttemptEnded,
    Close,
    Connect,
    LinkUp,
    Log,
    Output,
    Received,
    RequestEnded,
    SendBytes,
    Side,
    StatisticsReceived,
)
from poise.protocols.cti.settings import LinkSettings
from poise.protocols.cti.states import LinkState
from poise.server.clock import Clock, Timer
from poise.server.ctilink.addresses import shown
from poise.server.ctilink.log import CtiLog

P = ParamSpec("P")

SLICE = 50
"""Outputs carried out before the event loop serves others again: at 0.1 ms each, a slice stays at 5 ms."""

READ_BYTES = 32_768
"""Most bytes taken from the socket at once: about 300 events, 2 ms of decoding."""

_UNTOLD = frozenset({"HEARTBEAT_REQ"})


class _Connection(asyncio.BufferedProtocol):
    """One socket; silent once the client has let go of it."""

    def __init__(self, client: CtiClient) -> None:
        self._client: CtiClient | None = client
        self._buffer = bytearray(READ_BYTES)
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is connected."""
        self.transport = cast(asyncio.Transport, transport)
        if self._client is None:
            self.transport.abort()

    def get_buffer(self, sizehint: int) -> bytearray:
        """Where the next bytes go."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """The CTI server said something."""
        if self._client is not None:
            self._client.received(bytes(self._buffer[:nbytes]))

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket broke or the CTI server closed it."""
        if self._client is not None:
            reason = "the CTI server closed the connection" if exc is None else f"the connection broke: {exc}"
            client, self._client = self._client, None
            client.lost(reason)

    def let_go(self) -> None:
        """Close at once, and say nothing any more. There is never anything left to say that anybody waits for."""
        self._client = None
        if self.transport is not None:
            self.transport.abort()

    def pause(self, paused: bool) -> None:
        """Stop reading while the consumers have enough to do."""
        if self.transport is not None and not self.transport.is_closing():
            if paused:
                self.transport.pause_reading()
            else:
                self.transport.resume_reading()


def _why(error: OSError | UnicodeError) -> str:
    """Why there is no connection, in a few words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {(error.reason or str(error)).replace('_', ' ').lower()}"
    number = error.errno if isinstance(error, OSError) else None
    return os.strerror(number) if number is not None and number > 0 else str(error)


class CtiClient:
    """One link to side A or B. Everything runs on the event loop that is running when `start` is called."""

    def __init__(
        self,
        settings: LinkSettings,
        clock: Clock,
        log: CtiLog,
        on_output: Callable[[Output], None],
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`on_output` gets LinkUp, LinkDown, ConfigReceived, Received, StatisticsReceived and RequestEnded, in order.

        `tls`: how to check the CTI servers' certificates; None for connections in the clear. Raises CtiError when the
        settings cannot be written into OPEN_REQ.
        """
        self.link = Link(settings)
        self._clock = clock
        self._log = log
        self._on_output = on_output
        self._tls = tls
        self._queue: deque[Output] = deque()
        self._working = False
        self._paused = False
        self._connection: _Connection | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._timer: Timer | None = None
        self._timer_at = float("inf")
        self._received_ms = 0
        self._stopped: asyncio.Future[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def up(self) -> bool:
        """Open and synchronised."""
        return self.link.state is LinkState.UP

    @property
    def heartbeat_answered(self) -> bool:
        """Whether the CTI server answers heartbeats (SystemInfo's lastCTIHeartbeatStatus)."""
        return self.link.heartbeat_answered

    @property
    def last_heartbeat_at(self) -> float | None:
        """Seconds since the epoch of the last answered heartbeat (SystemInfo's lastSuccessCTIHeartbeatTime)."""
        last = self.link.last_heartbeat
        return None if last is None else self._clock.wall() - (self._clock.now() - last)

    def start(self) -> None:
        """Begin to connect."""
        self._loop = asyncio.get_running_loop()
        self._do(self.link.start(self._clock.now()))

    async def stop(self) -> None:
        """Close the session in an orderly way; waits at most CLOSE_TIMEOUT_S for the CTI server."""
        if self._loop is None or self.link.state is LinkState.STOPPED:
            return
        self._stopped = self._loop.create_future()
        self._do(self.link.stop(self._clock.now()))
        await self._stopped

    def request(self, message: Message, context: object = None) -> int:
        """Send a request; its RequestEnded carries `context`. Gives the InvokeID."""
        invoke_id, outputs = self.link.request(message, self._clock.now(), context)
        self._do(outputs)
        return invoke_id

    # What the socket and the timer call

    def received(self, data: bytes) -> None:
        """Bytes from the CTI server."""
        self._received_ms = int(self._clock.wall() * 1000)
        self._do(self.link.feed(data, self._clock.now()))

    def lost(self, reason: str) -> None:
        """The socket is gone."""
        self._connection = None
        self._do(self.link.disconnected(self._clock.now(), reason))

    def _due(self) -> None:
        self._timer, self._timer_at = None, float("inf")
        self._do(self.link.due(self._clock.now()))

    # What the link says

    def _do(self, outputs: Sequence[Output]) -> None:
        self._queue.extend(outputs)
        if not self._working:
            self._work()
        self._rearm()

    def _work(self) -> None:
        """Carry out a slice of the queue; the rest follows when the event loop has served everybody else."""
        self._working = True
        for _ in range(min(SLICE, len(self._queue))):
            self._one(self._queue.popleft())
        if self._queue:
            assert self._loop is not None
            self._pause(True)
            self._loop.call_soon(self._work)
            return
        self._working = False
        self._pause(False)
        if self._stopped is not None and self.link.state is LinkState.STOPPED and not self._stopped.done():
            self._close()
            self._stopped.set_result(None)

    def _pause(self, paused: bool) -> None:
        if self._paused is not paused:
            self._paused = paused
            if self._connection is not None:
                self._connection.pause(paused)

    def _one(self, output: Output) -> None:
        if isinstance(output, SendBytes):
            self._send(output)
        elif isinstance(output, Connect):
            assert self._loop is not None
            self._connecting = self._loop.create_task(self._connect(output.side))
        elif isinstance(output, Close):
            self._close()
        elif isinstance(output, AttemptEnded):
            self._guarded(self._log.cti_link_down, output.side.name, shown(output.side), output.reason)
        elif isinstance(output, Log):
            self._guarded(self._log.cti_link_trouble, output.text)
        else:
            self._tell(output)

    def _send(self, output: SendBytes) -> None:
        if self._connection is None or self._connection.transport is None:
            return  # the connection broke a moment ago; the link is about to hear of it
        self._connection.transport.write(output.data)
        if output.message.name not in _UNTOLD:
            self._guarded(self._log.message_to_cti_server, output.message)

    def _tell(self, output: Output) -> None:
        if isinstance(output, LinkUp):
            self._guarded(self._log.cti_link_up, output.side.name, shown(output.side))
        message = output.message if isinstance(output, Received | StatisticsReceived) else None
        if isinstance(output, RequestEnded):
            message = output.answer
        if message is not None:
            dispatch_ms = int(self._clock.wall() * 1000)
            told = self._log.decoded_message_from_cti_server
            self._guarded(told, message, self._received_ms, dispatch_ms)
        self._guarded(self._on_output, output)

    def _guarded(self, call: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        """Call a consumer or the log; a mistake there is loud and does not end the link."""
        try:
            call(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - see above
            assert self._loop is not None
            self._loop.call_exception_handler({"message": "a consumer of the CTI link failed", "exception": error})

    async def _connect(self, side: Side) -> None:
        assert self._loop is not None
        connection = _Connection(self)
        try:
            await self._loop.create_connection(lambda: connection, side.host, side.port, ssl=self._tls)
        except asyncio.CancelledError:
            connection.let_go()
            raise
        except (OSError, UnicodeError) as error:  # UnicodeError: a host name that cannot be one
            self._connected()
            self._do(self.link.disconnected(self._clock.now(), f"no connection: {_why(error)}"))
            return
        self._connected()
        if connection.transport is None or connection.transport.is_closing():
            return  # it broke at once, and the link has heard of it
        self._connection = connection
        self._do(self.link.connected(self._clock.now()))

    def _connected(self) -> None:
        if self._connecting is asyncio.current_task():
            self._connecting = None

    def _close(self) -> None:
        if self._connecting is not None:
            self._connecting.cancel()
            self._connecting = None
        if self._connection is not None:
            self._connection.let_go()
            self._connection = None

    def _rearm(self) -> None:
        deadline = self.link.deadline
        if deadline == self._timer_at:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._timer_at = deadline
        if deadline < float("inf"):
            self._timer = self._clock.call_at(deadline, self._due)
