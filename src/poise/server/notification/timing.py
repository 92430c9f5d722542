"""Times and sizes of the notification service's sockets: unit in the name, source, and what breaks if changed.

Times of BOSH sessions (wait, idle limit, reaper) live in `poise.protocols.xmpp.bosh.timing`.
"""

from __future__ import annotations

from dataclasses import dataclass

from poise.protocols.xmpp.bosh.timing import INACTIVITY_S

HEADER_S = 10.0
"""Seconds from a request's first byte (or from the connection's start) to the end of its headers; absolute, so that one
byte a second wins nothing (SEC05). Below about 5 s a phone on a bad network is cut off."""
BODY_S = 30.0
"""Seconds from a request's first byte to its last; absolute. Too short for slow uploads when lowered."""
KEEP_ALIVE_S = 75.0
"""Seconds an idle keep-alive connection stays open. Above the clients' longest pause between two requests (SystemInfo
every 60 s), or each check would pay a TLS handshake."""
SLOW_READER_S = 20.0
"""Seconds a client may leave our output buffer above its high-water mark before the connection is aborted (SEC06)."""
LINGER_S = 1.0
"""Seconds to go on reading and discarding after a refusal, so that a reset does not destroy the answer on its way."""
HANDSHAKE_S = 10.0
"""Seconds for a TLS handshake (SEC05)."""
FAREWELL_S = 3.0
"""Seconds a closed TLS connection waits for the client's own close_notify. Many clients never send one."""
SIGN_IN_S = 60.0
"""Seconds from a session's or stream's start to a bound resource, whatever is sent meanwhile (C25, S26). JabberWerx and
Strophe sign in within a second; a person typing a password does so before the session begins."""
IDLE_S = float(INACTIVITY_S)
"""Seconds without a byte from a signed-in client over TCP until its stream is over; after half of it the client is
pinged (S28, XEP-0199). As long as a BOSH client may be silent, so that a dead agent is noticed equally soon on both.
Below about 40 s clients that ping every 20 s (Finesse guide) are pinged too; raised, a forced logout comes late."""
CLOSING_S = 5.0
"""Seconds a WebSocket client has to answer our close frame before the connection is broken (RFC 6455 section 7.1.1)."""
DEFLATE_FROM_BYTES = 1024
"""Smallest message that is compressed for a WebSocket client that agreed to it. A state change has 1.7 kB, of which 0.6
are left after 11 microseconds; below 1 kB nothing is won that a network would notice."""
STOP_S = 0.8
"""Seconds a stopping service waits for its last answers to leave (I05: everybody is told in less than 1 s)."""
STALL_S = 5.0
"""Seconds without a turn of the event loop after which the server, not its clients, is held to have been away: its
idle sessions are forgiven that time. Lower, and a long garbage collection would hide a dead client."""
HEARTBEAT_S = 0.25
"""Seconds between two looks at whether the loop was stalled; bounds how exactly a stall is measured, and with it which
delays below STALL_S are taken for one. Four looks cost some 0.1 ms of a second."""


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """Sizes of HTTP requests and connections."""

    header_bytes: int = 32 * 1024
    """Request line and headers; Openfire's header buffer. Kerberos and large cookies reach 16 KiB."""
    header_count: int = 100
    """Header lines of a request; browsers send about 20."""
    bosh_body_bytes: int = 1024 * 1024
    """A BOSH body before it is parsed; Openfire's parser buffer. The XML limits of a session are lower."""
    app_body_bytes: int = 4 * 1024 * 1024
    """A request body for the web services; client logs are the largest."""
    app_buffer_bytes: int = 64 * 1024
    """Unread request body after which the connection is not read further until the application catches up."""
    pipelined: int = 16
    """Unanswered requests of one connection after which it is not read further. libpurple sends 2, gloox 3."""
    connections_per_address: int = 4000
    """Open connections of one IP address; above it new ones are closed at once. A terminal server or a reverse proxy
    shows hundreds of agents under one address; each agent holds 2 connections and up to 6 for a moment."""


@dataclass(frozen=True, slots=True)
class HttpTimes:
    """Deadlines of HTTP connections, in seconds; the constants of this module."""

    header_s: float = HEADER_S
    body_s: float = BODY_S
    keep_alive_s: float = KEEP_ALIVE_S
    slow_reader_s: float = SLOW_READER_S
    linger_s: float = LINGER_S
