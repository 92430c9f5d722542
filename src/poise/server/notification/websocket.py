"""XMPP over WebSocket at `/ws`, on the HTTP listeners (RFC 7395): sockets for `FramedStream`, on the same streams, host
and accounts as the other bindings.

Frames are read by the sans-I/O protocol of the `websockets` library, which also answers pings and close frames. Frames
to the client are built by `ws_frames`: a header of two to ten bytes before bytes that exist already.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Final, cast

from websockets.exceptions import PayloadTooBig
from websockets.extensions.base import Extension
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import Event, Protocol, Side
from websockets.protocol import State as WireState

from poise.protocols.xmpp.bosh.timing import INACTIVITY_S
from poise.protocols.xmpp.c2s import C2S, C2SPolicy, Send, StreamError
from poise.protocols.xmpp.framing import FramedStream, FrameOutput
from poise.protocols.xmpp.scram import Verifier
from poise.protocols.xmpp.stream import Finished
from poise.protocols.xmpp.xml import LIMITS, Limits
from poise.server.notification.client import Output
from poise.server.notification.http import HttpConnection
from poise.server.notification.http_reader import RequestReader
from poise.server.notification.hub import Hub, Verdict
from poise.server.notification.stream_session import StreamSession, new_id
from poise.server.notification.timing import CLOSING_S, DEFLATE_FROM_BYTES, SIGN_IN_S, SLOW_READER_S
from poise.server.notification.ws_frames import Deflater, text_frame
from poise.server.notification.ws_handshake import SILENT, Handshake, Rejected

OUTPUT_MAX_BYTES = 4_000_000
"""Bytes waiting for a client that does not read; then its session ends (WS24, SEC06). As much as with BOSH and TCP."""
READ_SLICE_BYTES = 8 * 1024
"""Bytes read from one client in a callback of the loop: 1,300 empty frames, the worst there is, take 5 ms (law 8)."""
FRAGMENTS_MAX = 4096
"""Fragments of one message; empty ones cost time and count towards no size (SEC08)."""

_NEVER: Final = 1 << 62
_PING: Final = b"\x89\x00"
_CLOSE_CODES: Final = {
    "client-left": CloseCode.NORMAL_CLOSURE,
    "shutdown": CloseCode.GOING_AWAY,
    "fault": CloseCode.INTERNAL_ERROR,
    "too-big": CloseCode.MESSAGE_TOO_BIG,
}
"""Ending -> close code; whatever is not named violates a policy (1008)."""


@dataclass(frozen=True, slots=True)
class WebSocketPolicy:
    """Every knob of WebSocket sessions."""

    message_max_bytes: int = LIMITS.size
    """Most bytes of one message, put together and inflated."""
    output_max_bytes: int = OUTPUT_MAX_BYTES
    """Most bytes waiting for a client that does not read."""
    idle_s: float = float(INACTIVITY_S)
    """Seconds without a byte after which a session ends, as with BOSH; after half of it the client is sent a ping, and
    its pong counts like anything else. `inf`: never."""
    compression: bool = True
    """Whether permessage-deflate is agreed to when a client offers it."""
    deflate_from_bytes: int = DEFLATE_FROM_BYTES
    """Smallest message that is sent compressed then; 0: none is."""
    redirect_uri: str = ""
    """`wss:` address to which clients without TLS are sent (`see-other-uri`); empty: they are served."""

    def __post_init__(self) -> None:
        if self.redirect_uri and not self.redirect_uri.startswith("wss://"):
            raise ValueError("websocket.redirect_uri must begin with wss://, for nobody is led to less security")


class WebSocketClient(StreamSession):
    """One connection, from the end of its handshake on."""

    __slots__ = (
        "_connection", "_deflate_from", "_deflater", "_parts", "_policy", "_service", "_size", "_stream", "_wire",
    )  # fmt: skip

    transport = "websocket"
    read_slice_bytes = READ_SLICE_BYTES

    def __init__(self, service: WebSocketService, connection: HttpConnection, extensions: Sequence[Extension]) -> None:
        hub, self._policy = service.hub, service.policy
        now = hub.now()
        secure = connection.port.secure
        super().__init__(hub, C2S(hub.host.domain, service.streams[secure]), connection.address, now)
        self._service = service
        self._connection = connection
        redirect = "" if secure else self._policy.redirect_uri
        self._stream = FramedStream(self.c2s, new_id, redirect=redirect, limits=service.limits)
        self._wire = Protocol(Side.SERVER, max_size=self._policy.message_max_bytes, logger=SILENT)
        self._wire.extensions = list(extensions)
        self._deflater = service.deflater(extensions)
        self._deflate_from = (self._policy.deflate_from_bytes if extensions else 0) or _NEVER
        self._parts: list[bytes] | None = None  # fragments of a message under way
        self._size = 0  # of all of them

    # -- asyncio.Protocol ----------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The handshake is done."""
        self._transport = cast(asyncio.Transport, transport)
        self._service.clients.add(self)
        self.hub.begun(self)

    def data_received(self, data: bytes) -> None:
        """Bytes of frames, a slice at a time."""
        self._take(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone; a stream that was not closed properly broke."""
        self._transport = None
        self._closing = inf
        self._backlog = b""
        self._connection.connection_lost(exc)
        self._wire.parser.close()  # it and the protocol hold each other
        if not self.gone:
            self._forget("socket-lost", self.hub.now(), "reset" if exc is not None else "closed without a close frame")
            self.hub.settle()

    def _read(self, data: bytes) -> None:
        now = self.hub.now()
        wire = self._wire
        try:
            wire.receive_data(data)
            if not self.gone:
                self._heard_at = self._quiet_from = now
                self._pinged = False
                for event in wire.events_received():
                    self._hear(event, now)
                    if self.gone:
                        break
            self._answer_frames(now)
        except Exception as error:  # noqa: BLE001 - this session's end and nobody else's
            self.hub.fault(self, error, now)
        self.hub.settle()
        self._wait_for_store()

    def _answer_frames(self, now: float) -> None:
        """Write what the library has to say: pongs, and close frames of all kinds."""
        wire = self._wire
        wire.events.clear()
        if not self.gone and wire.state is not WireState.OPEN:
            self._broken(now)
            return
        if self in self.hub.host.unstored and not self.gone:
            return  # a pong says that all before it is safe: see `released`
        if wire.writes:
            self._write(b"".join(wire.data_to_send()), now)
        if wire.eof_sent:
            self._hang_up(now)

    # -- frames from the client ----------------------------------------------------------------------------------------

    def _hear(self, event: Event, now: float) -> None:
        assert isinstance(event, Frame)
        opcode = event.opcode
        if opcode is Opcode.TEXT and event.fin:
            self._message(bytes(event.data), now)
        elif opcode is Opcode.TEXT:
            self._parts = [bytes(event.data)]
            self._size = len(event.data)
        elif opcode is Opcode.CONT:
            self._fragment(bytes(event.data), event.fin, now)
        elif opcode is Opcode.BINARY:
            self._wire.fail(CloseCode.UNSUPPORTED_DATA, "XMPP is text")
            self._broken(now, "binary frame")
        elif opcode is Opcode.CLOSE:
            code = self._wire.close_rcvd.code if self._wire.close_rcvd is not None else 0
            self._forget("client-left", now, f"WebSocket closed by the client: {int(code)}")

    def _fragment(self, data: bytes, last: bool, now: float) -> None:
        parts = self._parts
        assert parts is not None, "the library lets no stray continuation pass"
        parts.append(data)
        self._size += len(data)
        if self._size > self._policy.message_max_bytes or len(parts) > FRAGMENTS_MAX:
            self._wire.fail(CloseCode.MESSAGE_TOO_BIG)
            self._broken(now)
        elif last:
            self._parts = None
            self._message(b"".join(parts), now)

    def _message(self, data: bytes, now: float) -> None:
        if not data.isascii():
            try:
                data.decode()
            except UnicodeDecodeError:
                self._wire.fail(CloseCode.INVALID_DATA, "not UTF-8")
                self._broken(now, "not UTF-8")
                return
        self.obey(self._framed(self._stream.receive(data, now)), now)

    def _broken(self, now: float, evidence: str = "") -> None:
        """The library has failed the connection, or was told to: say so as XMPP where that makes sense, then close."""
        wire = self._wire
        sent, error = wire.close_sent, wire.parser_exc
        code = "bad-frame"
        if isinstance(error, PayloadTooBig) or (sent is not None and sent.code == CloseCode.MESSAGE_TOO_BIG):
            code = "too-big"
            self._write(b"".join(map(self._frame, self._stream.end(code))), now)
        self._write(b"".join(wire.data_to_send()), now)
        self._forget(code, now, evidence or (sent.reason if sent is not None else ""))
        self._hang_up(now)

    # -- ClientSession -------------------------------------------------------------------------------------------------

    @property
    def deadline(self) -> float:
        """For the timer wheel."""
        if self.gone:
            return self._closing
        idle_s = self._policy.idle_s
        return min(self.sign_in_by, self._quiet_from + (idle_s if self._pinged else idle_s / 2))

    def due(self, now: float) -> None:
        """The sign-in took too long, a silent client is to be asked whether it is there, or the end takes too long."""
        if self.gone:
            self.abort()
        elif now >= self.sign_in_by:
            self.end("auth-timeout", now, timer_s=SIGN_IN_S)
        elif self._transport is not None and not self._transport.is_reading():
            self._quiet_from = now  # it is we who do not listen
        elif self._pinged:
            self.end("idle", now, timer_s=self._policy.idle_s)
        else:
            self._pinged = True
            self._write(_PING, now)
        self.hub.settle()

    def deliver(self, stanza: bytes, now: float) -> None:
        """A stanza from the host."""
        self.sent += 1
        self._write(self._frame(stanza), now)

    def deliver_all(self, stanzas: Sequence[bytes], now: float) -> None:
        """Several at once, in one write."""
        self.sent += len(stanzas)
        self._write(b"".join(map(self._frame, stanzas)), now)

    def released(self, now: float) -> None:
        """All that this client sent is durable: pongs may say so, and more may come."""
        self._answer_frames(now)
        super().released(now)

    def forgive(self, seconds: float, now: float) -> None:
        """The server itself did not run for so long."""
        self.sign_in_by += seconds
        self._quiet_from = min(now, self._quiet_from + seconds)

    def end(self, code: str, now: float, *, evidence: str = "", timer_s: float | None = None) -> None:
        """End the stream by a code of the registry."""
        if self.gone:
            return
        self._farewell(b"".join(map(self._frame, self._stream.end(code))), code, now)
        self._forget(code, now, evidence, timer_s)

    def abort(self) -> None:
        """Break the connection."""
        self._closing = inf
        if self._transport is not None:
            self._transport.abort()

    def _send(self, data: bytes, now: float) -> None:
        self._write(data, now)

    def _flush(self, unsent: list[bytes], now: float) -> None:
        self._write(b"".join(unsent), now)
        unsent.clear()

    def _over(self, output: StreamError | Finished, unsent: bytes, now: float) -> None:
        assert isinstance(output, Finished)
        if output.ending_code == "client-left":
            self.hub.settle()  # answers to what it said before it left
        if not self.gone:
            self._farewell(unsent, output.ending_code, now)
            self._forget(output.ending_code, now, output.evidence)

    def _verifier_found(self, verifier: Verifier | None, nonce: str, now: float) -> Sequence[Output]:
        return self._framed(self._stream.verifier_found(verifier, nonce, now))

    def _checked(self, verdict: Verdict, now: float) -> Sequence[Output]:
        user = verdict.account.login_id if verdict.account is not None else None
        return self._framed(self._stream.password_checked(verdict.ok, now, verdict.temporary, user))

    def _bound(self, jid: str, now: float) -> Sequence[Output]:
        return self._framed(self._stream.bound(jid, now))

    def _bind_refused(self, condition: str, now: float) -> Sequence[Output]:
        return self._framed(self._stream.bind_refused(condition, now))

    # -- frames to the client ------------------------------------------------------------------------------------------

    def _framed(self, outputs: Sequence[FrameOutput]) -> list[Output]:
        """Each message as the bytes of its frame: what several say together can then be written at once."""
        return [Send(self._frame(output.data)) if isinstance(output, Send) else output for output in outputs]

    def _frame(self, message: bytes) -> bytes:
        if len(message) >= self._deflate_from:
            return self._deflater.frame(message)
        return text_frame(message)

    def _write(self, data: bytes, now: float) -> None:
        transport = self._transport
        if transport is None or not data:
            return
        transport.write(data)
        if transport.get_write_buffer_size() > self._policy.output_max_bytes:
            if not self.gone:
                self._forget("queue-full", now, f"{transport.get_write_buffer_size()} bytes unread")
            self.abort()

    def _farewell(self, data: bytes, code: str, now: float) -> None:
        """Write the last messages and our close frame, unless the client's has come first."""
        wire = self._wire
        if wire.state is WireState.OPEN:
            wire.send_close(_CLOSE_CODES.get(code, CloseCode.POLICY_VIOLATION))
        self._write(data + b"".join(wire.data_to_send()), now)

    def _forget(self, code: str, now: float, evidence: str, timer_s: float | None = None) -> None:
        """The session is over; its last words may still leave, and the client answer our close frame, for a while."""
        if self.gone:
            return
        closed = self._testimony(code, now, evidence, timer_s)
        self._service.clients.discard(self)
        self._parts = None
        self.hub.ended(self, closed, (), now)
        if self._transport is not None and not self._transport.is_closing():
            self._closing = now + CLOSING_S
            self.hub.wheel.watch(self)

    def _hang_up(self, now: float) -> None:
        """Both close frames are sent, or it is beyond that: servers close first (RFC 6455 section 7.1.1)."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.close()
            self._closing = now + SLOW_READER_S
            self.hub.wheel.watch(self)


class WebSocketService:
    """All XMPP connections over WebSocket; takes over HTTP connections that ask for `/ws`."""

    def __init__(self, hub: Hub, policy: WebSocketPolicy, streams: C2SPolicy, origins: Collection[str] = ()) -> None:
        """`streams`: what clients are allowed whatever their connection. `origins`: those beside the server's own names
        whose pages may connect."""
        self.hub = hub
        self.policy = policy
        self.clients: set[WebSocketClient] = set()
        """Sessions that are not over."""
        self.refused = 0
        """Handshakes refused since the start."""
        self.limits = Limits(size=policy.message_max_bytes)
        self.streams = {secure: replace(streams, secure=secure, starttls=False) for secure in (False, True)}
        self._deflaters: dict[int, Deflater] = {}
        self._handshake = Handshake({hub.host.domain, *streams.hosts}, origins, compression=policy.compression)

    def deflater(self, extensions: Sequence[Extension]) -> Deflater:
        """What deflates for all clients that agreed to the same window."""
        bits = next((each.local_max_window_bits for each in extensions if isinstance(each, PerMessageDeflate)), 15)
        found = self._deflaters.get(bits)
        if found is None:
            found = self._deflaters[bits] = Deflater(bits)
        return found

    def upgrade(self, connection: HttpConnection, request: RequestReader) -> None:
        """A request for `/ws`."""
        date = connection.site.date()
        answer = self._handshake.answer(request.method, request.version, request.headers, date)
        if isinstance(answer, Rejected):
            self._refuse(connection, request, answer)
        elif connection.first is not None or not request.may_upgrade:
            self._refuse(connection, request, Rejected(400, b"", b"An upgrade must stand alone and have no body.\n"))
        elif self.hub.stopping:
            self._refuse(connection, request, Rejected(503, b"", b"The service stops.\n"))
        else:
            problem = self.hub.admission.enter(connection.address, self.hub.now())
            if problem is not None:
                self._refuse(connection, request, Rejected(503, b"", f"{problem}\n".encode()))
                return
            connection.become(request, WebSocketClient(self, connection, answer.extensions), answer.response)

    def _refuse(self, connection: HttpConnection, request: RequestReader, answer: Rejected) -> None:
        self.refused += 1
        connection.refuse(request, answer.status, answer.body, answer.headers)
