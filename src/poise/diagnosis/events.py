"""What evidence says: one event a line that matters, with the place where it was read.

Every reader speaks this vocabulary, so that rules need not know which log a fact comes from.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Kind(Enum):
    """What happened."""

    # the notification service's side
    IDLE = "idle tick"
    """The reaper found a session silent; `number` = ms since the last request ended (0: one is held)."""
    IDLE_CLOSE = "closed as idle"
    SESSION_CLOSED = "session closed"
    SESSION_OPENED = "session opened"
    REQUEST = "request"
    """A request of the client reached the server (BOSH body, ping); `number` = rid when known."""
    TERMINATED = "terminated"
    """The server ended a session with a condition; `word` = condition."""
    UNKNOWN_SESSION = "unknown session"
    """The client used a sid the server did not know."""
    OUT_OF_WINDOW = "rid out of window"
    OVERACTIVE = "overactive"
    REPLACED = "replaced"
    """A newer session took the same resource."""
    STORED_OFFLINE = "stored offline"
    SERVICE_STARTED = "notification service started"
    SERVICE_STOPPED = "notification service stopped"
    OUT_OF_MEMORY = "out of memory"
    BAD_XML = "XML not well-formed"
    SILENCE = "log silent"
    """A log that is written all the time was not; `number` = seconds, the event's time is where it goes on."""
    STALLED = "server stalled"
    """The server did not run; `number` = seconds."""
    # the web services' side
    UNAVAILABLE = "presence unavailable"
    AVAILABLE = "presence available"
    GRACE = "logout pending"
    GRACE_CANCELLED = "logout cancelled"
    FORCED_LOGOUT = "forced logout"
    CTI_REQUEST = "state asked of the CTI server"
    """`word` = agent state's name, `number` = reason code."""
    CTI_STATE = "state told by the CTI server"
    """`word` = agent state's name, `number` = reason code."""
    CTI_DOWN = "CTI link lost"
    CTI_UP = "CTI link up"
    XMPP_DOWN = "web services lost the notification service"
    XMPP_UP = "web services found the notification service"
    OUT_OF_SERVICE = "out of service"
    IN_SERVICE = "in service"
    DIRECTORY_DOWN = "user directory not reachable"
    OVERLOAD = "overload"
    # the client's side
    CONNECTION = "connection status"
    """`word` = connecting, connected, disconnected, unloading ..."""
    DRIFT = "drift and latency"
    """`number` = drift in ms, `second` = round trip in ms."""
    PAGE_LOADED = "page loaded"
    BROWSER = "browser"
    """`word` = the User-Agent."""
    REST = "REST answer"
    """`number` = HTTP status, `second` = ms it took, `word` = resource."""
    REQUEST_FAILED = "request failed"
    """`word` = how, such as a net:: error, `timeout`, or an HTTP status."""
    RETRY = "retry"
    POLL = "long poll"
    """Seen by a capture at the client: `number` = status (0: none), `second` = ms it took, `word` = what came: empty,
    data, html, none,
    aborted, terminate ... The event's time is the request's beginning."""
    PREFLIGHT = "CORS preflight"
    TUNNEL = "tunnel"
    """CONNECT through a proxy; `number` = status, `word` = where to."""
    WEBSOCKET = "WebSocket"
    """`number` = status (101: opened), `second` = ms it lived, `word` = error."""
    WEBSOCKET_ENDED = "WebSocket ended"
    """`word` = who fell silent before (client, server, nobody), `number` = seconds since the last frame came,
    `second` = seconds since the last one was sent."""
    NO_TRUST = "certificate not trusted"
    SLEPT = "computer did not run"
    """`number` = seconds; the event's time is when it ran again."""
    # packets, seen by a capture
    CLIENT_SILENT = "client sent nothing"
    """`number` = seconds, `word` = answered or unanswered: what it had asked for before. The event's time is the last
    sign of it."""
    UNHEARD = "sent and never acknowledged"
    """`number` = repetitions, `second` = ms until the sender gave up or the capture ended."""
    NO_ANSWER = "acknowledged but not answered"
    """`number` = seconds."""
    RESET = "connection reset"
    """`word` = who, as its address says; `number` = TTL of the reset, `second` = TTL of that side's other packets."""
    CONNECT_FAILED = "connection not made"
    """`word` = refused or unanswered, `number` = port."""
    REPEATED = "segments repeated"
    """`number` = per cent."""
    ZERO_WINDOW = "receiver full"
    CAPTURE_GAP = "capture incomplete"
    """`number` = segments that the other end acknowledged and the capture lacks."""
    ISSUER = "certificate shown"
    """`word` = the names in it, the issuer's first."""
    # machines and services
    SERVICE = "service state"
    """`word` = name: state, from a listing."""
    STRATUM = "NTP stratum"
    CORE = "core dump"
    PORT = "port"
    """`number` = port; `word` = listening or closed."""
    LOSS = "packets lost"
    """`number` = per cent or count."""
    CPU = "CPU load"
    """`number` = per cent."""
    MEMORY = "memory"
    """`word` = free MB or committed %, `number` = how much."""
    PATH = "way to the server"
    """`number` = round trip in ms to the last hop that answered, `second` = its missing answers."""


class Place(NamedTuple):
    """Where a fact was read."""

    file: int
    """Index into the evidence's files."""
    line: int
    """Line, entry or frame, from 1."""


class Event(NamedTuple):
    """One fact."""

    at: float
    """Seconds since 1970 as the file's own clock says; `Evidence.time` makes it UTC."""
    kind: Kind
    place: Place
    agent: str = ""
    """Local part of the JID, lower case; empty when the line does not say."""
    session: str = ""
    """The sid, as far as known."""
    word: str = ""
    number: float | None = None
    second: float | None = None
    text: str = ""
    """The line itself, cut to `TEXT_LIMIT` characters."""


TEXT_LIMIT = 400
"""Characters of a line kept as proof: enough for every known line's telling part, and 100,000 of them stay under 50
MB."""


def shown(line: bytes) -> str:
    """A line as it may be shown: one line, no control characters, not endless."""
    text = line[: TEXT_LIMIT * 4].decode("utf-8", "replace").rstrip("\r\n")
    if not text.isprintable():
        text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" if c != "\t" else " " for c in text)
    return text if len(text) <= TEXT_LIMIT else text[: TEXT_LIMIT - 1] + "…"


def agent_of(jid: str) -> str:
    """Whose JID it is; masked and split hosts do no harm."""
    return jid.partition("@")[0].strip().casefold()
