"""XMPP over TCP, on 5222 with STARTTLS and on 5223 in TLS: sockets for `TcpStream`; streams, host and accounts as BOSH.

Theory of STARTTLS: reading stops before `<proceed/>` is written, so that from there on every byte of the client reaches
TLS and none us in the clear; what TLS lets through before we are told that it stands is kept for the new stream.
Theory of silence: a signed-in client that sends nothing for half the idle time is pinged, and any byte is an answer;
none for the whole idle time, and its stream is over. So a dead peer is noticed as soon as a dead BOSH client.
Theory of the end: after our last words only our side is closed, and what the client still sends is read and thrown away
for a moment; closing at once would answer it with a reset, which takes the last words with it.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from math import inf
from typing import cast

from poise.protocols.xmpp.c2s import C2S, C2SPolicy, StreamError
from poise.protocols.xmpp.scram import Verifier
from poise.protocols.xmpp.stream import Finished, TcpStream
from poise.protocols.xmpp.xml import escape_attr
from poise.server.notification.client import Output
from poise.server.notification.hub import Hub, Verdict
from poise.server.notification.stream_session import StreamSession, new_id
from poise.server.notification.timing import FAREWELL_S, HANDSHAKE_S, LINGER_S, SIGN_IN_S, SLOW_READER_S

OUTPUT_MAX_BYTES = 4_000_000
"""Bytes waiting for a client that does not read; then its stream ends (X25, SEC06). As much as a BOSH session may
queue."""
READ_SLICE_BYTES = 16 * 1024
"""Bytes read from one stream in a callback of the loop: about 2 ms of parsing and routing (law 8)."""
_KEEP_ALIVE = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))
"""Seconds of silence, seconds between probes, probes: a dead peer is noticed in two minutes (RFC 6120 section 4.6)."""


class TcpClient(StreamSession):
    """One connection."""

    __slots__ = ("_handshake_by", "_service", "_stream", "_tls")

    transport = "tcp"
    read_slice_bytes = READ_SLICE_BYTES

    def __init__(self, service: TcpService, policy: C2SPolicy, tls: ssl.SSLContext | None) -> None:
        hub = service.hub
        now = hub.now()
        super().__init__(hub, C2S(hub.host.domain, policy), "", now)
        self._service = service
        self._stream = TcpStream(self.c2s, new_id)
        self._tls = tls
        self._handshake_by = inf  # until when TLS must stand; finite while it is under way

    # -- asyncio.Protocol ----------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self.address = peer[0] if peer else ""
        refused = "stopping" if self.hub.stopping else self.hub.admission.enter(self.address, self.hub.now())
        if refused is not None:
            self.gone = True
            self._transport.write(self._stream.end("shutdown" if self.hub.stopping else "too-active", refused))
            self._transport.close()
            return
        self._service.clients.add(self)
        self.hub.begun(self)

    def data_received(self, data: bytes) -> None:
        """Bytes of the stream, a slice at a time."""
        if self.gone:
            return
        if self._handshake_by != inf:
            self._backlog += data
            return
        self._take(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone; a stream that was not closed properly broke."""
        self._transport = None
        self._closing = inf
        self._service.leaving.discard(self)
        if not self.gone:
            if self._handshake_by != inf:
                self._tls_failed(exc)
            else:
                evidence = "reset" if exc is not None else "closed without an end of stream"
                self._forget("socket-lost", self.hub.now(), evidence, None)
            self._service.leaving.discard(self)
            self.hub.settle()
        self._stream.close()
        del self._stream  # nothing reads any more; the timer wheel may keep the rest of us for up to SIGN_IN_S

    def _read(self, data: bytes) -> None:
        now = self._heard_at = self._quiet_from = self.hub.now()
        self._pinged = False
        try:
            self.obey(self._stream.receive(data, now), now)
        except Exception as error:  # noqa: BLE001 - this session's end and nobody else's
            self.hub.fault(self, error, now)
        self.hub.settle()
        self._wait_for_store()

    def abort(self) -> None:
        """Break the connection."""
        if self._transport is not None:
            self._transport.abort()

    # -- ClientSession -------------------------------------------------------------------------------------------------

    @property
    def deadline(self) -> float:
        """For the timer wheel."""
        if self.gone:
            return self._closing
        if self.sign_in_by != inf:
            return min(self.sign_in_by, self._handshake_by)
        idle_s = self._service.idle_s
        return self._quiet_from + (idle_s if self._pinged else idle_s / 2)

    def due(self, now: float) -> None:
        """The sign-in or TLS took too long, the client is silent, or the last words take too long to leave."""
        if self.gone:
            self._let_go(now)
        elif now >= self.sign_in_by:
            self.end("auth-timeout", now, timer_s=SIGN_IN_S)
        elif now >= self._handshake_by:
            self._forget("tls-failed", now, "no handshake in time", HANDSHAKE_S)
        elif self._transport is not None and not self._transport.is_reading():
            self._quiet_from = now  # it is we who do not listen
        elif not self._pinged:
            self._pinged = True
            self._send(_ping(self.hub.host.domain, self.jid), now)
        else:
            self.end("idle", now, timer_s=self._service.idle_s)
        self.hub.settle()

    def forgive(self, seconds: float) -> None:
        """Charge nothing for the last `seconds`, in which the server did not run."""
        self.sign_in_by += seconds
        self._handshake_by += seconds
        self._quiet_from = min(self._quiet_from + seconds, self.hub.now())

    def deliver(self, stanza: bytes, now: float) -> None:
        """A stanza from the host."""
        self.sent += 1
        self._send(stanza, now)

    def deliver_all(self, stanzas: list[bytes], now: float) -> None:
        """Several stanzas from the host, in one write."""
        self.sent += len(stanzas)
        self._send(b"".join(stanzas), now)

    def end(self, code: str, now: float, *, evidence: str = "", timer_s: float | None = None) -> None:
        """End the stream by a code of the registry."""
        if self.gone:
            return
        if self._transport is not None and self._handshake_by == inf:  # amid a handshake nothing can be said
            self._transport.write(self._stream.end(code))
        self._forget(code, now, evidence, timer_s)

    def _send(self, data: bytes, now: float) -> None:
        transport = self._transport
        if transport is None or self.gone:
            return
        transport.write(data)
        if transport.get_write_buffer_size() > OUTPUT_MAX_BYTES:
            self._forget("queue-full", now, f"{transport.get_write_buffer_size()} bytes unread", None)
            transport.abort()

    def _over(self, output: StreamError | Finished, unsent: bytes, now: float) -> None:
        assert isinstance(output, Finished)
        self.hub.settle()  # answers to what the client said before come before the end (S24)
        if self.gone:
            return
        if self._transport is not None:
            self._transport.write(unsent)
        self._forget(output.ending_code, now, output.evidence, None)

    def _verifier_found(self, verifier: Verifier | None, nonce: str, now: float) -> Sequence[Output]:
        return self._stream.verifier_found(verifier, nonce, now)

    def _checked(self, verdict: Verdict, now: float) -> Sequence[Output]:
        user = verdict.account.login_id if verdict.account is not None else None
        return self._stream.password_checked(verdict.ok, now, verdict.temporary, user)

    def _bound(self, jid: str, now: float) -> Sequence[Output]:
        self.hub.wheel.watch(self)
        return self._stream.bound(jid, now)

    def _bind_refused(self, condition: str, now: float) -> Sequence[Output]:
        return self._stream.bind_refused(condition, now)

    def _forget(self, code: str, now: float, evidence: str, timer_s: float | None) -> None:
        """The session is over; what was written may still leave, for a while."""
        closed = self._testimony(code, now, evidence, timer_s)
        self._service.clients.discard(self)
        self._service.leaving.add(self)
        self._backlog = b""
        self.hub.ended(self, closed, (), now)
        self._leave(code, now)

    # -- the end of the connection -------------------------------------------------------------------------------------

    def _leave(self, code: str, now: float) -> None:
        """Let the last words go, then the connection."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        self._quiet_from = now  # from here on: when it ended
        if self._handshake_by != inf:
            transport.abort()
            return
        if code == "client-left" or not transport.can_write_eof():  # TLS cannot be closed one way
            transport.close()
            self._closing = now + SLOW_READER_S
        else:
            try:
                transport.write_eof()
            except OSError:  # it has reset the connection meanwhile
                transport.abort()
                return
            transport.resume_reading()
            self._closing = now + LINGER_S
        self.hub.wheel.watch(self)

    def _let_go(self, now: float) -> None:
        transport = self._transport
        self._closing = inf
        if transport is None:
            return
        if transport.get_write_buffer_size() and now < self._quiet_from + SLOW_READER_S:
            self._closing = now + LINGER_S
        else:
            transport.abort()

    # -- TLS -----------------------------------------------------------------------------------------------------------

    def _start_tls(self, proceed: bytes, now: float) -> None:
        transport = self._transport
        if transport is None or self._tls is None:
            return
        if self._backlog:
            self.end("stream-refused", now, evidence="data behind starttls")
            return
        transport.pause_reading()
        transport.write(proceed)
        self._handshake_by = now + HANDSHAKE_S
        self.hub.wheel.watch(self)
        self.hub.spawn(self._secure(transport, self._tls))

    async def _secure(self, transport: asyncio.Transport, tls: ssl.SSLContext) -> None:
        secure: asyncio.Transport | None = None
        error: Exception | None = None
        try:
            secure = await asyncio.get_running_loop().start_tls(
                transport,
                self,
                tls,
                server_side=True,
                ssl_handshake_timeout=HANDSHAKE_S,
                ssl_shutdown_timeout=FAREWELL_S,
            )
        except Exception as failure:  # noqa: BLE001 - whatever the client made of it, it ends this session alone
            error = failure
        if secure is None or self.gone:
            self._insecure(secure or transport, error)
            return
        self._transport = secure
        self._handshake_by = inf
        self._stream.secured()
        early, self._backlog = self._backlog, b""
        if early:
            self.data_received(early)

    def _insecure(self, transport: asyncio.Transport, error: Exception | None) -> None:
        if not self.gone:
            self._tls_failed(error)
            self.hub.settle()
        transport.abort()
        self._transport = None
        self._service.leaving.discard(self)  # asyncio's own loop calls no connection_lost any more

    def _tls_failed(self, error: Exception | None) -> None:
        reason = error.reason if isinstance(error, ssl.SSLError) else None
        evidence = reason or (type(error).__name__ if error is not None else "closed")
        self._forget("tls-failed", self.hub.now(), evidence, None)


class TcpService:
    """All XMPP connections over TCP."""

    def __init__(self, hub: Hub, idle_s: float) -> None:
        self.hub = hub
        self.idle_s = idle_s
        """Seconds of silence of a signed-in client."""
        self.clients: set[TcpClient] = set()
        """Sessions that are not over."""
        self.leaving: set[TcpClient] = set()
        """Connections whose session is over and whose last bytes are under way."""

    def factory(self, policy: C2SPolicy, starttls: ssl.SSLContext | None = None) -> Callable[[], TcpClient]:
        """What makes a protocol for each connection of one listener; `starttls` where its policy offers TLS."""
        return lambda: TcpClient(self, policy, starttls)


def _ping(domain: str, jid: str) -> bytes:
    """XEP-0199, server to client."""
    head = f'<iq xmlns="jabber:client" type="get" id="ping-{new_id()}" from="{domain}" to="{escape_attr(jid)}">'
    return f'{head}<ping xmlns="urn:xmpp:ping"/></iq>'.encode()


def keep_alive(listening: socket.socket) -> None:
    """Have the system notice peers that are gone without a word: what a listening socket is set to, the connections it
    accepts inherit."""
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEP_ALIVE:
        option = getattr(socket, name, None)
        if option is not None:
            listening.setsockopt(socket.IPPROTO_TCP, option, value)
